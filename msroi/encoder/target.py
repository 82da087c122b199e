"""The search for the smallest file that reaches a score, shared by all methods."""

import logging
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from msroi.encoder.budget import Encoded, search
from msroi.encoder.tables import scale_of
from msroi.errors import InputError

logger = logging.getLogger(__name__)  # tells every score found, at DEBUG

# On Kodak's images what a score lacks of 100 grows as a power of the tables' scale, from scales of
# 0.1 to 3: of standard JPEG it is 38 at scale 1, of `direct` 49
TYPICAL_LACK = 46.0  # at scale 1
LACK_SLOPE = -0.58  # of its logarithm by that of the scale's inverse
FLATTEST_SLOPE = -0.1  # that is believed of two files
STUCK_AFTER = 3  # files that have not halved what is between
HALVED_AFTER = 8  # files it is halved each time
SLACK = 0.1  # of the score above the target: a file to stop at, of twentieths of a quality
SLACK_OF_SCALE = 0.25  # the same by `aim`
MOST_THRIFT = 2.0
THRIFTS = 64  # that are tried at most, from the most to 1
SCALE_PER_THRIFT = 1 / 7.5  # how the logarithm of the thrift changes a file, by that of the scale
LEAST_SCALE = 0.005  # added: of quality 100 it is 0, which has no logarithm
LEAST_LACK = 1e-3  # of an image without any error it is 0


class TargetError(InputError, ValueError):
    """Even the finest file scores below `target`: `reachable`, with `reachable_bytes` bytes."""

    def __init__(self, target: float, reachable: float, reachable_bytes: int):
        self.target, self.reachable, self.reachable_bytes = target, reachable, reachable_bytes
        below = math.floor(100 * reachable) / 100  # so that what is named can be asked for
        super().__init__(
            f"an SSIMULACRA2 score of {target:g} cannot be reached: "
            f"the finest file scores {below:.2f}, with {reachable_bytes} bytes"
        )


class Judge(NamedTuple):
    """A score to reach, and what gives the score of a file, which is 100 at most."""

    target: float
    score: Callable[[bytes], float]


def find(
    write: Callable[[float], bytes],
    qualities: Sequence[float],
    max_bytes: int | None,
    judge: Judge | None,
) -> Encoded:
    """Find the best file of at most `max_bytes` bytes, or the smallest that the judge asks for."""
    if judge:
        return reach(write, judge, qualities)
    return search(write, max_bytes, qualities)


def reach(
    write: Callable[[float], bytes],
    judge: Judge,
    qualities: Sequence[float],
    slack: float = SLACK,
    places: Sequence[float] | None = None,
) -> Encoded:
    """Find the smallest quality whose file scores the target or more.

    One quality that reaches it and one that does not enclose it. The next one tried is where the
    logarithm of what the score lacks of 100 would meet the target if it were linear in that of the
    tables' scale, by the two nearest scores, and at first by the usual line. Where three files have
    not halved what is between, and after eight at all, it is the middle, or the best quality if
    none has reached the target. A score may dip with a finer quality: a file farther below that
    reaches the target then goes unseen.

    Parameters
    ----------
    write : callable
        quality -> a whole JPEG file.
    judge : Judge
    qualities : sequence of float
        The rising steps of the method's scale, which is about libjpeg's, 1 to 100.
    slack : float
        A file whose score is above the target by no more than this is taken at once; of any other
        the quality one step below has been tried, and falls below the target.
    places : sequence of float, optional
        Of the qualities on the usual line, rising: the logarithms of their scales, times −1.

    Returns
    -------
    Encoded
        With its score. TargetError where not even the last quality reaches the target.
    """
    places = places or [-math.log(scale_of(quality) + LEAST_SCALE) for quality in qualities]
    goal = _log_lack(judge.target + slack / 2)
    lacks: dict[int, float] = {}
    low, high = -1, len(places)  # low falls below the target and high does not, or are outside
    widths = []  # that were between them
    while high - low > 1:
        widths.append(high - low)
        stuck = len(widths) > STUCK_AFTER and 2 * widths[-1] > widths[-1 - STUCK_AFTER]
        stuck |= len(widths) > HALVED_AFTER
        step = _next_step(low, high, lacks, places, goal, stuck=stuck)
        data = write(qualities[step])
        score = judge.score(data)
        logger.debug("SSIMULACRA2 %.2f", score)
        lacks[step] = _log_lack(score)
        if score < judge.target:
            low = step
        else:
            high = step
            found = Encoded(data, qualities[step], score)
            if score <= judge.target + slack:
                break
    if high == len(places):
        raise TargetError(judge.target, score, len(data))
    return found


def aim(
    write: Callable[[float, float], bytes], judge: Judge, qualities: Sequence[float]
) -> Encoded:
    """Find the smallest quality as `reach` does, then the largest thrift that keeps the target.

    Steps of a table are whole numbers, so scores jump with the scale of the tables. Where the
    found one is too far above the target, the thrift (the factor on λ) makes up for it. ``write``
    turns a quality and a thrift into a file; the thrift is 1 for all others.
    """
    found = reach(lambda quality: write(quality, 1.0), judge, qualities, SLACK_OF_SCALE)
    if found.score <= judge.target + SLACK_OF_SCALE or found.quality == qualities[0]:
        return found
    thrifts = np.geomspace(MOST_THRIFT, 1, THRIFTS)
    here = (_log_lack(found.score) - math.log(TYPICAL_LACK)) / LACK_SLOPE
    places = list(here - SCALE_PER_THRIFT * np.log(thrifts))
    write_here = partial(write, found.quality)
    return reach(write_here, judge, thrifts, SLACK_OF_SCALE, places)._replace(quality=found.quality)


def _log_lack(score: float) -> float:
    return math.log(max(100 - score, LEAST_LACK))


def _next_step(
    low: int, high: int, lacks: dict[int, float], places: list[float], goal: float, *, stuck: bool
) -> int:
    """Choose a step between two: where the logarithm of the lack is likely to be the goal."""
    if stuck:
        step = high - 1 if high == len(places) else (low + high) // 2
    elif not lacks:
        step = _nearest(places, (goal - math.log(TYPICAL_LACK)) / LACK_SLOPE)
    else:
        (x, y), *others = sorted(
            ((places[step], lack) for step, lack in lacks.items()),
            key=lambda point: abs(point[1] - goal),
        )[:2]
        slopes = [(other_y - y) / (other_x - x) for other_x, other_y in others]
        slope = slopes[0] if slopes and slopes[0] < FLATTEST_SLOPE else LACK_SLOPE
        step = _nearest(places, x + (goal - y) / slope)
    return min(max(step, low + 1), high - 1)


def _nearest(places: list[float], place: float) -> int:
    return int(np.abs(np.subtract(places, place)).argmin())
