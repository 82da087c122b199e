"""The direct encoder: coefficients quantized once, with the bits where the map says."""

from functools import partial
from typing import NamedTuple

import numpy as np

from msroi.encoder import coefficients as dct
from msroi.encoder import huffman, jpeg, tables, trellis
from msroi.encoder.arguments import check_choice, check_flag, check_number
from msroi.encoder.blocks import SIDE, SUBSAMPLINGS
from msroi.encoder.budget import Encoded, Start, approach, glance, rehearse
from msroi.encoder.importance import importance, masking, usual_weight
from msroi.encoder.tables import TUNES, Tune
from msroi.encoder.target import Judge, aim

SCALES = (0.005, 50.0)  # of the tables: every step is 1, quality 1
# the first scale tried, by libjpeg's of that quality; benchmarks/tuning.py: with 0.6 an image is
# quantized 4.8 times, with 0.4 and 0.9 4.9 times
FIRST_SCALE_RATIO = 0.6
# One in so many rows of MCUs tell where the search starts: eight Kodak images at three budgets take
# 29.6 ms of time on the mean, without it 32.8; with one row in eight 30.5
SAMPLED_ROWS = 4
# Pixels from which the search is rehearsed on a sample, and pixels of the sample, or a few more. A
# Kodak image repeated to 17 megapixels then takes 6.4 s of processor time rather than 8.6, to 38
# megapixels 11.8 rather than 18.1; a sample of 2**20 misled the search of the first (10.2 s), and
# one of 2**23 took 8.5 and 12.9 s.
REHEARSED_FROM_PIXELS = 2**24
SAMPLE_PIXELS = 2**22
# tried where a score is to be reached: steps of 0.1 of SSIMULACRA2 and less, on Kodak
QUALITIES = [tables.quality_of(scale) for scale in np.geomspace(*SCALES, 2000)[::-1].tolist()]
DARK = 32  # of luma's 255: from there up a block counts as brighter, by `Tune.darkness`


class Component(NamedTuple):
    """What is known of Y, Cb or Cr before it is quantized."""

    coefficients: np.ndarray  # float32 [block rows, block columns, 64]
    gains: np.ndarray  # float32 [block rows, block columns]: m_b g_b / N
    multipliers: np.ndarray  # float32 [block rows, block columns]: λ_b at scale 1
    sampling: tuple[int, int]  # its blocks in an MCU, down and across
    base: np.ndarray  # float64 [64]: the table at scale 1
    weights: np.ndarray  # float32 [64]: v / N


class Attempt(NamedTuple):
    """An image quantized at one scale of the tables."""

    levels: list[np.ndarray]  # int16 [block rows, block columns, 64] a component
    tables: list[np.ndarray]  # uint16 [64] a component
    prices: list[np.ndarray]  # of its AC symbols, float32 [256] a component
    split: int  # of the scans of luma, in a progressive file
    coded: jpeg.Coded
    size_bytes: int  # of the file, but for zeros after bytes of ones


def encode(
    image: np.ndarray,
    saliency: np.ndarray,
    *,
    max_bytes: int | None = None,
    judge: Judge | None = None,
    quality: float = 50.0,
    strength: float = 3.0,
    tune: str = "balanced",
    subsampling: str = "4:2:0",
    progressive: bool = True,
) -> Encoded:
    """Encode by rate–distortion optimisation under a map, into a byte budget or up to a score.

    Per block b, the AC levels l minimise Σ_k (v_k/m_b + g_b)/N · (c_k − q_k l_k)² + λ R(l) by a
    trellis (`msroi.encoder.trellis`): v_k is the weight that coefficient k's error has to the
    eye (`msroi.encoder.tables`), m_b what the block's texture masks and g_b what its saliency
    adds, and N the usual 1 + g_b (`msroi.encoder.importance`); R counts the bits under code
    lengths from the image's own symbols. DC is rounded: a trellis over its differences
    gained 0.01 dB at most (Kodak).
    The table q follows one scale and λ its square; the search changes both so that the
    file just fits, by sizes estimated from the symbols, and writes only the last
    candidates.

    Parameters
    ----------
    image : uint8 [H, W, 3]
        RGB; of equal channels throughout, a grey JPEG.
    saliency : float [H, W] in [0, 1]
        Only its order counts. A flat one makes a plain optimising encoder.
    max_bytes : int, optional
        The file takes 99% of it or more, or is the finest there is, as `approach` tells.
    judge : msroi.encoder.target.Judge, optional
        In place of `max_bytes`: a score to reach with few bytes, at the usual thrift.
    quality : float
        libjpeg's number for about this size: where the search for a budget starts.
    strength : float
        0 or more: how much the map weighs; g_b grows as 2^strength − 1. 0 is a flat map.
    tune : str
        ``"balanced"``; ``"psnr"`` for squared error; ``"hvs"`` for PSNR-HVS-M;
        ``"ssimulacra2"`` for that score.
    subsampling : str
        ``"4:2:0"``, ``"4:2:2"`` or ``"4:4:4"``.
    progressive : bool
        False is a baseline JPEG, a few per cent larger at equal quality.

    Returns
    -------
    Encoded
        Its quality is libjpeg's number for the tables' scale, continuous from 1 to 100; at an
        equal number the file is better and larger than libjpeg's.

    Raises
    ------
    BudgetError, TargetError, ArgumentError
    """
    _check_options(strength, tune, subsampling, progressive)
    if all((row == row[:, :1]).all() for row in image):  # most end at the first
        image, subsampling = image[..., 0], "4:4:4"
    sampling = SUBSAMPLINGS[subsampling]
    components = analyse(image, saliency, sampling, strength, TUNES[tune])
    if judge:
        frame = jpeg.Frame(image.shape[:2], sampling)
        return aim(partial(_write_settled, components, frame, progressive), judge, QUALITIES)

    def run(search, components, max_bytes, shape, start):
        frame = jpeg.Frame(shape, sampling)
        quantize = partial(_quantize, components, frame, progressive)
        return search(quantize, partial(_write, frame), max_bytes, SCALES, start)

    first = FIRST_SCALE_RATIO * tables.scale_of(quality)  # 0 for quality 100
    start = Start(max(first, SCALES[0]))
    pixels = image.shape[0] * image.shape[1]
    begin, step = glance, SAMPLED_ROWS
    if pixels >= REHEARSED_FROM_PIXELS:
        begin, step = rehearse, pixels // SAMPLE_PIXELS
    if components[0].coefficients.shape[0] >= step * sampling[0]:
        sample, shape, share = _sample(components, image.shape[:2], step)
        start = run(begin, sample, round(share * max_bytes), shape, start)
    found = run(approach, components, max_bytes, image.shape[:2], start)
    return Encoded(found.data, tables.quality_of(found.quality))


def _check_options(strength: float, tune: str, subsampling: str, progressive: bool) -> None:
    check_number("strength", strength, 0, 100)
    check_choice("tune", tune, TUNES)
    check_choice("subsampling", subsampling, SUBSAMPLINGS)
    check_flag("progressive", progressive)


def analyse(
    image: np.ndarray, saliency: np.ndarray, sampling: tuple[int, int], strength: float, tune: Tune
) -> list[Component]:
    """Transform an image, and weigh its blocks: all that is known before the search."""
    planes = dct.transform(image, sampling)
    samplings = [sampling, (1, 1), (1, 1)][: len(planes)]
    down, across = sampling
    cells = [(SIDE * down // v, SIDE * across // h) for v, h in samplings]
    gains = importance(saliency, strength, cells)
    usual = np.float32(usual_weight(gains[0]))
    brightness = (np.maximum(planes[0][..., 0] / SIDE + 128, 0) + DARK) / (128 + DARK)
    components = []
    for plane, own, gain, channel in zip(planes, samplings, gains, tune[:3], strict=False):
        known = tables.ANNEX_K_CHROMA if components else tables.ANNEX_K_LUMA
        known = tables.JPEGLI_LUMA if channel.jpegli else known
        base = tables.flatten(known, channel.flatness) * channel.steps
        base *= np.sqrt(4 * own[0] * own[1] / (down * across)) if components else 1
        base[0] *= channel.mean_step
        weights = tables.error_weights(known, channel.sensitivity)
        masks = masking(plane, weights, channel.masking)
        masks *= brightness[:: down // own[0], :: across // own[1]] ** tune.darkness
        multipliers = np.float32(channel.trade * tables.geometric_mean(base) ** 2) * masks
        weighed = masks * gain / usual, multipliers, own, base, weights / usual  # all times m_b
        components.append(Component(plane, *weighed))
    return components


def _sample(
    components: list[Component], shape: tuple[int, int], step: int
) -> tuple[list[Component], tuple[int, int], float]:
    """Each ``step``th row of MCUs, as an image of their own; its shape; its share of all."""
    H, W = shape
    mcu = SIDE * components[0].sampling[0]
    chosen = np.arange(step // 2, H // mcu, step)
    sample = []
    for c, gains, multipliers, sampling, *rest in components:
        rows = (chosen[:, None] * sampling[0] + np.arange(sampling[0])).ravel()
        sample.append(Component(c[rows], gains[rows], multipliers[rows], sampling, *rest))
    return sample, (len(chosen) * mcu, W), len(chosen) * mcu / H


def _quantize(
    components: list[Component],
    frame: jpeg.Frame,
    progressive: bool,
    scale: float,
    thrift: float,
    before: Attempt | None,
) -> Attempt:
    """Quantize at a scale, with the prices of symbols from the attempt before."""
    used = [tables.at_scale(component.base, scale) for component in components]
    prices = before.prices if before else [huffman.USUAL_PRICES] * len(components)
    levels = apply_trellis(components, used, prices, thrift * scale**2)
    split = 0
    if progressive:
        split = before.split if before else jpeg.best_split(levels[0])
        scans = jpeg.progressive(len(levels), split)
    else:
        scans = jpeg.baseline(len(levels))
    coded = jpeg.count(levels, scans, frame.sampling)
    luma, chroma = map(huffman.prices, sum(coded.counts)[1::2])
    prices = [luma, chroma, chroma][: len(levels)]
    size = jpeg.size_bytes(coded, used, frame)
    return Attempt(levels, used, prices, split, coded, size)


def apply_trellis(
    components: list[Component], used: list[np.ndarray], prices: list[np.ndarray], trade: float
) -> list[np.ndarray]:
    """Quantize components by the trellis, each with a table and prices of its own: their levels.

    The prices are float32 [256] as `msroi.encoder.trellis.quantize` takes them; `trade` is the
    factor on the components' multipliers; 0 rounds.
    """
    levels = []
    for component, table, bits in zip(components, used, prices, strict=True):
        c, gains, multipliers, _, _, weights = component
        out = np.empty(c.shape, np.int16)
        own = weights, gains.ravel(), np.float32(trade) * multipliers.ravel()
        steps = table.astype(np.float32)
        trellis.quantize(c.reshape(-1, 64), steps, *own, bits, out.reshape(-1, 64))
        levels.append(out)
    return levels


def _write_settled(
    components: list[Component],
    frame: jpeg.Frame,
    progressive: bool,
    quality: float,
    thrift: float,
) -> bytes:
    """Write a file at a quality, quantized twice: at last with prices of its own symbols."""
    scale = tables.scale_of(quality)
    measure = partial(_quantize, components, frame, progressive, scale, thrift)
    return _write(frame, measure(measure(None)))


def _write(frame: jpeg.Frame, attempt: Attempt) -> bytes:
    return jpeg.write(attempt.levels, attempt.coded, attempt.tables, frame)
