"""How image sets lie on disk: which files are pictures, and what is left out and why."""

import os
from pathlib import Path

from study.data.registry import Source

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm"}

Found = tuple[str, Path]  # a picture's category and path
Strays = dict[str, tuple[Path, ...]]  # why something was left out, and what


def pictures_folder(entry: Source, root: Path) -> Path:
    """`root/trainSet/Stimuli`, `root/Stimuli` or `root`: a user may have unpacked any of them."""
    parts = Path(entry.folder).parts
    candidates = [root.joinpath(*parts[start:]) for start in range(len(parts) + 1)]
    return next((folder for folder in candidates if folder.is_dir()), root)


def fixations_beside(entry: Source, base: Path) -> Path | None:
    candidates = [base.parent / name for name in entry.fixations]
    return next((path for path in candidates if path.exists()), None)


def scan(
    base: Path, *, no_class: tuple[str, ...], known: tuple[str, ...]
) -> tuple[list[Found], Strays]:
    """The pictures of a flat folder, or of one with a subfolder a category, and the rest.

    What is `known` to lie beside the pictures is neither.
    """
    found, strays, folders = _pictures(base, category="")
    strays = [(reason, path) for reason, path in strays if path.name not in known]
    folders = [folder for folder in folders if folder.name not in known]
    if found:
        strays += [("a folder beside the images", folder) for folder in folders]
        return found, _by_reason(strays)
    for folder in folders:
        inside, inside_strays, deeper = _pictures(folder, category=folder.name)
        if folder.name in no_class:
            strays += [(f"in {folder.name}, which is no class", path) for _, path in inside]
        else:
            found += inside
        strays += inside_strays
        strays += [("a folder inside a category", path) for path in deeper]
    return found, _by_reason(strays)


def _pictures(folder: Path, *, category: str) -> tuple[list[Found], list[Found], list[Path]]:
    """Pictures, strays (reason, path) and subfolders of one folder, each sorted by name."""
    found, strays, folders = [], [], []
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            path = folder / entry.name
            if entry.name.startswith(".") or entry.name == "__MACOSX":
                strays.append(("hidden", path))
            elif entry.is_dir():
                folders.append(path)
            elif path.suffix.lower() in IMAGE_SUFFIXES:
                found.append((category, path))
            else:
                strays.append(("not an image", path))
    return found, strays, folders


def _by_reason(strays: list[Found]) -> Strays:
    reasons = dict.fromkeys(reason for reason, _ in strays)
    return {why: tuple(path for reason, path in strays if reason == why) for why in reasons}
