"""Image sets: what is known of them, how to get them, and their pictures in order."""

from study.data.acquisition import fetch
from study.data.fixations import density, object_labels, points
from study.data.imageset import ImageSet, Item, load
from study.data.integrity import intact
from study.data.merging import merge, read_groups
from study.data.registry import DatasetError, table
from study.data.splits import split

__all__ = [
    "DatasetError",
    "ImageSet",
    "Item",
    "density",
    "fetch",
    "intact",
    "load",
    "merge",
    "object_labels",
    "points",
    "read_groups",
    "split",
    "table",
]
