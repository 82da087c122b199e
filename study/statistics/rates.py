"""Rate and distortion over several sizes: the curves of methods, and what lies between them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.interpolate import PchipInterpolator

from study.statistics.intervals import Interval, mean_interval


def bd_rate(anchor: np.ndarray, other: np.ndarray) -> float:
    """Bjøntegaard delta rate: how many more bytes `other` takes than `anchor` at equal quality.

    The mean difference of log rate over the range of quality that both curves cover, each curve
    interpolated by a monotone cubic (PCHIP) of log rate over quality: Bjøntegaard 2001, VCEG-M33,
    with the interpolation of his JCTVC successors. A curve is float [N, 2]: rate (any unit, the
    same for both) and quality (dB or index) of each point. Per cent; below zero `other` is better;
    nan where the curves share no range of quality. ValueError if a curve has fewer than two points
    of different quality.
    """
    curves = [_by_quality(np.asarray(points, np.float64)) for points in (anchor, other)]
    low = max(quality[0] for quality, _ in curves)
    high = min(quality[-1] for quality, _ in curves)
    if low >= high:
        return np.nan
    areas = [PchipInterpolator(*curve).integrate(low, high) for curve in curves]
    return 100 * float(np.expm1((areas[1] - areas[0]) / (high - low)))


def bd_rates(table: pd.DataFrame, *, anchor: str, metrics: Sequence[str]) -> pd.DataFrame:
    """BD-rate of every method against the method ``anchor``, image by image.

    ``table`` has the columns image, method, bytes and ``metrics``, and several rows an image and a
    method. Columns of the result: image, method, metric, bd_rate (per cent).
    """
    rows = []
    for image, own in table.groupby("image", sort=False):
        curves = dict(iter(own.groupby("method", sort=False)))
        base = curves.pop(anchor)
        for method, curve in curves.items():
            for metric in metrics:
                points = (part[["bytes", metric]].to_numpy() for part in (base, curve))
                row = {"image": image, "method": method, "metric": metric}
                rows.append(row | {"bd_rate": bd_rate(*points)})
    return pd.DataFrame(rows)


def summary(rates: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Mean BD-rates over images, with their intervals.

    ``rates`` are of `bd_rates`, with a column against (the anchor). Columns of the result: against,
    method, metric, images (whose curves share a range of quality), mean, low, high (95%; per cent,
    nan where no image has a rate).
    """
    rows = []
    for keys, own in rates.groupby(["against", "method", "metric"], sort=False):
        known = own["bd_rate"].dropna().to_numpy()
        found = mean_interval(known, seed=seed) if len(known) else Interval(*[np.nan] * 3)
        row = dict(zip(("against", "method", "metric"), keys, strict=True))
        rows.append(row | {"images": len(known)} | found._asdict())
    return pd.DataFrame(rows)


def mean_curves(table: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """Each method's means over images at the bytes of each quality of the standard JPEG.

    ``table`` is as `study.measure.evaluation.evaluate` makes it, "standard" among the methods, of
    several budgets an image. Columns of the result: method, quality (of the standard JPEG whose
    bytes are the budget), rate_bpp (bits per pixel) and ``metrics``.
    """
    standard = table[table["method"] == "standard"]
    budgets = standard.set_index(["image", "budget_bytes"])["quality"].rename("budget_quality")
    rates = 8 * table["bytes"] / (table["width"] * table["height"])
    joined = table.assign(rate_bpp=rates).join(budgets, on=["image", "budget_bytes"])
    by_budget = joined.groupby(["method", "budget_quality"], sort=False)[["rate_bpp", *metrics]]
    return by_budget.mean().rename_axis(["method", "quality"]).reset_index()


def _by_quality(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Quality, rising, and log rate; of equal qualities the smaller rate."""
    rate, quality = points[np.lexsort(points.T)].T
    first = np.diff(quality, prepend=-np.inf) > 0
    if first.sum() < 2:
        raise ValueError("a curve of rate and quality needs two points of different quality")
    return quality[first], np.log(rate[first])
