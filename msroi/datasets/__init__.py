"""Image sets: what is known of them, how to get them, and their pictures in order."""

from .acquisition import fetch
from .fixations import density, points
from .imageset import ImageSet, Item, load
from .registry import DatasetError, table

__all__ = ["DatasetError", "ImageSet", "Item", "density", "fetch", "load", "points", "table"]
