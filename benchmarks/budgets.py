"""How full `direct` makes its budgets: many calls on photographs, each with other options.

    python benchmarks/budgets.py --data FOLDER [--calls 1000] [--small] [--seed 0]

FOLDER holds kodak, osie, ecssd, coco128 and mit1003 (default: $MSROI_DATA), or some of them. A call
draws a photograph, a quality from 5 to 100 whose standard JPEG is the budget, a tune, a
subsampling, and whether the file is progressive; with --small a piece of it too, of sides from 1 to
64. None may be over its budget, and all take 99% of it or more, or are the finest file there is.
Calls that do not are named, and make the exit status 1.
"""

import argparse
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from kodak import soft_spots
from tqdm import tqdm

from msroi.encoder import BudgetError, budget, direct, encode, encode_detailed
from msroi.encoder.blocks import SUBSAMPLINGS
from msroi.encoder.tables import TUNES, quality_of
from msroi.images import read_image

FOLDERS = ("kodak", "osie/stimuli", "ecssd/images", "coco128/images", "mit1003/stimuli")
QUALITIES = (5, 100)
SMALL = (1, 64)  # sides, in pixels
FINEST = quality_of(direct.SCALES[0])  # where every step is 1
KINDS = ("calls", "over budget", "below 99%", "at the finest file", "out of reach")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("MSROI_DATA"))
    parser.add_argument("--calls", type=int, default=1000, help="how many (1000)")
    parser.add_argument("--small", action="store_true", help="pieces of photographs")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    photos = photographs(options.data) if options.data else []
    if not photos:
        parser.error("name a folder that holds kodak/, osie/ … with --data or MSROI_DATA")
    rng = np.random.default_rng(options.seed)
    counts = Counter(dict.fromkeys(KINDS, 0))
    for _ in tqdm(range(options.calls), unit="call"):
        path = photos[rng.integers(len(photos))]
        image = read_image(path).pixels
        kinds, told = call(piece(image, rng) if options.small else image, draw(rng))
        counts.update(kinds)
        if {"over budget", "below 99%"} & set(kinds):
            tqdm.write(f"{path.name}: {told}")
    for kind, count in counts.items():
        print(f"{kind:<20}{count:>6}")
    sys.exit(1 if counts["over budget"] or counts["below 99%"] else 0)


def photographs(folder: Path) -> list[Path]:
    """All photographs of the data sets that are there, in the same order anywhere."""
    paths = (path for name in FOLDERS for path in sorted((folder / name).glob("*")))
    return [path for path in paths if path.suffix in (".jpg", ".jpeg", ".png")]


def draw(rng: np.random.Generator) -> dict[str, Any]:
    """Options of a call."""
    return {
        "quality": int(rng.integers(QUALITIES[0], QUALITIES[1] + 1)),
        "tune": str(rng.choice(list(TUNES))),
        "subsampling": str(rng.choice(list(SUBSAMPLINGS))),
        "progressive": bool(rng.random() < 0.5),
    }


def piece(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A small piece of an image from anywhere in it: uint8 [h, w, 3]."""
    h, w = (int(min(rng.integers(SMALL[0], SMALL[1] + 1), side)) for side in image.shape[:2])
    y, x = (int(rng.integers(a - b + 1)) for a, b in zip(image.shape[:2], (h, w), strict=True))
    return np.ascontiguousarray(image[y : y + h, x : x + w])


def call(image: np.ndarray, options: dict[str, Any]) -> tuple[list[str], str]:
    """Encode within the bytes of the standard JPEG: of which kinds the call is, and its story."""
    max_bytes = len(encode(image, method="standard", quality=options["quality"]))
    try:
        found = encode_detailed(image, soft_spots(image), max_bytes=max_bytes, **options)
    except BudgetError as error:
        return ["calls", "out of reach"], str(error)
    kinds, share = ["calls"], len(found.data) / max_bytes
    if share > 1:
        kinds.append("over budget")
    if share < budget.SHARE_ACCEPTED:
        kinds.append("at the finest file" if found.quality > FINEST - 1e-6 else "below 99%")
    return kinds, f"{share:.2%} of {max_bytes} bytes at {image.shape[:2]} and {options}"


if __name__ == "__main__":
    main()
