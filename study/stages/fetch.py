"""Image sets: `python -m study fetch`."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from study.params import RAW, StudyError, read_params, tuples

SIZES = ["images", "classes", "download_bytes", "disk_bytes"]  # download_bytes 0: by hand
COLUMNS = ["name", "title", *SIZES, "licence", "citation", "page"]


def fetch(
    names: Annotated[list[str] | None, typer.Argument(help="Image sets, as --list names.")] = None,
    list_sets: Annotated[bool, typer.Option("--list", help="Show what can be fetched.")] = False,
) -> None:
    """Bring image sets to data/raw/<set>: made, linked from disk, or downloaded and checked.

    A copy on disk is used where datasets.<set>.path in params.yaml names one, or the environment
    variable MSROI_DATA a folder that holds it; datasets.<set>.categories and .each choose a part.
    All three are yours to give once, in conf/datasets/mine.yaml.
    """
    from study.data.fetch import fetch as bring
    from study.data.imagenet import CLASSIFIER, FEATURES, write_weights
    from study.data.part import part_of
    from study.data.registry import source
    from study.rendered.sample.categories import write_categories
    from study.rendered.sample.photos import write_photographs
    from study.rendered.scenes import write_set

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if list_sets or not names:
        typer.echo(_listing())
        return
    made = {
        "imagenet": lambda folder, seed: write_weights(FEATURES, folder),
        "classifier": lambda folder, seed: write_weights(CLASSIFIER, folder),
        "sample": lambda folder, seed: write_photographs(folder),  # nothing random in it
        "categories": write_categories,
        "scenes": write_set,
    }
    params = read_params()
    for name in names:
        _require_name(name)
    for name in names:
        if name in made:
            made[name](RAW / name, seed=params["seed"], **tuples(params["fetch"][name]))
        else:
            own = params["datasets"].get(name) or {}
            part = part_of(own, seed=params["seed"])
            bring(source(name), RAW / name, source_path=own.get("path"), part=part)


def _require_name(name: str) -> None:
    """Refuse what would lie elsewhere than in a folder of its own in data/raw."""
    if not name or name.startswith(".") or Path(name).name != name:
        raise StudyError(
            f"{name!r} is no name of an image set: `fetch --list` shows those that are known, and "
            "of images of your own datasets.<name>.path tells the folder (data/README.md)"
        )


def _listing() -> str:
    """A row for each image set that is not made here."""
    import pandas as pd

    from study.data.registry import sources

    known = [entry for entry in sources().values() if entry.page]
    return pd.DataFrame(known)[COLUMNS].to_string(index=False)
