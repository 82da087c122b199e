"""Structural similarity and visual information, as separable filters over strips of rows.

Every term is the mean of x, y, x², y² or xy under a Gaussian window that lies wholly inside
the image. Strips overlap by what the windows reach beyond a row, so that together they have
the windows of the whole image, and no more memory is needed than for one strip. All in
float64: a variance is the small difference of two large means.
"""

from collections.abc import Callable, Iterator, Sequence
from math import nan

import numpy as np
from scipy.ndimage import correlate1d, uniform_filter

STRIP = 64  # rows of windows; even, so that every other row goes on from strip to strip
SSIM_WINDOW = (11, 1.5)
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
MS_SSIM_MIN_SIDE = 176  # the window on the fifth scale: 11 · 2⁴
VIF_WINDOWS = ((17, 17 / 5), (9, 9 / 5), (5, 5 / 5), (3, 3 / 5))  # one a scale
VIF_MIN_SIDE = 41  # leaves the fourth scale's 3×3 window one place
VIF_NOISE = 2  # variance of the visual noise
VIF_EPSILON = 1e-10


def similarity(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Mean SSIM and mean contrast–structure term of uint8 or float32 [H, W] in [0, 255].

    The means of cs · (2 μ_x μ_y + C₁) / (μ_x² + μ_y² + C₁) and of
    cs = (2 σ_xy + C₂) / (σ_x² + σ_y² + C₂); nan for a side below the window's.
    """
    if min(x.shape) < SSIM_WINDOW[0]:
        return nan, nan
    total, places = np.zeros(2), 0
    terms = (np.multiply, lambda x, y: x * x + y * y)
    for mean_x, mean_y, xy, xx_yy in _window_means((x, y), SSIM_WINDOW, terms):
        product, squares = mean_x * mean_y, mean_x**2 + mean_y**2
        contrast = (2 * (xy - product) + C2) / (xx_yy - squares + C2)
        luminance = (2 * product + C1) / (squares + C1)
        total += np.sum(luminance * contrast), np.sum(contrast)
        places += contrast.size
    return float(total[0] / places), float(total[1] / places)


def multiscale_similarity(x: np.ndarray, y: np.ndarray, first: tuple[float, float]) -> float:
    """Multi-scale SSIM of uint8 [H, W]: the real part of Π_j cs_j^{w_j} · SSIM₅^{w₅}.

    ``first`` is the `similarity` of x and y, which is the first scale.
    """
    if min(x.shape) < MS_SSIM_MIN_SIDE:
        return nan
    scales = [first]
    for _ in SCALE_WEIGHTS[1:]:
        x, y = _halve(x), _halve(y)
        scales.append(similarity(x, y))
    factors = [contrast for _, contrast in scales[:-1]] + [scales[-1][0]]
    return float(np.prod(np.array(factors, complex) ** SCALE_WEIGHTS).real)


def visual_information(x: np.ndarray, y: np.ndarray) -> float:
    """Visual information that y keeps of x, uint8 [H, W], in the pixel domain.

    Σ log(1 + g² σ_x² / (σ_v² + 2)) / Σ log(1 + σ_x² / 2) over windows and scales, where
    y = g x + v in each window; nan where x is flat or too small.
    """
    if min(x.shape) < VIF_MIN_SIDE or np.ptp(x) == 0:
        return nan
    total = np.zeros(2)
    terms = (np.multiply, lambda x, y: x * x, lambda x, y: y * y)
    for scale, window in enumerate(VIF_WINDOWS):
        if scale > 0:
            x, y = _reduce((x, y), window)
        total += sum(_information(*means) for means in _window_means((x, y), window, terms))
    return float(total[0] / total[1])


def _information(mean_x, mean_y, xy, xx, yy) -> np.ndarray:
    """Sums over the windows: the information about x that y keeps, and all there is."""
    variance_x, variance_y = xx - mean_x**2, yy - mean_y**2
    covariance = xy - mean_x * mean_y
    variance_x[variance_x < VIF_EPSILON] = 0
    gain = covariance / (variance_x + VIF_EPSILON)
    gain[(variance_x == 0) | (variance_y < VIF_EPSILON) | (gain < 0)] = 0
    noise = np.maximum(variance_y - gain * covariance, VIF_EPSILON) + VIF_NOISE
    kept = np.log(1 + gain**2 * variance_x / noise)
    return np.array([np.sum(kept), np.sum(np.log(1 + variance_x / VIF_NOISE))])


def _window_means(
    images: Sequence[np.ndarray], window: tuple[int, float], terms: Sequence[Callable] = ()
) -> Iterator[np.ndarray]:
    """Means of the images, and of terms made from them, under each window.

    Strip by strip float64 [images + terms, up to `STRIP`, W - size + 1]; a strip takes the
    memory of the one before.
    """
    size, _ = window
    H, W = images[0].shape
    count = len(images)
    memory = np.empty((2, count + len(terms), STRIP + size - 1, W))
    for top in range(0, H - size + 1, STRIP):
        rows = slice(top, min(top + STRIP + size - 1, H))
        planes, between = memory[:, :, : rows.stop - top]
        for plane, image in zip(planes, images, strict=False):
            plane[:] = image[rows]
        for plane, term in zip(planes[count:], terms, strict=True):
            plane[:] = term(*planes[:count])
        yield _smooth(planes, window, between)


def _smooth(planes: np.ndarray, window: tuple[int, float], between: np.ndarray) -> np.ndarray:
    """Filter [n, h, W] with the Gaussian in place, and cut to the windows inside."""
    size, sigma = window
    offsets = np.arange(size) - size // 2
    weights = np.exp(-(offsets**2) / (2 * sigma**2))
    weights /= weights.sum()
    inside = slice(size // 2, -(size // 2))
    correlate1d(planes, weights, axis=1, output=between)
    correlate1d(between[:, inside], weights, axis=2, output=planes[:, inside])
    return planes[:, inside, inside]


def _reduce(images: Sequence[np.ndarray], window: tuple[int, float]) -> np.ndarray:
    """Every other window's mean, along rows and columns: float64 [images, …]."""
    strips = [means[:, ::2, ::2].copy() for means in _window_means(images, window)]
    return np.concatenate(strips, axis=1)


def _halve(image: np.ndarray) -> np.ndarray:
    """Means of 2×2 pixels, the first row and column mirrored: float32 [⌈H/2⌉, ⌈W/2⌉].

    Four halvings of 8-bit values are exact in float32.
    """
    return uniform_filter(image, 2, output=np.float32)[::2, ::2].copy()
