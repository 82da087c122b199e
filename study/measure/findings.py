"""What a network finds: the class of an image, what people look at, the objects of a scene."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from msroi.images import read_pixels
from msroi.saliency import SaliencyOf
from study.data.sets import ImageSet
from study.data.truths import density, object_labels, points
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
    its agreement with where people looked: auc_judd, nss, cc; the
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


def nss(saliency: np.ndarray, points: np.ndarray) -> float:
    """Normalized scanpath saliency: the map's mean at the fixations, in its standard deviations.

    Of a map [H, W] at points [N, 2], x and y in pixels, as `study.data.truths.points` gives them.
    Larger is better; 0 is chance, and what a flat map gets. Peters et al. 2005,
    doi:10.1016/j.visres.2005.03.019.
    """
    values = saliency.astype(np.float64)
    spread = values.std()
    if spread < 1e-12:
        return 0.0
    return float((values[_pixels(points)].mean() - values.mean()) / spread)


def auc_judd(saliency: np.ndarray, points: np.ndarray) -> float:
    """Area under the ROC curve of the map as a classifier of fixated pixels.

    A fixated pixel is a positive, every other one a negative (Judd et al. 2009,
    doi:10.1109/ICCV.2009.5459462). The area is the share of pairs in which the fixated pixel has
    the larger value, ties counted half: exact, where the authors' code breaks ties by noise. A
    pixel fixated twice counts twice. In [0, 1], larger is better; ½ is chance, and what a flat map
    gets. Arguments as those of `nss`.
    """
    pixels = _pixels(points)
    fixated = np.zeros(saliency.shape, bool)
    fixated[pixels] = True
    others = np.sort(saliency[~fixated])
    values = saliency[pixels]
    below = np.searchsorted(others, values, "left")
    not_above = np.searchsorted(others, values, "right")
    return float((below + not_above).mean() / (2 * len(others)))


def cc(saliency: np.ndarray, density: np.ndarray) -> float:
    """Pearson's correlation of a map with the density of fixations, both [H, W].

    Larger is better, 1 at most; a flat map has none, and gets 0. Bylinskii et al. 2019,
    doi:10.1109/TPAMI.2018.2815601, say what this measure, NSS and AUC each reward.
    """
    if np.ptp(saliency) == 0 or np.ptp(density) == 0:
        return 0.0
    return float(np.corrcoef(saliency.ravel(), density.ravel())[0, 1])


def average_precision(scores: np.ndarray, present: np.ndarray) -> float:
    """Mean over the positives of the precision at each one's rank (no interpolation).

    ``scores`` float [N] are those of one class, equal ones keep their order; ``present`` bool [N]
    says which examples are of it, one at least. In (0, 1], larger is better; the mean over classes
    is the mAP.
    """
    hits = present[np.argsort(-scores, kind="stable")]
    ranks = np.flatnonzero(hits) + 1
    return float((np.arange(1, len(ranks) + 1) / ranks).mean())


def _pixels(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pixels that points lie in, as an index: rows, columns."""
    columns, rows = np.rint(points).astype(int).T
    return rows, columns
