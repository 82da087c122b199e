"""One image by every method of a table: its file, the bytes that it may have, and what is seen."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from msroi.encoder import Encoded, encode_detailed
from msroi.images import decode
from msroi.saliency import OWN
from study import codecs
from study.codecs import LED


class Coded(NamedTuple):
    """A file of an image."""

    quality: float  # on the method's own scale
    size_bytes: int
    budget_bytes: int
    pixels: np.ndarray  # decoded, uint8 [H, W, 3]


class Encodings:
    """The files of one image, uint8 [H, W, 3], within their budgets.

    ``drawn`` gives the map of a name, float [H, W] in [0, 1]. Of JPEG the budget is the standard
    JPEG of a quality; of any other codec its own plain file, whose quality is the method's option
    of that name, or the one that is asked for.
    """

    def __init__(self, image: np.ndarray, drawn: Callable[[str], np.ndarray]) -> None:
        self.image, self.drawn = image, drawn
        self._standard = cache(lambda quality: self._jpeg("standard", quality))
        self._plain = cache(lambda codec, quality: codecs.plain(image, codec, quality))

    def make(self, quality: int, options: Mapping[str, Any]) -> Coded:
        """Encode by a method, which is among the options of a row of evaluate.methods."""
        if options["method"] in codecs.METHODS:
            return self._other(**{"quality": quality} | options)
        return self._within_standard(quality, **options)

    def _within_standard(
        self, quality: int, *, method: str, map: str = OWN, budget: float = 1.0, **options: Any
    ) -> Coded:
        standard = self._standard(quality)
        size = len(standard.data)
        encoded = standard
        if method != "standard":  # which is the very file whose bytes are the budget
            options["max_bytes"] = int(budget * size)
            encoded = self._jpeg(method, quality, map, **options)
        return Coded(encoded.quality, len(encoded.data), size, decode(encoded.data))

    def _jpeg(self, method: str, quality: int, map: str = OWN, **options: Any) -> Encoded:
        return encode_detailed(
            self.image, self.drawn(map), method=method, quality=quality, **options
        )

    def _other(self, *, method: str, quality: float, map: str = OWN) -> Coded:
        codec = method.removesuffix(LED)
        plain = self._plain(codec, quality)
        encoded = Encoded(plain, quality)
        if codecs.METHODS[method]:
            encoded = codecs.led(self.image, self.drawn(map), codec, quality, plain)
        pixels = codecs.read(codec, encoded.data, self.image.shape[:2])
        return Coded(encoded.quality, len(encoded.data), len(plain), pixels)
