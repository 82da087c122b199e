"""The abstract and the discussion: what the results come to, chosen by the tables."""

import pandas as pd

from msroi.metrics.table import ALL
from study.article import sentences
from study.article.captions import signed
from study.article.sentences import JUDGES, Params, Tables, effects, main_set
from study.article.words import (
    DOWN,
    OPEN,
    UP,
    between,
    effect,
    listed,
    number,
    outcome,
    sentence,
    span,
)
from study.statistics.claims import REPRODUCED, UNTESTED
from study.statistics.intervals import Interval

FEW = 12  # images, below which an interval is said to rest on few


def abstract(tables: Tables, params: Params) -> str:
    """The article in a paragraph: the verdict, and the numbers that it rests on."""
    return " ".join(
        [
            "Prakash et al. (2017) let a convolutional network, MS-ROI, mark every semantic region "
            "of a photograph, and a JPEG encoder spend its bytes there; any decoder opens the "
            "file. We rebuilt network, map and encoder from the paper's text.",
            sentences.counts(tables["verdict"]),
            sentences.mosaic(tables, params),
            sentences.heads(tables["figure2_cam_vs_msroi"]),
            "An encoder of our own, direct, quantizes every coefficient once and lets the same map "
            f"weigh the errors: {sentences.direct(tables, params)}",
            first_judge(tables["independent_test"]),
        ]
    )


def first_judge(table: pd.DataFrame) -> str:
    """Direct against standard JPEG and against itself without a map, by the first set's judge."""
    own = _first(table)
    return sentences.judged(own[own["other"].isin(["standard", "direct-flat"])])


def holds(verdict: pd.DataFrame) -> str:
    """The claims that were reproduced."""
    held = list(verdict.loc[verdict["verdict"] == REPRODUCED, "claim"])
    if not held:
        return "Of the claims that could be tested, none was reproduced."
    return sentence(f"reproduced, of the claims that could be tested: {'; '.join(held)}")


def loss(tables: Tables, params: Params) -> str:
    """Why the paper's encoder loses, where it does."""
    found = main_set(tables, params)
    ways = {outcome(value) for value in effects(found, "mosaic")}
    if DOWN not in ways:
        return (
            "On this study's images no metric clearly falls under the paper's encoder, so that "
            "nothing is to explain."
        )
    return (
        "In the mosaic every block is quantized twice: at the quality of its level, and again when "
        "the mosaic is coded. The second coding cannot give back what the first took, and to stay "
        "within the bytes of the standard JPEG its quality cannot be far from that JPEG's own; so "
        "even a salient block comes out no better than the second coding alone would leave it, "
        f"and the others worse. {cause(tables, params)}"
    )


def cause(tables: Tables, params: Params) -> str:
    """The ablations in which salient blocks are quantized but once, or nearly, and what they say.

    "" where the study has none of them.
    """
    first, variants = _of_the_cause(params)
    values = {name: _mean(tables["ablations"], name, "psnr_s") for name in (first, *variants)}
    if not variants:
        return ""
    changes = [f"to {number(values[name], 'psnr_s')} where {why}" for name, why in variants.items()]
    worse = [name for name in variants if values[name] <= values[first]]
    verdict = "this is not all that costs the gain" if worse else "this is what costs the gain"
    return (
        f"In the ablations PSNR-S goes from {number(values[first], 'psnr_s')} {listed(changes)}: "
        f"{verdict}."
    )


def _of_the_cause(params: Params) -> tuple[str, dict[str, str]]:
    """The paper's own variant, and those that quantize less: name → in which way."""
    quality = params["evaluate"]["quality"]
    first, *others = (
        (name, options)
        for name, options in params["evaluate"]["methods"]["ablations"].items()
        if options.get("method") == "mosaic" and options.get("budget", 1) == 1
    )
    ways = {}
    for name, options in others:
        if options.get("untouched"):
            ways[name] = f"salient blocks are the image's own (“{name}”)"
        elif options.get("q_low", 0) > quality:
            ways[name] = f"the first qualities are so high that they take little (“{name}”)"
    return first[0], ways


def circular(tables: Tables, params: Params) -> str:
    """What PSNR-S is worth, and what a judge that knows no map says."""
    found, own = main_set(tables, params), _first(tables["independent_test"])
    metric, helps = own["metric"].iloc[0], effect(own, other="direct-flat")
    by_map, flat = (
        number(_mean(found, name, "psnr_s"), "psnr_s") for name in ("direct", "direct-flat")
    )
    verdict = {
        UP: "so the map helps where it should",
        DOWN: "so the map does harm where it should help",
        OPEN: "so it is not shown that the map helps where it should",
    }[outcome(helps)]
    judge = JUDGES.get(metric, ALL[metric].label)
    return (
        "PSNR-S looks at the region that the map names, so it cannot tell a good map from a bad "
        f"one: what follows the map gains by it wherever the map looks (direct {by_map}, without a "
        f"map {flat}). {judge} knows nothing of the map; by it, direct is "
        f"{sentences.OVER[outcome(helps)]} itself without a map ({number(helps.mean, metric)}, "
        f"{between(helps, metric)}), {verdict}."
    )


def price(tables: Tables, params: Params) -> str:
    """What following the map costs the image as a whole."""
    found, said, cheaper = main_set(tables, params), [], []
    for metric in ("psnr", "psnr_hvs", "ssim"):
        own, flat = (_mean(found, name, metric) for name in ("direct", "direct-flat"))
        said.append(f"{ALL[metric].label} {number(own, metric)} and {number(flat, metric)}")
        cheaper.append(own >= flat)
    verb = "costs the whole image nothing" if all(cheaper) else "has its price for the whole image"
    return f"Following the map {verb}: against standard JPEG, with and without it, {listed(said)}."


def features(table: pd.DataFrame) -> str:
    """How much of the map lies in the features, and how much in the classes."""
    row = table.set_index("map").loc["energy", ["difference", "low", "high"]]
    gain = Interval(*row.astype(float))
    said = {
        UP: "choosing classes adds to what the features know",
        DOWN: "choosing classes takes away from what the features know",
        OPEN: "what the map knows of where people look lies in the features, and choosing classes "
        "neither adds to it nor takes away",
    }[outcome(gain)]
    size = f"NSS {signed(gain.mean)}, {span(gain)}"
    return f"Against the plain energy of the features ({size}), {said}."


def absolute(quality: pd.DataFrame) -> str:
    """Whether absolute values can be compared with the paper's."""
    first = quality["set"].iloc[0]
    ours = quality[(quality["source"] == "ours") & (quality["set"] == first)]
    if ours.empty:
        return (
            "None of this study's sets is one of the paper's, so that only differences from "
            "standard JPEG can be compared with the paper's, and no absolute value."
        )
    theirs = quality.iloc[0]
    standard = ours[ours["method"] == "standard"].iloc[0]
    said = [
        f"{ALL[m].label} {standard[m]:.4g} and {theirs[m]:.4g}" for m in ("psnr", "ssim", "vifp")
    ]
    return (
        f"Of standard JPEG itself our values and the paper's differ on the same images ({first}: "
        f"{', '.join(said)}), so that only differences from it can be compared."
    )


def few(tables: Tables, params: Params) -> str:
    """Which comparisons rest on few images."""
    counted = {
        "the main set": main_set(tables, params)["images"].max(),
        "the variants": tables["ablations"]["images"].max(),
        "the rates": tables["rate_distortion"]["images"].max(),
    }
    said = [f"{name} ({images})" for name, images in counted.items() if images < FEW]
    if not said:
        return ""
    return f"Few images stand behind {listed(said)}, so that their intervals say little of others."


def untested(verdict: pd.DataFrame) -> str:
    """The claims that could not be tested, and why."""
    rows = verdict[verdict["verdict"] == UNTESTED]
    said = [f"{row.claim} ({row.reason})" for row in rows.itertuples()]
    return sentence(f"not tested: {'; '.join(said)}") if said else "Every claim was tested."


def _first(table: pd.DataFrame) -> pd.DataFrame:
    return next(own for _, own in table.groupby(["set", "metric"], sort=False))


def _mean(table: pd.DataFrame, method: str, metric: str) -> float:
    return effect(table, method=method, metric=metric).mean
