"""Networks and checkpoints."""

import json

import numpy as np
import pytest
import torch
from networks import network
from safetensors.torch import save_file

from msroi.errors import ArgumentError
from msroi.model import Architecture, CheckpointError, find_device, load_model, save_checkpoint
from msroi.saliency import saliency_map

TINY = {"classes": ("a", "b", "c"), "widths": (4, 4, 4, 8, 8)}


@pytest.mark.parametrize("head", ["msroi", "cam"])
@pytest.mark.parametrize("norm", ["batch", "group", "none"])
def test_maps_have_one_value_for_32_pixels_and_one_map_a_class(head, norm):
    maps, logits = network(head, norm=norm)(torch.rand(2, 3, 96, 160))
    assert maps.shape == (2, 3, 3, 5)
    assert logits.shape == (2, 3)


def test_features_are_five_blocks_of_two_convolutions():
    kinds = [type(layer).__name__ for layer in network().features]
    assert kinds.count("Conv2d") == 10
    assert kinds.count("MaxPool2d") == 5
    assert kinds.count("ReLU") == 10


def test_msroi_evidence_is_the_scaled_mean_of_all_maps_less_the_threshold():
    net = network()
    with torch.no_grad():
        net.head.log_scale.fill_(0.7)
        net.head.threshold.copy_(torch.tensor([1.0, 2.0, 3.0]))
        maps, logits = net(torch.rand(1, 3, 64, 64))
    expected = torch.tensor(0.7).exp() * maps.mean((2, 3)) - torch.tensor([1.0, 2.0, 3.0])
    torch.testing.assert_close(logits, expected)


def test_msroi_maps_are_sums_of_non_negative_maps_of_a_class():
    net = network(maps_per_class=2, evidence="signed")
    features = torch.rand(1, 8, 2, 2)
    by_hand = torch.relu(net.head.maps(features)).reshape(1, 3, 2, 2, 2).sum(2)
    torch.testing.assert_close(net.head(features)[0], by_hand)


def test_positive_evidence_never_falls_as_a_feature_grows():
    net = network(evidence="positive")
    features = torch.rand(1, 8, 2, 2)
    for index in range(8):
        more = features.clone()
        more[:, index] += 1
        assert (net.head(more)[0] >= net.head(features)[0]).all()


def test_cam_is_the_weighted_sum_of_features():
    net = network("cam")
    features = torch.rand(1, 8, 2, 3)
    by_hand = torch.einsum("cd,dxy->cxy", net.head.maps.weight[:, :, 0, 0], features[0])
    torch.testing.assert_close(net.head(features)[0][0], by_hand)


def test_the_threshold_learns():
    net = network().train()
    net(torch.rand(2, 3, 64, 64))[1].sum().backward()
    assert (net.head.threshold.grad != 0).all()


@pytest.mark.parametrize("head", ["msroi", "cam"])
def test_a_checkpoint_comes_back_with_weights_architecture_and_metadata(tmp_path, head):
    net = network(head)
    save_checkpoint(net, tmp_path / "n.safetensors", {"seed": 7})
    back = load_model(tmp_path / "n.safetensors")
    pixels = torch.rand(1, 3, 64, 64)
    torch.testing.assert_close(back(pixels), net(pixels), rtol=0, atol=0)
    assert back.architecture == net.architecture
    assert back.metadata == {"seed": 7}
    assert not back.training
    save_checkpoint(net.half(), tmp_path / "n.safetensors", {})
    assert load_model(tmp_path / "n.safetensors").head.maps.weight.dtype == torch.float32


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"nowhere\.safetensors does not exist"):
        load_model(tmp_path / "nowhere.safetensors")


def truncated(path):
    save_checkpoint(network(), path, {})
    path.write_bytes(path.read_bytes()[:-100])


def of_another_architecture(path):
    header = {"architecture": TINY | {"head": "cam", "norm": "batch", "maps_per_class": 4}}
    header["architecture"]["activation"] = "relu"
    save_file({"features.1.weight": torch.zeros(2)}, path, {"msroi": json.dumps(header)})


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.touch(),
        lambda path: path.write_bytes(b"no checkpoint"),
        lambda path: path.write_bytes(b"\x80\x04K\x01."),  # a pickle
        lambda path: path.mkdir(),
        lambda path: save_file({"w": torch.zeros(2)}, path),  # somebody else's
        truncated,
        of_another_architecture,
    ],
)
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path, write):
    path = tmp_path / "n.safetensors"
    write(path)
    with pytest.raises(CheckpointError, match=r"n\.safetensors is not a checkpoint"):
        load_model(path)


@pytest.mark.parametrize("wrong", [{"head": "fc"}, {"norm": "layer"}, {"widths": (4, 4)}])
def test_an_impossible_architecture_is_refused(wrong):
    with pytest.raises(ValueError):
        Architecture(**TINY | wrong)


def test_the_device_is_a_gpu_only_where_there_is_one_and_another_is_refused_by_name():
    has_gpu = torch.cuda.is_available()
    assert find_device("auto").type == ("cuda" if has_gpu else "cpu")
    assert find_device("cpu").type == "cpu"
    with pytest.raises(ArgumentError, match="device is 'tpu'; it must be one of auto, cpu, cuda"):
        load_model(device="tpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(ArgumentError, match="say auto or cpu"):
        load_model(device="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_draws_nearly_the_cpus_map():
    image = np.random.default_rng(0).integers(0, 256, (150, 200, 3), np.uint8)
    maps = [saliency_map(image, load_model(device=device)) for device in ("cpu", "cuda")]
    np.testing.assert_allclose(maps[1], maps[0], atol=0.03)
