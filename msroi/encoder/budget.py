"""The search for the best quality that a byte budget allows, shared by all methods."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np

from msroi.errors import InputError

logger = logging.getLogger(__name__)  # tells every size found, at DEBUG

# Set by hand. benchmarks/tuning.py shows what each does on eight Kodak images at three budgets: as
# they are, `direct` quantizes an image 4.8 times, writes 1.17 files, and takes 99.73% of the budget
# on the mean and 99.53% at least. In brackets: what another value comes to there.
QUALITIES_TRIED_ABOVE = 2  # the found one, by `search` (0: 5% fewer files; 6: a third more)
SHARE_AIMED_AT = 0.9975  # of the budget, by `approach` (0.995: 5.7 quantizations; 0.9995: 5.0)
SHARE_TO_STOP_AT = 0.995  # (0.99: 4.5, 0.09% fewer bytes; 0.998: 9.7 quantizations and 2.1 files)
SHARE_ACCEPTED = 0.99  # where it cannot come nearer (0.98 and 0.995: the same)
FILE_TO_ESTIMATE_RATIO = 1.003  # before a file is written (0.98: 6.6 quantizations; 1.02: 6.5)
LOG_SIZE_LEFT_TO_THRIFT = 0.02  # by the search of the scale (0.005: 5.3 quantizations; 0.08: 4.5)
MAX_LOG_THRIFT = 0.7  # λ from half to twice its usual value (0.1: 99.12% at least; 1.4: the same)
LOG_SCALE_PER_LOG_SIZE = 1.2  # while all sizes are too large or small (0.8: 6.5; 1.8: 5.3)
LOG_THRIFT_PER_LOG_SIZE = 9.0  # as before (4: 5.0 quantizations; 18: 6.0)
LOG_DIGITS = 4  # of scale and thrift (2: 4.6 quantizations; 8: the same)
MAX_MEASURES = 12  # quantizations in a search of scale or thrift (6 and 24: the same)
MEASURES_REMEMBERED = 3  # of thrift, as code lengths change (2 and 12: the same)
MEASURES_BEFORE_WRITING = 4  # of thrift, then every one is written (1: 1.33 files; 8: the same)
LAST_RESORT_SCALES = 400  # tried as files, for images of a few blocks (100 and 1600: the same)
LAST_RESORT_THRIFTS = np.geomspace(16, 1 / 16, 200).tolist()  # as files, at some of the scales
NEIGHBOURS_TRIED = 8  # of the scale found: so many scales finer and coarser, each with all thrifts


class BudgetError(InputError, ValueError):
    """Not even the lowest quality fits `max_bytes`; the smallest file has `smallest_bytes`."""

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
    score: float | None = None  # SSIMULACRA2, where one was to be reached


def search(write: Callable[[float], bytes], max_bytes: int, qualities: Sequence[float]) -> Encoded:
    """Find the largest quality whose file has at most `max_bytes` bytes.

    One quality that fits and one that does not enclose it. The next one tried is where the
    logarithm of the size would meet the budget if it were linear between those two; the middle,
    where one of their sizes is not known, or the same one has been replaced twice in a row. Sizes
    grow with quality, but not at every step: a coarser table may cost a few bytes more. So in the
    end the next two qualities above the found one are tried too, and while one of them fits, it
    becomes the found one. The result therefore always fits, and neither of the two steps above it
    does; a smaller file farther up goes unseen.

    ``write`` turns a quality into a whole JPEG file; it is called eight to ten times on a fine
    grid, and in the worst case about 2 log2(len(qualities)) + 2 times. The qualities are the rising
    steps of the method's scale: ``range(1, 101)`` for libjpeg's, a fine grid for a continuous one.
    BudgetError where none that was tried fits.
    """
    sizes: dict[int, int] = {}
    found, best = -1, b""

    def fits(step: int) -> bool:
        nonlocal found, best
        if step not in sizes:
            data = write(qualities[step])
            sizes[step] = len(data)
            _tell(len(data), max_bytes)
            if len(data) <= max_bytes and step > found:
                found, best = step, data
        return sizes[step] <= max_bytes

    low, high = -1, len(qualities)  # low fits and high does not, or they are outside
    moved = 0  # how often in a row the same one has moved: low above zero, high below
    while high - low > 1:
        step = _next_step(low, high, {} if abs(moved) > 1 else sizes, max_bytes)
        if fits(step):
            low, moved = step, max(moved, 0) + 1
        else:
            high, moved = step, min(moved, 0) - 1
    steps = range(len(qualities))
    while any(map(fits, steps[found + 1 : found + 1 + QUALITIES_TRIED_ABOVE])):
        continue
    if found < 0:
        raise BudgetError(max_bytes, min(sizes.values()))
    return Encoded(best, qualities[found])


def _next_step(low: int, high: int, sizes: Mapping[int, int], max_bytes: int) -> int:
    """Choose a step between two: where logarithms of sizes that were linear meet the budget."""
    if low not in sizes or sizes.get(high, 0) <= sizes[low]:
        return (low + high) // 2
    share = math.log(max_bytes / sizes[low]) / math.log(sizes[high] / sizes[low])
    return min(max(low + round(share * (high - low)), low + 1), high - 1)


def _tell(size_bytes: int, max_bytes: int) -> None:
    logger.debug("%.1f%% of the budget", 100 * size_bytes / max(max_bytes, 1))


class Attempt(Protocol):
    """What an encoder has quantized but not yet written."""

    size_bytes: int  # estimated: wrong by a factor that hardly changes


Measure = Callable[[float, float, Attempt | None], Attempt]
Write = Callable[[Attempt], bytes]


class Start(NamedTuple):
    """Where a search begins: at a guess of the scale, or where the search on a sample ended."""

    scale: float
    log_thrift: float = 0.0
    correction: float = FILE_TO_ESTIMATE_RATIO  # bytes of a file by the bytes estimated
    attempt: Attempt | None = None  # the one before the first


def approach(
    measure: Measure, write: Write, max_bytes: int, scales: tuple[float, float], start: Start
) -> Encoded:
    """Find the scale whose file just fits, from estimated sizes; few files are written.

    First the scale of the tables is searched by the secant of the logarithms of scale and
    size, until the size is near. Steps of a table are whole numbers, so sizes jump with the
    scale; therefore the thrift (the factor on λ) makes up for the rest, again by the
    secant. Where the estimate then meets the budget the file is written, and its size
    corrects the estimates to come. Where even that fails, as it may for images of a few
    blocks or of fine noise, files are written for a grid of scales and thrifts.

    Parameters
    ----------
    measure : callable
        (scale, thrift, the attempt before or None) -> attempt. Sizes fall as either rises.
    write : callable
        attempt -> a whole JPEG file.
    max_bytes : int
    scales : (float, float)
        The finest and the coarsest; BudgetError where not even that fits.
    start : Start
        The first scale to measure; after `rehearse` also all else that it learned.

    Returns
    -------
    Encoded
        With the scale in place of a quality. The file takes `SHARE_ACCEPTED` of the budget or
        more, where any scale and thrift that are tried do; where the file of the finest scale is
        smaller than that, it is this one. That some do is sure for photographs, but for images of
        a few blocks only usual: one level more or less may be a per cent of their bytes.
    """
    positive = max(max_bytes, 1)  # less may be left beside metadata, and has no logarithm
    data, end = _approach(measure, write, positive, scales, start)
    if len(data) < SHARE_ACCEPTED * max_bytes and start.attempt:  # the sample was unlike the whole
        data, end = _approach(measure, write, positive, scales, Start(end.scale))
    if data and len(data) >= SHARE_ACCEPTED * max_bytes:
        return Encoded(data, end.scale)
    finest = _write_at(measure, write, scales[0], 1.0)
    if len(finest) <= max_bytes:
        return Encoded(finest, scales[0])
    found = _try_files(measure, write, max_bytes, scales)
    return max(Encoded(data, end.scale), found, key=lambda encoded: len(encoded.data))


def _try_files(
    measure: Measure, write: Write, max_bytes: int, scales: tuple[float, float]
) -> Encoded:
    """Search by whole files: among scales, then among thrifts at the scales around the found one.

    A table may be so much finer than the next that only another thrift comes between the two.
    """
    grid = np.geomspace(*scales, LAST_RESORT_SCALES)[::-1].tolist()
    best = search(lambda scale: _write_at(measure, write, scale, 1.0), max_bytes, grid)
    step = grid.index(best.quality)
    nearest = sorted(range(len(grid)), key=lambda other: abs(other - step - 0.25))  # finer first
    for scale in [grid[other] for other in nearest[: 2 * NEIGHBOURS_TRIED + 1]]:
        if len(best.data) >= SHARE_ACCEPTED * max_bytes:
            break
        with suppress(BudgetError):
            at_scale = partial(_write_at, measure, write, scale)
            data = search(at_scale, max_bytes, LAST_RESORT_THRIFTS).data
            best = max(best, Encoded(data, scale), key=lambda encoded: len(encoded.data))
    return best


def _write_at(measure: Measure, write: Write, scale: float, thrift: float) -> bytes:
    return write(measure(scale, thrift, None))


def glance(
    measure: Measure, write: Write, max_bytes: int, scales: tuple[float, float], start: Start
) -> Start:
    """Measure a sample of an image once, for a nearer start; the arguments are `rehearse`'s."""
    attempt = measure(start.scale, math.exp(start.log_thrift), start.attempt)
    point = {math.log(start.scale): math.log(attempt.size_bytes)}
    x = _secant(point, math.log(max(max_bytes, 1) / start.correction), LOG_SCALE_PER_LOG_SIZE)
    scale = min(max(math.exp(x), scales[0]), scales[1])
    return start._replace(scale=scale, attempt=attempt)


def rehearse(
    measure: Measure, write: Write, max_bytes: int, scales: tuple[float, float], start: Start
) -> Start:
    """Search as `approach` does, on a sample of an image: where to start with the whole.

    The arguments are `approach`'s, but of the sample; `max_bytes` is its share of the budget.
    """
    return _approach(measure, write, max(max_bytes, 1), scales, start)[1]


def _approach(measure, write, max_bytes, scales, start) -> tuple[bytes, Start]:
    near = _nearest_scale(measure, max_bytes, scales, start)
    return _fill(partial(measure, near.scale), write, max_bytes, near)


def _nearest_scale(
    measure: Measure, max_bytes: int, scales: tuple[float, float], start: Start
) -> Start:
    """Find a scale that gives about `max_bytes`, or the end of the range, and its attempt."""
    target = math.log(max_bytes / start.correction)
    finest, coarsest = map(math.log, scales)
    thrift = math.exp(start.log_thrift)
    points: dict[float, float] = {}
    x, attempt = math.log(start.scale), start.attempt
    while True:
        attempt = measure(math.exp(x), thrift, attempt)
        points[x] = math.log(attempt.size_bytes)
        _tell(attempt.size_bytes, max_bytes)
        step = round(_secant(points, target, LOG_SCALE_PER_LOG_SIZE), LOG_DIGITS)
        step = min(max(step, finest), coarsest)
        near = abs(points[x] - target) < LOG_SIZE_LEFT_TO_THRIFT
        if near or step in points or len(points) == MAX_MEASURES:
            return start._replace(scale=math.exp(x), attempt=attempt)
        x = step


def _fill(
    measure: Callable[[float, Attempt], Attempt], write: Write, max_bytes: int, start: Start
) -> tuple[bytes, Start]:
    """Find the largest file within the budget by changing the thrift; empty where none is.

    Returned with the thrift, the correction and the attempt of the last file that was written.
    """
    best, end, attempt = b"", start, start.attempt
    points: dict[float, float] = {}

    def next_thrift(known: dict[float, float]) -> float:
        target = math.log(SHARE_AIMED_AT * max_bytes / end.correction)
        x = round(_secant(known, target, LOG_THRIFT_PER_LOG_SIZE), LOG_DIGITS)
        return min(max(x, -MAX_LOG_THRIFT), MAX_LOG_THRIFT)

    x = next_thrift({start.log_thrift: math.log(attempt.size_bytes)})  # whose prices were others
    while True:
        attempt = measure(math.exp(x), attempt)
        points[x] = math.log(attempt.size_bytes)
        _tell(attempt.size_bytes, max_bytes)
        share = attempt.size_bytes * end.correction / max_bytes
        ready = SHARE_TO_STOP_AT < share <= 1 or len(points) > MEASURES_BEFORE_WRITING
        if ready or x == -MAX_LOG_THRIFT:
            logger.debug("writing")
            data = write(attempt)
            correction = len(data) / attempt.size_bytes
            end = end._replace(log_thrift=x, correction=correction, attempt=attempt)
            best = max(best, data if len(data) <= max_bytes else b"", key=len)
        x = next_thrift(dict(list(points.items())[-MEASURES_REMEMBERED:]))
        if len(best) >= SHARE_TO_STOP_AT * max_bytes or x in points or len(points) == MAX_MEASURES:
            return best, end


def _secant(points: dict[float, float], target: float, stretch: float) -> float:
    """Guess where the size meets the target: between the nearest points, or beyond the last."""
    above = [(size, x) for x, size in points.items() if size > target]
    below = [(size, x) for x, size in points.items() if size <= target]
    # of equal sizes, the one that is nearer to the other side
    larger, fine = min(above, key=lambda point: (point[0], -point[1]), default=(math.inf, 0.0))
    smaller, coarse = max(below, key=lambda point: (point[0], -point[1]), default=(-math.inf, 0.0))
    if not below:
        return fine + stretch * (larger - target)
    if not above:
        return coarse + stretch * (smaller - target)
    return fine + (coarse - fine) * (larger - target) / (larger - smaller)
