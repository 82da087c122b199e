"""Filters that turn a photograph into another kind of picture, each uint8 RGB to uint8 RGB."""

import numpy as np
from PIL import Image
from scipy import ndimage

LUMA = np.array([0.299, 0.587, 0.114])


def black_and_white(image: np.ndarray) -> np.ndarray:
    """Put luma (Rec. 601) in all three channels."""
    return _grey(image @ LUMA)


def painted(image: np.ndarray, *, brush: int = 5) -> np.ndarray:
    """Give each pixel the mean of the least varied of four squares about it (Kuwahara's filter).

    `brush` is the side of a square in pixels, odd. It gives flat strokes with crisp borders.
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


def cartoon(image: np.ndarray, *, colours: int = 9) -> np.ndarray:
    """Reduce the smoothed image to a few flat colours, with dark outlines."""
    smooth = ndimage.median_filter(image, (7, 7, 1))
    palette = Image.fromarray(smooth).quantize(colours, dither=Image.Dither.NONE)
    flat = np.asarray(palette.convert("RGB"))
    edges = ndimage.gaussian_gradient_magnitude(smooth @ LUMA, 1.2)
    ink = np.clip((edges - 10) / 10, 0, 1)[..., None]
    return (flat * (1 - 0.9 * ink)).astype(np.uint8)


def sketch(image: np.ndarray) -> np.ndarray:
    """Divide luma by its own blur, so that only local contrast is left, as of pencil on paper."""
    luma = image @ LUMA
    dodge = (luma + 4) / (ndimage.gaussian_filter(luma, 6) + 4)
    return _grey(255 * np.clip(dodge, 0, 1) ** 2.5)


def line_drawing(image: np.ndarray) -> np.ndarray:
    """Draw Canny's edges as black lines on white (doi:10.1109/TPAMI.1986.4767851)."""
    from skimage.feature import canny

    edges = canny(image @ LUMA, sigma=2.0, low_threshold=4, high_threshold=14)
    line = ndimage.gaussian_filter(edges.astype(float), 0.6)
    return _grey(255 * (1 - np.clip(2 * line, 0, 1)))


def low_resolution(image: np.ndarray, *, factor: int = 8) -> np.ndarray:
    """Shrink by `factor` and enlarge again, smoothly."""
    H, W, _ = image.shape
    small = Image.fromarray(image).resize((max(1, W // factor), max(1, H // factor)))
    return np.asarray(small.resize((W, H), Image.Resampling.BICUBIC))


def noisy(image: np.ndarray, rng: np.random.Generator, *, sigma: float) -> np.ndarray:
    """Add white Gaussian noise of deviation `sigma`, in levels of 255, to each channel."""
    return np.clip(image + sigma * rng.standard_normal(image.shape), 0, 255).astype(np.uint8)


def jumbled(image: np.ndarray, rng: np.random.Generator, *, pieces: tuple[int, int]) -> np.ndarray:
    """Cut into pieces = (rows, columns) and shuffle them; a remainder stays at the edge."""
    rows, columns = pieces
    H, W, C = image.shape
    h, w = H // rows, W // columns
    tiles = image[: rows * h, : columns * w].reshape(rows, h, columns, w, C).swapaxes(1, 2)
    shuffled = rng.permutation(tiles.reshape(-1, h, w, C)).reshape(rows, columns, h, w, C)
    result = image.copy()
    result[: rows * h, : columns * w] = shuffled.swapaxes(1, 2).reshape(rows * h, columns * w, C)
    return result


def moving(image: np.ndarray) -> np.ndarray:
    """Blur along the rows by a 14th of the width, more away from the centre: a panned camera."""
    H, W, _ = image.shape
    length = max(3, W // 14)
    streaked = ndimage.uniform_filter1d(image.astype(float), length, axis=1, mode="nearest")
    y, x = np.mgrid[-1 : 1 : H * 1j, -1 : 1 : W * 1j]
    share = np.clip(1.6 * np.hypot(x, y) - 0.6, 0, 1)[..., None]
    return (image + share * (streaked - image)).round().astype(np.uint8)


def _grey(plane: np.ndarray) -> np.ndarray:
    return np.repeat(plane.round().astype(np.uint8)[..., None], 3, axis=2)
