"""What the paper says of CAT2000: which categories gain, and which two Table 1 is of."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from study.data.registry import source
from study.statistics import comparisons
from study.statistics.claims import (
    OUTDOORS,
    UNTESTED,
    Claim,
    all_above,
    gains_of,
    of_rows,
    said,
)
from study.statistics.intervals import BELOW, RESAMPLES, Interval, mean_interval, side

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


def of_outdoors(paper: pd.DataFrame, results: pd.DataFrame, *, seed: int) -> list[Claim]:
    """Each gain of Table 1's MIT rows; none where ``results`` have no such image of CAT2000."""
    outside = outdoor(results)
    if outside.empty:
        return []
    images = f"{outside['image'].nunique()} images of two of CAT2000's categories"
    return of_rows(paper, gains_of(outside, seed), OUTDOORS, images)


def of_categories(results: pd.DataFrame, *, real: bool, seed: int) -> list[Claim]:
    """Figure 5: where the gain is largest and smallest, and that Pattern alone loses.

    A largest gain is a gain, and clear of the smallest; each claim holds where all of its intervals
    are on the claimed side of zero, and not where one is on the other. ``real`` says that the
    images are CAT2000's own; of others the verdict is `UNTESTED`.
    """
    difference = comparisons.paired_difference(results)
    mosaic = difference[difference["method"] == "mosaic"]
    gains = {name: own.to_numpy() for name, own in mosaic.groupby("category")["psnr_hvs"]}
    reason = "CAT2000" if real else "CAT2000 was not at hand: a miniature of its categories"
    found = [_order(gains, reason, seed), _only_loss(gains, reason, seed)]
    return found if real else [claim._replace(verdict=UNTESTED) for claim in found]


def _order(gains: Mapping[str, np.ndarray], reason: str, seed: int) -> Claim:
    claim = Claim(
        "PSNR-HVS gains most outdoors, in actions and objects, least in line drawings, fractals "
        "and low resolution",
        "largest and smallest",
        *("", "", UNTESTED, reason),
    )
    if missing := [name for name in (*BEST, *WORST) if name not in gains]:
        return claim._replace(reason=f"{reason}, without {', '.join(missing)}")
    best, worst = (np.concatenate([gains[name] for name in names]) for names in (BEST, WORST))
    most, lead = mean_interval(best, seed=seed), gap(best, worst, seed=seed)
    ours = f"{said(most, 'psnr_hvs')} there, {said(lead, 'psnr_hvs')} more than where least"
    return claim._replace(ours=ours, verdict=all_above([most, lead]))


def _only_loss(gains: Mapping[str, np.ndarray], reason: str, seed: int) -> Claim:
    claim = Claim("Pattern is the only category that loses", "1 of 20", "", "", UNTESTED, reason)
    if ONLY_LOSS not in gains:
        return claim._replace(reason=f"{reason}, without {ONLY_LOSS}")
    found = {name: mean_interval(own, seed=seed) for name, own in gains.items()}
    lost = sum(side(gain) == BELOW for gain in found.values())
    pattern = found.pop(ONLY_LOSS)
    loss = Interval(-pattern.mean, -pattern.high, -pattern.low)
    ours = f"{lost} of {len(gains)} lose, Pattern {said(pattern, 'psnr_hvs')}"
    return claim._replace(ours=ours, verdict=all_above([loss, *found.values()]))


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
