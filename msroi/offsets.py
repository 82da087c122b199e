"""A map as offsets of quantization, and these as rectangles, as encoders are told them."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

QP_RANGE = 51  # what an offset of 1 stands for, in ffmpeg
CELL = 16  # pixels a side: H.264's macroblocks, HEVC's quantization groups as they are set here
# Chosen for x264 where people look, on photographs of OSIE that study=beyond does not report, in dB
GAIN = 8.0  # g of `offsets` (3: +1.9, 8: +2.1, 20: +2.1; with 8 and the map's squares +1.8)
STEP = 0.05  # of the offsets (1: +0.3 less, since files then fall short of their budget by 4%)


class Region(NamedTuple):
    """A rectangle of pixels whose quantization differs."""

    left: int
    top: int
    width: int
    height: int
    offset: float  # of QP; below zero is finer


def offsets(saliency: np.ndarray) -> np.ndarray:
    """Give the offsets of the cells of a map, float [H, W], as `offsets_of` has them."""
    return offsets_of(_cells(saliency), gain=GAIN, step=STEP)


def offsets_of(cells: np.ndarray, *, gain: float, step: float) -> np.ndarray:
    """Give each cell's offset of the quantization parameter QP, float64 [rows, columns].

    The error in a cell weighs w = 1 + g m / mean(m), for m the map in the cell and g the gain: the
    density of people's fixations grows in proportion to the map. An encoder trades error against
    bits by λ, which doubles with every 3 of QP, so that the offset is −3 log₂ w. Its mean is taken
    out, so that the bytes stay about the same, and it is rounded to multiples of ``step``. All are
    0 for a flat map.
    """
    mean = cells.mean()
    own = -3 * np.log2(1 + gain * cells / mean) if mean else cells
    return step * np.round((own - own.mean()) / step)


def regions(offsets: np.ndarray) -> Iterator[Region]:
    """Cover the cells whose offset is not 0 by rectangles that do not overlap.

    A row's runs of equal offsets, each joined with the same run in the rows below.
    """
    begun: dict[tuple[int, int, float], int] = {}  # run → the row that it began in
    for row, values in enumerate([*offsets, np.zeros(offsets.shape[1])]):
        runs = set(_runs(values))
        for run in sorted(begun.keys() - runs):
            start, end, offset = run
            top = begun.pop(run)
            yield Region(CELL * start, CELL * top, CELL * (end - start), CELL * (row - top), offset)
        begun |= {run: row for run in runs - begun.keys()}


def marked(frame: Any, offsets: np.ndarray) -> Any:
    """Mark a frame of PyAV's by its cells' offsets of QP: regions that x264 and x265 heed."""
    graph = marking(frame, offsets)
    graph.push(frame)
    return graph.pull()


def marking(frame: Any, offsets: np.ndarray) -> Any:
    """Make the filters of ffmpeg that mark frames of one kind by their cells' offsets."""
    from av.filter import Graph

    graph = Graph()
    source = graph.add_buffer(template=frame)
    marks = [
        graph.add(
            "addroi",
            x=f"{region.left}",
            y=f"{region.top}",
            w=f"{region.width}",
            h=f"{region.height}",
            qoffset=f"{round(100 * region.offset)}/{100 * QP_RANGE}",
        )
        for region in regions(offsets)
    ]
    graph.link_nodes(source, *marks, graph.add("buffersink")).configure()
    return graph


def _runs(values: np.ndarray) -> Iterator[tuple[int, int, float]]:
    """Where equal values that are not 0 begin and end, and the value."""
    edges = [0, *(np.flatnonzero(np.diff(values)) + 1), len(values)]
    for start, end in pairwise(edges):
        if values[start]:
            yield int(start), int(end), float(values[start])


def _cells(saliency: np.ndarray) -> np.ndarray:
    """The map's mean in each cell, those at the edges filled by the nearest pixels."""
    rows, columns = (-(-side // CELL) for side in saliency.shape)
    missing = ((0, rows * CELL - saliency.shape[0]), (0, columns * CELL - saliency.shape[1]))
    padded = np.pad(saliency.astype(np.float64), missing, mode="edge")
    return padded.reshape(rows, CELL, columns, CELL).mean((1, 3))
