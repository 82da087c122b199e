"""Structural similarity and visual information, as separable filters over strips of rows.

Every term is the mean of x, y, x², y² or xy under a Gaussian window that lies wholly inside
the image ("valid"). A strip overlaps the next by what its windows reach beyond it, so that
the strips of an image of any size have the windows of the whole image, and no more memory
is needed than for one strip. Images have one channel, values in [0, 255].
"""

from collections.abc import Iterator

import numpy as np
from scipy.ndimage import correlate1d, uniform_filter

STRIP = 64  # rows; even, so that every other row goes on from strip to strip
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
VIF_WINDOWS = (17, 9, 5, 3)  # one a scale, σ a fifth of each
VIF_NOISE = 2  # variance of the visual noise
VIF_EPSILON = 1e-10


def similarity(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Mean SSIM and its contrast–structure term; 11×11 window, σ = 1.5 (Wang et al., 2004).

    Parameters
    ----------
    x, y : uint8 or float [H, W]
        At least 11×11.

    Returns
    -------
    tuple of float
        Means of (2 μ_x μ_y + C₁) / (μ_x² + μ_y² + C₁) · cs and of
        cs = (2 σ_xy + C₂) / (σ_x² + σ_y² + C₂). https://doi.org/10.1109/TIP.2003.819861
    """
    window = _gaussian(11, 1.5)
    total = np.zeros(2)
    for a, b in _strips(window.size, x, y):
        mean_a, mean_b = _smooth(a, window), _smooth(b, window)
        product, square = mean_a * mean_b, mean_a**2 + mean_b**2
        cs = 2 * (_smooth(a * b, window) - product) + C2
        cs /= _smooth(a * a + b * b, window) - square + C2
        luminance = (2 * product + C1) / (square + C1)
        total += np.vdot(luminance, cs), cs.sum()
    value, contrast = total / _places(window.size, x.shape)
    return float(value), float(contrast)


def multiscale_similarity(x: np.ndarray, y: np.ndarray, first: tuple[float, float]) -> float:
    """Multi-scale SSIM (Wang, Simoncelli and Bovik, 2003): Π_j cs_j^{w_j} · SSIM₅^{w₅}.

    Parameters
    ----------
    x, y : uint8 [H, W]
        At least 176×176.
    first : tuple of float
        `similarity` of x and y, the first scale.

    Returns
    -------
    float
        The real part, where a negative contrast term makes a power complex.
        https://doi.org/10.1109/ACSSC.2003.1292216
    """
    terms = [first]
    for _ in SCALE_WEIGHTS[1:]:
        x, y = _halve(x), _halve(y)
        terms.append(similarity(x, y))
    factors = [contrast for _, contrast in terms[:-1]] + [terms[-1][0]]
    return float(np.prod(np.array(factors, complex) ** SCALE_WEIGHTS).real)


def visual_information(x: np.ndarray, y: np.ndarray) -> float:
    """Visual information fidelity in the pixel domain, four scales (Sheikh and Bovik, 2006).

    Parameters
    ----------
    x, y : uint8 [H, W]
        At least 41×41; x not flat.

    Returns
    -------
    float
        Σ log(1 + g² σ_x² / (σ_v² + 2)) / Σ log(1 + σ_x² / 2), where y = g x + v in every
        window. https://doi.org/10.1109/TIP.2005.859378
    """
    kept, total = 0.0, 0.0
    for scale, size in enumerate(VIF_WINDOWS):
        window = _gaussian(size, size / 5)
        if scale > 0:
            x, y = _reduce(x, window), _reduce(y, window)
        for a, b in _strips(size, x, y):
            strip_kept, strip_total = _information(a, b, window)
            kept += strip_kept
            total += strip_total
    return float(kept / total)


def _information(a: np.ndarray, b: np.ndarray, window: np.ndarray) -> tuple[float, float]:
    """Information about `a` that `b` keeps, and all that there is: sums over the windows."""
    mean_a, mean_b = _smooth(a, window), _smooth(b, window)
    covariance = _smooth(a * b, window) - mean_a * mean_b
    variance_a = _smooth(a * a, window) - mean_a**2
    variance_b = _smooth(b * b, window) - mean_b**2
    variance_a[variance_a < VIF_EPSILON] = 0
    gain = covariance / (variance_a + VIF_EPSILON)
    gain[(variance_a == 0) | (variance_b < VIF_EPSILON) | (gain < 0)] = 0
    noise = np.maximum(variance_b - gain * covariance, VIF_EPSILON) + VIF_NOISE
    kept = np.log(1 + gain**2 * variance_a / noise).sum()
    return kept, np.log(1 + variance_a / VIF_NOISE).sum()


def _gaussian(size: int, sigma: float) -> np.ndarray:
    offsets = np.arange(size) - size // 2
    weights = np.exp(-(offsets**2) / (2 * sigma**2))
    return weights / weights.sum()


def _strips(size: int, *images: np.ndarray) -> Iterator[list[np.ndarray]]:
    """Strips, as float64, that have `STRIP` rows of windows of the given size each."""
    for top in range(0, len(images[0]) - size + 1, STRIP):
        yield [image[top : top + STRIP + size - 1].astype(np.float64) for image in images]


def _places(size: int, shape: tuple[int, int]) -> int:
    return (shape[0] - size + 1) * (shape[1] - size + 1)


def _smooth(image: np.ndarray, window: np.ndarray, *, step: int = 1) -> np.ndarray:
    """Mean under every `step`-th window that lies inside the image, along both axes."""
    inside = slice(window.size // 2, -(window.size // 2), step)
    rows = correlate1d(image, window, axis=0)[inside]
    return correlate1d(rows, window, axis=1)[:, inside]


def _halve(image: np.ndarray) -> np.ndarray:
    """Means of 2×2 pixels, the first row and column mirrored: ⌈H/2⌉ × ⌈W/2⌉.

    Four halvings of 8 bits fit float32 without rounding.
    """
    return np.ascontiguousarray(uniform_filter(image, 2, output=np.float32)[::2, ::2])


def _reduce(image: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Smooth and keep every other row and column, float64."""
    return np.concatenate([_smooth(a, window, step=2) for (a,) in _strips(window.size, image)])
