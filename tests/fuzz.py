"""Damaged files by the thousand, none of which may break the tool: `make fuzz`.

Mutated images, networks and names go through `msroi compress` in processes of their own, archives
through the study's `fetch`, parameters through its schema. Each must end in an output, or in one
line that says what is wrong; neither in a traceback, nor in a file that is left over, an input that
was changed, or after more than a minute. What breaks is kept in reports/fuzz, and named at the end.
"""

import argparse
import hashlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import mutants
import numpy as np
import yaml
from networks import alive, exported, network
from PIL import Image
from tqdm import tqdm
from wrong_params import accepted

from msroi.program import shown
from study.data.fetch import fetch
from study.data.registry import DatasetError, Source

ROOT = Path(__file__).parent.parent
KEPT = ROOT / "reports/fuzz"
COUNTS = {"images": 10_000, "parameters": 1_000, "names": 500, "models": 300, "archives": 4_000}
SECONDS, TOO_LONG = 60, "took more than"  # that one file may take
LONGEST = 60  # letters of a name that are shown
BATCH = 25  # images that one process compresses
OPTIONS = (  # of `msroi compress`, for a batch each
    *([], [], ["--size", "3k"], ["--quality", "90", "--baseline"], ["--ssimulacra2", "40"]),
    *(["--method", "standard"], ["--method", "mosaic"], ["--subsampling", "4:4:4"]),
)


class Case(NamedTuple):
    """What became of an input; ``fault`` says what must not be, and is empty where all is well."""

    name: str
    was_refused: bool
    fault: str = ""
    data: bytes = b""


class Hang(BaseException):
    """An input takes more than a minute; no `except Exception` keeps it."""


def images(count: int, seed: int) -> Iterator[Case]:
    """Compress mutated images of every kind, many in a process."""
    sound = mutants.images()
    kinds, others = list(sound), list(sound.values())
    files = []
    for index in range(count):
        rng = np.random.default_rng([seed, 0, index])
        kind = kinds[rng.integers(len(kinds))]
        data = mutants.mutant(sound[kind], rng, others)
        files.append((f"{index}-{kind}", data))
    yield from _over_processes(_compressed, files, BATCH)


def names(count: int, seed: int) -> Iterator[Case]:
    """Compress a photograph under names of any kind."""
    photograph = mutants.images()["colour.png"]
    files = []
    for index in range(count):
        name = mutants.name(np.random.default_rng([seed, 1, index]))
        files.append((f"{name}{index}.png", photograph))
    yield from _over_processes(_compressed, files, BATCH)


def models(count: int, seed: int) -> Iterator[Case]:
    """Draw the map by mutated networks, one in a process."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "model.onnx")
        exported(path, alive(network()))
        sound = path.read_bytes()
    files = []
    for index in range(count):
        data = mutants.mutant(sound, np.random.default_rng([seed, 2, index]), [sound])
        files.append((f"{index}.onnx", data))
    yield from _over_processes(_drawn, files, 1)


def archives(count: int, seed: int) -> Iterator[Case]:
    """Fetch image sets from mutated and from hostile archives, in this process."""
    sound = mutants.archives()
    kinds, others = list(sound), list(sound.values())
    for index in range(count):
        rng = np.random.default_rng([seed, 3, index])
        kind = kinds[rng.integers(len(kinds))]
        is_hostile = rng.random() < 0.2
        data = mutants.hostile(rng) if is_hostile else mutants.mutant(sound[kind], rng, others)
        with TemporaryDirectory() as folder:
            yield _fetched(f"{index}-{kind}", data, Path(folder))


def parameters(count: int, seed: int) -> Iterator[Case]:
    """Hold params.yaml with a fault to the schema, which must find it."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    for index in range(count):
        faults = accepted(params, 1, seed=seed * COUNTS["parameters"] + index)
        yield Case(f"{index}.yaml", True, *faults)


PARTS: dict[str, Callable[[int, int], Iterator[Case]]] = {
    "images": images,
    "parameters": parameters,
    "names": names,
    "models": models,
    "archives": archives,
}

Files = Sequence[tuple[str, bytes]]


def _over_processes(work: Callable[[Files], list[Case]], files: Files, size: int) -> Iterator[Case]:
    """Do the work for so many files at a time; where it finds a fault, for each alone.

    A fault that none has alone is all files', but for the time. One that alone takes too long does
    it again: a busy machine may be slow once.
    """
    batches = [files[start : start + size] for start in range(0, len(files), size)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for batch, cases in zip(batches, pool.map(work, batches), strict=True):
            if len(batch) > 1 and any(case.fault for case in cases):
                alone = [_alone(work, file) for file in batch]
                is_slow = any(map(_took_long, cases))
                cases = alone if is_slow or any(case.fault for case in alone) else cases
            yield from cases


def _alone(work: Callable[[Files], list[Case]], file: tuple[str, bytes]) -> Case:
    (case,) = work([file])
    return work([file])[0] if _took_long(case) else case


def _took_long(case: Case) -> bool:
    return case.fault.startswith(TOO_LONG)


def _compressed(files: Files) -> list[Case]:
    digest = hashlib.sha256(b"".join(data for _, data in files)).digest()
    with _folders(files) as (sources, out):
        arguments = [*sources, "-o", out, "--jobs", "1", *OPTIONS[digest[0] % len(OPTIONS)]]
        fault, told = _run(arguments, seconds=SECONDS + len(files))
        expected = {out / f"{source.stem}.jpg" for source in sources}
        fault = fault or _left_over(files, sources, out, expected)
        return [
            _judged(source, out / f"{source.stem}.jpg", data, fault, told)
            for source, (_, data) in zip(sources, files, strict=True)
        ]


def _drawn(files: Files) -> list[Case]:
    ((_, data),) = files
    with _folders(files) as ((model,), out):
        photograph = out.with_name("photograph.png")
        photograph.write_bytes(mutants.images()["colour.png"])
        target = out / "photograph.jpg"
        fault, told = _run([photograph, "-o", target, "--model", model], seconds=SECONDS)
        fault = fault or _left_over(files, [model], out, {target})
        return [_judged(model, target, data, fault, told)]


@contextmanager
def _folders(files: Files) -> Iterator[tuple[list[Path], Path]]:
    """Write files to a folder, but those of names that no file system takes; and an empty one."""
    with TemporaryDirectory() as folder:
        out = Path(folder, "out")
        out.mkdir()
        Path(folder, "in").mkdir()
        sources = [Path(folder, "in", name) for name, _ in files]
        for source, (_, data) in zip(sources, files, strict=True):
            if _is_nameable(source):
                source.write_bytes(data)
        yield sources, out


def _is_nameable(path: Path) -> bool:
    return len(os.fsencode(path.name)) < 256


def _run(arguments: Sequence[str | Path], *, seconds: float) -> tuple[str, str]:
    """Run `msroi compress`: what was wrong with its end, and what it said on standard error."""
    command = [sys.executable, "-m", "msroi", "compress", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return f"{TOO_LONG} {seconds} seconds", ""
    told = done.stderr.decode(errors="replace")
    strange = [line for line in told.splitlines() if not line.startswith("msroi: ")]
    if "Traceback" in told or done.returncode not in (0, 2):
        return f"ended by {done.returncode}: {told[-500:]}", told
    return f"said {strange[0]!r}" if strange else "", told


def _left_over(files: Files, sources: Sequence[Path], out: Path, expected: set[Path]) -> str:
    """Say what lies there that should not, and which input is not as it was."""
    for source, (_, data) in zip(sources, files, strict=True):
        if _is_nameable(source) and source.read_bytes() != data:
            return f"{source.name} was changed"
    extra = set(out.iterdir()) - expected
    return f"left {sorted(extra)[0].name}" if extra else ""


def _judged(source: Path, target: Path, data: bytes, fault: str, told: str) -> Case:
    """An input has an output, or else a line that names one of them."""
    was_refused = not os.path.exists(target)  # noqa: PTH110 (a name that is too long is none)
    is_named = any(shown(str(path)) in told for path in (source, target))
    if not fault and was_refused and not is_named:
        fault = "has neither an output nor an error"
    if not fault and not was_refused:
        fault = _damage(target)
    return Case(source.name, was_refused, fault, data)


def _damage(path: Path) -> str:
    """Say what is wrong with a JPEG file's picture; "" where it is sound.

    Of damaged metadata, which go from a photograph into its JPEG as they are, Pillow warns.
    """
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=["JPEG"]) as image:
            image.load()
    except Exception as error:
        return f"became a file that is broken ({error})"
    return ""


def _fetched(name: str, data: bytes, folder: Path) -> Case:
    """Fetch a set whose archive has been downloaded; all must lie in its folder, or nothing."""
    raw, target = folder / "raw", folder / "raw/fuzz"
    place = raw / "fuzz.partial" / "set.zip"
    place.parent.mkdir(parents=True)
    place.write_bytes(data)
    checksum = f"md5:{hashlib.md5(data).hexdigest()}"
    entry = Source(name="fuzz", title="Fuzz", files={"https://localhost/set.zip": checksum})
    fault, was_refused = "", False
    try:
        with _at_most(SECONDS):
            fetch(entry, target)
    except DatasetError as error:
        was_refused, told = True, str(error)
        fault = f"told as {told!r}" if len(told.splitlines()) != 1 else ""
    except (Exception, Hang) as error:
        fault = f"{type(error).__name__}: {error}"
    left = {path.relative_to(folder).as_posix() for path in _all_but(target, folder)}
    known = {"raw", "raw/.fuzz.lock"}
    known |= {"raw/fuzz.partial", "raw/fuzz.partial/set.zip"} if was_refused else {"raw/fuzz"}
    if not fault and left != known:
        fault = f"left {sorted(left ^ known)}"
    if not fault and was_refused and place.read_bytes() != data:
        fault = "the archive was changed"
    return Case(name, was_refused, fault, data)


def _all_but(target: Path, folder: Path) -> Iterator[Path]:
    """All below a folder, but what lies in the set; and what escaped to known places."""
    yield from (path for path in folder.rglob("*") if target not in path.parents)
    yield from (path for path in [Path("/tmp/msroi-out")] if path.exists())


@contextmanager
def _at_most(seconds: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise Hang(f"{TOO_LONG} {seconds} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def faults_of(part: str, count: int, seed: int) -> tuple[int, list[Case]]:
    """Try so many inputs of a part: how many were refused by a sentence, and what broke it."""
    cases = tqdm(PARTS[part](count, seed), part, total=count, unit="file", disable=None)
    refused, faults = 0, []
    for case in cases:
        refused += case.was_refused and not case.fault
        faults += [case] if case.fault else []
    return refused, faults


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for part, count in COUNTS.items():
        parser.add_argument(f"--{part}", type=int, metavar="N", help=f"instead of {count:,}")
    parser.add_argument("--share", type=float, default=1, help="of the numbers not given")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    os.environ.pop("MSROI_DATA", None)
    logging.getLogger("study").setLevel(logging.ERROR)
    shutil.rmtree(KEPT, ignore_errors=True)
    rows, broken = [], []
    for part, whole in COUNTS.items():
        asked = getattr(given, part)
        count = round(whole * given.share) if asked is None else asked
        refused, faults = faults_of(part, count, given.seed)
        taken = count - refused - len(faults)
        rows.append(f"{part:12}{count:8,}{taken:8,}{refused:9,}{len(faults):8,}")
        for number, case in enumerate(faults):
            KEPT.mkdir(parents=True, exist_ok=True)
            (KEPT / f"{part}-{number}").write_bytes(case.data)
            name = shown(case.name)[:LONGEST]
            broken.append(f"{KEPT.name}/{part}-{number} ({name}): {case.fault}")
    print(f"{'':12}{'tried':>8}{'taken':>8}{'refused':>9}{'broken':>8}", *rows, *broken, sep="\n")
    sys.exit(len(broken) > 0)


if __name__ == "__main__":
    main()
