"""What libraries in C print on stderr by themselves, caught so that it is told like all else."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from threading import Lock

_one = Lock()  # stderr is the whole process's


@contextmanager
def caught() -> Iterator[list[str]]:
    """Catch what is printed on stderr: a list, which has the lines once the block is left."""
    lines: list[str] = []
    if sys.__stderr__ is None:  # closed from the beginning: its number may be any file's
        yield lines
        return
    with _one, TemporaryFile() as file:
        kept = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield lines
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            file.seek(0)
            lines += file.read().decode(errors="replace").splitlines()
