"""The search of the constant rate factor, CRF, at which a led video just fits its bytes."""

import math
from collections.abc import Callable, Sequence
from typing import BinaryIO, NamedTuple

# By benchmarks/video.py
SHARE_AIMED_AT = 0.99  # of the plain encode's bytes
SHARE_TO_STOP_AT = 0.95  # (0.97: one try more, of two videos in three)
CRF_RAISED = 1.2  # in the first try: the regions cost more bytes than they save
CRF_PER_LOG_SIZE = 7.0  # until two tries tell
TRIES = 8  # to the video's end, after which any that fits will do
FINEST, COARSEST = 1.0, 51.0  # CRF
CRF_DIGITS = 2
# A try whose bytes are far off after the first part of the frames is given up there
PART = 1 / 3
FAR_OFF = math.log(1.1)
GIVEN_UP = 2  # tries at most

GoOn = Callable[[int, int], bool]  # asked after each frame: how many there are, and their bytes
Attempt = Callable[[float, BinaryIO, GoOn], int]  # writes a video at a CRF, and gives its bytes


class Found(NamedTuple):
    """The best video that fits, in one of the two files."""

    crf: float
    size: int
    file: BinaryIO
    tries: int


def search(
    attempt: Attempt, plain: Sequence[int], crf: float, files: tuple[BinaryIO, BinaryIO]
) -> Found | None:
    """Search the CRF whose video just fits, by the secant of CRF and the logarithm of bytes.

    ``plain`` has the bytes of the plain encode, at the given CRF, after each frame, and at its end
    those of all, which are the budget. The largest video that fits stays in one of the two files,
    while the other takes the next try. After `TRIES` the first that fits will do. None where
    nothing does.
    """
    tries, budget = _Tries(plain), plain[-1]
    best: Found | None = None
    count, (tried, kept) = 0, files
    x = min(crf + CRF_RAISED, COARSEST)
    while x not in tries.whole:
        count += 1
        tried.seek(0)
        tried.truncate()
        size = attempt(x, tried, tries.asked(x))
        if x not in tries.given_up:
            tries.whole[x] = math.log(size)
            if budget >= size > (best.size if best else 0):
                best = Found(x, size, tried, count)
                tried, kept = kept, tried
            if best and best.size >= SHARE_TO_STOP_AT * budget:
                break
        x = tries.next()
        if not best and (x in tries.whole or len(tries.whole) >= TRIES):
            x = min(max(tries.whole) + 1, COARSEST)
        elif len(tries.whole) >= TRIES:
            break
    return best and best._replace(tries=count)


class _Tries:
    """What the tries so far tell of the bytes at a CRF.

    ``whole`` has the logarithm of the bytes of those that went to the end. For those in
    ``given_up`` it is guessed: they would have had as many times the plain encode's bytes as they
    had by then, but for what such a guess was wrong by in the last try that went to the end.
    """

    def __init__(self, plain: Sequence[int]) -> None:
        self.whole: dict[float, float] = {}
        self.given_up: set[float] = set()
        self._early: dict[float, float] = {}  # such guesses, as logarithms, uncorrected
        self._aim = math.log(max(SHARE_AIMED_AT * plain[-1], 1))
        self._plain, self._part = plain, round(PART * (len(plain) - 1))

    def asked(self, crf: float) -> GoOn:
        """Give what a try at a CRF is to ask after each frame; none is given up twice."""
        again = crf in self.given_up
        self.given_up.discard(crf)

        def go_on(frames: int, size: int) -> bool:
            if frames != self._part or not (size and self._plain[frames - 1]):
                return True
            self._early[crf] = math.log(size / self._plain[frames - 1] * self._plain[-1])
            near = abs(self._early[crf] + self._error() - self._aim) < FAR_OFF
            if near or again or len(self.given_up) == GIVEN_UP or crf in (FINEST, COARSEST):
                return True
            self.given_up.add(crf)
            return False

        return go_on

    def next(self) -> float:
        """Where the bytes meet the aim if their logarithm is linear through the nearest tries."""
        error = self._error()
        points = {crf: self._early[crf] + error for crf in self.given_up} | self.whole
        return min(max(_crossing(points, self._aim), FINEST), COARSEST)

    def _error(self) -> float:
        """What the guess fell short by in the last try that went to the end."""
        if not self.whole:
            return 0.0
        last, size = next(reversed(self.whole.items()))
        return size - self._early.get(last, size)


def _crossing(points: dict[float, float], aim: float) -> float:
    """Where values by CRF meet an aim, by the nearest two, on either side of it where there are."""
    near = sorted(points, key=lambda x: abs(points[x] - aim))
    first = near[0]
    other = next((x for x in near if (points[x] > aim) != (points[first] > aim)), None)
    other = near[1] if other is None and len(near) > 1 else other
    slope = CRF_PER_LOG_SIZE
    if other is not None and points[other] != points[first]:
        slope = (other - first) / (points[first] - points[other])
    slope = min(max(slope, CRF_PER_LOG_SIZE / 4), CRF_PER_LOG_SIZE * 4)
    return round(first + slope * (points[first] - aim), CRF_DIGITS)
