"""Encoders × images → one tidy table."""

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
import torch
from PIL import Image
from tqdm import tqdm

from msroi import metrics
from msroi.datasets import ImageSet, Item
from msroi.encoder import BudgetError, encode_detailed
from msroi.images import ImageError, decode, read_pixels
from msroi.journal import Journal
from msroi.model import Network, load_model
from msroi.saliency import saliency_map
from msroi.workers import over_cluster, over_cores

COLUMNS = (
    *("image", "category", "width", "height", "method", "quality", "bytes", "budget_bytes"),
    *("psnr", "psnr_s", "psnr_hvs", "psnr_hvsm", "ssim", "ms_ssim", "vifp"),
)
# Libraries whose version can change a row
LIBRARIES = (
    *("jpeglib", "mozjpeg-lossless-optimization", "numba", "numpy", "pillow"),
    *("psnr-hvsm", "scipy", "torch"),
)

logger = logging.getLogger(__name__)

SaliencyOf = Callable[[np.ndarray], np.ndarray]
Methods = Mapping[str, Mapping[str, Any]]


class EvaluationError(RuntimeError):
    """An evaluation whose rows would not be comparable; the message says why."""


class Evaluation(NamedTuple):
    """A table of `COLUMNS`, and what is wrong with the images that it lacks: name → path: why."""

    table: pd.DataFrame
    broken: dict[str, str]


def evaluate(
    images: ImageSet,
    saliency_of: SaliencyOf,
    *,
    methods: Methods,
    quality: int = 50,
    jobs: int = -1,
    scheduler: str = "",
    journal: Journal | None = None,
) -> Evaluation:
    """Encode every image of a set by every method at equal bytes, and measure the results.

    Parameters
    ----------
    images
        Their names and categories are the table's.
    saliency_of
        uint8 [H, W, 3] → float32 [H, W] in [0, 1]; called in the workers, so it can be pickled,
        and what is pickled decides its maps (`mapper` makes one).
    methods
        Name that `msroi.encode` takes → its options. Each gets at most the bytes of the standard
        JPEG of ``quality``; PSNR-S is over the same mask for all.
    jobs
        Processes, joblib's way: -1 is every core.
    scheduler
        Address of a Dask scheduler, whose cluster is worked on instead.
    journal
        Takes each image's rows as they come. Rows that it already holds of the same image, maps,
        methods and code are not made again.

    Returns
    -------
    Evaluation
        One row an image and a method, in the order given, whatever the workers; images that can't
        be read, or don't fit the budget, are left out and named.

    Raises
    ------
    EvaluationError, ClusterError
        A cluster's worker has another version of the code, or there is no such cluster.
    """
    one = partial(
        _evaluate_item,
        **{"saliency_of": saliency_of, "methods": tuple(methods.items()), "quality": quality},
        **{"upright": images.upright, "code": code_version()},
    )
    keys = {item.name: _key(one, item) for item in images} if journal else {}
    rows = _known(journal, keys) if journal else {}
    missing = [replace(i, path=i.path.resolve()) for i in images if i.name not in rows]
    spread = (
        partial(over_cluster, address=scheduler) if scheduler else partial(over_cores, jobs=jobs)
    )
    if rows:
        logger.info("%s: %d of %d images are done already", images.name, len(rows), len(images))
    bar = {"desc": f"evaluate {images.name}", "total": len(images), "initial": len(rows)}
    broken = {}
    for name, found, damage in tqdm(spread(one, missing), unit="image", **bar):
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
    saliency: np.ndarray,
    *,
    methods: Methods,
    quality: int = 50,
) -> list[dict[str, Any]]:
    """Rows of one image uint8 [H, W, 3] under its map float [H, W], without name and category."""
    height, width = image.shape[:2]
    budget = len(encode_detailed(image, method="standard", quality=quality).data)
    rows = []
    for method, options in methods.items():
        encoded = encode_detailed(image, saliency, method=method, quality=quality, **options)
        row = {"width": width, "height": height, "method": method, "quality": encoded.quality}
        row |= {"bytes": len(encoded.data), "budget_bytes": budget}
        rows.append(row | metrics.compare(image, decode(encoded.data), saliency))
    return rows


def evaluate_sizes(
    images: Iterable[np.ndarray], saliency_of: SaliencyOf, name: str, **options: Any
) -> pd.DataFrame:
    """`evaluate_image` for one image at many sizes (Figure 4), one after the other."""
    named = {"image": name, "category": "size"}
    rows = (
        [named | row for row in evaluate_image(image, saliency_of(image), **options)]
        for image in tqdm(images, desc="evaluate", unit="size")
    )
    return _table(rows)


def sizes(shape: tuple[int, int], *, count: int, smallest: int) -> list[tuple[int, int]]:
    """``count`` sizes (H, W) from ``shape`` down to a shorter side of ``smallest``, log-evenly."""
    factors = np.geomspace(1, smallest / min(shape), count)
    return [(round(shape[0] * factor), round(shape[1] * factor)) for factor in factors]


def resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Image uint8 [H, W, 3] at another size (H, W), by Pillow's Lanczos filter."""
    return np.array(Image.fromarray(image).resize(size[::-1], Image.Resampling.LANCZOS))


def mapper(checkpoint: str | Path, **settings: Any) -> SaliencyOf:
    """image → its `saliency_map` by a checkpoint, as `evaluate` takes it.

    What is pickled is the checkpoint's path and checksum: each process loads the network once.

    Parameters
    ----------
    checkpoint
        A path, or ``"released"``.
    **settings
        Of `saliency_map`.

    Raises
    ------
    CheckpointError
        As `load_model`.
    """
    path = checkpoint if checkpoint == "released" else str(Path(checkpoint).resolve())
    return partial(_map, checkpoint=path, checksum=_checksum(load_model(path)), **settings)


@cache
def code_version() -> str:
    """Checksum of this package's modules and of the libraries that decide a row."""
    package = Path(__file__).parent
    sources = [(str(p.relative_to(package)), p.read_bytes()) for p in package.rglob("*.py")]
    return joblib.hash((sorted(sources), [version(library) for library in LIBRARIES]))


def _evaluate_item(
    item: Item,
    *,
    saliency_of: SaliencyOf,
    methods: tuple[tuple[str, Mapping[str, Any]], ...],
    quality: int,
    upright: str,
    code: str,
) -> tuple[str, list[dict[str, Any]], str]:
    """An image's name, its rows, and what is wrong with it, "" for nothing."""
    if code_version() != code:
        raise EvaluationError(
            "a worker has another version of msroi or its libraries: start the workers anew"
        )
    try:
        image = read_pixels(item.path, upright=upright)
        rows = evaluate_image(image, saliency_of(image), methods=dict(methods), quality=quality)
    except ImageError as error:
        return item.name, [], str(error)
    except BudgetError as error:
        return item.name, [], f"{item.path}: {error}"
    return item.name, [{"image": item.name, "category": item.category} | row for row in rows], ""


def _key(one: partial, item: Item) -> str:
    """Checksum of everything that decides an image's rows."""
    try:
        content = hashlib.sha256(item.path.read_bytes()).hexdigest()
    except OSError:
        content = "unreadable"  # and so without rows
    return joblib.hash((one, item.name, item.category, content))


def _known(journal: Journal, keys: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    """Rows that the journal holds, by the image's name."""
    results = journal.read()
    return {name: results[key] for name, key in keys.items() if key in results}


def _map(image: np.ndarray, *, checkpoint: str, checksum: str, **settings: Any) -> np.ndarray:
    with _one_thread():
        return saliency_map(image, _network(checkpoint, checksum), **settings)


@cache
def _network(checkpoint: str, checksum: str) -> Network:
    network = load_model(checkpoint)
    if _checksum(network) != checksum:
        raise EvaluationError(f"{checkpoint} has changed since the evaluation began: run it again")
    return network


def _checksum(network: Network) -> str:
    weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    return joblib.hash((network.architecture, network.metadata, weights))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Torch on one thread: on more, its sums have other last digits, and so have the maps."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _table(rows_of_images: Iterable[list[dict[str, Any]]]) -> pd.DataFrame:
    rows = [row for rows in rows_of_images for row in rows]
    return pd.DataFrame(rows, columns=list(COLUMNS))
