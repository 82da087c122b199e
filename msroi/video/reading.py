"""A video file as it is read: what is to be kept of it, and its frames, ready to be encoded.

PyAV, ffmpeg's libraries, is imported where it is needed: it comes with the extra `video`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from stat import S_ISREG
from typing import Any

import numpy as np

from msroi.errors import InputError
from msroi.video.frames import Preparation, converted, even, losses

# The containers that are read, by ffmpeg's names. Others are left alone: among them are lists of
# other files and addresses, stills, and text, of which ffmpeg makes videos as well.
FORMATS = (
    *("mov", "matroska", "avi", "mpegts", "mpeg", "flv", "ogg", "asf", "mxf", "nut", "ivf", "dv"),
    *("gif", "apng", "h264", "hevc", "mpegvideo", "m4v", "obu", "yuv4mpegpipe", "rm", "swf", "vob"),
)
OPTIONS = {"protocol_whitelist": "file", "format_whitelist": ",".join(FORMATS)}
TELLS_ITS_LENGTH = {"mov", "matroska", "avi"}  # in its head: an end before that is a cut
LENGTH_TOLERANCE = 0.5  # seconds
SMALLEST, LARGEST = 16, 16384  # pixels a side, which both encoders take


class VideoError(InputError, ValueError):
    """A file is no video that can be used; the message names the file and says why."""


@dataclass(frozen=True)
class Video:
    """What is to be known of a video file before its frames are read."""

    path: Path
    index: int  # of its video stream
    size: tuple[int, int]  # pixels, height and width of the frames as they are stored
    format: str  # of their samples: yuv420p, or yuvj420p in full range
    colour: tuple[int, int, int, int]  # range, primaries, transfer and matrix, ffmpeg's numbers
    aspect: Fraction  # of a pixel, width over height
    matrix: tuple[int, ...]  # by which a player turns the frames upright; empty for none
    rotation: int  # the same in degrees anticlockwise
    interlaced: bool
    time_base: Fraction  # seconds, of the frames' times
    rate: Fraction  # frames a second, on the mean
    origin: Fraction  # seconds, at which the file begins
    count: int  # of frames, about; 0 where the file doesn't tell
    copied: tuple[int, ...]  # streams of sound and subtitles
    notes: tuple[str, ...]  # what will not be as it was

    @property
    def coded(self) -> tuple[int, int]:
        """Height and width of the frames as they are encoded: even."""
        return even(self.size)


def examine(path: Path) -> Video:
    """Find out what a video file is; VideoError where it is none that can be used."""
    _check_file(path)
    with opened(path) as container:
        stream = _stream(path, container)
        frame = next(container.decode(stream), None)
        if frame is None:
            raise VideoError(f"{path}: has no frames")
        _check_size(path, (frame.height, frame.width))
        return _described(path, container, stream, frame)


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a file for reading; whatever is wrong with it in the block is a VideoError."""
    import av

    try:
        with av.open(f"file:{path}", container_options=OPTIONS, metadata_errors="replace") as file:
            yield file
    except MemoryError:
        raise
    except av.FFmpegError as error:
        reason = error.strerror or type(error).__name__
        raise VideoError(f"{path}: is damaged, or no video that msroi reads ({reason})") from error


def items(video: Video) -> Iterator[Any]:
    """Read a video: its frames, and in between the packets of the streams that are copied.

    Frames are of 8 bits and 4:2:0, as `Video` has them, and begin at time 0, as do the packets.
    Each frame comes later than the one before. VideoError where the file is damaged or cut off.
    """
    with opened(video.path) as container:
        stream = container.streams[video.index]
        stream.thread_type = "AUTO"
        prepare = Preparation(video.size, video.time_base, interlaced=video.interlaced)
        last, end = None, Fraction(0)
        for packet in container.demux():
            own = packet.stream.index
            end = max(end, _end(packet))
            if own == video.index:
                for decoded in packet.decode():
                    for frame in prepare(decoded):
                        last = _timed(frame, last, video)
                        yield frame
            elif own in video.copied and packet.dts is not None:
                yield _shifted(packet, video.origin)
        for frame in prepare.rest():
            last = _timed(frame, last, video)
            yield frame
        _check_whole(video.path, container, end - video.origin)


def _stream(path: Path, container: Any) -> Any:
    """The first video stream that is no cover of an album."""
    import av

    covers = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
    for stream in container.streams.video:
        if not stream.disposition & covers:
            if stream.codec_context is None:
                raise VideoError(f"{path}: is of a codec that this PyAV does not have")
            return stream
    raise VideoError(f"{path}: has no video stream")


def _described(path: Path, container: Any, stream: Any, frame: Any) -> Video:
    from av.video.reformatter import VideoReformatter

    ready = converted(frame, (frame.height, frame.width), VideoReformatter())
    matrix = _matrix(frame)
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    seconds = stream.duration * stream.time_base if stream.duration else 0
    seconds = seconds or Fraction(container.duration or 0, 1_000_000)
    start = Fraction(container.start_time or 0, 1_000_000)
    others = [s for s in container.streams if s.index != stream.index]
    copied = tuple(s.index for s in others if s.type in ("audio", "subtitle") and s.codec_context)
    notes = list(losses(frame))
    if left := sorted({s.type for s in others if s.index not in copied}):
        notes.append(f"its other streams ({', '.join(left)}) are left out")
    return Video(
        path=path,
        index=stream.index,
        size=(frame.height, frame.width),
        format=ready.format.name,
        colour=(ready.color_range, ready.color_primaries, ready.color_trc, ready.colorspace),
        aspect=stream.sample_aspect_ratio or Fraction(1),
        matrix=matrix,
        rotation=frame.rotation if matrix else 0,
        interlaced=frame.interlaced_frame,
        time_base=stream.time_base,
        rate=rate,
        origin=start,
        count=stream.frames or round(seconds * rate),
        copied=copied,
        notes=tuple(notes),
    )


def _matrix(frame: Any) -> tuple[int, ...]:
    for data in frame.side_data:
        if data.type.name == "DISPLAYMATRIX":
            return tuple(np.frombuffer(bytes(data), np.int32).tolist())
    return ()


def _timed(frame: Any, last: int | None, video: Video) -> int:
    """Say when a frame is shown, in units of the time base: after the last one, from 0 on."""
    if frame.pts is None:
        step = max(round(1 / (video.rate * video.time_base)), 1)
        own = 0 if last is None else last + step
    else:
        own = frame.pts - round(video.origin / video.time_base)
    frame.time_base = video.time_base
    frame.pts = own if last is None else max(own, last + 1)
    frame.pict_type = 0  # the encoder's own choice, not the file's
    return frame.pts


def _shifted(packet: Any, origin: Fraction) -> Any:
    shift = round(origin / packet.time_base)
    packet.dts -= shift
    packet.pts = None if packet.pts is None else packet.pts - shift
    return packet


def _end(packet: Any) -> Fraction:
    """When what a packet holds has been shown, in seconds."""
    begin = packet.dts if packet.pts is None else packet.pts
    return Fraction(0) if begin is None else (begin + (packet.duration or 0)) * packet.time_base


def _check_file(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise VideoError(f"{path}: there is no such file") from None
    except OSError as error:
        raise VideoError(f"{path}: cannot be read ({error.strerror})") from error
    if not S_ISREG(mode):
        raise VideoError(f"{path}: is no ordinary file; name another one")


def _check_size(path: Path, size: tuple[int, int]) -> None:
    if not SMALLEST <= min(size) <= max(size) <= LARGEST:
        raise VideoError(
            f"{path}: is {size[1]}×{size[0]} pixels, and encoders take sides from {SMALLEST} to "
            f"{LARGEST}; scale it first"
        )


def _check_whole(path: Path, container: Any, end: Fraction) -> None:
    """Refuse a file that ends before it says, once it has been read (VideoError)."""
    told = Fraction(container.duration or 0, 1_000_000)
    names = set(container.format.name.split(","))
    if names & TELLS_ITS_LENGTH and end < told - LENGTH_TOLERANCE:
        raise VideoError(
            f"{path}: is cut off: it says that it lasts {float(told):.1f} seconds, and has "
            f"{float(end):.1f}; fetch it whole, or write its head anew"
        )
