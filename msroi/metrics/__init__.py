"""Full-reference quality metrics, those of the paper's Table 1 and SSIMULACRA2, and their names.

The paper's look at luma: BT.601 as JPEG has it, rounded to uint8 (`msroi.images.luma`). SSIMULACRA2
looks at colour. Larger is better by all.
"""

import contextlib
import io
from collections.abc import Mapping
from functools import cache
from math import inf, log10, nan
from typing import NamedTuple

import numpy as np

from msroi.images import check_map, check_rgb, luma
from msroi.metrics.structure import multiscale_similarity, similarity, visual_information
from msroi.region import SALIENT_SHARE, salient_region
from msroi.score import Scorer
from msroi.score import ssimulacra2 as ssimulacra2


class Metric(NamedTuple):
    """How a metric is called and shown in every table, figure and caption."""

    label: str  # its name in print
    unit: str  # "dB", or "" for an index
    digits: int  # shown after the point


# Of two images: those of the paper's Table 1 in its order, then ours. PSNR-S needs a map.
METRICS = {
    "psnr_s": Metric("PSNR-S", "dB", 2),
    "psnr": Metric("PSNR", "dB", 2),
    "psnr_hvs": Metric("PSNR-HVS", "dB", 2),
    "psnr_hvsm": Metric("PSNR-HVS-M", "dB", 2),
    "ssim": Metric("SSIM", "", 3),
    "ms_ssim": Metric("MS-SSIM", "", 3),
    "vifp": Metric("VIFP", "", 3),
}
PAPERS = tuple(METRICS)  # the paper's seven
METRICS["ssimulacra2"] = Metric("SSIMULACRA2", "", 1)
# `psnr_weighted` by what is known of an image and no map has met: fixations, or objects
JUDGES = {
    "psnr_fix": Metric("PSNR at fixations", "dB", 2),
    "psnr_objects": Metric("PSNR on objects", "dB", 2),
}
ALL = METRICS | JUDGES
DECIBELS = tuple(key for key, metric in METRICS.items() if metric.unit == "dB")
INDICES = tuple(key for key in PAPERS if METRICS[key].unit == "")  # at most 1, or a little above

PEAK = 255
BLOCK = 8


def compare(
    reference: np.ndarray, distorted: np.ndarray, saliency: np.ndarray | None = None
) -> dict[str, float]:
    """Compare two images by all metrics.

    Parameters
    ----------
    reference, distorted : uint8 [H, W, 3]
        RGB.
    saliency : float [H, W] in [0, 1], optional

    Returns
    -------
    dict
        psnr, psnr_s (only with a map), psnr_hvs, psnr_hvsm [dB], ssim, ms_ssim, vifp,
        ssimulacra2. nan where the image is too small for a metric; see the single functions.

    Raises
    ------
    ValueError
        The images, or the map, have different sizes, an image is not uint8 RGB, or the map has
        values outside [0, 1] or NaN.
    """
    return Reference(reference, saliency).compare(distorted)


class Reference:
    """An image that others are compared with: what the metrics need of it alone is made once.

    Parameters
    ----------
    image : uint8 [H, W, 3]
        RGB.
    saliency : float [H, W] in [0, 1], optional
        For psnr_s.
    truths
        Name of a value → weights float [H, W] of its `psnr_weighted`.
    """

    def __init__(
        self,
        image: np.ndarray,
        saliency: np.ndarray | None = None,
        truths: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        check_rgb(image)
        if saliency is not None:
            check_map(saliency)
        self._shape, self._luma, self._truths = image.shape, luma(image), truths or {}
        self._salient = None if saliency is None else salient_region(saliency)
        for weights in (saliency, *self._truths.values()):
            if weights is not None:
                _check_sizes(self._luma, weights)
        self._score = Scorer(image)

    def compare(self, distorted: np.ndarray) -> dict[str, float]:
        """The values that `compare` gives, and those of the truths."""
        check_rgb(distorted)
        x, y = self._luma, luma(distorted)
        _check_sizes(x, y)
        values = {"psnr": psnr(x, y)}
        if self._salient is not None:
            values["psnr_s"] = _psnr_within(x, y, self._salient)
        values["psnr_hvs"], values["psnr_hvsm"] = psnr_hvs_and_hvsm(x, y)
        first = similarity(x, y)  # SSIM itself, and where MS-SSIM begins
        values |= {"ssim": first[0], "ms_ssim": multiscale_similarity(x, y, first)}
        values["vifp"] = visual_information(x, y)
        values["ssimulacra2"] = self._score(distorted)
        return values | {name: psnr_weighted(x, y, w) for name, w in self._truths.items()}


def psnr(reference: np.ndarray, distorted: np.ndarray) -> float:
    """Peak signal-to-noise ratio: 10 log₁₀(255² / MSE) dB; inf for identical images.

    Parameters
    ----------
    reference, distorted : uint8 [H, W]
        Luma, as in all functions here.
    """
    return _decibels(np.mean(_squared_error(reference, distorted)))


def psnr_s(
    reference: np.ndarray,
    distorted: np.ndarray,
    saliency: np.ndarray,
    *,
    share: float = SALIENT_SHARE,
) -> float:
    """PSNR over the salient pixels, the `salient_region` of a map; nan without any.

    Parameters
    ----------
    reference, distorted : uint8 [H, W]
    saliency : float [H, W]
        The same map for every method that is compared. Only its order counts, not its scale.
    share : float
        Of the pixels: those where the map is largest.
    """
    _check_sizes(reference, saliency)
    return _psnr_within(reference, distorted, salient_region(saliency, share))


def psnr_weighted(reference: np.ndarray, distorted: np.ndarray, weights: np.ndarray) -> float:
    """PSNR whose squared error is a weighted mean: 10 log₁₀(255² Σw / Σw(x−y)²) dB.

    With the density of eye fixations as weights it is the EWPSNR of Li, Qin and Itti (2011),
    https://doi.org/10.1016/j.imavis.2010.07.001, which no map of an encoder's has a part in; with
    the mask of known objects, the PSNR over their pixels.

    Parameters
    ----------
    reference, distorted : uint8 [H, W]
    weights : float [H, W]
        Not below 0, in any unit; nan where all are 0.
    """
    _check_sizes(reference, weights)
    total = weights.sum(dtype=np.float64)
    if total == 0:
        return nan
    error = np.vdot(weights.astype(np.float64), _squared_error(reference, distorted))
    return _decibels(float(error / total))


def psnr_hvs_and_hvsm(reference: np.ndarray, distorted: np.ndarray) -> tuple[float, float]:
    """PSNR-HVS and PSNR-HVS-M: PSNR of 8×8 DCT coefficients as the eye weighs them.

    PSNR-HVS weighs the error by the contrast sensitivity function (Egiazarian et al., 2006);
    PSNR-HVS-M also takes off what the block's own contrast masks (Ponomarenko et al., 2007).
    As in the authors' code, only whole 8×8 blocks count: the rows and columns that the
    height and width have beyond a multiple of 8 are left out.

    Returns
    -------
    tuple of float
        dB; inf where no visible error is left, nan for a side below 8.
    """
    _check_sizes(reference, distorted)
    H, W = (side - side % BLOCK for side in reference.shape)
    if H == 0 or W == 0:
        return nan, nan
    x, y = (image[:H, :W].astype(np.float64) / PEAK for image in (reference, distorted))
    hvs, hvsm = _psnr_hvsm()(x, y)
    return _decibels(hvs, peak=1), _decibels(hvsm, peak=1)


def ssim(reference: np.ndarray, distorted: np.ndarray) -> float:
    """Structural similarity with an 11×11 Gaussian window, σ = 1.5 (Wang et al., 2004).

    Returns
    -------
    float
        At most 1, for identical images; nan for a side below 11.
        https://doi.org/10.1109/TIP.2003.819861
    """
    _check_sizes(reference, distorted)
    return similarity(reference, distorted)[0]


def ms_ssim(reference: np.ndarray, distorted: np.ndarray) -> float:
    """Multi-scale SSIM over five scales (Wang, Simoncelli and Bovik, 2003).

    A product of powers: where a scale's contrast term is negative (images that are
    anticorrelated), its power is complex, and the product's real part is the value.

    Returns
    -------
    float
        At most 1, for identical images; nan for a side below 176, which has no fifth scale.
        https://doi.org/10.1109/ACSSC.2003.1292216
    """
    _check_sizes(reference, distorted)
    return multiscale_similarity(reference, distorted, similarity(reference, distorted))


def vifp(reference: np.ndarray, distorted: np.ndarray) -> float:
    """Visual information fidelity, pixel domain, four scales (Sheikh and Bovik, 2006).

    Returns
    -------
    float
        1 (up to rounding) for identical images, 0 where all information is lost, above 1
        for a higher contrast; nan for a side below 41, and for a reference that is flat.
        https://doi.org/10.1109/TIP.2005.859378
    """
    _check_sizes(reference, distorted)
    return visual_information(reference, distorted)


@cache
def _psnr_hvsm():
    """The library's compiled form; its import prints a notice, which is kept off stdout."""
    with contextlib.redirect_stdout(io.StringIO()):
        from psnr_hvsm import BACKENDS
    return BACKENDS["cpp"]["hvs_hvsm_mse"]


def _psnr_within(reference: np.ndarray, distorted: np.ndarray, region: np.ndarray) -> float:
    """PSNR over the pixels of a region bool [H, W]; nan where it has none."""
    if not region.any():
        return nan
    return _decibels(np.mean(_squared_error(reference, distorted)[region]))


def _squared_error(reference: np.ndarray, distorted: np.ndarray) -> np.ndarray:
    _check_sizes(reference, distorted)
    return np.square(reference.astype(np.int32) - distorted)


def _decibels(mse: float, peak: float = PEAK) -> float:
    return 10 * log10(peak**2 / mse) if mse > 0 else inf


def _check_sizes(first: np.ndarray, second: np.ndarray) -> None:
    if first.shape != second.shape:
        raise ValueError(f"sizes differ: {list(first.shape)} and {list(second.shape)}")
