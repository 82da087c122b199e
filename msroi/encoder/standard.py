"""The baseline: a standard JPEG, as every off-the-shelf encoder writes it."""

from io import BytesIO

import numpy as np
from PIL import Image

QUALITIES = range(1, 101)  # libjpeg's scale; each step scales the Annex K tables
MAX_SIDE = 65500  # libjpeg's JPEG_MAX_DIMENSION


def write(image: np.ndarray, quality: int) -> bytes:
    """Encode `image` as baseline JPEG: 4:2:0, Annex K tables, default Huffman tables.

    Parameters
    ----------
    image : uint8 [H, W, 3], sides from 1 to 65500
    quality : int
        libjpeg's scale, 1 (smallest) to 100 (best).

    Returns
    -------
    bytes
        A whole JFIF file.
    """
    file = BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=int(quality), subsampling="4:2:0")
    return file.getvalue()
