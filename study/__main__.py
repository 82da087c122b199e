"""The commands that the stages of dvc.yaml call: `python -m study STAGE`."""

import typer

from msroi.program import run
from study.stages.cost import cost
from study.stages.crate import crate
from study.stages.evaluate import evaluate
from study.stages.fetch import fetch
from study.stages.find import find
from study.stages.notebook import notebook
from study.stages.publish import publish
from study.stages.release import release
from study.stages.report import report
from study.stages.scale import scale
from study.stages.train import train
from study.stages.trial import trial

app = typer.Typer(
    help="The stages of the study; `dvc repro` runs those that have something to do.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)
COMMANDS = (
    cost,
    fetch,
    train,
    evaluate,
    scale,
    find,
    release,
    trial,
    notebook,
    report,
    publish,
    crate,
)
for command in COMMANDS:
    app.command()(command)


if __name__ == "__main__":
    run(app, "study")
