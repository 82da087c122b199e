"""Downloads that go on where they broke off, and archives that are unpacked without trust."""

import hashlib
import logging
import shutil
import stat
import tarfile
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.parse import urlsplit

import requests
from tqdm import tqdm

from study.data.registry import DatasetError

ATTEMPTS = 5  # without one new byte; a download that moves on goes on
BACK_OFF_SECONDS = 1.0  # doubled after each attempt
TIMEOUT_SECONDS = (10, 30)  # to connect; between two chunks
CHUNK_BYTES = 1 << 16  # what a break may lose

logger = logging.getLogger(__name__)


def download(url: str, path: Path, *, checksum: str) -> None:
    """Download a file to `path`, or take the one that lies there already.

    What has arrived stays in `path` + ".part" until all is there, so that a later call asks the
    server for the rest alone (HTTP Range, RFC 9110 §14; a server without ranges sends all again).
    DatasetError if the server is out of reach or refuses, if the disk is full, or if the file has
    not the `checksum` ("md5:…" or "sha256:…", in hexadecimal digits): then nothing of a download
    is kept, and a file put there by hand is left as it was.
    """
    if path.exists():
        return require_checksum(path, checksum)
    part = path.with_name(f"{path.name}.part")
    _complete(url, part, by_hand=f"run again, or get the file by hand and put it at {path}")
    if wrong := _mismatch(part, checksum):
        part.unlink()
        raise DatasetError(f"{url} {wrong}: nothing was kept, run again to download it anew")
    part.replace(path)


def require_checksum(path: Path, checksum: str) -> None:
    """Refuse, by a DatasetError that names both, a file with another checksum than expected."""
    if wrong := _mismatch(path, checksum):
        raise DatasetError(f"{path} {wrong}: put the right file in its place and run again")


def require_room(folder: Path, size_bytes: int) -> None:
    """Refuse, by a DatasetError, to start what the disk of `folder` has no room for."""
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < size_bytes:
        raise DatasetError(
            f"the disk of {folder} has {free_bytes / 1e6:,.0f} MB free and "
            f"{size_bytes / 1e6:,.0f} MB are needed: make room and run again"
        )


def extract(archive: Path, folder: Path, *, only: Sequence[str] = ()) -> None:
    """Unpack a tar (plain or compressed) or zip archive into a folder, which is made if missing.

    All members are looked at before the first is written; of those, `only` names the files and
    folders to write, unless it is empty. DatasetError if a member's name is
    absolute or climbs out of the folder, or if it is a link out of it or a device (the member is
    named, nothing is written); if the archive is broken or encrypted; if the disk has no room for
    it.
    """
    folder.mkdir(exist_ok=True)
    try:
        if zipfile.is_zipfile(archive):
            _extract_zip(archive, folder, only)
        else:
            _extract_tar(archive, folder, only)
    except tarfile.FilterError as error:
        raise _refusal(archive, error.tarinfo.name, str(error)) from error
    except DatasetError:
        raise
    except Exception as error:  # a damaged file: the libraries raise whatever they meet
        if isinstance(error, OSError) and error.errno:  # the system's, not a decompressor's
            raise DatasetError(
                f"{archive} could not be unpacked into {folder} ({error.strerror}): "
                "mend that and run again"
            ) from error
        told = " ".join(str(error).split()) or type(error).__name__
        raise DatasetError(f"{archive} is broken ({told}): delete it and run again") from error


def _mismatch(path: Path, checksum: str) -> str:
    """What is wrong with a file's checksum; "" if it is right."""
    algorithm, expected = checksum.split(":")
    with path.open("rb") as file:
        actual = hashlib.file_digest(file, algorithm).hexdigest()
    return f"has the {algorithm} sum {actual} and not {expected}" if actual != expected else ""


def _complete(url: str, part: Path, *, by_hand: str) -> None:
    """Download into `part` until all is there, with a longer pause after each vain attempt."""
    vain, most_bytes = 0, _size(part)
    while True:
        try:
            return _continue(url, part)
        except requests.HTTPError as error:
            status = error.response.status_code
            problem = f"HTTP {status}"
            if status < 500 and status not in (416, 429):  # after 416 all is asked for anew
                raise DatasetError(f"{url} was refused ({problem}): {by_hand}") from error
        except requests.RequestException as error:
            problem = f"no connection to {urlsplit(url).netloc}, {type(error).__name__}"
        except OSError as error:
            raise DatasetError(
                f"{part} could not be written ({error.strerror}): make room and run again, "
                "it goes on from there"
            ) from error
        vain = 1 if _size(part) > most_bytes else vain + 1
        most_bytes = max(most_bytes, _size(part))
        if vain >= ATTEMPTS:
            raise DatasetError(f"{url} could not be downloaded ({problem}): {by_hand}")
        logger.warning("%s: %s, trying again", url, problem)
        time.sleep(BACK_OFF_SECONDS * 2 ** (vain - 1))


def _continue(url: str, part: Path) -> None:
    """Ask once for all that `part` lacks, and append it."""
    arrived_bytes = _size(part)
    headers = {"Accept-Encoding": "identity"}  # ranges count the bytes of the file itself
    if arrived_bytes:
        headers["Range"] = f"bytes={arrived_bytes}-"
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as response:
        if arrived_bytes and response.headers.get("Content-Range") == f"bytes */{arrived_bytes}":
            return  # status 416: nothing is missing
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            part.unlink(missing_ok=True)  # of another file: no range of this one starts there
        response.raise_for_status()
        has_ranges = response.status_code == requests.codes.partial_content
        _append(response, part, arrived_bytes if has_ranges else 0)


def _append(response: requests.Response, part: Path, start_bytes: int) -> None:
    told = response.headers.get("Content-Length", "")
    rest_bytes = int(told) if told.isdecimal() else 0
    require_room(part.parent, rest_bytes)
    bar = tqdm(
        desc=part.stem,
        total=start_bytes + rest_bytes or None,
        initial=start_bytes,
        unit="B",
        unit_scale=True,
        disable=None,  # where standard error is no terminal
    )
    with bar, part.open("ab" if start_bytes else "wb") as file:
        for chunk in response.iter_content(CHUNK_BYTES):
            file.write(chunk)
            bar.update(len(chunk))


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _extract_zip(archive: Path, folder: Path, only: Sequence[str]) -> None:
    with zipfile.ZipFile(archive) as file:
        members = file.infolist()
        for member in members:
            _require_inside(archive, member.filename)
            if stat.S_ISLNK(member.external_attr >> 16):
                raise _refusal(archive, member.filename, "a link")
        members = [member for member in members if _is_wanted(member.filename, only)]
        require_room(folder, sum(member.file_size for member in members))
        file.extractall(folder, members)


def _extract_tar(archive: Path, folder: Path, only: Sequence[str]) -> None:
    with tarfile.open(archive) as file:
        members = file.getmembers()
        for member in members:
            _require_inside(archive, member.name)
            tarfile.data_filter(member, folder)
        members = [member for member in members if _is_wanted(member.name, only)]
        require_room(folder, sum(member.size for member in members))
        file.extractall(folder, members, filter="data")


def _require_inside(archive: Path, name: str) -> None:
    """Refuse names that the libraries would silently change, by POSIX's and by Windows' rules."""
    for path in (PurePosixPath(name), PureWindowsPath(name)):
        if path.is_absolute() or path.drive or path.root or ".." in path.parts:
            raise _refusal(archive, name, "outside of the folder")


def _is_wanted(name: str, only: Sequence[str]) -> bool:
    return not only or any(PurePosixPath(name).is_relative_to(wanted) for wanted in only)


def _refusal(archive: Path, name: str, reason: str) -> DatasetError:
    return DatasetError(
        f"{archive} was refused, its member {name!r} is unsafe ({reason}): "
        "get the archive from its original source"
    )
