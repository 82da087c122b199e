"""Tiny networks, as they are before training."""

import torch

from msroi.model import Architecture, Network
from msroi.network import load_model
from study.training.export import export


def network(head="msroi", *, classes=("a", "b", "c"), widths=(4, 4, 4, 8, 8), **options):
    torch.manual_seed(0)
    return Network(Architecture(classes=classes, head=head, widths=widths, **options)).eval()


def exported(path, *networks, size=64, **options):
    """Write networks to an ONNX file, as training does, and load the first one's head from it."""
    for each in networks:
        each.metadata = {"size": size} | each.metadata
    export(networks, path, **options)
    return load_model(path, networks[0].architecture.head)
