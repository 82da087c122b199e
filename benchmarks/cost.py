"""What `python -m study cost` says of the study at hand, beside what its stages take.

    python benchmarks/cost.py [--stages evaluate@categories scale …]

The commands of the stages run again, one by one, in this clone, and renew their outputs;
their images are fetched, and the heads that they need are trained.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from study.params import read_params
from study.stages.cost import Estimates

MEASURED = ("train@", "evaluate@", "scale", "find@")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stages", nargs="+", help="of those that python -m study cost names")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        stages = Estimates(read_params(), Path(scratch)).stages()
        names = options.stages or [name for name in stages if name.startswith(MEASURED)]
        told = {name: stages[name]() for name in names}
    print(f"{'stage':<24}{'told, s':>10}{'took, s':>10}{'ratio':>8}")
    for name, seconds in told.items():
        took = wall_clock(name)
        print(f"{name:<24}{seconds:>10.0f}{took:>10.0f}{seconds / took:>8.2f}")


def wall_clock(stage: str) -> float:
    """Seconds of a stage's command."""
    program, _, name = stage.partition("@")
    command = [sys.executable, "-m", "study", program, *([name] if name else [])]
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
