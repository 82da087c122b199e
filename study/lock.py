"""Whether dvc.lock is of the code that is here: `python -m study.lock`, a part of `make check`."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from dvc.repo import Repo

PARAMETERS = "params.yaml"


def stale_stages(status: dict[str, list[Any]]) -> dict[str, list[str]]:
    """The stages that dvc.lock knows otherwise than the code here has them.

    ``status`` is of `dvc.repo.Repo.status`; the result says of a stage what differs: files,
    parameters, the command. What a stage has made, or would read of another's outcome, is left
    aside: a fresh clone has none of it, and it is no code.
    """
    found = {stage: list(_differences(entries)) for stage, entries in status.items()}
    made = _ignored_by_git({name for names in found.values() for name in names})
    kept = {stage: [name for name in names if name not in made] for stage, names in found.items()}
    return {stage: names for stage, names in kept.items() if names}


def _differences(entries: list[Any]) -> Iterator[str]:
    for entry in entries:
        if isinstance(entry, str):  # "changed command"
            yield entry
            continue
        for name, state in entry.get("changed deps", {}).items():
            yield from state if name == PARAMETERS else [name]


def _ignored_by_git(names: set[str]) -> set[str]:
    """Those that .gitignore keeps out, as files or as the folders that they may be."""
    listed = "\n".join(f"{name}\n{name}/" for name in names)
    command = ["git", "check-ignore", "--stdin"]
    done = subprocess.run(command, input=listed, capture_output=True, text=True)
    return {name.rstrip("/") for name in done.stdout.splitlines()}


def main() -> None:
    """Name the stages that `dvc repro` would run again for the code's sake, and exit 1."""
    with Repo() as repo:
        stale = stale_stages(repo.status())
    for stage, names in stale.items():
        print(f"{stage}: {', '.join(sorted(names))}")
    if stale:
        sys.exit("dvc.lock is of other code: run `dvc repro`, and commit dvc.lock")


if __name__ == "__main__":
    main()
