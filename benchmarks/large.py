"""The image of 8705×8400 pixels: seconds and peak memory of each step, in a process of its own.

    python benchmarks/large.py [--image PHOTO] [--model released] [--size 8705x8400]

Without --image a scene of that size is rendered; a smaller photo is repeated to it. The steps are
a map, `direct` under that map and `mosaic` to the bytes of quality 50, and the metrics of the
standard JPEG of quality 50, the paper's seven: SSIMULACRA2 takes 530 bytes a pixel, and has no
value above 16 megapixels. What is imported and compiled once is warmed up on a corner.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command sets it

import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from measures import Row, parser, report, row, tiled

from msroi import encode, metrics
from msroi.images import decode, read_image
from study.rendered.scenes import render

CORNER = 1200  # pixels: more than a megapixel, from which the encoder has threads
PIXELS, MAP = "pixels.npy", "map.npy"


def main() -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--image", type=Path, help="a photo to encode, instead of a scene")
    options.add_argument("--model", default="released", help="a network (.onnx), or 'released'")
    options.add_argument("--size", default="8705x8400", help="width and height in pixels")
    chosen = options.parse_args()
    width, height = map(int, chosen.size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        _in_its_own_process(_make, folder, chosen.image, (height, width))
        report(_rows(folder, chosen.model, chosen.size.replace("x", "×")), chosen.json)


def _in_its_own_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """A new one each time, started afresh: a forked one would begin with its parent's peak."""
    with ProcessPoolExecutor(1, get_context("spawn")) as executor:
        return executor.submit(function, *arguments).result()


def _make(folder: str, photo: Path | None, shape: tuple[int, int]) -> None:
    if photo:
        pixels = tiled(read_image(photo).pixels, shape)
    else:
        pixels = render(*shape, objects=["mug", "fish"], seed=7).image
    np.save(Path(folder, PIXELS), pixels)


def _rows(folder: str, model: str, size: str) -> list[Row]:
    taken = {step: _in_its_own_process(_measured, step, folder, model) for step in STEPS}
    rows = []
    for step, (seconds, megabytes) in taken.items():
        limits = ({"at_most": 90}, {"at_most": 6000}) if step == "metrics" else ({}, {})
        rows.append(row(f"{step}, {size}", [seconds], "s", **limits[0]))
        rows.append(row(f"{step}, {size}: peak", [megabytes], "MB", **limits[1]))
    both = [taken[step] for step in ("map", "direct")]
    seconds, peaks = zip(*both, strict=True)
    rows.append(row(f"map and direct, {size}", [sum(seconds)], "s", at_most=60))
    return [*rows, row(f"map and direct, {size}: peak", [max(peaks)], "MB", at_most=4000)]


def _measured(step: str, folder: str, model: str) -> tuple[float, float]:
    """Seconds of a step, and the most memory that its process ever had, in MB."""
    pixels = np.load(Path(folder, PIXELS))
    run = STEPS[step](Path(folder), model)
    corner = np.ascontiguousarray(pixels[:CORNER, :CORNER])
    run(corner)
    start = time.perf_counter()
    run(pixels)
    seconds = time.perf_counter() - start
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6  # from KiB


def _draw(folder: Path, model: str) -> Callable[[np.ndarray], None]:
    from msroi.saliency import network_map

    draw = network_map(model)
    return lambda pixels: np.save(folder / MAP, draw(pixels))


def _direct(folder: Path, model: str) -> Callable[[np.ndarray], bytes]:
    return lambda pixels: encode(pixels, _drawn(folder, pixels))


def _mosaic(folder: Path, model: str) -> Callable[[np.ndarray], bytes]:
    return lambda pixels: encode(pixels, _drawn(folder, pixels), method="mosaic")


def _metrics(folder: Path, model: str) -> Callable[[np.ndarray], dict[str, float]]:
    """All that there are at a size, the standard JPEG's making included, which is a second."""

    def run(pixels: np.ndarray) -> dict[str, float]:
        distorted = decode(encode(pixels, method="standard", quality=50))
        return metrics.compare(pixels, distorted, _drawn(folder, pixels))

    return run


def _drawn(folder: Path, pixels: np.ndarray) -> np.ndarray:
    """The map that the first step drew, or its corner."""
    H, W = pixels.shape[:2]
    return np.load(folder / MAP)[:H, :W]


STEPS = {"map": _draw, "direct": _direct, "mosaic": _mosaic, "metrics": _metrics}


if __name__ == "__main__":
    main()
