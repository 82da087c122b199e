"""Time the paper's seven metrics against sewar's SSIM, MS-SSIM and VIFP, in one run.

    python benchmarks/metrics.py [--repeats 3]

The pair is a rendered scene and its standard JPEG of quality 50. The two sides take turns, so
that whatever else the machine does meets both alike; CPU time on one core is what counts.
SSIMULACRA2, whose steps are a package's own (`msroi.score`), is left out of the seven, and timed
apart and with them.
"""

import os
from time import process_time
from unittest.mock import patch

import numpy as np
from measures import Row, parser, ratio, report, rounds, row
from sewar.full_ref import Filter, msssim, ssim, vifp

from msroi import encode, metrics
from msroi.images import decode, luma
from study.rendered.scenes import render

SIZES = {(768, 512): {}, (1920, 1080): {"at_most": 1.5}}  # seconds that are promised
GAUSSIAN = {"fltr": Filter.GAUSSIAN, "ws": 11, "sigma": 1.5}


def by_sewar(reference: np.ndarray, distorted: np.ndarray) -> dict[str, float]:
    """SSIM, MS-SSIM and VIFP, as `msroi.metrics.compare` names them."""
    x, y = luma(reference), luma(distorted)
    return {
        "ssim": ssim(x, y, MAX=255, fltr_specs=GAUSSIAN)[0],
        "ms_ssim": msssim(x, y, MAX=255),
        "vifp": vifp(x, y),
    }


def without_score(*images: np.ndarray) -> dict[str, float]:
    """The metrics of the paper alone, as `msroi.metrics.compare` has them."""
    with patch.object(metrics, "Scorer", return_value=lambda _: np.nan):
        return metrics.compare(*images)


def compared(width: int, height: int, repeats: int, goal: dict[str, float]) -> list[Row]:
    """Seconds of all sides at one size, the ratio, and the largest difference of a value."""
    scene = render(height, width, objects=["mug", "fish"], seed=7)
    distorted = decode(encode(scene.image, method="standard", quality=50))
    saliency = (scene.masks > 0).astype(np.float32)
    values, expected = {}, {}
    jobs = {
        "all": lambda: values.update(metrics.compare(scene.image, distorted, saliency)),
        "seven": lambda: without_score(scene.image, distorted, saliency),
        "score": lambda: metrics.ssimulacra2(scene.image, distorted),
        "sewar": lambda: expected.update(by_sewar(scene.image, distorted)),
    }
    seconds = rounds(jobs, repeats, process_time)
    off = max(abs(values[name] - expected[name]) for name in expected)
    size = f"{width}×{height}"
    return [
        row(f"all metrics, {size}, one core", seconds["all"], "s"),
        row(f"SSIMULACRA2, {size}, one core", seconds["score"], "s"),
        row(f"the paper's seven, {size}, one core", seconds["seven"], "s", **goal),
        row(f"three of sewar, {size}, one core", seconds["sewar"], "s"),
        ratio(f"sewar's three by the seven, {size}", seconds, "sewar", "seven", at_least=5),
        row(f"largest difference from sewar, {size}", [off], "", at_most=0.003),
    ]


def main() -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--repeats", type=int, default=3, help="rounds of both sides (3)")
    chosen = options.parse_args()
    if hasattr(os, "sched_setaffinity"):  # whatever threads a library starts share one core
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    black = np.zeros((256, 256, 3), np.uint8)
    metrics.compare(black, black)  # imports
    both = (compared(*size, chosen.repeats, goal) for size, goal in SIZES.items())
    report([row for rows in both for row in rows], chosen.json)


if __name__ == "__main__":
    main()
