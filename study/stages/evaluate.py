"""Encoders × images at equal bytes: `python -m study evaluate`."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from msroi.files import write_atomically
from study.params import (
    RAW,
    StudyError,
    as_csv,
    as_json,
    entry,
    heads_in,
    places_of,
    read_params,
)


def evaluate(
    name: Annotated[str, typer.Argument(help="A run of params.yaml: evaluate.runs.<name>.")],
) -> None:
    """Encode a set by every method at equal bytes; writes results/<run>.csv and .json.

    All cores work on it, or the Dask cluster whose scheduler the environment variable MSROI_DASK
    names (tcp://host:8786). Rows are kept in partial/<run>.jsonl as they come: a run that was
    cut off goes on from there.

    Broken images are named at the end. With broken: stop in params.yaml the exit code is 2, and
    there is no table until sound ones are in their place, which takes their time alone; with
    broken: skip the table does without them.
    """
    from msroi.saliency import named_maps
    from study.data.sets import load
    from study.measure import evaluation
    from study.measure.journal import Journal

    logging.basicConfig(format="%(message)s")
    logging.getLogger("study").setLevel(logging.INFO)
    params = read_params()
    section, places = params["evaluate"], places_of(params)
    run = entry(section["runs"], "evaluate.runs", name)
    methods = methods_of(section, run["methods"])
    images = load(run["set"], RAW / run["set"], subset="test")
    typer.echo(images.summary())
    if "images" in run:
        images = images.select(run["images"])
    journal = Journal(places.partial / f"{name}.jsonl")
    result = evaluation.evaluate(
        images,
        named_maps(heads_in(run["heads"]), **params["saliency"]["rule"]),
        methods=methods,
        qualities=run.get("qualities", [section["quality"]]),
        scale=run.get("scale", 1),
        scheduler=os.environ.get("MSROI_DASK", ""),
        journal=journal,
    )
    _tell_broken(result.broken, len(images), params["broken"])
    write_results(places.results / name, result.table, skipped=len(result.broken))
    journal.remove()


def methods_of(section: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A set of methods of evaluate.methods, every one of them known and at hand."""
    from msroi import encoder
    from study import codecs

    methods = entry(section["methods"], "evaluate.methods", name)
    names = {own.get("method", row) for row, own in methods.items()}
    codecs.check_methods(sorted(names & codecs.METHODS.keys()))
    encoder.check_methods(sorted(names - codecs.METHODS.keys()))
    return methods


def _tell_broken(broken: Mapping[str, str], images: int, policy: str) -> None:
    """Name broken images on stderr; StudyError unless there are others, and params skip these."""
    if not broken:
        return
    if policy == "skip" and len(broken) < images:
        for damage in broken.values():
            typer.echo(f"left out {damage}", err=True)
        return
    raise StudyError(
        f"{len(broken)} of {images} images cannot be evaluated ({'; '.join(broken.values())}): "
        "put sound copies in their place and run again (the others' rows are kept), or set "
        "broken: skip"
    )


def write_results(path: Path, table, *, skipped: int = 0) -> None:
    """Write a table of results, and the summary that `dvc metrics show` prints.

    They go to ``path`` with the endings .csv and .json. ``skipped`` is how many images were left
    out as broken; the summary names it where there are.
    """
    from study.statistics import comparisons

    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path.with_name(f"{path.name}.csv"), as_csv(table))
    told = comparisons.summary(table) | ({"skipped": skipped} if skipped else {})
    write_atomically(path.with_name(f"{path.name}.json"), as_json(told))
