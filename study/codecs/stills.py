"""JPEG 2000, WebP and AVIF by Pillow, which takes no map: the image is smoothed by the map first.

A file is what Pillow writes, of JPEG 2000 the codestream alone.
"""

import io
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, features
from scipy.ndimage import uniform_filter

from study.codecs.errors import CodecError

# Chosen where people look, on eight photographs of OSIE that study=beyond does not report
RADIUS = 2  # pixels, of the filter's windows (1 and 4: the same within 0.05 dB)
# Of 255: the contrast of which a filter of full strength keeps half. Of jpeg2000, webp and avif the
# led files gain, in dB: 4: +0.1, +0.3, +0.2; 8: +0.2, +0.5, +0.3; 16: −1.0, −0.2, −0.1
STRENGTH = 8.0


class Format(NamedTuple):
    """A format of Pillow's: its options, and the qualities that a led file is sought at."""

    name: str
    feature: str  # what Pillow must have been built with
    options: Mapping[str, Any]
    below: float  # how far from the plain file's quality, on the format's own scale
    above: float
    step: float
    best: float = 100.0

    def settings(self, quality: float) -> dict[str, Any]:
        """What Pillow is told for a quality."""
        if self.name == "JPEG2000":
            return {"quality_layers": [quality], **self.options}
        return {"quality": int(quality) if quality == int(quality) else quality, **self.options}


FORMATS = {
    "jpeg2000": Format(
        name="JPEG2000",
        feature="jpg_2000",
        options={"quality_mode": "dB", "irreversible": True, "mct": 1, "no_jp2": True},
        below=2.0,
        above=6.0,
        step=0.05,
    ),
    "webp": Format(
        name="WEBP", feature="webp", options={"method": 6}, below=4, above=16, step=0.25
    ),
    "avif": Format(
        name="AVIF",
        feature="avif",
        options={"speed": 6, "subsampling": "4:2:0", "max_threads": 1},
        below=4,
        above=16,
        step=1,
    ),
}


def require(name: str) -> None:
    """Raise CodecError where Pillow was built without a codec."""
    if not features.check(FORMATS[name].feature):
        raise CodecError(f"this Pillow was built without {name}: install the one that PyPI has")


def qualities(name: str, quality: float) -> list[float]:
    """The qualities around one, the worst first."""
    own = FORMATS[name]
    low, high = max(quality - own.below, own.step), min(quality + own.above, own.best)
    return np.round(np.arange(low, high + own.step / 2, own.step), 2).tolist()


def prepare(name: str, image: np.ndarray, saliency: np.ndarray | None) -> Image.Image:
    """Make an image uint8 [H, W, 3] Pillow's, smoothed where there is a map and it is low."""
    return Image.fromarray(image if saliency is None else smoothed(image, saliency))


def write(name: str, picture: Image.Image, quality: float) -> bytes:
    """Encode a picture at a quality on the format's own scale."""
    own, file = FORMATS[name], io.BytesIO()
    picture.save(file, own.name, **own.settings(quality))
    return file.getvalue()


def read(data: bytes, shape: tuple[int, int]) -> np.ndarray:
    """Decode a file: uint8 [H, W, 3]."""
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGB"))


def smoothed(image: np.ndarray, saliency: np.ndarray) -> np.ndarray:
    """Smooth an image uint8 [H, W, 3] where a map, float [H, W] in [0, 1], is low, edges kept.

    The guided filter of He, Sun and Tang (2013, doi:10.1109/TPAMI.2012.213) with the image as its
    own guide, channel by channel: in each window it keeps the share v / (v + ε) of what differs
    from the mean, v the variance there. Here ε = (s (1 − m))², m the map stretched to [0, 1] and s
    `STRENGTH`: an edge, whose variance is far above ε, stays.
    """
    low, high = saliency.min(), saliency.max()
    stretched = (saliency - low) / max(high - low, 1e-9)
    epsilon = ((STRENGTH * (1 - stretched)) ** 2)[..., None]
    values = image.astype(np.float64)
    mean = _window_mean(values)
    variance = _window_mean(values**2) - mean**2
    kept = variance / np.maximum(variance + epsilon, 1e-9)
    result = _window_mean(kept) * values + _window_mean((1 - kept) * mean)
    return np.clip(np.rint(result), 0, 255).astype(np.uint8)


def _window_mean(values: np.ndarray) -> np.ndarray:
    side = 2 * RADIUS + 1
    return uniform_filter(values, (side, side, 1), mode="nearest")
