"""The search for the smallest file that reaches a score, shared by all methods."""

import logging
import math
from collections.abc import Callable, Sequence
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
STUCK_AFTER = 2  # files in a row on the same side
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
    slack: float = 0.0,
) -> Encoded:
    """Find the smallest quality whose file scores the target or more.

    One quality that reaches it and one that does not enclose it. The next one tried is where the
    logarithm of what the score lacks of 100 would meet the target if it were linear in that of the
    tables' scale, by the two nearest scores, and at first by the usual line. Where the same one
    has been replaced three times in a row it is the middle, or the end of the qualities. A score
    may dip with a finer quality, so that a file farther below that reaches the target goes unseen.

    Parameters
    ----------
    write : callable
        quality -> a whole JPEG file.
    judge : Judge
    qualities : sequence of float
        The rising steps of the method's scale, which is about libjpeg's, 1 to 100.
    slack : float
        A file whose score is above the target by no more than this is taken at once; with 0 the
        quality one step below has been tried, and falls below the target.

    Returns
    -------
    Encoded
        With its score. TargetError where not even the last quality reaches the target.
    """
    places = [-math.log(scale_of(quality) + LEAST_SCALE) for quality in qualities]
    goal = _log_lack(judge.target + slack / 2)
    lacks: dict[int, float] = {}
    low, high = -1, len(places)  # low falls below the target and high does not, or are outside
    moved = 0  # how often in a row the same one has moved: low above zero, high below
    while high - low > 1:
        step = _next_step(low, high, lacks, places, goal, stuck=abs(moved) > STUCK_AFTER)
        data = write(qualities[step])
        score = judge.score(data)
        logger.debug("SSIMULACRA2 %.2f", score)
        lacks[step] = _log_lack(score)
        if score < judge.target:
            low, moved = step, max(moved, 0) + 1
        else:
            high, moved = step, min(moved, 0) - 1
            found = Encoded(data, qualities[step], score)
            if score <= judge.target + slack:
                break
    if high == len(places):
        raise TargetError(judge.target, score, len(data))
    return found


def _log_lack(score: float) -> float:
    return math.log(max(100 - score, LEAST_LACK))


def _next_step(
    low: int, high: int, lacks: dict[int, float], places: list[float], goal: float, *, stuck: bool
) -> int:
    """Choose a step between two: where the logarithm of the lack is likely to be the goal."""
    if stuck:
        step = low + 1 if low < 0 else high - 1 if high == len(places) else (low + high) // 2
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
