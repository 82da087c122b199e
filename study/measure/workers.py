"""One function over many items, in processes of this machine or on a cluster.

Results come in the order in which they are ready. The workers compute on one thread each, so
that together they have as many as there are cores.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from threading import Lock
from typing import Any

from joblib import effective_n_jobs

from msroi import workers
from msroi.errors import InputError

CONNECT_SECONDS, WORKERS_SECONDS = 10, 60
_alone = Lock()


class ClusterError(InputError, RuntimeError):
    """A cluster that can't be worked on; the message says why."""


class WorkerError(InputError, RuntimeError):
    """A worker that was killed; the message names what it was at."""


def over_cores(
    function: Callable[[Any], Any], items: Iterable[Any], *, jobs: int = -1
) -> Iterator[Any]:
    """Results of ``function`` in processes, joblib's way: -1 is every core, 1 is this process.

    The workers end with this process. WorkerError where one of them is killed.
    """
    jobs = effective_n_jobs(jobs)
    if jobs == 1:
        yield from map(function, items)
        return
    one_thread = dict.fromkeys(workers.THREADS, "1")
    results = workers.over(function, items, jobs=jobs, environment=one_thread, when_killed=_killed)
    for _, result in results:
        yield result


def over_cluster(
    function: Callable[[Any], Any], items: Iterable[Any], *, address: str
) -> Iterator[Any]:
    """Results of ``function`` from the workers of a Dask cluster.

    ``address`` is the scheduler's, ``tcp://host:8786``; its workers have this version of msroi, and
    one thread each (``dask worker ADDRESS --nworkers -1 --nthreads 1``). What a lost worker had in
    hand is done by another. Function and items are sent, not files: a path must name the same file
    everywhere. ClusterError if distributed is not installed, no scheduler answers, or it has no
    workers.
    """
    with _client(address) as client:
        from distributed import as_completed

        futures = client.map(partial(_on_worker, function), list(items), pure=False)
        for _, result in as_completed(futures, loop=client.loop, with_results=True):
            yield result


def _killed(item: Any) -> None:
    raise WorkerError(
        f"the worker that was at {getattr(item, 'name', item)} was killed, most likely for want of "
        "memory: end other programs and run again, what is done is kept"
    )


def _client(address: str):
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise ClusterError(f"a cluster needs {error.name}: pip install distributed") from error
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"no Dask scheduler answers at {address}: start one with `dask scheduler`, "
            "or unset MSROI_DASK to work on this machine"
        ) from error
    try:
        client.wait_for_workers(1, timeout=WORKERS_SECONDS)
    except TimeoutError as error:
        client.close()
        raise ClusterError(
            f"the Dask scheduler at {address} has no workers: start them with "
            f"`dask worker {address} --nworkers -1 --nthreads 1`"
        ) from error
    return client


def _on_worker(function: Callable[[Any], Any], item: Any) -> Any:
    """One item at a time: the libraries that measure are not made for threads of one process."""
    os.environ["NUMBA_NUM_THREADS"] = "1"  # Dask itself sees to OpenMP's and BLAS's
    with _alone:
        return function(item)
