"""Encoders × images at equal bytes: `python -m study evaluate`."""

import logging
import os
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from msroi.files import write_atomically
from study.params import PARTIAL, RAW, RESULTS, StudyError, as_csv, as_json, read_params


def evaluate(
    name: Annotated[str, typer.Argument(help="A run of params.yaml: evaluate.runs.<name>.")],
) -> None:
    """Encode a set by every method at equal bytes; writes reports/results/<run>.csv and .json.

    All cores work on it, or the Dask cluster whose scheduler the environment variable MSROI_DASK
    names (tcp://host:8786). Rows are kept in reports/partial/<run>.jsonl as they come: a run that
    was cut off goes on from there.

    Broken images are named at the end. With broken: stop in params.yaml the exit code is 2, and
    there is no table until they are mended or removed, which takes their time alone; with
    broken: skip the table does without them.
    """
    from msroi import encoder, saliency
    from study.data.sets import load
    from study.measure import evaluation
    from study.measure.journal import Journal

    logging.basicConfig(format="%(message)s")
    logging.getLogger("study").setLevel(logging.INFO)
    params = read_params()
    run, journal = _run(params, name), Journal(PARTIAL / f"{name}.jsonl")
    methods = run["methods"]
    encoder.check_methods([own.get("method", row) for row, own in methods.items()])
    images = load(run["set"], RAW / run["set"], subset="test")
    typer.echo(images.summary())
    if "images" in run:
        images = images.select(run["images"])
    result = evaluation.evaluate(
        images,
        saliency.named_maps(run["heads"], **params["saliency"]["rule"]),
        methods=methods,
        qualities=run["qualities"],
        shrink=run.get("shrink", 1),
        scheduler=os.environ.get("MSROI_DASK", ""),
        journal=journal,
    )
    _tell_broken(result.broken, len(images), params["broken"])
    write_results(name, result.table)
    journal.remove()


def _run(params: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    runs = params["evaluate"]["runs"]
    if name not in runs:
        raise StudyError(f"params.yaml has no evaluate.runs.{name}: choose from {', '.join(runs)}")
    return runs[name]


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
        "mend or remove them and run again (the others' rows are kept), or set broken: skip"
    )


def write_results(name: str, table) -> None:
    """Write a table of results, and the summary that `dvc metrics show` prints."""
    from study.statistics import comparisons

    RESULTS.mkdir(parents=True, exist_ok=True)
    write_atomically(RESULTS / f"{name}.csv", as_csv(table))
    write_atomically(RESULTS / f"{name}.json", as_json(comparisons.summary(table)))
