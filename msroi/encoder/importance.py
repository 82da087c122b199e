"""The importance of blocks: from a saliency map and from what a block holds."""

import numpy as np

from msroi.encoder.blocks import block_saliency

# Shares of the luma blocks: u leaves 0 at the block that 80% surpass, and is 1 from the one that
# 20% surpass on. A ramp from 40 to 20% gains less where people look, and a smaller share of what
# the true fixations as a map gain (OSIE: 53%, this one 75%).
SALIENCY_RAMP = (0.8, 0.2)
# E₀, the mean weighted squared AC coefficient from which texture masks. A quarter of it gains
# 0.11 dB of PSNR-S and loses 0.11 of PSNR there; four times as much loses 0.09 and gains 0.11.
MASKING_ENERGY = 20.0


def importance(
    saliency: np.ndarray, strength: float, cells: list[tuple[int, int]]
) -> list[np.ndarray]:
    """Weight of each block's plain squared error, g_b = (2^strength − 1) · max(0, u_b − ū).

    The encoder minimises the error as the eye weighs it, everywhere, plus g_b times the squared
    error as it is: in salient blocks all frequencies count alike, as in PSNR-S. u_b rises from 0
    to 1, as a smooth step, with the share of luma blocks that b surpasses in mean saliency (of
    those equal to it, half): so the map's scale does not matter, and no bits go to differences
    among blocks that are all salient, or all not. Where no block surpasses as many as the ramp asks
    for, as with a drawn mask of half the image, it begins and ends lower. ū is the mean of u over
    the luma blocks: the fewer blocks are salient, the more each of them gains.

    The map is float [H, W]; ``cells`` are the pixels that a block of each component
    covers, down and across, luma first. Each component has weights float32 [block rows, block
    columns], at least 0: all are 0 at strength 0, and with a flat map.
    """
    known = {cell: block_saliency(saliency, cell) for cell in dict.fromkeys(cells)}
    ramps = dict(zip(known, _ramped(list(known.values())), strict=True))
    luma, *chroma = (ramps[cell] for cell in cells)
    gain = np.exp2(strength) - 1
    return [(gain * np.maximum(u - luma.mean(), 0)).astype(np.float32) for u in (luma, *chroma)]


def _ramped(components: list[np.ndarray]) -> list[np.ndarray]:
    """u of each component's blocks, float64, by the order of the first one's."""
    order = np.sort(components[0], axis=None)
    surpassed = [
        sum(np.searchsorted(order, own, side) for side in ("left", "right")) / (2 * len(order))
        for own in components
    ]
    start, end = (1 - share for share in SALIENCY_RAMP)
    lower = max(end - surpassed[0].max(), 0)
    return [_smooth_step((own - start + lower) / (end - start)) for own in surpassed]


def _smooth_step(t: np.ndarray) -> np.ndarray:
    """3 t² − 2 t³, t cut to the range from 0 to 1."""
    t = np.clip(t, 0, 1)
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
