"""The images that need no network: photographs in scikit-image, and a miniature of CAT2000."""

from study.rendered.sample.categories import CATEGORIES, categories, write_categories
from study.rendered.sample.photos import PHOTOGRAPHS, photographs, write_photographs

__all__ = [
    "CATEGORIES",
    "PHOTOGRAPHS",
    "categories",
    "photographs",
    "write_categories",
    "write_photographs",
]
