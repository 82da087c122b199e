"""Encoders at equal bytes on the Kodak images: the tables behind the README's claims.

    python benchmarks/kodak.py --data FOLDER [--model released] [--frontier] [--curves]

FOLDER holds kodak/kodim01.png … (default: $MSROI_DATA). Every file takes at most the bytes of
the standard JPEG of quality 50, and is opened with Pillow and simplejpeg; the last columns say
how much of the budget the least full file of each method takes, and how many take below 99%.
Without --model the maps are soft spots drawn by a seed, so that the encoder is measured apart
from the network.
"""

import argparse
import os
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import simplejpeg
from joblib import Parallel, delayed
from PIL import Image

from msroi import metrics
from msroi.encoder import encode
from msroi.encoder.budget import SHARE_ACCEPTED
from msroi.encoder.tables import TUNES
from msroi.images import decode, luma, read_image
from study.statistics.rates import bd_rates

METHODS = {
    "standard": {"method": "standard"},
    "standard-optimized": {"method": "standard-optimized"},
    "mozjpeg": {"method": "mozjpeg"},
    "mosaic": {"method": "mosaic"},
    **{f"direct-flat {tune}": {"method": "direct-flat", "tune": tune} for tune in TUNES},
    "direct": {"method": "direct"},
}
FRONTIER = {
    f"{tune} {strength:g}": {"method": "direct", "tune": tune, "strength": strength}
    for tune in TUNES  # a table and the weights of an error each
    for strength in (0, 1, 2, 3, 4, 5)
}
CURVES = {name: METHODS[name] for name in ("standard", "mozjpeg", "direct-flat balanced", "direct")}
CURVE_QUALITIES = range(20, 91, 10)
QUICK = ["psnr", "psnr_s", "psnr_hvs", "psnr_hvsm", "ssim"]  # the others take seconds an image


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("MSROI_DATA"))
    parser.add_argument("--model", help="network (.onnx) that draws the maps, or 'released'")
    parser.add_argument("--images", type=int, default=24, help="how many, from the first")
    parser.add_argument("--jobs", type=int, default=-1)
    parser.add_argument("--frontier", action="store_true", help="strengths and tunes")
    parser.add_argument("--curves", action="store_true", help="BD-rates over qualities 20 to 90")
    options = parser.parse_args()
    if options.data is None:
        parser.error("name the folder that holds kodak/ with --data or MSROI_DATA")
    paths = sorted(Path(options.data, "kodak").glob("kodim*.png"))[: options.images]
    evaluate = partial(_evaluate, paths, _map_source(options.model), options.jobs)
    pd.set_option("display.width", 160, "display.max_columns", None)
    pd.set_option("display.max_rows", None, "display.float_format", "{:.4f}".format)
    if options.frontier:
        print(_against(evaluate({**CURVES, **FRONTIER}, [50], QUICK)), "\n")
    elif options.curves:
        print(_bd_rates(evaluate(CURVES, CURVE_QUALITIES, QUICK)))
    else:
        print(_against(evaluate(METHODS, [50], [*QUICK, "ms_ssim", "vifp"])))


def soft_spots(pixels: np.ndarray) -> np.ndarray:
    """Two round spots that fade out, at places that the image's size and sum decide."""
    H, W = pixels.shape[:2]
    rng = np.random.default_rng([H, W, int(pixels.sum())])
    y, x = np.mgrid[:H, :W]
    spots = np.zeros((H, W))
    for _ in range(2):
        cy, cx = H * rng.uniform(0.3, 0.7), W * rng.uniform(0.3, 0.7)
        radius = min(H, W) * rng.uniform(0.15, 0.3)
        spots = np.maximum(spots, np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * radius**2)))
    return (spots / spots.max()).astype(np.float32)


def _map_source(name: str | None):
    if name is None:
        return soft_spots
    from msroi.saliency import network_map

    return network_map(name)


def _evaluate(paths, saliency_of, jobs, methods, qualities, names) -> pd.DataFrame:
    task = delayed(_evaluate_image)
    tasks = (task(path, saliency_of, methods, qualities, names) for path in paths)
    return pd.DataFrame([row for rows in Parallel(n_jobs=jobs)(tasks) for row in rows])


def _evaluate_image(path, saliency_of, methods, qualities, names) -> list[dict]:
    pixels = read_image(path).pixels
    saliency = saliency_of(pixels)
    rows = []
    for quality in qualities:
        budget = len(encode(pixels, method="standard", quality=quality))
        for name, options in methods.items():
            data = encode(pixels, saliency, quality=quality, **options)
            _check(data, pixels.shape, budget)
            row = {"image": path.stem, "method": name, "quality": quality, "bytes": len(data)}
            values = measure(pixels, decode(data), saliency, names)
            rows.append(row | {"budget": len(data) / budget} | values | _chroma(pixels, data))
    return rows


def _check(data: bytes, shape: tuple[int, ...], budget: int) -> None:
    assert len(data) <= budget
    assert simplejpeg.decode_jpeg(data).shape == shape == decode(data).shape


def measure(reference, distorted, saliency, names) -> dict[str, float]:
    if "vifp" in names:
        return metrics.compare(reference, distorted, saliency)
    x, y = luma(reference), luma(distorted)
    hvs, hvsm = metrics.psnr_hvs_and_hvsm(x, y)
    values = {"psnr": metrics.psnr(x, y), "psnr_s": metrics.psnr_s(x, y, saliency)}
    return values | {"psnr_hvs": hvs, "psnr_hvsm": hvsm, "ssim": metrics.ssim(x, y)}


def _chroma(pixels: np.ndarray, data: bytes) -> dict[str, float]:
    """PSNR of Cb and Cr, dB: no method may win on luma by starving chroma."""
    planes = [
        np.asarray(image.convert("YCbCr"), np.float32)
        for image in (Image.fromarray(pixels), Image.open(BytesIO(data)))
    ]
    mse = ((planes[0] - planes[1]) ** 2).mean((0, 1))
    return dict(zip(("psnr_cb", "psnr_cr"), 10 * np.log10(255**2 / mse[1:]), strict=True))


def _against(table: pd.DataFrame) -> pd.DataFrame:
    """Mean of each method: standard's own metrics, and what the others are above them.

    Of the standard's bytes: the least and the mean share, and the files that take less than 99%.
    """
    columns = [c for c in table if c not in ("image", "method", "quality", "bytes", "budget")]
    means = table.groupby("method", sort=False)[columns].mean()
    means.loc[means.index != "standard"] -= means.loc["standard"]
    share = table.groupby("method", sort=False)["budget"]
    lean = (table["budget"] < SHARE_ACCEPTED).groupby(table["method"], sort=False).sum()
    return means.assign(least_budget=share.min(), mean_budget=share.mean(), below_99=lean)


def _bd_rates(table: pd.DataFrame) -> pd.DataFrame:
    """Mean Bjøntegaard rate [%] over images: bytes that a method needs for equal quality."""
    rates = [
        bd_rates(table, anchor=anchor, metrics=QUICK).assign(against=anchor)
        for anchor in ("standard", "mozjpeg")
    ]
    keys = {"index": ["method", "against"], "columns": "metric", "values": "bd_rate"}
    return pd.concat(rates).pivot_table(**keys, sort=False)


if __name__ == "__main__":
    main()
