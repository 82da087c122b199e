"""The commands that the stages of dvc.yaml call: `python -m study STAGE`."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path

import typer

from msroi.program import run
from study import process
from study.params import PARAMS, read_params
from study.stages.clips import clips
from study.stages.cost import cost
from study.stages.crate import crate
from study.stages.evaluate import evaluate
from study.stages.fetch import fetch
from study.stages.find import find
from study.stages.notebook import notebook
from study.stages.publish import publish
from study.stages.recognise import recognise
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
    recognise,
    clips,
    scale,
    find,
    release,
    trial,
    notebook,
    report,
    publish,
    crate,
)


def checked(command: Callable[..., None]) -> Callable[..., None]:
    """Hold params.yaml to the schema before a command begins; where there is none, it says so.

    Then what killed commands have left is removed.
    """

    @wraps(command)
    def after_the_check(*args, **given) -> None:
        from study import schema

        if PARAMS.exists():
            params = read_params()
            schema.check(params)
            process.remove_remains([Path(params["reports"]), Path(params["models"])])
        with process.temporary_files():
            command(*args, **given)

    return after_the_check


@app.command()
def params() -> None:
    """Say what params.yaml may hold: each parameter, its values, its default and what it is."""
    from study import schema

    typer.echo(schema.documentation_of_parameters())


for command in COMMANDS:
    app.command()(checked(command))


if __name__ == "__main__":
    process.end_with_dvc()
    run(app, "study")
