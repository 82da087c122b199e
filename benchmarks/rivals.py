"""The encoders that are compared, each a function to a byte budget; jpegli, whose steps are whole.

A function takes (pixels, saliency, quality=…) and gives a file of at most the bytes of the
standard JPEG of that quality.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from functools import partial

import numpy as np
import pyjpegli

from msroi import metrics
from msroi.encoder import encode, standard
from msroi.encoder.budget import search
from msroi.encoder.peers import write_jpegli
from msroi.encoder.tables import TUNES
from msroi.images import decode

Writer = Callable[..., bytes]

JPEGLI_PLAIN = "jpegli, as its package writes it"
JPEGLI_BETWEEN = "jpegli, between qualities"
MOSAIC_QUALITY = 50  # of its levels, 30 to 70, the middle: other budgets are not what they are for
STRENGTHS = (0, 1, 2, 3, 4, 5)


def plain_jpegli(pixels: np.ndarray, quality: int) -> bytes:
    """Encode by the package alone: a baseline file, 4:2:0; uint8 [H, W, 3], quality 1 to 100."""
    height, width = pixels.shape[:2]
    return pyjpegli.encode(np.ascontiguousarray(pixels), width, height, quality)


def bisected(write: Callable[[int], bytes], max_bytes: int) -> bytes:
    """Bisect whole qualities, with seven files: the largest that fits, empty where none does."""
    best = b""

    def size(quality: int) -> int:
        nonlocal best
        data = write(quality)
        best = data if len(data) <= max_bytes else best
        return len(data)

    bisect_right(standard.QUALITIES, max_bytes, key=size)
    return best


def _plain_to_budget(pixels: np.ndarray, saliency: np.ndarray, quality: int) -> bytes:
    budget = len(standard.write(pixels, quality))
    return search(partial(plain_jpegli, pixels), budget, standard.QUALITIES).data


def between_jpeglis(
    pixels: np.ndarray, quality: int, measure: Callable[[bytes], dict[str, float]]
) -> dict[str, float]:
    """Values that jpegli would have at the very budget, were its qualities not whole numbers.

    Linear in the logarithm of bytes between the largest file that fits and the next one.
    """
    budget = len(standard.write(pixels, quality))
    fits = search(partial(write_jpegli, pixels), budget, standard.QUALITIES)
    above = write_jpegli(pixels, min(int(fits.quality) + 1, 100))
    lower, upper = measure(fits.data), measure(above)
    if len(above) <= budget:  # the best quality fits too
        return upper
    share = math.log(budget / len(fits.data)) / math.log(len(above) / len(fits.data))
    return {name: (1 - share) * lower[name] + share * upper[name] for name in lower}


def jpegli_reaching(pixels: np.ndarray, score: float) -> int:
    """The smallest whole quality of jpegli whose SSIMULACRA2 is at least ``score``, by bisection.

    100 where none reaches it. The progressive file has the same pixels as the plain one.
    """

    def scored(quality: int) -> float:
        return metrics.ssimulacra2(pixels, decode(plain_jpegli(pixels, quality)))

    return bisect_left(range(100), score, lo=1, key=scored)


def _by(method: str, **options) -> Writer:
    return partial(encode, method=method, **options)


METHODS: dict[str, Writer] = {
    **{name: _by(name) for name in ("standard", "standard-optimized")},
    **{name: _by(name) for name in ("mozjpeg", "mozjpeg-robidoux", "jpegli")},
    JPEGLI_PLAIN: _plain_to_budget,
    "mosaic": _by("mosaic"),
    **{f"direct-flat {tune}": _by("direct-flat", tune=tune) for tune in TUNES},
    **{f"direct {tune}": _by("direct", tune=tune) for tune in ("balanced", "ssimulacra2")},
}
FRONTIER = {
    f"{tune} {strength:g}": _by("direct", tune=tune, strength=strength)
    for tune in TUNES
    for strength in STRENGTHS
}
