"""The registry of image sets: sources.toml, read into `Source` records."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from msroi.errors import InputError

SOURCES = Path(__file__).with_name("sources.toml")
SHARES = {0.5: "half", 0.25: "¼", 0.75: "¾"}  # of a side, as words


class DatasetError(InputError, ValueError):
    """An image set is missing, incomplete, damaged or out of reach; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where an image set comes from, how to check it, and how it lies on disk."""

    name: str  # the key in the registry
    title: str  # what the set is called
    images: int = 0  # those that carry a class (all, where there are none); 0 = any number
    classes: int = 0  # 0 = any number
    partial: bool = False  # a part is as good as the whole: each image has its own truth
    made: bool = False  # by the sample study itself, so that nothing is fetched
    also: Sequence[str] = ()  # other names that the set's folder may have in $MSROI_DATA
    # The folder inside the set that holds the images, by any of these names; () = the set's own
    folders: Sequence[str] = ()
    subsets: Sequence[str] = ()  # folders that hold a set each, of which `load` lists one
    objects_in: Sequence[str] = ()  # the subsets whose images have a mask of their objects each
    no_class: Sequence[str] = ()  # folders beside the classes that are no class
    # Where fixations may lie, from the folder above the images': a `.mat` file of points, or a
    # folder of fixation maps named as the images are
    fixations: Sequence[str] = ()
    # Where objects may be outlined, from there too, * for an image's name: its mask (`.png`), its
    # outlines (`.txt`), or COCO's annotations of all images (`.json`)
    objects: Sequence[str] = ()
    sigma: float = 0.0  # standard deviation, in pixels, that makes a density of fixation points
    upright: str = "exif"  # follow an image's EXIF orientation; "stored": it lies, ignore it
    # URL to checksum ("algorithm:hex digits") of all that is downloaded; empty = by hand
    files: Mapping[str, str] = field(default_factory=dict)
    inner: str = ""  # the archive inside the downloaded archive; "" = none
    members: Sequence[str] = ()  # the folders and files of the archives that are wanted; () = all
    download_bytes: int = 0  # 0 = unknown, or by hand
    disk_bytes: int = 0  # of the set when it is unpacked; 0 = unknown
    page: str = ""  # the set's home; "" = there is none to fetch it from
    licence: str = ""
    citation: str = ""  # its key in data/README.md


@cache
def sources() -> dict[str, Source]:
    """All image sets that the study knows, by name."""
    entries = tomllib.loads(SOURCES.read_text(encoding="utf-8"))
    return {name: Source(name=name, **entry) for name, entry in entries.items()}


def source(name: str) -> Source:
    """The registry's entry of that name; any other name is a folder of the user's own images."""
    known = sources()
    return known[name] if name in known else replace(known["folder"], name=name)


def title_of(run: Mapping[str, Any]) -> str:
    """What the images of a run of params.yaml are called: their set's title, and how small."""
    title, scale = source(run["set"]).title, run.get("scale", 1)
    if scale == 1:
        return title
    return f"{title} at {SHARES.get(scale, f'{scale:.0%}')} size"
