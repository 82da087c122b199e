"""What benchmarks/kodak.py prints of its rows, and the goals that it holds them against."""

from collections.abc import Iterator

import pandas as pd
from decoders import LUMA_TOLERANCE
from measures import Row, row
from rivals import JPEGLI_BETWEEN, JPEGLI_PLAIN

from msroi.encoder.budget import SHARE_ACCEPTED
from msroi.metrics import METRICS, PAPERS
from study.statistics import rates
from study.statistics.intervals import signed

# Goals at equal bytes: quality → method → metric → what it gains at least over standard JPEG
LUMA = dict.fromkeys((name for name in PAPERS if name != "psnr_s"), 0.0)
FLOORS = {
    50: {
        "direct-flat balanced": LUMA | {"psnr": 0.6, "psnr_hvs": 0.6},
        "direct balanced": LUMA | {"psnr_s": 2.3, "ssimulacra2": 2.5},
        "direct ssimulacra2": {"ssimulacra2": 4.0},
    }
}
for finer in (75, 90):
    FLOORS[finer] = {
        "direct-flat balanced": LUMA,
        "direct balanced": {"psnr_s": 1.8, "ssimulacra2": 0.0},
    }
# Goals at equal bytes: method → quality → how much its SSIMULACRA2 is above each rival's
RIVALS = ("mozjpeg-robidoux", "mozjpeg", JPEGLI_PLAIN, "jpegli", JPEGLI_BETWEEN)
MARGINS = {
    "direct-flat ssimulacra2": {50: 1.0, 75: 1.0, 90: 0.5},
    "direct-flat balanced": {50: 0.0, 75: 0.0, 90: 0.0},
}
ANCHORS = ("standard", "mozjpeg-robidoux", "jpegli")  # of BD-rates
SEED = 0  # of the bootstrap over images
DIGITS = {"dB": 2, "": 4}
COLUMNS = {key: (metric.label, DIGITS[metric.unit]) for key, metric in METRICS.items()} | {
    "ssimulacra2": ("SSIMULACRA2", 2),
    "odd": ("odd images", 2),  # SSIMULACRA2 of 1, 3, 5 …
    "even": ("even", 2),
    "psnr_cb": ("PSNR of Cb", 2),
    "psnr_cr": ("Cr", 2),
    "least": ("least %", 2),
    "mean": ("mean %", 2),
}


def gains(table: pd.DataFrame) -> list[Row]:
    """Print, for each quality, what methods have more than the standard JPEG; give the goals.

    SSIMULACRA2 is there over odd and even images apart too, for the tunes were searched on six odd
    ones: 1, 5, 9, 13, 19 and 23. The last columns are shares of the budget, the smallest and the
    mean.
    """
    goals = []
    for quality, own in table.groupby("quality", sort=False):
        shown = _against_standard(own)
        print(f"\nAt the bytes of standard JPEG, quality {quality}: it, and the others less it")
        print(_text(shown), flush=True)
        goals += _goals(quality, shown)
    print()
    return goals


def _against_standard(table: pd.DataFrame) -> pd.DataFrame:
    """Mean of each method: standard's own values, and what the others are above them."""
    odd = table["image"].str[-1].astype(int) % 2 == 1
    score = table["ssimulacra2"]
    grouped = table.assign(odd=score.where(odd), even=score.where(~odd)).groupby("method")
    values = [name for name in COLUMNS if name not in ("least", "mean")]
    means = grouped[values].mean().reindex(table["method"].unique())
    means.loc[means.index != "standard"] -= means.loc["standard"]
    return means.assign(least=grouped["share"].min(), mean=grouped["share"].mean())


def _text(table: pd.DataFrame) -> str:
    """With the metrics' names, and as many digits as each is worth."""
    shown = {}
    for key, (label, digits) in COLUMNS.items():
        shown[label] = ["" if pd.isna(value) else f"{value:.{digits}f}" for value in table[key]]
    return pd.DataFrame(shown, index=table.index).rename_axis(None).to_string(line_width=400)


def _goals(quality: int, means: pd.DataFrame) -> Iterator[Row]:
    for method, floors in FLOORS.get(quality, {}).items():
        for metric, floor in floors.items() if method in means.index else ():
            what = f"{quality}: {method}, gain of {METRICS[metric].label}"
            yield row(what, [means.at[method, metric]], METRICS[metric].unit, at_least=floor)
    for method, margins in MARGINS.items():
        if method not in means.index or quality not in margins:
            continue
        for other in (rival for rival in RIVALS if rival in means.index):
            ahead = means.at[method, "ssimulacra2"] - means.at[other, "ssimulacra2"]
            what = f"{quality}: {method}, SSIMULACRA2 above {other}"
            yield row(what, [ahead], "", at_least=margins[quality])
    ours = means.loc[means.index.str.startswith("direct"), "least"]
    floor = 100 * SHARE_ACCEPTED
    if len(ours):
        yield row(f"{quality}: direct's share of the budget", [ours.min()], "%", at_least=floor)


def curves(table: pd.DataFrame) -> list[Row]:
    """Print BD-rates, per cent of bytes at equal quality, with 95% intervals over images."""
    by_image = pd.concat(
        rates.bd_rates(table, anchor=anchor, metrics=METRICS).assign(against=anchor)
        for anchor in ANCHORS
    )
    found = rates.summary(by_image, seed=SEED)
    bounds = [[signed(v, 1) for v in found[key]] for key in ("mean", "low", "high")]
    found["text"] = [f"{mean} ({low} to {high})" for mean, low, high in zip(*bounds, strict=True)]
    found["label"] = [METRICS[metric].label for metric in found["metric"]]
    for anchor, own in found.groupby("against", sort=False):
        print(f"\nBD-rate against {anchor}, %: below zero, fewer bytes at equal quality")
        wide = own.pivot(index="label", columns="method", values="text")
        order = own["label"].unique(), own["method"].unique()
        print(wide.loc[order].rename_axis(None).rename_axis(None, axis=1).to_string(line_width=400))
    print()
    print("By SSIMULACRA2:")
    known = found[found["metric"] == "ssimulacra2"].set_index(["method", "against"])["mean"]
    return [
        row(
            f"{method}, BD-rate by SSIMULACRA2 against {other}",
            [known[method, other]],
            "%",
            at_most=-5,
        )
        for method in ["direct-flat ssimulacra2"]
        for other in RIVALS
        if (method, other) in known.index
    ]


def targets(table: pd.DataFrame, target: float) -> list[Row]:
    """Print bytes and score of every file; give the least score, and the sums' ratios."""
    wide = table.pivot(index="image", columns="method", values=["bytes", "score"])
    wide = wide.swaplevel(axis=1)[list(table["method"].unique())]
    wide = wide.astype({name: int for name in wide if name[1] == "bytes"})
    print(wide.rename_axis(None).rename_axis([None, None], axis=1).round(2).to_string())
    sums, least = (table.groupby("method", sort=False)[key] for key in ("bytes", "score"))
    print("\nSums of bytes:", ", ".join(f"{name} {n}" for name, n in sums.sum().items()), "\n")
    goals = []
    for method in [name for name in sums.groups if name.startswith("direct")]:
        score = least.min()[method]
        goals.append(row(f"least SSIMULACRA2 of {method}", [score], "", at_least=target))
        most = table.groupby("method")["score"].max()[method]
        goals.append(row(f"most SSIMULACRA2 of {method}", [most], "", at_most=target + 0.5))
        for other in ("jpegli", JPEGLI_PLAIN):
            share = sums.sum()[method] / sums.sum()[other]
            goals.append(row(f"bytes, {method} by {other}", [share], "times", at_most=0.95))
    return goals


def decoders(table: pd.DataFrame) -> list[Row]:
    """Print how far each decoder's luma is from Pillow's, in levels, over a method's files."""
    grouped = table.drop(columns="image").groupby("method", sort=False)
    names = [name for name in table if name not in ("image", "method")]
    print(grouped.max().assign(files=grouped.size()).rename_axis(None).to_string(), "\n")
    largest = {f"luma by {name}, largest difference": table[name].max() for name in names}
    return [row(what, [n], "levels", at_most=LUMA_TOLERANCE) for what, n in largest.items()]
