"""The threads that compiled loops are shared among."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache


def share(work: Callable, parts: Iterable) -> list:
    """Do the work for each part, one thread a core or as many as OMP_NUM_THREADS says."""
    return list(_pool().map(work, parts))


@cache
def _pool() -> ThreadPoolExecutor:
    told = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return ThreadPoolExecutor(int(told) if told.isdecimal() else os.cpu_count())
