"""The article's tables, as the template takes them: heads, and sections of rows of cells.

A cell is a string, or of an effect its mean, its interval and whether that is clear of zero.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from msroi.metrics.table import ALL, DECIBELS, INDICES, METRICS
from study.article.captions import signed
from study.article.sentences import OTHERS
from study.article.words import OPEN, outcome
from study.statistics.intervals import Interval

Sheet = dict[str, Any]
BY_METRIC = ["", *(ALL[metric].label for metric in METRICS)]
MISSING = "–"


def sheet(heads: Sequence[str], sections: Mapping[str, Iterable[Sequence[Any]]]) -> Sheet:
    """``sections``: title ("" for none) → rows, a cell for each head."""
    parts = [{"title": title, "rows": list(rows)} for title, rows in sections.items()]
    return {"heads": list(heads), "sections": parts}


def verdict(table: pd.DataFrame) -> Sheet:
    """Columns of `study.statistics.claims.Claim`."""
    said = table.fillna(MISSING).map(lambda text: text[:1].upper() + text[1:])
    return plain(said.columns, said.to_numpy().tolist())


def quality(table: pd.DataFrame) -> Sheet:
    """Table 1, the paper's above ours: columns source, set, method, images, and the metrics."""
    sections = {
        f"{name} [{rows['images'].iloc[0]} images], {source}": [
            [row["method"], *(_absolute(row[metric], metric) for metric in METRICS)]
            for _, row in rows.iterrows()
        ]
        for (source, name), rows in table.groupby(["source", "set"], sort=False)
    }
    return sheet(BY_METRIC, sections)


def intervals(table: pd.DataFrame) -> Sheet:
    """Differences from standard JPEG: columns set, method, metric, images, mean, low, high."""
    sections = {
        f"{name} [{own['images'].max()} images]": _by_method(own, {m: _digits(m) for m in METRICS})
        for name, own in table.groupby("set", sort=False)
    }
    return sheet(BY_METRIC, sections)


def rates(table: pd.DataFrame) -> Sheet:
    """BD-rates against standard JPEG: columns against, method, metric, mean, low, high (%)."""
    own = table[table["against"] == "standard"]
    return plain(BY_METRIC, _by_method(own, dict.fromkeys(METRICS, 1)))


def independent(table: pd.DataFrame) -> Sheet:
    """Direct less each other method: columns set, metric, images, other, mean, low, high."""
    others = list(table["other"].unique())
    rows = [
        [
            f"{name} [{own['images'].max()} images], {ALL[metric].label}",
            *_cells(own.set_index("other"), others, dict.fromkeys(others, 2)),
        ]
        for (name, metric), own in table.groupby(["set", "metric"], sort=False)
    ]
    return plain(["", *(OTHERS.get(other, other) for other in others)], rows)


def plain(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Sheet:
    """One section without a title."""
    return sheet(heads, {"": rows})


def _by_method(table: pd.DataFrame, digits: Mapping[str, int]) -> list[list[Any]]:
    return [
        [method, *_cells(rows.set_index("metric"), METRICS, digits)]
        for method, rows in table.groupby("method", sort=False)
    ]


def _cells(table: pd.DataFrame, names: Sequence[str], digits: Mapping[str, int]) -> list[Any]:
    """Of each name that the table has a row of, its effect; of the others `MISSING`."""
    return [
        _cell(Interval(*table.loc[name, ["mean", "low", "high"]]), digits[name])
        if name in table.index
        else MISSING
        for name in names
    ]


def _cell(value: Interval, digits: int) -> str | dict[str, Any]:
    if pd.isna(value.mean):
        return MISSING
    mean, low, high = (signed(part, digits) for part in value)
    between = MISSING if pd.isna(value.low) else f"{low} to {high}"
    return {"mean": mean, "interval": between, "clear": outcome(value) != OPEN}


def _digits(metric: str) -> int:
    return 3 if metric in INDICES else 2


def _absolute(value: float, metric: str) -> str:
    if pd.isna(value):
        return MISSING
    return f"{value:.2f}" if metric in DECIBELS else f"{value:.3f}"
