"""The README's results, written from a study's results alone."""

from collections.abc import Mapping

import pandas as pd

from msroi.errors import InputError
from msroi.metrics.table import ALL, DECIBELS, METRICS
from study.article.captions import signed
from study.statistics import comparisons

BEGIN, END = "<!-- results: written by `python -m study publish` -->", "<!-- end of results -->"
SHOWN = ("standard", "mozjpeg", "mosaic", "direct-flat", "direct")
PAPER = {"Std JPEG": "paper, standard JPEG", "Our model": "paper, its model"}


class ReadmeError(InputError, ValueError):
    """A README without the place where results are written."""


def with_results(readme: str, block: str) -> str:
    """The README's text with ``block`` between the two marks.

    Raises
    ------
    ReadmeError
        It lacks a mark.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ReadmeError(f"README.md has no place for results: put {BEGIN} and {END} into it")
    return f"{before}{BEGIN}\n\n{block}\n\n{END}{after}"


def results(paper: pd.DataFrame, kodak: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> str:
    """Markdown: the table paper against ours on Kodak, and what else was found.

    Parameters
    ----------
    paper
        The paper's Table 1: set, method and `study.statistics.METRICS`.
    kodak
        Of `study.measure.evaluation.evaluate`.
    tables
        Those that the notebooks verdict, independent_test, rate_distortion and
        figure2_cam_vs_msroi saved.
    """
    sentences = [
        _verdict(tables["verdict"]),
        _independent(tables["independent_test"]),
        _rates(tables["rate_distortion"]),
        _objects(tables["figure2_cam_vs_msroi"]),
    ]
    return "\n".join([table(paper, kodak), "", *(f"- {sentence}" for sentence in sentences)])


def table(paper: pd.DataFrame, kodak: pd.DataFrame) -> str:
    """Means over Kodak's images, the paper's two rows above ours."""
    theirs = paper[paper["set"].str.startswith("Kodak")].set_index("method").rename(index=PAPER)
    ours = comparisons.means(kodak).loc[list(SHOWN)]
    metrics = list(METRICS)
    rows = [
        [name, *(_cell(metric, row[metric]) for metric in metrics)]
        for part in (theirs, ours)
        for name, row in part.iterrows()
    ]
    heads = ["", *(ALL[metric].label for metric in metrics)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows))


def _cell(metric: str, value: float) -> str:
    return f"{value:.2f}" if metric in DECIBELS else f"{value:.3f}"


def _verdict(claims: pd.DataFrame) -> str:
    counts = ", ".join(f"{n} {name}" for name, n in claims["verdict"].value_counts().items())
    held = "; ".join(claims.loc[claims["verdict"] == "reproduced", "claim"]) or "nothing"
    return (
        f"**Of {len(claims)} claims of the paper**, by its own encoder: {counts}. "
        f"What holds: {held}."
    )


def _independent(rows: pd.DataFrame) -> str:
    looked = rows[rows["metric"] == "psnr_fix"]
    own = looked[looked["set"] == looked["set"].iloc[0]]
    said = [
        f"{row.other} {signed(row.mean)} dB ({signed(row.low)} to {signed(row.high)})"
        for row in own.itertuples()
    ]
    return (
        f"**Where people look** (fixation-weighted PSNR, {own['set'].iloc[0]}, "
        f"{own['images'].max()} photographs, equal bytes; mean and 95% interval), `direct` less: "
        f"{'; '.join(said)}."
    )


def _rates(rows: pd.DataFrame) -> str:
    rates = rows.set_index(["against", "method", "metric"])["mean"]
    flat = [
        f"{ALL[metric].label} {signed(rates['standard', 'direct-flat', metric], 1)}%"
        for metric in ("psnr", "psnr_hvs", "psnr_hvsm", "ssim")
    ]
    own = signed(rates["standard", "direct", "psnr_s"], 1)
    return (
        f"**Bytes at equal quality** (BD-rate against standard JPEG, {rows['images'].max()} "
        f"photographs): `direct-flat` {', '.join(flat)}; `direct` PSNR-S {own}%."
    )


def _objects(rows: pd.DataFrame) -> str:
    several = rows[rows["several"]]
    gain, low, high = (signed(100 * several[name].iloc[0], 0) for name in ("gain", "low", "high"))
    return (
        f"**Objects found** in {several['scenes'].sum()} rendered scenes of several: MS-ROI "
        f"{gain} percentage points against CAM ({low} to {high}), heads trained on single objects."
    )
