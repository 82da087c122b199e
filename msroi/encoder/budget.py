"""The search for the best quality that a byte budget allows, shared by all methods."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np

LOOKAHEAD = 2

AIM = 0.9975  # share of the budget that `approach` aims at,
FULL = 0.995  # at which it stops,
ENOUGH = 0.99  # and with which it is content when it cannot come nearer
MEASURES = 12
PATIENCE = 6  # measures after which less than `FULL` is worth writing too
DIGITS = 4  # of log scale: nearer scales have the same size
STEPS = 400  # of the scale, where sizes are too rough for a secant
STRETCH = 1.2  # of log scale for log size, before there are points on both sides


class BudgetError(ValueError):
    """Not even the lowest quality fits the byte budget.

    Attributes
    ----------
    max_bytes, smallest_bytes : int
        What was asked for, and the size of the smallest file found.
    """

    def __init__(self, max_bytes: int, smallest_bytes: int):
        self.max_bytes, self.smallest_bytes = max_bytes, smallest_bytes
        super().__init__(
            f"a budget of {max_bytes} bytes cannot be met: "
            f"the smallest reachable size is {smallest_bytes} bytes"
        )


class Encoded(NamedTuple):
    """A JPEG file and the quality, on its method's scale, that it was written at."""

    data: bytes
    quality: float


def search(write: Callable[[float], bytes], max_bytes: int, qualities: Sequence[float]) -> Encoded:
    """Find the largest quality whose file has at most `max_bytes` bytes, by bisection.

    Sizes grow with quality, but not at every step: a coarser table may cost a few bytes
    more. So after the bisection the next two qualities above the found one are tried too,
    and while one of them fits, it becomes the found one. The result therefore always fits,
    and neither of the two steps above it does; a dip farther up goes unseen.

    Parameters
    ----------
    write : callable
        quality -> a whole JPEG file; called about log2(len(qualities)) + 2 times.
    max_bytes : int
    qualities : sequence of float, rising
        The steps of the method's quality scale: ``range(1, 101)`` for libjpeg's, a fine
        grid for a continuous one.

    Raises
    ------
    BudgetError
        No quality that was tried fits.
    """
    sizes: dict[int, int] = {}
    found, best = -1, b""

    def fits(step: int) -> bool:
        nonlocal found, best
        if step not in sizes:
            data = write(qualities[step])
            sizes[step] = len(data)
            if len(data) <= max_bytes and step > found:
                found, best = step, data
        return sizes[step] <= max_bytes

    low, high = -1, len(qualities)  # low fits and high does not, or they are outside
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    while any(fits(step) for step in _steps_above(found, len(qualities))):
        continue
    if found < 0:
        raise BudgetError(max_bytes, min(sizes.values()))
    return Encoded(best, qualities[found])


def _steps_above(step: int, count: int) -> range:
    return range(step + 1, min(step + 1 + LOOKAHEAD, count))


class Attempt(Protocol):
    """What an encoder has quantized but not yet written."""

    size_bytes: int  # estimated: wrong by a factor that hardly changes with the scale


def approach(
    measure: Callable[[float, Attempt | None], Attempt],
    write: Callable[[Attempt], bytes],
    max_bytes: int,
    scales: tuple[float, float],
    start: float,
) -> Encoded:
    """Find the scale whose file just fits, from estimated sizes; few files are written.

    Sizes fall as the scale rises, nearly in proportion. The secant through the logarithms
    of scale and size tells which scale to measure next; where the estimate meets the budget
    the file is written, and its size corrects the estimates to come. Where sizes jump too
    far for that, as they do for images of a few blocks, `search` takes over.

    Parameters
    ----------
    measure : callable
        (scale, the attempt before or None) -> attempt.
    write : callable
        attempt -> a whole JPEG file.
    max_bytes : int
    scales : (float, float)
        The finest and the coarsest.
    start : float
        The first scale to measure.

    Returns
    -------
    Encoded
        With the scale in place of a quality. The file takes `ENOUGH` of the budget or more
        where sizes are smooth enough and the finest scale does not fit.

    Raises
    ------
    BudgetError
        Not even the coarsest scale fits.
    """
    best = _approach_by_secant(measure, write, max_bytes, scales, start)
    if best.quality > scales[0] and len(best.data) < ENOUGH * max_bytes:
        grid = np.geomspace(*scales, STEPS)[::-1]
        other = search(lambda scale: write(measure(scale, None)), max_bytes, grid)
        best = max(best, other, key=lambda encoded: len(encoded.data))
    return best


def _approach_by_secant(measure, write, max_bytes, scales, start) -> Encoded:
    points: dict[float, float] = {}  # log scale → log size
    best, correction, attempt = Encoded(b"", math.inf), 1.0, None
    ends = np.log(scales)
    x = float(np.clip(math.log(start), *ends))
    while len(points) < MEASURES and x not in points:
        attempt = measure(math.exp(x), attempt)
        points[x] = math.log(attempt.size_bytes)
        share = attempt.size_bytes * correction / max_bytes
        least = FULL if len(points) < PATIENCE else ENOUGH
        if least < share < 1 or (x == ends[0] and share < 1):
            data = write(attempt)
            correction = len(data) / attempt.size_bytes
            if len(best.data) < len(data) <= max_bytes:
                best = Encoded(data, math.exp(x))
            if len(best.data) >= FULL * max_bytes:
                break
        x = _secant(points, math.log(AIM * max_bytes / correction))
        x = float(np.clip(round(x, DIGITS), *ends))
    return best


def _secant(points: dict[float, float], target: float) -> float:
    """Where the size meets the target: between the nearest points, or one over from the last."""
    above = [(size, x) for x, size in points.items() if size > target]
    below = [(size, x) for x, size in points.items() if size <= target]
    if not (above and below):
        size, x = min(above, default=None) or max(below)
        return x + STRETCH * (size - target)
    (larger, fine), (smaller, coarse) = min(above), max(below)
    return fine + (coarse - fine) * (larger - target) / (larger - smaller)
