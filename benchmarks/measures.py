"""What the benchmarks share: interleaved rounds, rows of one table, the growth of time."""

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from msroi.files import write_atomically

Row = dict[str, Any]


def parser(description: str) -> argparse.ArgumentParser:
    """Of a part: its rows go to the terminal, and to a file where one is named."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--json", type=Path, help="write the rows to this file too")
    return made


def rounds(
    jobs: Mapping[str, Callable[[], Any]],
    repeats: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Seconds of each job in each round; jobs take turns, so that a busy moment hits all."""
    seconds = {name: [] for name in jobs}
    for _ in range(repeats):
        for name, job in jobs.items():
            start = clock()
            job()
            seconds[name].append(clock() - start)
    return seconds


def row(
    what: str,
    values: Sequence[float],
    unit: str,
    *,
    at_most: float | None = None,
    at_least: float | None = None,
) -> Row:
    """A line of the table: median and range of what was measured, and the goal if there is one."""
    spread = {"median": median(values), "least": min(values), "most": max(values)}
    goal = {"at_most": at_most, "at_least": at_least}
    return {"what": what, **spread, "unit": unit} | {k: v for k, v in goal.items() if v is not None}


def ratio(
    what: str, seconds: Mapping[str, Sequence[float]], above: str, below: str, **goal: float
) -> Row:
    """The row of a ratio of two jobs' times, taken round by round."""
    pairs = zip(seconds[above], seconds[below], strict=True)
    return row(what, [a / b for a, b in pairs], "times", **goal)


def exponent(pixels: Sequence[float], seconds: Sequence[float]) -> float:
    """b of seconds = a · pixels^b, by least squares on the logarithms."""
    return float(np.polyfit(np.log(pixels), np.log(seconds), 1)[0])


def table(rows: Sequence[Row]) -> str:
    """Rows as text, a line each."""
    return "\n".join(map(_line, rows))


def _line(row: Row) -> str:
    median, least, most = (f"{row[key]:.4g}" for key in ("median", "least", "most"))
    spread = "" if least == most else f"({least}–{most})"
    return f"{row['what']:<52}{median:>9} {spread:<20}{row['unit']:<12}{_goal(row)}".rstrip()


def _goal(row: Row) -> str:
    if "at_most" in row:
        met, goal = row["median"] <= row["at_most"], f"at most {row['at_most']:g}"
    elif "at_least" in row:
        met, goal = row["median"] >= row["at_least"], f"at least {row['at_least']:g}"
    else:
        return ""
    return f"{goal}: {'met' if met else 'MISSED'}"


def report(rows: Sequence[Row], path: Path | None) -> None:
    """Print the rows of a part, and write them where the driver asks for them."""
    print(table(rows), flush=True)
    if path:
        write_atomically(path, json.dumps(rows).encode())


def tiled(photo: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """A photo [h, w, 3] repeated to, or cut to, another size (H, W): equally detailed anywhere."""
    (H, W), (h, w) = shape, photo.shape[:2]
    return np.ascontiguousarray(np.tile(photo, (-(-H // h), -(-W // w), 1))[:H, :W])


def spot(shape: tuple[int, int]) -> np.ndarray:
    """A map with one soft spot at its centre: float32 [H, W] in [0, 1]."""
    y, x = (np.linspace(-2, 2, side, dtype=np.float32) for side in shape)
    return np.exp(-(y[:, None] ** 2 + x**2))
