"""Image sets: ordered lists of images with their category, class and truths."""

import csv
import logging
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from PIL import Image
from tqdm.contrib.concurrent import thread_map

from msroi.images import FORMATS
from study.data.outlines import SMALLEST, large, outlines
from study.data.registry import DatasetError, Source, source

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm"}
MASKS, OBJECTS = "masks", "objects.csv"  # beside scenes: label images; name, count, index, class
MAKE_OR_FETCH = "run `python -m study fetch {name}`, or set datasets.{name}.path (data/README.md)"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Item:
    """One image of an image set."""

    # Unique in its set: the path below the set's folder without the suffix (`kodim01`,
    # `ant/image_0001`), with it where two files differ in nothing else
    name: str
    path: Path  # the file
    # The subfolder, "" in a flat set; of a test scene or a photograph of COCO, how many objects
    category: str = ""
    label: int | None = None  # index into the set's `classes`; None where there are none
    # A `.mat` file of fixation points or an image of their density; `study.data.truths` reads both
    fixations: Path | None = None
    # What `study.data.truths` reads its objects from: a mask (`.png`; 0 is the background, n the
    # object of index n, or white the only one), its outlines (`.txt`) or all images' (`.json`)
    objects: Path | None = None


@dataclass(frozen=True, slots=True)
class ImageSet:
    """An ordered set of images; making one opens none of them."""

    name: str  # in the registry, or the user's own
    root: Path  # the folder that holds the set
    items: tuple[Item, ...]  # sorted by subfolder and name
    classes: tuple[str, ...] = ()  # names, in the order of the labels
    strays: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)  # left out, by reason
    upright: str = "exif"  # as `Source.upright`, for `msroi.images.read_pixels`
    sigma: float = 0.0  # as `Source.sigma`

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __getitem__(self, index: int) -> Item:
        return self.items[index]

    def select(self, names: Iterable[str]) -> "ImageSet":
        """The same set with only these names, in its own order; DatasetError if one is unknown."""
        wanted = set(names)
        missing = sorted(wanted - {item.name for item in self.items})
        if missing:
            raise DatasetError(
                f"{self.name} at {self.root} has no image {missing[0]!r} "
                f"({len(missing)} such names): make the split again from this set"
            )
        return replace(self, items=tuple(item for item in self.items if item.name in wanted))

    def summary(self) -> str:
        """One line for the log: how many images and classes, and what was left out and why."""
        line = f"{self.name}: {len(self):,} images"
        line += f" in {len(self.classes)} classes" if self.classes else ""
        fixated = sum(item.fixations is not None for item in self.items)
        line += f", {fixated:,} with fixations" if fixated else ""
        outlined = sum(item.objects is not None for item in self.items)
        line += f", {outlined:,} with their objects" if outlined else ""
        left = [f"{len(paths):,} {reason}" for reason, paths in self.strays.items()]
        return line + (f"; left out: {', '.join(left)}" if left else "")


def load(name: str, root: Path | str, *, subset: str = "") -> ImageSet:
    """List the image set that lies in the folder ``root``; 30,000 images take less than a second.

    A name that is not in the registry means a folder of the user's own images, flat or with one
    subfolder a category. ``subset`` is one of the set's `Source.subsets` ("train" or "test" of the
    rendered scenes); sets that have none are listed whole, whatever it is. DatasetError if the
    folder is missing, or holds no image of such a set.
    """
    return listed(source(name), Path(root), subset=subset)


def listed(entry: Source, root: Path, *, subset: str = "") -> ImageSet:
    """List the image set of a registry entry, as `load` does by its name."""
    if entry.subsets and subset not in entry.subsets:
        has = " and ".join(entry.subsets)
        raise DatasetError(f"{entry.name} has no subset {subset!r}: {entry.name} has {has}")
    base = images_folder(entry, root) / (subset if entry.subsets else "")
    if not base.is_dir():
        raise DatasetError(f"{base} is no folder: {MAKE_OR_FETCH.format(name=entry.name)}")
    has_masks = subset in entry.objects_in
    found, strays = _scan(base, entry.no_class, known=(MASKS, OBJECTS) if has_masks else ())
    if not found:
        raise DatasetError(f"{base} holds no image: {MAKE_OR_FETCH.format(name=entry.name)}")
    items = _items(found, _beside(base, entry.fixations), _beside(base, entry.objects))
    if has_masks:
        items = _with_masks(items, base)
    elif any(item.objects and item.objects.suffix != ".png" for item in items):
        items, without = _with_outlines(items)
        strays |= without
    if not items:
        raise DatasetError(
            f"no image of {base} has an object in {' or '.join(entry.objects)}: fetch the set anew"
        )
    classes = tuple(sorted(found.keys() - {""}))
    return ImageSet(entry.name, root, items, classes, strays, entry.upright, entry.sigma)


def images_folder(entry: Source, root: Path) -> Path:
    """`root/trainSet/Stimuli`, `root/Stimuli` or `root`: a user may have unpacked any of them."""
    for folder in entry.folders:
        parts = Path(folder).parts
        for start in range(len(parts)):
            if (found := root.joinpath(*parts[start:])).is_dir():
                return found
    return root


def intact(images: ImageSet, *, broken: Literal["skip", "stop"]) -> ImageSet:
    """Decode every image of a set, and leave out or refuse what can't be decoded.

    "skip": log each broken image by name, leave it out and count it among the strays; "stop":
    refuse the set, by a DatasetError that names its first broken image. A set of which no image is
    left is refused either way.
    """
    if broken not in ("skip", "stop"):
        raise DatasetError(f"broken is {broken!r}: say skip or stop")
    paths = [item.path for item in images]
    damages = thread_map(_damage, paths, desc="checking", disable=None)  # Pillow leaves the lock
    bad = {path: damage for path, damage in zip(paths, damages, strict=True) if damage}
    for path, damage in bad.items():
        if broken == "stop":
            raise DatasetError(
                f"{path} is broken ({damage}): put a sound copy in its place, or set broken: skip"
            )
        logger.warning("left out %s, which is broken (%s)", path, damage)
    if not bad:
        return images
    if len(bad) == len(images):
        raise DatasetError(f"all {len(bad)} images of {images.root} are broken: fetch them anew")
    sound = tuple(item for item in images if item.path not in bad)
    return replace(images, items=sound, strays={**images.strays, "broken": tuple(bad)})


def _scan(
    base: Path, no_class: Sequence[str], *, known: Sequence[str]
) -> tuple[dict[str, list[Path]], dict[str, tuple[Path, ...]]]:
    """Images by category (a subfolder each; "" in a flat folder), and the rest by reason.

    What is `known` to lie beside the images is neither.
    """
    strays = defaultdict(list)
    images, folders = _look(base, strays, known)
    found = {"": images} if images else {}
    for folder in folders:
        if "" in found:
            strays["a folder beside the images"].append(folder)
            continue
        images, deeper = _look(folder, strays)
        if folder.name in no_class:
            strays[f"in {folder.name}, which is no class"] += images
        elif images:
            found[folder.name] = images
        strays["a folder inside a category"] += deeper
    return found, {reason: tuple(paths) for reason, paths in strays.items() if paths}


def _look(
    folder: Path, strays: dict[str, list[Path]], known: Sequence[str] = ()
) -> tuple[list[Path], list[Path]]:
    """Images and subfolders of one folder, each sorted by name; the rest goes to the strays."""
    images, folders = [], []
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = folder / entry.name
        if entry.name in known:
            continue
        if entry.name.startswith(".") or entry.name == "__MACOSX":
            strays["hidden"].append(path)
        elif entry.is_dir():
            folders.append(path)
        elif path.suffix.lower() in IMAGE_SUFFIXES:
            images.append(path)
        else:
            strays["not an image"].append(path)
    return images, folders


def _beside(base: Path, places: Sequence[str]) -> Path | None:
    """The first of some places beside a folder that is there; a * in it is not looked for."""
    paths = [base.parent / place for place in places]
    return next((p for p in paths if (p.parent if "*" in p.name else p).exists()), None)


def _items(
    found: Mapping[str, list[Path]], fixations: Path | None, objects: Path | None
) -> tuple[Item, ...]:
    labels = {category: label for label, category in enumerate(sorted(found.keys() - {""}))}
    items = []
    for category, paths in found.items():
        stems = Counter(path.stem for path in paths)
        for path in paths:
            stem = path.stem if stems[path.stem] == 1 else path.name
            name = f"{category}/{stem}" if category else stem
            # A file holds the points of all images; a folder has a map for each
            is_folder = fixations and fixations.suffix != ".mat"
            own = fixations / category / path.name if is_folder else fixations
            known = objects and objects.with_name(objects.name.replace("*", path.stem))
            items.append(Item(name, path, category, labels.get(category), own, known))
    return tuple(items)


def _with_masks(items: tuple[Item, ...], base: Path) -> tuple[Item, ...]:
    """Test scenes: the number of objects is the category, and each has a mask."""
    try:
        with (base / OBJECTS).open(encoding="utf-8", newline="") as file:
            counts = {row["name"]: row["count"] for row in csv.DictReader(file)}
    except FileNotFoundError:
        counts = {}
    unknown = [item.name for item in items if item.name not in counts]
    if unknown:
        raise DatasetError(f"{base / OBJECTS} lacks {unknown[0]}: render the scenes again")
    return tuple(
        replace(item, category=counts[item.name], objects=base / MASKS / item.path.name)
        for item in items
    )


def _with_outlines(
    items: tuple[Item, ...],
) -> tuple[tuple[Item, ...], dict[str, tuple[Path, ...]]]:
    """Photographs with objects: their number is the category; and those without, by reason."""
    kept, strays = [], defaultdict(list)
    for item in items:
        objects = outlines(item.objects, item.path.name)
        if count := len(large(objects)):
            kept.append(replace(item, category=str(count)))
        else:
            reason = f"without an object over {SMALLEST:.1%} of its area"
            strays[reason if objects else "without an outline"].append(item.path)
    return tuple(kept), {reason: tuple(paths) for reason, paths in strays.items()}


def _damage(path: Path) -> str:
    """What is wrong with an image file, "" for nothing."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            image.load()
    except Exception as error:  # a damaged file: Pillow's readers raise whatever they meet
        return str(error) or type(error).__name__
    return ""
