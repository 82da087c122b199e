"""Archives unpacked without trust: nothing lands outside the folder they are meant for."""

import stat
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath

from study.data.disk import require_room
from study.data.registry import DatasetError

BROKEN = (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError)


def extract(archive: Path, folder: Path) -> None:
    """Unpack a tar (plain or compressed) or zip archive into a folder, which is made if missing.

    All members are looked at before the first is written.

    Raises
    ------
    DatasetError
        If a member's name is absolute or climbs out of the folder, or if it is a link out of it
        or a device (the member is named, nothing is written); if the archive is broken; if the
        disk has no room for it.
    """
    folder.mkdir(exist_ok=True)
    try:
        if zipfile.is_zipfile(archive):
            _extract_zip(archive, folder)
        else:
            _extract_tar(archive, folder)
    except tarfile.FilterError as error:
        raise _refusal(archive, error.tarinfo.name, str(error)) from error
    except BROKEN as error:
        raise DatasetError(f"{archive} is broken ({error}): delete it and run again") from error
    except OSError as error:
        raise DatasetError(
            f"{archive} could not be unpacked into {folder} ({error.strerror or error}): "
            "mend that and run again"
        ) from error


def _extract_zip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        members = file.infolist()
        for member in members:
            _check_name(archive, member.filename)
            if stat.S_ISLNK(member.external_attr >> 16):
                raise _refusal(archive, member.filename, "a link")
        require_room(folder, sum(member.file_size for member in members))
        file.extractall(folder)


def _extract_tar(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as file:
        members = file.getmembers()
        for member in members:
            _check_name(archive, member.name)
            tarfile.data_filter(member, folder)
        require_room(folder, sum(member.size for member in members))
        file.extractall(folder, members, filter="data")


def _check_name(archive: Path, name: str) -> None:
    """Refuse what the libraries would silently rename, by POSIX's and by Windows' rules."""
    for path in (PurePosixPath(name), PureWindowsPath(name)):
        if path.is_absolute() or path.drive or path.root or ".." in path.parts:
            raise _refusal(archive, name, "outside of the folder")


def _refusal(archive: Path, name: str, reason: str) -> DatasetError:
    return DatasetError(
        f"{archive} was refused, its member {name!r} is unsafe ({reason}): "
        "get the archive from its original source"
    )
