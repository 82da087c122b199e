"""The networks in torch, for those who train or read them, and their checkpoints (§2, §3, §5).

`msroi.network` runs what was trained here, without torch.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional as F

from msroi.architecture import DEVICES, Architecture
from msroi.errors import ArgumentError, InputError
from msroi.files import write_atomically
from msroi.model.lite import TOP, Lite

METADATA_KEY = "msroi"  # in a checkpoint's header


class CheckpointError(InputError, ValueError):
    """A file that can't be read as a checkpoint of this package."""


NORMS = {
    "batch": nn.BatchNorm2d,
    "group": lambda width: nn.GroupNorm(math.gcd(8, width), width),
    "none": lambda width: nn.Identity(),
}
ACTIVATIONS = {"relu": nn.ReLU, "softplus": nn.Softplus}
EVIDENCE = {"positive": torch.abs, "signed": nn.Identity()}


class Features(nn.Sequential):
    """The paper's layers: ``[[CONV 3×3 → norm → ReLU]² → MAXPOOL 2×2]⁵`` (§5).

    Takes [B, 3, H, W] in [0, 1], H and W multiples of 32; gives the middle features, those of the
    fourth block, [B, widths[3], H/16, W/16], and the top ones [B, widths[4], H/32, W/32].
    """

    def __init__(self, widths: Sequence[int], norm: str) -> None:
        layers: list[nn.Module] = [Centre()]
        for before, width in zip((3, *widths), widths, strict=False):
            for channels in (before, width):
                layers.append(nn.Conv2d(channels, width, 3, padding=1, bias=norm == "none"))
                layers += [NORMS[norm](width), nn.ReLU(inplace=True)]
            layers.append(nn.MaxPool2d(2))
        super().__init__(*layers)
        self.in_a_block = (len(layers) - 1) // len(widths)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        x, layers = pixels, list(self)
        for layer in layers[: -self.in_a_block]:
            x = layer(x)
        middle = x
        for layer in layers[-self.in_a_block :]:
            x = layer(x)
        return middle, x


BACKBONES = {
    "paper": lambda own: Features(own.widths, own.norm),
    "efficientnet-lite0": lambda own: Lite(),
}


class Centre(nn.Module):
    """Brings pixels in [0, 1] to about zero mean and unit variance (fixed, ¼ is a photo's σ)."""

    def forward(self, pixels: Tensor) -> Tensor:
        return (pixels - 0.45) * 4


class MSROIHead(nn.Module):
    """D feature maps for each class, and a sigmoid for each class (Eq. 4–6).

    Deviation: Eq. 6 as printed falls as the evidence grows; here P(c) = σ(Z_c − T_c), T_c learned,
    so that Eq. 5's test Z_c > T_c is P(c) > ½.
    Deviation: Eq. 4's sum over x, y grows with the image's size; here Z_c is the mean, times one
    learned scale, so that one T serves images of every size.
    Deviation: with f_d^c linear, the D maps of a class would be one linear map; here a ReLU or a
    softplus follows.
    Deviation: where f_d^c has any sign, a class's map falls to zero on the objects of other
    classes, which a map of all of them must not. Here the weights of the features are not
    negative: each is the absolute value of what is learned (``evidence="signed"`` has any).
    """

    def __init__(self, width: int, architecture: Architecture) -> None:
        super().__init__()
        self.shape = (len(architecture.classes), architecture.maps_per_class)
        self.maps = nn.Conv2d(width, math.prod(self.shape), 1)
        self.activation = ACTIVATIONS[architecture.activation]()
        self.evidence = _evidence(architecture)
        self.log_scale = nn.Parameter(torch.zeros(()))
        self.threshold = nn.Parameter(torch.full((self.shape[0],), architecture.threshold))

    def class_maps(self, features: Tensor) -> Tensor:
        """Draw the class maps Σ_d f_d^c: features [B, F, h, w] → [B, C, h, w], at least 0."""
        weights = self.evidence(self.maps.weight)
        drawn = self.activation(F.conv2d(features, weights, self.maps.bias))
        return drawn.unflatten(1, self.shape).sum(2)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Features [B, F, h, w] → class maps [B, C, h, w], logits Z_c − T_c [B, C]."""
        maps = self.class_maps(features)
        return maps, self.log_scale.exp() * maps.mean((2, 3)) - self.threshold


class CAMHead(nn.Module):
    """Class activation maps M_c = Σ_d w_d^c f_d, and a softmax over their means (Eq. 2–3)."""

    def __init__(self, width: int, architecture: Architecture) -> None:
        super().__init__()
        self.maps = nn.Conv2d(width, len(architecture.classes), 1, bias=False)
        self.evidence = _evidence(architecture)

    def class_maps(self, features: Tensor) -> Tensor:
        """Draw the class maps M_c: features [B, F, h, w] → [B, C, h, w], of any sign."""
        return F.conv2d(features, self.evidence(self.maps.weight))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Features [B, F, h, w] → class maps [B, C, h, w], logits of the softmax [B, C]."""
        maps = self.class_maps(features)
        return maps, maps.mean((2, 3))


def _evidence(architecture: Architecture) -> nn.Module | Any:
    return EVIDENCE[architecture.sign]


HEADS = {"msroi": MSROIHead, "cam": CAMHead}


class Network(nn.Module):
    """Shared features and one head, of an `Architecture`.

    Its ``metadata`` are what its checkpoint says of its training; empty where it was just built.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.metadata: dict[str, Any] = {}
        self.features = BACKBONES[architecture.backbone](architecture)
        width = TOP if architecture.backbone != "paper" else architecture.widths[-1]
        self.head = HEADS[architecture.head](width, architecture)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Pixels [B, 3, H, W] in [0, 1] → class maps [B, C, H/32, W/32], logits [B, C]."""
        return self.head(self.features(pixels)[1])


def save_checkpoint(network: Network, path: str | Path, metadata: Mapping[str, Any]) -> None:
    """Write weights, architecture and ``metadata`` (as JSON) to one safetensors file."""
    header = {"architecture": asdict(network.architecture), **metadata}
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    data = save(tensors, {METADATA_KEY: json.dumps(header, sort_keys=True)})
    write_atomically(path, data)


def find_device(name: str) -> torch.device:
    """``"cpu"``, ``"cuda"``, or ``"auto"`` for a GPU where there is one.

    ArgumentError where it is none of these, or a GPU that isn't there.
    """
    if name not in DEVICES:
        raise ArgumentError(f"device is {name!r}; it must be one of {', '.join(DEVICES)}")
    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        raise ArgumentError("device is 'cuda', but torch finds no GPU here; say auto or cpu")
    return torch.device("cuda" if has_gpu and name != "cpu" else "cpu")


def load_checkpoint(path: str | Path, *, device: str = "cpu") -> Network:
    """Load a network that `save_checkpoint` wrote, to train it further or to look inside.

    Gives it in evaluation mode, float32, with its `metadata`, on the device that `find_device`
    says. CheckpointError if the file is missing, is no safetensors file, doesn't hold the network
    that it names, or has weights that are no finite numbers; ArgumentError as `find_device`.
    """
    place = find_device(device)
    if not Path(path).exists():
        made = "`dvc repro train` makes the study's checkpoints in models/"
        raise CheckpointError(f"{path} does not exist; {made}")
    try:
        with safe_open(path, framework="pt") as file:
            header = dict(json.loads((file.metadata() or {})[METADATA_KEY]))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        network = Network(_architecture(header.pop("architecture")))
        network.load_state_dict(tensors)
        _check_finite(tensors)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{path} is not a checkpoint that this version can read "
            f"({str(error).splitlines()[0]}); train it anew with `python -m study train`"
        ) from error
    network.metadata = header
    layout = torch.preserve_format if place.type == "cpu" else torch.channels_last
    return network.float().eval().to(place, memory_format=layout)


def _check_finite(tensors: Mapping[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise ValueError(f"{name} has values that are no finite numbers")


def _architecture(header: Mapping[str, Any]) -> Architecture:
    known = {
        field.name: header[field.name] for field in fields(Architecture) if field.name in header
    }
    return Architecture(**{k: tuple(v) if isinstance(v, list) else v for k, v in known.items()})
