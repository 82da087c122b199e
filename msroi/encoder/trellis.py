"""Quantization by rate–distortion optimisation: the compiled kernel.

A block's AC levels are chosen along the best path through a trellis (Viterbi), as in
Crouse and Ramchandran, "Joint thresholding and quantizer selection for transform image
coding" (IEEE Transactions on Image Processing 6(2), 1997), and in mozjpeg, but every block
weighs errors on its own.
"""

from itertools import pairwise

import numpy as np
from numba import njit

from msroi.encoder import threads
from msroi.encoder.jpeg import EOB, ZRL

MAX_LEVEL = 1023  # of AC in baseline JPEG
WORTH_THREADS = 2048  # blocks from which threads gain more than they cost
_PARTS = 8  # of the blocks, each worked off by one thread with scratch of its own


def quantize(coefficients, steps, weights, gains, multipliers, prices, levels):
    """Quantize blocks so that each has the least Σ_k (v_k + g_b)(c_k − q_k l_k)² + λ_b · R(l).

    R counts the bits of the AC symbols under given code lengths, but that no run of zeros costs
    less than a shorter one: then a state that costs more than a later one cannot come before any
    other, and few are left to try. For each k the candidates are zero, the nearest level, and the
    largest level of every smaller size: of one size all levels cost the same bits, so no other
    level could be better, and the path found is the best there is. DC is rounded. λ_b = 0 rounds
    AC to the nearest level too.

    Parameters
    ----------
    coefficients : float32 [B, 64]
        c, in zigzag order.
    steps : float32 [64]
        q, the quantization table.
    weights : float32 [64]
        v, of each coefficient's squared error.
    gains : float32 [B]
        g, at least 0: what each block adds to the weights.
    multipliers : float32 [B]
        λ_b, at least 0, in squared error per bit.
    prices : float32 [256]
        Code length of each AC symbol (run << 4 | size), in bits, without magnitude bits.
    levels : int16 [B, 64]
        l, which is written to.
    """
    B = len(coefficients)
    by_run = _by_run(prices)

    def work(part):
        own = gains[part], multipliers[part], by_run, prices[EOB], levels[part]
        _quantize(coefficients[part], steps, weights, *own)

    if B < WORTH_THREADS:
        work(slice(None))
    else:
        edges = [B * part // _PARTS for part in range(_PARTS + 1)]
        threads.share(work, [slice(*pair) for pair in pairwise(edges)])


def load():
    """Load the kernel, or compile it where no process has yet: quantize a block of zeros."""
    block, sixty_four, one = (np.ones(shape, np.float32) for shape in ((1, 64), 64, 1))
    prices, levels = np.ones(256, np.float32), np.empty((1, 64), np.int16)
    quantize(0 * block, sixty_four, sixty_four, one, one, prices, levels)


def _by_run(prices: np.ndarray) -> np.ndarray:
    """Bits of a run of zeros and the level after it, magnitude included: float32 [63, 16]."""
    table = prices.reshape(16, 16) + np.arange(16, dtype=np.float32)
    more = prices[ZRL] * np.arange(4, dtype=np.float32)[:, None, None]  # each for sixteen zeros
    return np.maximum.accumulate((table + more).reshape(64, 16)[:63])


@njit(cache=True, nogil=True)
def _quantize(coefficients, steps, weights, gains, multipliers, by_run, end_of_block, levels):
    path = np.zeros((3, 64), np.int64)  # states: position, level, state before
    cost = np.zeros(64, np.float32)
    live = np.zeros(64, np.int64)
    inverse = np.float32(1) / steps
    for b in range(len(coefficients)):
        c, level = coefficients[b], levels[b]
        level[:] = 0
        level[0] = np.int16(np.rint(c[0] / steps[0]))
        own = gains[b], multipliers[b], by_run, path, cost, live
        states = _walk(c, steps, inverse, weights, *own)
        state = live[0]  # the cheapest
        last = states - 1
        if path[0, last] == 63 and cost[last] < cost[state] + multipliers[b] * end_of_block:
            state = last
        while state > 0:
            k = path[0, state]
            level[k] = path[1, state] if c[k] > 0 else -path[1, state]
            state = path[2, state]


@njit(cache=True, nogil=True)
def _walk(c, steps, inverse, weights, gain, multiplier, by_run, path, cost, live):
    """Fill in the cheapest way to each state, and return the number of states.

    State n ends a run at position path[0, n] with level path[1, n] > 0, and came from state
    path[2, n]; state 0 is the start of the block. cost[n] is relative to that of zeros alone, so
    that a run of zeros needs no sum. ``live`` holds the states that no later one undercuts, whose
    costs rise: the others cannot come before another one.
    """
    cost[0] = 0
    live[0] = 0
    states, alive = 1, 1
    for k in range(1, 64):
        a = abs(c[k])
        top = min(int(a * inverse[k] + np.float32(0.5)), MAX_LEVEL)
        if top == 0:
            continue
        weight = weights[k] + gain
        cost[states] = np.inf
        path[0, states] = k
        for size in range(_size(top), 0, -1):
            level = min(top, (1 << size) - 1)
            saved = level * steps[k]
            own = weight * saved * (saved - 2 * a)
            for n in range(alive):
                before = live[n]
                run = k - path[0, before] - 1
                trial = cost[before] + own + multiplier * by_run[run, size]
                if trial < cost[states]:
                    cost[states] = trial
                    path[1, states] = level
                    path[2, states] = before
        while alive > 0 and cost[live[alive - 1]] >= cost[states]:
            alive -= 1
        live[alive] = states
        alive += 1
        states += 1
    return states


@njit(cache=True, nogil=True)
def _size(level):
    """Bits of a level's magnitude."""
    size = 0
    while level > 0:
        level >>= 1
        size += 1
    return size
