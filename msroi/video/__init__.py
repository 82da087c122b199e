"""Videos whose bits lie where the map says, by x264 or x265, in a file that any player opens.

A video is read as often as it is encoded, so that the memory does not grow with its length but by
its maps: first it is encoded plainly while they are drawn, then under them until the bytes fit.
"""

import math
import mmap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, NamedTuple

from tqdm import tqdm

from msroi.files import OutputError, check_writable
from msroi.program import shown
from msroi.saliency import SaliencyOf
from msroi.video.maps import Maps
from msroi.video.reading import VideoError, examine
from msroi.video.writing import Settings, fitted, plain_bytes, require, write

SUFFIX = ".mp4"
# By benchmarks/video.py
SHARE_AIMED_AT = 0.99  # of the plain encode's bytes
SHARE_TO_STOP_AT = 0.97
CRF_RAISED = 1.2  # in the first try: the regions cost more bytes than they save
CRF_PER_LOG_SIZE = 7.0  # until two tries tell
TRIES = 8  # after which any that fits will do
FINEST, COARSEST = 1.0, 51.0  # CRF
CRF_DIGITS = 2

Save = Callable[[Path, Any], None]  # `msroi.files.write_new` or `write_atomically`


class Led(NamedTuple):
    """A video that was written; the bytes are those of its frames alone."""

    plain_bytes: int
    led_bytes: int
    crf: float
    tries: int
    frames: int
    maps: Maps
    notes: tuple[str, ...]  # what of the video is not as it was


def encode_file(
    source: Path, target: Path, settings: Settings, *, map_of: SaliencyOf, save: Save
) -> Led:
    """Encode a video file under its maps, in at most the bytes that it takes without.

    Beside the frames of the first video stream the target, an mp4, has the sound as it is, the
    frames' times, colours, pixels' aspect and rotation. Until it is whole it has no name: nothing
    is left of it, however the program ends.

    Parameters
    ----------
    settings
        Those of the plain encode, which gives the bytes; the led one's CRF is sought.
    map_of
        Draws the map of an image, as `msroi.saliency.network_map` gives it.
    save
        Writes the bytes to the target.

    Raises
    ------
    VideoError
        The source is no video that can be used; also where no CRF comes down to the bytes.
    OutputError
        The target cannot be written.
    InputError
        PyAV or its encoder is missing.
    """
    require(settings.codec)
    check_writable(target)
    video = fitted(examine(source), settings)
    maps = Maps(video, map_of)
    with _bar(source, "plain, and maps", video.count) as bar:

        def see(frame: Any) -> None:
            maps.see(frame)
            bar.update()

        budget = plain_bytes(video, settings, see)

    def attempt(crf: float, file: BinaryIO) -> int:
        led = settings._replace(crf=crf)
        with _bar(source, f"under the maps, CRF {crf:g}", maps.count) as bar:
            return write(video, led, file, maps.at, lambda frame: bar.update())

    try:
        with TemporaryFile(dir=target.parent) as one, TemporaryFile(dir=target.parent) as other:
            found = _search(attempt, budget, settings.crf, (one, other))
            if not found:
                raise VideoError(f"{source}: not even CRF {COARSEST:g} fits; try a smaller --crf")
            with mmap.mmap(found.file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                save(target, data)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror})") from error
    return Led(budget, found.size, found.crf, found.tries, maps.count, maps, video.notes)


class _Found(NamedTuple):
    crf: float
    size: int
    file: BinaryIO
    tries: int


def _search(
    attempt: Callable[[float, BinaryIO], int],
    max_bytes: int,
    crf: float,
    files: tuple[BinaryIO, BinaryIO],
) -> _Found | None:
    """Search the CRF whose file just fits, by the secant of CRF and the logarithm of bytes.

    The largest file that fits stays in one of the two, while the other takes the next try. After
    `TRIES` the first that fits will do. None where nothing does.
    """
    target = math.log(max(SHARE_AIMED_AT * max_bytes, 1))
    points: dict[float, float] = {}
    best: _Found | None = None
    tried, kept = files
    x = min(crf + CRF_RAISED, COARSEST)
    while x not in points:
        tried.seek(0)
        tried.truncate()
        size = attempt(x, tried)
        points[x] = math.log(size)
        if max_bytes >= size > (best.size if best else 0):
            best = _Found(x, size, tried, 0)
            tried, kept = kept, tried
        if best and best.size >= SHARE_TO_STOP_AT * max_bytes:
            break
        x = _next_crf(points, target)
        if not best and (x in points or len(points) >= TRIES):
            x = max(points) + 1
        elif len(points) >= TRIES:
            break
        x = min(max(x, FINEST), COARSEST)
    return best and best._replace(tries=len(points))


def _next_crf(points: dict[float, float], target: float) -> float:
    """Where the logarithm of bytes meets the target if it is linear through the nearest points.

    ``points`` has it by the CRF. The nearest are one on either side, where there are.
    """
    near = sorted(points, key=lambda x: abs(points[x] - target))
    first = near[0]
    other = next((x for x in near if (points[x] > target) != (points[first] > target)), None)
    other = near[1] if other is None and len(near) > 1 else other
    slope = CRF_PER_LOG_SIZE
    if other is not None and points[other] != points[first]:
        slope = (other - first) / (points[first] - points[other])
    slope = min(max(slope, CRF_PER_LOG_SIZE / 4), CRF_PER_LOG_SIZE * 4)
    return round(first + slope * (points[first] - target), CRF_DIGITS)


@contextmanager
def _bar(source: Path, step: str, count: int) -> Iterator[tqdm]:
    """Count frames on a terminal."""
    title = f"{shown(str(source))}: {step}"
    with tqdm(desc=title, total=count or None, unit="frame", leave=False, disable=None) as bar:
        yield bar
