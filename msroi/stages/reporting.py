"""The notebooks and the report: `msroi notebook` and `msroi report`."""

from typing import Annotated

import typer

from msroi.files import write_atomically
from msroi.stages.params import (
    EXECUTED,
    FIGURES,
    NOTEBOOKS,
    REPORT,
    TABLES,
    StudyError,
    read_params,
)


def notebook(name: Annotated[str, typer.Argument(help="A notebook of notebooks/.")]) -> None:
    """Run a notebook with its parameters; writes it as .ipynb, .html and .pdf to reports/notebooks.

    Its parameters are those of notebook.<name> in params.yaml, and whole sections of it where the
    notebook has a parameter of that name. The notebook itself saves its figure to reports/figures
    and its table to reports/tables.
    """
    from msroi.report import notebooks

    params, source = read_params(), NOTEBOOKS / f"{name}.ipynb"
    if name not in params["notebook"] or not source.exists():
        known = ", ".join(params["notebook"])
        raise StudyError(f"the study has no notebook {name!r}: choose from {known}")
    for folder in (EXECUTED, FIGURES, TABLES):
        folder.mkdir(parents=True, exist_ok=True)
    shared = {key: params[key] for key in notebooks.parameters_of(source) if key in params}
    executed = notebooks.execute(source, shared | params["notebook"][name])
    notebooks.write_all(executed, EXECUTED / name)


def report() -> None:
    """Typeset the report from the notebooks' figures and tables; writes reports/report.pdf."""
    import pandas as pd

    from msroi.report import article
    from msroi.report.captions import CAPTIONS

    params = read_params()
    try:
        tables = {name: pd.read_csv(TABLES / f"{name}.csv") for name in CAPTIONS}
    except FileNotFoundError as error:
        raise StudyError(f"{error.filename} is not here: `dvc repro` makes it") from error
    run = {"study": params["study"], "seed": params["seed"]}
    content = article.content(tables, run)
    pdf = article.typeset(content, [FIGURES / f"{name}.png" for name in CAPTIONS])
    write_atomically(REPORT, pdf)
