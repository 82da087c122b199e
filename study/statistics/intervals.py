"""Intervals of means, by the bootstrap."""

from typing import NamedTuple

import numpy as np
from scipy import stats

RESAMPLES = 9999


class Interval(NamedTuple):
    """A mean and its interval, in the unit of the values."""

    mean: float
    low: float
    high: float


def mean_interval(values: np.ndarray, *, seed: int) -> Interval:
    """Mean of independent values and its 95% percentile-bootstrap interval.

    Efron and Tibshirani 1993, chapter 13. For a comparison on the same images give the paired
    differences; for objects in scenes give one value a scene, since objects of one scene are not
    independent.

    Parameters
    ----------
    values : float [N]
        At least one. Equal values give an interval of no width, one value alone an interval of
        NaN: nothing is known of the spread.
    seed
        Of the resampling: the same values give the same interval.

    Raises
    ------
    ValueError
        If there is no value.
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
