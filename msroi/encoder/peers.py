"""Other encoders, which heed no map, to compare with; their packages come with the study."""

import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from msroi.encoder import standard
from msroi.encoder.blocks import SIDE, ZIGZAG
from msroi.encoder.budget import Encoded
from msroi.encoder.standard import FINE_QUALITIES
from msroi.encoder.tables import ANNEX_K_CHROMA, ANNEX_K_LUMA
from msroi.encoder.target import Judge, find

# N. Robidoux's table, mozjpeg's default, of luma and chroma
ROBIDOUX = np.array(
    [
        *(16, 16, 16, 18, 25, 37, 56, 85),
        *(16, 17, 20, 27, 34, 40, 53, 75),
        *(16, 20, 24, 31, 43, 62, 91, 135),
        *(18, 27, 31, 40, 53, 74, 106, 156),
        *(25, 34, 43, 53, 69, 94, 131, 189),
        *(37, 40, 62, 74, 94, 124, 169, 238),
        *(56, 53, 91, 106, 131, 169, 226, 311),
        *(85, 75, 135, 156, 189, 238, 311, 418),
    ],
    np.float64,
)[ZIGZAG]


def optimized(
    image: np.ndarray,
    saliency: np.ndarray,
    *,
    quality: int,
    max_bytes: int | None,
    judge: Judge | None,
) -> Encoded:
    """Encode by libjpeg-turbo's best: optimized Huffman tables, progressive, 4:2:0.

    The largest quality whose file has at most ``max_bytes`` bytes, or the smallest that the judge
    asks for, to a twentieth; BudgetError or TargetError where there is none. The map and
    ``quality`` are not heeded.
    """
    best = partial(standard.write, image, optimize=True, progressive=True)
    return find(best, FINE_QUALITIES, max_bytes, judge)


def mozjpeg(
    image: np.ndarray,
    saliency: np.ndarray,
    *,
    quality: int,
    max_bytes: int | None,
    judge: Judge | None,
) -> Encoded:
    """Encode by mozjpeg's best: trellis quantization, deringing, optimized scans, 4:2:0.

    With the tables of the standard JPEG, as libvips calls it: what differs is the encoder. The
    rest as `optimized`.
    """
    return find(partial(write_mozjpeg, image), FINE_QUALITIES, max_bytes, judge)


def mozjpeg_robidoux(
    image: np.ndarray,
    saliency: np.ndarray,
    *,
    quality: int,
    max_bytes: int | None,
    judge: Judge | None,
) -> Encoded:
    """Encode as `mozjpeg` does, with the table that its own `cjpeg` has, N. Robidoux's.

    By SSIMULACRA2 it serves mozjpeg best.
    """
    write = partial(write_mozjpeg, image, bases=(ROBIDOUX, ROBIDOUX))
    return find(write, FINE_QUALITIES, max_bytes, judge)


def jpegli(
    image: np.ndarray,
    saliency: np.ndarray,
    *,
    quality: int,
    max_bytes: int | None,
    judge: Judge | None,
) -> Encoded:
    """Encode by jpegli at the best quality for the budget or the judge, 4:2:0, progressive.

    The package has whole qualities alone, on jpegli's own scale, and writes baseline files; a
    lossless search then gives them progressive scans, as jpegli's own `cjpegli` has by default.
    The rest as `optimized`.
    """
    return find(partial(write_jpegli, image), standard.QUALITIES, max_bytes, judge)


def write_mozjpeg(
    image: np.ndarray,
    quality: float,
    bases: tuple[np.ndarray, np.ndarray] = (ANNEX_K_LUMA, ANNEX_K_CHROMA),
) -> bytes:
    """Encode an image uint8 [H, W, 3] by mozjpeg 4.0.3, with tables as `standard.steps` has them.

    ``bases`` are those of luma and chroma at quality 50, float64 [64] in zigzag order.
    """
    import jpeglib

    tables = [standard.steps(base, quality) for base in bases]
    with jpeglib.version("mozjpeg403"), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.jpg"
        jpeg = jpeglib.from_spatial(image)
        jpeg.samp_factor = "4:2:0"
        table = np.stack(tables).reshape(2, SIDE, SIDE)
        jpeg.write_spatial(str(path), qt=table, quant_tbl_no=[0, 1, 1])
        return path.read_bytes()


def write_jpegli(image: np.ndarray, quality: int) -> bytes:
    """Encode an image uint8 [H, W, 3] by jpegli, at a whole quality from 1 to 100."""
    import mozjpeg_lossless_optimization
    import pyjpegli

    height, width = image.shape[:2]
    data = pyjpegli.encode(np.ascontiguousarray(image), width, height, quality)
    return mozjpeg_lossless_optimization.optimize(data)
