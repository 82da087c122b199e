"""What a network finds: the class of an image, what people look at, the objects of an image."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, ImageOps
from tqdm import tqdm

from msroi.images import read_pixels
from msroi.network import Network
from msroi.saliency import SaliencyOf
from study.data.registry import source
from study.data.sets import ImageSet, Item
from study.data.truths import density, object_masks, points
from study.statistics.intervals import mean_interval

THRESHOLDS = np.arange(1, 52) / 51  # of `precision_recall`, as shares of the map's largest value
CURVE = ("threshold", "precision", "recall", "f")
MEASURES = (("nss",), ("auc",), ("cc", "sim"))  # of `by_set`: the first that a set has
BY_SET = ("set", "measure", "map", "value", "difference", "low", "high", "images")
BETA_SQUARED = 0.3  # of `f_measure`: precision counts for more, as in all work on salient objects

Drawn = Iterable[tuple[str, np.ndarray]]  # names of maps, and the maps of one image


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


def logits(images: ImageSet, model: Network) -> np.ndarray:
    """Show a network the centre square of each image of a set: logits float32 [N, C].

    Squares are scaled to the size that the network was trained on, as training's validation does.
    """
    size = model.trained["size"]
    found = []
    for item in tqdm(images.items, desc=f"classify {images.name}", unit="image"):
        picture = Image.fromarray(read_pixels(item.path, upright=images.upright))
        square = np.asarray(ImageOps.fit(picture, (size, size), Image.Resampling.BICUBIC))
        found.append(model.look([square], size)[0].logits[0])
    return np.stack(found)


def top_1(by_class: pd.DataFrame) -> float:
    """Share of all images named rightly, of one head's `classification`."""
    return float(np.average(by_class["accuracy"], weights=by_class["images"]))


def found(images: ImageSet, maps: Mapping[str, SaliencyOf]) -> Iterator[dict[str, Any]]:
    """Yield what each map finds in each image of a set; a map is drawn once for all its measures.

    Of test scenes a row an object: scene, objects (how many the scene holds), object (1…), map,
    inside (mean saliency in the mask), everywhere (mean of the image), found (inside is above
    everywhere). Of photographs whose objects are known a row an image: image, objects, map, `auc`
    of their union, found (the share of them that are), and precision and recall, [51] each, of
    `precision_recall`, which `curves` averages. Of every other set a row an image: image, map, and
    its agreement with where people looked: auc_judd and nss, where their fixations are known point
    by point, cc and sim; the density is that of `study.data.truths.density` at the set's own sigma.
    """
    of_objects = _by_object if source(images.name).objects_in else _by_image
    for item in images:
        drawn = _drawn(images, item, maps)
        if item.objects:
            yield from of_objects(item.name, object_masks(item), drawn)
        else:
            yield from _fixated(item, images.sigma, drawn)


def found_by_image(images: ImageSet, maps: Mapping[str, SaliencyOf]) -> Iterator[dict[str, Any]]:
    """Yield a row an image and map, as `found` does of photographs, of test scenes too."""
    for item in images:
        yield from _by_image(item.name, object_masks(item), _drawn(images, item, maps))


def _drawn(images: ImageSet, item: Item, maps: Mapping[str, SaliencyOf]) -> Drawn:
    image = read_pixels(item.path, upright=images.upright)
    return ((name, saliency_of(image)) for name, saliency_of in maps.items())


def _by_object(scene: str, masks: np.ndarray, drawn: Drawn) -> Iterator[dict[str, Any]]:
    for name, saliency in drawn:
        everywhere = float(saliency.mean())
        for index, mask in enumerate(masks, start=1):
            inside = float(saliency[mask].mean())
            row = {"scene": scene, "objects": len(masks), "object": index, "map": name}
            values = {"inside": inside, "everywhere": everywhere, "found": inside > everywhere}
            yield row | values


def _by_image(image: str, masks: np.ndarray, drawn: Drawn) -> Iterator[dict[str, Any]]:
    union = masks.any(0)
    for name, saliency in drawn:
        inside = np.array([saliency[mask].mean() for mask in masks])
        precision, recall = precision_recall(saliency, union)
        yield {
            "image": image,
            "objects": len(masks),
            "map": name,
            "auc": auc(saliency, union),
            "found": float((inside > saliency.mean()).mean()),
            "precision": precision,
            "recall": recall,
        }


def _fixated(item: Item, sigma: float, drawn: Drawn) -> Iterator[dict[str, Any]]:
    where = points(item) if has_points(item) else None
    looked = density(item, sigma=sigma)
    for name, saliency in drawn:
        row = {"image": item.name, "map": name}
        if where is not None:
            row |= {"auc_judd": auc_judd(saliency, where), "nss": nss(saliency, where)}
        yield row | {"cc": cc(saliency, looked), "sim": similarity(saliency, looked)}


def curves(found: pd.DataFrame, *, by: Sequence[str] = ("map",)) -> pd.DataFrame:
    """Precision and recall of each map, averaged over the images, and their `f_measure`.

    ``found`` has the rows of `found` of photographs whose objects are known, and ``by`` names the
    columns that tell one map from another. Columns: those, threshold (`THRESHOLDS`), precision,
    recall, f. The largest f of a map is its maxF: the F of the averages, not the average of F.
    """
    rows = []
    for names, images in found.groupby([*by], sort=False):
        precision = np.mean([*images["precision"]], axis=0)
        recall = np.mean([*images["recall"]], axis=0)
        f = f_measure(precision, recall)
        named = dict(zip(by, names, strict=True))
        for values in zip(THRESHOLDS, precision, recall, f, strict=True):
            rows.append(named | dict(zip(CURVE, values, strict=True)))
    return pd.DataFrame(rows)


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


def by_set(tables: Mapping[str, pd.DataFrame], *, of: str, seed: int) -> pd.DataFrame:
    """What maps find in several sets: each map's mean, and the map ``of`` less it.

    ``tables`` are those of `found`, by the sets' names; of a set with fixations the measure is nss,
    or cc and sim where no points are known, of one with true objects auc. Columns: `BY_SET`, low
    and high of the difference's 95% interval.
    """
    rows = []
    for name, table in tables.items():
        for measure in next(some for some in MEASURES if some[0] in table):
            means = table.groupby("map", sort=False)[measure].mean().rename("value").reset_index()
            less = differences(table, unit="image", value=measure, of=of, seed=seed)
            less = less.rename(columns={"units": "images"})
            rows.append(means.merge(less, on="map", how="left").assign(set=name, measure=measure))
            rows[-1]["images"] = table["image"].nunique()
    return pd.concat(rows, ignore_index=True)[list(BY_SET)]


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
    doi:10.1109/ICCV.2009.5459462). The area is `auc`'s: exact, where the authors' code breaks ties
    by noise. A pixel fixated twice counts twice. In [0, 1], larger is better; ½ is chance, and what
    a flat map gets. Arguments as those of `nss`.
    """
    pixels = _pixels(points)
    fixated = np.zeros(saliency.shape, bool)
    fixated[pixels] = True
    return _roc_area(saliency[pixels], saliency[~fixated])


def auc(saliency: np.ndarray, mask: np.ndarray) -> float:
    """Area under the ROC curve of a map [H, W] as a classifier of a mask's pixels, bool [H, W].

    It is the share of pairs of a pixel inside and one outside in which the one inside has the
    larger value, ties counted half: exact. In [0, 1], larger is better; ½ is chance, and what a
    flat map gets, or any map where every pixel is inside, or none.
    """
    return _roc_area(saliency[mask], saliency[~mask])


def _roc_area(positives: np.ndarray, negatives: np.ndarray) -> float:
    if not (len(positives) and len(negatives)):
        return 0.5
    others = np.sort(negatives)
    below = np.searchsorted(others, positives, "left")
    not_above = np.searchsorted(others, positives, "right")
    return float((below + not_above).mean() / (2 * len(others)))


def precision_recall(saliency: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall, float64 [51] each, of the pixels that a map has above 51 thresholds.

    Pixels of the map [H, W], not negative, are predicted where it is at least t of its largest
    value, for each t of `THRESHOLDS`, and right where the mask, bool [H, W], is true. Both are in
    [0, 1], larger is better, and 0 where none is right. Where the map is largest is always
    predicted, and of a flat map everything.
    """
    levels = np.searchsorted(saliency.max() * THRESHOLDS, saliency, "right")
    predicted, right = (
        np.bincount(values, minlength=len(THRESHOLDS) + 1)[:0:-1].cumsum()[::-1]
        for values in (levels.ravel(), levels[mask])
    )
    return right / predicted, right / max(mask.sum(), 1)


def f_measure(precision: np.ndarray, recall: np.ndarray) -> np.ndarray:
    """The weighted harmonic mean of precision and recall, (1 + β²) P R / (β² P + R), β² = 0.3.

    Arguments and result are arrays of one shape, in [0, 1]; 0 where both are. Achanta et al. 2009,
    doi:10.1109/CVPR.2009.5206596, who introduced this β² for salient objects.
    """
    total = BETA_SQUARED * precision + recall
    return (1 + BETA_SQUARED) * precision * recall / np.where(total == 0, 1, total)


def cc(saliency: np.ndarray, density: np.ndarray) -> float:
    """Pearson's correlation of a map with the density of fixations, both [H, W].

    Larger is better, 1 at most; a flat map has none, and gets 0. Bylinskii et al. 2019,
    doi:10.1109/TPAMI.2018.2815601, say what this measure, NSS and AUC each reward.
    """
    if np.ptp(saliency) == 0 or np.ptp(density) == 0:
        return 0.0
    return float(np.corrcoef(saliency.ravel(), density.ravel())[0, 1])


def similarity(saliency: np.ndarray, density: np.ndarray) -> float:
    """Similarity of a map with the density of fixations, both [H, W] and not negative: SIM.

    Both are divided by their sums, a map that is 0 everywhere taken for a flat one; the result is
    the sum over the pixels of the smaller of the two, ∈ [0, 1], 1 where both are alike. Larger is
    better. Bylinskii et al. 2019, doi:10.1109/TPAMI.2018.2815601, say what it rewards.
    """
    first, second = (_distribution(values) for values in (saliency, density))
    return float(np.minimum(first, second).sum())


def _distribution(values: np.ndarray) -> np.ndarray:
    values = values.astype(np.float64)
    total = values.sum()
    return values / total if total else np.full(values.shape, 1 / values.size)


def average_precision(scores: np.ndarray, present: np.ndarray) -> float:
    """Mean over the positives of the precision at each one's rank (no interpolation).

    ``scores`` float [N] are those of one class, equal ones keep their order; ``present`` bool [N]
    says which examples are of it, one at least. In (0, 1], larger is better; the mean over classes
    is the mAP.
    """
    hits = present[np.argsort(-scores, kind="stable")]
    ranks = np.flatnonzero(hits) + 1
    return float((np.arange(1, len(ranks) + 1) / ranks).mean())


def has_points(item: Item) -> bool:
    """Whether fixations of an image are known point by point, and not as a map alone."""
    return item.fixations is not None and item.fixations.suffix == ".mat"


def _pixels(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pixels that points lie in, as an index: rows, columns."""
    columns, rows = np.rint(points).astype(int).T
    return rows, columns
