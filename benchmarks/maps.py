"""Maps a second by ONNX Runtime and by torch, and the time of one photograph's whole map.

    python benchmarks/maps.py [--short-side 224] [--batch 4]

The paper reports over 90 images a second on a Titan X. Here a map is all that
`msroi.saliency.saliency_maps` does, on as many threads as there are cores: scaling to the short
side, the network, the choice of classes, and the way back to the image's own size; decoding
excluded. Both sides run the same network, of untrained heads on EfficientNet-Lite0, and differ in
nothing but the runtime. The photograph is of 768×512 pixels, seen at the three usual short sides.
"""

import os
import tempfile
from itertools import cycle
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command sets it

import numpy as np
import torch
from measures import parser, report, rounds, row

from msroi import model
from msroi.network import SHARED, Network, load_model
from msroi.saliency import saliency_map, saliency_maps
from study.training.export import Views, export

PAPER = 90.0
GOAL = 200.0  # maps/s on two cores
PHOTOGRAPH_SECONDS = 0.1
ROUNDS_APART = 9  # odd: jobs take turns


def in_torch(network: model.Network, like: Network) -> Network:
    """Make a network that looks as another does, but by torch."""
    views = Views([network]).eval().to(memory_format=torch.channels_last)
    names = [f"{like.head}_{view}" for view in ("maps", "excess_maps", "logits")]

    @torch.inference_mode()
    def run(pixels: np.ndarray) -> dict[str, np.ndarray]:
        shown = views(torch.from_numpy(pixels))
        return {name: own.numpy() for name, own in zip([*names, *SHARED], shown, strict=True)}

    return Network(run, like.head, like.metadata)


def main() -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--short-side", type=int, default=224)
    options.add_argument("--batch", type=int, default=4)
    options.add_argument("--rounds", type=int, default=30)
    chosen = options.parse_args()
    network = _untrained()
    with tempfile.TemporaryDirectory() as folder:
        export([network], Path(folder, "untrained.onnx"), half=True)
        by_onnx = load_model(Path(folder, "untrained.onnx"))
    side, rng = chosen.short_side, np.random.default_rng(2017)
    # Never the same images twice within reach of what a network remembers
    shape = (ROUNDS_APART, chosen.batch, side, side, 3)
    batches = cycle(rng.integers(0, 256, shape, np.uint8))
    photographs = cycle(rng.integers(0, 256, (ROUNDS_APART, 512, 768, 3), np.uint8))
    by_torch = in_torch(network, by_onnx)
    jobs = {
        "onnx": lambda: saliency_maps(list(next(batches)), by_onnx, short_sides=(side,)),
        "torch": lambda: saliency_maps(list(next(batches)), by_torch, short_sides=(side,)),
        "photograph": lambda: saliency_map(next(photographs), by_onnx),
    }
    rounds(jobs, 2)  # warms up
    seconds = rounds(jobs, chosen.rounds)
    rates = {name: [chosen.batch / each for each in seconds[name]] for name in ("onnx", "torch")}
    ratios = [a / b for a, b in zip(rates["onnx"], rates["torch"], strict=True)]
    size = f"{side}×{side}, batch of {chosen.batch}, {os.cpu_count()} cores"
    rows = [
        row(f"maps by ONNX Runtime, {size}", rates["onnx"], "maps/s", at_least=GOAL),
        row(f"maps by torch, {size}", rates["torch"], "maps/s"),
        row("maps, ONNX Runtime by torch", ratios, "times"),
        row("maps, by the paper's 90/s on a Titan X", [r / PAPER for r in rates["onnx"]], "times"),
        row("whole map of 768×512", seconds["photograph"], "s", at_most=PHOTOGRAPH_SECONDS),
    ]
    report(rows, chosen.json)


def _untrained() -> model.Network:
    torch.manual_seed(0)
    architecture = model.Architecture(
        classes=tuple(f"class {index}" for index in range(101)),
        backbone="efficientnet-lite0",
        maps_per_class=2,
    )
    network = model.Network(architecture).eval()
    network.metadata = {"size": 224}
    return network


if __name__ == "__main__":
    main()
