"""A photograph under exploration: the maps drawn of it, and what its encodings come to."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from msroi.saliency import SaliencyOf
from study.show.explore.photos import Photo
from study.show.explore.steps import Step, step

PAINTED, UPLOADED = "painted", "uploaded"


class Subject:
    """A photograph whose maps, and whose standard JPEGs, are made once.

    Parameters
    ----------
    photo : Photo
    maps : Mapping of str to (image → map)
        Beside them a subject has a map ``"painted"``, black at first, and one ``"uploaded"``.
    """

    def __init__(self, photo: Photo, maps: Mapping[str, SaliencyOf]) -> None:
        self.photo, self._maps = photo, maps
        self._drawn = {PAINTED: self.black()}
        self._standards: dict[tuple[str, int], Step] = {}

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of what is shown."""
        return self.photo.pixels.shape[:2]

    def black(self) -> np.ndarray:
        """A map on which nothing is painted: float32 [H, W]."""
        return np.zeros(self.shape, np.float32)

    def saliency(self, name: str) -> np.ndarray:
        """The map of a name, float32 [H, W]; ValueError where it was never uploaded."""
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
        """The standard JPEG, and that of the settings under a map, by the names of their methods.

        Raises
        ------
        ValueError
            As `step`, and `saliency`.
        """
        saliency, key = self.saliency(name), (name, settings["quality"])
        own = step(self.photo.pixels, saliency, **settings)
        if key not in self._standards:
            plain = {**settings, "method": "standard"}
            self._standards[key] = step(self.photo.pixels, saliency, **plain)
        return {"standard": self._standards[key], settings["method"]: own}
