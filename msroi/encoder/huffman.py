"""Huffman codes of an image's own symbols: their lengths, and the bits they come to."""

import heapq

import numpy as np

MAX_LENGTH = 16  # of a JPEG code word, in bits
_SIZES = np.arange(256) & 15  # magnitude bits that follow a symbol (run << 4 | size)


def code_lengths(counts: np.ndarray) -> np.ndarray:
    """Length of each symbol's optimal code word, as libjpeg makes it (ITU-T T.81, K.2).

    Counts and lengths, in bits, are int64 [256]; 0 has length 0. JPEG allows 16 bits at most, and
    no word of ones only; so the tree holds a symbol more than there are, the rarest, whose word
    stays unused.
    """
    used = np.flatnonzero(counts)
    reserved = len(used)
    depths = np.zeros(reserved + 1, np.int64)
    heap = [(int(count), i, [i]) for i, count in enumerate(counts[used])]
    heap.append((0, reserved, [reserved]))
    heapq.heapify(heap)
    while len(heap) > 1:
        (a, _, left), (b, tie, right) = heapq.heappop(heap), heapq.heappop(heap)
        depths[left + right] += 1
        heapq.heappush(heap, (a + b, tie, left + right))
    histogram = _limit(np.bincount(depths, minlength=MAX_LENGTH + 1))
    ranked = used[np.argsort(-counts[used], kind="stable")]  # frequent ones get short words
    lengths = np.zeros(256, np.int64)
    lengths[ranked] = np.repeat(np.arange(len(histogram)), histogram)[:reserved]
    return lengths


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


def dc_counts(levels: np.ndarray, sampling: tuple[int, int]) -> np.ndarray:
    """How often each size of DC difference occurs in a component: int64 [256].

    The levels are those of DC, int16 [block rows, block columns]; differences follow the scan, for
    which ``sampling`` is the blocks of this component in an MCU, down and across.
    """
    rows, columns = levels.shape
    down, across = sampling
    absent = np.iinfo(np.int32).min
    margins = [(0, -rows % down), (0, -columns % across)]
    grid = np.pad(levels.astype(np.int32), margins, constant_values=absent)
    grid = grid.reshape(grid.shape[0] // down, down, grid.shape[1] // across, across)
    scan = grid.swapaxes(1, 2).ravel()
    present = scan[scan != absent]
    sizes = np.frexp(np.abs(np.diff(present, prepend=0)).astype(np.float32))[1]
    counts = np.bincount(sizes, minlength=256)
    counts[0] += len(scan) - len(present)  # libjpeg fills an MCU with copies of its last block
    return counts


def filling_blocks(shape: tuple[int, int], sampling: tuple[int, int]) -> int:
    """How many empty blocks fill up the last MCUs of a component of `shape` blocks."""
    rows, columns = (side + -side % step for side, step in zip(shape, sampling, strict=True))
    return rows * columns - shape[0] * shape[1]


def coded_bits(counts: np.ndarray) -> int:
    """Bits of all the symbols under their optimal code, magnitude bits included."""
    return int(counts @ (code_lengths(counts) + _SIZES))
