"""The compiled kernel, and the statistics that it is priced by."""

from itertools import product

import numpy as np
import pytest

from msroi.encoder import huffman, jpeg
from msroi.encoder.trellis import WORTH_THREADS, quantize


def run(coefficients, steps, multipliers, prices, weights=None, gains=None):
    """Levels [B, 64] and counts [256]."""
    weights = np.ones(64, np.float32) if weights is None else weights
    gains = np.zeros(len(coefficients), np.float32) if gains is None else gains
    levels = np.full(coefficients.shape, 99, np.int16)
    quantize(coefficients, steps, weights, gains, multipliers, prices, levels)
    return levels, jpeg.count([levels[None]], jpeg.baseline(1), (1, 1)).counts[0][1]


def symbols(levels):
    """AC symbols of one block, word by word from T.81, F.1.2.2."""
    found, run_length = [], 0
    for level in levels[1:].tolist():
        if level == 0:
            run_length += 1
            continue
        while run_length > 15:
            found.append(0xF0)
            run_length -= 16
        found.append(run_length << 4 | abs(level).bit_length())
        run_length = 0
    return [*found, 0] if run_length else found


def cost(c, levels, steps, weights, multiplier, prices):
    error = ((c - steps * levels) ** 2 * weights)[1:].sum()
    return error + multiplier * sum(prices[s] + (s & 15) for s in symbols(levels))


def blocks(rng, count=200):
    """Coefficients as photos have them: smaller toward high frequencies."""
    spread = 120 / (1 + np.arange(64)) ** 0.8
    return (rng.laplace(size=(count, 64)) * spread).astype(np.float32)


def some_prices(rng):
    """Of symbols (run << 4 | size), higher for longer runs."""
    return np.sort(rng.uniform(1, 16, (16, 16)), axis=0).astype(np.float32).ravel()


def test_the_trellis_finds_what_trying_all_levels_finds(rng):
    steps, prices = np.full(64, 4, np.float32), some_prices(rng)
    weights = rng.uniform(0.2, 2, 64).astype(np.float32)
    places = [1, 2, 19, 40, 63]  # runs of 0, 16, 20 and 22 zeros between
    c = np.zeros((20, 64), np.float32)
    c[:, places] = rng.normal(0, 10, (20, 5))
    multipliers = rng.uniform(0.1, 8, 20).astype(np.float32)
    gains = rng.uniform(0, 3, 20).astype(np.float32)
    found, _ = run(c, steps, multipliers, prices, weights, gains)
    for block, gain, multiplier, levels in zip(c, gains, multipliers, found, strict=True):
        own = weights + gain
        nearest = np.rint(block[places] / 4).astype(int)
        tried = np.zeros(64, int)
        costs = []
        for values in product(*(range(min(0, n), max(0, n) + 1) for n in nearest)):
            tried[places] = values
            costs.append(cost(block, tried, steps, own, multiplier, prices))
        least = cost(block, levels, steps, own, multiplier, prices)
        assert least == pytest.approx(min(costs), rel=1e-5)


def test_the_trellis_never_costs_more_than_rounding_and_counts_its_symbols(rng):
    c, prices = blocks(rng), some_prices(rng)
    steps = np.linspace(3, 40, 64).astype(np.float32)
    multipliers = rng.uniform(0, 60, len(c)).astype(np.float32)
    found, counts = run(c, steps, multipliers, prices)
    expected = np.bincount([s for block in found for s in symbols(block)], minlength=256)
    np.testing.assert_array_equal(counts, expected)
    for block, multiplier, levels in zip(c, multipliers, found, strict=True):
        rounded = np.rint(block / steps).astype(int)
        ours, plain = (cost(block, x, steps, 1, multiplier, prices) for x in (levels, rounded))
        assert ours <= plain * (1 + 1e-5)


def test_without_a_multiplier_levels_are_rounded_and_dc_with_any(rng):
    c, steps = blocks(rng), np.linspace(3, 40, 64).astype(np.float32)
    levels, _ = run(c, steps, np.zeros(len(c), np.float32), some_prices(rng))
    np.testing.assert_array_equal(levels, np.rint(c / steps))
    levels, _ = run(c, steps, np.full(len(c), 1e6, np.float32), np.ones(256, np.float32))
    np.testing.assert_array_equal(levels[:, 0], np.rint(c[:, 0] / steps[0]))
    assert not levels[:, 1:].any()


def test_levels_are_held_to_what_baseline_can_code():
    c = np.zeros((1, 64), np.float32)
    c[0, 1:3] = 1100, -1100
    levels, counts = run(c, np.ones(64, np.float32), np.zeros(1, np.float32), np.ones(256, "f4"))
    assert levels[0, 1:3].tolist() == [1023, -1023]
    assert counts[10] == 2


def test_a_larger_multiplier_never_takes_more_bits(rng):
    c, prices = blocks(rng), some_prices(rng)
    steps = np.full(64, 9, np.float32)

    def bits(multiplier):
        levels, _ = run(c, steps, np.full(len(c), multiplier, np.float32), prices)
        return np.array([sum(prices[s] + (s & 15) for s in symbols(block)) for block in levels])

    few, more, most = bits(60), bits(20), bits(0)
    assert (few <= more + 1e-3).all() and (more <= most + 1e-3).all()
    assert few.sum() < more.sum() < most.sum()


def test_each_block_has_a_multiplier_and_a_gain_of_its_own(rng):
    c, prices, steps = blocks(rng, 6), some_prices(rng), np.full(64, 9, np.float32)
    ones = np.ones(6, np.float32)

    def alike(multiplier, weight):
        return run(c, steps, multiplier * ones, prices, np.full(64, weight, np.float32))[0]

    mixed, _ = run(c, steps, np.array([0, 50, 0, 50, 0, 50], np.float32), prices)
    gains = np.array([0, 4, 0, 4, 0, 4], np.float32)
    gained, _ = run(c, steps, 50 * ones, prices, gains=gains)
    for found, expected in (
        (mixed, (alike(0, 1), alike(50, 1))),
        (gained, (alike(50, 1), alike(50, 5))),
    ):
        for first in (0, 1):
            np.testing.assert_array_equal(found[first::2], expected[first][first::2])


def test_threads_change_nothing(rng):
    c, steps = blocks(rng, WORTH_THREADS + 1), np.full(64, 12, np.float32)
    multipliers, prices = np.full(len(c), 15, np.float32), some_prices(rng)
    gains = rng.uniform(0, 3, len(c)).astype(np.float32)
    threaded, counts = run(c, steps, multipliers, prices, gains=gains)
    parts = zip(*(np.split(array, [2000]) for array in (c, multipliers, gains)), strict=True)
    halves = [run(part, steps, own, prices, gains=gain) for part, own, gain in parts]
    np.testing.assert_array_equal(threaded, np.concatenate([levels for levels, _ in halves]))
    np.testing.assert_array_equal(counts, halves[0][1] + halves[1][1])


@pytest.mark.parametrize(("counts", "lengths"), [([8, 4, 2, 1], [1, 2, 3, 4]), ([0, 10], [0, 1])])
def test_code_lengths_by_hand(counts, lengths):
    padded = np.array([*counts, *[0] * (256 - len(counts))])
    assert huffman.code_lengths(padded).tolist() == [*lengths, *[0] * (256 - len(lengths))]


@pytest.mark.parametrize("symbols_used", [1, 2, 3, 17, 100, 162])
def test_codes_fit_in_sixteen_bits_and_leave_one_word_free(rng, symbols_used):
    counts = np.zeros(256, np.int64)
    counts[:symbols_used] = (1.6 ** rng.permutation(symbols_used).clip(max=80)).astype(np.int64)
    lengths = huffman.code_lengths(counts)[:symbols_used]
    assert lengths.min() >= 1 and lengths.max() <= 16
    assert (0.5**lengths).sum() < 1  # so the word of ones only is nobody's
    order = np.lexsort((-lengths, counts[:symbols_used]))
    assert (np.diff(lengths[order]) <= 0).all()  # rarer is never shorter


def test_code_lengths_are_within_a_bit_of_the_entropy(rng):
    counts = rng.integers(1, 1000, 256)
    share = counts / counts.sum()
    entropy = -(share * np.log2(share)).sum()
    assert entropy <= share @ huffman.code_lengths(counts) <= entropy + 1


@pytest.mark.parametrize(
    ("levels", "sampling", "sizes"),
    [
        # 1 2 3 4, then 9 and its filling, 9, filling
        ([[1, 2, 9], [3, 4, 9]], (2, 2), [1, 1, 1, 1, 3, 0, 0, 0]),
        ([[5, 5, -1024, 1024]], (1, 1), [3, 0, 11, 12]),
    ],
)
def test_dc_differences_follow_the_scan_of_mcus(levels, sampling, sizes):
    luma = np.zeros((*np.shape(levels), 64), np.int16)
    luma[..., 0] = levels
    chroma = np.zeros((len(luma) // sampling[0], -(-luma.shape[1] // sampling[1]), 64), np.int16)
    (counts,) = jpeg.count([luma, chroma, chroma], jpeg.baseline(3), sampling).counts
    np.testing.assert_array_equal(counts[0], np.bincount(sizes, minlength=256))
    assert counts[1, jpeg.EOB] == counts[1].sum() == len(sizes)
    assert counts[2, 0] == counts[3, jpeg.EOB] == 2 * chroma[..., 0].size


def test_a_rarer_symbol_has_a_higher_price_up_to_a_code_word():
    counts = np.zeros(256, np.int64)
    counts[:3] = 2**20, 2**10, 1
    prices = huffman.prices(counts)
    assert prices[0] < prices[1] < prices[2] == prices[3] == 16
