"""SSIMULACRA2, the score of a compressed image that practitioners trust most."""

from collections.abc import Iterator, Sequence
from math import nan
from typing import NamedTuple

import numpy as np

SMALLEST_SIDE = 8  # that the library scores: its six scales end where a side is below 8
LARGEST = 2**24  # pixels, for which a `Scorer` takes 3 GB
STRIP = 64  # rows that are worked on at a time, for which there is memory from the strip before
REACH = 5  # rows above and below, to which the library's blur looks


def ssimulacra2(reference: np.ndarray, distorted: np.ndarray) -> float:
    """Score two images by SSIMULACRA2 2.1, which looks at colour too (Sneyers, 2022).

    The value is that of the package ``ssimulacra2``, https://github.com/cloudinary/ssimulacra2 in
    Python: 100 for identical images, 90 where no difference is seen side by side, 70 is high
    quality, 50 medium, 30 low, and below 0 is possible. Several files of one image are scored
    faster by one `Scorer`.

    Parameters
    ----------
    reference, distorted : uint8 [H, W, 3]
        RGB.

    Returns
    -------
    float
        nan for a side below 8, and above 16 megapixels.

    Raises
    ------
    ValueError
        The images have different sizes.
    """
    if reference.shape != distorted.shape:
        raise ValueError(f"sizes differ: {list(reference.shape)} and {list(distorted.shape)}")
    return Scorer(reference)(distorted)


def scorable(shape: tuple[int, ...]) -> bool:
    """Whether images of this shape, (H, W, …), have a score."""
    height, width = shape[:2]
    return min(height, width) >= SMALLEST_SIDE and height * width <= LARGEST


class _Strip(NamedTuple):
    """Rows of one scale of an image, and what the library's blur makes of them."""

    xyb: np.ndarray  # float64 [rows, H, 3], as far as the blur looks
    own: slice  # the strip's own rows among them
    mean: np.ndarray  # of the own rows, as all that follows
    mean_square: np.ndarray


class Scorer:
    """Scores of many images against one, of which all that a score needs is made once.

    ``reference`` is uint8 [H, W, 3]; called with another such image of its size it gives what
    `ssimulacra2` gives. The steps are the package's own, but strip by strip: its means over an
    image are put together from those of strips, equal but for rounding.
    """

    def __init__(self, reference: np.ndarray) -> None:
        self._scorable = scorable(reference.shape)
        scales = _scales(reference) if self._scorable else ()
        self._scales = [list(_strips(linear)) for linear in scales]

    def __call__(self, distorted: np.ndarray) -> float:
        """Score an image uint8 [H, W, 3] of the reference's size."""
        if not self._scorable:
            return nan
        total = _library().Msssim()
        for strips, linear in zip(self._scales, _scales(distorted), strict=True):
            total.scales.append(_compare(strips, _strips(linear)))
        return float(total.score())


def _library():
    from ssimulacra2 import ssimulacra2 as library  # SciPy takes a while to load

    return library


def _scales(image: np.ndarray) -> Iterator[np.ndarray]:
    """Linear RGB float64 [h, w, 3], each half as large as the one before."""
    library = _library()
    linear = library.srgb_to_linear(np.arange(256))[image]
    for _ in range(library.kNumScales):
        yield linear
        linear = library.downsample(linear, 2, 2)
        if min(linear.shape[:2]) < SMALLEST_SIDE:
            return


def _strips(linear: np.ndarray) -> Iterator[_Strip]:
    """Strips of the image as the library has it: XYB, its columns as rows."""
    library, end = _library(), linear.shape[1]
    for top in range(0, end, STRIP):
        bottom = min(top + STRIP, end)
        first, last = max(top - REACH, 0), min(bottom + REACH, end)
        xyb = library.make_positive_xyb(library.linear_rgb_to_xyb(linear[:, first:last]))
        own = slice(top - first, bottom - first)
        blurred = (library.blur_image(values)[own] for values in (xyb, xyb * xyb))
        yield _Strip(xyb, own, *blurred)


def _compare(strips: Sequence[_Strip], others: Iterator[_Strip]):
    """What the library keeps of one scale of two images."""
    library, similarities, edges, rows = _library(), [], [], []
    for x, y in zip(strips, others, strict=True):
        product = library.blur_image(x.xyb * y.xyb)[x.own]
        means, squares = (x.mean, y.mean), (x.mean_square, y.mean_square)
        similarities.append(library.ssim_map(*means, *squares, product))
        edges.append(library.edge_diff_map(x.xyb[x.own], x.mean, y.xyb[y.own], y.mean))
        rows.append(len(x.mean))
    scale = library.MsssimScale()
    scale.avg_ssim, scale.avg_edgediff = _pooled(similarities, rows), _pooled(edges, rows)
    return scale


def _pooled(strips: Sequence[np.ndarray], rows: Sequence[int]) -> np.ndarray:
    """Put together what the library says of strips: means, and roots of means of fourth powers."""
    values = np.stack(strips)
    values[:, 1::2] **= 4
    pooled = np.average(values, axis=0, weights=rows)
    pooled[1::2] **= 0.25
    return pooled
