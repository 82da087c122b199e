"""The pipeline in a clone at tiny parameters, which runs from nothing in a few minutes."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
HALVED = {"images": ["astronaut", "coffee"], "scale": 0.5}
TINY = {
    "evaluate": {
        "runs": {
            "sample": HALVED,
            "ablations": HALVED,
            "rates": {**HALVED, "qualities": [20, 35, 50, 80]},
        },
    },
    "fetch": {
        "sample": {},
        "categories": {"count": 1, "size": [176, 176]},
        "scenes": {
            "train": 40,
            "train_size": [64, 64],
            "test_per_count": 2,
            "test_size": [176, 192],
        },
    },
    "scale": {"size": [190, 180], "count": 2, "smallest": 176},
    "train": {
        "size": 64,
        "heads": {"cam": {"recipe": {"epochs": 1}}, "msroi": {"recipe": {"epochs": 1}}},
    },
}


def write_clone(folder: Path, params: Mapping[str, Any] = TINY) -> None:
    """Copy what git knows here to a folder, a repository of its own, with other parameters.

    ``params`` are sections of params.yaml, or what is to be other in them, at any depth.
    """
    listed = run(ROOT, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    (folder / "dvc.lock").unlink(missing_ok=True)
    own = yaml.safe_load((folder / "params.yaml").read_text())
    (folder / "params.yaml").write_text(yaml.safe_dump(merged(own, params)))
    run(folder, "git", "init", "--quiet")
    commit(folder)


def commit(folder: Path) -> None:
    """Commit all that git would know of a clone."""
    run(folder, "git", "add", "--all")
    author = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    run(folder, "git", *author, "commit", "--quiet", "--message", "clone")


def merged(own: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The values of two nested mappings, the other's where both have one."""
    both = {
        key: merged(own[key], other[key])
        for key in own.keys() & other.keys()
        if isinstance(own[key], Mapping) and isinstance(other[key], Mapping)
    }
    return {**own, **other, **both}


def environment(folder: Path) -> dict[str, str]:
    """Variables of commands that run the clone's own code by this Python."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return os.environ | {"PATH": path, "PYTHONPATH": str(folder)}


def run(folder: Path, *command: str) -> str:
    """Run a command in a folder, with the folder's own msroi; give its standard output."""
    done = subprocess.run(
        command, cwd=folder, env=environment(folder), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
