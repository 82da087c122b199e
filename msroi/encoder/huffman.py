"""Huffman codes of an image's own symbols: their lengths, and the bits they come to."""

import numpy as np
from numba import njit

MAX_LENGTH = 16  # of a JPEG code word, in bits
_SIZES = np.arange(256) & 15  # magnitude bits that follow a symbol (run << 4 | size)
# What an AC symbol costs in bits before any is counted, about as it comes out on Kodak
USUAL_PRICES = np.minimum(1 + (np.arange(256) >> 4) + _SIZES, MAX_LENGTH).astype(np.float32)


def code_lengths(counts: np.ndarray) -> np.ndarray:
    """Length of each symbol's optimal code word, as libjpeg makes it (ITU-T T.81, K.2).

    Counts and lengths, in bits, are int64 [256]; 0 has length 0. JPEG allows 16 bits at most, and
    no word of ones only; so the tree holds a symbol more than there are, the rarest, whose word
    stays unused.
    """
    used = np.flatnonzero(counts)
    histogram = _limit(np.bincount(_depths(counts[used]), minlength=MAX_LENGTH + 1))
    ranked = used[np.argsort(-counts[used], kind="stable")]  # frequent ones get short words
    lengths = np.zeros(256, np.int64)
    lengths[ranked] = np.repeat(np.arange(len(histogram)), histogram)[: len(used)]
    return lengths


@njit(cache=True, nogil=True)
def _depths(counts):
    """How deep in Huffman's tree each symbol is, and last the one that is reserved."""
    n = len(counts)
    weights = np.zeros(2 * n + 1, np.int64)  # of the leaves, then of the nodes
    weights[:n] = counts
    parents = np.zeros(2 * n + 1, np.int64)
    open_ones = np.arange(n + 1)  # nodes without a parent
    for node in range(n + 1, 2 * n + 1):
        a, b = 0, 1  # places of the rarest and of the next
        if weights[open_ones[b]] < weights[open_ones[a]]:
            a, b = b, a
        for i in range(2, 2 * n + 2 - node):
            weight = weights[open_ones[i]]
            if weight < weights[open_ones[a]]:
                a, b = i, a
            elif weight < weights[open_ones[b]]:
                b = i
        parents[open_ones[a]] = parents[open_ones[b]] = node
        weights[node] = weights[open_ones[a]] + weights[open_ones[b]]
        open_ones[min(a, b)] = node
        open_ones[max(a, b)] = open_ones[2 * n + 1 - node]
    depths = np.zeros(2 * n + 1, np.int64)
    for node in range(2 * n - 1, -1, -1):
        depths[node] = depths[parents[node]] + 1
    return depths[: n + 1]


def _limit(histogram: np.ndarray) -> np.ndarray:
    """Take words longer than 16 bits up the tree (T.81, figure K.3); the sum 2^−l stays."""
    h = histogram.copy()
    for length in range(len(h) - 1, MAX_LENGTH, -1):
        while h[length] > 0:
            shorter = length - 2
            while h[shorter] == 0:
                shorter -= 1
            h[length] -= 2
            h[length - 1] += 1
            h[shorter + 1] += 2
            h[shorter] -= 1
    return h[: MAX_LENGTH + 1]


def prices(counts: np.ndarray) -> np.ndarray:
    """What a symbol costs: −log₂ of its share, in bits, float32 [256].

    Without the steps of whole code lengths the trellis settles sooner. A symbol that was
    never seen counts as half a one, and none costs more than a JPEG code word may.
    """
    seen = np.maximum(counts, 0.5)
    return np.minimum(np.log2(counts.sum() + 1) - np.log2(seen), MAX_LENGTH).astype(np.float32)


def in_order(lengths: np.ndarray) -> np.ndarray:
    """The symbols that have a code word, by its length and then by their number: int64."""
    used = np.flatnonzero(lengths)
    return used[np.argsort(lengths[used], kind="stable")]


def code_words(lengths: np.ndarray) -> np.ndarray:
    """The code word of each symbol, as its length gives it (T.81, C.2): int64 [256].

    Words of one length are consecutive numbers, and the first of the next length is twice the
    number after the last.
    """
    words = np.zeros(256, np.int64)
    word, length = 0, 0
    for symbol in in_order(lengths):
        word <<= lengths[symbol] - length
        length = lengths[symbol]
        words[symbol] = word
        word += 1
    return words


def coded_bits(counts: np.ndarray, lengths: np.ndarray) -> int:
    """Bits of all the symbols, with those of the magnitudes that follow them: both [..., 256]."""
    return int(np.vdot(counts, lengths + _SIZES))
