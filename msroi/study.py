"""Encoders × images → one tidy table, and the comparisons that the figures draw."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from PIL import Image
from tqdm import tqdm

from msroi import metrics
from msroi.datasets import ImageSet, Item
from msroi.encoder import encode_detailed
from msroi.images import decode, read_pixels

METRICS = ("psnr_s", "psnr", "psnr_hvs", "psnr_hvsm", "ssim", "ms_ssim", "vifp")
COLUMNS = (
    *("image", "category", "width", "height", "method", "quality", "bytes", "budget_bytes"),
    *("psnr", "psnr_s", "psnr_hvs", "psnr_hvsm", "ssim", "ms_ssim", "vifp"),
)

SaliencyOf = Callable[[np.ndarray], np.ndarray]
Methods = Mapping[str, Mapping[str, Any]]


def evaluate(
    images: ImageSet,
    saliency_of: SaliencyOf,
    *,
    methods: Methods,
    quality: int = 50,
    jobs: int = -1,
) -> pd.DataFrame:
    """Encode every image of a set by every method at equal bytes, and measure the results.

    Parameters
    ----------
    images
        Their names and categories are the table's.
    saliency_of
        uint8 [H, W, 3] → float32 [H, W] in [0, 1]; called here, so that only one process holds
        the network, while the others encode and measure.
    methods
        Name that `msroi.encode` takes → its options. Each gets at most the bytes of the standard
        JPEG of ``quality``; PSNR-S is over the same mask for all.
    jobs
        Processes, joblib's way: -1 is every core.

    Returns
    -------
    DataFrame of `COLUMNS`, one row an image and a method, in the order given.
    """
    pixels = (read_pixels(item.path, upright=images.upright) for item in images)
    tasks = (
        delayed(_evaluate_item)(item, image, saliency_of(image), methods, quality)
        for item, image in zip(images, pixels, strict=True)
    )
    rows = Parallel(n_jobs=jobs, return_as="generator", max_nbytes=None)(tasks)
    return _table(tqdm(rows, total=len(images), desc=f"evaluate {images.name}", unit="image"))


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


def paired_difference(table: pd.DataFrame, *, baseline: str = "standard") -> pd.DataFrame:
    """Each image's metrics less those of the baseline on the same image at the same size.

    Returns
    -------
    DataFrame like ``table`` without the baseline's rows; in its `METRICS` columns differences
    (dB, or the index's own unit; positive is better than the baseline).
    """
    keys = ["image", "category", "width", "height"]
    indexed = table.set_index([*keys, "method"])[list(METRICS)]
    reference = indexed.xs(baseline, level="method")
    rest = indexed.drop(baseline, level="method")
    return (rest - reference.reindex(rest.index.droplevel("method")).to_numpy()).reset_index()


def means(table: pd.DataFrame) -> pd.DataFrame:
    """Mean of each metric for each method, a row a method (Table 1)."""
    return table.groupby("method", sort=False)[list(METRICS)].mean()


def beside_paper(paper: pd.DataFrame, results: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The paper's Table 1 above ours.

    Parameters
    ----------
    paper
        Columns set, method, images and `METRICS`.
    results
        Title of a set → its tidy table.

    Returns
    -------
    DataFrame like ``paper`` with one more column, source: "paper" or "ours".
    """
    ours = [
        means(table).reset_index().assign(set=title, images=table["image"].nunique())
        for title, table in results.items()
    ]
    columns = ["source", "set", "method", "images", *METRICS]
    sources = [paper.assign(source="paper"), *(table.assign(source="ours") for table in ours)]
    return pd.concat(sources, ignore_index=True)[columns]


def most_salient_box(saliency: np.ndarray, side: int) -> tuple[slice, slice]:
    """The square (rows, columns) of ``side`` pixels whose mean saliency is largest.

    A side of the image that is shorter than ``side`` is taken whole; of equals the first.
    """
    height, width = (min(side, length) for length in saliency.shape)
    total = np.pad(saliency.astype(np.float64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    sums = (
        total[height:, width:]
        - total[:-height, width:]
        - total[height:, :-width]
        + total[:-height, :-width]
    )
    top, left = np.unravel_index(sums.argmax(), sums.shape)
    return slice(int(top), int(top) + height), slice(int(left), int(left) + width)


def summary(table: pd.DataFrame) -> dict[str, Any]:
    """What `dvc metrics show` prints of a set: images, and each method's means."""
    share = table["bytes"] / table["budget_bytes"]
    by_method = means(table).assign(budget_share=share.groupby(table["method"]).mean())
    rounded = by_method.round(4).to_dict("index")
    return {"images": int(table.groupby(["image", "category", "width"]).ngroups), **rounded}


def objects_found(
    scenes: Iterable[tuple[str, np.ndarray, np.ndarray]], maps: Mapping[str, SaliencyOf]
) -> pd.DataFrame:
    """Which objects each map finds: mean saliency inside the mask above the whole image's mean.

    Parameters
    ----------
    scenes
        (name, image uint8 [H, W, 3], label image [H, W]: 0 background, i the i-th object).
    maps
        Name of a map → how to make it.

    Returns
    -------
    DataFrame: scene, objects (how many the scene holds), object (1…), map, inside (mean saliency
    in the mask), everywhere (mean of the image), found.
    """
    return pd.DataFrame([row for scene in scenes for row in _found_in_scene(*scene, maps)])


def share_found(found: pd.DataFrame) -> pd.DataFrame:
    """Share of objects found, a row for each number of objects in the scene, a column a map."""
    return found.pivot_table(index="objects", columns="map", values="found", aggfunc="mean")


def _evaluate_item(
    item: Item, image: np.ndarray, saliency: np.ndarray, methods: Methods, quality: int
) -> list[dict[str, Any]]:
    rows = evaluate_image(image, saliency, methods=methods, quality=quality)
    return [{"image": item.name, "category": item.category} | row for row in rows]


def _found_in_scene(
    name: str, image: np.ndarray, masks: np.ndarray, maps: Mapping[str, SaliencyOf]
) -> Iterator[dict[str, Any]]:
    count = int(masks.max())
    for map_name, saliency_of in maps.items():
        saliency = saliency_of(image)
        everywhere = float(saliency.mean())
        for index in range(1, count + 1):
            inside = float(saliency[masks == index].mean())
            row = {"scene": name, "objects": count, "object": index, "map": map_name}
            yield row | {"inside": inside, "everywhere": everywhere, "found": inside > everywhere}


def _table(rows_of_images: Iterable[list[dict[str, Any]]]) -> pd.DataFrame:
    rows = [row for rows in rows_of_images for row in rows]
    return pd.DataFrame(rows, columns=list(COLUMNS))
