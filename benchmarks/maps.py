"""Maps a second: whole maps of a batch, decoding excluded, beside the paper's figure.

    python benchmarks/maps.py [--model released] [--short-side 224] [--batch 16]

The paper reports over 90 images a second on a Titan X. Here a map is all that
`msroi.saliency.saliency_maps` does, on as many threads as ONNX Runtime takes: scaling to the short
side, the network, the sum over classes, and the way back to the image's own size.
"""

import os

import numpy as np
from measures import parser, report, rounds, row

from msroi.network import load_model
from msroi.saliency import saliency_maps

PAPER = 90.0
GOAL = 60.0  # on two cores


def main() -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--model", default="released", help="a network's file, or 'released'")
    options.add_argument("--device", default="auto", help="auto, cpu or cuda")
    options.add_argument("--short-side", type=int, default=224)
    options.add_argument("--batch", type=int, default=16)
    options.add_argument("--rounds", type=int, default=15)
    chosen = options.parse_args()
    model, side = load_model(chosen.model, device=chosen.device), chosen.short_side
    rng = np.random.default_rng(2017)
    images = list(rng.integers(0, 256, (chosen.batch, side, side, 3), np.uint8))
    jobs = {"maps": lambda: saliency_maps(images, model, short_sides=(side,))}
    rounds(jobs, 2)  # warms up
    rates = [len(images) / seconds for seconds in rounds(jobs, chosen.rounds)["maps"]]
    threads = os.environ.get("OMP_NUM_THREADS") or os.cpu_count()
    size = f"{side}×{side}, batch of {len(images)}, {chosen.device}, {threads} threads"
    rows = [
        row(f"maps, {size}", rates, "maps/s", at_least=GOAL),
        row("maps, by the paper's 90/s on a Titan X", [r / PAPER for r in rates], "times"),
    ]
    report(rows, chosen.json)


if __name__ == "__main__":
    main()
