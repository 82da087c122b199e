"""Other encoders to compare with, held to the same byte budget. They heed no map."""

import tempfile
from functools import partial
from pathlib import Path

import jpeglib
import numpy as np

from msroi.encoder import standard
from msroi.encoder.budget import Encoded, search
from msroi.encoder.tables import ROBIDOUX


def standard_optimized(image: np.ndarray, max_bytes: int) -> Encoded:
    """libjpeg-turbo's best: optimized Huffman tables, progressive, 4:2:0.

    Parameters
    ----------
    image : uint8 [H, W, 3]
    max_bytes : int

    Returns
    -------
    Encoded
        The largest quality that fits, to a twentieth.

    Raises
    ------
    BudgetError
    """
    write = partial(standard.write, image, optimize=True, progressive=True)
    return search(write, max_bytes, standard.FINE_QUALITIES)


def mozjpeg(image: np.ndarray, max_bytes: int) -> Encoded:
    """mozjpeg's best: trellis quantization, deringing, optimized scans, 4:2:0.

    As `standard_optimized`.
    """
    return search(partial(write_mozjpeg, image), max_bytes, standard.FINE_QUALITIES)


def write_mozjpeg(image: np.ndarray, quality: float) -> bytes:
    """Encode an image uint8 [H, W, 3] by mozjpeg 4.0.3, with the tables of its `cjpeg -quality`.

    `quality` as in `standard.steps`.
    """
    steps = standard.steps(ROBIDOUX, quality).reshape(8, 8)
    with jpeglib.version("mozjpeg403"), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.jpg"
        jpeg = jpeglib.from_spatial(image)
        jpeg.samp_factor = "4:2:0"
        jpeg.write_spatial(str(path), qt=np.stack([steps, steps]), quant_tbl_no=[0, 1, 1])
        return path.read_bytes()
