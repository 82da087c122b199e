"""Writing files whole or not at all."""

import os
from pathlib import Path
from uuid import uuid4

from msroi.errors import InputError


class OutputError(InputError, OSError):
    """A file cannot be written where it should be; the message says why."""


def write_atomically(path: str | Path, data: bytes) -> None:
    """Write `data` to `path`, so that no reader and no failure ever meets half a file.

    The bytes go to a temporary name in the same folder, which is then renamed over `path`.

    Raises
    ------
    OutputError
        The folder is missing or cannot be written, `path` is a folder, the disk is full.
    """
    path = Path(path)
    check_writable(path)
    temporary = path.with_name(f".{uuid4().hex}{path.suffix}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from error
    finally:
        temporary.unlink(missing_ok=True)


def check_writable(path: str | Path) -> None:
    """Refuse a `path` that `write_atomically` could not write, before the work is done.

    Raises
    ------
    OutputError
        The folder is missing, is no folder or cannot be written, or `path` is a folder.
    """
    path = Path(path)
    folder = path.parent
    if not folder.exists():
        raise OutputError(f"{path}: the folder {folder} does not exist; create it first")
    if not folder.is_dir():
        raise OutputError(f"{path}: {folder} is not a folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: the folder {folder} cannot be written")
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; name a file in it")
