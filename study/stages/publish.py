"""What a study's results are shown by outside of it: `python -m study publish`."""

import shutil
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer

from msroi.errors import InputError
from msroi.files import write_atomically
from study.params import StudyError, places_of, read_params

README = Path("README.md")
PUBLISHED, DOCS = Path("data/published"), Path("docs")
BEGIN, END = "<!-- results: written by `python -m study publish` -->", "<!-- end of results -->"


class ReadmeError(InputError, ValueError):
    """A README without the place where results are written."""


def publish(
    name: Annotated[str, typer.Argument(help="The results that README's table is of: a run.")],
) -> None:
    """Keep what README.md shows, and write its results anew; a stage of study=kodak.

    Results and tables go to data/published/<run>, the picture to docs/<run>.png: small, and
    committed.
    """
    import pandas as pd

    from study.article.article import FIGURES as KEPT
    from study.article.facts import found

    folder = PUBLISHED / name
    folder.mkdir(parents=True, exist_ok=True)
    params = read_params()
    places = places_of(params)
    picture = places.figures / f"{params['publish'][name]['picture']}.png"
    sources = [places.results / f"{name}.csv", *(places.tables / f"{table}.csv" for table in KEPT)]
    try:
        for source in sources:
            shutil.copyfile(source, folder / source.name)
        shutil.copyfile(picture, DOCS / f"{name}.png")
    except FileNotFoundError as error:
        raise StudyError(f"{error.filename} is not here: `dvc repro` makes it") from error
    block = results(found({table: pd.read_csv(folder / f"{table}.csv") for table in KEPT}))
    write_atomically(README, with_results(README.read_text(), block).encode())


def results(found: dict[str, Any]) -> str:
    """Fill the template study/article/results.md with the facts of `study.article.facts.found`."""
    from jinja2 import Environment, StrictUndefined

    from study.show.tables import plain

    environment = Environment(trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    environment.filters["plain"] = plain
    template = (files("study.article") / "results.md").read_text(encoding="utf-8")
    return environment.from_string(template).render(found).strip()


def with_results(readme: str, block: str) -> str:
    """Put ``block`` between the two marks of README's text; ReadmeError where one is lacking."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ReadmeError(f"README.md has no place for results: put {BEGIN} and {END} into it")
    return f"{before}{BEGIN}\n\n{block}\n\n{END}{after}"
