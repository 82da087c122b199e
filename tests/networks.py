"""Tiny networks, as they are before training."""

import torch

from msroi.model import Architecture, Network
from msroi.network import load_model
from study.training.export import export


def network(head="msroi", *, classes=("a", "b", "c"), widths=(4, 4, 4, 8, 8), **options):
    torch.manual_seed(0)
    return Network(Architecture(classes=classes, head=head, widths=widths, **options)).eval()


def alive(net):
    """The network with batch norms as after training, so that no feature is nearly constant."""
    random = torch.Generator().manual_seed(1)
    net.train()
    with torch.no_grad():
        for _ in range(20):
            net(torch.rand(4, 3, 64, 64, generator=random))
    return net.eval()


def exported(path, *networks, size=64, **options):
    """Write networks to an ONNX file, as training does, and load the first one's head from it."""
    path.parent.mkdir(exist_ok=True)
    for each in networks:
        each.metadata = {"size": size} | each.metadata
    export(networks, path, **options)
    return load_model(path, networks[0].architecture.head)
