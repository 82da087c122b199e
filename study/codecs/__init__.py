"""Codecs other than JPEG, plain and led by a map: the paper's claim that its map serves them too.

H.264 and HEVC take offsets of their quantization by regions (`study.codecs.video`). JPEG 2000, WebP
and AVIF take no map through their libraries: the image is smoothed where the map is low before they
see it (`study.codecs.stills`). Either way the led file has at most the bytes of the plain one.
"""

from collections.abc import Callable, Collection
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from msroi.encoder.budget import Encoded, search
from study.codecs import stills, video

LED = "-led"  # ends the name of a codec's method that heeds a map


class Codec(NamedTuple):
    """A codec by what it does: an image is prepared, written at a quality, and read again."""

    prepare: Callable[[np.ndarray, np.ndarray | None], Any]  # image and map, None for no map
    write: Callable[[Any, float], bytes]  # what was prepared, and a quality
    read: Callable[[bytes, tuple[int, int]], np.ndarray]  # a file, and the image's height and width
    qualities: Callable[[float], list[float]]  # those around a quality, the worst first
    require: Callable[[], None]  # an error where the codec is not installed


def _video(name: str) -> Codec:
    parts = (partial(part, name) for part in (video.prepare, video.write, video.read))
    return Codec(*parts, video.qualities, partial(video.require, name))


def _still(name: str) -> Codec:
    parts = (partial(part, name) for part in (stills.prepare, stills.write))
    around, require = partial(stills.qualities, name), partial(stills.require, name)
    return Codec(*parts, stills.read, around, require)


CODECS = {
    "x264": _video("x264"),
    "x265": _video("x265"),
    "jpeg2000": _still("jpeg2000"),
    "webp": _still("webp"),
    "avif": _still("avif"),
}
METHODS = dict.fromkeys(CODECS, False) | {name + LED: True for name in CODECS}  # heeds a map


def check_methods(names: Collection[str]) -> None:
    """Refuse methods of a codec that is not installed (CodecError), before any work is done."""
    for name in names:
        CODECS[name.removesuffix(LED)].require()


def plain(image: np.ndarray, codec: str, quality: float) -> bytes:
    """Encode an image uint8 [H, W, 3] at a quality on the codec's own scale, without a map.

    The scale is CRF for x264 and x265, where less is better; decibels for JPEG 2000; 0 to 100 for
    WebP and AVIF.
    """
    own = CODECS[codec]
    return own.write(own.prepare(image, None), quality)


def led(
    image: np.ndarray, saliency: np.ndarray, codec: str, quality: float, file: bytes
) -> Encoded:
    """Encode under a map, at the best quality at which there are no more bytes than in a file.

    ``file`` is the plain one of the given quality, and is the result where the map, float [H, W] in
    [0, 1], is flat. BudgetError where no quality that the codec tries around the given one fits.
    """
    if np.ptp(saliency) == 0:
        return Encoded(file, quality)
    own = CODECS[codec]
    write = partial(own.write, own.prepare(image, saliency))
    return search(write, len(file), own.qualities(quality))


def read(codec: str, data: bytes, shape: tuple[int, int]) -> np.ndarray:
    """Decode a file of an image of (H, W) pixels: uint8 [H, W, 3]."""
    return CODECS[codec].read(data, shape)
