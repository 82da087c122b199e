"""The direct encoder taken apart for a lesson: one block from pixels to bits, one photo's curve."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from msroi import metrics
from msroi.encoder import encode, huffman, tables
from msroi.encoder.coefficients import transform
from msroi.encoder.trellis import EOB, ZRL, quantize
from msroi.images import decode, luma


class Luma(NamedTuple):
    """The Y component of a photo as the trellis sees it.

    Attributes
    ----------
    coefficients : float32 [block rows, block columns, 64]
        c, in zigzag order.
    steps, weights : float32 [64]
        q, the quantization table; v, the weight of each coefficient's squared error.
    multiplier : float
        λ, squared error per bit.
    prices : float32 [256]
        Bits of each AC symbol (run << 4 | size), magnitude bits left out.
    """

    coefficients: np.ndarray
    steps: np.ndarray
    weights: np.ndarray
    multiplier: float
    prices: np.ndarray


def prepare(photo: np.ndarray, *, scale: float = 0.6) -> Luma:
    """Tables at a scale, and prices from a first pass that rounds (``tune="balanced"``).

    Parameters
    ----------
    photo : uint8 [H, W, 3]
    scale : float
        Of the quantization table; 1 is libjpeg's quality 50, less is finer.
    """
    tune = tables.TUNES["balanced"]
    base = tables.flatten(tables.ANNEX_K_LUMA, tune.flatness)
    first = Luma(
        coefficients=transform(photo, (2, 2))[0],
        steps=tables.at_scale(base, scale).astype(np.float32),
        weights=tables.error_weights(tables.ANNEX_K_LUMA, tune.sensitivity),
        multiplier=tune.trade * (scale * tables.geometric_mean(base)) ** 2,
        prices=np.zeros(256, np.float32),
    )
    _, counts = _quantize(first, np.inf)
    return first._replace(prices=huffman.prices(counts))


def levels_at(plane: Luma, block: tuple[int, int], weight: float) -> np.ndarray:
    """Levels int16 [64] of a block (row, column) whose error weighs w; infinite is rounding."""
    return _quantize(plane, weight)[0][block]


def symbols(levels: np.ndarray, prices: np.ndarray) -> pd.DataFrame:
    """The AC symbols of a block as JPEG writes them.

    Parameters
    ----------
    levels : int [64]
        In zigzag order; the first, DC, is not among the symbols.
    prices : float32 [256]

    Returns
    -------
    DataFrame
        ``zeros`` before the level, ``level`` ("ZRL": sixteen zeros; "end": only zeros follow),
        ``code`` and ``magnitude`` bits.
    """
    rows, before = [], 0
    for k in 1 + np.flatnonzero(levels[1:]):
        run, size = k - before - 1, int(abs(levels[k])).bit_length()
        rows += [(16, "ZRL", prices[ZRL], 0)] * (run // 16)
        rows.append((run % 16, str(levels[k]), prices[run % 16 << 4 | size], size))
        before = k
    if before < 63:
        rows.append((63 - before, "end", prices[EOB], 0))
    return pd.DataFrame(rows, columns=["zeros", "level", "code", "magnitude"])


def block_under_weights(
    plane: Luma, block: tuple[int, int], weights: Sequence[float]
) -> pd.DataFrame:
    """What becomes of a block (row, column) whose error weighs more or less.

    Returns
    -------
    DataFrame
        A row a weight: ``weight``, ``kept`` (AC levels that are not zero), ``bits`` (of AC) and
        ``error`` (squared, as the table weighs it: Σ v (c − q l)²).
    """
    rows = []
    for weight in weights:
        levels = levels_at(plane, block, weight)
        coded = symbols(levels, plane.prices)
        error = plane.weights * (plane.coefficients[block] - plane.steps * levels) ** 2
        entry = {"weight": weight, "kept": np.count_nonzero(levels[1:])}
        entry |= {"bits": coded[["code", "magnitude"]].to_numpy().sum()}
        rows.append(entry | {"error": error[1:].sum()})
    return pd.DataFrame(rows)


def rate_distortion(
    photo: np.ndarray, saliency: np.ndarray, *, methods: Sequence[str], qualities: Sequence[int]
) -> pd.DataFrame:
    """One photo by every method, at the bytes of the standard JPEG of each quality.

    Returns
    -------
    DataFrame
        ``method``, ``quality``, ``bytes``, ``rate_bpp`` (bits per pixel), ``psnr`` and
        ``psnr_s`` (dB, luma).
    """
    reference = luma(photo)
    rows = []
    for method in methods:
        for quality in qualities:
            data = encode(photo, saliency, method=method, quality=quality)
            result = luma(decode(data))
            row = {"method": method, "quality": quality, "bytes": len(data)}
            row |= {"rate_bpp": 8 * len(data) / reference.size}
            row |= {"psnr": metrics.psnr(reference, result)}
            rows.append(row | {"psnr_s": metrics.psnr_s(reference, result, saliency)})
    return pd.DataFrame(rows)


def _quantize(plane: Luma, weight: float) -> tuple[np.ndarray, np.ndarray]:
    levels = np.empty(plane.coefficients.shape, np.int16)
    flat = plane.coefficients.reshape(-1, 64)
    multipliers = np.full(len(flat), plane.multiplier / weight, np.float32)
    out = levels.reshape(-1, 64)
    gains = np.zeros(len(flat), np.float32)
    counts = quantize(flat, plane.steps, plane.weights, gains, multipliers, plane.prices, out)
    return levels, counts
