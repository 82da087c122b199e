"""A trained network as an ONNX file, for `msroi.network` to run."""

import io
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from msroi.errors import InputError
from msroi.files import write_atomically
from msroi.model import Network
from msroi.network import METADATA_KEY, SHARED

OPSET = 17


class ExportError(InputError, ValueError):
    """A network that can't be exported; the message says why."""


class Views(nn.Module):
    """What `msroi.network.Cells` lists, of heads that share their features, in its order."""

    def __init__(self, networks: Sequence[Network]) -> None:
        super().__init__()
        self.features = networks[0].features
        self.heads = nn.ModuleList(network.head for network in networks)

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """Pixels [B, 3, 32h, 32w] in [0, 1] → maps, excess maps, logits of each head, the rest."""
        middle, top = self.features(pixels)
        views = []
        for head in self.heads:
            maps, logits = head(top)
            views += [maps, head.class_maps(excess(top).square()), logits]
        return *views, top.abs().mean(1), middle.abs().mean(1), excess(middle).mean(1)


def excess(features: Tensor) -> Tensor:
    """Give what exceeds each feature's mean over the image: [B, F, h, w], at least 0."""
    return (features - features.mean((2, 3), keepdim=True)).clamp_min(0)


def export(
    networks: Sequence[Network],
    path: str | Path,
    *,
    half: bool = False,
    **told: Any,
) -> None:
    """Write networks of one head each, of the same features and classes, to one ONNX file.

    Each network's `metadata` say how it was trained, ``size`` (pixels a side) among them; ``told``
    is what the file says beside. ``half`` keeps the weights in half precision, which halves the
    file; they are computed with in float32 either way. ExportError if a weight is no finite number,
    or too large for half precision, or the features or classes differ.
    """
    _check(networks)
    heads = [network.architecture.head for network in networks]
    views = ("maps", "excess_maps", "logits")
    outputs = [f"{head}_{view}" for head in heads for view in views] + list(SHARED)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own, of itself
        torch.onnx.export(
            Views(networks).eval(),
            (torch.rand(1, 3, 64, 96),),
            buffer,
            input_names=["pixels"],
            output_names=outputs,
            dynamic_axes=_axes(outputs),
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load_model_from_string(buffer.getvalue())
    if half:
        _halve(model.graph)
    trained = {network.architecture.head: network.metadata for network in networks}
    told = {"classes": networks[0].architecture.classes, "trained": trained, **told}
    helper.set_model_props(model, {METADATA_KEY: json.dumps(told, sort_keys=True)})
    write_atomically(path, model.SerializeToString())


def _axes(outputs: Sequence[str]) -> dict[str, dict[int, str]]:
    """Name the axes whose lengths differ from image to image."""
    axes = {"pixels": {0: "images", 2: "height", 3: "width"}}
    for name in outputs:
        places = {"logits": (), "maps": (2, 3)}.get(name.rpartition("_")[2], (1, 2))
        axes[name] = {0: "images"} | {place: f"{name}_{place}" for place in places}
    return axes


def _check(networks: Sequence[Network]) -> None:
    first = networks[0]
    for network in networks:
        if any(not tensor.isfinite().all() for tensor in network.state_dict().values()):
            raise ExportError("a weight is no finite number: train with a smaller learning_rate")
        same = all(
            torch.equal(a, b)
            for a, b in zip(
                first.features.state_dict().values(),
                network.features.state_dict().values(),
                strict=True,
            )
        )
        if not same or network.architecture.classes != first.architecture.classes:
            raise ExportError("the heads differ in features or classes: each takes its own file")


def _halve(graph: onnx.GraphProto) -> None:
    """Keep every weight in half precision, with a cast to float32 behind it."""
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size == 1:
            continue
        name = tensor.name
        if np.abs(values).max() > np.finfo(np.float16).max:
            raise ExportError("a weight is too large for half precision: export it whole")
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
