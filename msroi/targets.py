"""Where the commands write: every output is found to be free before any work is done."""

from collections.abc import Sequence
from pathlib import Path

from msroi.errors import InputError
from msroi.files import check_writable


class CommandError(InputError, ValueError):
    """What the user asked for cannot be done; the message says why."""


def targets_of(sources: Sequence[Path], output: Path, *, force: bool) -> list[Path]:
    """Where each image goes, after all of them are found to be free and writable.

    ``output`` is a folder that takes each image as <name>.jpg, or one file for one image.

    Raises
    ------
    CommandError
        As `check_target`, and where two images would have one name, or many have no folder.
    OutputError
        As `msroi.files.check_writable`.
    """
    if output.is_dir():
        targets = [output / f"{source.stem}.jpg" for source in sources]
    elif len(sources) > 1:
        raise CommandError(f"{output}: several images need an existing folder to go to")
    else:
        targets = [output]
    if twice := [target for target in targets if targets.count(target) > 1]:
        raise CommandError(f"{twice[0]}: two of the images would be written to it")
    for target in targets:
        check_target(target, sources, suffixes=[".jpg", ".jpeg"], force=force)
    return targets


def check_target(
    target: Path, sources: Sequence[Path], *, suffixes: Sequence[str], force: bool
) -> None:
    """Refuse a file of another kind, an input, and with ``force`` off one that exists.

    Raises
    ------
    CommandError, OutputError
    """
    if target.suffix.lower() not in suffixes and not target.is_dir():
        raise CommandError(f"{target}: name a {suffixes[0]} file to write")
    check_writable(target)
    if not target.exists():
        return
    if any(source.exists() and target.samefile(source) for source in sources):
        raise CommandError(f"{target}: is an input, which is never written to")
    if not force:
        raise CommandError(f"{target}: exists already; --force overwrites it")
