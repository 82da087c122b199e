"""Features to start from: torchvision's VGG-13 in its own layout, and checkpoints of ours."""

import pytest
import torch
from networks import network
from safetensors.torch import save_file
from torch import nn

from msroi.model import CheckpointError, save_checkpoint
from study.training.pretrained import initialise

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
    expected, found = theirs((pixels - MEAN) / STD)[..., 2, 2], ours.features(pixels)[..., 2, 2]
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
