"""Broken images: found by decoding them, and named."""

import logging
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Literal

from PIL import Image
from tqdm import tqdm

from msroi.images import FORMATS
from study.data.imageset import ImageSet, Item
from study.data.registry import DatasetError

# What Pillow raises on damaged files
DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error)

logger = logging.getLogger(__name__)


def intact(images: ImageSet, *, broken: Literal["skip", "stop"]) -> ImageSet:
    """Decode every picture of a set, and leave out or refuse what can't be decoded.

    Parameters
    ----------
    broken : {"skip", "stop"}
        "skip": log each broken image by name, leave it out and count it among the strays;
        "stop": refuse the set at its first broken image.

    Returns
    -------
    ImageSet
        The pictures that decode, in the same order.

    Raises
    ------
    DatasetError
        For a broken image with `broken="stop"`, and if none is left.
    """
    if broken not in ("skip", "stop"):
        raise DatasetError(f"broken is {broken!r}: say skip or stop")
    bad = {}
    for item, damage in _damages(images):
        if damage and broken == "stop":
            raise DatasetError(
                f"{item.path} is broken ({damage}): mend or remove it, or set broken: skip"
            )
        if damage:
            logger.warning("left out %s, which is broken (%s)", item.path, damage)
            bad[item.name] = item.path
    if not bad:
        return images
    if len(bad) == len(images):
        raise DatasetError(f"all {len(bad)} images of {images.root} are broken: fetch them anew")
    sound = tuple(item for item in images if item.name not in bad)
    return replace(images, items=sound, strays={**images.strays, "broken": tuple(bad.values())})


def _damages(images: ImageSet) -> Iterator[tuple[Item, str]]:
    """Each item with what is wrong with it, "" for nothing; in the set's order."""
    with ThreadPoolExecutor() as threads:  # Pillow decodes outside of Python's lock
        paths = [item.path for item in images]
        try:
            checked = tqdm(threads.map(_damage, paths), "checking", len(paths), disable=None)
            yield from zip(images, checked, strict=True)
        finally:
            threads.shutdown(cancel_futures=True)


def _damage(path: Path) -> str:
    try:
        with Image.open(path, formats=FORMATS) as image:
            image.load()
    except (*DAMAGE, Image.DecompressionBombError) as error:
        return str(error) or type(error).__name__
    return ""
