"""Values for the article's sentences on what was found. The words are article.typ's.

An *effect* is a difference with its interval, as `effect` formats it. `found` reads the tables that
the notebooks saved, `tried` the record of the trial; `study.article.parameters` says how it was
found.
"""

from collections.abc import Mapping
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from msroi.metrics import ALL, METRICS, PAPERS, Metric
from study.data.registry import source
from study.statistics import claims, trial
from study.statistics.intervals import Interval, side, signed

Tables = Mapping[str, pd.DataFrame]
Facts = dict[str, Any]

PER_CENT, POINTS, NSS = Metric("BD-rate", "", 1), Metric("points", "", 0), Metric("NSS", "", 2)
SHARE = Metric("share", "", 0)  # in per cent
FOUND = Metric("NSS or AUC", "", 3)


def effect(value: Interval, shown: Metric) -> Facts | None:
    """A difference as it is printed, and on which side of zero its interval lies.

    Gives number (``"−1.35"``), mean (the same with its unit, ``"−1.35 dB"``), low and high (None
    where the interval is unknown), side (`study.statistics.intervals.side`) and value (the mean,
    unformatted); None where not even the mean is known.
    """
    if pd.isna(value.mean):
        return None
    number, low, high = (None if pd.isna(x) else signed(x, shown.digits) for x in value)
    told = {"number": number, "mean": f"{number} {shown.unit}".rstrip(), "low": low, "high": high}
    return told | {"side": side(value), "value": float(value.mean)}


def effects(table: pd.DataFrame, *keys: str, shown: Metric | None = None) -> Facts:
    """The effect of every row, by the values of the columns ``keys``, one within the other.

    Each is printed as the metric in its column metric, or all as ``shown`` says. ValueError where
    the keys do not tell two rows apart.
    """
    if not keys:
        if len(table) > 1:
            rows = table.to_dict("records")
            raise ValueError(f"the article needs one row of each, and has {len(table)}: {rows}")
        row = next(table.itertuples())
        return effect(Interval(row.mean, row.low, row.high), shown or ALL[row.metric])
    first, *rest = keys
    groups = table.groupby(first, sort=False)
    return {str(value): effects(own, *rest, shown=shown) for value, own in groups}


def records(table: pd.DataFrame, **formats: str) -> list[Facts]:
    """The rows as they are, but for the columns that have a format; None for what is missing."""
    return [
        {
            str(name): None if pd.isna(value) else format(value, style) if style else value
            for name, value in row.items()
            for style in [formats.get(name)]
        }
        for row in table.to_dict("records")
    ]


def found(tables: Tables) -> Facts:
    """All that the article and README say of results, from the notebooks' tables alone.

    They are by the notebooks' names, of all of `study.article.article.tables_of`.
    """
    variants, rates = tables["ablations"], tables["rate_distortion"]
    judges, intervals = tables["model_what_it_finds"], tables["table2_intervals"]
    people = judges[judges["set"] == "osie"]
    return {
        "metrics": [{"key": key, "label": ALL[key].label} for key in METRICS],
        "claims": records(tables["verdict"]),
        "counts": claims.counts(tables["verdict"]["verdict"]),
        **_quality(tables["table1_quality"]),
        "sets": _by_set(intervals[intervals["metric"].isin(METRICS)], "set", "method", "metric"),
        "judged": _by_set(tables["independent_test"], ["set", "metric"], "other"),
        "ladder": _ladder(tables["ladder"]),
        "variants": {"images": _most(variants), "effects": effects(variants, "method", "metric")},
        "rates": {
            "images": _most(rates),
            "against": effects(rates, "against", "method", "metric", shown=PER_CENT),
        },
        "log": _log(tables["authors_log"]),
        "closeup": records(
            tables["figure1_closeup"],
            bytes=",",
            budget_bytes=",",
            box_psnr=".2f",
            **_digits("psnr", "ssimulacra2"),
        ),
        "heads": _heads(tables["figure2_cam_vs_msroi"]),
        "maps": records(tables["figure3_maps"].sort_values("mean"), mean=".2f"),
        "people": {
            "images": _most(people),
            "effects": effects(people.assign(mean=people["difference"]), "map", shown=NSS),
            "top-1": {row["map"]: row["top-1"] for row in records(people, **{"top-1": ".1%"})},
        },
        "finds": _finds(judges),
        "known": _known(tables["figure2_cam_vs_msroi_classes"]),
        "looked": _looked(tables["figure2_cam_vs_msroi_people"]),
        "sizes": _sizes(tables["figure4_size_scaling"]),
        "categories": _categories(tables["figure5_categories"]),
    }


def _digits(*metrics: str) -> dict[str, str]:
    """The formats of metrics' values in print."""
    return {key: f".{ALL[key].digits}f" for key in metrics}


def _most(table: pd.DataFrame) -> str:
    return f"{table['images'].max():,}"


def _by_set(table: pd.DataFrame, by: str | list[str], *keys: str) -> list[Facts]:
    """A record for each set (or set and judge): its images, and its effects by ``keys``."""
    return [
        {
            "set": own["set"].iloc[0],
            "images": _most(own),
            "metric": own["metric"].iloc[0],
            "effects": effects(own, *keys),
        }
        for _, own in table.groupby(by, sort=False)
    ]


def _finds(table: pd.DataFrame) -> list[Facts]:
    """What the maps find in each set: means, maxF, and MS-ROI's lead over each other map."""
    leads = table.assign(mean=table["difference"])
    return [
        {
            "set": source(name).title,
            "images": _most(own),
            "measure": {"nss": "NSS", "auc": "AUC"}[own["measure"].iloc[0]],
            "means": {row["map"]: row["value"] for row in records(own, value=".3f")},
            "maxf": {row["map"]: row["maxf"] for row in records(own, maxf=".3f")},
            "leads": effects(leads.loc[own.index], "map", shown=FOUND),
        }
        for name, own in table.groupby("set", sort=False)
    ]


def _ladder(table: pd.DataFrame) -> list[Facts]:
    """Of each set each map's share of the oracle's gain, in per cent, and MS-ROI's lead over it."""
    shares = table.assign(**{key: 100 * table[key] for key in ("low", "high")})
    shares["mean"] = 100 * table["share"]
    leads = table.assign(mean=table["lead"], low=table["lead_low"], high=table["lead_high"])
    return [
        {
            "set": title,
            "images": _most(own),
            "metric": own["metric"].iloc[0],
            "oracle": effect(Interval(own["gain"].iloc[-1], nan, nan), ALL[own["metric"].iloc[0]]),
            "shares": effects(shares.loc[own.index], "map", shown=SHARE),
            "leads": effects(leads.loc[own.index], "map"),
        }
        for title, own in table.groupby("set", sort=False)
    ]


def _quality(table: pd.DataFrame) -> Facts:
    """Table 1, the paper's sets and then ours; and the gains that the paper claims."""
    quality = [
        {
            "source": whose,
            "set": title,
            "images": _most(own),
            "rows": records(own, **_digits(*METRICS)),
        }
        for (whose, title), own in table.groupby(["source", "set"], sort=False)
    ]
    gains = claims.claimed(table[table["source"] == "paper"])
    claimed = {key: effect(Interval(gains[key], nan, nan), ALL[key]) for key in PAPERS}
    return {"quality": quality, "claimed": claimed}


def _heads(table: pd.DataFrame) -> Facts:
    """Objects found, and MS-ROI's gain over CAM in scenes of several, in percentage points."""
    several = table[table["several"]]
    gain = Interval(*(100 * several[name].iloc[0] for name in ("gain", "low", "high")))
    return {
        "gain": effect(gain, POINTS),
        "scenes": f"{several['scenes'].sum():,}",
        "all_scenes": f"{table['scenes'].sum():,}",
        "shares": records(table, **{"CAM": ".0%", "MS-ROI": ".0%"}),
    }


def tried(table: pd.DataFrame, *, seed: int) -> Facts:
    """What the trial of Figure 2 says, in percentage points; ``table`` has `trial.COLUMNS`.

    By set: its title, its images of several objects, the effect of each factor over all levels of
    the others, and which factors do the work, the one that does most first. ``rows`` has, by
    factor, a record for each pair of levels of the others (``features``, ``weights``, ``head``),
    with the effects by set and number of objects.
    """
    gains = trial.gains(table, seed=seed)
    sets = {
        name: {
            "title": source(name).title,
            "images": f"{own['images'].max():,}",
            "effects": {
                factor: effect(_in_points(gain), POINTS)
                for factor, gain in trial.overall(gains, of=name).items()
            },
            "working": trial.working(gains, of=name),
        }
        for name, own in gains.groupby("set", sort=False)
    }
    rows = {
        factor: [
            dict(zip(trial.FACTORS, levels, strict=True))
            | {
                f"{row.set} {row.objects}": effect(
                    _in_points(Interval(row.mean, row.low, row.high)), POINTS
                )
                for row in cells.itertuples()
            }
            for levels, cells in own.groupby(list(trial.FACTORS), sort=False)
        ]
        for factor, own in gains.groupby("factor", sort=False)
    }
    counted = gains.groupby(["set", "objects"], sort=False)["images"].first()
    columns = [
        {
            "key": f"{name} {objects}",
            "set": source(name).title,
            "objects": objects,
            "images": int(n),
        }
        for (name, objects), n in counted.items()
    ]
    return {"sets": sets, "rows": rows, "columns": columns}


def _in_points(gain: Interval) -> Interval:
    return Interval(*(100 * value for value in gain))


def _log(table: pd.DataFrame) -> Facts:
    """The authors' own log: their gains, and those that a standard JPEG has by as many bytes more.

    ``covered`` are the metrics whose gain is not above the interval of what the bytes are worth;
    ``apart`` by how much their standard JPEG is above ours, None where no image is the same.
    """
    alone = table.assign(mean=table["claimed"], low=nan, high=nan)
    apart = table.assign(mean=table["apart"], low=nan, high=nan)
    share = table["bytes_apart"].iloc[0]
    return {
        "images": _most(table),
        **{name: f"{table[name].iloc[0]:.1%}" for name in ("more", "least", "most")},
        "claimed": effects(alone, "metric"),
        "worth": effects(table, "metric"),
        "covered": list(table["metric"][table["claimed"] <= table["high"]]),
        "apart": effects(apart, "metric"),
        "bytes_apart": None if pd.isna(share) else f"{share:.1%}",
    }


def _known(table: pd.DataFrame) -> Facts:
    """What the study's own heads know: top-1 over all images that were held out, and by class.

    ``ends`` has of each head the classes that it names least and most often.
    """
    heads = [name for name in ("CAM", "MS-ROI") if name in table]
    return {
        "classes": f"{len(table):,}",
        "images": f"{table['images'].sum():,}",
        "top-1": {
            name: f"{np.average(table[name], weights=table['images']):.1%}" for name in heads
        },
        "ends": {
            name: records(
                table.sort_values(name, kind="stable").iloc[[0, -1]][["class", name]],
                **{name: ".0%"},
            )
            for name in heads
        },
    }


def _looked(table: pd.DataFrame) -> list[Facts]:
    """How maps agree with the fixations of a set that has a map of them alone, by each measure."""
    maps = table[table["measure"].isin(["cc", "sim"])]
    leads = maps.assign(mean=maps["difference"])
    return [
        {
            "set": source(own["set"].iloc[0]).title,
            "images": _most(own),
            "measure": measure.upper(),
            "means": {row["map"]: row["value"] for row in records(own, value=".3f")},
            "leads": effects(leads.loc[own.index], "map", shown=FOUND),
        }
        for measure, own in maps.groupby("measure", sort=False)
    ]


def _sizes(table: pd.DataFrame) -> Facts:
    """PSNR-HVS against standard JPEG of one image: method → width → effect, without interval."""
    gains = table.assign(mean=table["psnr_hvs"], low=nan, high=nan, metric="psnr_hvs")
    megapixels = table["width"] * table["height"] / 1e6
    return {
        "image": table["image"].iloc[0],
        "megapixels": [f"{megapixels.min():.2f}", f"{megapixels.max():.2f}"],
        "effects": effects(gains, "method", "width"),
    }


def _categories(table: pd.DataFrame) -> Facts:
    images = table.groupby("category")["images"].first()
    return {"images": f"{images.sum():,}", "effects": effects(table, "method", "category")}
