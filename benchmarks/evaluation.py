"""Time an image of a study's evaluation: this code against another commit's, taking turns.

    python benchmarks/evaluation.py [--against COMMIT] [--repeats 3]

One 1920×1080 picture, as CAT2000's are, eight methods and all metrics, on one core, in seconds.
The picture is of photographs side by side where MSROI_DATA has Kodak, else a rendered scene.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
from measures import parser, ratio, report, row

ROOT = Path(__file__).parent.parent
SIZE = (1080, 1920)
METHODS = ("standard", "mosaic", "direct", "direct-cam", "direct-oracle", "direct-flat")
METHODS += ("mozjpeg", "jpegli")
ONE_CORE = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def main() -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--against", help="a commit, whose code is the other side")
    options.add_argument("--repeats", type=int, default=3, help="rounds of both sides (3)")
    options.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.once:
        print(one_image())
        return
    with tempfile.TemporaryDirectory() as scratch:
        sides = {"this code": ROOT}
        if chosen.against:
            sides[chosen.against] = Path(scratch, "other")
            checkout = ["git", "worktree", "add", "--detach", sides[chosen.against], chosen.against]
            subprocess.run(checkout, cwd=ROOT, check=True, capture_output=True)
        try:
            seconds = {name: [] for name in sides}
            for _ in range(chosen.repeats):
                for name, root in sides.items():
                    seconds[name].append(_in_a_process(root))
        finally:
            if chosen.against:
                gone = ["git", "worktree", "remove", "--force", sides[chosen.against]]
                subprocess.run(gone, cwd=ROOT, check=True)
    rows = [row(f"1920×1080, 8 methods, {name}", each, "s") for name, each in seconds.items()]
    if chosen.against:
        rows.append(ratio("this code by the other", seconds, "this code", chosen.against))
    report(rows, chosen.json)


def _in_a_process(root: Path) -> float:
    """Seconds of one image by the code in a folder, on one core."""
    environment = os.environ | {"PYTHONPATH": str(root)} | dict.fromkeys(ONE_CORE, "1")
    command = [sys.executable, __file__, "--once"]
    done = subprocess.run(command, cwd=root, env=environment, check=True, stdout=subprocess.PIPE)
    return float(done.stdout)


def one_image() -> float:
    """Seconds that one image takes; what is compiled or loaded before the first is left out."""
    from msroi.saliency import named_maps
    from study.measure.evaluation import evaluate_image
    from study.params import heads_in, read_params

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    params = read_params()
    maps = named_maps(heads_in(params["saliency"]["heads"]), **params["saliency"]["rule"])
    methods = {name: params["evaluate"]["methods"]["by_map"][name] for name in METHODS}
    image, weights = picture(), _spot()
    small = (slice(0, 256), slice(0, 256))
    start = 0.0
    for part in (small, (slice(None), slice(None))):
        start = perf_counter()
        pixels, truth = (np.ascontiguousarray(whole[part]) for whole in (image, weights))
        evaluate_image(pixels, maps, methods=methods, truths={"psnr_fix": truth})
    return perf_counter() - start


def picture() -> np.ndarray:
    """Photographs of Kodak side by side, cut to the size; a rendered scene where there are none."""
    from msroi.images import read_pixels
    from study.rendered.scenes import render

    folder = Path(os.environ.get("MSROI_DATA", "."), "kodak")
    photos = map(read_pixels, sorted(folder.glob("*.png")))
    wide = [photo for photo in photos if photo.shape[1] == 768][:9]
    if len(wide) < 9:
        return render(*SIZE, objects=["mug", "fish"], seed=7).image
    rows = [np.concatenate(wide[first : first + 3], axis=1) for first in (0, 3, 6)]
    return np.ascontiguousarray(np.concatenate(rows)[: SIZE[0], : SIZE[1]])


def _spot() -> np.ndarray:
    y, x = (np.linspace(-2, 2, side, dtype=np.float32) for side in SIZE)
    return np.exp(-(y[:, None] ** 2 + x**2))


if __name__ == "__main__":
    main()
