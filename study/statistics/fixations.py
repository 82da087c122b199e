"""What the paper says in passing: that semantic maps serve compression better than fixations do."""

from collections.abc import Iterable

import pandas as pd

from study.statistics.claims import OPEN, UNTESTED, Claim, number, said, sided
from study.statistics.intervals import Interval
from study.statistics.ladder import FLAT, ORACLE


def of_fixations(climbed: pd.DataFrame) -> list[Claim]:
    """Judge that a semantic map serves compression better than human fixations, by either judge.

    ``climbed`` is `study.statistics.ladder.ladder`'s table. No set that the study knows has both
    fixations and objects, so each judge is heard on its own sets. Where people look, `direct` under
    MS-ROI's map is compared with `direct` under the fixations themselves. On the true objects
    nobody knows what fixations would gain; if it is no less than nothing and no more than what the
    objects' own map gains, MS-ROI's lead over it lies within bounds, whose side of zero decides.
    """
    claim = "a semantic map serves compression better than one of human fixations, "
    paper, unknown = "said, not measured", "this study has no set with "
    found = {metric: own for metric, own in climbed.groupby("metric")}
    leads = _leads(found.get("psnr_fix"), ORACLE, ORACLE)
    bounds = _leads(found.get("psnr_objects"), ORACLE, FLAT)
    looked = Claim(
        claim + "judged where people look", paper, "", "", UNTESTED, unknown + "fixations"
    )
    seen = Claim(claim + "judged on the true objects", paper, "", "", UNTESTED, unknown + "objects")
    if leads:
        looked = looked._replace(
            ours="; ".join(f"{title} {said(lead, 'psnr_fix')}" for title, lead in leads.items()),
            verdict=_agreed(leads.values()),
            reason="MS-ROI's map less the fixations, which are the judge too; direct under both",
        )
    if bounds:
        seen = seen._replace(
            ours="; ".join(f"{title} {_within(bound)}" for title, bound in bounds.items()),
            verdict=_agreed(bounds.values()),
            reason="no set has both: bounds, if under fixations direct gains at least nothing and "
            "at most what it gains under the objects",
        )
    return [looked, seen]


def _leads(climbed: pd.DataFrame | None, least: str, most: str) -> dict[str, Interval]:
    """MS-ROI's lead in each set: from that over the map ``least`` to that over ``most``."""
    if climbed is None:
        return {}
    rows = {name: own.set_index("set") for name, own in climbed.groupby("map")}
    return {
        title: Interval(row["lead"], row["lead_low"], rows[most].at[title, "lead_high"])
        for title, row in rows[least].iterrows()
    }


def _within(bound: Interval) -> str:
    return f"from {number(bound.low, 'psnr_objects')} to {number(bound.high, 'psnr_objects')}"


def _agreed(gains: Iterable[Interval]) -> str:
    """Judge a claim that something is above zero by several sets, which must agree."""
    verdicts = {sided(gain) for gain in gains}
    return verdicts.pop() if len(verdicts) == 1 else OPEN
