"""What holds of the paper: each of its claims beside what was found here, and a judgement."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from msroi.metrics import ALL, METRICS, PAPERS
from study.statistics import comparisons, trial
from study.statistics.intervals import ABOVE, BELOW, Interval, mean_interval, side, signed

REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
OPEN, UNTESTED = "not told apart", "can't be tested here"
VERDICTS = (REPRODUCED, NOT_REPRODUCED, OPEN, UNTESTED)
SALIENT_GAIN = 5.0  # dB
PACE = 90  # maps a second
# The sets of the paper's Table 1
KODAK = "Kodak PhotoCD"
OUTDOORS = "MIT Saliency Benchmark (Outdoor Man-made + Natural)"
LARGE = "Re-sized images of a very large image"
WHERE = {KODAK: "on Kodak", OUTDOORS: "outdoors in CAT2000", LARGE: "over sizes of a large image"}

Gains = Mapping[tuple[str, str], Interval]  # by method and metric


class Claim(NamedTuple):
    """One claim of the paper."""

    claim: str
    paper: str  # the paper's figure
    ours: str  # the same by the paper's own method, as run here
    direct: str  # the same by the encoder of this project; "" where it has no part in it
    verdict: str  # one of `VERDICTS`; `OPEN`: the interval of what was found holds zero
    reason: str  # why, in a clause


def counts(verdicts: Iterable[str]) -> dict[str, int]:
    """Count the claims that have each verdict, in the order of `VERDICTS`; some have none."""
    found = list(verdicts)
    return {verdict: found.count(verdict) for verdict in VERDICTS}


def claimed(paper: pd.DataFrame, of: str = KODAK) -> pd.Series:
    """The gains over standard JPEG that the paper's Table 1 claims on a set: metric → difference.

    ``paper`` has the columns set, method and `PAPERS`, as data/paper/table1.csv; ``of`` is one of
    its sets, a key of `WHERE`.
    """
    rows = paper[paper["set"] == of].set_index("method")[list(PAPERS)]
    return (rows.loc["Our model"] - rows.loc["Std JPEG"]).round(3)  # the paper's own digits


def of_table1(paper: pd.DataFrame, results: pd.DataFrame, *, images: str, seed: int) -> list[Claim]:
    """Each gain of Table 1's Kodak rows, and that none of the global ones is a loss.

    ``paper`` as `claimed` has it; ``results`` of `study.measure.evaluation.evaluate`, with
    standard, mosaic and direct; ``images`` says in words what they are.
    """
    found = gains_of(results, seed)
    return [*of_rows(paper, found, KODAK, images), _no_loss(found, images)]


def of_large_image(paper: pd.DataFrame, results: pd.DataFrame, *, seed: int) -> list[Claim]:
    """Each gain of Table 1's rows of a large image, over the sizes that ``results`` are of."""
    sizes = results[["width", "height"]].drop_duplicates()
    images = f"{len(sizes)} sizes, {_largest(results)}: their interval is of one image alone"
    return of_rows(paper, gains_of(results, seed), LARGE, images)


def of_rows(paper: pd.DataFrame, found: Gains, of: str, images: str) -> list[Claim]:
    """Each gain that Table 1 claims on its set ``of``, by what was `found` on ``images``."""
    claims = []
    for metric, gain in claimed(paper, of).items():
        mosaic, direct = found["mosaic", metric], found["direct", metric]
        claim = f"{ALL[metric].label} is {'above' if gain else 'no less than'} standard JPEG's"
        claims.append(
            Claim(
                claim if of == KODAK else f"{claim}, {WHERE[of]}",
                f"{number(gain, metric)} {WHERE[of]}" if of == KODAK else number(gain, metric),
                said(mosaic, metric),
                said(direct, metric),
                sided(mosaic) if gain else at_least(mosaic),
                f"mean over {images}",
            )
        )
    return claims


def _no_loss(found: Gains, images: str) -> Claim:
    metrics = [metric for metric in PAPERS if metric != "psnr_s"]
    kept = {
        method: sum(side(found[method, metric]) != BELOW for metric in metrics)
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


def of_salient_gain(results: pd.DataFrame, *, images: str, seed: int) -> Claim:
    """PSNR-S `SALIENT_GAIN` decibels above standard's."""
    found = gains_of(results, seed)
    mosaic, direct = found["mosaic", "psnr_s"], found["direct", "psnr_s"]
    return Claim(
        "the salient regions gain about 5 dB (PSNR-S)",
        "+5.25 dB on Kodak",
        said(mosaic, "psnr_s"),
        said(direct, "psnr_s"),
        REPRODUCED if mosaic.high >= SALIENT_GAIN else NOT_REPRODUCED,
        f"the salient blocks are quantized twice; {images}",
    )


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
        f"one image, {_largest(results)}; the paper's is not named",
    )


def of_heads(found: pd.DataFrame, *, several: Sequence[int], heads: str, seed: int) -> Claim:
    """Figure 2 by heads that differ in the sign of their weights as well.

    ``found`` as `study.measure.findings.found` yields it; ``heads`` says in words whose they are.
    """
    some = found[found["objects"].isin(several)]
    by_scene = some.pivot_table(index="scene", columns="map", values="found", aggfunc="mean")
    gain = mean_interval((by_scene["MS-ROI"] - by_scene["CAM"]).to_numpy(float), seed=seed)
    return Claim(
        "MS-ROI as rebuilt here, its weights non-negative, finds the objects that CAM as published "
        "misses",
        "one photograph",
        _points(gain),
        "",
        sided(gain),
        f"share of the objects in {len(by_scene)} scenes of {several[0]} to {several[-1]}, by "
        f"{heads}; head and sign of the weights differ at once",
    )


def of_trial(recorded: pd.DataFrame, *, title: str, seed: int) -> list[Claim]:
    """Figure 2 by heads that differ in nothing else: MS-ROI finds objects that CAM doesn't.

    ``recorded`` has `study.statistics.trial.COLUMNS`, of images of one set, which ``title`` names;
    those of `trial.SEVERAL` objects and more count. Two claims, one for each sign of the weights,
    the same in both heads; means over both features.
    """
    several = recorded[recorded["objects"] >= trial.SEVERAL]
    of_images = f"{several['image'].nunique()} photographs of {trial.SEVERAL} or more ({title})"
    asked = {
        "signed": "MS-ROI as published, with signed weights, finds the objects that CAM misses",
        "positive": "MS-ROI with non-negative weights finds the objects that a CAM with such "
        "weights misses",
    }
    claims = []
    for weights, claim in asked.items():
        gain = trial.gain(several, "head", seed=seed, weights=weights)
        reason = f"share of the objects in {of_images}; the heads differ in nothing else"
        claims.append(Claim(claim, "one photograph", _points(gain), "", sided(gain), reason))
    return claims


def of_speed(bench: pd.DataFrame, *, machine: str) -> Claim:
    """Judge over `PACE` maps a second, by what was measured on this very machine.

    ``bench`` has the columns what, median, least, most and machine, as data/released/bench.csv;
    ``machine`` is what `study.provenance.processor` calls the one that runs.
    """
    (row,) = bench[bench["what"].str.startswith("maps by ONNX Runtime")].itertuples()
    faster = Interval(row.median - PACE, row.least - PACE, row.most - PACE)
    here = row.machine == machine
    return Claim(
        f"maps are drawn at over {PACE} images a second",
        f"{PACE}/s on a Titan X",
        f"{row.median:.0f}/s ({row.least:.0f} to {row.most:.0f})",
        "",
        sided(faster) if here else UNTESTED,
        f"{row.machine}, the released network at 224×224; in brackets the slowest and fastest round"
        if here
        else f"recorded on {row.machine}, and not on this machine",
    )


def claimed_and_found(paper: pd.DataFrame, results: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """The gains of Table 1's Kodak rows, the mosaic's here and direct's.

    Columns: method ("paper", "mosaic", "direct"), metric (`METRICS`), mean, low, high (of the paper
    no interval is known: all three are its mean, and nan by a metric that it has not).
    """
    theirs = [
        {"method": "paper", "metric": metric, "mean": gain, "low": gain, "high": gain}
        for metric, gain in claimed(paper).reindex(list(METRICS)).items()
    ]
    found = comparisons.intervals(results, seed=seed)
    ours = found[found["method"].isin(["mosaic", "direct"])]
    return pd.concat([pd.DataFrame(theirs), ours])[["method", "metric", "mean", "low", "high"]]


def sided(gain: Interval) -> str:
    """Judge the claim that something is above zero."""
    return {ABOVE: REPRODUCED, BELOW: NOT_REPRODUCED}.get(side(gain), OPEN)


def all_above(gains: Sequence[Interval]) -> str:
    """Judge a claim that several things are above zero: one below it is enough against it."""
    verdicts = [sided(gain) for gain in gains]
    if NOT_REPRODUCED in verdicts:
        return NOT_REPRODUCED
    return OPEN if OPEN in verdicts else REPRODUCED


def at_least(gain: Interval) -> str:
    """Judge the claim that something is no less than before: zero itself will do."""
    return NOT_REPRODUCED if side(gain) == BELOW else REPRODUCED


def gains_of(results: pd.DataFrame, seed: int) -> Gains:
    """The mean gains over standard JPEG, by method and metric."""
    rows = comparisons.intervals(results, seed=seed).itertuples()
    return {(row.method, row.metric): Interval(row.mean, row.low, row.high) for row in rows}


def _largest(results: pd.DataFrame) -> str:
    return f"{results['width'].max():,}×{results['height'].max():,} pixels and smaller"


def _points(gain: Interval) -> str:
    return "{} points ({} to {})".format(*(signed(100 * value, 0) for value in gain))


def said(value: Interval, metric: str) -> str:
    """Write a difference and its interval in a metric's digits and unit."""
    low, high = (signed(bound, ALL[metric].digits) for bound in value[1:])
    return f"{number(value.mean, metric)} ({low} to {high})"


def number(value: float, metric: str) -> str:
    """Write a difference in a metric's digits and unit."""
    return f"{signed(value, ALL[metric].digits)} {ALL[metric].unit}".rstrip()
