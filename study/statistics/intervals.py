"""Intervals of means, by the bootstrap, and what they say."""

from typing import NamedTuple

import numpy as np
from scipy import stats

RESAMPLES = 9999
ABOVE, BELOW, UNDECIDED = "above", "below", "undecided"


class Interval(NamedTuple):
    """A mean and its interval, in the unit of the values."""

    mean: float
    low: float
    high: float


def side(interval: Interval) -> str:
    """Judge on which side of zero an interval lies: the one rule by which a difference is told.

    `ABOVE` or `BELOW` where the whole interval is on that side of zero; `UNDECIDED` where it holds
    zero, or is unknown (nan), as that of a single image is.
    """
    if interval.low > 0:
        return ABOVE
    return BELOW if interval.high < 0 else UNDECIDED


def signed(value: float, digits: int = 2) -> str:
    """Write a difference with its sign and a true minus: ``+0.12``, ``−1.30``, never ``−0.00``."""
    return f"{round(value, digits) + 0:+.{digits}f}".replace("-", "−")


def mean_interval(values: np.ndarray, *, seed: int) -> Interval:
    """Mean of independent values [N] and its 95% percentile-bootstrap interval.

    Efron and Tibshirani 1993, chapter 13. For a comparison on the same images give the paired
    differences; for objects in scenes give one value a scene, since objects of one scene are not
    independent. Equal values give an interval of no width, one value alone an interval of NaN
    (nothing is known of the spread), none at all a ValueError. The same values and seed give the
    same interval.
    """
    values = np.asarray(values, np.float64)
    if values.size == 0:
        raise ValueError("there is no value to take a mean of")
    if len(values) == 1:
        return Interval(float(values[0]), np.nan, np.nan)
    found = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        batch=1000,
        confidence_level=0.95,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return Interval(float(values.mean()), *map(float, found.confidence_interval))
