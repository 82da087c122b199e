"""Results kept as they come, so that a run that was cut off can go on from there."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from msroi.files import OutputError


class Journal:
    """A file of results, each appended under its key in one write.

    A key must name everything that decides its result: then no result can be stale, and those of
    other keys lie there unheeded. A record begins with its newline, so that half of one, which
    a kill left behind, spoils no other. File and folder are made at the first result.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def read(self) -> dict[str, Any]:
        """Results by key; without the records that are not whole."""
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return {}
        results = {}
        for line in lines:
            with suppress(ValueError, TypeError, KeyError):  # no part of a JSON object is one
                record = json.loads(line)
                results[record["key"]] = record["result"]
        return results

    def append(self, key: str, result: Any) -> None:
        """Add a result that JSON can hold; floats come back as they were."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab", buffering=0) as file:
                file.write(b"\n" + json.dumps({"key": key, "result": result}).encode())
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be written ({error.strerror})") from error

    def remove(self) -> None:
        """Forget everything, once the results are where they belong."""
        self.path.unlink(missing_ok=True)
