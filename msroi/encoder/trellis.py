"""Quantization by rate–distortion optimisation: the compiled kernel.

A block's AC levels are chosen along the best path through a trellis (Viterbi), as in
Crouse and Ramchandran, "Joint thresholding and quantizer selection for transform image
coding" (IEEE Transactions on Image Processing 6(2), 1997), and in mozjpeg, but every block
weighs errors on its own.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise

import numpy as np
from numba import njit

from msroi.encoder.jpeg import EOB, ZRL

MAX_LEVEL = 1023  # of AC in baseline JPEG
WORTH_THREADS = 4096  # blocks from which threads gain more than they cost
_PARTS = 16  # of the blocks, each worked off by one thread with scratch of its own


def quantize(coefficients, steps, weights, gains, multipliers, prices, levels):
    """Quantize blocks so that each has the least Σ_k (v_k + g_b)(c_k − q_k l_k)² + λ_b · R(l).

    R counts the bits of the AC symbols under given code lengths. For each k the candidates
    are zero, the nearest level, and the largest level of every smaller size: of one size
    all levels cost the same bits, so no other level could be better, and the path found is
    the best there is. DC is rounded. λ_b = 0 rounds AC to the nearest level too.

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
    if B < WORTH_THREADS:
        _quantize(coefficients, steps, weights, gains, multipliers, prices, levels)
        return
    edges = [B * part // _PARTS for part in range(_PARTS + 1)]
    parts = [slice(*pair) for pair in pairwise(edges)]

    def work(part):
        own = gains[part], multipliers[part], prices, levels[part]
        _quantize(coefficients[part], steps, weights, *own)

    list(_threads().map(work, parts))


@cache
def _threads() -> ThreadPoolExecutor:
    told = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return ThreadPoolExecutor(int(told) if told.isdecimal() else os.cpu_count())


def load():
    """Load the kernel, or compile it where no process has yet: quantize a block of zeros."""
    block, sixty_four, one = (np.ones(shape, np.float32) for shape in ((1, 64), 64, 1))
    prices, levels = np.ones(256, np.float32), np.empty((1, 64), np.int16)
    quantize(0 * block, sixty_four, sixty_four, one, one, prices, levels)


@njit(cache=True, nogil=True)
def _quantize(coefficients, steps, weights, gains, multipliers, prices, levels):
    path = np.zeros((3, 64), np.int64)  # states: position, level, state before
    cost = np.zeros(64, np.float32)
    tail = np.zeros(64, np.float32)
    inverse = np.float32(1) / steps
    for b in range(len(coefficients)):
        c, level = coefficients[b], levels[b]
        level[:] = 0
        level[0] = np.int16(np.rint(c[0] / steps[0]))
        states = _walk(
            c, steps, inverse, weights, gains[b], multipliers[b], prices, path, cost, tail
        )
        state = _cheapest_end(multipliers[b] * prices[EOB], path[0], cost, tail, states)
        while state > 0:
            k = path[0, state]
            level[k] = path[1, state] if c[k] > 0 else -path[1, state]
            state = path[2, state]


@njit(cache=True, nogil=True)
def _walk(c, steps, inverse, weights, gain, multiplier, prices, path, cost, tail):
    """Fill in the cheapest way to each state, and return the number of states.

    State n ends a run at position path[0, n] with level path[1, n] > 0, and came from state
    path[2, n]; state 0 is the start of the block. tail[k] is the distortion where all of
    1…k are zero; cost[n] is relative to it, so that a run of zeros needs no sum.
    """
    cost[0] = 0
    states = 1
    for k in range(1, 64):
        a = abs(c[k])
        weight = weights[k] + gain
        tail[k] = tail[k - 1] + weight * a * a
        top = min(int(a * inverse[k] + np.float32(0.5)), MAX_LEVEL)
        if top == 0:
            continue
        cost[states] = np.inf
        path[0, states] = k
        for size in range(_size(top), 0, -1):
            level = min(top, (1 << size) - 1)
            error = a - level * steps[k]
            own = weight * error * error - (tail[k] - tail[k - 1]) + multiplier * size
            for before in range(states):
                run = k - path[0, before] - 1
                price = prices[(run & 15) << 4 | size] + (run >> 4) * prices[ZRL]
                trial = cost[before] + own + multiplier * price
                if trial < cost[states]:
                    cost[states] = trial
                    path[1, states] = level
                    path[2, states] = before
        states += 1
    return states


@njit(cache=True, nogil=True)
def _cheapest_end(end_of_block, positions, cost, tail, states):
    best = 0
    least = cost[0] + end_of_block
    for state in range(1, states):
        total = cost[state]
        if positions[state] < 63:
            total += end_of_block
        if total < least:
            best, least = state, total
    return best


@njit(cache=True, nogil=True)
def _size(level):
    """Bits of a level's magnitude."""
    size = 0
    while level > 0:
        level >>= 1
        size += 1
    return size
