"""Image sets: what is known of them, how to get them, and their pictures in order."""

from .imageset import ImageSet, Item, load
from .registry import DatasetError, table

__all__ = ["DatasetError", "ImageSet", "Item", "load", "table"]
