"""The search for the best quality that a byte budget allows, shared by all methods."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

LOOKAHEAD = 2


class BudgetError(ValueError):
    """Not even the lowest quality fits the byte budget.

    Attributes
    ----------
    max_bytes, smallest_bytes : int
        What was asked for, and the size of the smallest file found.
    """

    def __init__(self, max_bytes: int, smallest_bytes: int):
        self.max_bytes, self.smallest_bytes = max_bytes, smallest_bytes
        super().__init__(
            f"a budget of {max_bytes} bytes cannot be met: "
            f"the smallest reachable size is {smallest_bytes} bytes"
        )


class Encoded(NamedTuple):
    """A JPEG file and the quality, on its method's scale, that it was written at."""

    data: bytes
    quality: float


def search(write: Callable[[float], bytes], max_bytes: int, qualities: Sequence[float]) -> Encoded:
    """Find the largest quality whose file has at most `max_bytes` bytes, by bisection.

    Sizes grow with quality, but not at every step: a coarser table may cost a few bytes
    more. So after the bisection the next two qualities above the found one are tried too,
    and while one of them fits, it becomes the found one. The result therefore always fits,
    and neither of the two steps above it does; a dip farther up goes unseen.

    Parameters
    ----------
    write : callable
        quality -> a whole JPEG file; called about log2(len(qualities)) + 2 times.
    max_bytes : int
    qualities : sequence of float, rising
        The steps of the method's quality scale: ``range(1, 101)`` for libjpeg's, a fine
        grid for a continuous one.

    Raises
    ------
    BudgetError
        No quality that was tried fits.
    """
    sizes: dict[int, int] = {}
    found, best = -1, b""

    def fits(step: int) -> bool:
        nonlocal found, best
        if step not in sizes:
            data = write(qualities[step])
            sizes[step] = len(data)
            if len(data) <= max_bytes and step > found:
                found, best = step, data
        return sizes[step] <= max_bytes

    low, high = -1, len(qualities)  # low fits and high does not, or they are outside
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    while any(fits(step) for step in _steps_above(found, len(qualities))):
        continue
    if found < 0:
        raise BudgetError(max_bytes, min(sizes.values()))
    return Encoded(best, qualities[found])


def _steps_above(step: int, count: int) -> range:
    return range(step + 1, min(step + 1 + LOOKAHEAD, count))
