"""The map of every frame: drawn of some frames, and steadied over time so that it does not flicker.

Of each frame that has a map drawn the map alone is kept, in 30 by 54 bytes of a wide picture: of a
film of two hours, 70 MB.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from msroi.offsets import CELL
from msroi.saliency import SaliencyOf
from msroi.video.reading import Video

# In dB where the maps of all frames are in their top 30%, on bigbuckbunny.mp4: every 4th frame at
# the network's own short sides +1.42; at its smaller two alone, in a third of the time, +1.31, and
# every frame so +1.36
EVERY = 4  # frames, of which one has a map drawn
SIGMA = 3.0  # frames, of the Gaussian that weighs the maps around a frame; set by hand
REACH = 3.0  # in SIGMA: maps that are farther away don't count
SHORT_SIDES = (160, 320)  # pixels that the network sees a frame at: a still's but for the largest
SHORT_GRID = 30  # cells of a map's short side, at most
THUMB = (64, 36)  # pixels, of the small grey picture that a frame is known by
# Mean difference of two frames' small pictures, of 1, that means another shot. In four clips the
# six cuts have 0.18 and more, and no other frame more than 0.08
CUT = 0.12


class Steadiness(NamedTuple):
    """Mean change from a frame to the next of the same shot, from 0 to 1."""

    maps: float
    frames: float


class Maps:
    """Maps of a video's frames, which are seen in their order first, and then asked for.

    A frame's map is the mean of those drawn around it in its shot, weighed by a Gaussian of their
    distance in time. It is held until the next one that is drawn, since an encoder's regions take
    time to change.
    """

    def __init__(self, video: Video, map_of: SaliencyOf) -> None:
        self._video, self._map_of = video, map_of
        self._grid = _grid(video.coded)
        self.count = 0  # of the frames seen
        self._thumb = np.zeros(THUMB[::-1], np.float32)
        self._numbers: list[int] = []  # of the frames that a map is drawn of, and the maps
        self._drawn: list[np.ndarray] = []
        self._shots: list[int] = []  # the number of each shot's first frame
        self._changes: list[float] = []  # of frames to the next of the same shot

    def see(self, frame: Any) -> None:
        """Look at the next frame, as `msroi.video.reading` gives it."""
        thumb = _thumb(frame)
        change = float(np.abs(thumb - self._thumb).mean())
        number, self._thumb = self.count, thumb
        if number == 0 or change > CUT:
            self._shots.append(number)
        else:
            self._changes.append(change)
        if number == self._shots[-1] or number - self._numbers[-1] >= EVERY:
            self._numbers.append(number)
            self._drawn.append(_drawn(frame, self._video, self._map_of, self._grid))
        self.count += 1

    def at(self, number: int) -> np.ndarray:
        """The map of a frame in [0, 1], float32 [h, w], a value for each cell of the frame."""
        number = min(number, self.count - 1)  # where the file has grown meanwhile
        first, end = self._shot(number)
        reach = REACH * SIGMA
        middle = self._numbers[bisect_right(self._numbers, number) - 1] + (EVERY - 1) / 2
        low = bisect_left(self._numbers, max(first, middle - reach))
        high = bisect_left(self._numbers, min(end, middle + reach))
        distances = np.array(self._numbers[low:high]) - middle
        weights = np.exp(-((distances / SIGMA) ** 2) / 2).astype(np.float32)
        mean = np.tensordot(weights / weights.sum(), np.stack(self._drawn[low:high]), 1) / 255
        return _resized(mean, cells(self._video.coded))

    def steadiness(self) -> Steadiness:
        """Tell how much the maps change, and how much the frames do; 0 where there is one alone."""
        changes = []
        for first, end in zip(self._shots, [*self._shots[1:], self.count], strict=True):
            changes += mean_changes(map(self.at, range(first, end)))
        return Steadiness(*(float(np.mean(own or [0])) for own in (changes, self._changes)))

    def _shot(self, number: int) -> tuple[int, int]:
        """The first frame of the shot that a frame is of, and the first one after it."""
        after = bisect_right(self._shots, number)
        end = self._shots[after] if after < len(self._shots) else self.count
        return self._shots[after - 1], end


def mean_changes(pictures: Iterable[np.ndarray]) -> list[float]:
    """Give the mean absolute difference of each picture, or map, from the next."""
    before, changes = None, []
    for picture in pictures:
        if before is not None:
            changes.append(float(np.abs(picture - before).mean()))
        before = picture
    return changes


def cells(size: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of the cells that a frame of some height and width has."""
    return -(-size[0] // CELL), -(-size[1] // CELL)


def view(frame: Any, video: Video) -> np.ndarray:
    """A frame as a player shows it: uint8 [H, W, 3], upright, of square pixels, rather small."""
    height, width = video.coded
    wide = width * float(video.aspect)
    scale = min(max(SHORT_SIDES) / min(height, wide), 1)
    size = {"width": max(round(wide * scale), 1), "height": max(round(height * scale), 1)}
    pixels = frame.reformat(**size, format="rgb24", interpolation="AREA").to_ndarray()
    return np.ascontiguousarray(np.rot90(pixels, video.rotation // 90))


def _drawn(frame: Any, video: Video, map_of: SaliencyOf, grid: tuple[int, int]) -> np.ndarray:
    """The map of a frame as it is stored, uint8 on a grid."""
    stored = np.rot90(map_of(view(frame, video)), -(video.rotation // 90))
    return np.rint(255 * np.clip(_resized(stored, grid), 0, 1)).astype(np.uint8)


def _thumb(frame: Any) -> np.ndarray:
    width, height = THUMB
    small = frame.reformat(width=width, height=height, format="gray", interpolation="AREA")
    return small.to_ndarray().astype(np.float32) / 255


def _grid(size: tuple[int, int]) -> tuple[int, int]:
    own = cells(size)
    scale = Fraction(min(SHORT_GRID, min(own)), min(own))
    return round(own[0] * scale), round(own[1] * scale)


def _resized(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    picture = Image.fromarray(np.ascontiguousarray(values, np.float32))
    return np.asarray(picture.resize(size[::-1], Image.Resampling.BILINEAR))
