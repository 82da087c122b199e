"""What holds of the paper: each of its claims beside what was found here, and a judgement."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from msroi.metrics.table import ALL, DECIBELS, METRICS
from study.statistics import comparisons
from study.statistics.intervals import Interval, mean_interval

REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
OPEN, UNTESTED = "not told apart", "can't be tested here"

# §5, of CAT2000: where the paper's encoder gained most, and least; Pattern was its only loss
BEST = ("OutdoorNatural", "OutdoorManMade", "Action", "Object")
WORST = ("LineDrawing", "Fractal", "LowResolution")
ONLY_LOSS = "Pattern"


class Claim(NamedTuple):
    """One claim of the paper.

    Attributes
    ----------
    claim, paper
        What is claimed, and the paper's figure.
    ours
        The same by the paper's own method, as run here.
    direct
        The same by the encoder of this project; "" where it has no part in it.
    verdict
        `REPRODUCED`, `NOT_REPRODUCED`, `OPEN` (the interval of what was found holds zero) or
        `UNTESTED`.
    reason
        Why, in a clause.
    """

    claim: str
    paper: str
    ours: str
    direct: str
    verdict: str
    reason: str


def of_table1(paper: pd.DataFrame, results: pd.DataFrame, *, images: str, seed: int) -> list[Claim]:
    """Each gain of Table 1's Kodak rows, and that none of the global ones is a loss.

    Parameters
    ----------
    paper
        Columns set, method and `study.statistics.METRICS`.
    results
        Of `study.measure.evaluation.evaluate`, with standard, mosaic and direct.
    images
        What they are, in words.
    seed
        Of the intervals.
    """
    found = comparisons.intervals(results, seed=seed).set_index(["method", "metric"])
    claims = []
    for metric, gain in _claimed(paper).items():
        mosaic, direct = (_interval(found, name, metric) for name in ("mosaic", "direct"))
        claims.append(
            Claim(
                f"{ALL[metric].label} is {'above' if gain else 'no less than'} standard JPEG's",
                f"{_number(gain, metric)} on Kodak",
                _said(mosaic, metric),
                _said(direct, metric),
                sided(mosaic) if gain else at_least(mosaic),
                f"mean over {images}",
            )
        )
    return [*claims, _no_loss(found, images)]


def _no_loss(found: pd.DataFrame, images: str) -> Claim:
    metrics = [metric for metric in METRICS if metric != "psnr_s"]
    kept = {
        method: sum(_interval(found, method, metric).high >= 0 for metric in metrics)
        for method in ("mosaic", "direct")
    }
    return Claim(
        "the global metrics are maintained or improved",
        "6 of 6",
        f"{kept['mosaic']} of 6",
        f"{kept['direct']} of 6",
        REPRODUCED if kept["mosaic"] == len(metrics) else NOT_REPRODUCED,
        f"lost is one whose whole interval is below zero; {images}",
    )


def of_salient_gain(results: pd.DataFrame, *, images: str, seed: int, gain: float = 5.0) -> Claim:
    """PSNR-S five decibels above standard's."""
    found = comparisons.intervals(results, seed=seed).set_index(["method", "metric"])
    mosaic, direct = (_interval(found, name, "psnr_s") for name in ("mosaic", "direct"))
    return Claim(
        "the salient regions gain about 5 dB (PSNR-S)",
        "+5.25 dB on Kodak",
        _said(mosaic, "psnr_s"),
        _said(direct, "psnr_s"),
        REPRODUCED if mosaic.high >= gain else NOT_REPRODUCED,
        f"the salient blocks are quantized twice; {images}",
    )


def of_categories(results: pd.DataFrame, *, real: bool) -> list[Claim]:
    """Figure 5: where the gain is largest and smallest, and that Pattern alone loses.

    ``real`` says that the images are CAT2000's own; of others the verdict is `UNTESTED`.
    """
    difference = comparisons.paired_difference(results)
    mosaic = difference[difference["method"] == "mosaic"]
    by_category = mosaic.groupby("category")["psnr_hvs"].mean()
    parts = [mosaic[mosaic["category"].isin(names)]["psnr_hvs"] for names in (BEST, WORST)]
    gap = parts[0].mean() - parts[1].mean()
    lost = sorted(by_category.index[by_category < 0])
    reason = "CAT2000" if real else "CAT2000 was not at hand: a miniature of its categories"
    order, loss = (
        (REPRODUCED if holds else NOT_REPRODUCED) if real else UNTESTED
        for holds in (gap > 0, lost == [ONLY_LOSS])
    )
    return [
        Claim(
            "PSNR-HVS gains most outdoors, in actions and objects, least in line drawings, "
            "fractals and low resolution",
            "largest and smallest",
            f"{_number(gap, 'psnr_hvs')} between them",
            "",
            order,
            reason,
        ),
        Claim(
            "Pattern is the only category that loses",
            "1 of 20",
            f"{len(lost)} of {len(by_category)} lose",
            "",
            loss,
            reason,
        ),
    ]


def of_sizes(results: pd.DataFrame) -> Claim:
    """Figure 4: a gain of PSNR-HVS at every size."""
    gains = {
        method: rows["psnr_hvs"]
        for method, rows in comparisons.paired_difference(results).groupby("method")
    }
    counted = {name: f"{(gain > 0).sum()} of {len(gain)} sizes" for name, gain in gains.items()}
    return Claim(
        "PSNR-HVS gains at every size of one large image",
        "20 of 20 sizes",
        counted["mosaic"],
        counted["direct"],
        REPRODUCED if (gains["mosaic"] > 0).all() else NOT_REPRODUCED,
        f"{results['width'].max():,}×{results['height'].max():,} pixels and smaller; "
        "the paper's image is not named",
    )


def of_heads(found: pd.DataFrame, *, several: Sequence[int], seed: int) -> Claim:
    """Figure 2: MS-ROI finds objects that CAM doesn't.

    ``found`` as `study.measure.findings.found` yields it.
    """
    some = found[found["objects"].isin(several)]
    by_scene = some.pivot_table(index="scene", columns="map", values="found", aggfunc="mean")
    gain = mean_interval((by_scene["MS-ROI"] - by_scene["CAM"]).to_numpy(float), seed=seed)
    points = [100 * value for value in gain]
    return Claim(
        "MS-ROI finds the objects that CAM misses",
        "one photograph",
        "{:+.0f} points ({:+.0f} to {:+.0f})".format(*points).replace("-", "−"),
        "",
        sided(gain),
        f"share of the objects in {len(by_scene)} scenes of {several[0]} to {several[-1]}",
    )


def of_speed(bench: pd.DataFrame) -> Claim:
    """Over 90 maps a second on a Titan X; ``bench``: columns what, median, unit, machine."""
    (row,) = bench[bench["unit"] == "maps/s"].itertuples()
    return Claim(
        "maps are drawn at over 90 images a second",
        "90/s on a Titan X",
        f"{row.median:.0f}/s",
        "",
        UNTESTED,
        f"another machine: {row.machine}",
    )


def claimed_and_found(paper: pd.DataFrame, results: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """The gains of Table 1's Kodak rows, the mosaic's here and direct's.

    Returns
    -------
    DataFrame: method ("paper", "mosaic", "direct"), metric, mean, low, high (of the paper no
    interval is known: all three are its mean).
    """
    claimed = [
        {"method": "paper", "metric": metric, "mean": gain, "low": gain, "high": gain}
        for metric, gain in _claimed(paper).items()
    ]
    found = comparisons.intervals(results, seed=seed)
    ours = found[found["method"].isin(["mosaic", "direct"])]
    return pd.concat([pd.DataFrame(claimed), ours])[["method", "metric", "mean", "low", "high"]]


def _claimed(paper: pd.DataFrame) -> pd.Series:
    kodak = paper[paper["set"].str.startswith("Kodak")].set_index("method")[list(METRICS)]
    return (kodak.loc["Our model"] - kodak.loc["Std JPEG"]).round(3)  # the paper's own digits


def sided(gain: Interval) -> str:
    """Of a claim that something is above zero."""
    if gain.low > 0:
        return REPRODUCED
    return NOT_REPRODUCED if gain.high < 0 else OPEN


def at_least(gain: Interval) -> str:
    """Of a claim that something is no less than before: zero itself will do."""
    return NOT_REPRODUCED if gain.high < 0 else REPRODUCED


def _interval(found: pd.DataFrame, method: str, metric: str) -> Interval:
    return Interval(*found.loc[(method, metric), ["mean", "low", "high"]])


def _said(value: Interval, metric: str) -> str:
    mean, low, high = (_number(number, metric) for number in value)
    return f"{mean} ({low.removesuffix(' dB')} to {high.removesuffix(' dB')})"


def _number(value: float, metric: str) -> str:
    text = f"{value:+.2f} dB" if metric in DECIBELS else f"{value:+.3f}"
    return text.replace("-", "−")
