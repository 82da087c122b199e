"""What the encoder's tuned constants do on Kodak images: each at its value, and below and above it.

    python benchmarks/tuning.py --data FOLDER [--images 8] [--only NAME …]

FOLDER holds kodak/kodim01.png … (default: $MSROI_DATA), taken at even distances; maps are the soft
spots of benchmarks/kodak.py, budgets the standard JPEGs of qualities 20, 50 and 85. Of the search
it shows how much of the budget the files take, and how often an image is quantized and written; of
the rest, what the metrics change by, in dB (SSIM: thousandths).
"""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from joblib import Parallel, delayed
from kodak import QUICK, measure, soft_spots

from msroi.encoder import budget, direct, encode, importance, tables
from msroi.images import decode, read_image

QUALITIES = (20, 50, 85)
SEARCH = {
    "budget.QUALITIES_TRIED_ABOVE": (0, 2, 6),  # of mosaic, which searches among qualities
    "budget.SHARE_AIMED_AT": (0.995, 0.9975, 0.9995),
    "budget.SHARE_TO_STOP_AT": (0.99, 0.995, 0.998),
    "budget.SHARE_ACCEPTED": (0.98, 0.99, 0.995),
    "budget.FILE_TO_ESTIMATE_RATIO": (0.95, 0.985, 1.0),
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
}
LOOK = {
    "importance.SALIENCY_RAMP": ((0.45, 0.15), (0.4, 0.2), (0.35, 0.25)),
    "importance.MASKING_ENERGY": (5.0, 20.0, 80.0),
    "tables.flatness": (0.3, 0.5, 0.7),
    "tables.sensitivity": (0.7, 0.9, 1.1),
    "tables.masking": (0.0, 0.1, 0.2),
    "tables.trade": (0.05, 0.07, 0.1),
    "tables.chroma": (0.7, 0.9, 1.1),
}
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
        settings = [(name, value) for name in names for value in constants[name]]
        tasks = (delayed(_rows)(task, path, *setting) for setting in settings for path in paths)
        rows = [row for rows in Parallel(n_jobs=options.jobs)(tasks) for row in rows]
        if rows:
            print(_summary(pd.DataFrame(rows)), "\n", flush=True)


def _rows(task, *arguments: Any) -> list[dict[str, Any]]:
    return list(task(*arguments))


@contextmanager
def _changed(name: str, value: Any) -> Iterator[None]:
    """Give a constant, or a field of the balanced tune, another value."""
    module, constant = name.split(".")
    if module == "tables":
        before = tables.TUNES["balanced"]
        tables.TUNES["balanced"] = before._replace(**{constant: value})
        yield
        tables.TUNES["balanced"] = before
        return
    before, start = getattr(MODULES[module], constant), direct.Start
    setattr(MODULES[module], constant, value)
    if constant == "FILE_TO_ESTIMATE_RATIO":  # a default, which was bound before
        direct.Start = partial(start, correction=value)
    yield
    setattr(MODULES[module], constant, before)
    direct.Start = start


def _search(path: Path, name: str, value: Any) -> Iterator[dict[str, Any]]:
    pixels = read_image(path).pixels
    method = "mosaic" if name == "budget.QUALITIES_TRIED_ABOVE" else "direct"
    counted = {"quantized": 0, "written": 0}

    def count(what, function, *arguments, **options):
        counted[what] += 1
        return function(*arguments, **options)

    for quality in QUALITIES:
        bytes_ = len(encode(pixels, method="standard", quality=quality))
        counted.update(quantized=0, written=0)
        quantize, write, standard = direct._quantize, direct._write, budget._tell
        direct._quantize = partial(count, "quantized", quantize)
        direct._write = partial(count, "written", write)
        if method == "mosaic":
            budget._tell = partial(count, "written", standard)
        with _changed(name, value):
            data = encode(pixels, soft_spots(pixels), method=method, max_bytes=bytes_)
        direct._quantize, direct._write, budget._tell = quantize, write, standard
        yield {"constant": name, "value": str(value), "share": len(data) / bytes_, **counted}


def _look(path: Path, name: str, value: Any) -> Iterator[dict[str, Any]]:
    pixels = read_image(path).pixels
    saliency = soft_spots(pixels)
    for quality in QUALITIES:
        plain = measure(pixels, decode(encode(pixels, saliency, quality=quality)), saliency, QUICK)
        with _changed(name, value):
            data = encode(pixels, saliency, quality=quality)
        found = measure(pixels, decode(data), saliency, QUICK)
        gains = {metric: found[metric] - plain[metric] for metric in QUICK}
        gains["ssim"] *= 1000
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
