"""The paper's encoder (section 4): a mosaic of blocks from JPEGs of several qualities."""

from functools import partial
from typing import Any

import numpy as np

from msroi.encoder import standard
from msroi.encoder.arguments import check_choice, check_whole
from msroi.encoder.blocks import SIDE, block_saliency, saliency_levels, spread
from msroi.encoder.budget import Encoded
from msroi.encoder.target import Judge, find
from msroi.errors import ArgumentError
from msroi.images import decode

MCU = 2 * SIDE  # pixels a side, with 4:2:0


def level_qualities(levels: int, q_low: int, q_high: int) -> list[int]:
    """JPEG quality of each saliency level: Q_n = Q_l + n (Q_h − Q_l) / (k − 1).

    Deviation: Eq. 7 divides by k, by which the top level would never have Q_h; dividing by
    k − 1 gives the 30, 40, 50, 60, 70 of the paper's section 5. A Q_n between two whole
    qualities is rounded, since libjpeg has whole ones only.
    """
    check_whole("q_low", q_low, 1, 100)
    check_whole("q_high", q_high, 1, 100)
    if q_low > q_high:
        raise ArgumentError(f"q_low must be from 1 to q_high, not {q_low} where q_high is {q_high}")
    return [int(q) for q in np.rint(np.linspace(q_low, q_high, levels))]


def _quantile_levels(saliency: np.ndarray, levels: int) -> np.ndarray:
    edges = np.quantile(saliency, np.arange(1, levels) / levels)
    return np.searchsorted(edges, saliency, side="left").astype(np.uint8)


_LEVELS = {"even": saliency_levels, "quantiles": _quantile_levels}


def make_mosaic(
    image: np.ndarray,
    saliency: np.ndarray,
    *,
    levels: int = 5,
    q_low: int = 30,
    q_high: int = 70,
    split: str = "even",
    untouched: int = 0,
) -> np.ndarray:
    """Take each 8×8 block from the decoded JPEG of its saliency level.

    The image is encoded with 4:2:0 at Q_n for each level n, and decoded; a block's level
    comes from its mean saliency. Chroma needs no care: blocks are picked among decoded RGB
    pixels, as in the paper.

    Parameters
    ----------
    image : uint8 [H, W, 3]
    saliency : float [H, W] in [0, 1]
    levels : int
        k, from 2 to 100.
    q_low, q_high : int
        Q_l and Q_h, 1 to 100: quality of the lowest and of the highest level.
    split : str
        Where levels meet: ``"even"``, at n/k as in the paper, or ``"quantiles"``, so that each has
        about as many blocks (of two the median, as one mode of the authors' released code).
    untouched : int
        How many of the upper levels keep the blocks of `image` itself. With the paper's own levels
        2 is all that is salient: what then remains of its loss is not of quantizing twice.

    Returns
    -------
    uint8 [H, W, 3]

    Raises
    ------
    ArgumentError
    """
    check_whole("levels", levels, 2, 100)
    check_whole("untouched", untouched, 0, levels)
    check_choice("split", split, _LEVELS)
    block_levels = _LEVELS[split](block_saliency(saliency), levels)
    qualities = level_qualities(levels, q_low, q_high)
    pixel_levels = spread(block_levels, image.shape[:2])
    mosaic = image.copy()
    for level in np.unique(block_levels[block_levels < levels - untouched]):
        # one decoded JPEG in memory at a time, and of the part that holds the level's blocks
        part = _around(block_levels == level)
        decoded = decode(standard.write(image[part], qualities[level]))
        chosen = (pixel_levels[part] == level)[..., None]
        np.copyto(mosaic[part].view("V3"), decoded.view("V3"), where=chosen)  # a pixel at a time
    return mosaic


def encode(
    image: np.ndarray,
    saliency: np.ndarray,
    *,
    quality: int,
    max_bytes: int | None,
    judge: Judge | None,
    **options: Any,
) -> Encoded:
    """Encode the mosaic as a plain JPEG; ``quality`` is not heeded, ``options`` `make_mosaic`'s."""
    write = partial(standard.write, make_mosaic(image, saliency, **options))
    return find(write, standard.FINE_QUALITIES, max_bytes, judge)


def _around(chosen: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of pixels around the chosen blocks [block rows, block columns].

    In whole MCUs and with one to spare on each side: a block then decodes as in the whole image,
    since the upsampling of chroma looks no farther.
    """
    parts = []
    for axis in (1, 0):
        places = np.flatnonzero(chosen.any(axis))
        first, last = places[0] * SIDE // MCU, places[-1] * SIDE // MCU
        parts.append(slice(max(first - 1, 0) * MCU, (last + 2) * MCU))
    return parts[0], parts[1]
