"""Words that effects take in the report's sentences: which way, how much, how sure."""

from collections.abc import Sequence

import pandas as pd

from msroi.metrics.table import ALL, INDICES
from study.article.captions import signed
from study.statistics.intervals import Interval

UP, DOWN, OPEN = "rises", "falls", "is undecided"
_PLURAL = {UP: "rise", DOWN: "fall", OPEN: "are undecided"}


def effect(table: pd.DataFrame, **where: str) -> Interval:
    """Mean and interval of the one row of a table whose columns have these values.

    Raises
    ------
    ValueError
        There is no such row, or more than one.
    """
    chosen = table
    for column, value in where.items():
        chosen = chosen[chosen[column] == value]
    if len(chosen) != 1:
        wanted = listed([f"{column} {value!r}" for column, value in where.items()])
        raise ValueError(f"the article needs one row of {wanted}, and has {len(chosen)}")
    return Interval(*chosen[["mean", "low", "high"]].iloc[0])


def outcome(value: Interval) -> str:
    """`UP` or `DOWN` where the whole interval is on that side of zero, else `OPEN`."""
    if value.low > 0:
        return UP
    return DOWN if value.high < 0 else OPEN


def number(value: float, metric: str) -> str:
    """A difference of a metric with its sign and unit: ``+0.91 dB``, ``−0.019``."""
    return signed(value, 3) if metric in INDICES else f"{signed(value)} dB"


def between(value: Interval, metric: str) -> str:
    """The interval of a metric's difference, as `span`."""
    return span(value, 3 if metric in INDICES else 2)


def span(value: Interval, digits: int = 2) -> str:
    """An interval: ``+0.61 to +1.23``; ``unknown`` where there is none, as of a single image."""
    if pd.isna(value.low):
        return "unknown"
    return f"{signed(value.low, digits)} to {signed(value.high, digits)}"


def moved(value: Interval, metric: str) -> str:
    """What a metric does: ``PSNR falls (−1.31 dB, −1.70 to −0.97)``."""
    size = f"{number(value.mean, metric)}, {between(value, metric)}"
    return f"{ALL[metric].label} {outcome(value)} ({size})"


def tally(values: Sequence[Interval], noun: str = "metrics") -> str:
    """How many rise and fall: ``all 7 metrics fall``, ``of 7 metrics 5 rise and 2 are undecided``.

    ``noun`` is a plural. The count of an outcome is left out where it is zero.
    """
    outcomes = [outcome(value) for value in values]
    counts = {which: outcomes.count(which) for which in (UP, DOWN, OPEN) if which in outcomes}
    if len(counts) == 1 and len(values) > 1:
        return f"all {len(values)} {noun} {_PLURAL[outcomes[0]]}"
    said = [f"{n} {which if n == 1 else _PLURAL[which]}" for which, n in counts.items()]
    return f"of {len(values)} {noun} {listed(said)}"


def listed(items: Sequence[str], conjunction: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    *before, last = items
    return f"{', '.join(before)} {conjunction} {last}" if before else last


def sentence(text: str) -> str:
    """The text with a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."
