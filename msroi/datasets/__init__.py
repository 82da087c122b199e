"""Image sets: what is known of them, how to get them, and their pictures in order."""

from msroi.datasets.acquisition import fetch
from msroi.datasets.fixations import density, points
from msroi.datasets.imageset import ImageSet, Item, load
from msroi.datasets.integrity import intact
from msroi.datasets.merging import merge, read_groups
from msroi.datasets.registry import DatasetError, table
from msroi.datasets.splits import split

__all__ = [
    "DatasetError",
    "ImageSet",
    "Item",
    "density",
    "fetch",
    "intact",
    "load",
    "merge",
    "points",
    "read_groups",
    "split",
    "table",
]
