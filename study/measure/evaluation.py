"""Encoders × images → one tidy table."""

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
import yaml
from PIL import Image
from tqdm import tqdm

from msroi import metrics
from msroi.encoder import BudgetError
from msroi.errors import InputError
from msroi.images import ImageError, read_pixels
from msroi.metrics import JUDGES, METRICS
from msroi.saliency import OWN, SaliencyOf
from study.data.registry import DatasetError
from study.data.sets import ImageSet, Item
from study.data.truths import density, object_masks
from study.measure.encoding import Encodings
from study.measure.journal import Journal
from study.measure.workers import over_cluster, over_cores
from study.params import StudyError

COLUMNS = (  # and psnr_fix or psnr_objects where the set has fixations or masks
    *("image", "category", "width", "height", "method", "quality", "bytes", "budget_bytes"),
    "salient_share",  # of the pixels: those that PSNR-S looks at
    *("psnr", *(metric for metric in METRICS if metric != "psnr")),
)
# Libraries whose version can change a row
LIBRARIES = (
    *("jpeglib", "mozjpeg-lossless-optimization", "pyjpegli", "numba", "numpy", "pillow"),
    *("psnr-hvsm", "scikit-image", "scipy", "ssimulacra2", "onnxruntime", "av"),
)

TRUTH = "truth"  # the map that is what is known of an image: where people looked, or its objects

ROOT = Path(__file__).parents[2]  # the repository

logger = logging.getLogger(__name__)

Methods = Mapping[str, Mapping[str, Any]]


class EvaluationError(InputError, RuntimeError):
    """An evaluation whose rows would not be comparable; the message says why."""


class Evaluation(NamedTuple):
    """A table of `COLUMNS`, and what is wrong with the images that it lacks: name → path: why."""

    table: pd.DataFrame
    broken: dict[str, str]


def evaluate(
    images: ImageSet,
    maps: Mapping[str, SaliencyOf],
    *,
    methods: Methods,
    qualities: Sequence[int] = (50,),
    scale: float = 1,
    jobs: int = -1,
    scheduler: str = "",
    journal: Journal | None = None,
) -> Evaluation:
    """Encode every image of a set by every method at equal bytes, and measure the results.

    The table has one row an image, a quality and a method, in the order given, whatever the
    workers; images that can't be read, or don't fit the budget, are left out and named. Of a set
    with fixations it also has psnr_fix, of one with masks psnr_objects:
    `msroi.metrics.psnr_weighted`, dB. StudyError if a method follows the truth and an image has
    none, or the scale is none; EvaluationError if a cluster's worker has another version of the
    code, ClusterError if there is no such cluster.

    Parameters
    ----------
    maps
        Name → uint8 [H, W, 3] → float32 [H, W] in [0, 1], ``"MS-ROI"`` among them; called in the
        workers, so they can be pickled, and what is pickled decides the maps (`msroi.saliency` has
        some).
    methods
        Name of a row → options of `msroi.encode`, ``method`` among them where the row has another
        name, and two more: ``map``, the name of the map that is followed ("MS-ROI" unless given;
        `TRUTH` for what is known of the image), and ``budget``, which the budget is multiplied by
        (1). A method of `study.codecs.METHODS` has ``method``, ``map`` and ``quality`` alone, that
        of its plain file. PSNR-S is over the salient region of MS-ROI's map for all.
    qualities
        Each method gets at most the bytes of the standard JPEG of each of them; one of another
        codec those of its plain file of its own ``quality``, or else of each of them.
    scale
        What the sides of each image, and of what is known of it, are multiplied by, in (0, 1]. It
        is for photographs that are JPEGs themselves, whose coefficients on multiples of a table's
        steps would otherwise reward any encoder whose steps come near those. One half, one third
        and so on are the means over cells of 2×2, 3×3 … pixels; others are resized to the nearest
        whole side, the image by Pillow's Lanczos filter and the truth by its triangle (`BILINEAR`),
        which has no negative weight.
    jobs, scheduler
        Processes, joblib's way (-1: every core), or the address of a Dask cluster's scheduler.
    journal
        Takes each image's rows as they come. Rows that it already holds of the same image, maps,
        methods and code are not made again.
    """
    _check_scale(scale)
    _check_truths(images, methods)
    one = partial(
        _evaluate_item,
        maps=tuple(maps.items()),
        methods=tuple(methods.items()),
        qualities=tuple(qualities),
        scale=scale,
        upright=images.upright,
        sigma=images.sigma,
        code=code_version(),
    )
    content = cache(_content)  # one file may hold the fixations of all
    keys = {item.name: _key(one, item, content) for item in images} if journal else {}
    kept = journal.read() if journal else {}
    rows = {name: kept[key] for name, key in keys.items() if key in kept}
    missing = [_everywhere(item) for item in images if item.name not in rows]
    if rows:
        logger.info("%s: %d of %d images are done already", images.name, len(rows), len(images))
    if scheduler:
        results = over_cluster(one, missing, address=scheduler)
    else:
        results = over_cores(one, missing, jobs=jobs)
    title, total, done = f"evaluate {images.name}", len(images), len(rows)
    broken = {}
    for name, found, damage in tqdm(results, title, total, unit="image", initial=done):
        if damage:
            broken[name] = damage
            continue
        rows[name] = found
        if journal:
            journal.append(keys[name], found)
    names = [item.name for item in images]
    table = _table(rows[name] for name in names if name in rows)
    return Evaluation(table, {name: broken[name] for name in names if name in broken})


def evaluate_image(
    image: np.ndarray,
    maps: Mapping[str, SaliencyOf],
    *,
    methods: Methods,
    qualities: Sequence[int] = (50,),
    truths: Mapping[str, np.ndarray] | None = None,
) -> list[dict[str, Any]]:
    """Rows of one image uint8 [H, W, 3], without name and category.

    ``truths``: name of a column → weights float [H, W] of its `psnr_weighted`; the first, stretched
    to [0, 1], is the map `TRUTH`. The rest is `evaluate`'s.
    """
    truths = truths or {}
    oracle = {TRUTH: lambda _: stretch(next(iter(truths.values())))} if truths else {}
    drawn = cache(lambda name: (oracle | maps)[name](image))
    share = float(metrics.salient_region(drawn(OWN)).mean())
    reference = metrics.Reference(image, drawn(OWN), truths)
    height, width = image.shape[:2]
    encodings = Encodings(image, drawn)
    rows = []
    for quality in qualities:
        for name, options in methods.items():
            coded = encodings.make(quality, {"method": name} | options)
            row = {"width": width, "height": height, "method": name, "quality": coded.quality}
            row |= {"bytes": coded.size_bytes, "budget_bytes": coded.budget_bytes}
            rows.append(row | {"salient_share": share} | reference.compare(coded.pixels))
    return rows


def evaluate_sizes(
    images: Iterable[np.ndarray], maps: Mapping[str, SaliencyOf], name: str, **options: Any
) -> pd.DataFrame:
    """`evaluate_image` for one image at many sizes (Figure 4), one after the other."""
    named = {"image": name, "category": "size"}
    rows = (
        [named | row for row in evaluate_image(image, maps, **options)]
        for image in tqdm(images, desc="evaluate", unit="size")
    )
    return _table(rows)


def sizes(shape: tuple[int, int], *, count: int, smallest: int) -> list[tuple[int, int]]:
    """``count`` sizes (H, W) from ``shape`` down to a shorter side of ``smallest``, log-evenly."""
    factors = np.geomspace(1, smallest / min(shape), count)
    return [(round(shape[0] * factor), round(shape[1] * factor)) for factor in factors]


def resize(
    image: np.ndarray, size: tuple[int, int], *, filter: int = Image.Resampling.LANCZOS
) -> np.ndarray:
    """Image uint8 [H, W, 3] or float32 [H, W] at another size (H, W), by a filter of Pillow's."""
    return np.array(Image.fromarray(image).resize(size[::-1], filter))


def scaled(values: np.ndarray, scale: float) -> np.ndarray:
    """An image uint8 [H, W, 3] or weights float32 [H, W] at `evaluate`'s ``scale``.

    Of cells those at the right and lower edge may have fewer pixels than the others.
    """
    if (1 / scale).is_integer():
        cell = round(1 / scale)
        return np.array(Image.fromarray(values).reduce(cell)) if cell > 1 else values
    size = tuple(max(1, round(scale * side)) for side in values.shape[:2])
    weights = values.ndim == 2
    by = Image.Resampling.BILINEAR if weights else Image.Resampling.LANCZOS
    return resize(values, size, filter=by)


def stretch(weights: np.ndarray) -> np.ndarray:
    """Weights [H, W] from 0 at their smallest to 1 at their largest; 0 where all are equal."""
    low, high = weights.min(), weights.max()
    span = high - low
    return ((weights - low) / span if span else np.zeros_like(weights)).astype(np.float32)


@cache
def code_version() -> str:
    """Checksum of the code and of the versions of the libraries that decide a row."""
    sources = [(str(path.relative_to(ROOT)), path.read_bytes()) for path in code_files()]
    return joblib.hash((sources, [_version(library) for library in LIBRARIES]))


def _version(library: str) -> str:
    """The version of a library; "" where it is not installed, as PyAV need not be."""
    try:
        return version(library)
    except PackageNotFoundError:
        return ""


def code_files(root: Path = ROOT) -> list[Path]:
    """The project's own code that decides a row: that which dvc.yaml's stage evaluate depends on.

    StudyError if dvc.yaml is not in the folder ``root``.
    """
    try:
        stages = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]
    except OSError:
        raise StudyError(
            f"{root / 'dvc.yaml'} is not here, which names the code that decides a result: "
            "run the study in a clone of its repository"
        ) from None
    listed = stages["evaluate"]["do"]["deps"]
    own = [root / path for path in listed if path.startswith(("msroi/", "study/"))]
    return sorted(
        file for path in own for file in (path.rglob("*.py") if path.is_dir() else [path])
    )


def _evaluate_item(
    item: Item,
    *,
    maps: tuple[tuple[str, SaliencyOf], ...],
    methods: tuple[tuple[str, Mapping[str, Any]], ...],
    qualities: tuple[int, ...],
    scale: float,
    upright: str,
    sigma: float,
    code: str,
) -> tuple[str, list[dict[str, Any]], str]:
    """An image's name, its rows, and what is wrong with it, "" for nothing."""
    if code_version() != code:
        raise EvaluationError(
            "a worker has another version of msroi or its libraries: start the workers anew"
        )
    try:
        image = scaled(read_pixels(item.path, upright=upright), scale)
        truths = {name: scaled(weights, scale) for name, weights in _truths(item, sigma).items()}
        rows = evaluate_image(
            image, dict(maps), methods=dict(methods), qualities=qualities, truths=truths
        )
    except (ImageError, DatasetError) as error:
        return item.name, [], str(error)
    except BudgetError as error:
        return item.name, [], f"{item.path}: {error}"
    return item.name, [{"image": item.name, "category": item.category} | row for row in rows], ""


def _check_scale(scale: float) -> None:
    if not 0 < scale <= 1:
        raise StudyError(f"the scale of a run is {scale}: give one above 0 and at most 1")


def _check_truths(images: ImageSet, methods: Methods) -> None:
    """Refuse a method that follows the truth, where an image has none."""
    led = [name for name, options in methods.items() if options.get("map") == TRUTH]
    without = [item.name for item in images if not (item.fixations or item.objects)]
    if led and without:
        raise StudyError(
            f"{led[0]} follows the truth, and {images.name} has no fixations or objects of "
            f"{without[0]}: take other methods, or a set that has (osie, mit1003, ecssd, coco)"
        )


def _truths(item: Item, sigma: float) -> dict[str, np.ndarray]:
    """What is known of an image, as weights float [H, W]: where people looked, or its objects."""
    if item.fixations:
        return {"psnr_fix": density(item, sigma=sigma)}
    if item.objects:
        return {"psnr_objects": object_masks(item).any(0).astype(np.float32)}
    return {}


def _everywhere(item: Item) -> Item:
    """An item whose paths name the same files from any folder."""
    paths = {name: getattr(item, name) for name in ("path", "fixations", "objects")}
    return replace(item, **{name: path.resolve() for name, path in paths.items() if path})


def _key(one: partial, item: Item, content: Callable[[Path], str]) -> str:
    """Checksum of everything that decides an image's rows."""
    contents = [content(path) for path in (item.path, item.fixations, item.objects) if path]
    return joblib.hash((one, item.name, item.category, contents))


def _content(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return "unreadable"  # and so without rows


def _table(rows_of_images: Iterable[list[dict[str, Any]]]) -> pd.DataFrame:
    rows = [row for rows in rows_of_images for row in rows]
    known = [name for name in JUDGES if any(name in row for row in rows)]
    return pd.DataFrame(rows, columns=[*COLUMNS, *known])
