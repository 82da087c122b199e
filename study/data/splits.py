"""Seeded splits of an image set into training and validation, the same share of each class."""

import numpy as np

from study.data.imageset import ImageSet
from study.data.registry import DatasetError


def split(images: ImageSet, *, validation: float, seed: int) -> dict[str, list[str]]:
    """Split an image set, class by class.

    Of a class's n pictures, round(validation · n) are held out, but at least one and at most
    n − 1 where 0 < validation < 1 and n > 1. Each class is drawn by a generator of its own
    (seeded with `seed` and the label), so that a picture more or less changes only its class.

    Parameters
    ----------
    validation : float
        Share to hold out, in [0, 1).

    Returns
    -------
    dict
        "train" and "validation": names for `ImageSet.select`, in the set's order; ready for JSON.

    Raises
    ------
    DatasetError
        If `validation` is not in [0, 1).
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


def _drawn(images: ImageSet, label: int | None, validation: float, seed: int) -> set[str]:
    names = [item.name for item in images if item.label == label]
    count = round(validation * len(names))
    if validation > 0:
        count = min(max(count, 1), len(names) - 1)
    generator = np.random.default_rng([seed, 0 if label is None else label])
    return set(generator.permutation(names)[:count].tolist())
