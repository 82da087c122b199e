"""The notebooks and the report: `msroi notebook` and `msroi report`."""

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from msroi.files import write_atomically
from msroi.stages import provenance
from msroi.stages.params import (
    EXECUTED,
    FIGURES,
    NOTEBOOKS,
    REPORT,
    TABLES,
    StudyError,
    read_params,
)

README, CITATION = Path("README.md"), Path("CITATION.cff")


def notebook(name: Annotated[str, typer.Argument(help="A notebook of notebooks/.")]) -> None:
    """Run a notebook with its parameters; writes it as .ipynb, .html and .pdf to reports/notebooks.

    Its parameters are those of notebook.<name> in params.yaml. The notebook itself saves its figure
    to reports/figures and its table to reports/tables.
    """
    from msroi.report import notebooks

    params, source = read_params(), NOTEBOOKS / f"{name}.ipynb"
    if name not in params["notebook"] or not source.exists():
        known = ", ".join(params["notebook"])
        raise StudyError(f"the study has no notebook {name!r}: choose from {known}")
    for folder in (EXECUTED, FIGURES, TABLES):
        folder.mkdir(parents=True, exist_ok=True)
    executed = notebooks.execute(source, params["notebook"][name])
    notebooks.write_all(executed, EXECUTED / name)


def report() -> None:
    """Typeset the article from the notebooks' figures and tables; writes reports/report.pdf."""
    import pandas as pd

    from msroi.report import article
    from msroi.report.deviations import deviations

    params = read_params()
    try:
        tables = {name: pd.read_csv(TABLES / f"{name}.csv") for name in article.FIGURES}
    except FileNotFoundError as error:
        raise StudyError(f"{error.filename} is not here: `dvc repro` makes it") from error
    rows, run = deviations(README.read_text()), _facts(params["study"])
    content = article.content(tables, params, deviations=rows, run=run)
    pdf = article.typeset(content, [FIGURES / f"{name}.png" for name in article.FIGURES])
    write_atomically(REPORT, pdf)


def _facts(study: str) -> dict[str, str]:
    """What the article says of this run, and of the software."""
    import yaml

    citation = yaml.safe_load(CITATION.read_text())
    return {
        "authors": ", ".join(map(_name, citation["authors"])),
        "licence": citation["license"],
        "commit": provenance.commit(),
        "machine": provenance.machine(),
        "python": platform.python_version(),
        "duration": provenance.duration(study),
    }


def _name(author: Mapping[str, str]) -> str:
    """Of a person or an entity of CITATION.cff."""
    return author.get("name") or f"{author['given-names']} {author['family-names']}"
