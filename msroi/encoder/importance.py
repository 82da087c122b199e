"""The importance of blocks: from a saliency map and from what a block holds."""

import numpy as np

from msroi.encoder.blocks import block_saliency

# Where u leaves 0 and where it reaches 1, about 3/5, from which PSNR-S counts. On Kodak
# (benchmarks/tuning.py) a narrower ramp, 0.59 to 0.61, gains 0.04 dB of PSNR-S and loses 0.11 of
# PSNR; a wider one, 0.4 to 0.8, loses 0.08 and gains 0.07.
SALIENCY_RAMP = (0.5, 0.7)
# E₀, the mean weighted squared AC coefficient from which texture masks. A quarter of it gains
# 0.14 dB of PSNR-S and loses 0.16 of PSNR there; four times as much loses 0.12 and gains 0.11.
MASKING_ENERGY = 20.0


def importance(
    saliency: np.ndarray, strength: float, cells: list[tuple[int, int]]
) -> list[np.ndarray]:
    """Weight of each block's plain squared error, g_b = (2^strength − 1) · max(0, u_b − ū).

    The encoder minimises the error as the eye weighs it, everywhere, plus g_b times the squared
    error as it is: in salient blocks all frequencies count alike, as in PSNR-S. u_b rises from 0
    to 1 as a smooth step of the block's mean saliency, from 0.5 to 0.7: about 3/5, the upper
    edge of the middle one of the paper's five levels, above which the study calls a pixel
    salient. So no bits go to differences among blocks that are all salient, or all not. ū
    is the mean of u over the luma blocks: what is salient everywhere is nowhere preferred,
    and the fewer blocks are salient, the more each of them gains.

    The map is float [H, W] in [0, 1]; ``cells`` are the pixels that a block of each component
    covers, down and across, luma first. Each component has weights float32 [block rows, block
    columns], at least 0: all are 0 at strength 0, with a flat map, and with one that nowhere
    exceeds 0.5.
    """
    salient = [_smooth_step(block_saliency(saliency, cell)) for cell in cells]
    usual = salient[0].mean()
    return [(np.exp2(strength) - 1) * np.maximum(u - usual, 0).astype(np.float32) for u in salient]


def _smooth_step(saliency: np.ndarray) -> np.ndarray:
    """3 t² − 2 t³, t from 0 to 1 between the two bounds of `SALIENCY_RAMP`: float64."""
    low, high = SALIENCY_RAMP
    t = np.clip((saliency.astype(np.float64) - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def usual_weight(gains: np.ndarray) -> float:
    """N, the root mean square of 1 + g over the luma blocks: 1 where no block is preferred.

    All weights are divided by N, which lies toward those of the salient blocks: they come out
    near 1, where the plain encoder trades error against bits, and the others give bits away.
    So the search for the byte budget lowers the steps of the quantization table until they
    suit the salient blocks, as a multiplier alone could not.
    """
    return float(np.sqrt(np.mean((1 + gains.astype(np.float64)) ** 2)))


def masking(coefficients: np.ndarray, weights: np.ndarray, exponent: float) -> np.ndarray:
    """How much larger an error each block hides: (1 + E/E₀)^a, at least 1.

    E is the mean over the block of the squared AC coefficients, weighted by v (``weights``, float32
    [64]); a (``exponent``) is 0 for no masking. Coefficients are float32 [block rows, block
    columns, 64], and the result is float32 [block rows, block columns].
    """
    ac = coefficients[..., 1:]
    energy = np.einsum("ijk,ijk,k->ij", ac, ac, weights[1:]) / 64
    return (1 + energy / MASKING_ENERGY) ** np.float32(exponent)
