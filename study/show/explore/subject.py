"""A photograph under exploration: its pixels, its maps, drawn or painted, and its JPEGs."""

from collections.abc import Callable, Mapping
from math import sqrt
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from PIL import Image

from msroi.images import read_image, read_map
from msroi.metrics import SALIENT
from study.show.explore.steps import Step, step

LARGEST = 2**20  # pixels for which a step takes about a second
SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
PAINTED, UPLOADED = "painted", "uploaded"
RING = 1.5  # pixels of the white, and of the black, of the ring that shows the brush

DrawMap = Callable[[np.ndarray], np.ndarray]  # image → map


class Photo(NamedTuple):
    """A photograph as the explorer shows it."""

    pixels: np.ndarray  # uint8 [H, W, 3], scaled down where the file has more than `LARGEST`
    shape: tuple[int, int]  # height and width of the file's own image, upright


class Brush(NamedTuple):
    """A soft round brush: its centre and radius in pixels. Within it one touch is salient."""

    x: float
    y: float
    radius: float

    def touch(self, shape: tuple[int, int]) -> np.ndarray:
        """Return one touch of the brush, a Gaussian: float32 [H, W] in [0, 1]."""
        return np.float32(SALIENT) ** np.square(self._distance(shape))

    def shown_on(self, saliency: np.ndarray) -> np.ndarray:
        """Draw a map [H, W] in the figures' colours, 0 black and 1 light, the brush as a ring."""
        colours = (255 * mpl.colormaps["magma"](np.arange(256))[:, :3]).astype(np.uint8)
        picture = colours[np.rint(255 * saliency).astype(np.uint8)]
        outside = self.radius * (self._distance(saliency.shape) - 1)
        picture[(outside >= 0) & (outside < RING)] = 255
        picture[(outside < 0) & (outside >= -RING)] = 0
        return picture

    def _distance(self, shape: tuple[int, int]) -> np.ndarray:
        """Return each pixel's distance from the centre, in radii: float32 [H, W]."""
        H, W = shape
        across = (np.arange(W, dtype=np.float32) - self.x) / self.radius
        down = (np.arange(H, dtype=np.float32) - self.y) / self.radius
        return np.hypot(down[:, None], across)


class Subject:
    """A photograph whose maps, and whose standard JPEGs, are made once.

    Beside ``maps`` it has a map ``"painted"``, black at first, and one ``"uploaded"``.
    """

    def __init__(self, photo: Photo, maps: Mapping[str, DrawMap]) -> None:
        self.photo, self.shape, self._maps = photo, photo.pixels.shape[:2], maps
        self._drawn = {PAINTED: self.black()}
        self._standards: dict[tuple[str, int], Step] = {}

    def black(self) -> np.ndarray:
        """Return a map on which nothing is painted: float32 [H, W]."""
        return np.zeros(self.shape, np.float32)

    def saliency(self, name: str) -> np.ndarray:
        """Return the map of a name, float32 [H, W]; ValueError where it was never uploaded."""
        if name == UPLOADED and name not in self._drawn:
            raise ValueError("no map of this photograph is uploaded: press “upload map”")
        if name not in self._drawn:
            self._drawn[name] = self._maps[name](self.photo.pixels)
        return self._drawn[name]

    def keep(self, name: str, saliency: np.ndarray) -> None:
        """Take a map under a name, in place of the one that had it."""
        self._drawn[name] = saliency
        self._standards = {}  # PSNR-S looked at the other one

    def steps(self, name: str, settings: Mapping[str, Any]) -> dict[str, Step]:
        """Make the standard JPEG, and that of the settings under a map, each by its method's name.

        Raises ValueError as `step` and `saliency` do.
        """
        saliency, key = self.saliency(name), (name, settings["quality"])
        own = step(self.photo.pixels, saliency, **settings)
        if key not in self._standards:
            plain = {**settings, "method": "standard"}
            self._standards[key] = step(self.photo.pixels, saliency, **plain)
        return {"standard": self._standards[key], settings["method"]: own}


def pictures_in(folder: str | Path) -> dict[str, Path]:
    """Return the image files of a folder by their names, sorted."""
    found = sorted(Path(folder).iterdir())
    return {path.name: path for path in found if path.suffix.lower() in SUFFIXES}


def read_photo(path: str | Path) -> Photo:
    """Read a photograph and scale it down to `LARGEST` pixels; ImageError as `read_image`."""
    pixels = read_image(path).pixels
    return Photo(_fitted(pixels), pixels.shape[:2])


def read_map_of(photo: Photo, path: str | Path) -> np.ndarray:
    """Read a map whose file is as large as the photo's: float32 [H, W], scaled as the photo is."""
    return _fitted(read_map(path, photo.shape))


def _fitted(pixels: np.ndarray) -> np.ndarray:
    """Scale an image uint8 [H, W, 3] or a map float32 [H, W] down to at most `LARGEST` pixels."""
    H, W = pixels.shape[:2]
    scale = sqrt(LARGEST / (H * W))
    if scale >= 1:
        return pixels
    size = max(1, int(W * scale)), max(1, int(H * scale))
    # Pillow's bilinear averages over what becomes one pixel, and oversteps no range
    return np.array(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))
