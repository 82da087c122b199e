"""Quantization by rate–distortion optimisation: the compiled kernel.

A block's AC levels are chosen along the best path through a trellis (Viterbi), as in
Crouse and Ramchandran, "Joint thresholding and quantizer selection for transform image
coding" (IEEE Transactions on Image Processing 6(2), 1997), and in mozjpeg, but every block
weighs errors on its own.
"""

import numpy as np
from numba import njit, prange

EOB, ZRL = 0x00, 0xF0  # AC symbols: end of block; sixteen zeros
MAX_LEVEL = 1023  # of AC in baseline JPEG
WORTH_THREADS = 16384  # blocks (a megapixel) from which threads gain more than they cost
_CHUNKS = 64  # of blocks, each worked off by one thread with scratch of its own


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

    Returns
    -------
    int64 [256]
        How often each AC symbol occurs.
    """
    threaded = len(coefficients) >= WORTH_THREADS
    counts = np.zeros((_CHUNKS if threaded else 1, 256), np.int64)
    arrays = coefficients, steps, weights, gains, multipliers, prices, levels, counts
    if threaded:
        _quantize_chunks(*arrays)
    else:
        _quantize_chunk(*arrays, 0)
    return counts.sum(axis=0)


def load():
    """Load the kernel, or compile it where no process has yet: quantize a block of zeros."""
    block, sixty_four, one = (np.ones(shape, np.float32) for shape in ((1, 64), 64, 1))
    prices, levels = np.ones(256, np.float32), np.empty((1, 64), np.int16)
    quantize(0 * block, sixty_four, sixty_four, one, one, prices, levels)


@njit(parallel=True, cache=True)
def _quantize_chunks(coefficients, steps, weights, gains, multipliers, prices, levels, counts):
    for chunk in prange(len(counts)):
        _quantize_chunk(
            coefficients, steps, weights, gains, multipliers, prices, levels, counts, chunk
        )


@njit(cache=True)
def _quantize_chunk(
    coefficients, steps, weights, gains, multipliers, prices, levels, counts, chunk
):
    path = np.zeros((3, 64), np.int64)  # states: position, level, state before
    cost = np.zeros(64, np.float32)
    tail = np.zeros(64, np.float32)
    blocks, chunks = len(coefficients), len(counts)
    for b in range(blocks * chunk // chunks, blocks * (chunk + 1) // chunks):
        c, level = coefficients[b], levels[b]
        states = _walk(c, steps, weights, gains[b], multipliers[b], prices, path, cost, tail)
        last = _cheapest_end(multipliers[b] * prices[EOB], path[0], cost, tail, states)
        level[:] = 0
        level[0] = np.int16(np.rint(c[0] / steps[0]))
        _trace(last, path, c, level, counts[chunk])


@njit(cache=True)
def _walk(c, steps, weights, gain, multiplier, prices, path, cost, tail):
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
        top = min(int(a / steps[k] + np.float32(0.5)), MAX_LEVEL)
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


@njit(cache=True)
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


@njit(cache=True)
def _trace(state, path, c, levels, counts):
    """Write the levels of the path that ends in `state`, and count its symbols."""
    if path[0, state] < 63 or state == 0:
        counts[EOB] += 1
    while state > 0:
        k, level, before = path[0, state], path[1, state], path[2, state]
        levels[k] = level if c[k] > 0 else -level
        run = k - path[0, before] - 1
        counts[ZRL] += run >> 4
        counts[(run & 15) << 4 | _size(level)] += 1
        state = before


@njit(cache=True)
def _size(level):
    """Bits of a level's magnitude."""
    size = 0
    while level > 0:
        level >>= 1
        size += 1
    return size
