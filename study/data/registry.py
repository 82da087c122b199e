"""The registry of image sets: sources.toml, read into `Source` records."""

import tomllib
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from msroi.errors import InputError

SOURCES = Path(__file__).with_name("sources.toml")


class DatasetError(InputError, ValueError):
    """An image set is missing, incomplete, damaged or out of reach; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where an image set comes from, how to check it, and how it lies on disk.

    Attributes
    ----------
    name, title : str
        The key in the registry, and what the set is called.
    images, classes : int
        Images that carry a class (or all, where there are none), and classes; 0 = any number.
    partial : bool
        True where a part of the set is as good as the whole (each image has its fixations).
    made : bool
        True where the sample study makes the set itself, so nothing is fetched.
    folder : str
        The folder inside the set that holds the pictures; "" = the set's own folder.
    no_class : tuple of str
        Folders beside the classes that are no class.
    fixations : tuple of str
        Where the fixations may lie, from the folder above `folder`: a `.mat` file of points, or a
        folder of fixation maps named as the pictures are.
    sigma : float
        Standard deviation in pixels of the Gaussian that makes a density of fixation points.
    upright : {"exif", "stored"}
        Whether a picture's EXIF orientation is to be followed, or lies and is to be ignored.
    files : dict of str to str
        URL to checksum ("algorithm:hex digits") of all that is downloaded; empty = by hand.
    inner : str
        The archive inside the downloaded archive, "" = none.
    download_bytes, disk_bytes : int
        Size of the download and of the set on disk; 0 = unknown.
    page, licence, citation : str
        The set's home, its licence, and its key in data/README.md.
    """

    name: str
    title: str
    images: int = 0
    classes: int = 0
    partial: bool = False
    made: bool = False
    folder: str = ""
    no_class: tuple[str, ...] = ()
    fixations: tuple[str, ...] = ()
    sigma: float = 0.0
    upright: str = "exif"
    files: dict[str, str] = field(default_factory=dict)
    inner: str = ""
    download_bytes: int = 0
    disk_bytes: int = 0
    page: str = ""
    licence: str = ""
    citation: str = ""


@cache
def sources() -> dict[str, Source]:
    """All image sets that msroi knows, by name."""
    entries = tomllib.loads(SOURCES.read_text(encoding="utf-8"))
    return {name: Source(name=name, **_frozen(entry)) for name, entry in entries.items()}


def source(name: str) -> Source:
    """The registry's entry of that name; any other name is a folder of the user's own images."""
    known = sources()
    return known[name] if name in known else replace(known["folder"], name=name)


def table() -> list[dict[str, object]]:
    """One row an image set that can be fetched: what `python -m study fetch --list` prints.

    Columns: name, title, images, classes, download_bytes (0 = by hand), disk_bytes, licence,
    citation, page.
    """
    sizes = ["images", "classes", "download_bytes", "disk_bytes"]
    columns = ["name", "title", *sizes, "licence", "citation", "page"]
    fetched = [entry for entry in sources().values() if entry.page]
    return [{column: getattr(entry, column) for column in columns} for entry in fetched]


def _frozen(entry: dict) -> dict:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
