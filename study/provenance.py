"""Where a run's results come from: the code's commit, the machine, the time that a study took."""

import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

CODE = ("msroi", "notebooks", "conf", "dvc.yaml", "params.yaml")
RUNS = Path("data/released/runs.csv")


def commit(folder: Path = Path(), paths: Sequence[str] = CODE) -> str:
    """The last commit that touched the code, and whether files differ from it.

    Not simply the last one: that would change with dvc.lock, which is committed after a run.
    """
    found = _git(folder, "log", "-1", "--format=%H", "--", *paths)
    if not found:
        return "unknown (not a git repository)"
    changed = _git(folder, "status", "--porcelain", "--", *paths)
    return f"{found} with uncommitted changes" if changed else found


def machine() -> str:
    """Processor and the cores that this process may use, and the system."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return f"{_processor()}, {cores} cores, {platform.system()} {platform.machine()}"


def duration(study: str, runs: Path = RUNS) -> str:
    """What `benchmarks/minutes.py` recorded of a study; "" where it recorded none."""
    import pandas as pd

    if not runs.exists():
        return ""
    table = pd.read_csv(runs, dtype=str)
    own = table[table["study"] == study]
    if own.empty:
        return ""
    row = own.iloc[-1]
    return f"{row['minutes']} minutes from nothing, on {row['machine']} (commit {row['commit']})"


def _processor() -> str:
    table = Path("/proc/cpuinfo")
    lines = table.read_text().splitlines() if table.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _git(folder: Path, *command: str) -> str:
    try:
        done = subprocess.run(["git", *command], cwd=folder, capture_output=True, text=True)
    except FileNotFoundError:  # there is no git
        return ""
    return done.stdout.strip()
