"""What is known of an image's content: where people looked, and which objects it shows."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from msroi.images import FORMATS
from study.data.outlines import fill, large, outlines
from study.data.registry import DatasetError
from study.data.sets import Item

WHITE = 127  # a mask of one object is brighter where that is; a label image has fewer objects


def points(item: Item) -> np.ndarray:
    """All observers' fixations of an image, as recorded: float32 [N, 2].

    x (to the right) and y (down) in pixels of the image as stored, pixel centres at whole numbers
    from 0: the pixel looked at is (rint(y), rint(x)). OSIE and MIT1003 count from 1, and their own
    code rounds and clips so; here a point outside the image is left out. DatasetError if the set
    has no fixation points (CAT2000 comes with maps alone), or none of this image.
    """
    if item.fixations is None or item.fixations.suffix != ".mat":
        raise DatasetError(
            f"{item.path} has no fixation points: use a set that has (osie, mit1003)"
        )
    recorded = _recorded(item.fixations)
    if item.path.name not in recorded:
        raise DatasetError(f"{item.fixations} knows no {item.path.name}: fetch the set again")
    xy = recorded[item.path.name]
    pixel = np.rint(xy)
    inside = (pixel >= 0).all(axis=1) & (pixel < _size(item.path)).all(axis=1)
    return xy[inside]


def density(item: Item, *, sigma: float) -> np.ndarray:
    """The density of fixations over an image: float32 [H, W], not below 0, sum 1.

    From points it is the sum of one Gaussian of standard deviation `sigma` at each, cut off at
    4 sigma and at the image's edges; a fixation map that the set brings along is taken as it
    is, and `sigma` does not matter. Either way it is divided by its sum. The size is the image's as
    stored, `sigma` in pixels, above 0; `ImageSet.sigma` has each set's own, one degree of visual
    angle: 24 for OSIE, as its authors' `computeFixationMaps.m` has it (doi:10.1167/14.1.28), 35 for
    MIT1003 (data/README.md says by whom). DatasetError if the image has no fixations, or its map is
    empty or of another size.
    """
    if item.fixations is None:
        raise DatasetError(
            f"{item.path} has no fixations: use a set that has (osie, mit1003, cat2000)"
        )
    weights = _blurred(item, sigma) if item.fixations.suffix == ".mat" else _map(item)
    total = weights.sum()
    if total == 0:
        raise DatasetError(f"{item.fixations} holds no fixation of {item.path}: leave it out")
    return (weights / total).astype(np.float32)


def has_fixations(item: Item) -> bool:
    """Whether fixations of this image were recorded; looks no further than for its name."""
    if item.fixations is None or item.fixations.suffix != ".mat":
        return item.fixations is not None and item.fixations.is_file()
    return item.path.name in _recorded(item.fixations)


def object_masks(item: Item) -> np.ndarray:
    """The known objects of an image, a mask each: bool [N, H, W], of the image's size as stored.

    Of a test scene they are the labels 1 to N of its label image, in that order; of ECSSD its one
    mask (N = 1); of COCO each outline that encloses over 0.5% of the image, which may overlap.
    DatasetError if the image has no objects, or its mask is missing, broken or of another size.
    """
    if item.objects is None:
        raise DatasetError(
            f"{item.path} has no known objects: use a set that has (scenes, ecssd, coco)"
        )
    width, height = _size(item.path)
    if item.objects.suffix == ".png":
        masks = _masks(item.objects)
    else:
        objects = large(outlines(item.objects, item.path.name))
        masks = [fill(outline, (height, width)) for outline in objects]
    if not masks:
        raise DatasetError(f"{item.objects} shows no object of {item.path}: leave it out")
    if masks[0].shape != (height, width):
        raise DatasetError(f"{item.objects} is not of the size of {item.path}: leave it out")
    return np.stack(masks)


def has_objects(item: Item) -> bool:
    """Whether there is a file that knows this image's objects; looks no further."""
    return item.objects is not None and item.objects.is_file()


def check_mask(item: Item) -> None:
    """Refuse a mask that `object_masks` would refuse; outlines were read when they were listed."""
    if item.objects.suffix == ".png":
        object_masks(item)


def _masks(path: Path) -> list[np.ndarray]:
    """The objects of a mask: the white of a black and white one, else one of each label."""
    try:
        with Image.open(path, formats=["PNG"]) as image:
            levels = np.array(image.convert("L"))
    except Exception as error:  # a damaged file: Pillow's readers raise whatever they meet
        raise DatasetError(f"{path} is missing or broken ({error}): fetch the set again") from error
    highest = int(levels.max())
    if highest > WHITE:
        return [levels > WHITE]
    return [levels == label for label in range(1, highest + 1)]


def _blurred(item: Item, sigma: float) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    width, height = _size(item.path)
    columns, rows = np.rint(points(item)).astype(int).T
    counts = np.zeros((height, width))
    np.add.at(counts, (rows, columns), 1)
    return gaussian_filter(counts, sigma, mode="constant")


def _map(item: Item) -> np.ndarray:
    if not item.fixations.is_file():
        raise DatasetError(f"{item.fixations} is missing: fetch the set again")
    with Image.open(item.fixations, formats=FORMATS) as image:
        weights = np.asarray(image.convert("L"), dtype=float)
    if weights.shape[::-1] != _size(item.path):
        raise DatasetError(f"{item.fixations} is not of the size of {item.path}: leave it out")
    return weights


@lru_cache(maxsize=2)
def _recorded(path: Path) -> dict[str, np.ndarray]:
    """Fixations by file name: float32 [N, 2] of all observers together, pixels from 0."""
    from scipy.io import loadmat

    images = loadmat(path, squeeze_me=True, struct_as_record=False)["fixations"]
    return {str(image.img): _together(np.atleast_1d(image.subjects)) for image in images}


def _together(observers: np.ndarray) -> np.ndarray:
    x = np.hstack([observer.fix_x for observer in observers])
    y = np.hstack([observer.fix_y for observer in observers])
    return (np.stack([x, y], axis=1) - 1).astype(np.float32)  # MATLAB's first pixel is 1


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path, formats=FORMATS) as image:
        return image.size
