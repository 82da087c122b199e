"""What a study's results are shown by outside of it: `python -m study publish`."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from msroi.files import write_atomically
from study.params import FIGURES, RESULTS, TABLES, StudyError, read_params

README, PAPER = Path("README.md"), Path("data/paper/table1.csv")
PUBLISHED, DOCS = Path("data/published"), Path("docs")
KEPT = ("verdict", "independent_test", "rate_distortion", "figure2_cam_vs_msroi")


def publish(
    name: Annotated[str, typer.Argument(help="The results that README's table is of: a run.")],
) -> None:
    """Keep what README.md shows, and write its results anew; a stage of study=kodak.

    Results and tables go to data/published/<run>, the picture to docs/<run>.png: small, and
    committed.
    """
    import pandas as pd

    from study.article import readme

    folder = PUBLISHED / name
    folder.mkdir(parents=True, exist_ok=True)
    picture = FIGURES / f"{read_params()['publish'][name]['picture']}.png"
    sources = [RESULTS / f"{name}.csv", *(TABLES / f"{table}.csv" for table in KEPT)]
    try:
        for source in sources:
            shutil.copyfile(source, folder / source.name)
        shutil.copyfile(picture, DOCS / f"{name}.png")
    except FileNotFoundError as error:
        raise StudyError(f"{error.filename} is not here: `dvc repro` makes it") from error
    tables = {table: pd.read_csv(folder / f"{table}.csv") for table in KEPT}
    block = readme.results(pd.read_csv(PAPER), pd.read_csv(folder / f"{name}.csv"), tables)
    write_atomically(README, readme.with_results(README.read_text(), block).encode())
