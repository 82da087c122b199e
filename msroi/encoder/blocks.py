"""The 8×8 blocks of a JPEG, and the saliency and the level of each."""

import numpy as np

from msroi.errors import ArgumentError

SIDE = 8  # of a JPEG block, in pixels

# luma samples that share a chroma sample, down and across
SUBSAMPLINGS = {"4:2:0": (2, 2), "4:2:2": (1, 2), "4:4:4": (1, 1)}


# Natural index 8·row + column of each coefficient, in the order of the file: diagonal by diagonal,
# of which the odd ones run down and the even ones up
_ROWS, _COLUMNS = np.divmod(np.arange(SIDE * SIDE), SIDE)
_DIAGONALS = _ROWS + _COLUMNS
ZIGZAG = np.lexsort((np.where(_DIAGONALS % 2, _ROWS, _COLUMNS), _DIAGONALS))


def natural(values: np.ndarray) -> np.ndarray:
    """Bring coefficients or steps [..., 64] from zigzag to natural order."""
    return np.take(values, np.argsort(ZIGZAG), -1)


def block_saliency(saliency: np.ndarray, cell: tuple[int, int] = (SIDE, SIDE)) -> np.ndarray:
    """Mean saliency of each 8×8 block, or of cells of another size.

    Deviation: the paper gives a saliency to every pixel and a quality to every block, but
    which value has a block? Here it has the mean of its pixels.

    The map is float [H, W] in [0, 1], the means are float32 [⌈H/8⌉, ⌈W/8⌉] in [0, 1]; a cell is in
    pixels down and across (16×16 is a chroma block's with 4:2:0). A block cut by the right or lower
    edge has the mean over the pixels it has. The sums are in float64, so a block of equal float32
    pixels has exactly their value.
    """
    rows, columns = (np.arange(0, *pair) for pair in zip(saliency.shape, cell, strict=True))
    pixels = saliency.astype(np.float32, copy=False)
    sums = np.empty((len(rows), saliency.shape[1]))
    for top, into in zip(rows, sums, strict=True):  # along the rows, as they lie in memory
        np.sum(pixels[top : top + cell[0]], axis=0, dtype=np.float64, out=into)
    sums = np.add.reduceat(sums, columns, axis=1)
    H, W = saliency.shape
    heights = np.minimum(cell[0], H - rows)
    widths = np.minimum(cell[1], W - columns)
    return (sums / (heights[:, None] * widths)).astype(np.float32)


def saliency_levels(saliency: np.ndarray, levels: int) -> np.ndarray:
    """Level n = 0..k−1 of each saliency, for the paper's intervals [0, 1/k], (1/k, 2/k], …

    Saliency is float of any shape, in [0, 1], k is from 2 to 100, and the levels are uint8. They
    are told apart in float32, so that a map stored as 8 or 16 bits meets the edges n/k exactly:
    153/255 is 3/5, level 2 of 5.
    """
    if levels not in range(2, 101):
        raise ArgumentError(f"levels must be a whole number from 2 to 100, not {levels}")
    edges = (np.arange(1, levels) / levels).astype(np.float32)
    return np.searchsorted(edges, saliency.astype(np.float32), side="left").astype(np.uint8)


def spread(values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Give each pixel of an image of `shape` (H, W) the value of its 8×8 block."""
    H, W = shape
    return values.repeat(SIDE, axis=0)[:H].repeat(SIDE, axis=1)[:, :W]
