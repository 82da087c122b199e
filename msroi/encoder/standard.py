"""The baseline: a standard JPEG, as every off-the-shelf encoder writes it."""

from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from msroi.encoder.blocks import ZIGZAG
from msroi.encoder.tables import ANNEX_K_CHROMA, ANNEX_K_LUMA

QUALITIES = range(1, 101)  # libjpeg's scale; each step scales the Annex K tables
FINE_QUALITIES = [n / 20 for n in range(20, 2001)]  # 1 to 100 by twentieths
MAX_SIDE = 65500  # libjpeg's JPEG_MAX_DIMENSION
# libjpeg's scale of the tables at each whole quality, per cent, with its division of integers
_PERCENT = [5000 // quality if quality < 50 else 200 - 2 * quality for quality in QUALITIES]


def write(image: np.ndarray, quality: float, **options: Any) -> bytes:
    """Encode `image` as baseline JPEG: 4:2:0, Annex K tables, default Huffman tables.

    Parameters
    ----------
    image : uint8 [H, W, 3], sides from 1 to 65500
    quality : float
        libjpeg's scale, 1 (smallest) to 100 (best). Between two whole qualities the scale of
        the tables is interpolated; at a whole one it is libjpeg's very own.
    **options
        Of Pillow's JPEG writer, as ``progressive=True``.

    Returns
    -------
    bytes
        A whole JFIF file.
    """
    file = BytesIO()
    tables = [steps(base, quality).tolist() for base in (ANNEX_K_LUMA, ANNEX_K_CHROMA)]
    Image.fromarray(image).save(file, "JPEG", qtables=tables, subsampling="4:2:0", **options)
    return file.getvalue()


def steps(base: np.ndarray, quality: float) -> np.ndarray:
    """A table of libjpeg's jpeg_set_quality, uint8 [64] in natural order, from one in zigzag."""
    percent = np.interp(quality, QUALITIES, _PERCENT)
    table = np.empty(64, np.uint8)
    table[ZIGZAG] = np.clip((base * percent + 50) // 100, 1, 255)
    return table
