"""Filters that turn a photograph into another kind of picture, each uint8 RGB to uint8 RGB."""

import numpy as np
from PIL import Image
from scipy import ndimage

LUMA = np.array([0.299, 0.587, 0.114])


def black_and_white(image: np.ndarray) -> np.ndarray:
    """Luma of Rec. 601 in all three channels."""
    return _grey(image @ LUMA)


def painted(image: np.ndarray, *, brush: int) -> np.ndarray:
    """Kuwahara's filter: a pixel takes the mean of the least varied of four squares about it.

    `brush` is the side of a square in pixels, odd. Flat strokes with crisp borders, as in oil.
    """
    means = ndimage.uniform_filter(image.astype(float), (brush, brush, 1))
    luma = image @ LUMA
    spread = ndimage.uniform_filter(luma**2, brush) - ndimage.uniform_filter(luma, brush) ** 2
    half = brush // 2
    corners = [(y, x) for y in (-half, half) for x in (-half, half)]
    spreads = np.stack([ndimage.shift(spread, c, order=0, mode="nearest") for c in corners])
    strokes = np.stack([ndimage.shift(means, (*c, 0), order=0, mode="nearest") for c in corners])
    best = spreads.argmin(axis=0)[None, :, :, None]
    return np.take_along_axis(strokes, best, axis=0)[0].round().astype(np.uint8)


def cartoon(image: np.ndarray, *, colours: int) -> np.ndarray:
    """A few flat colours, of the smoothed image, with dark outlines."""
    smooth = ndimage.median_filter(image, (7, 7, 1))
    palette = Image.fromarray(smooth).quantize(colours, dither=Image.Dither.NONE)
    flat = np.asarray(palette.convert("RGB"))
    edges = ndimage.gaussian_gradient_magnitude(smooth @ LUMA, 1.2)
    ink = np.clip((edges - 10) / 10, 0, 1)[..., None]
    return (flat * (1 - 0.9 * ink)).astype(np.uint8)


def sketch(image: np.ndarray) -> np.ndarray:
    """Pencil on paper: luma divided by its own blur, so that only local contrast is left."""
    luma = image @ LUMA
    dodge = (luma + 4) / (ndimage.gaussian_filter(luma, 6) + 4)
    return _grey(255 * np.clip(dodge, 0, 1) ** 2.5)


def line_drawing(image: np.ndarray) -> np.ndarray:
    """Canny's edges as black lines on white (doi:10.1109/TPAMI.1986.4767851)."""
    from skimage.feature import canny

    edges = canny(image @ LUMA, sigma=2.0, low_threshold=4, high_threshold=14)
    line = ndimage.gaussian_filter(edges.astype(float), 0.6)
    return _grey(255 * (1 - np.clip(2 * line, 0, 1)))


def low_resolution(image: np.ndarray, *, factor: int) -> np.ndarray:
    """Shrunk by `factor` and enlarged again, smoothly."""
    H, W, _ = image.shape
    small = Image.fromarray(image).resize((max(1, W // factor), max(1, H // factor)))
    return np.asarray(small.resize((W, H), Image.Resampling.BICUBIC))


def noisy(image: np.ndarray, rng: np.random.Generator, *, sigma: float) -> np.ndarray:
    """White Gaussian noise of standard deviation `sigma`, in levels of 255, on each channel."""
    return np.clip(image + sigma * rng.standard_normal(image.shape), 0, 255).astype(np.uint8)


def jumbled(image: np.ndarray, rng: np.random.Generator, *, pieces: tuple[int, int]) -> np.ndarray:
    """The image cut into pieces = (rows, columns) and shuffled; a remainder stays at the edge."""
    rows, columns = pieces
    H, W, C = image.shape
    h, w = H // rows, W // columns
    tiles = image[: rows * h, : columns * w].reshape(rows, h, columns, w, C).swapaxes(1, 2)
    shuffled = rng.permutation(tiles.reshape(-1, h, w, C)).reshape(rows, columns, h, w, C)
    result = image.copy()
    result[: rows * h, : columns * w] = shuffled.swapaxes(1, 2).reshape(rows * h, columns * w, C)
    return result


def moving(image: np.ndarray, *, length: int) -> np.ndarray:
    """Blur along the rows over `length` pixels, stronger away from the centre: a panned camera."""
    streaked = ndimage.uniform_filter1d(image.astype(float), length, axis=1, mode="nearest")
    H, W, _ = image.shape
    y, x = np.mgrid[-1 : 1 : H * 1j, -1 : 1 : W * 1j]
    share = np.clip(1.6 * np.hypot(x, y) - 0.6, 0, 1)[..., None]
    return (image + share * (streaked - image)).round().astype(np.uint8)


def _grey(plane: np.ndarray) -> np.ndarray:
    return np.repeat(plane.round().astype(np.uint8)[..., None], 3, axis=2)
