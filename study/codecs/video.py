"""H.264 and HEVC stills: x264 and x265 through PyAV, led by ffmpeg's regions of interest.

A file is the raw stream of one intra picture, 4:2:0 of 8 bits, with its headers and without a
container or the encoder's own advertisement, the same for plain and led. PyAV is loaded where it is
needed: it comes with the study's extra `video`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from msroi.offsets import marked, offsets
from study.codecs.errors import CodecError

TIME = Fraction(1, 25)  # of the one picture, which no file holds
SMALLEST_SIDE = 16  # pixels that x265 takes; smaller pictures are filled up
FINEST, COARSEST = 1.0, 51.0  # CRF
REACH, STEP = 12.0, 0.1  # of CRF: how far from the plain one a led one is sought, and how finely
# Quantization by texture is off: it serves the eye, and by PSNR, weighted or not, it loses 0.2 to
# 2.6 dB. At strength 0 both encoders ignore regions as well; at this one they heed nothing else.
NO_STRENGTH = 0.0001


@dataclass(frozen=True)
class Encoder:
    """How an encoder of ffmpeg's is asked for its best."""

    library: str
    decoder: str
    advertisement: str  # kinds of units that say only who encoded, ffmpeg's numbers
    options: Mapping[str, str]


ENCODERS = {
    "x264": Encoder(
        library="libx264",
        decoder="h264",
        advertisement="6",
        options={
            "preset": "veryslow",
            "tune": "psnr",
            "g": "1",
            "aq-mode": "1",
            "aq-strength": f"{NO_STRENGTH}",
        },
    ),
    "x265": Encoder(
        library="libx265",
        decoder="hevc",
        advertisement="39",
        options={
            "preset": "slow",
            "tune": "psnr",
            "g": "1",
            "x265-params": f"aq-mode=1:aq-strength={NO_STRENGTH}:qg-size=16:pools=none:"
            "frame-threads=1:log-level=error:info=0",
        },
    ),
}


def require(name: str) -> None:
    """Raise CodecError where PyAV, which has the encoders, is not installed."""
    try:
        import av  # noqa: F401
    except ModuleNotFoundError:
        raise CodecError(f"{name} needs PyAV: pip install av (the study's extra `video`)") from None


def qualities(crf: float) -> list[float]:
    """The CRFs around one, the coarsest first."""
    finest, coarsest = max(crf - REACH, FINEST), min(crf + REACH, COARSEST)
    return np.round(np.arange(coarsest, finest - STEP / 2, -STEP), 2).tolist()


class Picture(NamedTuple):
    """What is encoded."""

    frame: Any  # av.VideoFrame
    offsets: np.ndarray | None  # of `msroi.offsets.offsets`, where a map leads


def prepare(name: str, image: np.ndarray, saliency: np.ndarray | None) -> Picture:
    """Make an image uint8 [H, W, 3] a frame, and a map of it, where there is one, offsets."""
    require(name)
    import av

    frame = av.VideoFrame.from_ndarray(_planes(image), format="yuv420p")
    frame.time_base = TIME
    frame.pts = 0
    return Picture(frame, None if saliency is None else offsets(saliency))


def write(name: str, picture: Picture, crf: float) -> bytes:
    """Encode a picture at a CRF, from 1, the finest, to 51.

    Encoders round what CRF comes to, to whole QP, and so would all cells at once: what is beyond a
    whole CRF is added to the offsets, which lets one cell after another round the other way.
    """
    if picture.offsets is None:
        return _encoded(ENCODERS[name], picture.frame, crf)
    whole = round(crf)
    return _encoded(ENCODERS[name], marked(picture.frame, picture.offsets + crf - whole), whole)


def _encoded(encoder: Encoder, frame: Any, crf: float) -> bytes:
    import av
    from av.bitstream import BitStreamFilterContext

    context = av.CodecContext.create(encoder.library, "w")
    context.width, context.height, context.pix_fmt = frame.width, frame.height, "yuv420p"
    context.time_base, context.framerate, context.thread_count = TIME, 1 / TIME, 1
    context.color_range = av.video.reformatter.ColorRange.JPEG
    context.colorspace = av.video.reformatter.Colorspace.ITU601
    context.options = {**encoder.options, "crf": f"{crf:g}"}
    keep = BitStreamFilterContext(
        f"filter_units=remove_types={encoder.advertisement}", encoder.decoder
    )
    packets = [*context.encode(frame), *context.encode(None), None]
    return b"".join(bytes(kept) for packet in packets for kept in keep.filter(packet))


def read(name: str, data: bytes, shape: tuple[int, int]) -> np.ndarray:
    """Decode a stream of one picture of (H, W) pixels by ffmpeg's own decoder: uint8 [H, W, 3]."""
    import av

    context = av.CodecContext.create(ENCODERS[name].decoder, "r")
    context.thread_count = 1
    (frame,) = [*context.decode(av.Packet(data)), *context.decode(None)]
    samples = frame.to_ndarray(format="yuv420p")
    return _pixels(samples, frame.height, frame.width)[: shape[0], : shape[1]]


def _planes(image: np.ndarray) -> np.ndarray:
    """Samples of luma and of colour at half the size, as JFIF has them: uint8 [3H/2, W].

    Sides are made even, and `SMALLEST_SIDE` at least, by the nearest pixels.
    """
    height, width = (max(side + side % 2, SMALLEST_SIDE) for side in image.shape[:2])
    missing = ((0, height - image.shape[0]), (0, width - image.shape[1]), (0, 0))
    filled = Image.fromarray(np.pad(image, missing, mode="edge"))
    luma, *colour = filled.convert("YCbCr").split()
    planes = [luma, *(plane.reduce(2) for plane in colour)]
    return np.concatenate([np.asarray(plane).ravel() for plane in planes]).reshape(-1, width)


def _pixels(samples: np.ndarray, height: int, width: int) -> np.ndarray:
    """The image, uint8 [H, W, 3], of samples as `_planes` has them."""
    luma, colour = np.split(samples.reshape(-1), [height * width])
    halves = colour.reshape(2, height // 2, width // 2)
    planes = [
        Image.fromarray(luma.reshape(height, width)),
        *(Image.fromarray(h).resize((width, height), Image.Resampling.BILINEAR) for h in halves),
    ]
    return np.asarray(Image.merge("YCbCr", planes).convert("RGB"))
