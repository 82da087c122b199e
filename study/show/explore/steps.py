"""One step of the explorer: a photo, a map and settings → a JPEG, its error, its numbers."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from msroi import metrics
from msroi.encoder import METHODS, encode
from msroi.images import decode, luma

QUICK = ("psnr_s", "psnr", "psnr_hvs", "psnr_hvsm", "ssim")  # a tenth of a second for 768×512
AMPLIFIED = 10  # times: an error of 25.5 levels or more is white


class Step(NamedTuple):
    """What one choice of settings comes to.

    Attributes
    ----------
    data : bytes
        The JPEG file.
    budget_bytes : int
        Of the standard JPEG of the quality that was asked for.
    pixels : uint8 [H, W, 3]
        The file decoded.
    difference : uint8 [H, W]
        `error_image` of the two lumas.
    values : dict
        The metrics of `QUICK`, see `msroi.metrics`.
    """

    data: bytes
    budget_bytes: int
    pixels: np.ndarray
    difference: np.ndarray
    values: dict[str, float]


def step(
    photo: np.ndarray,
    saliency: np.ndarray,
    *,
    method: str = "direct",
    quality: int = 50,
    strength: float = 3.0,
    k: int = 5,
    q_low: int = 30,
    q_high: int = 70,
) -> Step:
    """Encode at the bytes of the standard JPEG of a quality, decode, and compare.

    Parameters
    ----------
    photo : uint8 [H, W, 3]
    saliency : float [H, W] in [0, 1]
    method : str
        ``"direct"``, which heeds `strength`; ``"mosaic"``, which heeds `k`, `q_low` and `q_high`;
        or ``"standard"``. See `msroi.encode`.
    quality : int
        1 to 100: sets the budget.

    Raises
    ------
    BudgetError, ValueError
        As `msroi.encode`.
    """
    given = {"strength": strength, "levels": k, "q_low": q_low, "q_high": q_high}
    options = {name: value for name, value in given.items() if name in METHODS[method].options}
    budget = len(encode(photo, method="standard", quality=quality))
    data = encode(photo, saliency, method=method, quality=quality, **options)
    pixels = decode(data)
    x, y = luma(photo), luma(pixels)
    return Step(data, budget, pixels, error_image(x, y), quick_metrics(x, y, saliency))


def error_image(reference: np.ndarray, distorted: np.ndarray) -> np.ndarray:
    """Absolute error times `AMPLIFIED`, on a scale that is the same for every picture.

    Parameters
    ----------
    reference, distorted : uint8 [H, W]

    Returns
    -------
    uint8 [H, W]
        Black is no error, white 25.5 levels of 255 or more.
    """
    error = np.abs(reference.astype(np.int32) - distorted)
    return np.minimum(AMPLIFIED * error, 255).astype(np.uint8)


def quick_metrics(
    reference: np.ndarray, distorted: np.ndarray, saliency: np.ndarray
) -> dict[str, float]:
    """Those of `QUICK`, of lumas uint8 [H, W] and a map float [H, W]."""
    hvs, hvsm = metrics.psnr_hvs_and_hvsm(reference, distorted)
    values = (
        metrics.psnr_s(reference, distorted, saliency),
        metrics.psnr(reference, distorted),
        hvs,
        hvsm,
        metrics.ssim(reference, distorted),
    )
    return dict(zip(QUICK, values, strict=True))


def table(steps: Mapping[str, Step]) -> pd.DataFrame:
    """A row for each of the steps, which have their method's name as key.

    Returns
    -------
    DataFrame
        ``method``, ``bytes``, ``budget_bytes``, and the metrics of `QUICK`.
    """
    rows = [
        {"method": method, "bytes": len(each.data), "budget_bytes": each.budget_bytes} | each.values
        for method, each in steps.items()
    ]
    return pd.DataFrame(rows)
