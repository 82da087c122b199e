"""Where a run's results come from: authors, the code's commit, the machine, the time it took."""

import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from joblib import cpu_count

CODE = ("msroi", "study", "notebooks", "conf", "dvc.yaml")  # conf/ composes params.yaml
RUNS = Path("data/released/runs.csv")


def commit(folder: Path = Path()) -> str:
    """The last commit that touched the code, and whether files differ from it.

    Not simply the last one: that would change with dvc.lock, which is committed after a run.
    """
    found = _git(folder, "log", "-1", "--format=%H", "--", *CODE)
    if not found:
        return "unknown (not a git repository)"
    differ = _git(folder, "status", "--porcelain", "--", *CODE)
    return f"{found} with uncommitted changes" if differ else found


def changed(params: Mapping[str, Any], conf: Path = Path("conf")) -> list[str]:
    """The sections of params.yaml that are not as ``conf`` composes them for the study.

    Where image sets lie says nothing of a study: the paths in `datasets` are left aside.
    """
    from dvc.utils.hydra import compose_and_dump

    with TemporaryDirectory() as folder:
        target = Path(folder) / "params.yaml"
        overrides = [f"study={params['study']}"]
        compose_and_dump(target, str(conf.resolve()), None, "config", "", overrides)
        composed = yaml.safe_load(target.read_text())
    own, theirs = _without_paths(params), _without_paths(composed)
    return sorted(key for key in own | theirs if own.get(key) != theirs.get(key))


def machine() -> str:
    """Name the processor, the cores that this process may use, and the system."""
    return f"{processor()}, {platform.system()} {platform.machine()}"


def processor() -> str:
    """Name the processor, and the cores that this process may use."""
    table = Path("/proc/cpuinfo")
    lines = table.read_text().splitlines() if table.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    name = models[0] if models else platform.processor() or platform.machine()
    return f"{name}, {cpu_count()} cores"


def authors(citation: Mapping[str, Any]) -> list[str]:
    """Name the software's authors, of what CITATION.cff says: entities, and persons."""
    return [
        author.get("name") or f"{author['given-names']} {author['family-names']}"
        for author in citation["authors"]
    ]


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


def _without_paths(params: Mapping[str, Any]) -> dict[str, Any]:
    sets = params["datasets"].items()
    return {
        **params,
        "datasets": {name: {**(own or {}), "path": None} for name, own in sets},
    }


def _git(folder: Path, *command: str) -> str:
    try:
        done = subprocess.run(["git", *command], cwd=folder, capture_output=True, text=True)
    except FileNotFoundError:  # there is no git
        return ""
    return done.stdout.strip()
