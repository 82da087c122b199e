"""What holds of the paper: each of its claims beside what was found here, and a judgement."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from msroi.metrics import ALL, METRICS, PAPERS
from study.statistics import comparisons, trial
from study.statistics.cat2000 import BEST, ONLY_LOSS, WORST, gap, outdoor
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
    found = _gains(results, seed)
    return [*_of_rows(paper, found, KODAK, images), _no_loss(found, images)]


def of_outdoors(paper: pd.DataFrame, results: pd.DataFrame, *, seed: int) -> list[Claim]:
    """Each gain of Table 1's MIT rows; none where ``results`` have no such image of CAT2000."""
    outside = outdoor(results)
    if outside.empty:
        return []
    images = f"{outside['image'].nunique()} images of two of CAT2000's categories"
    return _of_rows(paper, _gains(outside, seed), OUTDOORS, images)


def of_large_image(paper: pd.DataFrame, results: pd.DataFrame, *, seed: int) -> list[Claim]:
    """Each gain of Table 1's rows of a large image, over the sizes that ``results`` are of."""
    sizes = results[["width", "height"]].drop_duplicates()
    images = f"{len(sizes)} sizes, {_largest(results)}: their interval is of one image alone"
    return _of_rows(paper, _gains(results, seed), LARGE, images)


def _of_rows(
    paper: pd.DataFrame, found: Mapping[tuple[str, str], Interval], of: str, images: str
) -> list[Claim]:
    claims = []
    for metric, gain in claimed(paper, of).items():
        mosaic, direct = found["mosaic", metric], found["direct", metric]
        claim = f"{ALL[metric].label} is {'above' if gain else 'no less than'} standard JPEG's"
        claims.append(
            Claim(
                claim if of == KODAK else f"{claim}, {WHERE[of]}",
                f"{_number(gain, metric)} {WHERE[of]}" if of == KODAK else _number(gain, metric),
                _said(mosaic, metric),
                _said(direct, metric),
                sided(mosaic) if gain else at_least(mosaic),
                f"mean over {images}",
            )
        )
    return claims


def _no_loss(found: Mapping[tuple[str, str], Interval], images: str) -> Claim:
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
    found = _gains(results, seed)
    mosaic, direct = found["mosaic", "psnr_s"], found["direct", "psnr_s"]
    return Claim(
        "the salient regions gain about 5 dB (PSNR-S)",
        "+5.25 dB on Kodak",
        _said(mosaic, "psnr_s"),
        _said(direct, "psnr_s"),
        REPRODUCED if mosaic.high >= SALIENT_GAIN else NOT_REPRODUCED,
        f"the salient blocks are quantized twice; {images}",
    )


def of_categories(results: pd.DataFrame, *, real: bool, seed: int) -> list[Claim]:
    """Figure 5: where the gain is largest and smallest, and that Pattern alone loses.

    A largest gain is a gain, and clear of the smallest; each claim holds where all of its intervals
    are on the claimed side of zero, and not where one is on the other. ``real`` says that the
    images are CAT2000's own; of others the verdict is `UNTESTED`.
    """
    difference = comparisons.paired_difference(results)
    mosaic = difference[difference["method"] == "mosaic"]
    gains = {name: own.to_numpy() for name, own in mosaic.groupby("category")["psnr_hvs"]}
    reason = "CAT2000" if real else "CAT2000 was not at hand: a miniature of its categories"
    found = [_order(gains, reason, seed), _only_loss(gains, reason, seed)]
    return found if real else [claim._replace(verdict=UNTESTED) for claim in found]


def _order(gains: Mapping[str, np.ndarray], reason: str, seed: int) -> Claim:
    claim = Claim(
        "PSNR-HVS gains most outdoors, in actions and objects, least in line drawings, fractals "
        "and low resolution",
        "largest and smallest",
        *("", "", UNTESTED, reason),
    )
    if missing := [name for name in (*BEST, *WORST) if name not in gains]:
        return claim._replace(reason=f"{reason}, without {', '.join(missing)}")
    best, worst = (np.concatenate([gains[name] for name in names]) for names in (BEST, WORST))
    most, lead = mean_interval(best, seed=seed), gap(best, worst, seed=seed)
    said = f"{_said(most, 'psnr_hvs')} there, {_said(lead, 'psnr_hvs')} more than where least"
    return claim._replace(ours=said, verdict=_all_above([most, lead]))


def _only_loss(gains: Mapping[str, np.ndarray], reason: str, seed: int) -> Claim:
    claim = Claim("Pattern is the only category that loses", "1 of 20", "", "", UNTESTED, reason)
    if ONLY_LOSS not in gains:
        return claim._replace(reason=f"{reason}, without {ONLY_LOSS}")
    found = {name: mean_interval(own, seed=seed) for name, own in gains.items()}
    lost = sum(side(gain) == BELOW for gain in found.values())
    pattern = found.pop(ONLY_LOSS)
    loss = Interval(-pattern.mean, -pattern.high, -pattern.low)
    said = f"{lost} of {len(gains)} lose, Pattern {_said(pattern, 'psnr_hvs')}"
    return claim._replace(ours=said, verdict=_all_above([loss, *found.values()]))


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


def of_heads(found: pd.DataFrame, *, several: Sequence[int], seed: int) -> Claim:
    """Figure 2 by the study's own heads, which differ in the sign of their weights as well.

    ``found`` as `study.measure.findings.found` yields it.
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
        f"share of the objects in {len(by_scene)} scenes of {several[0]} to {several[-1]}; head "
        "and sign of the weights differ at once",
    )


def of_trial(recorded: pd.DataFrame, *, title: str, seed: int) -> list[Claim]:
    """Figure 2 by heads that differ in nothing else: MS-ROI finds objects that CAM doesn't.

    ``recorded`` has `study.statistics.trial.COLUMNS`, of images of one set, which ``title`` names;
    those of `trial.SEVERAL` objects and more count. Two claims, one for each sign of the weights,
    the same in both heads; means over both features.
    """
    several = recorded[recorded["objects"] >= trial.SEVERAL]
    of_images = f"{several['image'].nunique()} photographs of {trial.SEVERAL} or more ({title})"
    said = {
        "signed": "MS-ROI as published, with signed weights, finds the objects that CAM misses",
        "positive": "MS-ROI with non-negative weights finds the objects that a CAM with such "
        "weights misses",
    }
    claims = []
    for weights, claim in said.items():
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


def _all_above(gains: Sequence[Interval]) -> str:
    """Judge a claim that several things are above zero: one below it is enough against it."""
    verdicts = [sided(gain) for gain in gains]
    if NOT_REPRODUCED in verdicts:
        return NOT_REPRODUCED
    return OPEN if OPEN in verdicts else REPRODUCED


def at_least(gain: Interval) -> str:
    """Judge the claim that something is no less than before: zero itself will do."""
    return NOT_REPRODUCED if side(gain) == BELOW else REPRODUCED


def _gains(results: pd.DataFrame, seed: int) -> dict[tuple[str, str], Interval]:
    """The mean gains over standard JPEG, by method and metric."""
    rows = comparisons.intervals(results, seed=seed).itertuples()
    return {(row.method, row.metric): Interval(row.mean, row.low, row.high) for row in rows}


def _largest(results: pd.DataFrame) -> str:
    return f"{results['width'].max():,}×{results['height'].max():,} pixels and smaller"


def _points(gain: Interval) -> str:
    return "{} points ({} to {})".format(*(signed(100 * value, 0) for value in gain))


def _said(value: Interval, metric: str) -> str:
    low, high = (signed(bound, ALL[metric].digits) for bound in value[1:])
    return f"{_number(value.mean, metric)} ({low} to {high})"


def _number(value: float, metric: str) -> str:
    return f"{signed(value, ALL[metric].digits)} {ALL[metric].unit}".rstrip()
