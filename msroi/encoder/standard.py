"""The baseline that all is compared with: a standard JPEG, which heeds no map."""

from functools import partial
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from msroi.encoder.blocks import natural
from msroi.encoder.budget import Encoded
from msroi.encoder.tables import ANNEX_K_CHROMA, ANNEX_K_LUMA
from msroi.encoder.target import Judge, find

QUALITIES = range(1, 101)  # libjpeg's scale; each step scales the Annex K tables
FINE_QUALITIES = [n / 20 for n in range(20, 2001)]  # 1 to 100 by twentieths
MAX_SIDE = 65500  # libjpeg's JPEG_MAX_DIMENSION
# The fraction of a quality at which each step of a table, in zigzag order, changes: multiples of
# the golden ratio less their whole part, which lie evenly between 0 and 1
_TURNS = np.arange(64) * (5**0.5 - 1) / 2 % 1


def encode(
    image: np.ndarray,
    saliency: np.ndarray,
    *,
    quality: int,
    max_bytes: int | None,
    judge: Judge | None,
) -> Encoded:
    """Encode at a quality, or at the whole one that a budget or a score asks for.

    No map is heeded.
    """
    if max_bytes is None and judge is None:
        return Encoded(write(image, quality), quality)
    return find(partial(write, image), QUALITIES, max_bytes, judge)


def write(image: np.ndarray, quality: float, **options: Any) -> bytes:
    """Encode `image` as a baseline JFIF file: 4:2:0, Annex K tables, default Huffman tables.

    Parameters
    ----------
    image : uint8 [H, W, 3], sides from 1 to 65500
    quality : float
        libjpeg's scale, 1 (smallest) to 100 (best); `steps` has its fractions.
    **options
        Of Pillow's JPEG writer, as ``progressive=True``.
    """
    file = BytesIO()
    tables = [steps(base, quality).tolist() for base in (ANNEX_K_LUMA, ANNEX_K_CHROMA)]
    Image.fromarray(image).save(file, "JPEG", qtables=tables, subsampling="4:2:0", **options)
    return file.getvalue()


def steps(base: np.ndarray, quality: float) -> np.ndarray:
    """A quantization table as libjpeg's jpeg_set_quality makes it, uint8 [64] in natural order.

    Between two whole qualities its steps pass one after another from the lower's to the upper's,
    low and high frequencies by turns, so that the file grows by little at a time. ``base`` is
    float [64] in zigzag order, and ``quality`` from 1 to 100.
    """
    below = int(quality)
    lower, upper = (_scaled(base, min(whole, 100)) for whole in (below, below + 1))
    return natural(np.where(quality - below > _TURNS, upper, lower)).astype(np.uint8)


def _scaled(base: np.ndarray, quality: int) -> np.ndarray:
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality  # divided as libjpeg divides
    return np.clip((base * percent + 50) // 100, 1, 255)
