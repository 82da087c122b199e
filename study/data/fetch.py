"""Bringing an image set to its place: what lies on disk is linked, the rest is downloaded."""

import logging
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from filelock import AcquireReturnProxy, FileLock, Timeout

from study.data.download import download, extract, require_checksum, require_room
from study.data.part import Part, choose, link_part
from study.data.registry import DatasetError, Source, sources
from study.data.sets import ImageSet, Item, images_folder, listed
from study.data.truths import check_mask, has_fixations, has_objects

DATA_VARIABLE = "MSROI_DATA"  # a folder of image sets, each under its name
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")

logger = logging.getLogger(__name__)


def fetch(
    entry: Source,
    target: Path,
    *,
    source_path: Path | str | None = None,
    part: Part | None = None,
) -> ImageSet:
    """Bring an image set, or a part of it, to `target` and check it.

    It is taken from, in this order: `source_path`, a copy on disk as its archive unpacks or from
    the folder of its images on; what is at `target` already; `$MSROI_DATA/<name>`, in capitals or
    not; the set's own server. A copy on disk is linked, never copied or changed. A download works
    in the folder `<target>.partial`, where a stopped one goes on, and `target` appears only when
    all is there. Of a `part`, `target` leads to `<target>.chosen`, a folder of links into the whole
    set, which is then at `<target>.whole`. Another run that wants the same set waits meanwhile.

    Checked are the layout, the count (of a whole set) and Kodak's checksums. DatasetError if the
    set can be had nowhere, or what was found is incomplete or damaged.
    """
    if entry.made:
        raise DatasetError(f"{entry.name} is made by the sample study, there is none to fetch")
    copy = _copy_on_disk(entry, source_path)
    if not (copy or entry.files or target.exists() or _beside(target, "whole").exists()):
        raise DatasetError(_by_hand(entry))
    target.parent.mkdir(parents=True, exist_ok=True)
    with _alone(target):
        images = _whole_or_part(entry, target, copy, part, instead=bool(source_path))
        shutil.rmtree(_workplace(target), ignore_errors=True)
    logger.info(images.summary())
    return images


def _alone(target: Path) -> AcquireReturnProxy:
    """Keep other runs off the same set; the system frees the lock of a run that is killed."""
    lock = FileLock(target.with_name(f".{target.name}.lock"))
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        logger.info("waiting for another run that fetches %s", target)
        return lock.acquire()


def _beside(target: Path, state: str) -> Path:
    return target.with_name(f"{target.name}.{state}")


def _whole_or_part(
    entry: Source, target: Path, copy: Path | None, part: Part | None, *, instead: bool
) -> ImageSet:
    """Keep the whole set at `target`, or beside it where `target` shows a part."""
    whole, chosen = _beside(target, "whole"), _beside(target, "chosen")
    if target.is_symlink() and target.resolve() == chosen.resolve():
        target.unlink()  # of an earlier choice
    here, there = (whole, target) if part else (target, whole)
    if os.path.lexists(there):
        if os.path.lexists(here):
            raise DatasetError(f"{target} and {whole} are both there: move one of them away")
        there.rename(here)
    images = _place(entry, here, copy, part, instead=instead)
    if not part:
        return images
    link_part(images, entry, chosen)
    _link(chosen.resolve(), target)
    return listed(entry, target)


def _place(
    entry: Source, target: Path, copy: Path | None, part: Part | None, *, instead: bool
) -> ImageSet:
    """Bring the set to `target`; a copy is to come `instead` of a folder there where asked for."""
    if target.exists() and not target.is_symlink():
        if instead and not target.samefile(copy):
            raise DatasetError(
                f"{target} is there already: move it elsewhere to use {copy} in its place"
            )
    elif copy:
        _validated(entry, copy, part)
        _link(copy, target)
    elif not target.exists():
        target.unlink(missing_ok=True)  # a link that leads nowhere any more
        _download(entry, target)
    return _validated(entry, target, part)


def _copy_on_disk(entry: Source, source_path: Path | str | None) -> Path | None:
    if source_path:
        copy = Path(source_path).expanduser().resolve()
        if not copy.is_dir():
            raise DatasetError(f"{copy} is no folder: mend datasets.{entry.name}.path")
        return copy
    if folder := os.environ.get(DATA_VARIABLE):
        if copy := _named(entry, Path(folder).expanduser().resolve()):
            return copy
        logger.warning("%s (%s) has no %s", DATA_VARIABLE, folder, entry.name)
    return None


def _named(entry: Source, folder: Path) -> Path | None:
    """The set's folder by any of its names, as they are written or in other capitals."""
    there = [path for path in sorted(folder.glob("*")) if path.is_dir()]
    exact = {path.name: path for path in there}
    found = {path.name.lower(): path for path in there} | exact
    return next((found[name] for name in (entry.name, *entry.also) if name in found), None)


def _validated(entry: Source, root: Path, part: Part | None = None) -> ImageSet:
    """List an image set, or a part of it, and refuse one that is not what the registry says."""
    images = listed(entry, root)
    if part:
        images = choose(images, part)
    else:
        _require_count(entry, root, len(images), entry.images, "images")
        _require_count(entry, root, len(images.classes), entry.classes, "classes")
    _require_truths(entry, images, "fixations", entry.fixations, has_fixations)
    _require_truths(entry, images, "objects", entry.objects, has_objects)
    for item in images if entry.objects else ():
        check_mask(item)
    names = {item.path.name for item in images}
    for url, checksum in entry.files.items():
        if _file_name(url) in names:
            require_checksum(images_folder(entry, root) / _file_name(url), checksum)
    return images


def _require_count(entry: Source, root: Path, found: int, expected: int, what: str) -> None:
    complete = found == expected or not expected or (entry.partial and found < expected)
    if not complete:
        raise DatasetError(
            f"{root} holds {found:,} {what} and {entry.title} has {expected:,}: "
            f"complete it, or choose a part of it on purpose by datasets.{entry.name}.each and "
            ".categories (data/README.md)"
        )


def _require_truths(
    entry: Source, images: ImageSet, what: str, places: Sequence[str], has: Callable[[Item], bool]
) -> None:
    lacking = [item for item in images if not has(item)] if places else []
    if lacking:
        raise DatasetError(
            f"{images.root} has no {what} of {len(lacking)} images, {lacking[0].path.name} first: "
            f"put {' or '.join(places)} beside {' or '.join(entry.folders)}"
        )


def _link(copy: Path, target: Path) -> None:
    """Point the link `target` at `copy`, in one step."""
    new = target.with_name(f".{target.name}.link")
    new.unlink(missing_ok=True)
    new.symlink_to(copy, target_is_directory=True)
    new.replace(target)


def _download(entry: Source, target: Path) -> None:
    workplace, tree = _workplace(target), _workplace(target) / "tree"
    workplace.mkdir(exist_ok=True)
    arrived_bytes = sum(file.stat().st_size for file in workplace.glob("*.*") if file.is_file())
    require_room(workplace, max(0, entry.download_bytes - arrived_bytes) + entry.disk_bytes)
    for url, checksum in entry.files.items():
        download(url, workplace / _file_name(url), checksum=checksum)
    shutil.rmtree(tree, ignore_errors=True)  # of a run that was stopped here
    tree.mkdir()
    try:
        for url in entry.files:
            _unpack(workplace / _file_name(url), tree, entry)
        _validated(entry, tree)
    except BaseException:
        shutil.rmtree(tree, ignore_errors=True)  # lest it fills the disk
        raise
    tree.replace(target)


def _unpack(file: Path, tree: Path, entry: Source) -> None:
    """Put a file into the tree: an image as it is, an archive, or the archive `inner` in it."""
    if not file.name.endswith(ARCHIVES):
        shutil.copy(file, tree)
    elif not entry.inner:
        extract(file, tree, only=entry.members)
    else:
        outer = tree / ".outer"  # which goes with the tree
        extract(file, outer)
        found = next(outer.rglob(entry.inner), None)
        if found is None:
            raise DatasetError(f"{file} holds no {entry.inner}: get it from its original source")
        extract(found, tree, only=entry.members)
        shutil.rmtree(outer)


def _by_hand(entry: Source) -> str:
    if entry.page:
        return (
            f"{entry.title} has no archive with a known checksum: get it from {entry.page} and set "
            f"datasets.{entry.name}.path to its folder (data/README.md)"
        )
    known = ", ".join(name for name, known in sources().items() if known.page)
    return (
        f"{entry.name} is none of the known image sets ({known}): for images of your own, set "
        f"datasets.{entry.name}.path to their folder (data/README.md)"
    )


def _workplace(target: Path) -> Path:
    return target.with_name(f"{target.name.removesuffix('.whole')}.partial")


def _file_name(url: str) -> str:
    return PurePosixPath(urlsplit(url).path).name
