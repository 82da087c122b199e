"""What the explorer does at every move: a photo, a map and settings → a JPEG, its error, numbers.

`msroi.panel` is its front: widgets that call this.
"""

from collections.abc import Callable, Mapping
from math import sqrt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from PIL import Image

from msroi import metrics
from msroi.encoder import encode
from msroi.images import ImageError, decode, luma, read_image, read_map
from msroi.metrics import SALIENT

METHODS = ("direct", "mosaic", "standard")
QUICK = ("psnr_s", "psnr", "psnr_hvs", "psnr_hvsm", "ssim")  # a tenth of a second for 768×512
AMPLIFIED = 10  # times: an error of 25.5 levels or more is white
LARGEST = 2**20  # pixels that a step can do in about a second
SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


class Photo(NamedTuple):
    """A photograph as the explorer shows it.

    Attributes
    ----------
    pixels : uint8 [H, W, 3]
        At most `LARGEST` of them: scaled down where the file has more.
    shape : (int, int)
        Height and width of the file's image, upright.
    """

    pixels: np.ndarray
    shape: tuple[int, int]


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
        Absolute luma error, times `AMPLIFIED`: black is none, white 25.5 levels of 255 or more.
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
    options = {
        "direct": {"strength": strength},
        "mosaic": {"levels": k, "q_low": q_low, "q_high": q_high},
    }
    budget = len(encode(photo, method="standard", quality=quality))
    data = encode(photo, saliency, method=method, quality=quality, **options.get(method, {}))
    pixels = decode(data)
    x, y = luma(photo), luma(pixels)
    return Step(data, budget, pixels, error_image(x, y), _quick_metrics(x, y, saliency))


def error_image(reference: np.ndarray, distorted: np.ndarray) -> np.ndarray:
    """Absolute error times `AMPLIFIED`, cut at 255: uint8 [H, W] of two lumas uint8 [H, W]."""
    error = np.abs(reference.astype(np.int32) - distorted)
    return np.minimum(AMPLIFIED * error, 255).astype(np.uint8)


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


def pictures_in(folder: str | Path) -> dict[str, Path]:
    """The image files of a folder by their names, sorted."""
    found = sorted(Path(folder).iterdir())
    return {path.name: path for path in found if path.suffix.lower() in SUFFIXES}


def read_photo(path: str | Path) -> Photo:
    """Read a photograph and scale it down to `LARGEST` pixels; ImageError as `read_image`."""
    pixels = read_image(path).pixels
    return Photo(fitted(pixels), pixels.shape[:2])


def map_reader(photo: Photo) -> Callable[[Path], np.ndarray]:
    """path → the map float32 [H, W] of a photograph, drawn at the size of its file."""
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


def spot(shape: tuple[int, int], brush: tuple[float, float, float]) -> np.ndarray:
    """One touch of a soft brush.

    Parameters
    ----------
    shape : (H, W)
    brush : (x, y, radius)
        Centre in pixels from the left and from the top; the radius within which the touch is
        salient (above 3/5). The touch falls off as a Gaussian.

    Returns
    -------
    float32 [H, W] in [0, 1]
    """
    return np.float32(SALIENT) ** (_distance(shape, brush) ** 2)


def add(saliency: np.ndarray, touch: np.ndarray) -> np.ndarray:
    """A map with a touch laid over it: what was left to 1 shrinks by the touch."""
    return 1 - (1 - saliency) * (1 - touch)


def erase(saliency: np.ndarray, touch: np.ndarray) -> np.ndarray:
    """A map with a touch rubbed out of it."""
    return saliency * (1 - touch)


def map_picture(saliency: np.ndarray, brush: tuple[float, float, float]) -> np.ndarray:
    """A map in the colours of the study's figures, 0 black and 1 light, with the brush's ring.

    Returns
    -------
    uint8 [H, W, 3]
    """
    colours = (255 * mpl.colormaps["magma"](np.arange(256))[:, :3]).astype(np.uint8)
    picture = colours[np.rint(255 * saliency).astype(np.uint8)]
    width = 1.5 / brush[2]
    off = _distance(saliency.shape, brush) - 1
    picture[(off >= 0) & (off < width)] = 255
    picture[(off < 0) & (off >= -width)] = 0
    return picture


def _distance(shape: tuple[int, int], brush: tuple[float, float, float]) -> np.ndarray:
    """Distance of each pixel from the brush's centre, in radii: float32 [H, W]."""
    H, W = shape
    x, y, radius = brush
    across = (np.arange(W, dtype=np.float32) - x) / radius
    down = (np.arange(H, dtype=np.float32) - y) / radius
    return np.hypot(down[:, None], across)


def _quick_metrics(x: np.ndarray, y: np.ndarray, saliency: np.ndarray) -> dict[str, float]:
    hvs, hvsm = metrics.psnr_hvs_and_hvsm(x, y)
    values = {"psnr_s": metrics.psnr_s(x, y, saliency), "psnr": metrics.psnr(x, y)}
    return values | {"psnr_hvs": hvs, "psnr_hvsm": hvsm, "ssim": metrics.ssim(x, y)}
