"""What the paper says of CAT2000's categories: which of them gain, and which two Table 1 is of."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from study.data.registry import source
from study.statistics.intervals import RESAMPLES, Interval

# §5: where the paper's encoder gained most, and least; Pattern was its only loss
BEST = ("OutdoorNatural", "OutdoorManMade", "Action", "Object")
WORST = ("LineDrawing", "Fractal", "LowResolution")
ONLY_LOSS = "Pattern"
OUTDOOR = ("OutdoorManMade", "OutdoorNatural")  # the 200 images of Table 1's MIT rows


def outdoor(results: pd.DataFrame) -> pd.DataFrame:
    """Give the rows of results, a column of them ``category``, that Table 1's MIT rows are of."""
    return results[results["category"].isin(OUTDOOR)]


def with_outdoor(results: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Add CAT2000's outdoor photographs as a set of their own, where it is among the sets.

    ``results``: title of a set → its table, a column of which is ``category``.
    """
    whole = source("cat2000").title
    sets = {}
    for title, table in results.items():
        sets[title] = table
        if title == whole and len(outside := outdoor(table)):
            sets[f"{title}, outdoors alone"] = outside
    return sets


def gap(first: np.ndarray, second: np.ndarray, *, seed: int) -> Interval:
    """Mean of some values [N] less that of others [M], and its 95% percentile-bootstrap interval.

    Both are independent of each other, such as the gains of different images, and drawn again each
    by itself. NaN bounds where either is a single value, whose spread is unknown.
    """
    difference = float(np.mean(first) - np.mean(second))
    if min(len(first), len(second)) < 2:
        return Interval(difference, np.nan, np.nan)
    found = stats.bootstrap(
        (first, second),
        _difference,
        n_resamples=RESAMPLES,
        batch=1000,
        confidence_level=0.95,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return Interval(difference, *map(float, found.confidence_interval))


def _difference(first: np.ndarray, second: np.ndarray, axis: int = -1) -> np.ndarray:
    return first.mean(axis) - second.mean(axis)
