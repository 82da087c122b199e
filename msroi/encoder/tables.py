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


class Tune(NamedTuple):
    """What an encoder is tuned for: the family of its tables and the weights of an error."""

    # τ: a table is (base/g)^τ · g, with g the geometric mean of the Annex K table. 1 is Annex K, 0
    # the same step for all.
    flatness: float
    # σ: the squared error of coefficient k weighs v_k = (g/base_k)^2σ. 1 is what the eye sees by
    # Annex K, 0 plain squared error.
    sensitivity: float
    # a: λ grows as (1 + E/E₀)^a with the block's activity E, since texture hides errors
    masking: float
    # λ, the error that a bit may cost, by g², the mean weighted squared step, at scale 1
    trade: float
    chroma: float  # factor on the steps of chroma


# Set by hand. benchmarks/kodak.py --frontier shows all three, and benchmarks/tuning.py what
# changing "balanced" does on Kodak, where each of its numbers trades one metric for another. A
# flatness of 0.7 gains 0.25 dB of PSNR-HVS-M and loses 0.32 of PSNR; 0.3 gains 0.25 of PSNR and
# loses 0.59. Sensitivities of 1.1 and 0.7 do likewise. Less masking or trade gains PSNR and loses
# PSNR-S. A chroma of 1.1 gains 0.07 of PSNR-HVS, but puts Cb and Cr below the standard JPEG's,
# where 0.9 is 0.2 dB above.
TUNES = {
    "balanced": Tune(0.5, 0.9, 0.1, 0.07, 0.9),
    "hvs": Tune(0.9, 1.0, 0.12, 0.06, 0.95),
    "psnr": Tune(0.4, 0.4, 0.0, 0.08, 0.8),
}


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
