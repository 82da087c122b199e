"""Time of the encoders to a byte budget against jpegli's and mozjpeg's, in one run.

    python benchmarks/speed.py [--photos PHOTO …] [--repeats 5]

Each is given the bytes of the standard JPEG of quality 50. jpegli, as its package writes it, and
mozjpeg, libvips', the fastest at hand (extra ``bench``), have whole qualities and are bisected over
them; the others are searched as `msroi.encode` does. `mosaic` is also compared with a loop over
pixels that does the same, as the authors' released code is written. Medians are over photographs
and rounds. At last the parts of one `direct` encode, measured in a run of their own.
"""

import math
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial, wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pyvips
from measures import Row, parser, ratio, report, rounds, row, spot
from rivals import bisected, plain_jpegli

from msroi.encoder import coefficients, direct, encode, huffman, jpeg, standard, trellis
from msroi.encoder.blocks import block_saliency, spread
from msroi.encoder.budget import search
from msroi.encoder.mosaic import level_qualities
from msroi.images import decode, read_image

BUDGET_QUALITY = 50
KODAK = [3, 8, 13, 18, 23]  # of 768×512 and 512×768 pixels
SAMPLE = [f"{name}.png" for name in ("astronaut", "coffee", "motorcycle", "rocket", "tissue")]
LOOP = "mosaic, a loop over pixels"
# What an encode is made of: none of these functions calls another one of them
PARTS = {
    "transform": [(coefficients, "transform")],
    "importance and masking": [(direct, n) for n in ("importance", "usual_weight", "masking")],
    "quantizing": [(trellis, "quantize")],
    "counting symbols": [(jpeg, "best_split"), (jpeg, "count")],
    "code lengths and sizes": [(jpeg, "size_bytes"), (huffman, "prices")],
    "writing": [(jpeg, "write")],
}


def main() -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument(
        "--photos", type=Path, nargs="+", default=_photos(), help="of about Kodak's size"
    )
    options.add_argument("--repeats", type=int, default=5, help="rounds of each photo (5)")
    chosen = options.parse_args()
    photos = [read_image(path).pixels for path in chosen.photos]
    report([*compared(photos, chosen.repeats), *split(photos, chosen.repeats)], chosen.json)


def _photos() -> list[Path]:
    """Kodak's where MSROI_DATA has them, else those of the sample of about that size."""
    kodak = Path(os.environ.get("MSROI_DATA", ""), "kodak")
    if kodak.exists():
        return [kodak / f"kodim{number:02d}.png" for number in KODAK]
    return [Path("data/raw/sample", name) for name in SAMPLE]


def compared(photos: list[np.ndarray], repeats: int) -> list[Row]:
    """Milliseconds of each encoder, and the ratios that are promised."""
    rounds(_jobs(photos[0]), 1)  # compiles and warms up
    seconds: dict[str, list[float]] = defaultdict(list)
    for pixels in photos:
        for name, taken in rounds(_jobs(pixels), repeats).items():
            seconds[name] += taken
    of = f"{len(photos)} photos of {np.mean([photo[..., 0].size for photo in photos]) / 1e6:.1f} MP"
    return [
        *(row(f"{name}, {of}", _milliseconds(taken), "ms") for name, taken in seconds.items()),
        ratio("direct: time by jpegli's", seconds, "direct", "jpegli", at_most=3),
        ratio("direct-flat: time by jpegli's", seconds, "direct-flat", "jpegli"),
        ratio("standard: time by mozjpeg's", seconds, "standard", "mozjpeg"),
        ratio("direct: time by mozjpeg's", seconds, "direct", "mozjpeg", at_most=0.3),
        ratio("mosaic: time by mozjpeg's", seconds, "mosaic", "mozjpeg"),
        ratio("mosaic: the loop's time by its own", seconds, LOOP, "mosaic", at_least=20),
    ]


def _jobs(pixels: np.ndarray) -> dict[str, Callable[[], bytes]]:
    saliency = spot(pixels.shape[:2])
    budget = len(standard.write(pixels, BUDGET_QUALITY))
    to_budget = partial(encode, pixels, max_bytes=budget)
    return {
        "standard": partial(to_budget, method="standard"),
        "direct": partial(to_budget, saliency),
        "direct-flat": partial(to_budget, method="direct-flat"),
        "mosaic": partial(to_budget, saliency, method="mosaic"),
        "jpegli": partial(bisected, partial(plain_jpegli, pixels), budget),
        "mozjpeg": partial(bisected, partial(_mozjpeg, pixels), budget),
        LOOP: partial(_loop_mosaic, pixels, saliency),
    }


def _milliseconds(seconds: list[float]) -> list[float]:
    return [1000 * value for value in seconds]


def split(photos: list[np.ndarray], repeats: int) -> list[Row]:
    """Milliseconds of each part of a `direct` encode, and how often the part was called."""
    seconds: dict[str, list[float]] = defaultdict(list)
    calls: dict[str, list[int]] = defaultdict(list)
    for pixels in photos:
        job = _jobs(pixels)["direct"]
        for _ in range(repeats):
            with _watched() as found:
                start = time.perf_counter()
                job()
                everything = time.perf_counter() - start
            known = {part: sum(taken) for part, taken in found.items()}
            for part, taken in (known | {"other": everything - sum(known.values())}).items():
                seconds[part].append(taken)
            for part, taken in found.items():
                calls[part].append(len(taken))
    return [
        *(row(f"direct: {part}", _milliseconds(taken), "ms") for part, taken in seconds.items()),
        *(row(f"direct: {part}", numbers, "calls") for part, numbers in calls.items()),
    ]


@contextmanager
def _watched() -> Iterator[dict[str, list[float]]]:
    """Seconds of each call of the functions of each part, while this lasts."""
    found: dict[str, list[float]] = {part: [] for part in PARTS}
    with ExitStack() as stack:
        for part, functions in PARTS.items():
            for module, name in functions:
                timed = _timed(getattr(module, name), found[part])
                stack.enter_context(patch.object(module, name, timed))
        yield found


def _timed(function: Callable[..., Any], seconds: list[float]) -> Callable[..., Any]:
    @wraps(function)
    def run(*arguments: Any, **options: Any) -> Any:
        start = time.perf_counter()
        result = function(*arguments, **options)
        seconds.append(time.perf_counter() - start)
        return result

    return run


def _mozjpeg(image: np.ndarray, quality: int) -> bytes:
    """mozjpeg's best as libvips has it, with the tables of the standard JPEG."""
    return pyvips.Image.new_from_array(image).jpegsave_buffer(
        Q=quality,
        interlace=True,
        optimize_coding=True,
        optimize_scans=True,
        trellis_quant=True,
        overshoot_deringing=True,
        subsample_mode="on",
        keep="none",
    )


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


if __name__ == "__main__":
    main()
