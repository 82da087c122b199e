"""What a study's results are shown by outside of it: `python -m study publish`."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer

from msroi.errors import InputError
from msroi.files import write_atomically
from study.params import StudyError, places_of, read_params

README = Path("README.md")
PUBLISHED, DOCS = Path("reports/published"), Path("docs")
BEGIN, END = "<!-- results: written by `python -m study publish` -->", "<!-- end of results -->"


class ReadmeError(InputError, ValueError):
    """A README without the place where results are written."""


def publish(
    name: Annotated[str, typer.Argument(help="The results that README's table is of: a run.")],
) -> None:
    """Keep what README.md shows, and write its results anew; a stage of study=kodak.

    The article, its tables, all that it says as JSON, the run's results and a page on what made
    them go to reports/published/<run>, as a whole or not at all; the picture goes to
    docs/<run>.png. All of it is committed.
    """
    from study.article.article import said_beside

    params = read_params()
    places = places_of(params)
    picture = places.figures / f"{params['publish'][name]['picture']}.png"
    try:
        said = json.loads(said_beside(places.article).read_text(encoding="utf-8"))
        with _replaced(PUBLISHED / name) as folder:
            _fill(folder, said, name=name, params=params)
        write_atomically(DOCS / f"{name}.png", picture.read_bytes())
    except FileNotFoundError as error:
        raise StudyError(f"{error.filename} is not here: `dvc repro` makes it") from error
    write_atomically(README, with_results(README.read_text(), results(said)).encode())


def _fill(folder: Path, said: Mapping[str, Any], *, name: str, params: Mapping[str, Any]) -> None:
    """Put all that is published of a run into an empty folder, the article's links turned to it."""
    from study.article import article

    places = places_of(params)
    figures = [places.figures / f"{figure}.png" for figure in article.figures_of(params)]
    kept = article.places(PUBLISHED / name)
    (folder / "report.pdf").write_bytes(article.typeset({**said, "places": kept}, figures))
    made = about(said["run"], name=name, study=params["study"])
    (folder / "README.md").write_text(made, encoding="utf-8")
    (folder / "tables").mkdir()
    tables = [places.tables / f"{table}.csv" for table in article.tables_of(params)]
    sources = {article.said_beside(places.article): folder, places.results / f"{name}.csv": folder}
    for source, target in {**sources, **dict.fromkeys(tables, folder / "tables")}.items():
        shutil.copyfile(source, target / source.name)


def about(run: Mapping[str, str], *, name: str, study: str) -> str:
    """Say in Markdown what made the published results, by the facts of `run` in report.json."""
    return f"""# The study `{study}`, as it was run

`report.pdf` is the article, `tables/` has the tables of its figures, `report.json` every number \
in it, and `{name}.csv` the results of the encoders, image by image. They were made by

```sh
MSROI_DATA=/where/datasets/lie dvc exp run -S study={study}
```

of commit {run["commit"]}, on {run["machine"]}, with Python {run["python"]}: \
{run["duration"] or "how long it took was not recorded"}.
"""


@contextmanager
def _replaced(folder: Path) -> Iterator[Path]:
    """An empty folder beside ``folder``, which takes its place once all has gone well."""
    fresh = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)  # of a run that was killed
    fresh.mkdir(parents=True)
    try:
        yield fresh
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def results(said: Mapping[str, Any]) -> str:
    """Fill the template study/article/results.md with what the article says: report.json."""
    from jinja2 import Environment, StrictUndefined

    from study.show.tables import plain

    environment = Environment(trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    environment.filters["plain"] = plain
    template = (files("study.article") / "results.md").read_text(encoding="utf-8")
    return environment.from_string(template).render(said).strip()


def with_results(readme: str, block: str) -> str:
    """Put ``block`` between the two marks of README's text; ReadmeError where one is lacking."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ReadmeError(f"README.md has no place for results: put {BEGIN} and {END} into it")
    return f"{before}{BEGIN}\n\n{block}\n\n{END}{after}"
