"""Image sets: `python -m study fetch`, and the sets that the other stages load."""

import logging
from pathlib import Path
from typing import Annotated, Any

import typer

from study.params import RAW, read_params, tuples


def fetch(
    names: Annotated[list[str] | None, typer.Argument(help="Image sets, as --list names.")] = None,
    list_sets: Annotated[bool, typer.Option("--list", help="Show what can be fetched.")] = False,
) -> None:
    """Bring image sets to data/raw/<set>: made, linked from disk, or downloaded and checked.

    A copy on disk is used where datasets.<set>.path in params.yaml names one, or the environment
    variable MSROI_DATA a folder that holds it.
    """
    from study import data

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if list_sets or not names:
        typer.echo(_listing(data.table()))
        return
    for name in names:
        if name in MADE:
            params = read_params()
            MADE[name](RAW / name, seed=params["seed"], **params["fetch"][name])
        else:
            path = (read_params().get("datasets") or {}).get(name, {}).get("path")
            data.fetch(name, RAW / name, source_path=path)


def load_images(name: str, *, part: str):
    """An image set in data/raw, decoded once to be sure; of the scenes one part."""
    from study import data

    return data.intact(listed(name, part=part), broken=read_params()["broken"])


def listed(name: str, *, part: str):
    """An image set in data/raw, told in a line; of the scenes one part."""
    from study import data

    images = data.load(name, RAW / name, subset=part if name == "scenes" else "")
    typer.echo(images.summary())
    return images


def _make_sample(folder: Path, *, seed: int) -> None:
    from study.rendered import sample

    sample.write_photographs(folder)  # nothing random in it


def _make_categories(folder: Path, **options: Any) -> None:
    from study.rendered import sample

    sample.write_categories(folder, **tuples(options))


def _make_scenes(folder: Path, **options: Any) -> None:
    from study.rendered import scenes

    scenes.write_set(folder, **tuples(options))


MADE = {"sample": _make_sample, "categories": _make_categories, "scenes": _make_scenes}


def _listing(rows: list[dict[str, object]]) -> str:
    import pandas as pd

    return pd.DataFrame(rows).to_string(index=False)
