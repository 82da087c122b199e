"""What an argument may be: whatever is not is an ArgumentError of one sentence."""

from collections.abc import Collection
from numbers import Integral, Real
from typing import Any

import numpy as np

from msroi.errors import ArgumentError


def check_whole(name: str, value: Any, least: int, most: int) -> None:
    """Refuse what is no whole number from ``least`` to ``most``; True is none either."""
    if not _is(Integral, value) or not least <= value <= most:
        wanted = f"a whole number from {least} to {most}"
        raise ArgumentError(f"{name} must be {wanted}, not {value!r}")


def check_number(name: str, value: Any, least: float, most: float) -> None:
    """Refuse what is no number from ``least`` to ``most``; neither NaN nor True is one."""
    if not _is(Real, value) or not least <= value <= most:
        raise ArgumentError(f"{name} must be from {least} to {most}, not {value!r}")


def check_choice(name: str, value: Any, choices: Collection[str]) -> None:
    """Refuse what is not one of some names."""
    if not isinstance(value, str) or value not in choices:
        raise ArgumentError(f"unknown {name} {value!r}: choose from {', '.join(choices)}")


def check_size(quality: Any, max_bytes: Any, target: Any) -> None:
    """Refuse a size that is none, and a target beside another one; None is not given."""
    if quality is not None:
        check_whole("quality", quality, 1, 100)
    if max_bytes is not None and not _is(Integral, max_bytes):
        raise ArgumentError(f"max_bytes must be a whole number of bytes, not {max_bytes!r}")
    if target is None:
        return
    if not (quality is None and max_bytes is None):
        raise ArgumentError("target takes the place of quality and of max_bytes: give one of them")
    if not _is(Real, target) or not 0 < target < 100:  # false for NaN too
        raise ArgumentError(f"target must be a score above 0 and below 100, not {target!r}")


def check_flag(name: str, value: Any) -> None:
    """Refuse what is neither True nor False."""
    if not isinstance(value, bool | np.bool_):
        raise ArgumentError(f"{name} must be True or False, not {value!r}")


def _is(kind: type, value: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)
