"""Output files: found to be free before any work is done, and written whole or not at all."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from errno import ENAMETOOLONG
from pathlib import Path
from threading import Lock, current_thread, main_thread
from uuid import uuid4

from msroi.errors import InputError

writing = Lock()  # held while a file is put in its place; who ends this process waits for it


class OutputError(InputError, OSError):
    """A file cannot be written where it should be; the message says why."""


def write_atomically(path: str | Path, data: bytes) -> None:
    """Write `data` to `path`, so that no reader and no failure ever meets half a file.

    The bytes go to a temporary name in the same folder, which is then renamed over `path`. SIGINT
    and SIGTERM wait until that is done. OutputError as `check_writable`, and where the disk is
    full.
    """
    _write(Path(path), data, Path.replace)


def write_new(path: str | Path, data: bytes) -> None:
    """Write `data` to `path` as `write_atomically` does, but never over what is there.

    OutputError as there, and where `path` exists, even where it came to be a moment ago.
    """
    _write(Path(path), data, _link)


def check_writable(path: str | Path) -> None:
    """Refuse a `path` that `write_atomically` could not write, before the work is done.

    OutputError where the folder is missing, is no folder or cannot be written, where `path` is a
    folder, a device or a link that leads nowhere, or where its name is too long.
    """
    path = Path(path)
    try:
        refusal = _refusal(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from error
    if refusal:
        raise OutputError(f"{path}: {refusal}")


def targets_of(
    sources: Sequence[Path], output: Path, *, read: Sequence[Path] = (), force: bool
) -> list[Path]:
    """Name the JPEG file that each image becomes, after all are found to be free and writable.

    ``output`` is a folder that takes each image as <name>.jpg, or one file for one image; ``read``
    are files that are read beside the images. OutputError as `check_target`, and where two images
    would have one name, or many no folder. In a folder a name that is too long is let pass: it
    concerns one image, and `write_atomically` refuses it.
    """
    if os.path.isdir(output):  # noqa: PTH112 (a name that is too long is none)
        targets = [output / f"{source.stem}.jpg" for source in sources]
    elif len(sources) > 1:
        raise OutputError(f"{output}: several images need an existing folder to go to")
    else:
        targets = [output]
    if twice := [target for target, count in Counter(targets).items() if count > 1]:
        raise OutputError(f"{twice[0]}: two of the images would be written to it")
    inputs = _identities([*sources, *read])
    for target in targets:
        if target is output or not _is_too_long(target):
            _check_target(target, inputs, suffixes=[".jpg", ".jpeg"], force=force)
    return targets


def check_target(
    target: Path, inputs: Sequence[Path], *, suffixes: Sequence[str], force: bool
) -> None:
    """Refuse (OutputError) a file of another kind, an input, what `check_writable` refuses.

    A hard link to an input is one as well. With ``force`` off also a file that exists.
    """
    _check_target(target, _identities(inputs), suffixes=suffixes, force=force)


def _write(path: Path, data: bytes, place: Callable[[Path, Path], object]) -> None:
    check_writable(path)
    temporary = path.with_name(f".{uuid4().hex}.part")
    with writing, _undisturbed():
        try:
            temporary.write_bytes(data)
            place(temporary, path)
        except FileExistsError as error:
            raise OutputError(f"{path}: exists already; --force overwrites it") from error
        except OSError as error:
            raise OutputError(f"{path}: cannot be written ({error.strerror})") from error
        finally:
            temporary.unlink(missing_ok=True)


def _link(temporary: Path, path: Path) -> None:
    """Give a file its name, which must be free: FileExistsError."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: the name is taken first
        path.touch(exist_ok=False)
        temporary.replace(path)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Put off what would end this process: Ctrl-C and SIGTERM come after the block."""
    if current_thread() is not main_thread():  # which alone may say so
        yield
        return
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: came.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
        for number in came:
            signal.raise_signal(number)


def _refusal(path: Path) -> str:
    """Say why a file cannot be written there; "" where it can."""
    folder = path.parent
    if _is_too_long(path):
        return "the name is too long; give a shorter one"
    if not folder.exists():
        return f"the folder {folder} does not exist; create it first"
    if not folder.is_dir():
        return f"{folder} is not a folder"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"the folder {folder} cannot be written"
    if path.is_dir():
        return "is a folder; name a file in it"
    if path.is_symlink() and not path.exists():
        return "is a link that leads nowhere; remove it, or name another file"
    if os.path.lexists(path) and not path.is_file():
        return "is no ordinary file; name another one"
    return ""


def _check_target(
    target: Path, inputs: set[tuple[int, int]], *, suffixes: Sequence[str], force: bool
) -> None:
    check_writable(target)
    if target.suffix.lower() not in suffixes:
        raise OutputError(f"{target}: name a {suffixes[0]} file to write")
    if not target.exists():
        return
    if inputs & _identities([target]):
        raise OutputError(f"{target}: is an input, which is never written to")
    if not force:
        raise OutputError(f"{target}: exists already; --force overwrites it")


def _identities(paths: Sequence[Path]) -> set[tuple[int, int]]:
    """Device and number of the files that are there, which all links to a file share."""
    found = set()
    for path in paths:
        try:
            told = path.stat()
        except OSError:  # is told where it is read
            continue
        found.add((told.st_dev, told.st_ino))
    return found


def _is_too_long(path: Path) -> bool:
    try:
        path.lstat()
    except OSError as error:
        return error.errno == ENAMETOOLONG
    return False
