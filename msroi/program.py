"""How commands run as a program: what they say on streams of any kind, and how they end."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import typer
from tqdm import tqdm

from msroi.errors import InputError

# Typer carries its own click since 0.26 and imports click before: this is either's UsageError.
UsageError = typer.BadParameter.__base__
# Of a file's name: what a terminal would obey, what turns the line around, and bytes of no text
UNSHOWN = re.compile("[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
NO_MEMORY = "there is not enough memory: take a smaller image, or end other programs"


class Stream:
    """A text stream that any text can be written to, and that no reader who is gone can break.

    What the encoding lacks is written as escapes. Where the stream itself cannot be written,
    ``error`` says why, and all that follows goes nowhere.
    """

    errors = "backslashreplace"

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.error = stream, ""
        self.encoding = stream.encoding or "utf-8"

    def write(self, text: str) -> int:
        known = text.encode(self.encoding, self.errors).decode(self.encoding)
        self._try(lambda: self.stream.write(known))
        return len(text)

    def flush(self) -> None:
        self._try(self.stream.flush)

    def isatty(self) -> bool:
        return self.stream.isatty()

    def fileno(self) -> int:
        return self.stream.fileno()

    def _try(self, act) -> None:
        try:
            act()
        except OSError as error:
            self.error = self.error or error.strerror or str(error)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)


def run(commands: typer.Typer, name: str) -> None:
    """Run a command: exit 0 when done, 2 with one line on stderr for bad usage or input.

    ``name`` is the program's, which begins what it says of an error. Where standard output cannot
    be written, the work is done all the same and the exit code is 2; where it was closed from the
    beginning, nobody asked for it.
    """
    # Read when numba starts its threads: those that wait sleep, which on a shared machine is many
    # times faster than the default, where they spin in the way of those that work.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    with _streams() as out:
        code = _run(commands, name)
        out.flush()
        if out.error and not code:
            code = _fail(name, f"standard output cannot be written ({out.error})")
    sys.exit(code)


def say(line: str, file: TextIO | None = None) -> None:
    """Write a line to standard output or another stream, beside any progress bar."""
    tqdm.write(shown(line), file=file or sys.stdout)


def shown(text: str) -> str:
    r"""Write as escapes (``\n``, ``\x1b``) what a file's name must not do to a terminal."""
    return UNSHOWN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _run(commands: typer.Typer, name: str) -> int:
    try:
        return commands(sys.argv[1:] or ["--help"], prog_name=name, standalone_mode=False) or 0
    except UsageError as error:
        hint = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
        return _fail(name, " ".join((error.format_message() + hint).split()))
    except typer.Abort:
        return 130
    except InputError as error:
        return _fail(name, str(error))
    except MemoryError:
        return _fail(name, NO_MEMORY)


def _fail(name: str, message: str) -> int:
    """Say what is wrong in one line, and give the exit code."""
    say(f"{name}: {message}", sys.stderr)
    return 2


@contextmanager
def _streams() -> Iterator[Stream]:
    """Let the standard streams be `Stream`s; gives that of the output."""
    for number in range(3):  # a closed one would be the next file's that is opened
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the smallest number that is free
    before = sys.stdout, sys.stderr
    sys.stdout = Stream(sys.stdout or open(1, "w", closefd=False))  # noqa: SIM115
    sys.stderr = Stream(sys.stderr or open(2, "w", closefd=False))  # noqa: SIM115
    try:
        yield sys.stdout
    finally:
        sys.stdout, sys.stderr = before
