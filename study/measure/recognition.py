"""Whether a picture still says what it said: a classifier's names of decoded photographs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from msroi.encoder import BudgetError
from msroi.images import read_pixels
from msroi.saliency import SaliencyOf
from study.data.sets import ImageSet, Item
from study.measure.classifier import Classifier
from study.measure.encoding import Encodings
from study.measure.evaluation import scaled
from study.measure.workers import over_cores

Methods = Mapping[str, Mapping[str, Any]]


def recognise(
    images: ImageSet,
    maps: Mapping[str, SaliencyOf],
    *,
    classifier: Path,
    methods: Methods,
    qualities: Sequence[int],
    scale: float = 1,
    jobs: int = -1,
) -> Iterator[dict[str, Any]]:
    """Name every image of a set, and what every method makes of it at equal bytes.

    Rows come image by image in the set's order, however many work on them: image, category,
    method, quality, bytes, budget_bytes, original_class and decoded_class, the most likely of
    ImageNet's 1000 classes. A method whose lowest quality has more bytes than the budget has no row
    of that image and quality.

    Parameters
    ----------
    maps, methods, scale, jobs
        As of `study.measure.evaluation.evaluate`.
    classifier
        The file that `study.measure.classifier.Classifier` reads.
    qualities
        Of the standard JPEGs whose bytes are the budgets; the column quality says which.
    """
    one = partial(
        _recognise_item,
        maps=dict(maps),
        classifier=classifier.resolve(),
        methods=methods,
        qualities=tuple(qualities),
        scale=scale,
        upright=images.upright,
    )
    found = tqdm(
        over_cores(one, images, jobs=jobs), f"recognise {images.name}", len(images), unit="image"
    )
    rows = dict(found)
    for item in images:
        yield from rows[item.name]


def recognise_image(
    image: np.ndarray,
    maps: Mapping[str, SaliencyOf],
    name: Callable[[np.ndarray], int],
    *,
    methods: Methods,
    qualities: Sequence[int],
) -> Iterator[dict[str, Any]]:
    """Rows of one image uint8 [H, W, 3], without its name and category; ``name`` is the judge."""
    drawn = cache(lambda wanted: maps[wanted](image))
    encodings = Encodings(image, drawn)
    original = name(image)
    for quality in qualities:
        for method, options in methods.items():
            try:
                coded = encodings.make(quality, {"method": method} | options)
            except BudgetError:
                continue
            row = {"method": method, "quality": quality, "bytes": coded.size_bytes}
            row |= {"budget_bytes": coded.budget_bytes, "original_class": original}
            yield row | {"decoded_class": name(coded.pixels)}


@cache
def _classifier(path: Path) -> Classifier:
    """One for all images of a worker."""
    return Classifier(path)


def _recognise_item(
    item: Item,
    *,
    maps: Mapping[str, SaliencyOf],
    classifier: Path,
    methods: Methods,
    qualities: tuple[int, ...],
    scale: float,
    upright: str,
) -> tuple[str, list[dict[str, Any]]]:
    image = scaled(read_pixels(item.path, upright=upright), scale)
    judge = _classifier(classifier)
    rows = recognise_image(image, maps, judge.name, methods=methods, qualities=qualities)
    return item.name, [{"image": item.name, "category": item.category} | row for row in rows]
