"""What was found, in sentences whose numbers and verbs come from the notebooks' tables.

A difference rises or falls only where its whole interval does (`study.article.words.outcome`).
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from msroi.metrics.table import ALL, METRICS
from study.article.captions import signed
from study.article.words import (
    DOWN,
    OPEN,
    UP,
    between,
    effect,
    listed,
    moved,
    number,
    outcome,
    sentence,
    span,
    tally,
)
from study.params import title_of
from study.statistics.claims import NOT_REPRODUCED, REPRODUCED, UNTESTED
from study.statistics.claims import OPEN as NOT_TOLD_APART
from study.statistics.intervals import Interval

Tables = Mapping[str, pd.DataFrame]
Params = Mapping[str, Any]

COUNTED = {  # of one claim, and of several
    REPRODUCED: ("is reproduced", "are reproduced"),
    NOT_REPRODUCED: ("is not", "are not"),
    NOT_TOLD_APART: ("is left open", "are left open"),
    UNTESTED: ("cannot be tested here", "cannot be tested here"),
}
JUDGES = {
    "psnr_fix": "EWPSNR at the fixations of people",
    "psnr_objects": "PSNR over the pixels of the true objects",
}
OTHERS = {
    "standard": "standard JPEG",
    "direct-cam": "itself under CAM's map",
    "direct-energy": "itself under the plain energy of the features",
    "direct-centre": "itself under a centre prior",
    "direct-flat": "itself without a map",
}
OVER = {UP: "above", DOWN: "below", OPEN: "not told apart from"}


def main_set(tables: Tables, params: Params) -> pd.DataFrame:
    """Rows of `table2_intervals` of the set that the verdict judges, or of its first set."""
    table = tables["table2_intervals"]
    own = table[table["set"] == photographs(params)]
    return table[table["set"] == table["set"].iloc[0]] if own.empty else own


def photographs(params: Params) -> str:
    """What the images are called that stand beside the paper's Kodak rows."""
    first = params["notebook"]["verdict"]["verdict"][0]
    return title_of(params["evaluate"]["runs"][first])


def effects(table: pd.DataFrame, method: str) -> list[Interval]:
    """Those of a method by each of the seven metrics that the table has."""
    metrics = [metric for metric in METRICS if metric in set(table["metric"])]
    return [effect(table, method=method, metric=metric) for metric in metrics]


def claimed(quality: pd.DataFrame) -> pd.Series:
    """The gains that the paper's Table 1 claims for its first set, Kodak: metric → difference."""
    paper = quality[quality["source"] == "paper"]
    rows = paper[paper["set"] == paper["set"].iloc[0]].set_index("method")[list(METRICS)]
    return (rows.loc["Our model"] - rows.loc["Std JPEG"]).round(3)


def claims(quality: pd.DataFrame) -> str:
    """What the paper's Table 1 says of its first set."""
    gains, first = claimed(quality), quality.iloc[0]
    said = [f"{ALL[name].label} {number(gains[name], name)}" for name in METRICS]
    return (
        f"On the {first['images']} images of {first['set']} its encoder gains over standard JPEG, "
        f"in the mean: {', '.join(said)}."
    )


def counts(verdict: pd.DataFrame) -> str:
    """How many claims are reproduced, and how many are not."""
    found = verdict["verdict"].value_counts().to_dict()
    said = [f"{found[key]} {COUNTED[key][found[key] > 1]}" for key in COUNTED if key in found]
    return f"Of {len(verdict)} claims of the paper, put to its own method, {listed(said)}."


def stand_in(params: Params) -> str:
    """Which images the claims on Kodak were put to, where they are not Kodak's."""
    title = photographs(params)
    if "Kodak" in title:
        return ""
    return f"In the place of Kodak's images this study has {title}."


def mosaic(tables: Tables, params: Params) -> str:
    """The paper's encoder on the main set, beside what the paper claims."""
    found, gains = main_set(tables, params), claimed(tables["table1_quality"])
    said = []
    for metric in ("psnr", "psnr_s"):
        value = effect(found, method="mosaic", metric=metric)
        said.append(
            f"{ALL[metric].label} {outcome(value)} ({number(value.mean, metric)}, 95% interval "
            f"{between(value, metric)}; the paper has {number(gains[metric], metric)})"
        )
    return (
        f"Under the paper's encoder, on {photographs(params)} and at no more "
        f"bytes than the standard JPEG of quality {params['evaluate']['quality']}, "
        f"{listed(said)}; {tally(effects(found, 'mosaic'))}."
    )


def direct(tables: Tables, params: Params) -> str:
    """This project's encoder on the main set."""
    found = main_set(tables, params)
    said = [moved(effect(found, method="direct", metric=name), name) for name in ("psnr", "psnr_s")]
    return f"{listed(said)}; {tally(effects(found, 'direct'))}."


def by_set(table: pd.DataFrame) -> str:
    """Of every set, how many metrics rise and fall under each method."""
    said = []
    for name, own in table.groupby("set", sort=False):
        groups: dict[str, list[str]] = {}
        for method in own["method"].unique():
            groups.setdefault(tally(effects(own, method)), []).append(method)
        under = "; ".join(f"{counts} under {listed(names)}" for counts, names in groups.items())
        said.append(f"On “{name}” ({own['images'].max()} images), {under}.")
    return " ".join(said)


def judges(table: pd.DataFrame) -> list[str]:
    """Direct by errors that no map has weighed, a sentence a set: against standard JPEG and itself
    under no map, or one in which nothing was chosen.
    """
    controls = ["standard", "direct-flat", "direct-centre", "direct-energy"]
    some = table[table["other"].isin(controls)]
    return [judged(own) for _, own in some.groupby(["set", "metric"], sort=False)]


def judged(own: pd.DataFrame) -> str:
    """Direct against the others, on one set by one judge."""
    first, said = own.iloc[0], []
    for row in own.itertuples():
        value = Interval(row.mean, row.low, row.high)
        size = f"{number(row.mean, row.metric)}, {between(value, row.metric)}"
        said.append(f"{OVER[outcome(value)]} {OTHERS.get(row.other, row.other)} ({size})")
    judge = JUDGES.get(first["metric"], ALL[first["metric"]].label)
    return f"By {judge} (“{first['set']}”, {first['images']} images), direct is {listed(said)}."


def heads(table: pd.DataFrame) -> str:
    """MS-ROI against CAM in scenes of several objects."""
    several = table[table["several"]]
    gain = Interval(*(100 * several[name].iloc[0] for name in ("gain", "low", "high")))
    verb = {UP: "more", DOWN: "fewer", OPEN: "neither clearly more nor clearly fewer"}
    objects = listed([str(count) for count in several["objects"]])
    return (
        f"In {several['scenes'].sum()} rendered scenes of {objects} objects, MS-ROI finds "
        f"{verb[outcome(gain)]} of the objects than CAM ({signed(gain.mean, 0)} percentage points, "
        f"95% interval {span(gain, 0)})."
    )


def people(table: pd.DataFrame) -> str:
    """MS-ROI's agreement with fixations against every other map's."""
    verbs = {UP: "better than", DOWN: "worse than", OPEN: "neither better nor worse than"}
    groups: dict[str, list[str]] = {}
    for row in table[table["map"] != "MS-ROI"].itertuples():
        value = Interval(row.difference, row.low, row.high)
        size = f"{signed(value.mean)}, {span(value)}"
        groups.setdefault(verbs[outcome(value)], []).append(f"{row.map} ({size})")
    said = "; ".join(f"{verb} {listed(maps)}" for verb, maps in groups.items())
    return (
        f"On {table['images'].iloc[0]} photographs that people have looked at, MS-ROI's map agrees "
        f"with their fixations (NSS, differences and 95% intervals) {said}."
    )


def variants(table: pd.DataFrame, encoder: str) -> str:
    """The best and the worst variant of an encoder, by PSNR and by PSNR-S."""
    own = table[table["method"].str.startswith(encoder)]
    said = []
    for metric in ("psnr", "psnr_s"):
        rows = own[own["metric"] == metric].set_index("method")["mean"].dropna()
        best, worst = rows.idxmax(), rows.idxmin()
        sizes = f"{number(rows[best], metric)} and {number(rows[worst], metric)}"
        said.append(f"by {ALL[metric].label} “{best}” is best and “{worst}” worst ({sizes})")
    return f"Of {own['method'].nunique()} variants of {encoder}, {listed(said)}."


def rates(table: pd.DataFrame, metric: str) -> str:
    """Bytes at equal quality against standard JPEG, by one metric."""
    own = table[(table["against"] == "standard") & (table["metric"] == metric)].dropna(
        subset="mean"
    )
    groups: dict[str, list[str]] = {}
    for row in own.dropna(subset="mean").itertuples():
        way = outcome(Interval(row.mean, row.low, row.high))
        groups.setdefault(way, []).append(f"{row.method} ({signed(row.mean, 1)}%)")
    needs = {UP: "more bytes", DOWN: "fewer bytes", OPEN: "neither clearly more nor fewer bytes"}
    said = [f"{needs[way]} with {listed(names)}" for way, names in groups.items()]
    return f"Equal {ALL[metric].label} takes {'; '.join(said) or 'no comparable bytes'}."


def sizes(table: pd.DataFrame) -> str:
    """At how many sizes of the one image each method is above standard JPEG."""
    above = (table["psnr_hvs"] > 0).groupby(table["method"], sort=False)
    said = [f"at {own.sum()} of {len(own)} sizes with {name}" for name, own in above]
    return f"PSNR-HVS is above standard JPEG's {listed(said)}."


def categories(table: pd.DataFrame) -> str:
    """In how many categories each method's PSNR-HVS rises and falls."""
    said = []
    for name, rows in table.groupby("method", sort=False):
        own = [Interval(row.mean, row.low, row.high) for row in rows.itertuples()]
        said.append(f"under {name} {tally(own, 'categories')}")
    return sentence(f"by PSNR-HVS, {'; '.join(said)}")
