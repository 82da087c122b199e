"""Pixels → DCT coefficients of 8×8 blocks."""

import numpy as np

from msroi.encoder import threads
from msroi.encoder.blocks import SIDE, ZIGZAG

BAND = 4  # rows of MCUs transformed at a time, so that they stay in the processor's cache
# blocks of one matrix product: BLAS shares larger ones among its threads, which is slower here,
# and rounds by their number
PRODUCT = 60
# JFIF's YCbCr from RGB; the level shift makes Y run from −128, and Cb, Cr are centred anyway
_YCBCR = np.array(
    [[0.299, 0.587, 0.114], [-0.168735892, -0.331264108, 0.5], [0.5, -0.418687589, -0.081312411]],
    np.float32,
)
# The orthonormal 8×8 DCT-II: float32 [64 samples, 64 coefficients in zigzag order]
_N = np.arange(SIDE)
_ROWS = np.sqrt(2 / SIDE) * np.cos((2 * _N + 1) * _N[:, None] * np.pi / (2 * SIDE))
_ROWS[0] /= np.sqrt(2)
_BASIS = np.kron(_ROWS, _ROWS)[ZIGZAG].T.astype(np.float32)


def transform(image: np.ndarray, sampling: tuple[int, int]) -> list[np.ndarray]:
    """DCT coefficients of each component, as libjpeg takes them but in floats.

    RGB, uint8 [H, W, 3], becomes YCbCr (JFIF); chroma is the mean of each `sampling` cell of
    pixels; sides are filled up to whole blocks by repeating the last row and column. Nothing is
    rounded. Grey, [H, W], has Y alone, and `sampling` no effect.

    Returns
    -------
    list of float32 [block rows, block columns, 64]
        Y, Cb, Cr, or Y alone. Orthonormal DCT-II in zigzag order: a coefficient's squared
        error is its part of the squared error of the samples.
    """
    down, across = (1, 1) if image.ndim == 2 else sampling
    H, W = (-(-side // SIDE) for side in image.shape[:2])
    rows, columns = -(-H // down), -(-W // across)
    shapes = [(H, W), (rows, columns), (rows, columns)] if image.ndim == 3 else [(H, W)]
    planes = [np.empty((*shape, SIDE * SIDE), np.float32) for shape in shapes]

    def fill(top):
        band = image[top * down * SIDE : (top + BAND) * down * SIDE]
        for plane, part in zip(planes, _transform_band(band, (down, across)), strict=True):
            first = top * (down if plane is planes[0] else 1)
            plane[first : first + len(part)] = part

    threads.share(fill, range(0, rows, BAND))
    return planes


def _transform_band(image: np.ndarray, sampling: tuple[int, int]) -> list[np.ndarray]:
    """`transform` of rows that fill whole MCUs, or are the image's last."""
    if image.ndim == 2:
        return [_dct(_fill(image, (1, 1)).astype(np.float32) - np.float32(128))]
    channels = _fill(image, sampling).transpose(2, 0, 1).astype(np.float32, order="C")
    luma = _mix(channels, _YCBCR[0])
    luma -= 128
    chroma = (_pool(_mix(channels, row), sampling) for row in _YCBCR[1:])
    H, W = image.shape[:2]
    luma = luma[: -(-H // SIDE) * SIDE, : -(-W // SIDE) * SIDE]
    return [_dct(luma), *map(_dct, chroma)]


def _fill(image: np.ndarray, sampling: tuple[int, int]) -> np.ndarray:
    down, right = (-image.shape[axis] % (SIDE * sampling[axis]) for axis in (0, 1))
    if not (down or right):
        return image
    return np.pad(image, [(0, down), (0, right), (0, 0)][: image.ndim], mode="edge")


def _mix(channels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    red, green, blue = channels
    plane = weights[0] * red
    plane += weights[1] * green
    plane += weights[2] * blue
    return plane


def _pool(plane: np.ndarray, sampling: tuple[int, int]) -> np.ndarray:
    """Means of cells; slices are added, as NumPy's own means over axes so short are slow."""
    down, across = sampling
    rows = sum(plane[:, offset::across] for offset in range(across))
    return sum(rows[offset::down] for offset in range(down)) / np.float32(down * across)


def _dct(plane: np.ndarray) -> np.ndarray:
    H, W = plane.shape
    cells = plane.reshape(H // SIDE, SIDE, W // SIDE, SIDE).swapaxes(1, 2)
    samples = cells.reshape(H // SIDE, W // SIDE, SIDE * SIDE)
    spectra = np.empty_like(samples)
    for left in range(0, W // SIDE, PRODUCT):
        part = slice(left, left + PRODUCT)
        np.matmul(samples[:, part], _BASIS, out=spectra[:, part])
    return spectra
