"""Encoders at equal bytes: `msroi evaluate` and `msroi scale`."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from msroi.files import write_atomically
from msroi.stages.data import listed
from msroi.stages.params import PARTIAL, RESULTS, StudyError, as_csv, as_json, read_params


def evaluate(name: Annotated[str, typer.Argument(help="An image set in data/raw.")]) -> None:
    """Encode a set by every method at equal bytes; writes reports/results/<set>.csv and .json.

    All cores work on it, or the Dask cluster whose scheduler the environment variable MSROI_DASK
    names (tcp://host:8786). Rows are kept in reports/partial/<set>.jsonl as they come: a run that
    was cut off goes on from there.

    Broken images are named at the end. With broken: stop in params.yaml the exit code is 2, and
    there is no table until they are mended or removed, which takes their time alone; with
    broken: skip the table does without them.
    """
    from msroi import encoder, evaluation
    from msroi.journal import Journal

    logging.basicConfig(format="%(message)s")
    logging.getLogger("msroi").setLevel(logging.INFO)
    params = read_params()
    encoder.check_methods(params["evaluate"]["methods"])
    section, journal = params["evaluate"], Journal(PARTIAL / f"{name}.jsonl")
    images = listed(name, part="test")
    result = evaluation.evaluate(
        images,
        _mapper(),
        methods=section["methods"],
        quality=section["quality"],
        scheduler=os.environ.get("MSROI_DASK", ""),
        journal=journal,
    )
    _tell_broken(result.broken, len(images), params["broken"])
    _write_results(name, result.table)
    journal.remove()


def scale() -> None:
    """Encode one image at many sizes (Figure 4); writes reports/results/scale.csv and .json."""
    from msroi import encoder, evaluation

    params = read_params()
    section, options = params["scale"], params["evaluate"]
    encoder.check_methods(options["methods"])
    name, image = _large_image(section, params["seed"])
    sizes = evaluation.sizes(image.shape[:2], count=section["count"], smallest=section["smallest"])
    table = evaluation.evaluate_sizes(
        (evaluation.resize(image, size) for size in sizes),
        _mapper(),
        name,
        methods=options["methods"],
        quality=options["quality"],
    )
    _write_results("scale", table)


def _mapper():
    """image → saliency map, by the section `saliency` of params.yaml."""
    from msroi import evaluation

    return evaluation.mapper(**read_params()["saliency"])


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


def _large_image(section: Mapping[str, Any], seed: int):
    """The image that is scaled: a file of the user's, or a scene of the size asked for."""
    from msroi import scenes
    from msroi.images import read_image

    if section["image"]:
        return Path(section["image"]).stem, read_image(section["image"]).pixels
    height, width = section["size"]
    scene = scenes.render(height, width, objects=section["objects"], seed=seed)
    return f"scene of {len(section['objects'])} objects", scene.image


def _write_results(name: str, table) -> None:
    from msroi import study

    RESULTS.mkdir(parents=True, exist_ok=True)
    write_atomically(RESULTS / f"{name}.csv", as_csv(table))
    write_atomically(RESULTS / f"{name}.json", as_json(study.summary(table)))
