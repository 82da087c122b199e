"""A notebook, run: `python -m study notebook`."""

from typing import Annotated

import typer

from study.params import EXECUTED, FIGURES, NOTEBOOKS, TABLES, StudyError, read_params


def notebook(name: Annotated[str, typer.Argument(help="A notebook of notebooks/.")]) -> None:
    """Run a notebook with its parameters; writes it as .ipynb, .html and .pdf to reports/notebooks.

    Its parameters are those of notebook.<name> in params.yaml. The notebook itself saves its figure
    to reports/figures and its table to reports/tables.
    """
    from study.article import notebooks

    params, source = read_params(), NOTEBOOKS / f"{name}.ipynb"
    if name not in params["notebook"] or not source.exists():
        known = ", ".join(params["notebook"])
        raise StudyError(f"the study has no notebook {name!r}: choose from {known}")
    for folder in (EXECUTED, FIGURES, TABLES):
        folder.mkdir(parents=True, exist_ok=True)
    executed = notebooks.execute(source, params["notebook"][name])
    notebooks.write_all(executed, EXECUTED / name)
