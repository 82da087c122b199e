"""One step of the explorer: a photo, a map and settings → a JPEG, its error, its numbers."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from msroi import metrics
from msroi.encoder import METHODS, encode
from msroi.images import decode, luma
from msroi.metrics import METRICS

AMPLIFIED = 10  # times: an error of 25.5 levels or more is white


class Step(NamedTuple):
    """What one choice of settings comes to.

    Attributes
    ----------
    data : bytes
        The JPEG file.
    budget_bytes : int
        The size of the standard JPEG of the quality that was asked for.
    pixels : uint8 [H, W, 3]
        The file decoded.
    difference : uint8 [H, W]
        The `error_image` of the two lumas.
    values : dict
        The metrics that take a tenth of a second for 768×512, by their keys in `msroi.metrics`.
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
    levels: int = 5,
    q_low: int = 30,
    q_high: int = 70,
) -> Step:
    """Encode at the bytes of the standard JPEG of a quality, decode, and compare.

    Parameters
    ----------
    photo : uint8 [H, W, 3]
    saliency : float [H, W] in [0, 1]
    method : str
        One of `msroi.encoder.OFFERED`. ``"direct"`` heeds `strength`, ``"mosaic"`` heeds `levels`,
        `q_low` and `q_high`, and the others none of these; see `msroi.encode`.
    quality : int
        1 to 100: sets the budget.

    Raises
    ------
    BudgetError, ValueError
        As `msroi.encode`.
    """
    given = {"strength": strength, "levels": levels, "q_low": q_low, "q_high": q_high}
    options = {name: value for name, value in given.items() if name in METHODS[method].options}
    budget = len(encode(photo, method="standard", quality=quality))
    data = encode(photo, saliency, method=method, quality=quality, **options)
    pixels = decode(data)
    x, y = luma(photo), luma(pixels)
    hvs, hvsm = metrics.psnr_hvs_and_hvsm(x, y)
    values = {
        "psnr_s": metrics.psnr_s(x, y, saliency),
        "psnr": metrics.psnr(x, y),
        "psnr_hvs": hvs,
        "psnr_hvsm": hvsm,
        "ssim": metrics.ssim(x, y),
    }
    return Step(data, budget, pixels, error_image(x, y), values)


def error_image(reference: np.ndarray, distorted: np.ndarray) -> np.ndarray:
    """Return the absolute error of uint8 [H, W] times `AMPLIFIED`: white from 25.5 of 255 on."""
    error = np.abs(reference.astype(np.int32) - distorted)
    return np.minimum(AMPLIFIED * error, 255).astype(np.uint8)


def table(steps: Mapping[str, Step]) -> pd.DataFrame:
    """Return a row for each of the steps, whose keys are their methods.

    Columns: ``method``, ``bytes``, ``budget_bytes``, and the metrics of `Step.values`.
    """
    rows = [
        {"method": method, "bytes": len(each.data), "budget_bytes": each.budget_bytes} | each.values
        for method, each in steps.items()
    ]
    return pd.DataFrame(rows)


def numbers(made: pd.DataFrame, pixels: int) -> str:
    """Write a `table` of steps as HTML: the bytes in two lines, and a row for each metric."""
    own = made.iloc[-1]
    said = (
        f"<b>{own['method']}</b> takes <b>{own['bytes']:,}</b> of {own['budget_bytes']:,} bytes:"
        f"<br>{own['bytes'] / own['budget_bytes']:.1%} of the budget, "
        f"{8 * own['bytes'] / pixels:.2f} bits a pixel"
    )
    values = made.set_index("method")[[name for name in METRICS if name in made]].T
    values["difference"] = values.iloc[:, -1] - values.iloc[:, 0]
    shown = values.style.set_table_styles(
        [
            {"selector": "th", "props": "text-align: left; font-weight: normal"},
            {"selector": "td, th.col_heading", "props": "text-align: right; padding-left: 0.8em"},
        ]
    )
    for name in values.index:
        digits = METRICS[name].digits
        # nan: no pixel is salient, or the image is smaller than the metric's window
        shown.format(f"{{:.{digits}f}}", na_rep="–", subset=([name], slice(None)))
        shown.format(f"{{:+.{digits}f}}", na_rep="–", subset=([name], ["difference"]))
    shown.format_index(lambda name: ", ".join(filter(None, METRICS[name][:2])))  # label, unit
    return said + shown.to_html()
