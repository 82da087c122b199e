"""Encoders on the Kodak photographs: the tables behind the README's claims, and the goals.

    python benchmarks/kodak.py --data FOLDER [--model released] [--qualities 50 75 90]
    python benchmarks/kodak.py … --curves | --target 70 | --decoders | --frontier

FOLDER holds kodak/kodim01.png … (default: $MSROI_DATA). By itself it compares encoders at equal
bytes, at most those of the standard JPEG of each quality: what each gains by every metric and in
the PSNR of Cb and Cr, and how much of the budget its files take. ``--curves`` has BD-rates over
qualities 30 to 90, ``--target`` the bytes at a score of SSIMULACRA2, ``--decoders`` opens every
file by each decoder that is installed, and ``--frontier`` compares strengths and tunes at quality
50. Without --model the maps are soft spots drawn by a seed, so that the encoder is measured apart
from the network.
"""

import argparse
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import kodak_tables as tables
import numpy as np
import pandas as pd
import rivals
from decoders import disagreements
from joblib import Parallel, delayed, parallel_config
from measures import Row, parser, report
from PIL import Image
from rivals import METHODS, Writer

from msroi import metrics
from msroi.encoder import encode, peers, standard
from msroi.images import decode, read_image

CURVE_QUALITIES = range(30, 91, 10)
CURVES = (
    *("standard", "mozjpeg-robidoux", "jpegli"),
    *("direct-flat balanced", "direct-flat ssimulacra2", "direct balanced"),
)
TARGET_TUNES = ("balanced", "ssimulacra2")

Record = dict[str, Any]
Work = Callable[[np.ndarray, np.ndarray], Iterable[Record]]  # (pixels, map) → rows of a table


def main() -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, default=os.environ.get("MSROI_DATA"))
    options.add_argument("--model", help="network (.onnx) that draws the maps, or 'released'")
    options.add_argument("--images", type=int, default=24, help="how many, from the first (24)")
    options.add_argument("--jobs", type=int, default=-1, help="processes, of one thread each")
    options.add_argument("--qualities", type=int, nargs="+", default=[50, 75, 90])
    kinds = options.add_mutually_exclusive_group()
    kinds.add_argument("--curves", action="store_true", help="BD-rates over qualities 30 to 90")
    kinds.add_argument("--target", type=float, help="bytes at this score of SSIMULACRA2")
    kinds.add_argument("--decoders", action="store_true", help="open every file by every decoder")
    kinds.add_argument("--frontier", action="store_true", help="strengths and tunes")
    chosen = options.parse_args()
    if chosen.data is None:
        options.error("name the folder that holds kodak/ with --data or MSROI_DATA")
    paths = sorted(Path(chosen.data, "kodak").glob("kodim*.png"))[: chosen.images]
    if not paths:
        options.error(f"there is no kodim*.png in {Path(chosen.data, 'kodak')}")
    over_images = partial(_over_images, paths, _map_source(chosen.model), chosen.jobs)
    report(_shown(chosen, over_images), chosen.json)


def _shown(chosen: argparse.Namespace, over_images: Callable[[Work], pd.DataFrame]) -> list[Row]:
    """Print what was asked for, and give the goals."""
    if chosen.curves:
        curves = {name: METHODS[name] for name in CURVES}
        return tables.curves(over_images(partial(_at_equal_bytes, curves, CURVE_QUALITIES)))
    if chosen.target is not None:
        return tables.targets(over_images(partial(_at_target, chosen.target)), chosen.target)
    if chosen.decoders:
        return tables.decoders(over_images(partial(_opened, chosen.qualities)))
    if chosen.frontier:
        methods = {name: METHODS[name] for name in ("standard", "mozjpeg")} | rivals.FRONTIER
        return tables.gains(over_images(partial(_at_equal_bytes, methods, [50])))
    return tables.gains(over_images(partial(_with_jpegli_between, chosen.qualities)))


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


def _map_source(name: str | None) -> Callable[[np.ndarray], np.ndarray]:
    if name is None:
        return soft_spots
    from msroi.saliency import network_map

    return network_map(name)


def _over_images(paths, saliency_of, jobs: int, work: Work) -> pd.DataFrame:
    """The rows of all photographs; each is worked on by one thread."""
    with parallel_config("loky", inner_max_num_threads=1):
        found = Parallel(jobs)(delayed(_rows_of)(path, saliency_of, work) for path in paths)
    return pd.DataFrame([row for rows in found for row in rows])


def _rows_of(path: Path, saliency_of, work: Work) -> list[Record]:
    pixels = read_image(path).pixels
    return [{"image": path.stem, **row} for row in work(pixels, saliency_of(pixels))]


def _files(
    methods: Mapping[str, Writer], qualities: Iterable[int], pixels, saliency
) -> Iterator[tuple[str, int, bytes]]:
    for quality in qualities:
        for name, write in methods.items():
            if name != "mosaic" or quality == rivals.MOSAIC_QUALITY:
                yield name, quality, write(pixels, saliency, quality=quality)


def _at_equal_bytes(methods, qualities, pixels, saliency) -> Iterator[Record]:
    for name, quality, data in _files(methods, qualities, pixels, saliency):
        budget = len(standard.write(pixels, quality))
        assert len(data) <= budget, f"{name} takes {len(data)} bytes of {budget}"
        row = {"method": name, "quality": quality, "bytes": len(data)}
        yield row | {"share": 100 * len(data) / budget} | _measure(pixels, saliency, data)


def _with_jpegli_between(qualities, pixels, saliency) -> Iterator[Record]:
    measure = partial(_measure, pixels, saliency)
    for row in _at_equal_bytes(METHODS, qualities, pixels, saliency):
        yield row
        if row["method"] == "jpegli":
            values = rivals.between_jpeglis(pixels, row["quality"], measure)
            yield {"method": rivals.JPEGLI_BETWEEN, "quality": row["quality"]} | values


def _measure(pixels: np.ndarray, saliency: np.ndarray, data: bytes) -> dict[str, float]:
    """All metrics, and the PSNR of Cb and Cr, dB: no method may win on luma by starving chroma."""
    values = metrics.compare(pixels, decode(data), saliency)
    planes = [
        np.asarray(image.convert("YCbCr"), np.float32)
        for image in (Image.fromarray(pixels), Image.open(BytesIO(data)))
    ]
    mse = ((planes[0] - planes[1]) ** 2).mean((0, 1))[1:]
    return values | dict(zip(("psnr_cb", "psnr_cr"), 10 * np.log10(255**2 / mse), strict=True))


def _at_target(target: float, pixels, saliency) -> Iterator[Record]:
    """Files that score at least ``target``: of `direct`, and of jpegli at its whole qualities."""
    quality = rivals.jpegli_reaching(pixels, target)
    files = {
        **{
            f"direct {tune}": encode(pixels, saliency, target=target, tune=tune)
            for tune in TARGET_TUNES
        },
        "jpegli": peers.write_jpegli(pixels, quality),
        rivals.JPEGLI_PLAIN: rivals.plain_jpegli(pixels, quality),
    }
    for name, data in files.items():
        score = metrics.ssimulacra2(pixels, decode(data))
        yield {"method": name, "bytes": len(data), "score": score}


def _opened(qualities, pixels, saliency) -> Iterator[Record]:
    for name, _, data in _files(METHODS, qualities, pixels, saliency):
        yield {"method": name} | disagreements(data, pixels.shape)


if __name__ == "__main__":
    main()
