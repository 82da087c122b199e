"""Maps a second by ONNX Runtime and by torch, and the time of one photograph's whole map.

    python benchmarks/maps.py [--short-side 224] [--batch 4]

The paper reports over 90 images a second on a Titan X. Here a map is all that
<<<<<<< HEAD
`msroi.saliency.saliency_maps` does, on as many threads as there are cores: scaling to the short
side, the network, the choice of classes, and the way back to the image's own size; decoding
excluded. Both sides run the same network, of untrained heads on EfficientNet-Lite0, and differ in
nothing but the runtime. The photograph is of 768×512 pixels, seen at the three usual short sides.
=======
`msroi.saliency.saliency_maps` does, on as many threads as ONNX Runtime takes: scaling to the short
side, the network, the sum over classes, and the way back to the image's own size.
>>>>>>> tests
"""

import os
import tempfile
from pathlib import Path

import numpy as np
from measures import parser, report, rounds, row

<<<<<<< HEAD
from msroi import model
from msroi.network import SHARED, Network, load_model
from msroi.saliency import saliency_map, saliency_maps
from study.training.export import Views, export
=======
from msroi.network import load_model
from msroi.saliency import saliency_maps
>>>>>>> tests

PAPER = 90.0
GOAL = 200.0  # maps/s on two cores
PHOTOGRAPH_SECONDS = 0.1


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
<<<<<<< HEAD
=======
    options.add_argument("--model", default="released", help="a network's file, or 'released'")
    options.add_argument("--device", default="auto", help="auto, cpu or cuda")
>>>>>>> tests
    options.add_argument("--short-side", type=int, default=224)
    options.add_argument("--batch", type=int, default=4)
    options.add_argument("--rounds", type=int, default=30)
    chosen = options.parse_args()
    network = _untrained()
    with tempfile.TemporaryDirectory() as folder:
        export([network], Path(folder, "untrained.onnx"), half=True)
        by_onnx = load_model(Path(folder, "untrained.onnx"))
    side, rng = chosen.short_side, np.random.default_rng(2017)
    images = list(rng.integers(0, 256, (chosen.batch, side, side, 3), np.uint8))
    photograph = rng.integers(0, 256, (512, 768, 3), np.uint8)
    jobs = {
        "onnx": lambda: saliency_maps(images, by_onnx, short_sides=(side,)),
        "torch": lambda: saliency_maps(images, by_torch, short_sides=(side,)),
        "photograph": lambda: saliency_map(photograph, by_onnx),
    }
    by_torch = in_torch(network, by_onnx)
    rounds(jobs, 2)  # warms up
<<<<<<< HEAD
    seconds = rounds(jobs, chosen.rounds)
    rates = {name: [len(images) / each for each in seconds[name]] for name in ("onnx", "torch")}
    ratios = [a / b for a, b in zip(rates["onnx"], rates["torch"], strict=True)]
    size = f"{side}×{side}, batch of {len(images)}, {os.cpu_count()} cores"
=======
    rates = [len(images) / seconds for seconds in rounds(jobs, chosen.rounds)["maps"]]
    threads = os.environ.get("OMP_NUM_THREADS") or os.cpu_count()
    size = f"{side}×{side}, batch of {len(images)}, {chosen.device}, {threads} threads"
>>>>>>> tests
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
