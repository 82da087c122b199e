"""Photographs and maps as the explorer takes them: from a folder or uploaded, and not too large."""

from collections.abc import Callable, Mapping
from math import sqrt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from msroi.images import ImageError, read_image, read_map

LARGEST = 2**20  # pixels for which a step takes about a second
SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


class Photo(NamedTuple):
    """A photograph as the explorer shows it.

    Attributes
    ----------
    pixels : uint8 [H, W, 3]
        At most `LARGEST` of them: scaled down where the file has more.
    shape : (int, int)
        Height and width of the file's own image, upright.
    """

    pixels: np.ndarray
    shape: tuple[int, int]


def pictures_in(folder: str | Path) -> dict[str, Path]:
    """The image files of a folder by their names, sorted."""
    found = sorted(Path(folder).iterdir())
    return {path.name: path for path in found if path.suffix.lower() in SUFFIXES}


def read_photo(path: str | Path) -> Photo:
    """Read a photograph and scale it down to `LARGEST` pixels; ImageError as `read_image`."""
    pixels = read_image(path).pixels
    return Photo(fitted(pixels), pixels.shape[:2])


def map_reader(photo: Photo) -> Callable[[Path], np.ndarray]:
    """path → a map float32 [H, W] of the photograph, whose file is as large as the photo's."""
    return lambda path: fitted(read_map(path, photo.shape))


def read_upload(upload: Mapping[str, Any], read: Callable[[Path], Any]) -> Any:
    """Read an uploaded file, ``{"name": …, "content": bytes}``, by a function that takes a path.

    Raises
    ------
    ImageError
        As `read` says it, but with the name that the file's owner knows.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "upload"
        path.write_bytes(upload["content"])
        try:
            return read(path)
        except ImageError as error:
            raise ImageError(str(error).replace(str(path), upload["name"])) from error


def fitted(pixels: np.ndarray) -> np.ndarray:
    """An image uint8 [H, W, 3] or a map float32 [H, W], scaled down to at most `LARGEST` pixels."""
    H, W = pixels.shape[:2]
    scale = sqrt(LARGEST / (H * W))
    if scale >= 1:
        return pixels
    size = max(1, int(W * scale)), max(1, int(H * scale))
    # Pillow's bilinear averages over what becomes one pixel, and oversteps no range
    return np.array(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))
