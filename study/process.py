"""A stage as a process: it ends with the dvc that started it, and leaves nothing for good.

A killed process can't clear up after itself, so the next one does. Nothing here decides a result:
`study.__main__` alone imports it, and no stage of dvc.yaml depends on it.
"""

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import psutil
from filelock import FileLock, Timeout

from msroi import files

STAGE = "DVC_STAGE"  # a variable that DVC gives the commands of a stage: its name
WATCH_SECONDS, CHILDREN_SECONDS = 0.5, 1.0  # between two looks; for children to end
PLACES = ("TMPDIR", "JUPYTER_RUNTIME_DIR")  # variables: where temporary files go, and kernels'
TEMPORARY, LOCK = "msroi-study-", "lock"  # begins the name of a folder; a file in it
PART = re.compile(r"\.[0-9a-f]{32}\.part")  # the temporary name that `msroi.files` gives a file


def end_with_dvc() -> None:
    """Let this process end as soon as the dvc that started it is gone, however that ended.

    A command that was not started by dvc is left alone: it may outlive its terminal.
    """
    if os.environ.get(STAGE):
        Thread(target=_watch, args=(_starter(),), daemon=True).start()


def remove_remains(folders: Iterable[Path]) -> None:
    """Remove what killed stages have left: their temporary files, and half files in folders.

    A lock, which the system takes from a process that ends, tells whose temporary files are of use
    still. Who writes a half file nothing tells: they stay while any other stage is at work.
    """
    others = False
    for folder in Path(tempfile.gettempdir()).glob(f"{TEMPORARY}*"):
        try:
            with FileLock(folder / LOCK, timeout=0):
                shutil.rmtree(folder, ignore_errors=True)
        except Timeout:
            others = True
        except OSError:  # another user's
            continue
    halves = (path for folder in folders for path in folder.rglob(".*.part"))
    for path in () if others else halves:
        if PART.fullmatch(path.name):
            path.unlink(missing_ok=True)


@contextmanager
def temporary_files() -> Iterator[None]:
    """Give this process and its children a folder for temporary files, which is removed after it.

    What is left of one that is killed, `remove_remains` removes.
    """
    folder, lock = _locked_folder()
    before = {name: os.environ.pop(name, None) for name in PLACES}
    os.environ |= dict.fromkeys(PLACES, str(folder))
    tempfile.tempdir = None  # it is read anew
    try:
        yield
    finally:
        for name, value in before.items():
            del os.environ[name]
            os.environ |= {name: value} if value else {}
        tempfile.tempdir = None
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()


def _starter() -> psutil.Process | None:
    """The nearest process above this one that is no command of its stage: dvc, while it is there.

    The system's first process takes over orphans. It is not of their process group, as dvc is of
    that of the commands that it starts.
    """
    below = psutil.Process()
    with suppress(psutil.NoSuchProcess, ProcessLookupError):
        for process in below.parents():
            if _stage_of(process) != os.environ[STAGE]:
                orphaned = process.pid == 1 and _group(1) != _group(below.pid)
                return None if orphaned else process
            below = process
    return None


def _stage_of(process: psutil.Process) -> str | None:
    """The stage that DVC started a process for."""
    try:
        return process.environ().get(STAGE)
    except psutil.AccessDenied:  # another user's
        return None


def _group(process: int) -> int:
    """The process group, where the system has such."""
    return os.getpgid(process) if hasattr(os, "getpgid") else 0


def _watch(first: psutil.Process | None) -> None:
    """Wait until there is another starter than at first, then end all that runs here."""
    while first and _starter() == first:
        time.sleep(WATCH_SECONDS)
    with files.writing:
        children = psutil.Process().children(recursive=True)
        for process in children:
            with suppress(psutil.Error):
                process.terminate()
        psutil.wait_procs(children, timeout=CHILDREN_SECONDS)
        folder = Path(tempfile.gettempdir())
        if folder.name.startswith(TEMPORARY):
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)


def _locked_folder() -> tuple[Path, FileLock]:
    """A new folder for temporary files, and its lock, which no other process has taken before."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=TEMPORARY))
        lock = FileLock(folder / LOCK)
        with suppress(Timeout, OSError):
            lock.acquire(timeout=0)
            if (folder / LOCK).exists():
                return folder, lock
