"""Time of the encoders to a byte budget against mozjpeg's, in one run.

    python benchmarks/speed.py [--image PHOTO] [--repeats 9]

mozjpeg is libvips', the fastest at hand (extra ``bench``), searched by bisection of the whole
qualities to the same budget, the size of the standard JPEG of quality 50; the others are searched
as `msroi.encode` does. `mosaic` is also compared with a loop over pixels that
does the same, as the authors' released code is written.
"""

import math
import os
from functools import partial
from pathlib import Path

import numpy as np
import pyvips
from measures import Row, parser, ratio, report, rounds, row, spot

from msroi.encoder import encode, standard
from msroi.encoder.blocks import block_saliency, spread
from msroi.encoder.budget import search
from msroi.encoder.mosaic import level_qualities
from msroi.images import decode, read_image

BUDGET_QUALITY = 50
LOOP = "mosaic, a loop over pixels"


def main() -> None:
    options = parser(__doc__.splitlines()[0])
    kodak = Path(os.environ.get("MSROI_DATA", "data"), "kodak", "kodim13.png")
    options.add_argument("--image", type=Path, default=kodak)
    options.add_argument("--repeats", type=int, default=9)
    chosen = options.parse_args()
    report(compared(read_image(chosen.image).pixels, chosen.repeats), chosen.json)


def compared(pixels: np.ndarray, repeats: int) -> list[Row]:
    """Milliseconds of each encoder, and the ratios that are promised."""
    saliency = spot(pixels.shape[:2])
    budget = len(standard.write(pixels, BUDGET_QUALITY))
    jobs = {
        "standard": lambda: encode(pixels, method="standard", max_bytes=budget),
        "direct": lambda: encode(pixels, saliency),
        "direct-flat": lambda: encode(pixels, method="direct-flat"),
        "mosaic": lambda: encode(pixels, saliency, method="mosaic"),
        "mozjpeg": lambda: search(partial(_mozjpeg, pixels), budget, standard.QUALITIES),
        LOOP: lambda: _loop_mosaic(pixels, saliency),
    }
    rounds(jobs, 1)  # compiles and warms up
    seconds = rounds(jobs, repeats)
    size = f"{pixels.shape[1]}×{pixels.shape[0]}"
    rows = [
        row(f"{name}, {size}", [1000 * s for s in taken], "ms") for name, taken in seconds.items()
    ]
    goals = {"direct": {"at_most": 1}}
    for name in ("standard", "direct", "mosaic"):
        goal = goals.get(name, {})
        rows.append(ratio(f"{name}: time by mozjpeg's", seconds, name, "mozjpeg", **goal))
    return [
        *rows,
        ratio("mosaic: the loop's time by its own", seconds, LOOP, "mosaic", at_least=20),
    ]


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
