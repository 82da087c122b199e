"""Painting on a map with a soft brush (x, y, radius).

x and y are the brush's centre in pixels from the left and from the top; its radius, in pixels, is
that within which one touch is salient, above 3/5.
"""

import matplotlib as mpl
import numpy as np

from msroi.metrics import SALIENT

Brush = tuple[float, float, float]
RING = 1.5  # pixels of the ring's white, and of its black


def touch(shape: tuple[int, int], brush: Brush) -> np.ndarray:
    """One touch of the brush, a Gaussian: float32 [H, W] in [0, 1]."""
    return np.float32(SALIENT) ** np.square(_distance(shape, brush))


def add(saliency: np.ndarray, touched: np.ndarray) -> np.ndarray:
    """A map with a touch laid over it: what is left up to 1 shrinks."""
    return 1 - (1 - saliency) * (1 - touched)


def erase(saliency: np.ndarray, touched: np.ndarray) -> np.ndarray:
    """A map with a touch rubbed out of it."""
    return saliency * (1 - touched)


def map_picture(saliency: np.ndarray, brush: Brush) -> np.ndarray:
    """A map in the colours of the study's figures, 0 black and 1 light, with the brush's ring.

    Parameters
    ----------
    saliency : float [H, W] in [0, 1]

    Returns
    -------
    uint8 [H, W, 3]
    """
    colours = (255 * mpl.colormaps["magma"](np.arange(256))[:, :3]).astype(np.uint8)
    picture = colours[np.rint(255 * saliency).astype(np.uint8)]
    outside = brush[2] * (_distance(saliency.shape, brush) - 1)
    picture[(outside >= 0) & (outside < RING)] = 255
    picture[(outside < 0) & (outside >= -RING)] = 0
    return picture


def _distance(shape: tuple[int, int], brush: Brush) -> np.ndarray:
    """Distance of each pixel from the brush's centre, in radii: float32 [H, W]."""
    H, W = shape
    x, y, radius = brush
    across = (np.arange(W, dtype=np.float32) - x) / radius
    down = (np.arange(H, dtype=np.float32) - y) / radius
    return np.hypot(down[:, None], across)
