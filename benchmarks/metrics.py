"""Time all seven metrics against sewar's SSIM, MS-SSIM and VIFP, in one run.

The pair is a rendered scene and its standard JPEG of quality 50. The two sides take turns, so
that whatever else the machine does meets both alike; CPU time on one core is what counts.
"""

import argparse
import os
from collections.abc import Callable
from statistics import median
from time import process_time

import numpy as np
from sewar.full_ref import Filter, msssim, ssim, vifp

from msroi import encode, metrics
from msroi.images import decode, luma
from msroi.scenes import render

SIZES = ((768, 512), (1920, 1080))
GAUSSIAN = {"fltr": Filter.GAUSSIAN, "ws": 11, "sigma": 1.5}


def by_sewar(reference: np.ndarray, distorted: np.ndarray) -> dict[str, float]:
    x, y = luma(reference), luma(distorted)
    return {
        "ssim": ssim(x, y, MAX=255, fltr_specs=GAUSSIAN)[0],
        "ms_ssim": msssim(x, y, MAX=255),
        "vifp": vifp(x, y),
    }


def timed(call: Callable[[], dict[str, float]]) -> tuple[float, dict[str, float]]:
    start = process_time()
    values = call()
    return process_time() - start, values


def compare_speed(width: int, height: int, repeats: int) -> str:
    """A row of the table."""
    scene = render(height, width, objects=["mug", "fish"], seed=7)
    distorted = decode(encode(scene.image, method="standard", quality=50))
    saliency = (scene.masks > 0).astype(np.float32)
    ours, theirs = [], []
    for _ in range(repeats):
        seconds, values = timed(lambda: metrics.compare(scene.image, distorted, saliency))
        ours.append(seconds)
        seconds, expected = timed(lambda: by_sewar(scene.image, distorted))
        theirs.append(seconds)
    off = max(abs(values[name] - expected[name]) for name in expected)
    a, b = median(ours), median(theirs)
    return (
        f"{width}×{height}".rjust(10) + f"{a:9.3f} ({min(ours):.3f}–{max(ours):.3f})"
        f"{b:9.3f} ({min(theirs):.3f}–{max(theirs):.3f}){b / a:8.1f}{off:12.1e}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=7, help="rounds of both sides (7)")
    repeats = parser.parse_args().repeats
    if hasattr(os, "sched_setaffinity"):  # whatever threads a library starts share one core
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    black = np.zeros((256, 256, 3), np.uint8)
    metrics.compare(black, black)  # imports
    print(f"CPU seconds: median (range) of {repeats}; the largest difference of a value.")
    print(f"{'size':>10}{'all seven':>23}{'three of sewar':>23}{'ratio':>8}{'difference':>12}")
    for width, height in SIZES:
        print(compare_speed(width, height, repeats), flush=True)


if __name__ == "__main__":
    main()
