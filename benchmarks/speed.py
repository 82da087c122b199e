"""Time of the encoders to a byte budget: medians, and the ratios that are promised.

    python benchmarks/speed.py [--image PHOTO] [--repeats 9]

`direct` against mozjpeg searched by bisection to the same budget, and `mosaic` against a loop
over pixels that does the same, as the authors' released code is written. Also the time and the
peak memory of `direct` on an image of 8705×8400 pixels with --large.
"""

import argparse
import math
import os
import resource
import time
from pathlib import Path
from statistics import median

import numpy as np

from msroi.encoder import encode, standard
from msroi.encoder.blocks import block_saliency, spread
from msroi.encoder.budget import search
from msroi.encoder.mosaic import level_qualities
from msroi.images import decode, read_image

BUDGET_QUALITY = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    kodak = Path(os.environ.get("MSROI_DATA", "data"), "kodak", "kodim13.png")
    parser.add_argument("--image", type=Path, default=kodak)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--large", action="store_true", help="8705×8400: time and memory")
    options = parser.parse_args()
    pixels = read_image(options.image).pixels
    if options.large:
        _report_large(pixels)
        return
    saliency = _spot(pixels.shape[:2])
    jobs = {
        "direct": lambda: encode(pixels, saliency),
        "direct-flat": lambda: encode(pixels, method="direct-flat"),
        "mozjpeg": lambda: encode(pixels, method="mozjpeg"),
        "mosaic": lambda: encode(pixels, saliency, method="mosaic"),
        "mosaic, a loop over pixels": lambda: _loop_mosaic(pixels, saliency),
    }
    times = _medians(jobs, options.repeats)
    for name, seconds in times.items():
        print(f"{name:<28} {1000 * seconds:8.1f} ms")
    loop, mosaic = times["mosaic, a loop over pixels"], times["mosaic"]
    print(f"direct takes {times['direct'] / times['mozjpeg']:.2f} of mozjpeg's time (at most 1)")
    print(f"mosaic is {loop / mosaic:.0f} times faster than the loop (at least 20)")


def _medians(jobs, repeats: int) -> dict[str, float]:
    """Median seconds of each job; rounds are interleaved, so that a busy moment hits all."""
    for job in jobs.values():  # compiles and warms up
        job()
    times = {name: [] for name in jobs}
    for _ in range(repeats):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            times[name].append(time.perf_counter() - start)
    return {name: median(values) for name, values in times.items()}


def _spot(shape: tuple[int, int]) -> np.ndarray:
    y, x = (np.linspace(-2, 2, side) for side in shape)
    return np.exp(-(y[:, None] ** 2 + x**2)).astype(np.float32)


def _loop_mosaic(image: np.ndarray, saliency: np.ndarray) -> bytes:
    """`mosaic` put together as in the released code: a loop over rows, columns and channels."""
    decoded = [decode(standard.write(image, quality)) for quality in level_qualities(5, 30, 70)]
    blocks = spread(block_saliency(saliency), image.shape[:2])
    mosaic = np.empty_like(image)
    H, W, C = image.shape
    for y in range(H):
        for x in range(W):
            for channel in range(C):
                level = max(0, math.ceil(5 * blocks[y, x]) - 1)
                mosaic[y, x, channel] = decoded[level][y, x, channel]
    budget = len(standard.write(image, BUDGET_QUALITY))
    return search(lambda q: standard.write(mosaic, q), budget, standard.FINE_QUALITIES).data


def _report_large(pixels: np.ndarray) -> None:
    """Tile the photo to 8705×8400 and encode it once."""
    H, W = 8400, 8705
    repeats = (-(-H // pixels.shape[0]), -(-W // pixels.shape[1]), 1)
    image = np.tile(pixels, repeats)[:H, :W]
    saliency = _spot((H, W))
    start = time.perf_counter()
    data = encode(image, saliency)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # Linux counts KiB
    print(f"{W}×{H}: {len(data):,} bytes in {seconds:.1f} s, peak memory {peak:.2f} GiB")


if __name__ == "__main__":
    main()
