"""Other encoders to compare with, held to the same byte budget. They heed no map.

``mozjpeg`` runs through libvips, whose wheel carries it: ``pip install "msroi[bench]"``.
"""

from functools import partial
from types import ModuleType

import numpy as np

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
        The largest quality that fits, to a twentieth.

    Raises
    ------
    BudgetError
    """
    write = partial(standard.write, image, optimize=True, progressive=True)
    return search(write, max_bytes, standard.FINE_QUALITIES)


def mozjpeg(image: np.ndarray, max_bytes: int) -> Encoded:
    """mozjpeg's best: trellis quantization, deringing, optimized scans, 4:2:0.

    As `standard_optimized`, but of whole qualities: libvips takes no other and no tables of
    one's own, and its remaining options change what mozjpeg is, not how much it writes. So up
    to one step of quality is left over, 1 to 2% of the bytes at quality 50.

    Raises
    ------
    BudgetError
    PeerError
        libvips is not installed.
    """
    picture = load_vips().Image.new_from_array(np.ascontiguousarray(image))
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


def load_vips() -> ModuleType:
    """pyvips, or a PeerError that says how to get it."""
    try:
        import pyvips
    except ImportError as error:
        raise PeerError('the method mozjpeg needs pyvips: pip install "msroi[bench]"') from error
    return pyvips
