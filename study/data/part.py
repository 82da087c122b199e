"""A part of an image set, chosen on purpose: some categories, and so many images of each."""

import shutil
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from study.data.registry import DatasetError, Source
from study.data.sets import IMAGE_SUFFIXES, ImageSet, images_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Which images of a set are wanted."""

    categories: tuple[str, ...] = ()  # () = all
    each: int | None = None  # images of every category, drawn at random; None = all
    seed: int = 0  # of the draw


def part_of(section: Mapping[str, Any], *, seed: int) -> Part | None:
    """Read the part that datasets.<name> of params.yaml asks for; None for the whole set."""
    categories = tuple(str(name) for name in section.get("categories") or ())
    each = section.get("each")
    if not categories and each is None:
        return None
    return Part(categories=categories, each=each, seed=seed)


def choose(images: ImageSet, part: Part) -> ImageSet:
    """Give the images of a part, in the set's order; the classes are those that are left.

    A set without classes is drawn from as one. Each category is drawn by a generator of its own,
    seeded with `Part.seed` and its name: other categories change nothing, and 10 images are the
    first 10 of 20. DatasetError if a category is unknown, or has fewer images than are asked for.
    """
    found = defaultdict(list)
    for item in images:
        found[item.category if images.classes else ""].append(item.name)
    wanted = part.categories or tuple(found)
    place = f"datasets.{images.name}"
    if unknown := [name for name in wanted if name not in found]:
        has = ", ".join(sorted(found)) if any(found) else "no categories"
        raise DatasetError(f"{place}.categories names {unknown[0]!r}: {images.root} has {has}")
    if part.each is not None and part.each < 1:
        raise DatasetError(f"{place}.each is {part.each}: give 1 or more, or null for all")
    names = [name for category in wanted for name in _drawn(found[category], category, part, place)]
    chosen = images.select(names)
    kept = tuple(name for name in images.classes if name in set(wanted))
    items = tuple(
        item if item.label is None else replace(item, label=kept.index(images.classes[item.label]))
        for item in chosen
    )
    return replace(chosen, items=items, classes=kept)


def link_part(images: ImageSet, entry: Source, folder: Path) -> None:
    """Make a folder of links to the images of a set, and to their fixations and objects.

    It is laid out as the set is, and takes the place of one that is there. Folders of images that
    are of no class come along whole.
    """
    base, new = images_folder(entry, images.root), folder.with_name(f".{folder.name}")
    home = new / Path(entry.folders[0]).name if entry.folders else new
    shutil.rmtree(new, ignore_errors=True)
    for path in _files(images, entry):
        inside = path.is_relative_to(base)
        link = home / path.relative_to(base) if inside else new / path.relative_to(base.parent)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path.resolve())
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)


def _drawn(names: list[str], category: str, part: Part, place: str) -> list[str]:
    if part.each is None:
        return names
    if part.each > len(names):
        of = f" of {category}" if category else ""
        raise DatasetError(
            f"{place}.each asks for {part.each} images{of} and there are {len(names)}: lower it"
        )
    generator = np.random.default_rng([part.seed, *category.encode()])
    return generator.permutation(names)[: part.each].tolist()


def _files(images: ImageSet, entry: Source) -> set[Path]:
    """All files that the images of a set are read from, and those of no class."""
    owned = {path for item in images for path in (item.path, item.fixations, item.objects) if path}
    strays = {path for paths in images.strays.values() for path in paths}
    return owned | {
        path
        for path in strays
        if path.parent.name in entry.no_class and path.suffix.lower() in IMAGE_SUFFIXES
    }
