"""Downloads that survive a bad line: resumed by range, tried again, checked before use."""

import logging
import time
from pathlib import Path
from urllib.parse import urlsplit

import pooch
import requests
from tqdm import tqdm

from study.data.disk import require_checksum, require_room
from study.data.registry import DatasetError

ATTEMPTS = 5  # without one new byte; a download that moves on goes on
BACK_OFF_SECONDS = 1.0  # doubled after each attempt
TIMEOUT_SECONDS = (10, 30)  # to connect; between two chunks
CHUNK_BYTES = 1 << 16  # what a break may lose

logger = logging.getLogger(__name__)


class Interruption(Exception):
    """The line or the server failed in a way that may pass."""


def download(url: str, path: Path, *, checksum: str) -> None:
    """Download a file to `path`, or take the one that lies there already.

    What has arrived stays in `path` + ".part" until all is there, so that a later call asks the
    server for the rest alone (HTTP Range, RFC 9110 §14; a server without ranges sends all again).

    Parameters
    ----------
    checksum : str
        "md5:…" or "sha256:…", in hexadecimal digits.

    Raises
    ------
    DatasetError
        If the server is out of reach or refuses, if the disk is full, or if the checksum of the
        file is wrong (then nothing of a download is kept, and a file put there by hand is left
        as it was).
    """
    if path.exists():
        return require_checksum(path, checksum)
    part = path.with_name(path.name + ".part")

    def downloader(url: str, output: str, _: object) -> None:
        _complete(url, part, path)
        part.replace(output)

    pooch.get_logger().setLevel(logging.WARNING)
    try:
        pooch.retrieve(url, checksum, path.name, path.parent, downloader=downloader)
    except DatasetError:
        raise
    except ValueError as mismatch:
        said = str(mismatch).split(". ")[0]
        raise DatasetError(f"{said}: nothing was kept, run again to download it anew") from mismatch


def _complete(url: str, part: Path, path: Path) -> None:
    """Download into `part` until all is there, with a longer pause after each vain attempt."""
    by_hand = f"run again, or get the file by hand and put it at {path}"
    attempt, most_bytes = 0, _size(part)
    while True:
        try:
            return _continue(url, part)
        except Interruption as interruption:
            attempt = 1 if _size(part) > most_bytes else attempt + 1
            most_bytes = max(most_bytes, _size(part))
            if attempt >= ATTEMPTS:
                raise DatasetError(
                    f"{url} could not be downloaded ({interruption}): {by_hand}"
                ) from interruption
            logger.warning("%s: %s, trying again", url, interruption)
            time.sleep(BACK_OFF_SECONDS * 2 ** (attempt - 1))
        except requests.HTTPError as refusal:
            status = refusal.response.status_code
            raise DatasetError(f"{url} was refused (HTTP {status}): {by_hand}") from refusal


def _continue(url: str, part: Path) -> None:
    """Ask once for all that `part` lacks, and append it."""
    headers = {"Accept-Encoding": "identity"}  # ranges count the bytes of the file itself
    if _size(part):
        headers["Range"] = f"bytes={_size(part)}-"
    try:
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as response:
            if response.headers.get("Content-Range") == f"bytes */{_size(part)}":
                return  # status 416: nothing is missing
            _append(response, part, _start(response, part))
    except requests.HTTPError:
        raise
    except requests.Timeout as error:
        raise Interruption(f"no answer from {urlsplit(url).netloc}") from error
    except requests.ConnectionError as error:
        raise Interruption(
            f"no connection to {urlsplit(url).netloc}, {type(error).__name__}"
        ) from error
    except requests.RequestException as error:
        raise Interruption(f"the connection broke after {_size(part):,} bytes") from error


def _start(response: requests.Response, part: Path) -> int:
    """The byte at which the answer starts: where we stopped, or 0 if the server has no ranges."""
    status = response.status_code
    if status == 429 or status >= 500:
        raise Interruption(f"HTTP {status}")
    if status == requests.codes.requested_range_not_satisfiable:
        part.unlink()  # of another file, or longer than it: no range of this file starts there
        raise Interruption(f"HTTP {status}, starting anew")
    response.raise_for_status()
    return _size(part) if status == requests.codes.partial_content else 0


def _append(response: requests.Response, part: Path, start_bytes: int) -> None:
    rest_bytes = int(response.headers.get("Content-Length", 0))
    require_room(part.parent, rest_bytes)
    bar = tqdm(
        desc=part.stem,
        total=start_bytes + rest_bytes or None,
        initial=start_bytes,
        unit="B",
        unit_scale=True,
        disable=None,  # where standard error is no terminal
    )
    try:
        with bar, part.open("r+b" if start_bytes else "wb") as file:
            file.seek(start_bytes)
            for chunk in response.iter_content(CHUNK_BYTES):
                file.write(chunk)
                bar.update(len(chunk))
    except requests.RequestException:
        raise
    except OSError as error:
        raise DatasetError(
            f"{part} could not be written ({error.strerror}): make room and run again, "
            "it goes on from there"
        ) from error


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0
