"""A photograph under exploration: its maps, drawn or painted, and the JPEGs of its settings."""

from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw
from scipy.ndimage import distance_transform_edt

from msroi import metrics
from msroi.encoder import METHODS, encode
from msroi.images import decode, luma, read_image, read_map
from msroi.metrics import METRICS

LARGEST = 2**20  # pixels for which a step takes about two seconds
SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
PAINTED, UPLOADED = "painted", "uploaded"
DARKEST = 0.2  # share of a photograph's light that is left where its map is 0
AMPLIFIED = 10  # times: an error of 25.5 levels or more is white

DrawMap = Callable[[np.ndarray], np.ndarray]  # image → map


class Photo(NamedTuple):
    """A photograph as the explorer shows it."""

    pixels: np.ndarray  # uint8 [H, W, 3], scaled down where the file has more than `LARGEST`
    shape: tuple[int, int]  # height and width of the file's own image, upright


def touch(shape: tuple[int, int], path: Sequence[tuple[float, float]], radius: float) -> np.ndarray:
    """Return a stroke of a soft round brush along a path of (x, y): float32 [H, W] in [0, 1].

    It is 1 − d² where the path is d radii away, and touches nothing beyond one. All in pixels.
    """
    trace = Image.new("L", (shape[1], shape[0]), 255)
    drawing = ImageDraw.Draw(trace)
    drawing.point(path, fill=0)
    drawing.line(path, fill=0)
    if np.asarray(trace).all():  # the path lies outside
        return np.zeros(shape, np.float32)
    distance = distance_transform_edt(np.asarray(trace)) / radius
    return np.maximum(1 - np.square(distance), 0).astype(np.float32)


def lit(photo: np.ndarray, saliency: np.ndarray) -> np.ndarray:
    """Draw a map [H, W] as light on its photograph: all of it at 1, `DARKEST` at 0."""
    light = DARKEST + (1 - DARKEST) * saliency
    return np.rint(photo * light[:, :, None]).astype(np.uint8)


class Step(NamedTuple):
    """What one choice of settings comes to."""

    data: bytes  # the JPEG file
    budget_bytes: int  # the size of the standard JPEG of the quality that was asked for
    pixels: np.ndarray  # the file decoded: uint8 [H, W, 3]
    difference: np.ndarray  # the `error_image` of the two lumas: uint8 [H, W]
    values: dict[str, float]  # metrics that take 0.3 s at most for 768×512, by their keys


def step(
    photo: np.ndarray,
    saliency: np.ndarray,
    *,
    method="direct",
    quality: int = 50,
    **settings: float,
) -> Step:
    """Encode at the bytes of the standard JPEG of a quality (1 to 100), decode, and compare.

    The photo is uint8 [H, W, 3], the map float [H, W] in [0, 1], the method one of
    `msroi.encoder.OFFERED`. It heeds those of the settings that are options of its own, see
    `msroi.encode`, whose errors are raised; TypeError for a setting that no method has.
    """
    if unknown := set(settings) - {name for each in METHODS.values() for name in each.options}:
        raise TypeError(f"no method has a setting {', '.join(sorted(unknown))}")
    options = {name: value for name, value in settings.items() if name in METHODS[method].options}
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
        "ssimulacra2": metrics.ssimulacra2(photo, pixels),
    }
    return Step(data, budget, pixels, error_image(x, y), values)


def error_image(reference: np.ndarray, distorted: np.ndarray) -> np.ndarray:
    """Return the absolute error of uint8 [H, W] times `AMPLIFIED`: white from 25.5 of 255 on."""
    error = np.abs(reference.astype(np.int32) - distorted)
    return np.minimum(AMPLIFIED * error, 255).astype(np.uint8)


class Subject:
    """A photograph whose maps, and whose standard JPEGs, are made once.

    Beside ``maps`` it has a map ``"painted"``, black at first, and one ``"uploaded"``.
    """

    def __init__(self, photo: Photo, maps: Mapping[str, DrawMap]) -> None:
        self.photo, self.shape, self._maps = photo, photo.pixels.shape[:2], maps
        self._drawn = {PAINTED: np.zeros(self.shape, np.float32)}
        self._standards: dict[tuple[str, int], Step] = {}

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


def table(steps: Mapping[str, Step]) -> pd.DataFrame:
    """Return a row for each of the steps, whose keys are their methods.

    Columns: ``method``, ``bytes``, ``budget_bytes``, and the metrics of `Step.values`.
    """
    rows = [
        {"method": method, "bytes": len(each.data), "budget_bytes": each.budget_bytes} | each.values
        for method, each in steps.items()
    ]
    return pd.DataFrame(rows)


def numbers(made: pd.DataFrame, salient: np.ndarray) -> str:
    """Write a `table` of steps as HTML: the bytes in two lines, and a row for each metric.

    The map's `msroi.metrics.salient_region` [H, W] is what PSNR-S looks at.
    """
    own = made.iloc[-1]
    said = (
        f"<b>{own['method']}</b> takes <b>{own['bytes']:,}</b> of {own['budget_bytes']:,} bytes:"
        f"<br>{own['bytes'] / own['budget_bytes']:.1%} of the budget, "
        f"{8 * own['bytes'] / salient.size:.2f} bits a pixel"
        f"<br>PSNR-S is over {salient.mean():.0%} of the pixels"
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
