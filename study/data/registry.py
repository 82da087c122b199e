"""The registry of image sets: sources.toml, read into `Source` records."""

import tomllib
from collections.abc import Mapping, Sequence
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
        The folder inside the set that holds the images; "" = the set's own folder.
    subsets : sequence of str
        Folders that hold a set each, of which `load` lists one; none for most sets.
    objects_in : sequence of str
        The subsets whose images have a mask of their objects each.
    no_class : sequence of str
        Folders beside the classes that are no class.
    fixations : sequence of str
        Where the fixations may lie, from the folder above `folder`: a `.mat` file of points, or a
        folder of fixation maps named as the images are.
    sigma : float
        Standard deviation in pixels of the Gaussian that makes a density of fixation points.
    upright : {"exif", "stored"}
        Whether an image's EXIF orientation is to be followed, or lies and is to be ignored.
    files : mapping of str to str
        URL to checksum ("algorithm:hex digits") of all that is downloaded; empty = by hand.
    inner : str
        The archive inside the downloaded archive, "" = none.
    download_bytes, disk_bytes : int
        Size of the download and of the set on disk; 0 = unknown.
    page, licence, citation : str
        The set's home ("" = there is none to fetch it from), its licence, and its key in
        data/README.md.
    """

    name: str
    title: str
    images: int = 0
    classes: int = 0
    partial: bool = False
    made: bool = False
    folder: str = ""
    subsets: Sequence[str] = ()
    objects_in: Sequence[str] = ()
    no_class: Sequence[str] = ()
    fixations: Sequence[str] = ()
    sigma: float = 0.0
    upright: str = "exif"
    files: Mapping[str, str] = field(default_factory=dict)
    inner: str = ""
    download_bytes: int = 0
    disk_bytes: int = 0
    page: str = ""
    licence: str = ""
    citation: str = ""


@cache
def sources() -> dict[str, Source]:
    """All image sets that the study knows, by name."""
    entries = tomllib.loads(SOURCES.read_text(encoding="utf-8"))
    return {name: Source(name=name, **entry) for name, entry in entries.items()}


def source(name: str) -> Source:
    """The registry's entry of that name; any other name is a folder of the user's own images."""
    known = sources()
    return known[name] if name in known else replace(known["folder"], name=name)
