"""Quantization tables, and what an encoder may be tuned for."""

from typing import NamedTuple

import numpy as np

from msroi.encoder.blocks import ZIGZAG

# ITU-T T.81, tables K.1 and K.2
ANNEX_K_LUMA = np.array(
    [
        *(16, 11, 10, 16, 24, 40, 51, 61),
        *(12, 12, 14, 19, 26, 58, 60, 55),
        *(14, 13, 16, 24, 40, 57, 69, 56),
        *(14, 17, 22, 29, 51, 87, 80, 62),
        *(18, 22, 37, 56, 68, 109, 103, 77),
        *(24, 35, 55, 64, 81, 104, 113, 92),
        *(49, 64, 78, 87, 103, 121, 120, 101),
        *(72, 92, 95, 98, 112, 100, 103, 99),
    ],
    np.float64,
)[ZIGZAG]
ANNEX_K_CHROMA = np.array(
    [
        *(17, 18, 24, 47, 99, 99, 99, 99),
        *(18, 21, 26, 66, 99, 99, 99, 99),
        *(24, 26, 56, 99, 99, 99, 99, 99),
        *(47, 66, 99, 99, 99, 99, 99, 99),
        *[99] * 32,
    ],
    np.float64,
)[ZIGZAG]


# jpegli's table of luma, as its file of quality 50 has it
JPEGLI_LUMA = np.array(
    [
        *(12, 10, 20, 21, 33, 34, 37, 38),
        *(10, 14, 20, 23, 34, 31, 39, 39),
        *(20, 20, 24, 27, 34, 38, 37, 41),
        *(21, 23, 27, 33, 41, 42, 42, 45),
        *(33, 34, 34, 41, 45, 48, 54, 54),
        *(34, 31, 38, 42, 48, 53, 50, 59),
        *(37, 39, 37, 42, 54, 50, 53, 53),
        *(38, 39, 41, 45, 54, 59, 53, 43),
    ],
    np.float64,
)[ZIGZAG]


class Channel(NamedTuple):
    """How the coefficients of Y, Cb or Cr are quantized: the family of tables and the weights."""

    # τ: a table is (base/g)^τ · g, with g the geometric mean of the base. 1 is the base itself, 0
    # the same step for all.
    flatness: float
    # σ: the squared error of coefficient k weighs v_k = (g/base_k)^2σ. 1 is what the eye sees by
    # the base, 0 plain squared error.
    sensitivity: float
    # λ, the error that a bit may cost, by g², the mean weighted squared step, at scale 1
    trade: float
    steps: float = 1.0  # factor on all steps
    mean_step: float = 1.0  # a further factor on that of DC, the block's mean
    masking: float = 0.0  # a: λ grows as (1 + E/E₀)^a with the block's activity E
    jpegli: bool = False  # whether the base is jpegli's table instead of Annex K's


class Tune(NamedTuple):
    """What an encoder is tuned for."""

    luma: Channel
    blue: Channel  # Cb
    red: Channel  # Cr
    darkness: float = 0.0  # d: λ is a block's mean luma to the power of d, for dark ones hide less


def geometric_mean(table: np.ndarray) -> float:
    """exp of the mean logarithm."""
    return float(np.exp(np.log(table).mean()))


def flatten(base: np.ndarray, flatness: float) -> np.ndarray:
    """The table (base/g)^τ · g, not rounded: float64 [64]."""
    g = geometric_mean(base)
    return (base / g) ** flatness * g


def error_weights(base: np.ndarray, sensitivity: float) -> np.ndarray:
    """v_k = (g/base_k)^2σ, of geometric mean 1: float32 [64]."""
    return ((geometric_mean(base) / base) ** (2 * sensitivity)).astype(np.float32)


def at_scale(table: np.ndarray, scale: float) -> np.ndarray:
    """The table of a file, `scale` times as coarse: uint16 [64] from 1 to 255."""
    return np.clip(np.rint(table * scale), 1, 255).astype(np.uint16)


def quality_of(scale: float) -> float:
    """libjpeg's quality (1 to 100, here continuous) that scales Annex K by `scale`."""
    return 50 * (2 - scale) if scale < 1 else 50 / scale


def scale_of(quality: float) -> float:
    """The inverse of `quality_of`."""
    return 2 - quality / 50 if quality > 50 else 50 / quality


def _alike(luma: Channel, chroma: float) -> Tune:
    """Tune all channels as luma, but for a factor on the steps of chroma."""
    other = luma._replace(steps=chroma)
    return Tune(luma, other, other)


# "hvs" and "psnr" were set by hand. The others are where searches (CMA-ES, over all numbers of the
# three channels) ended on Kodak's images 1, 5, 9, 13, 19 and 23 at the bytes of standard JPEG's
# quality 50, "ssimulacra2" at those of 90 too: that one with the most of its score (with Annex K's
# table, 1.3 less); "balanced" with the most of the score and of the gain where the map is high, on
# half of some photographs of OSIE and ECSSD too, while PSNR gains 0.8 dB and PSNR-HVS 0.7 without a
# map, and no metric loses with one. 4:4:4 gained by none, at qualities 75 and 90 neither.
TUNES = {
    "balanced": Tune(
        luma=Channel(0.53, 0.85, 0.06, mean_step=0.55, masking=0.15),
        blue=Channel(1.0, 0.88, 0.058, steps=1.1, mean_step=0.43),
        red=Channel(0.67, 0.2, 0.04, steps=0.62, mean_step=1.2),
        darkness=0.22,
    ),
    "hvs": _alike(Channel(0.9, 1.0, 0.06, masking=0.12), 0.95),
    "psnr": _alike(Channel(0.4, 0.4, 0.08), 0.8),
    "ssimulacra2": Tune(
        luma=Channel(1.0, 1.0, 0.0155, mean_step=0.53, masking=0.3, jpegli=True),
        blue=Channel(0.79, 0.9, 0.0475, steps=0.52, mean_step=0.27),
        red=Channel(0.75, 0.63, 0.045, steps=0.4, mean_step=1.1),
        darkness=0.7,
    ),
}
