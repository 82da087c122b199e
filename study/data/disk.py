"""Two looks at the disk: is there room, and is this file what it should be?"""

import hashlib
import shutil
from pathlib import Path

from study.data.registry import DatasetError


def require_room(folder: Path, size_bytes: int) -> None:
    """Refuse to start what will not fit.

    Raises
    ------
    DatasetError
        If the disk of `folder` has less than `size_bytes` free.
    """
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < size_bytes:
        raise DatasetError(
            f"the disk of {folder} has {free_bytes / 1e6:,.0f} MB free and "
            f"{size_bytes / 1e6:,.0f} MB are needed: make room and run again"
        )


def require_checksum(path: Path, checksum: str) -> None:
    """Refuse a file that is not the one expected.

    Parameters
    ----------
    checksum : str
        "md5:…" or "sha256:…", in hexadecimal digits.

    Raises
    ------
    DatasetError
        If the file's sum is another; the message names both.
    """
    algorithm, expected = checksum.split(":")
    with path.open("rb") as file:
        actual = hashlib.file_digest(file, algorithm).hexdigest()
    if actual != expected:
        raise DatasetError(
            f"{path} has the {algorithm} sum {actual} and not {expected}: "
            "delete it and run again, or put the right file there"
        )
