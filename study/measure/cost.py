"""What a stage will take: the sizes of its images, and seconds by their pixels."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from study.data.registry import DatasetError, source
from study.data.sets import ImageSet, load

# Pixels of a typical image of a set, height and width
TYPICAL = {
    "kodak": (512, 768),
    "sample": (400, 512),
    "caltech101": (200, 300),
    "caltech256": (325, 371),
    "cat2000": (1080, 1920),
    "osie": (600, 800),
    "mit1003": (768, 1024),
    "ecssd": (300, 400),
    "coco": (480, 640),
}
OTHER = TYPICAL["coco"]
SAMPLE_IMAGES, CATEGORIES = 8, 20  # of the sets that the sample study makes


class Growth(NamedTuple):
    """Seconds of one image: so many each, and so many more a megapixel."""

    each: float
    megapixel: float

    def of(self, megapixels: Sequence[float]) -> float:
        """Seconds of images one after the other."""
        return len(megapixels) * self.each + sum(megapixels) * self.megapixel


def growth(small: tuple[float, float], large: tuple[float, float]) -> Growth:
    """The line through two measurements, (megapixels, seconds) each; neither part is below 0."""
    slope = max(0.0, (large[1] - small[1]) / (large[0] - small[0]))
    each = large[1] - slope * large[0]
    return Growth(each, slope) if each >= 0 else Growth(0.0, large[1] / large[0])


def megapixels(
    name: str, params: Mapping[str, Any], *, root: Path, only: Sequence[str] = ()
) -> list[float]:
    """Megapixels of every image of a set that a study tests on, or of those of some names.

    A set that a study makes is as its parameters say; one on disk (in ``root``, that is data/raw,
    where datasets.<name>.path leads, or in $MSROI_DATA) as it lies there; any other is whole. Of
    the last two it may be the part that the parameters ask for. An image that can't be looked at
    is typical of its set.
    """
    asked = params["fetch"].get(name) or {}
    typical = _product(TYPICAL.get(name, OTHER))
    if name == "scenes":
        return 4 * asked["test_per_count"] * [_product(asked["test_size"])]
    if name == "categories":
        return CATEGORIES * asked["count"] * [_product(asked["size"])]
    part = params["datasets"].get(name) or {}
    if images := on_disk(name, root, part.get("path")):
        found = [_size(item.path, typical) for item in (images.select(only) if only else images)]
    else:
        found = (len(only) or source(name).images or SAMPLE_IMAGES) * [typical]
    return found if only else found[: _asked(len(found), part, source(name).classes or 1)]


def _asked(images: int, part: Mapping[str, Any], classes: int) -> int:
    """How many images of a set are asked for, of as many in so many classes."""
    chosen = len(part.get("categories") or ()) or classes
    most = (part.get("each") or images) * chosen
    return min(round(images * chosen / classes), most)


def on_disk(name: str, root: Path, path: str | None = None) -> ImageSet | None:
    """The set of that name where it lies, None where it is in none of the places."""
    places = [root / name, *([Path(path).expanduser()] if path else [])]
    if shared := os.environ.get("MSROI_DATA"):
        names = (name, name.upper(), *source(name).also)
        places += [Path(shared).expanduser() / one for one in names]
    for place in places:
        try:
            return load(name, place, subset="test")
        except DatasetError:
            continue
    return None


def _product(size: Sequence[int]) -> float:
    return size[0] * size[1] / 1e6


def _size(path: Path, otherwise: float) -> float:
    try:
        with Image.open(path) as image:  # its header alone
            return _product(image.size)
    except OSError:
        return otherwise  # the stage itself names a broken image


def spelt(seconds: float) -> str:
    """A duration as people say it: "40 s", "12 min", "2 h 40 min", "9 days 2 h"."""
    minutes, hours = round(seconds / 60), round(seconds / 3600)
    if seconds < 90:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    if hours < 48:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{hours // 24} days {hours % 24} h"
