"""Image sets: what is known of them, how to get them, and their pictures in order."""

from .acquisition import fetch
from .fixations import density, points
from .imageset import ImageSet, Item, load
from .integrity import intact
from .merging import merge, read_groups
from .registry import DatasetError, table
from .splits import split

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
