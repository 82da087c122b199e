"""One function over many items, in processes of this machine or on a cluster.

Results come in the order in which they are ready. The workers compute on one thread each, so
that together they have as many as there are cores.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from threading import Lock
from typing import Any

from joblib import Parallel, delayed, parallel_config

from msroi.errors import InputError

CONNECT_SECONDS, WORKERS_SECONDS = 10, 60
_alone = Lock()


class ClusterError(InputError, RuntimeError):
    """A cluster that can't be worked on; the message says why."""


def over_cores(
    function: Callable[[Any], Any], items: Iterable[Any], *, jobs: int = -1
) -> Iterator[Any]:
    """Results of ``function`` in processes, joblib's way: -1 is every core, 1 is this process."""
    with parallel_config(backend="loky", inner_max_num_threads=1):
        parallel = Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)
        return parallel(delayed(function)(item) for item in items)


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
