"""The images that a head learns from: decoded once to a file, from which batches are read."""

import os
from collections.abc import Iterable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import numpy as np
import PIL
from joblib import Parallel, delayed
from PIL import Image, ImageOps

from msroi.images import read_pixels
from study.data.sets import ImageSet, Item
from study.params import as_json
from study.training import parallel

BACKGROUND = -1  # the label of an image of no class


class Examples(NamedTuple):
    """Labelled images of one size: uint8 [N, S, S, 3] and int64 [N], a class or `BACKGROUND`."""

    images: np.ndarray
    labels: np.ndarray


def load_examples(images: ImageSet, size: int, *, file: Path) -> Examples:
    """Map a labelled set into memory: each image's centre square, ``size`` pixels a side.

    The squares lie in a file of numpy's, N·S·S·3 bytes, beside ``file``, under its name with a
    checksum of the images' names, sizes and times and of S. Where no whole file of that name is
    there, the images are decoded into one, on every core, and files of other checksums are
    removed. Nothing else needs the file once training has ended.
    """
    items = [_described(item) for item in images]
    decides = {"size": size, "upright": images.upright, "pillow": PIL.__version__, "items": items}
    checksum = sha256(as_json(decides)).hexdigest()[:16]
    path = file.with_name(f"{file.name}.{checksum}.npy")
    shape = (len(images), size, size, 3)
    parallel.once_a_machine(partial(_make, images, shape, path, instead_of=f"{file.name}.*.npy"))
    labels = [BACKGROUND if item.label is None else item.label for item in images]
    return Examples(_mapped(path, shape), np.array(labels, np.int64))


def _described(item: Item) -> tuple[str, int, int]:
    told = item.path.stat()
    return item.name, told.st_size, told.st_mtime_ns


def _make(images: ImageSet, shape: tuple[int, ...], path: Path, *, instead_of: str) -> None:
    """Write the squares of a set to ``path``, unless they are there."""
    if _mapped(path, shape) is not None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in path.parent.glob(instead_of):
        old.unlink(missing_ok=True)  # whoever has it mapped keeps it
    decoded = Parallel(n_jobs=-1, backend="threading", return_as="generator")(  # lets go of the GIL
        delayed(_square)(item.path, shape[1], images.upright) for item in images
    )
    bar = parallel.progress(decoded, desc=f"load {images.name}", total=len(images), unit="image")
    temporary = path.with_name(f"{path.stem}.{uuid4().hex}.npy")  # is of `instead_of`, after a kill
    try:
        _write(temporary, bar, shape)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _square(path: Path, size: int, upright: str) -> np.ndarray:
    picture = Image.fromarray(read_pixels(path, upright=upright))
    return np.asarray(ImageOps.fit(picture, (size, size), Image.Resampling.BICUBIC))


def _write(path: Path, squares: Iterable[np.ndarray], shape: tuple[int, ...]) -> None:
    """Write arrays one after the other, as one .npy file; a full disk is an OSError."""
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for square in squares:
            file.write(square.tobytes())
        file.flush()
        os.fsync(file.fileno())


def _mapped(path: Path, shape: tuple[int, ...]) -> np.ndarray | None:
    """The squares of a file, read from it as they are used; None where it is missing or damaged."""
    try:
        squares = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError):
        return None
    return squares if (squares.shape, squares.dtype) == (shape, np.uint8) else None
