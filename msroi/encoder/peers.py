"""Other encoders to compare with, held to the same byte budget. They heed no map.

``mozjpeg`` runs through libvips, whose wheel carries it: ``pip install "msroi[bench]"``.
"""

from functools import partial
from io import BytesIO

import numpy as np
from PIL import Image

from msroi.encoder import standard
from msroi.encoder.budget import Encoded, search


class PeerError(ImportError):
    """A peer's library is not installed; the message says how to get it."""


def standard_optimized(image: np.ndarray, max_bytes: int) -> Encoded:
    """libjpeg-turbo's best: optimized Huffman tables, progressive, 4:2:0.

    Parameters
    ----------
    image : uint8 [H, W, 3]
    max_bytes : int

    Returns
    -------
    Encoded
        The largest quality that fits.

    Raises
    ------
    BudgetError
    """
    return search(partial(_write_optimized, image), max_bytes, standard.QUALITIES)


def mozjpeg(image: np.ndarray, max_bytes: int) -> Encoded:
    """mozjpeg's best: trellis quantization, deringing, optimized scans, 4:2:0.

    As `standard_optimized`; a PeerError where libvips is not installed.
    """
    try:
        import pyvips
    except ImportError as error:
        raise PeerError('the method mozjpeg needs pyvips: pip install "msroi[bench]"') from error
    picture = pyvips.Image.new_from_array(np.ascontiguousarray(image))
    write = partial(
        picture.jpegsave_buffer,
        interlace=True,
        optimize_coding=True,
        optimize_scans=True,
        trellis_quant=True,
        overshoot_deringing=True,
        subsample_mode="on",
        keep="none",
    )
    return search(lambda quality: write(Q=quality), max_bytes, standard.QUALITIES)


def _write_optimized(image: np.ndarray, quality: int) -> bytes:
    file = BytesIO()
    options = {"subsampling": "4:2:0", "optimize": True, "progressive": True}
    Image.fromarray(image).save(file, "JPEG", quality=int(quality), **options)
    return file.getvalue()
