"""The commands that the DVC stages call: they read params.yaml and files, and write files."""

import typer

from msroi.stages.data import fetch
from msroi.stages.finding import find
from msroi.stages.measuring import evaluate, scale
from msroi.stages.params import StudyError, read_params
from msroi.stages.publishing import publish
from msroi.stages.reporting import notebook, report
from msroi.stages.training import release, train

__all__ = [
    "StudyError",
    "app",
    "evaluate",
    "fetch",
    "find",
    "notebook",
    "publish",
    "read_params",
    "release",
    "report",
    "scale",
    "train",
]

app = typer.Typer()
IN_ORDER = (fetch, train, evaluate, scale, find, release, notebook, report, publish)  # of --help
for command in IN_ORDER:
    app.command()(command)
