"""The outlines of the objects in COCO's photographs, from its annotations or from label files."""

import json
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from study.data.registry import DatasetError

SMALLEST = 0.005  # of the image's area: an object that covers no more of it counts for none

# One object's polygons, each float [K, 2]: x over the image's width and y over its height, in
# [0, 1], from the left upper corner of the left upper pixel. An object that something stands before
# may have several.
Outline = list[np.ndarray]


def outlines(path: Path, name: str) -> list[Outline]:
    """Read the outlines of all objects of the image whose file is called `name`, large and small.

    `path` is COCO's annotations of many images (`.json`; crowds, which have no outline, are left
    out), or the image's own label file (`.txt`; a line an object: its class, then x and y in turn).
    A label file that is missing, like an image that the annotations do not know, has no object.
    DatasetError if the file is broken.
    """
    if path.suffix == ".json":
        return _annotations(path).get(name, [])
    return _labels(path) if path.exists() else []


def large(objects: Iterable[Outline]) -> list[Outline]:
    """Those that enclose more than `SMALLEST` of the image's area, in their order."""
    return [outline for outline in objects if sum(map(_area, outline)) > SMALLEST]


def fill(outline: Outline, shape: tuple[int, int]) -> np.ndarray:
    """The pixels of an image of `shape` (H, W) whose centres an outline encloses: bool [H, W]."""
    from skimage.draw import polygon

    inside = np.zeros(shape, bool)
    height, width = shape
    for corners in outline:
        x, y = (corners * (width, height) - 0.5).T  # skimage's pixel centres are whole numbers
        inside[polygon(y, x, shape)] = True
    return inside


def _area(corners: np.ndarray) -> float:
    """What a polygon encloses, as a share of the image (the shoelace formula)."""
    x, y = corners.T
    return abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2


@lru_cache(maxsize=2)
def _annotations(path: Path) -> dict[str, list[Outline]]:
    """The outlines of COCO's annotations by the images' file names."""
    try:
        told = json.loads(path.read_bytes())
        images = {image["id"]: image for image in told["images"]}
        found = defaultdict(list)
        for annotation in told["annotations"]:
            if not annotation.get("iscrowd"):
                image = images[annotation["image_id"]]
                found[image["file_name"]].append(_of_annotation(annotation, image))
    except (KeyError, TypeError, ValueError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else error
        raise DatasetError(
            f"{path} is broken or none of COCO's annotations ({reason}): fetch the set anew"
        ) from error
    return dict(found)


def _of_annotation(annotation: dict[str, Any], image: dict[str, Any]) -> Outline:
    size = image["width"], image["height"]
    return [np.array(part, float).reshape(-1, 2) / size for part in annotation["segmentation"]]


def _labels(path: Path) -> list[Outline]:
    found = []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        _, *numbers = line.split()
        try:
            corners = np.array(numbers, float).reshape(-1, 2)
        except ValueError as error:
            raise DatasetError(
                f"{path}, line {number}, is not a class and pairs of x and y ({error}): mend it"
            ) from error
        if len(corners) < 3:
            raise DatasetError(
                f"{path}, line {number}, has {len(corners)} points and an outline has 3 or more: "
                "take the labels that are outlines, not boxes"
            )
        found.append([corners])
    return found
