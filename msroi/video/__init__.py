"""Videos whose bits lie where the map says, by x264 or x265, in a file that any player opens.

A video is read as often as it is encoded, so that the memory does not grow with its length but by
its maps: first it is encoded plainly while they are drawn, then under them until the bytes fit.
"""

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
from msroi.video.budget import COARSEST, GoOn, search
from msroi.video.maps import Maps
from msroi.video.reading import VideoError, examine
from msroi.video.writing import Settings, fitted, plain_sizes, require, write

SUFFIX = ".mp4"

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

        plain = plain_sizes(video, settings, see)

    def attempt(crf: float, file: BinaryIO, go_on: GoOn) -> int:
        led = settings._replace(crf=crf)
        with _bar(source, f"under the maps, CRF {crf:g}", maps.count) as bar:
            return write(video, led, file, maps.at, lambda frame: bar.update(), go_on)

    try:
        with TemporaryFile(dir=target.parent) as one, TemporaryFile(dir=target.parent) as other:
            found = search(attempt, plain, settings.crf, (one, other))
            if not found:
                raise VideoError(f"{source}: not even CRF {COARSEST:g} fits; try a smaller --crf")
            with mmap.mmap(found.file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                save(target, data)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror})") from error
    return Led(plain[-1], found.size, found.crf, found.tries, maps.count, maps, video.notes)


@contextmanager
def _bar(source: Path, step: str, count: int) -> Iterator[tqdm]:
    """Count frames on a terminal."""
    title = f"{shown(str(source))}: {step}"
    with tqdm(desc=title, total=count or None, unit="frame", leave=False, disable=None) as bar:
        yield bar
