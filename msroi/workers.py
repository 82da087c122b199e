"""Processes that do one item of work at a time, and end with the one that started them.

Each has a pipe to it, by which it is told what to do. A pipe ends with the process that holds its
other end, however that ends, and on every system: a worker that sees it leaves at once, but for a
file that it is just writing.
"""

import os
import pickle
import signal
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue
from threading import Thread
from typing import Any

from msroi import files

# Read by libraries when they load: how many threads they compute on
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
GRACE_SECONDS = 5.0  # to end a file, before a worker is killed


def over(
    function: Callable[[Any], Any],
    items: Iterable[Any],
    *,
    jobs: int,
    environment: Mapping[str, str],
    when_killed: Callable[[Any], Any],
) -> Iterator[tuple[int, Any]]:
    """Do a function for each item in processes: its number and its result, as they are ready.

    Parameters
    ----------
    function
        Of a module, or a partial of one, since it is sent to the workers. What it raises is raised
        here, with a note of where it was.
    items
        Each is sent by pickle.
    jobs
        Workers at most; there are no more than items.
    environment
        Variables that the workers start with, beside this process's own.
    when_killed
        Gives the result of an item whose worker was killed, or raises; another worker goes on.
    """
    waiting = iter(list(enumerate(items)))
    workers: dict[Connection, _Worker] = {}

    def give(worker: "_Worker | None") -> None:
        for index, item in waiting:
            worker = worker or _Worker(function, environment)
            workers[worker.end] = worker
            worker.give(index, item)
            return
        if worker:
            worker.stop()

    try:
        for _ in range(jobs):
            give(None)
        while workers:
            for end in wait(list(workers)):
                worker = workers.pop(end)
                index, item = worker.index, worker.item
                alive, result = worker.take()
                give(worker if alive else None)
                yield index, result if alive else when_killed(item)
    finally:
        for worker in workers.values():
            worker.stop()


class _Worker:
    """A process, the pipe to it, and the item that it has in hand."""

    def __init__(self, function: Callable[[Any], Any], environment: Mapping[str, str]) -> None:
        context = get_context("spawn")
        self.end, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, function), daemon=True)
        self.index, self.item = -1, None
        with _started_with(environment):
            self.process.start()
        theirs.close()

    def give(self, index: int, item: Any) -> None:
        self.index, self.item = index, item
        with suppress(BrokenPipeError):  # it is gone, which `take` tells
            self.end.send(item)

    def take(self) -> tuple[bool, Any]:
        """Whether the process is still there, and the result; raises what was raised."""
        try:
            result, error = self.end.recv()
        except (EOFError, ConnectionError):
            self.stop()
            return False, None
        if error:
            self.stop()
            raise error
        return True, result

    def stop(self) -> None:
        self.end.close()
        self.process.join(GRACE_SECONDS)
        self.process.kill()
        self.process.join()


def _serve(end: Connection, function: Callable[[Any], Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    items: SimpleQueue[Any] = SimpleQueue()
    Thread(target=_listen, args=(end, items), daemon=True).start()
    with suppress(OSError):  # nobody is there to take it
        while True:
            end.send(_answer(function, items.get()))


def _listen(end: Connection, items: SimpleQueue) -> None:
    """Hear what is to be done, and leave where nobody is there any more."""
    with suppress(EOFError, OSError):
        while True:
            items.put(end.recv())
    with files.writing:
        os._exit(1)


def _answer(function: Callable[[Any], Any], item: Any) -> tuple[Any, Exception | None]:
    try:
        return function(item), None
    except Exception as error:
        told = f"In a worker:\n{traceback.format_exc()}"
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:  # of a class that doesn't outlive it
            return None, RuntimeError(told)
        error.add_note(told)
        return None, error


@contextmanager
def _started_with(environment: Mapping[str, str]) -> Iterator[None]:
    """Give processes that are started variables of their own, and no Ctrl-C while they load."""
    before = {name: os.environ.get(name) for name in environment}
    masks = hasattr(signal, "pthread_sigmask")
    os.environ |= environment
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT]) if masks else None
    try:
        yield
    finally:
        if masks:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
