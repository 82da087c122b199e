"""The direct encoder taken apart for a lesson: one block from pixels to bits, one photo's curve."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from msroi import metrics
from msroi.encoder import direct, encode, huffman, jpeg, tables
from msroi.encoder.jpeg import EOB, ZRL
from msroi.images import decode, luma
from msroi.saliency import flat_map


class Luma(NamedTuple):
    """The luma of a photo as the direct encoder's trellis sees it."""

    component: direct.Component  # coefficients c and weights v
    steps: np.ndarray  # q, the quantization table, in zigzag order: uint16 [64]
    trade: float  # λ
    prices: np.ndarray  # bits of each AC symbol (run << 4 | size) without magnitude: float32 [256]

    @property
    def coefficients(self) -> np.ndarray:
        """c, in zigzag order: float32 [block rows, block columns, 64]."""
        return self.component.coefficients


def prepare(photo: np.ndarray, *, scale: float = 0.6) -> Luma:
    """Analyse luma of uint8 [H, W, 3] as ``tune="balanced"`` does, with prices of plain rounding.

    The scale is the quantization table's: 1 is libjpeg's quality 50, less is finer.
    """
    tune = tables.TUNES["balanced"]
    component, *_ = direct.analyse(photo, flat_map(photo), (2, 2), 0, tune)
    steps = tables.at_scale(component.base, scale)
    trade = tune.luma.trade * tables.geometric_mean(component.base) ** 2 * scale**2
    rounded = _quantize(Luma(component, steps, trade, huffman.USUAL_PRICES), np.inf)
    (counts,) = jpeg.count([rounded], jpeg.baseline(1), (1, 1)).counts
    return Luma(component, steps, trade, huffman.prices(counts[1]))


def levels_at(plane: Luma, block: tuple[int, int], weight: float) -> np.ndarray:
    """Quantize a block (row, column) whose error weighs w, infinite to round: levels int16 [64]."""
    return _quantize(plane, weight)[block]


def symbols(levels: np.ndarray, prices: np.ndarray) -> pd.DataFrame:
    """Return the AC symbols of a block's levels [64], in zigzag order, as JPEG writes them.

    Columns: ``zeros`` before the level, ``level`` ("ZRL": sixteen zeros; "end": only zeros follow),
    ``code`` and ``magnitude`` bits. DC, the first level, is not among the symbols.
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
    """Tell what becomes of a block (row, column) whose error weighs more or less, a row a weight.

    Columns: ``weight``, ``kept`` (AC levels that are not zero), ``bits`` (of AC) and ``error``
    (squared, as the table weighs it: Σ v (c − q l)²).
    """
    rows = []
    for weight in weights:
        levels = levels_at(plane, block, weight)
        coded = symbols(levels, plane.prices)
        bits = coded[["code", "magnitude"]].to_numpy().sum()
        error = plane.component.weights * (plane.coefficients[block] - plane.steps * levels) ** 2
        rows.append((weight, np.count_nonzero(levels[1:]), bits, error[1:].sum()))
    return pd.DataFrame(rows, columns=["weight", "kept", "bits", "error"])


def rate_distortion(
    photo: np.ndarray, saliency: np.ndarray, *, methods: Sequence[str], qualities: Sequence[int]
) -> pd.DataFrame:
    """Encode a photo by every method, at the bytes of the standard JPEG of each quality.

    Columns: ``method``, ``quality``, ``bytes``, ``rate_bpp`` (bits per pixel), and in dB, of luma,
    ``psnr`` and ``psnr_s``.
    """
    reference = luma(photo)
    rows = []
    for method in methods:
        for quality in qualities:
            data = encode(photo, saliency, method=method, quality=quality)
            result = luma(decode(data))
            psnr = metrics.psnr(reference, result)
            psnr_s = metrics.psnr_s(reference, result, saliency)
            rate = 8 * len(data) / reference.size
            rows.append((method, quality, len(data), rate, psnr, psnr_s))
    return pd.DataFrame(rows, columns=["method", "quality", "bytes", "rate_bpp", "psnr", "psnr_s"])


def _quantize(plane: Luma, weight: float) -> np.ndarray:
    """Quantize as if every block weighed the same, whatever its texture masks."""
    multipliers = np.full_like(plane.component.multipliers, 1 / weight)
    component = plane.component._replace(multipliers=multipliers)
    (levels,) = direct.apply_trellis([component], [plane.steps], [plane.prices], plane.trade)
    return levels
