"""Image sets: ordered lists of pictures with their category, class and fixations."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from study.data.layout import Found, fixations_beside, pictures_folder, scan
from study.data.registry import DatasetError, Source, source

OBJECTS = "objects.csv"  # of the rendered test scenes: name, count, index, class
MAKE_OR_FETCH = "run `python -m study fetch {name}`, or set datasets.{name}.path in params.yaml"


@dataclass(frozen=True, slots=True)
class Item:
    """One picture of an image set.

    Attributes
    ----------
    name : str
        Unique in its set: the path below the set's folder without the suffix (`kodim01`,
        `ant/image_0001`), with it where two files differ in nothing else.
    path : Path
        The file.
    category : str
        The subfolder that the picture lies in, "" in a flat set; in the test scenes, the number
        of objects.
    label : int or None
        Index into the set's `classes`; None where there are none.
    fixations : Path or None
        A `.mat` file of fixation points or an image of their density; see
        `study.data.fixations`.
    mask : Path or None
        A label image of known objects (test scenes): 0 the background, n the object of index n.
    """

    name: str
    path: Path
    category: str = ""
    label: int | None = None
    fixations: Path | None = None
    mask: Path | None = None


@dataclass(frozen=True, slots=True)
class ImageSet:
    """An ordered set of pictures; making one opens none of them.

    Attributes
    ----------
    name : str
        The set's name in the registry, or the user's own.
    root : Path
        The folder that holds the set.
    items : tuple of Item
        The pictures, sorted by category and name.
    classes : tuple of str
        Class names, in the order of the labels.
    strays : dict of str to tuple of Path
        What was left out, under the reason why.
    upright : {"exif", "stored"}
        "stored": an EXIF orientation in these files lies, take the pixels as they are stored
        (`msroi.images.turn_back`).
    sigma : float
        Standard deviation in pixels of the Gaussian that makes a density of fixation points.
    """

    name: str
    root: Path
    items: tuple[Item, ...]
    classes: tuple[str, ...] = ()
    strays: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    upright: str = "exif"
    sigma: float = 0.0

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __getitem__(self, index: int) -> Item:
        return self.items[index]

    def select(self, names: Iterable[str]) -> "ImageSet":
        """The same set with only the items of these names, in the set's own order.

        Raises
        ------
        DatasetError
            If a name is not in the set.
        """
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
        left = [f"{len(paths):,} {reason}" for reason, paths in self.strays.items()]
        return line + (f"; left out: {', '.join(left)}" if left else "")


def load(name: str, root: Path | str, *, subset: str = "") -> ImageSet:
    """List an image set that lies on disk.

    Parameters
    ----------
    name : str
        A name in the registry; any other name means a folder of the user's own images, flat or
        with one subfolder a category.
    root : path
        The folder that holds the set.
    subset : str
        "train" or "test" for the rendered scenes, "" for every other set.

    Returns
    -------
    ImageSet
        No image is opened; 30,000 take less than a second.

    Raises
    ------
    DatasetError
        If the folder is missing, or holds no image of such a set.
    """
    return listed(source(name), Path(root), subset=subset)


def listed(entry: Source, root: Path, *, subset: str = "") -> ImageSet:
    """`load` for a registry entry of one's own."""
    if subset not in (("train", "test") if entry.name == "scenes" else ("",)):
        raise DatasetError(f"{entry.name} has no subset {subset!r}: scenes has train and test")
    base = pictures_folder(entry, root) / subset
    if not base.is_dir():
        raise DatasetError(f"{base} is no folder: {MAKE_OR_FETCH.format(name=entry.name)}")
    known = ("masks", OBJECTS) if subset == "test" else ()
    found, strays = scan(base, no_class=entry.no_class, known=known)
    if not found:
        raise DatasetError(f"{base} holds no image: {MAKE_OR_FETCH.format(name=entry.name)}")
    items, classes = _items(found, base, fixations=fixations_beside(entry, base))
    if subset == "test":
        items = _with_objects(items, base)
    return ImageSet(entry.name, root, items, classes, strays, entry.upright, entry.sigma)


def _items(
    found: list[Found], base: Path, *, fixations: Path | None
) -> tuple[tuple[Item, ...], tuple[str, ...]]:
    classes = tuple(sorted({category for category, _ in found} - {""}))
    index = {name: label for label, name in enumerate(classes)}
    stems = Counter((category, path.stem) for category, path in found)
    items = []
    for category, path in found:
        stem = path.stem if stems[category, path.stem] == 1 else path.name
        name = f"{category}/{stem}" if category else stem
        items.append(
            Item(name, path, category, index.get(category), _fixation(fixations, category, path))
        )
    return tuple(items), classes


def _fixation(fixations: Path | None, category: str, path: Path) -> Path | None:
    """A file of all points serves every picture; a folder of maps has one a picture."""
    if fixations is None or fixations.suffix == ".mat":
        return fixations
    return fixations / category / path.name


def _with_objects(items: tuple[Item, ...], base: Path) -> tuple[Item, ...]:
    """Test scenes: the number of objects is the category, and each has a mask."""
    if not (base / OBJECTS).is_file():
        raise DatasetError(f"{base / OBJECTS} is missing: {MAKE_OR_FETCH.format(name='scenes')}")
    with (base / OBJECTS).open(encoding="utf-8", newline="") as file:
        counts = {row["name"]: row["count"] for row in csv.DictReader(file)}
    unknown = [item.name for item in items if item.name not in counts]
    if unknown:
        raise DatasetError(f"{base / OBJECTS} lacks {unknown[0]}: render the scenes again")
    return tuple(
        replace(item, category=counts[item.name], mask=base / "masks" / item.path.name)
        for item in items
    )
