"""Output files: found to be free before any work is done, and written whole or not at all."""

import os
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from msroi.errors import InputError


class OutputError(InputError, OSError):
    """A file cannot be written where it should be; the message says why."""


def write_atomically(path: str | Path, data: bytes) -> None:
    """Write `data` to `path`, so that no reader and no failure ever meets half a file.

    The bytes go to a temporary name in the same folder, which is then renamed over `path`.
    OutputError as `check_writable`, and where the disk is full.
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

    OutputError where the folder is missing, is no folder or cannot be written, or `path` is one.
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


def targets_of(sources: Sequence[Path], output: Path, *, force: bool) -> list[Path]:
    """Name the JPEG file that each image becomes, after all are found to be free and writable.

    ``output`` is a folder that takes each image as <name>.jpg, or one file for one image.
    OutputError as `check_target`, and where two images would have one name, or many no folder.
    """
    if output.is_dir():
        targets = [output / f"{source.stem}.jpg" for source in sources]
    elif len(sources) > 1:
        raise OutputError(f"{output}: several images need an existing folder to go to")
    else:
        targets = [output]
    if twice := [target for target in targets if targets.count(target) > 1]:
        raise OutputError(f"{twice[0]}: two of the images would be written to it")
    for target in targets:
        check_target(target, sources, suffixes=[".jpg", ".jpeg"], force=force)
    return targets


def check_target(
    target: Path, sources: Sequence[Path], *, suffixes: Sequence[str], force: bool
) -> None:
    """Refuse (OutputError) a file of another kind, an input, what `check_writable` refuses.

    With ``force`` off also one that exists.
    """
    if target.suffix.lower() not in suffixes and not target.is_dir():
        raise OutputError(f"{target}: name a {suffixes[0]} file to write")
    check_writable(target)
    if not target.exists():
        return
    if any(source.exists() and target.samefile(source) for source in sources):
        raise OutputError(f"{target}: is an input, which is never written to")
    if not force:
        raise OutputError(f"{target}: exists already; --force overwrites it")
