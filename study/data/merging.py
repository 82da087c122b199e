"""Merging of classes that look alike into coarser ones (the paper's §3)."""

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from study.data.imageset import ImageSet
from study.data.registry import DatasetError

SHIPPED = Path(__file__).with_name("groups")


def read_groups(name_or_path: Path | str) -> dict[str, str]:
    """Read which class goes into which group.

    Parameters
    ----------
    name_or_path : str or path
        "caltech256" for the mapping that comes with msroi (data/README.md says how it was made),
        or a CSV file with the columns `class` and `group`.

    Returns
    -------
    dict of str to str
        Class to group.

    Raises
    ------
    DatasetError
        If the file is missing, lacks a column, or has a class twice.
    """
    shipped = SHIPPED / f"{name_or_path}.csv"
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


def merge(images: ImageSet, groups: Mapping[str, str]) -> ImageSet:
    """The same pictures with coarser classes; their category stays what it was.

    Returns
    -------
    ImageSet
        `classes` are the groups in use, sorted, and the labels index them.

    Raises
    ------
    DatasetError
        If a class of the set is in no group.
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
