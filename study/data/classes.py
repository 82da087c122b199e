"""Classes of an image set: the same share of each held out, and alike ones merged."""

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from study.data.registry import DatasetError, source
from study.data.sets import IMAGE_SUFFIXES, ImageSet, Item

GROUPS = Path(__file__).with_name("groups")


def split(images: ImageSet, *, validation: float, seed: int) -> dict[str, list[str]]:
    """Split an image set into training and validation, class by class.

    Of a class's n images, round(validation · n) are held out, but at least one and at most
    n − 1 where 0 < validation < 1 and n > 1. Each class is drawn by a generator of its own
    (seeded with `seed` and the label), so that an image more or less changes only its class.
    Gives the names of "train" and of "validation" for `ImageSet.select`, in the set's order.
    DatasetError if `validation` is not in [0, 1).
    """
    if not 0 <= validation < 1:
        raise DatasetError(f"validation is {validation}: give a share in [0, 1)")
    labels = {item.label for item in images}
    held_out = set().union(*(_drawn(images, label, validation, seed) for label in labels))
    names = [item.name for item in images]
    return {
        "train": [name for name in names if name not in held_out],
        "validation": [name for name in names if name in held_out],
    }


def background(images: ImageSet) -> ImageSet:
    """Give the images of a set that are of no class, which `load` leaves out: without labels.

    DatasetError if the set has none.
    """
    folders = source(images.name).no_class
    paths = [path for found in images.strays.values() for path in found]
    items = tuple(
        Item(name=f"{path.parent.name}/{path.name}", path=path, category=path.parent.name)
        for path in paths
        if path.parent.name in folders and path.suffix.lower() in IMAGE_SUFFIXES
    )
    if not items:
        raise DatasetError(
            f"{images.root} has no images of no class: set train.heads.<head>.background: false"
        )
    return replace(images, items=items, strays={})


def merge(images: ImageSet, groups: Mapping[str, str]) -> ImageSet:
    """Give the images coarser classes (the paper's §3); their category stays what it was.

    The classes are then the groups in use, sorted, and the labels index them. DatasetError if a
    class of the set is in no group.
    """
    missing = [name for name in images.classes if name not in groups]
    if missing:
        raise DatasetError(
            f"{len(missing)} classes of {images.name} are in no group, {missing[0]} first: "
            "add them to the mapping file"
        )
    classes = tuple(sorted({groups[name] for name in images.classes}))
    coarser = [classes.index(groups[name]) for name in images.classes]
    items = tuple(
        replace(item, label=None if item.label is None else coarser[item.label]) for item in images
    )
    return replace(images, items=items, classes=classes)


def read_groups(name_or_path: Path | str) -> dict[str, str]:
    """Read which class goes into which group.

    From "caltech256", the mapping that lies in `groups` (data/README.md says how it was made), or
    from a CSV file with the columns `class` and `group`. DatasetError if the file is missing, lacks
    a column, or has a class twice.
    """
    shipped = GROUPS / f"{name_or_path}.csv"
    path = shipped if shipped.is_file() else Path(name_or_path)
    if not path.is_file():
        raise DatasetError(f"{path} is no file: give a CSV file with the columns class and group")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"class", "group"} <= rows[0].keys():
        raise DatasetError(f"{path} needs the columns class and group in its first line")
    groups = {row["class"]: row["group"] for row in rows}
    if len(groups) < len(rows):
        raise DatasetError(f"{path} has a class twice: leave each in one group")
    return groups


def _drawn(images: ImageSet, label: int | None, validation: float, seed: int) -> set[str]:
    names = [item.name for item in images if item.label == label]
    count = round(validation * len(names))
    if validation > 0:
        count = min(max(count, 1), len(names) - 1)
    generator = np.random.default_rng([seed, 0 if label is None else label])
    return set(generator.permutation(names)[:count].tolist())
