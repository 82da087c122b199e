"""Loss curves of two tiny trainings; `torchrun … tests/curves.py OUT.json` draws them together."""

import json
import sys
from pathlib import Path

import numpy as np
import torch

from msroi.model import Architecture, Network
from study.training import parallel
from study.training.examples import Examples
from study.training.recipe import Recipe
from study.training.trainer import Trainer

COLOURS = np.array([[200, 40, 40], [40, 200, 40], [40, 40, 200]], np.uint8)


def examples(count, seed):
    """Three classes that differ in colour, under noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    noise = rng.integers(-30, 30, (count, 32, 32, 3))
    images = np.clip(COLOURS[labels][:, None, None] + noise, 0, 255).astype(np.uint8)
    return Examples(images, labels)


def trainer(head="msroi", epochs=3, **recipe):
    torch.manual_seed(0)
    shape = Architecture(classes=("red", "green", "blue"), head=head, widths=(4, 4, 8, 8, 8))
    defaults = {"batch_size": 12, "seed": 5, "learning_rate": 1e-2, "colour": 0.1}
    return Trainer(Network(shape), Recipe(epochs=epochs, device="cpu", **defaults | recipe))


def curves():
    """Each epoch's two losses: 20 epochs of one step, and 3 whose last batch is one example."""
    train, validation = examples(13, 0), examples(5, 1)
    gentle = {"learning_rate": 1e-4}  # faster, the rounding of sums soon grows to the loss's size
    runs = [
        trainer("cam", 20, batch_size=13, **gentle),
        trainer("msroi", 3, batch_size=12, **gentle),
    ]
    return [[epoch[1:3] for epoch in run.epochs(train, validation)] for run in runs]


if __name__ == "__main__":
    with parallel.joined(torch.device("cpu")):
        drawn = curves()
        if parallel.first():
            Path(sys.argv[1]).write_text(json.dumps([parallel.processes(), drawn]))
