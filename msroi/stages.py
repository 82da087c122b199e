"""The commands that the DVC stages call: they read params.yaml and files, and write files."""

import json
import logging
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from msroi.files import write_atomically

app = typer.Typer()

RAW, MODELS, REPORTS = Path("data/raw"), Path("models"), Path("reports")
RESULTS, TRAINING = REPORTS / "results", REPORTS / "training"
PARAMS = Path("params.yaml")
HEADS = ("cam", "msroi")


class StudyError(ValueError):
    """The study's parameters or an earlier stage's files are not as a stage needs them."""


@app.command()
def fetch(
    names: Annotated[list[str] | None, typer.Argument(help="Image sets, as --list names them.")] = None,
    list_sets: Annotated[bool, typer.Option("--list", help="Show what can be fetched.")] = False,
) -> None:
    """Bring image sets to data/raw/<set>: made, linked from disk, or downloaded and checked.

    A copy on disk is used where `datasets.<set>.path` in params.yaml or the environment variable
    MSROI_DATA (a folder of such folders) names one.
    """
    from msroi import datasets

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if list_sets or not names:
        typer.echo(_listing(datasets.table()))
        return
    params = read_params()
    for name in names:
        if name in MADE:
            MADE[name](RAW / name, params["seed"], params["fetch"][name])
        else:
            source_path = (params.get("datasets") or {}).get(name, {}).get("path")
            datasets.fetch(name, RAW / name, source_path=source_path)


@app.command()
def train(
    head: Annotated[str, typer.Argument(help="msroi or cam.")],
    resume: Annotated[bool, typer.Option(help="Go on where a stopped run was.")] = False,
) -> None:
    """Train a head by params.yaml's section `train`; writes models/<head>.safetensors."""
    from dvclive import Live

    from msroi import datasets, training

    params = read_params()
    settings, seed = params["train"], params["seed"]
    name = settings["data"]
    images = datasets.load(name, RAW / name, subset="train" if name == "scenes" else "")
    split = datasets.split(images, validation=settings["validation"], seed=seed)


@app.command()
def evaluate(name: Annotated[str, typer.Argument(help="An image set in data/raw.")]) -> None:
    """Encode a set by every method at equal bytes; writes reports/results/<set>.csv and .json."""
    from msroi import datasets, study

    params = read_params()
    subset = "test" if name == "scenes" else ""
    images = datasets.load(name, RAW / name, subset=subset)
    photos = [study.Photo(item.name, item.category, item.path) for item in images]
