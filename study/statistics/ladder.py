"""The ladder: what `direct` gains under each map, as a share of what the truth would gain."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from msroi.metrics import JUDGES
from study.statistics.intervals import (
    ABOVE,
    RESAMPLES,
    Interval,
    mean_interval,
    side,
)

FLAT, OWN, ORACLE = "flat", "MS-ROI", "oracle"
RUNGS = {  # the map that each method of a table of results follows
    FLAT: "direct-flat",
    "centre prior": "direct-centre",
    "CAM": "direct-cam",
    "energy": "direct-energy",
    OWN: "direct",
    "MS-ROI × centre": "direct-product",
    ORACLE: "direct-oracle",
}


def ladder(results: Mapping[str, pd.DataFrame], *, seed: int) -> pd.DataFrame:
    """Every map's gain, its share of the oracle's, and MS-ROI's lead over it, set by set.

    A gain is the mean over the images of `direct`'s PSNR weighted by what is known of them, less
    that of `direct-flat`; the oracle's map is what is known itself.

    Parameters
    ----------
    results
        Title of a set → its table, as `study.measure.evaluation.evaluate` makes it by the methods
        of `RUNGS`, of one budget an image.
    seed
        Of the bootstrap.

    Returns
    -------
    DataFrame
        A row a set and map, in the order of `RUNGS`. Columns: set, map, metric (psnr_fix or
        psnr_objects), images, gain (dB), share (1 is the oracle's) with its 95% interval low and
        high (`share_interval`), and lead with lead_low and lead_high: the mean over the images of
        MS-ROI's gain less the map's own, dB, and its 95% interval.
    """
    rows = []
    for title, table in results.items():
        metric = next(name for name in JUDGES if name in table)
        gains = gains_by_map(table, metric)
        for name, own in gains.items():
            share = share_interval(own.to_numpy(), gains[ORACLE].to_numpy(), seed=seed)
            lead = mean_interval((gains[OWN] - own).to_numpy(), seed=seed)
            row = {"set": title, "map": name, "metric": metric, "images": len(own)}
            row |= {"gain": own.mean(), "share": share.mean, "low": share.low, "high": share.high}
            rows.append(row | {"lead": lead.mean, "lead_low": lead.low, "lead_high": lead.high})
    return pd.DataFrame(rows)


def gains_by_map(table: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Each image's gain over `direct-flat` under each map of `RUNGS`, dB; a row an image.

    Images of which the metric is unknown are left out.
    """
    keys = ["image", "category", "width", "height", "budget_bytes"]
    wide = table.pivot(index=keys, columns="method", values=metric)[list(RUNGS.values())].dropna()
    return wide.set_axis(list(RUNGS), axis="columns").sub(wide[RUNGS[FLAT]], axis="index")


def share_interval(gains: np.ndarray, oracle: np.ndarray, *, seed: int) -> Interval:
    """Share of the oracle's mean gain that a map's is, and its 95% percentile-bootstrap interval.

    ``gains`` and ``oracle`` are the gains [N] of the same images in the same order, which are drawn
    together; each resample has its own ratio of means. NaN where the oracle's mean gain is not
    clear of zero: there is nothing to have a share of.
    """
    if side(mean_interval(oracle, seed=seed)) != ABOVE:
        return Interval(np.nan, np.nan, np.nan)
    found = stats.bootstrap(
        (gains, oracle),
        _share,
        n_resamples=RESAMPLES,
        batch=1000,
        paired=True,
        confidence_level=0.95,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return Interval(float(_share(gains, oracle)), *map(float, found.confidence_interval))


def _share(gains: np.ndarray, oracle: np.ndarray, axis: int = -1) -> np.ndarray:
    return gains.mean(axis) / oracle.mean(axis)
