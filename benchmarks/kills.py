"""Kill the pipeline at random moments: does it come to the same end, and does nothing live on?

    python benchmarks/kills.py [--times 100] [--seed 0] [--folder FOLDER]

A clone of this working tree runs once from nothing at tiny parameters, undisturbed. What it then
holds is the truth, dvc.lock among it. Then, in turn, dvc itself (of a drawn stage, by force),
fetch, train, evaluate, notebook and report run again, of a drawn item, their outputs removed
before, and are killed at a drawn moment of the time that they took last: by SIGKILL or SIGTERM of
that process alone, or by Ctrl-C in its terminal, which is SIGINT to its process group. Whatever was
started with it must be gone 5 s later. Run again it must succeed, and leave what the truth has,
byte for byte, and no file besides, in the clone and among the temporary ones. Before dvc runs by
force again, a plain `dvc repro` must succeed, which may take what is missing from DVC's cache;
evaluate runs again at random without the rows that it had kept.

DVC writes dvc.lock in its place, and a kill meanwhile leaves half of it: then `git restore
dvc.lock` comes first, and is counted. Left aside are what Python and numba compile, the file by
which Python tries a temporary folder, git's and DVC's own folders, and in the name of the file of
decoded training images the checksum, which is of the images' times. Kills that come too late, when
the command has just ended, are counted apart and drawn again. Each fault is named and makes the
exit status 1; after one the clone is put back.
"""

import argparse
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import numpy as np
import psutil
import yaml
from clone import commit, environment, write_clone
from tqdm import tqdm

TARGETS = ("dvc", "fetch", "train", "evaluate", "notebook", "report")
WAYS = ("SIGKILL", "SIGTERM", "Ctrl-C")
KINDS = ("kills", *WAYS, "same end", "alive after 5 s", "lock restored", "too late")
REPRO = ("dvc", "repro", "--no-run-cache")  # what is missing is made, and not taken from the cache
GRACE_SECONDS = 5.0
MARK = "MSROI_KILLS"  # a variable that all processes of one start have, and no others
LOCK = "dvc.lock"
RESTORE = ("git", "restore", LOCK)
ASIDE = {".git", ".dvc", "__pycache__"}
TRIED = b"blat"  # what Python writes to a file, which it removes, to try a temporary folder
DECODED = re.compile(r"\.[0-9a-f]{16}\.npy$")
RUNNING = re.compile(r"Running stage '(.+)':")


class Stage(NamedTuple):
    """A stage as dvc.lock has it."""

    name: str
    command: tuple[str, ...]
    outputs: tuple[str, ...]


class Kill(NamedTuple):
    """What is killed, how, at which share of its time, and whether evaluate's rows are lost."""

    target: str
    stage: str
    way: str
    share: float
    forget: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=100, help="how many kills (100)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="for the clone, which then stays")
    options = parser.parse_args()
    # Where this is a shell's job in the background, it ignores Ctrl-C, and so would all below it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    rng = np.random.default_rng(options.seed)
    with tempfile.TemporaryDirectory() as scratch:
        pipeline = Pipeline(options.folder or Path(scratch))
        counts = {target: Counter() for target in TARGETS}
        with suppress(KeyboardInterrupt):  # what was done is told
            for number in tqdm(range(options.times), unit="kill"):
                target = TARGETS[number % len(TARGETS)]
                while not (outcome := pipeline.kill(kill := drawn(rng, target, pipeline.stages))):
                    counts[target]["too late"] += 1
                counts[target].update(outcome.kinds(kill.way))
                for fault in outcome.alive + outcome.other:
                    tqdm.write(f"{number}: {kill}: {fault}")
    print(table(counts))
    total = sum(counts.values(), Counter())
    sys.exit(1 if total["same end"] < options.times or total["alive after 5 s"] else 0)


class Outcome(NamedTuple):
    """Which processes lived on after a kill, what was other at the end, if git had to restore."""

    alive: list[str]
    other: list[str]
    restored: bool = False

    def kinds(self, way: str) -> list[str]:
        """Of which of `KINDS` the kill is."""
        told = {"same end": not self.other, "alive after 5 s": self.alive}
        told["lock restored"] = self.restored
        return ["kills", way, *(kind for kind, so in told.items() if so)]


def drawn(rng: np.random.Generator, target: str, stages: Sequence[Stage]) -> Kill:
    """Draw a kill of a target: dvc at any stage, or a stage's own command."""
    own = [stage.name for stage in stages if target in ("dvc", stage.command[3])]
    return Kill(
        target=target,
        stage=own[rng.integers(len(own))],
        way=WAYS[rng.integers(len(WAYS))],
        share=float(rng.random()),
        forget=bool(rng.random() < 0.5),
    )


def table(counts: Mapping[str, Counter]) -> str:
    """The outcome of the kills of each target, and of all."""
    counts = {**counts, "all": sum(counts.values(), Counter())}
    rows = [f"{'target':<10}" + "".join(f"{kind:>17}" for kind in KINDS)]
    for target, own in counts.items():
        rows.append(f"{target:<10}" + "".join(f"{own[kind]:>17}" for kind in KINDS))
    return "\n".join(rows)


class Pipeline:
    """A clone in a folder, its stages, and what it holds after a run that nothing disturbed."""

    def __init__(self, folder: Path) -> None:
        self.place, self.kept = folder / "place", folder / "kept"
        self.clone, self.temporary = self.place / "clone", self.place / "temporary"
        self.temporary.mkdir(parents=True)
        write_clone(self.clone)
        seconds = self._first_run()
        commit(self.clone)
        self.truth = tree(self.place)
        assert not [*self.temporary.iterdir()], "an undisturbed run leaves temporary files"
        self.seconds: dict[tuple[str, ...], float] = {}  # of a command's last undisturbed run
        assert self._finish(REPRO) == []
        lock = yaml.safe_load((self.clone / LOCK).read_text())["stages"]
        self.stages = []
        for name, own in lock.items():
            outputs = tuple(out["path"] for out in own["outs"])
            self.stages.append(Stage(name, tuple(own["cmd"].split()), outputs))
            self.seconds[self.stages[-1].command] = seconds[name]
            self.seconds[forced(name)] = seconds[name] + self.seconds[REPRO]
        shutil.copytree(self.place, self.kept, symlinks=True)

    def kill(self, kill: Kill) -> Outcome | None:
        """Kill a command, run it again, and judge what it has left and made; None if too late."""
        stage = next(stage for stage in self.stages if stage.name == kill.stage)
        is_dvc = kill.target == "dvc"
        command = forced(stage.name) if is_dvc else stage.command
        if not is_dvc:  # which removes them itself
            self._remove(stage.outputs)
        mark = uuid4().hex
        process = self._start(command, mark)
        try:
            process.wait(kill.share * self.seconds[command])
        except subprocess.TimeoutExpired:
            send(process, kill.way)
        else:
            assert self._finish(command) == []
            return None
        alive = living_on(mark, GRACE_SECONDS)
        process.wait()
        if kill.forget:
            self._remove([f"reports/partial/{stage.command[-1]}.jsonl"])
        other = self._finish(REPRO) if is_dvc else []
        if restored := any(LOCK in fault for fault in other):
            other = self._finish(RESTORE) + self._finish(REPRO)
        other += self._finish(command) + differences(self.truth, tree(self.place))
        if alive or other:
            shutil.rmtree(self.place)
            shutil.copytree(self.kept, self.place, symlinks=True)
        return Outcome(alive, other, restored)

    def _start(self, command: Sequence[str], mark: str, **options) -> subprocess.Popen:
        places = dict.fromkeys(("TMPDIR", "JUPYTER_RUNTIME_DIR"), str(self.temporary))
        given = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options}
        return subprocess.Popen(
            command,
            cwd=self.clone,
            env=environment(self.clone) | places | {MARK: mark},
            start_new_session=True,
            **given,
        )

    def _first_run(self) -> dict[str, float]:
        """Run all stages from nothing: the seconds of each."""
        process = self._start(REPRO, uuid4().hex, stdout=-1, stderr=-2, text=True)
        begun, told = {}, []
        for line in process.stdout:
            told.append(line)
            if found := RUNNING.search(line):
                begun[found[1]] = time.monotonic()
        assert process.wait() == 0, "".join(told[-30:])
        ends = [*list(begun.values())[1:], time.monotonic()]
        return {name: end - begun[name] for name, end in zip(begun, ends, strict=True)}

    def _finish(self, command: Sequence[str]) -> list[str]:
        """Run a command that nothing disturbs; what is wrong with it."""
        mark, start = uuid4().hex, time.monotonic()
        process = self._start(command, mark, stdout=-1, stderr=-2, text=True, errors="replace")
        told, _ = process.communicate()
        self.seconds[tuple(command)] = time.monotonic() - start
        code = process.returncode
        ended = [f"exit {code} of {' '.join(command)}: {told[-800:]}"] if code else []
        return ended + living_on(mark, GRACE_SECONDS)

    def _remove(self, names: Sequence[str]) -> None:
        for path in (self.clone / name for name in names):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def forced(stage: str) -> tuple[str, ...]:
    """The command that lets dvc run a stage, whether it has anything to do or not."""
    return (*REPRO, "--force", "--single-item", stage)


def send(process: subprocess.Popen, way: str) -> None:
    """Kill a process that leads its group, in one of `WAYS`."""
    if way == "Ctrl-C":
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.Signals[way])


def living_on(mark: str, seconds: float) -> list[str]:
    """What still runs of the marked processes after some seconds; it is named, and killed."""
    deadline = time.monotonic() + seconds
    while (found := marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.05)
    told = []
    for process in found:
        try:
            told.append(f"lives on: {' '.join(process.cmdline())}")
            process.kill()
        except psutil.NoSuchProcess:  # it has ended meanwhile
            continue
    return told


def marked(mark: str) -> list[psutil.Process]:
    """All processes that were started with this value of `MARK`, or by one that was."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark:
                found.append(process)
        except psutil.Error:  # another user's, or gone
            continue
    return found


def tree(folder: Path) -> dict[str, str]:
    """All that lies in a folder: a file's checksum, what a link leads to, and folders, by path."""
    found = {}
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in ASIDE]
        for path in (Path(place, name) for name in folders + files):
            name = DECODED.sub(".*.npy", str(path.relative_to(folder)))
            if path.is_symlink():
                found[name] = f"to {path.readlink()}"
            elif path.is_dir():
                found[name] = "folder"
            elif (data := path.read_bytes()) != TRIED:
                found[name] = hashlib.sha256(data).hexdigest()
    return found


def differences(truth: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """What is other than in the truth, by path."""
    missing = [f"is missing: {name}" for name in truth if name not in found]
    more = [f"is left over: {name}" for name in found if name not in truth]
    both = sorted(truth.keys() & found.keys())
    return missing + more + [f"differs: {name}" for name in both if truth[name] != found[name]]


if __name__ == "__main__":
    main()
