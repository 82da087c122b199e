"""The importance of blocks: from a saliency map and from what a block holds."""

import numpy as np

from msroi.encoder.blocks import block_saliency

ACTIVITY = 20.0  # E₀: mean weighted squared AC coefficient from which texture masks


def importance(
    saliency: np.ndarray, strength: float, cells: list[tuple[int, int]]
) -> list[np.ndarray]:
    """Weight of each block's distortion, w_b = 2^(strength · s_b) / N.

    s_b is the mean saliency of the block's pixels: each unit of strength halves the squared
    error worth a bit in a fully salient block, against one without saliency. N is the root
    mean square of 2^(strength · s_b) over the luma blocks, which lies toward the salient
    ones: they come out near 1, where the plain encoder trades error against bits, and the
    others give bits away. So the search for the byte budget lowers the steps of the
    quantization table until they suit the salient blocks, as a multiplier alone could not.

    Parameters
    ----------
    saliency : float [H, W] in [0, 1]
    strength : float
        0 or more. At 0, or with a flat map, every weight is exactly 1.
    cells : list of (int, int)
        Pixels that a block of each component covers, down and across; luma first.

    Returns
    -------
    list of float32 [block rows, block columns]
    """
    saliencies = [block_saliency(saliency, cell) for cell in cells]
    luma = saliencies[0].astype(np.float64)
    gains = [np.exp2(strength * (s - luma.mean())) for s in saliencies]
    norm = np.sqrt(np.mean(gains[0] ** 2))
    return [(gain / norm).astype(np.float32) for gain in gains]


def masking(coefficients: np.ndarray, weights: np.ndarray, exponent: float) -> np.ndarray:
    """How much larger an error each block hides: (1 + E/E₀)^a.

    E is the mean over the block of the weighted squared AC coefficients.

    Parameters
    ----------
    coefficients : float32 [block rows, block columns, 64]
    weights : float32 [64]
        v, of each coefficient's squared error.
    exponent : float
        a; 0 is no masking.

    Returns
    -------
    float32 [block rows, block columns], at least 1
    """
    ac = coefficients[..., 1:]
    energy = np.einsum("ijk,ijk,k->ij", ac, ac, weights[1:]) / 64
    return (1 + energy / ACTIVITY) ** np.float32(exponent)
