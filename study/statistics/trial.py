"""The trial of Figure 2: which of head, sign of the weights and features finds several objects?"""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
import pandas as pd

from study.statistics.intervals import ABOVE, Interval, mean_interval, side

# Of each factor the level that is compared, and the one that it is compared with
FACTORS = {
    "features": ("imagenet", "caltech101"),
    "weights": ("positive", "signed"),
    "head": ("msroi", "cam"),  # the sigmoids and the sum over classes, or the softmax's one class
}
COLUMNS = ("set", *FACTORS, "image", "objects", "found", "auc")
ANY = "any"  # the mean over both levels of a factor
SEVERAL = 2  # objects, at least, of the images that the claim is about
COUNTS = {"2": (2, 2), "3 or more": (3, np.inf), "2 or more": (SEVERAL, np.inf)}


def with_objects(table: pd.DataFrame, least: int, most: float) -> pd.DataFrame:
    """Give the rows of the images that have so many objects, both bounds included."""
    return table[table["objects"].between(least, most)]


def by_head(table: pd.DataFrame, *, value: str = "found", **where: str) -> pd.DataFrame:
    """Lay a value out as a row an image, a column (features, weights, head).

    ``table`` has `COLUMNS`; ``value`` is ``"found"`` (the share of the image's objects) or
    ``"auc"`` (of their union), ``where`` says which value other columns must have.
    """
    for column, level in where.items():
        table = table[table[column] == level]
    return table.pivot(index="image", columns=list(FACTORS), values=value)


def gain(
    table: pd.DataFrame, factor: str, *, seed: int, value: str = "found", **equal: str
) -> Interval:
    """Compare the two levels of one factor image by image, the other factors being equal.

    ``table`` has `COLUMNS`, of images of one set; ``value`` as in `by_head`. ``equal`` names the
    levels of other factors; a factor that it leaves out is averaged over, image by image. Gives the
    mean of the paired differences, in [−1, 1], and its 95% interval over the images.
    """
    compared = [
        by_head(table, value=value, **{factor: level}, **equal).mean(axis="columns")
        for level in FACTORS[factor]
    ]
    return mean_interval((compared[0] - compared[1]).to_numpy(float), seed=seed)


def gains(table: pd.DataFrame, *, seed: int, value: str = "found") -> pd.DataFrame:
    """Compare the levels of every factor, at each pair of levels of the others and over all.

    ``table`` has `COLUMNS`, ``value`` as in `by_head`. Columns of the result: set, objects (a key
    of `COUNTS`), images, factor, then `FACTORS` with the levels that are equal (`ANY` for the mean
    over both, ``""`` for the factor that is compared), and `gain`'s mean, low and high.
    """
    return pd.DataFrame(_rows(table, seed, value))


def _rows(table: pd.DataFrame, seed: int, value: str) -> Iterator[dict[str, object]]:
    for (name, images), (objects, bounds) in product(
        table.groupby("set", sort=False), COUNTS.items()
    ):
        some = with_objects(images, *bounds)
        told = {"set": name, "objects": objects, "images": some["image"].nunique()}
        for factor in FACTORS:
            for equal in _settings([other for other in FACTORS if other != factor]):
                levels = dict.fromkeys(FACTORS, ANY) | {factor: ""} | equal
                found = gain(some, factor, seed=seed, value=value, **equal)
                yield told | {"factor": factor} | levels | found._asdict()


def _settings(factors: Sequence[str]) -> Iterator[dict[str, str]]:
    """Every choice of one level for each factor, and at last none at all."""
    for levels in product(*(FACTORS[factor] for factor in factors)):
        yield dict(zip(factors, levels, strict=True))
    yield {}


def overall(gains: pd.DataFrame, *, of: str, objects: str = "2 or more") -> dict[str, Interval]:
    """Give what each factor gains in a set over all levels of the others, by `gains`."""
    some = gains[(gains["set"] == of) & (gains["objects"] == objects)]
    others = some[list(FACTORS)].isin([ANY, ""]).all(axis="columns")
    return {row.factor: Interval(row.mean, row.low, row.high) for row in some[others].itertuples()}


def working(gains: pd.DataFrame, *, of: str, objects: str = "2 or more") -> list[str]:
    """Name the factors of which the whole interval is above zero, the one that gains most first."""
    found = overall(gains, of=of, objects=objects)
    above = [factor for factor, gain in found.items() if side(gain) == ABOVE]
    return sorted(above, key=lambda factor: -found[factor].mean)
