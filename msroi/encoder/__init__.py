"""Image and saliency map → JPEG bytes.

Works with any map in [0, 1], a hand-drawn one too: neither torch nor the model is needed.
"""

import logging
import sys
from collections.abc import Callable, Collection
from functools import partial
from typing import NamedTuple

import numpy as np

from msroi.encoder import mosaic, peers, standard
from msroi.encoder.arguments import check_choice, check_size
from msroi.encoder.budget import BudgetError as BudgetError  # offered here too
from msroi.encoder.budget import Encoded
from msroi.encoder.target import Judge
from msroi.encoder.target import TargetError as TargetError  # here too
from msroi.errors import ArgumentError
from msroi.images import check_map, check_rgb, decode
from msroi.score import LARGEST, SMALLEST_SIDE, Scorer, scorable

logger = logging.getLogger(__name__)  # tells the steps of an encoding, at DEBUG


def _encode_direct(image, saliency, **options) -> Encoded:
    from msroi.encoder import direct  # numba takes a while to load

    return direct.encode(image, saliency, **options)


def load(method: str) -> None:
    """Load what a method needs before it encodes: half a second, the first time, for ``"direct"``.

    To be called in a thread of its own, where other work comes before the first image.
    """
    if method.startswith("direct"):
        from msroi.encoder import trellis

        trellis.load()


class Method(NamedTuple):
    """A way to encode, and what it can be told."""

    encode: Callable[..., Encoded]  # (image, saliency, *, quality, max_bytes, judge, **options)
    heeds_map: bool = False  # whether another map gives another file
    options: tuple[str, ...] = ()  # their names


_PLAIN = ("tune", "subsampling", "progressive")
_LEVELS = ("levels", "q_low", "q_high", "split", "untouched")
METHODS = {
    "direct": Method(_encode_direct, heeds_map=True, options=("strength", *_PLAIN)),
    "direct-flat": Method(partial(_encode_direct, strength=0), options=_PLAIN),
    "mosaic": Method(mosaic.encode, heeds_map=True, options=_LEVELS),
    "standard": Method(standard.encode),
    "standard-optimized": Method(peers.optimized),
    "mozjpeg": Method(peers.mozjpeg),
    "mozjpeg-robidoux": Method(peers.mozjpeg_robidoux),
    "jpegli": Method(peers.jpegli),
}
DEFAULT_QUALITY = 50  # of the standard JPEG whose bytes are the budget, where nothing else is said
OFFERED = ("direct", "mosaic", "standard")  # to users; the others are there to compare with


def check_methods(names: Collection[str]) -> None:
    """Refuse unknown methods (ArgumentError), before any work is done."""
    for name in names:
        check_choice("method", name, METHODS)


def encode(
    image: np.ndarray,
    saliency: np.ndarray | None = None,
    *,
    method: str = "direct",
    quality: int | None = None,
    max_bytes: int | None = None,
    target: float | None = None,
    **options,
) -> bytes:
    """Encode an image as JPEG, with more of the bytes where the map is high.

    Deviation: the paper compares sizes "within ±1%", but 1% more bytes is a gain in itself. Here
    no file has more bytes than its budget, which is the standard JPEG's.

    Parameters
    ----------
    image : uint8 [H, W, 3]
        RGB; sides from 1 to 65500.
    saliency : float [H, W] in [0, 1], optional
        The larger, the more important. ``"direct"`` heeds its order and no scale, ``"mosaic"``
        its values. None is flat: 0.5 everywhere.
    method : str
        ``"direct"``: rate–distortion optimised under the map. Options: `strength`, `tune`,
        `subsampling` and `progressive`, see `msroi.encoder.direct.encode`.
        ``"direct-flat"``: the same without a map.
        ``"mosaic"``: the paper's section 4. Options: `levels` (k, 5), `q_low` and `q_high`
        (Q_l and Q_h, 30 and 70), `split` and `untouched`, see `msroi.encoder.mosaic.make_mosaic`.
        ``"standard"``: plain baseline JPEG, which heeds no map and has no options; nor do
        the peers ``"standard-optimized"``, ``"mozjpeg"``, ``"mozjpeg-robidoux"`` and
        ``"jpegli"`` (`msroi.encoder.peers`).
    quality : int, optional
        1 to 100, by default 50: where `max_bytes` and `target` are None, the budget is the size of
        the standard JPEG of this quality, and ``"standard"`` gives that very file.
    max_bytes : int, optional
        The budget. The result has the largest quality whose file is within it: at least 99%
        of it where the quality is continuous, less where it goes by whole steps. Where even the
        file of the highest quality is smaller, it is that one. An image of a few blocks may get
        less, if no size comes between: one level more may be a per cent of its bytes.
    target : float, optional
        In place of both: the SSIMULACRA2 score that the file is to have against `image`, above 0
        and below 100, sensibly from 30 to 90. The result is the smallest file that scores this or
        more, at most 0.5 more where the quality is continuous; the map leads its bytes as ever.
        Where no `tune` is given it is ``"ssimulacra2"``, by which files are smallest. Three or four
        files are scored, each in 0.6 s a megapixel.
    **options
        Of the method; one that the method does not have is a TypeError.

    Returns
    -------
    bytes
        A JFIF file of at most `max_bytes` bytes, or of a score of `target` or more.

    Raises
    ------
    BudgetError
        Even the lowest quality does not fit; names the smallest reachable size.
    TargetError
        Even the highest quality scores below `target`; names the score that can be reached.
    ArgumentError
        A ValueError: an argument is out of its range, or has another shape or dtype; `target`
        beside `quality` or `max_bytes`, or for an image that has no score, with a side below 8
        pixels or more than 16 megapixels.
    """
    sizes = {"quality": quality, "max_bytes": max_bytes, "target": target}
    return encode_detailed(image, saliency, method=method, **sizes, **options).data


def encode_detailed(
    image: np.ndarray,
    saliency: np.ndarray | None = None,
    *,
    method: str = "direct",
    quality: int | None = None,
    max_bytes: int | None = None,
    target: float | None = None,
    **options,
) -> Encoded:
    """As `encode`, and tell the quality too that the search chose, and the score if any.

    Returns
    -------
    Encoded
        ``data`` (bytes) and ``quality``, on libjpeg's scale from 1 to 100: whole for
        ``"standard"``, continuous for ``"direct"``, to a twentieth for the others (of
        ``"mosaic"`` it is that of the last encode); and ``score``, None without a `target`.
    """
    check_methods([method])
    if strange := [name for name in options if name not in METHODS[method].options]:
        raise TypeError(f"method {method!r} has no option {strange[0]!r}")
    check_size(quality, max_bytes, target)
    _check_image(image)
    if saliency is None:
        saliency = np.full(image.shape[:2], 0.5, np.float32)
    _check_saliency(saliency, image.shape[:2])
    judge = None if target is None else _judge(image, target)
    quality = quality or DEFAULT_QUALITY
    if max_bytes is not None:  # beyond what any file has, where floats end too
        max_bytes = max(min(int(max_bytes), sys.maxsize), -sys.maxsize)
    if max_bytes is None and judge is None and method != "standard":
        logger.debug("finding the budget")
        max_bytes = len(standard.write(image, quality))
    logger.debug("analysing")
    if judge and "tune" in METHODS[method].options:
        options = {"tune": "ssimulacra2"} | options
    size = {"quality": quality, "max_bytes": max_bytes, "judge": judge}
    return METHODS[method].encode(image, saliency, **size, **options)


def _judge(image: np.ndarray, target: float) -> Judge:
    """What scores a file against an image, which has to have a score (ArgumentError)."""
    if not scorable(image.shape):
        raise ArgumentError(
            f"an image of {image.shape[1]}×{image.shape[0]} pixels has no SSIMULACRA2 score, which "
            f"takes sides of {SMALLEST_SIDE} or more and at most {LARGEST >> 20} megapixels: "
            "give a quality or a size in bytes"
        )
    score = Scorer(image)
    return Judge(target, lambda data: score(decode(data)))


def _check_image(image: np.ndarray) -> None:
    check_rgb(image)
    if not all(1 <= side <= standard.MAX_SIDE for side in image.shape[:2]):
        raise ArgumentError(
            f"JPEG holds sides from 1 to {standard.MAX_SIDE} pixels, "
            f"not {image.shape[1]}×{image.shape[0]}"
        )


def _check_saliency(saliency: np.ndarray, shape: tuple[int, int]) -> None:
    if not isinstance(saliency, np.ndarray):
        raise ArgumentError(f"a map must be an array float [H, W], not {type(saliency).__name__}")
    if saliency.shape != shape or not np.issubdtype(saliency.dtype, np.floating):
        raise ArgumentError(
            f"a map for this image must be float {list(shape)}, "
            f"not {saliency.dtype} {list(saliency.shape)}"
        )
    check_map(saliency)
