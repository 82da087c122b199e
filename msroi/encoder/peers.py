"""Other encoders to compare with, held to the same byte budget. They heed no map."""

import tempfile
from functools import partial
from pathlib import Path

import jpeglib
import numpy as np

from msroi.encoder import standard
from msroi.encoder.blocks import SIDE
from msroi.encoder.budget import Encoded, search
from msroi.encoder.tables import ANNEX_K_CHROMA, ANNEX_K_LUMA


def standard_optimized(
    image: np.ndarray, saliency: np.ndarray, *, quality: int, max_bytes: int
) -> Encoded:
    """Encode by libjpeg-turbo's best: optimized Huffman tables, progressive, 4:2:0.

    The largest quality whose file has at most ``max_bytes`` bytes, to a twentieth; BudgetError
    where there is none. The map and ``quality`` are not heeded.
    """
    write = partial(standard.write, image, optimize=True, progressive=True)
    return search(write, max_bytes, standard.FINE_QUALITIES)


def mozjpeg(image: np.ndarray, saliency: np.ndarray, *, quality: int, max_bytes: int) -> Encoded:
    """Encode by mozjpeg's best: trellis quantization, deringing, optimized scans, 4:2:0.

    With the tables of the standard JPEG, as libvips calls it: what differs is
    the encoder. (Those of its own `cjpeg` gain 0.2 dB of PSNR on Kodak and lose 0.4 of PSNR-HVS.)
    The rest as `standard_optimized`.
    """
    return search(partial(write_mozjpeg, image), max_bytes, standard.FINE_QUALITIES)


def write_mozjpeg(image: np.ndarray, quality: float) -> bytes:
    """Encode an image uint8 [H, W, 3] by mozjpeg 4.0.3; `quality` as in `standard.steps`."""
    steps = [standard.steps(base, quality) for base in (ANNEX_K_LUMA, ANNEX_K_CHROMA)]
    with jpeglib.version("mozjpeg403"), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.jpg"
        jpeg = jpeglib.from_spatial(image)
        jpeg.samp_factor = "4:2:0"
        jpeg.write_spatial(
            str(path), qt=np.stack(steps).reshape(2, SIDE, SIDE), quant_tbl_no=[0, 1, 1]
        )
        return path.read_bytes()
