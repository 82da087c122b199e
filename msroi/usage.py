"""What someone may write on the command line: options of several commands, sizes, and what fits."""

import re
from collections.abc import Collection, Sequence
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from msroi.encoder import METHODS
from msroi.errors import InputError

UNITS = {"": 1, "k": 1000, "m": 1000**2, "ki": 1024, "mi": 1024**2}  # of a size, in bytes
FLAGS = {"progressive": "baseline"}  # of the options that have another name there


def size_in_bytes(text: str) -> int:
    """Read a size: 98765, 120k, 1.5M, 120KiB, 1MiB, in any case, with or without a B at its end.

    k and M are 1000 and 1000², Ki and Mi 1024 and 1024². A part of a byte is left out. What is no
    size, or less than one byte, is bad usage.
    """
    form = re.fullmatch(r"([0-9]+)b?|([0-9]+(?:\.[0-9]+)?)([km]i?)b?", text.strip().lower())
    if form:
        whole, number, unit = form.groups()
        size = int(Fraction(whole or number) * UNITS[unit or ""])
        if size:
            return size
    forms = "write it as 98765, 120k or 1.5M (k is 1000), or 120KiB or 1MiB (Ki is 1024)"
    raise typer.BadParameter(f"{text!r} is no size in bytes: {forms}")


def path(text: str) -> Path:
    """Read a file's name, which must not be empty: that would be the folder one is in."""
    if not text:
        raise typer.BadParameter("an empty name names no file")
    return Path(text)


Head = StrEnum("Head", ["msroi", "cam"])
HeadName = Annotated[Head, typer.Option(help="Head of the released network that draws the map.")]
ModelFile = Annotated[
    str,
    typer.Option(metavar="PATH", help="Network that draws the map: an .onnx file, or released."),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]
MapFile = Annotated[
    Path | None,
    typer.Option(
        "--map", metavar="MAP.png", parser=path, help="A grey map of your own, white = important."
    ),
]


def check_options(
    method: str, options: Collection[str], drawn: Path | None, sources: Sequence[Path]
) -> None:
    """Refuse what the method does not heed, and one map for many images."""
    strange = {FLAGS.get(name, name) for name in set(options) - set(METHODS[method].options)}
    if drawn and not METHODS[method].heeds_map:
        strange.add("map")
    if strange:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in sorted(strange))
        raise InputError(f"--method {method} has no {names}")
    if drawn and len(sources) > 1:
        raise InputError("--map belongs to one image: compress the others without it")


def check_size(quality: int | None, max_bytes: int | None, score: float | None) -> None:
    """Refuse two ways to say how large a file may be, and a score that no file has."""
    ways = {"--quality": quality, "--size": max_bytes, "--ssimulacra2": score}
    given = [name for name, value in ways.items() if value is not None]
    if len(given) > 1:
        raise InputError(f"{' and '.join(given)} are ways to say one thing: give one")
    if score is not None and not 0 < score < 100:  # false for NaN too
        raise InputError(f"--ssimulacra2 must be above 0 and below 100, not {score:g}")
