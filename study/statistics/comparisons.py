"""What the figures and tables compare: differences and means."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from msroi.metrics import JUDGES, METRICS
from study.statistics.intervals import mean_interval


def paired_difference(table: pd.DataFrame, *, baseline: str = "standard") -> pd.DataFrame:
    """Each image's metrics less those of the baseline at the same size and budget.

    A table like the given one without the baseline's rows; in its columns of metrics (`METRICS`,
    and those of `JUDGES` that it has) differences (dB, or the index's own unit; positive is better
    than the baseline).
    """
    keys = ["image", "category", "width", "height", "budget_bytes"]
    indexed = table.set_index([*keys, "method"])[measured(table)]
    reference = indexed.xs(baseline, level="method")
    rest = indexed.drop(baseline, level="method")
    return (rest - reference.reindex(rest.index.droplevel("method")).to_numpy()).reset_index()


def intervals(table: pd.DataFrame, *, seed: int, baseline: str = "standard") -> pd.DataFrame:
    """Every method against the baseline by every metric, over images.

    ``table`` is as `study.measure.evaluation.evaluate` makes it, of one budget an image. Columns of
    the result: method, metric, images (that have the metric at all), and of the paired differences
    mean, low and high (95%, `mean_interval`) and improved (the share above zero).
    """
    rows = []
    for method, own in paired_difference(table, baseline=baseline).groupby("method", sort=False):
        for metric in measured(table):
            paired = own[metric].dropna().to_numpy()
            if len(paired):
                row = {"method": method, "metric": metric, "images": len(paired)}
                row |= mean_interval(paired, seed=seed)._asdict()
                rows.append(row | {"improved": float((paired > 0).mean())})
    return pd.DataFrame(rows)


def by_category(table: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """`intervals` of each category of images by itself, with the column category."""
    parts = [
        intervals(rows, seed=seed).assign(category=name)
        for name, rows in table.groupby("category", sort=False)
    ]
    return pd.concat(parts, ignore_index=True)


def against_each(table: pd.DataFrame, method: str, *, seed: int) -> pd.DataFrame:
    """One method against every other: as `intervals`, with the other's name in the column other."""
    parts = []
    for other in table["method"].unique():
        if other != method:
            pair = table[table["method"].isin([method, other])]
            parts.append(intervals(pair, seed=seed, baseline=other).assign(other=other))
    return pd.concat(parts, ignore_index=True)


def measured(table: pd.DataFrame) -> list[str]:
    """The columns of metrics that a table has."""
    return [name for name in (*METRICS, *JUDGES) if name in table]


def means(table: pd.DataFrame) -> pd.DataFrame:
    """Mean of each metric for each method, a row a method (Table 1)."""
    return table.groupby("method", sort=False)[list(METRICS)].mean()


def beside_paper(paper: pd.DataFrame, results: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The paper's Table 1 above ours (title of a set → its tidy table).

    ``paper`` has the columns set, method, images and `msroi.metrics.PAPERS`; the result all
    `METRICS` (nan where the paper has no value) and one more, source: "paper" or "ours".
    """
    ours = [
        means(table).reset_index().assign(set=title, images=table["image"].nunique())
        for title, table in results.items()
    ]
    columns = ["source", "set", "method", "images", *METRICS]
    sources = [paper.assign(source="paper"), *(table.assign(source="ours") for table in ours)]
    return pd.concat(sources, ignore_index=True)[columns]


def most_salient_box(saliency: np.ndarray, side: int) -> tuple[slice, slice]:
    """The square (rows, columns) of ``side`` pixels whose mean saliency is largest.

    A side of the image that is shorter than ``side`` is taken whole; of equals the first.
    """
    height, width = (min(side, length) for length in saliency.shape)
    total = np.pad(saliency.astype(np.float64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    sums = (
        total[height:, width:]
        - total[:-height, width:]
        - total[height:, :-width]
        + total[:-height, :-width]
    )
    top, left = np.unravel_index(sums.argmax(), sums.shape)
    return slice(int(top), int(top) + height), slice(int(left), int(left) + width)


def summary(table: pd.DataFrame) -> dict[str, Any]:
    """What `dvc metrics show` prints of a set: images, and each method's means."""
    share = table["bytes"] / table["budget_bytes"]
    by_method = means(table).assign(budget_share=share.groupby(table["method"]).mean())
    rounded = by_method.round(4).to_dict("index")
    return {"images": int(table.groupby(["image", "category", "width"]).ngroups), **rounded}
