"""What the encoder's tuned constants do on Kodak images: each at its value, and below and above it.

    python benchmarks/tuning.py --data FOLDER [--images 8] [--only NAME …]

FOLDER holds kodak/kodim01.png … (default: $MSROI_DATA), taken at even distances; maps are the soft
spots of benchmarks/kodak.py, budgets the standard JPEGs of qualities 20, 50 and 85. Of the search
it shows how much of the budget the files take, and how often an image is quantized and written; of
the rest, numbers of the tune `balanced` among them, what the metrics change by, in dB and points of
SSIMULACRA2 (SSIM, MS-SSIM and VIFP: thousandths).
"""

import argparse
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
from joblib import Parallel, delayed, parallel_config
from kodak import soft_spots

from msroi import metrics
from msroi.encoder import budget, direct, encode, importance, tables
from msroi.images import decode, read_image

QUALITIES = (20, 50, 85)
SEARCH = {
    "budget.QUALITIES_TRIED_ABOVE": (0, 2, 6),  # of mosaic, which searches among qualities
    "budget.SHARE_AIMED_AT": (0.995, 0.9975, 0.9995),
    "budget.SHARE_TO_STOP_AT": (0.99, 0.995, 0.998),
    "budget.SHARE_ACCEPTED": (0.98, 0.99, 0.995),
    "budget.FILE_TO_ESTIMATE_RATIO": (0.98, 1.003, 1.02),
    "budget.LOG_SIZE_LEFT_TO_THRIFT": (0.005, 0.02, 0.08),
    "budget.MAX_LOG_THRIFT": (0.1, 0.7, 1.4),
    "budget.LOG_SCALE_PER_LOG_SIZE": (0.8, 1.2, 1.8),
    "budget.LOG_THRIFT_PER_LOG_SIZE": (4.0, 9.0, 18.0),
    "budget.LOG_DIGITS": (2, 4, 8),
    "budget.MAX_MEASURES": (6, 12, 24),
    "budget.MEASURES_REMEMBERED": (2, 3, 12),
    "budget.MEASURES_BEFORE_WRITING": (1, 4, 8),
    "budget.LAST_RESORT_SCALES": (100, 400, 1600),
    "direct.FIRST_SCALE_RATIO": (0.4, 0.6, 0.9),
    "direct.SAMPLED_ROWS": (2, 4, 8, 10**6),  # the last: no sample
}
LOOK = {
    "importance.SALIENCY_RAMP": ((0.9, 0.1), (0.8, 0.2), (0.6, 0.3), (0.4, 0.2)),
    "importance.MASKING_ENERGY": (5.0, 20.0, 80.0),
    "luma.flatness": (0.4, 0.53, 0.7),
    "luma.sensitivity": (0.7, 0.85, 1.0),
    "luma.trade": (0.045, 0.06, 0.08),
    "luma.mean_step": (0.4, 0.55, 0.75),
    "luma.masking": (0.06, 0.12, 0.18),
    "blue.flatness": (0.8, 1.0, 1.2),
    "blue.sensitivity": (0.7, 0.88, 1.05),
    "blue.trade": (0.043, 0.058, 0.077),
    "blue.steps": (0.85, 1.1, 1.4),
    "blue.mean_step": (0.32, 0.43, 0.57),
    "blue.masking": (0.0, 0.1),
    "red.flatness": (0.5, 0.67, 0.85),
    "red.sensitivity": (0.0, 0.2, 0.4),
    "red.trade": (0.03, 0.04, 0.053),
    "red.steps": (0.47, 0.62, 0.82),
    "red.mean_step": (0.9, 1.2, 1.6),
    "red.masking": (0.0, 0.1),
    "tune.darkness": (0.1, 0.22, 0.35),
}
TUNED = "balanced"
SHOWN_BY = dict.fromkeys(("ssim", "ms_ssim", "vifp"), 1000)
MODULES = {"budget": budget, "direct": direct, "importance": importance}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("MSROI_DATA"))
    parser.add_argument("--images", type=int, default=8, help="how many (8)")
    parser.add_argument("--jobs", type=int, default=-1)
    parser.add_argument("--only", nargs="+", help="constants, as budget.SHARE_AIMED_AT")
    options = parser.parse_args()
    if options.data is None:
        parser.error("name the folder that holds kodak/ with --data or MSROI_DATA")
    paths = sorted(Path(options.data, "kodak").glob("kodim*.png"))
    paths = paths[:: max(1, len(paths) // options.images)][: options.images]
    pd.set_option("display.width", 160, "display.max_columns", None)
    for constants, task in ((SEARCH, _search), (LOOK, _look)):
        names = [name for name in constants if options.only is None or name in options.only]
        tasks = (delayed(_rows)(task, p, name, constants[name]) for name in names for p in paths)
        with parallel_config("loky", inner_max_num_threads=1):
            rows = [row for rows in Parallel(options.jobs)(tasks) for row in rows]
        if rows:
            print(_summary(pd.DataFrame(rows)), "\n", flush=True)


def _rows(task, *arguments: Any) -> list[dict[str, Any]]:
    return list(task(*arguments))


@contextmanager
def _changed(name: str, value: Any) -> Iterator[None]:
    """Give a constant, or a number of the balanced tune, another value while this lasts."""
    module, constant = name.split(".")
    with ExitStack() as stack:
        if module not in MODULES:
            retuned = _retuned(tables.TUNES[TUNED], module, constant, value)
            stack.enter_context(patch.dict(tables.TUNES, {TUNED: retuned}))
        else:
            stack.enter_context(patch.object(MODULES[module], constant, value))
        if constant == "FILE_TO_ESTIMATE_RATIO":  # a default, which was bound before
            start = partial(direct.Start, correction=value)
            stack.enter_context(patch.object(direct, "Start", start))
        yield


def _retuned(tune: tables.Tune, channel: str, name: str, value: float) -> tables.Tune:
    """Change a number of a channel, or of the tune itself."""
    changed = {name: value}
    if channel != "tune":
        changed = {channel: getattr(tune, channel)._replace(**changed)}
    return tune._replace(**changed)


def _search(path: Path, name: str, values: Sequence[Any]) -> Iterator[dict[str, Any]]:
    pixels = read_image(path).pixels
    saliency = soft_spots(pixels)
    method = "mosaic" if name == "budget.QUALITIES_TRIED_ABOVE" else "direct"
    for quality in QUALITIES:
        bytes_ = len(encode(pixels, method="standard", quality=quality))
        for value in values:
            with _changed(name, value), _counted() as counted:
                data = encode(pixels, saliency, method=method, max_bytes=bytes_)
            if method == "mosaic":
                counted["written"] = counted.pop("told")
            told = {"share": len(data) / bytes_} | {k: counted[k] for k in ("quantized", "written")}
            yield {"constant": name, "value": str(value), **told}


@contextmanager
def _counted() -> Iterator[dict[str, int]]:
    """How often, while this lasts, an image is quantized, a file written, and a size told."""
    functions = {
        "quantized": (direct, "_quantize"),
        "written": (direct, "_write"),
        "told": (budget, "_tell"),
    }
    counted = dict.fromkeys(functions, 0)

    def counting(what, function, *arguments, **options):
        counted[what] += 1
        return function(*arguments, **options)

    with ExitStack() as stack:
        for what, (module, name) in functions.items():
            own = partial(counting, what, getattr(module, name))
            stack.enter_context(patch.object(module, name, own))
        yield counted


def _look(path: Path, name: str, values: Sequence[Any]) -> Iterator[dict[str, Any]]:
    pixels = read_image(path).pixels
    saliency = soft_spots(pixels)

    def measured(quality: int) -> dict[str, float]:
        return metrics.compare(pixels, decode(encode(pixels, saliency, quality=quality)), saliency)

    for quality in QUALITIES:
        plain = measured(quality)
        for value in values:
            with _changed(name, value):
                found = measured(quality)
            gains = {key: SHOWN_BY.get(key, 1) * (found[key] - plain[key]) for key in plain}
            yield {"constant": name, "value": str(value), **gains}


def _summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Means over images and qualities; of the share also the least."""
    grouped = rows.groupby(["constant", "value"], sort=False)
    means = grouped.mean().round(4)
    if "share" in rows:
        means.insert(1, "least", grouped["share"].min().round(4))
    return means


if __name__ == "__main__":
    main()
