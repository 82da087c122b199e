"""Results kept as they come, so that a run that was cut off can go on from there."""

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

from msroi.files import OutputError

logger = logging.getLogger(__name__)


class Journal:
    """A file of results, each appended under its key in one write.

    A key must name everything that decides its result: then no result can be stale, and those of
    other keys lie there unheeded. A record begins with its newline, so that half of one, which
    a kill left behind, spoils no other, and has a checksum of its key and result, so that none is
    trusted that was altered. File and folder are made at the first result.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def read(self) -> dict[str, Any]:
        """Results by key; a warning tells how many records are left out, not whole or altered.

        OutputError where there is a file that can't be read.
        """
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be read ({error.strerror})") from error
        records = [_record(line) for line in lines if line]
        if dropped := records.count(None):
            logger.warning(
                "%s: %d of %d records are not whole, or were altered: what they held is made again",
                self.path,
                dropped,
                len(records),
            )
        return dict(record for record in records if record)

    def append(self, key: str, result: Any) -> None:
        """Add a result that JSON can hold; floats come back as they were."""
        record = {"key": key, "result": result, "checksum": _checksum(key, result)}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab", buffering=0) as file:
                file.write(b"\n" + json.dumps(record).encode())
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be written ({error.strerror})") from error

    def remove(self) -> None:
        """Forget everything, once the results are where they belong."""
        self.path.unlink(missing_ok=True)


def _record(line: bytes) -> tuple[str, Any] | None:
    """Key and result of a line; None where it is no record as `Journal.append` writes it."""
    try:
        match json.loads(line):
            case {"key": str(key), "result": result, "checksum": str(told), **more} if not more:
                return (key, result) if told == _checksum(key, result) else None
    except (ValueError, RecursionError):  # no JSON, or some that no result is
        pass
    return None


def _checksum(key: str, result: Any) -> str:
    return hashlib.sha256(json.dumps([key, result]).encode()).hexdigest()[:16]
