"""How time grows with pixels: the exponent for encoding, maps and metrics, 0.1 to 73 megapixels.

    python benchmarks/growth.py [--image PHOTO] [--model released] [--largest 73.1]

A photo is repeated to each size, so that all are equally detailed; b of seconds = a · pixels^b is
fitted by least squares on the logarithms. That of the metrics is fitted up to 16 megapixels, for
SSIMULACRA2, which takes most of their time, has no value above.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command sets it

from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from measures import Row, exponent, parser, report, rounds, row, spot, tiled

from msroi import encode, metrics, score
from msroi.images import decode, read_image
from msroi.saliency import SaliencyOf, network_map

SIZES = 6
SMALLEST = 0.1  # megapixels
ASPECT = 8705 / 8400
SMALL = 4e6  # pixels up to which the median of three rounds is taken


def main() -> None:
    options = parser(__doc__.splitlines()[0])
    kodak = Path(os.environ.get("MSROI_DATA", "data"), "kodak", "kodim13.png")
    options.add_argument("--image", type=Path, default=kodak)
    options.add_argument("--model", default="released", help="a network (.onnx), or 'released'")
    options.add_argument("--largest", type=float, default=73.122, help="megapixels (73.122)")
    chosen = options.parse_args()
    photo, draw = read_image(chosen.image).pixels, network_map(chosen.model)
    _times(tiled(photo, (1200, 1200)), draw)  # compiles and warms up
    pixels, seconds = [], {"direct": [], "map": [], "metrics": []}
    for megapixels in np.geomspace(SMALLEST, chosen.largest, SIZES):
        height = round((megapixels * 1e6 / ASPECT) ** 0.5)
        image = tiled(photo, (height, round(height * ASPECT)))
        pixels.append(image.shape[0] * image.shape[1])
        for name, taken in _times(image, draw).items():
            seconds[name].append(taken)
    report(_rows(pixels, seconds), chosen.json)


def _times(image: np.ndarray, draw: SaliencyOf) -> dict[str, float]:
    saliency = spot(image.shape[:2])
    distorted = decode(encode(image, method="standard", quality=50))
    jobs: dict[str, Callable[[], object]] = {
        "direct": lambda: encode(image, saliency),
        "map": lambda: draw(image),
        "metrics": lambda: metrics.compare(image, distorted, saliency),
    }
    repeats = 3 if saliency.size <= SMALL else 1
    return {name: median(taken) for name, taken in rounds(jobs, repeats).items()}


def _rows(pixels: list[int], seconds: dict[str, list[float]]) -> list[Row]:
    rows = []
    for name, taken in seconds.items():
        for size, value in zip(pixels, taken, strict=True):
            rows.append(row(f"{name}, {size / 1e6:.1f} megapixels", [value], "s"))
        count = sum(n <= score.LARGEST for n in pixels) if name == "metrics" else len(pixels)
        own = exponent(pixels[:count], taken[:count])
        rows.append(row(f"{name}: exponent of time by pixels", [own], "", at_most=1.1))
    return rows


if __name__ == "__main__":
    main()
