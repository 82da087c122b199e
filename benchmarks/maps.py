"""Maps a second: whole maps of a batch, decoding excluded, beside the paper's figure.

    python benchmarks/maps.py [--model released] [--short-side 224] [--batch 16]

The paper reports over 90 images a second on a Titan X. Here a map is all that `saliency_maps`
does: scaling to the short side, the network, the sum over classes, and the way back to the
image's own size.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command sets it

import argparse
import statistics
import time

import numpy as np
import torch

from msroi.model import load_model
from msroi.saliency import saliency_maps

PAPER = 90.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="released", help="a checkpoint, or 'released'")
    parser.add_argument("--short-side", type=int, default=224)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    model = load_model(options.model)
    side = options.short_side
    rng = np.random.default_rng(2017)
    images = list(rng.integers(0, 256, (options.batch, side, side, 3), np.uint8))
    rates = [len(images) / _seconds(images, model, side) for _ in range(options.rounds + 1)][1:]
    print(f"{options.batch} images of {side}×{side}, {torch.get_num_threads()} threads")
    median = statistics.median(rates)
    print(f"maps a second: median {median:.1f}, from {min(rates):.1f} to {max(rates):.1f}")
    print(f"the paper's, on a Titan X: over {PAPER:g}; ratio {median / PAPER:.2f}")


def _seconds(images: list[np.ndarray], model, side: int) -> float:
    start = time.perf_counter()
    saliency_maps(images, model, short_sides=(side,))
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
