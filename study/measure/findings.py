"""What a network finds: the class of an image, what people look at, the objects of a scene."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from msroi.images import read_pixels
from msroi.saliency import SaliencyOf
from study.data.sets import ImageSet
from study.data.truths import density, object_labels, points
from study.measure.agreement import auc_judd, average_precision, cc, nss
from study.statistics.intervals import mean_interval


def classification(
    labels: np.ndarray, logits: np.ndarray, classes: tuple[str, ...]
) -> pd.DataFrame:
    """Top-1 accuracy and average precision of every class, by labels [N] and logits [N, C].

    Columns: class, images, accuracy (share of the class's images named rightly), average_precision;
    a class without any image has no row. Accuracy over all images is the mean weighted by
    ``images``, mAP the plain mean of ``average_precision``.
    """
    right = logits.argmax(1) == labels
    rows = []
    for index in np.unique(labels):
        present = labels == index
        rows.append(
            {
                "class": classes[index],
                "images": int(present.sum()),
                "accuracy": float(right[present].mean()),
                "average_precision": average_precision(logits[:, index], present),
            }
        )
    return pd.DataFrame(rows)


def top_1(by_class: pd.DataFrame) -> float:
    """Share of all images named rightly, of one head's `classification`."""
    return float(np.average(by_class["accuracy"], weights=by_class["images"]))


def found(images: ImageSet, maps: Mapping[str, SaliencyOf]) -> Iterator[dict[str, Any]]:
    """Yield what each map finds in each image of a set.

    Where a set has masks of its objects (test scenes), a row an object: scene, objects (how many
    the scene holds), object (1…), map, inside (mean saliency in the mask), everywhere (mean of the
    image), found (inside is above everywhere). Of every other set a row an image: image, map, and
    its agreement with where people looked: auc_judd, nss, cc (`study.measure.agreement`); the
    density is that of `study.data.truths.density` at the set's own sigma.
    """
    for item in images:
        image = read_pixels(item.path, upright=images.upright)
        drawn = ((name, saliency_of(image)) for name, saliency_of in maps.items())
        if item.mask:
            yield from _objects(item.name, object_labels(item), drawn)
            continue
        where, looked = points(item), density(item, sigma=images.sigma)
        for name, saliency in drawn:
            scores = {"auc_judd": auc_judd(saliency, where), "nss": nss(saliency, where)}
            yield {"image": item.name, "map": name} | scores | {"cc": cc(saliency, looked)}


def _objects(
    scene: str, masks: np.ndarray, drawn: Iterable[tuple[str, np.ndarray]]
) -> Iterator[dict[str, Any]]:
    count = int(masks.max())
    for name, saliency in drawn:
        everywhere = float(saliency.mean())
        for index in range(1, count + 1):
            inside = float(saliency[masks == index].mean())
            row = {"scene": scene, "objects": count, "object": index, "map": name}
            values = {"inside": inside, "everywhere": everywhere, "found": inside > everywhere}
            yield row | values


def share_found(found: pd.DataFrame) -> pd.DataFrame:
    """Share of objects found, a row for each number of objects in the scene, a column a map."""
    return found.pivot_table(index="objects", columns="map", values="found", aggfunc="mean")


def differences(table: pd.DataFrame, *, unit: str, value: str, of: str, seed: int) -> pd.DataFrame:
    """The map ``of`` less every other one: the mean of paired differences, and its interval.

    ``table`` has the columns map, ``unit`` (what is independent and so drawn again in the
    bootstrap: "image" or "scene") and ``value`` (what is compared); several rows of one unit and
    map are averaged first. Columns of the result: map (the other one), difference, low, high (95%),
    units.
    """
    wide = table.pivot_table(index=unit, columns="map", values=value, aggfunc="mean")
    rows = []
    for other in wide.columns.drop(of):
        paired = (wide[of] - wide[other]).to_numpy(np.float64)
        mean, low, high = mean_interval(paired, seed=seed)
        row = {"map": other, "difference": mean, "low": low, "high": high, "units": len(wide)}
        rows.append(row)
    return pd.DataFrame(rows)
