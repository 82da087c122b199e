"""Quantized coefficients → the bytes of a JPEG file (ITU-T T.81)."""

import struct
from typing import NamedTuple

import mozjpeg_lossless_optimization
import numpy as np
from numba import njit

from msroi.encoder import huffman

EOB, ZRL = 0x00, 0xF0  # AC symbols: end of block; sixteen zeros
# Bits of the magnitude of a level, or of a difference of two DC levels, by its absolute value
_SIZES = np.frexp(np.arange(1 << 12).astype(np.float32))[1].astype(np.uint8)
_ABSENT = np.empty((0, 0, 64), np.int16)  # chroma of a grey image


class Frame(NamedTuple):
    """The image that coefficients belong to."""

    shape: tuple[int, int]  # (H, W) in pixels
    sampling: tuple[int, int]  # luma samples per chroma sample, down and across


def count(levels: list[np.ndarray], sampling: tuple[int, int]) -> np.ndarray:
    """Count how often each symbol occurs in the baseline JPEG of these levels.

    The levels of Y, Cb and Cr, or of Y alone, are int16 [block rows, block columns, 64] in zigzag
    order. Blocks that fill up the last MCUs repeat the DC before them and have no AC. The counts
    are int64 [4, 256], or [2, 256] of a grey image: of the symbols of DC and of AC in luma, and of
    both in chroma.
    """
    counts = np.zeros((4, 256), np.int64)
    _count(*_scanned(levels, sampling), _SIZES, counts)
    return counts[: 4 if len(levels) == 3 else 2]


def size_bytes(counts: np.ndarray, tables: list[np.ndarray], frame: Frame) -> int:
    """Bytes of the file that `write` gives, but for the zero that it puts after each 0xFF."""
    bits = sum(map(huffman.coded_bits, counts))
    return len(_head(tables, frame, counts)) + -(-bits // 8) + len(_END)


def write(
    levels: list[np.ndarray], counts: np.ndarray, tables: list[np.ndarray], frame: Frame
) -> bytes:
    """Write a baseline JPEG with optimal Huffman tables.

    Levels and counts are as in `count`; the tables, one for each component, are uint16 [64] from
    1 to 255 in zigzag order.
    """
    words, lengths = np.zeros((2, 4, 256), np.uint32)
    for row, own in enumerate(counts):
        lengths[row] = huffman.code_lengths(own)
        words[row] = huffman.code_words(lengths[row])
    bits = sum(map(huffman.coded_bits, counts))
    out = np.empty(2 * (bits // 8 + 8), np.uint8)  # room for a zero after each byte
    used = _pack(*_scanned(levels, frame.sampling), _SIZES, words, lengths, out)
    return _head(tables, frame, counts) + out[:used].tobytes() + _END


def make_progressive(data: bytes) -> bytes:
    """The same coefficients as a progressive JPEG, with mozjpeg's search for good scans."""
    return mozjpeg_lossless_optimization.optimize(data)


_END = b"\xff\xd9"


def _head(tables: list[np.ndarray], frame: Frame, counts: np.ndarray) -> bytes:
    """All that stands before the bits of the scan."""
    samplings = [frame.sampling, (1, 1), (1, 1)] if len(tables) == 3 else [(1, 1)]
    texts = [table.astype(np.uint8).tobytes() for table in tables]
    written = list(dict.fromkeys(texts))
    frame_parts, scan_parts = b"", b""
    for n, ((down, across), text) in enumerate(zip(samplings, texts, strict=True)):
        frame_parts += bytes([n + 1, across << 4 | down, written.index(text)])
        scan_parts += bytes([n + 1, 0x11 if n else 0x00])
    sizes = struct.pack(">BHHB", 8, *frame.shape, len(tables))
    return b"".join(
        [
            b"\xff\xd8",
            _segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
            *(_segment(0xDB, bytes([number]) + text) for number, text in enumerate(written)),
            _segment(0xC0, sizes + frame_parts),
            *(_segment(0xC4, _code_table(row, own)) for row, own in enumerate(counts)),
            _segment(0xDA, bytes([len(tables)]) + scan_parts + bytes([0, 63, 0])),
        ]
    )


def _segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def _code_table(row: int, counts: np.ndarray) -> bytes:
    """Class and number of a Huffman table, words of each length, and symbols in their order."""
    lengths = huffman.code_lengths(counts)
    per_length = np.bincount(lengths, minlength=huffman.MAX_LENGTH + 1)[1:]
    kind = (row % 2) << 4 | row // 2
    return bytes([kind, *per_length, *huffman.in_order(lengths)])


def _scanned(levels: list[np.ndarray], sampling: tuple[int, int]) -> tuple:
    """Arguments of the kernels: three planes, and the blocks of luma in an MCU."""
    planes = levels if len(levels) == 3 else [*levels, _ABSENT, _ABSENT]
    return *planes, *(sampling if len(levels) == 3 else (1, 1))


@njit(cache=True, nogil=True)
def _count(y, cb, cr, down, across, sizes, counts):
    luma, blue, red = 0, 0, 0  # the DC levels before
    for row in range(-(-y.shape[0] // down)):
        for column in range(-(-y.shape[1] // across)):
            for i in range(row * down, (row + 1) * down):
                for j in range(column * across, (column + 1) * across):
                    luma = _count_block(y, i, j, luma, sizes, counts[0], counts[1])
            if len(cb):
                blue = _count_block(cb, row, column, blue, sizes, counts[2], counts[3])
                red = _count_block(cr, row, column, red, sizes, counts[2], counts[3])


@njit(cache=True, nogil=True)
def _count_block(plane, i, j, before, sizes, dc, ac):
    if i >= plane.shape[0] or j >= plane.shape[1]:
        dc[0] += 1
        ac[EOB] += 1
        return before
    block = plane[i, j]
    dc[sizes[abs(block[0] - before)]] += 1
    run = 0
    for k in range(1, 64):
        if block[k] == 0:
            run += 1
            continue
        ac[ZRL] += run >> 4
        ac[(run & 15) << 4 | sizes[abs(block[k])]] += 1
        run = 0
    if run:
        ac[EOB] += 1
    return int(block[0])


@njit(cache=True, nogil=True)
def _pack(y, cb, cr, down, across, sizes, words, lengths, out):
    """Write the bits of the scan to ``out``, and return how many bytes they are."""
    luma, blue, red = 0, 0, 0  # the DC levels before
    state = 0, 0, 0  # bits that wait, how many they are, bytes written
    for row in range(-(-y.shape[0] // down)):
        for column in range(-(-y.shape[1] // across)):
            for i in range(row * down, (row + 1) * down):
                for j in range(column * across, (column + 1) * across):
                    luma, state = _pack_block(
                        y, i, j, luma, sizes, words[:2], lengths[:2], out, state
                    )
            if len(cb):
                coded = sizes, words[2:], lengths[2:], out
                blue, state = _pack_block(cb, row, column, blue, *coded, state)
                red, state = _pack_block(cr, row, column, red, *coded, state)
    bits = state[1]
    if bits:  # the last byte is filled up with ones
        state = _put((1 << (8 - bits)) - 1, 8 - bits, out, state)
    return state[2]


@njit(cache=True, nogil=True)
def _pack_block(plane, i, j, before, sizes, words, lengths, out, state):
    if i >= plane.shape[0] or j >= plane.shape[1]:
        state = _put(words[0, 0], lengths[0, 0], out, state)
        return before, _put(words[1, EOB], lengths[1, EOB], out, state)
    block = plane[i, j]
    state = _put_level(block[0] - before, 0, sizes, words[0], lengths[0], out, state)
    run = 0
    for k in range(1, 64):
        if block[k] == 0:
            run += 1
            continue
        for _ in range(run >> 4):
            state = _put(words[1, ZRL], lengths[1, ZRL], out, state)
        state = _put_level(block[k], run & 15, sizes, words[1], lengths[1], out, state)
        run = 0
    if run:
        state = _put(words[1, EOB], lengths[1, EOB], out, state)
    return int(block[0]), state


@njit(cache=True, nogil=True)
def _put_level(level, run, sizes, words, lengths, out, state):
    """Put a symbol, then the bits of the magnitude: of a negative level those of it less one."""
    size = int(sizes[abs(level)])
    symbol = run << 4 | size
    state = _put(words[symbol], lengths[symbol], out, state)
    magnitude = level if level > 0 else level + (1 << size) - 1
    return _put(magnitude, size, out, state)


@njit(cache=True, nogil=True)
def _put(word, length, out, state):
    waiting, bits, used = state
    waiting = (waiting << int(length)) | int(word)
    bits += int(length)
    while bits >= 8:
        bits -= 8
        byte = (waiting >> bits) & 0xFF
        out[used] = byte
        used += 1
        if byte == 0xFF:
            out[used] = 0
            used += 1
    return waiting & 0xFF, bits, used
