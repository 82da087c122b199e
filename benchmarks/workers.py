"""Evaluation on two workers against one: the same table, in how much less time?

    python benchmarks/workers.py [--images 200] [--model released]

Four methods with all metrics, on OSIE's photographs where MSROI_DATA holds them, else on the
sample's. Every worker computes on one thread, the one alone too.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measures import parser, report, row

ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "NUMBA", "MKL")}
METHODS = {name: {} for name in ("standard", "mosaic", "direct", "direct-flat")}
OSIE = Path(os.environ.get("MSROI_DATA", "data"), "osie")
SAMPLE = Path("data/raw/sample")


def main() -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--images", type=int, default=200, help="how many, from the first")
    options.add_argument("--model", default="released", help="a network (.onnx), or 'released'")
    options.add_argument("--jobs", type=int, help="evaluate by so many workers into --table")
    options.add_argument("--table", type=Path)
    chosen = options.parse_args()
    if chosen.jobs:
        evaluate(chosen.images, chosen.model, chosen.jobs, chosen.table)
        return
    with tempfile.TemporaryDirectory() as folder:
        tables = [Path(folder, f"{jobs}.csv") for jobs in (1, 2)]
        for table in tables:  # what numba compiles is kept on disk
            run(table, 2, chosen.model, int(table.stem))
        one, two = (run(table, chosen.images, chosen.model, int(table.stem)) for table in tables)
        same = tables[0].read_bytes() == tables[1].read_bytes()
        count = tables[0].read_bytes().count(b"\n") - 1
    what = f"{count} rows of {len(METHODS)} methods"
    rows = [row(f"evaluation, one worker, {what}", [one], "s")]
    rows.append(row(f"evaluation, two workers, {what}", [two], "s"))
    rows.append(row("evaluation: one worker's time by two's", [one / two], "times", at_least=1.7))
    rows.append(row("evaluation: the same table", [float(same)], "", at_least=1))
    report(rows, chosen.json)


def run(table: Path, images: int, model: str, jobs: int) -> float:
    """Seconds of one evaluation in a process of its own, from its start to its table."""
    command = [sys.executable, __file__, "--images", images, "--model", model]
    command += ["--jobs", jobs, "--table", table]
    start = time.perf_counter()
    subprocess.run([str(word) for word in command], env=os.environ | ONE_THREAD, check=True)
    return time.perf_counter() - start


def evaluate(count: int, model: str, jobs: int, table: Path) -> None:
    from msroi.saliency import network_map
    from study.data.sets import load
    from study.measure import evaluation

    name, folder = ("osie", OSIE) if OSIE.is_dir() else ("sample", SAMPLE)
    images = load(name, folder)
    some = images.select(item.name for item in images.items[:count])
    maps = {"MS-ROI": network_map(model)}
    found = evaluation.evaluate(some, maps, methods=METHODS, jobs=jobs).table
    table.write_bytes(found.to_csv(index=False).encode())


if __name__ == "__main__":
    main()
