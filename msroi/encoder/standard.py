"""The baseline, a standard JPEG, and other encoders that heed no map, to compare with."""

import tempfile
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import jpeglib
import numpy as np
from PIL import Image

from msroi.encoder.blocks import SIDE, natural
from msroi.encoder.budget import Encoded, search
from msroi.encoder.tables import ANNEX_K_CHROMA, ANNEX_K_LUMA

QUALITIES = range(1, 101)  # libjpeg's scale; each step scales the Annex K tables
FINE_QUALITIES = [n / 20 for n in range(20, 2001)]  # 1 to 100 by twentieths
MAX_SIDE = 65500  # libjpeg's JPEG_MAX_DIMENSION
# The fraction of a quality at which each step of a table, in zigzag order, changes: multiples of
# the golden ratio less their whole part, which lie evenly between 0 and 1
_TURNS = np.arange(64) * (5**0.5 - 1) / 2 % 1


def encode(
    image: np.ndarray, saliency: np.ndarray, *, quality: int, max_bytes: int | None
) -> Encoded:
    """Encode at a quality, or at the largest whole one within a budget; no map is heeded."""
    if max_bytes is None:
        return Encoded(write(image, quality), quality)
    return search(partial(write, image), max_bytes, QUALITIES)


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


def optimized(image: np.ndarray, saliency: np.ndarray, *, quality: int, max_bytes: int) -> Encoded:
    """Encode by libjpeg-turbo's best: optimized Huffman tables, progressive, 4:2:0.

    The largest quality whose file has at most ``max_bytes`` bytes, to a twentieth; BudgetError
    where there is none. The map and ``quality`` are not heeded.
    """
    best = partial(write, image, optimize=True, progressive=True)
    return search(best, max_bytes, FINE_QUALITIES)


def mozjpeg(image: np.ndarray, saliency: np.ndarray, *, quality: int, max_bytes: int) -> Encoded:
    """Encode by mozjpeg's best: trellis quantization, deringing, optimized scans, 4:2:0.

    With the tables of the standard JPEG, as libvips calls it: what differs is the encoder. (Those
    of its own `cjpeg` gain 0.2 dB of PSNR on Kodak and lose 0.4 of PSNR-HVS.) The rest as
    `optimized`.
    """
    return search(partial(write_mozjpeg, image), max_bytes, FINE_QUALITIES)


def write_mozjpeg(image: np.ndarray, quality: float) -> bytes:
    """Encode an image uint8 [H, W, 3] by mozjpeg 4.0.3; `quality` as in `steps`."""
    tables = [steps(base, quality) for base in (ANNEX_K_LUMA, ANNEX_K_CHROMA)]
    with jpeglib.version("mozjpeg403"), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.jpg"
        jpeg = jpeglib.from_spatial(image)
        jpeg.samp_factor = "4:2:0"
        table = np.stack(tables).reshape(2, SIDE, SIDE)
        jpeg.write_spatial(str(path), qt=table, quant_tbl_no=[0, 1, 1])
        return path.read_bytes()
