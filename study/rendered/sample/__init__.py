"""The images that need no network: photographs in scikit-image, and a miniature of CAT2000."""

from study.rendered.sample.categories import write_categories
from study.rendered.sample.photos import write_photographs

__all__ = ["write_categories", "write_photographs"]
