"""Networks in torch, and their checkpoints."""

import json

import pytest
import torch
from networks import network
from safetensors.torch import save_file

from msroi.errors import ArgumentError
from msroi.model import (
    Architecture,
    CheckpointError,
    find_device,
    load_checkpoint,
    save_checkpoint,
)
from msroi.model.lite import Block, Lite

TINY = {"classes": ("a", "b", "c"), "widths": (4, 4, 4, 8, 8)}


@pytest.mark.parametrize("head", ["msroi", "cam"])
@pytest.mark.parametrize(
    "options",
    [*({"norm": norm} for norm in ("batch", "group", "none")), {"backbone": "efficientnet-lite0"}],
    ids=str,
)
@torch.inference_mode()
def test_maps_have_one_value_for_32_pixels_and_one_map_a_class(head, options):
    maps, logits = network(head, **options)(torch.rand(2, 3, 96, 160))
    assert maps.shape == (2, 3, 3, 5)
    assert logits.shape == (2, 3)


def test_features_are_five_blocks_of_two_convolutions():
    kinds = [type(layer).__name__ for layer in network().features]
    assert kinds.count("Conv2d") == 10
    assert kinds.count("MaxPool2d") == 5
    assert kinds.count("ReLU") == 10


@torch.inference_mode()
def test_the_middle_features_are_those_of_the_fourth_block_before_the_last_halving():
    net = network()
    pixels = torch.rand(2, 3, 64, 96)
    middle, top = net.features(pixels)
    assert middle.shape == (2, 8, 4, 6)
    assert top.shape == (2, 8, 2, 3)
    x = pixels
    for index, layer in enumerate(net.features):
        x = layer(x)
        if index == 4 * 7:  # after Centre, four blocks of seven layers
            torch.testing.assert_close(middle, x, rtol=0, atol=0)
    torch.testing.assert_close(top, x, rtol=0, atol=0)
    assert (middle >= 0).all() and (top >= 0).all()


@pytest.fixture(scope="module")
def lite():
    torch.manual_seed(0)
    return Lite().eval()


@pytest.mark.parametrize("size", [(32, 32), (64, 96), (224, 160)])
@torch.inference_mode()
def test_lites_features_are_of_32_and_16_pixels_and_lie_between_0_and_6(lite, size):
    middle, top = lite(torch.rand(2, 3, *size))
    h, w = (side // 32 for side in size)
    assert top.shape == (2, 1280, h, w)
    assert middle.shape == (2, 672, 2 * h, 2 * w)
    for features in (middle, top):
        assert features.min() >= 0
        assert 0 < features.max() <= 6


def test_lite_has_the_sixteen_blocks_of_efficientnet_lite0(lite):
    """Of the reference's 4,652,008 weights the last layer, of ImageNet's classes, is not here."""
    assert sum(tensor.numel() for tensor in lite.parameters()) == 4_652_008 - 1_281_000
    strides = [
        layer.stride[0]
        for part in (lite.stem, *(block.filter for block in lite.blocks))
        for layer in part
        if isinstance(layer, torch.nn.Conv2d)
    ]
    assert strides == [2, 1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1]
    assert [block.adds for block in lite.blocks].count(True) == 9
    assert not any(isinstance(layer, torch.nn.Sigmoid) for layer in lite.modules())


@torch.inference_mode()
def test_a_block_halves_as_tensorflow_pads_one_pixel_less_before_than_after():
    """Of 4 pixels filtered by 3 at stride 2 the second sees pixels 2 and 3 and a zero behind."""
    block = Block(1, 1, kernel=3, stride=2, expansion=1).eval()
    for part in (block.filter, block.project):
        for layer in part:
            if isinstance(layer, torch.nn.Conv2d):
                layer.weight.fill_(1)
    row = torch.tensor([1.0, 0.1, 0.01, 0.001]).repeat(4, 1)[None, None]
    found = block(row)[0, 0, 0] * (1 + 1e-3)  # by eps, twice under a root
    torch.testing.assert_close(found, 3 * torch.tensor([1.11, 0.011]), rtol=1e-4, atol=0)


@pytest.mark.parametrize("head", ["msroi", "cam"])
def test_evidence_is_positive_of_msroi_and_signed_of_cam_unless_told(head):
    def draw(evidence, sign):
        net = network(head, evidence=evidence)
        with torch.no_grad():
            net.head.maps.weight.copy_(sign * net.head.maps.weight.abs())
            return net.head.class_maps(torch.ones(1, 8, 2, 2))

    torch.testing.assert_close(draw("positive", -1), draw("positive", 1), rtol=0, atol=0)
    assert (draw("signed", -1) < draw("signed", 1)).all()
    own = {"msroi": "positive", "cam": "signed"}[head]
    torch.testing.assert_close(draw("", -1), draw(own, -1), rtol=0, atol=0)


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


@pytest.mark.parametrize(
    ("head", "options"),
    [("msroi", {}), ("cam", {}), ("msroi", {"backbone": "efficientnet-lite0"})],
)
@torch.inference_mode()
def test_a_checkpoint_comes_back_with_weights_architecture_and_metadata(tmp_path, head, options):
    net = network(head, **options)
    save_checkpoint(net, tmp_path / "n.safetensors", {"seed": 7})
    back = load_checkpoint(tmp_path / "n.safetensors")
    pixels = torch.rand(1, 3, 64, 64)
    torch.testing.assert_close(back(pixels), net(pixels), rtol=0, atol=0)
    assert back.architecture == net.architecture
    assert back.metadata == {"seed": 7}
    assert not back.training
    save_checkpoint(net.half(), tmp_path / "n.safetensors", {})
    assert load_checkpoint(tmp_path / "n.safetensors").head.maps.weight.dtype == torch.float32


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"nowhere\.safetensors does not exist"):
        load_checkpoint(tmp_path / "nowhere.safetensors")


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
        lambda path: save_file({"w": torch.zeros(2)}, path, {"msroi": "5"}),
        lambda path: save_file({"w": torch.zeros(2)}, path, {"msroi": '{"architecture": 5}'}),
    ],
)
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path, write):
    path = tmp_path / "n.safetensors"
    write(path)
    with pytest.raises(CheckpointError, match=r"n\.safetensors is not a checkpoint"):
        load_checkpoint(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_checkpoint_with_weights_that_are_no_numbers_is_refused_by_name(tmp_path, value):
    net = network()
    with torch.no_grad():
        net.head.threshold[1] = value
    save_checkpoint(net, tmp_path / "n.safetensors", {})
    with pytest.raises(CheckpointError, match=r"head\.threshold has values that are no finite"):
        load_checkpoint(tmp_path / "n.safetensors")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"head": "fc"}, r"head is 'fc'; it must be one of \['cam', 'msroi'\]"),
        ({"backbone": "vgg"}, r"backbone is 'vgg'; .* \['efficientnet-lite0', 'paper'\]"),
        ({"norm": "layer"}, "norm is 'layer'"),
        ({"activation": "gelu"}, "activation is 'gelu'"),
        ({"evidence": "negative"}, r"evidence is 'negative'; .* 'positive', 'signed'"),
        ({"widths": (4, 4)}, "exactly five widths"),
        ({"classes": ()}, "at least one class"),
        ({"classes": "abc"}, "must be a tuple of names"),
        ({"classes": (1, 2, 3)}, "must be a tuple of names"),
    ],
)
def test_an_impossible_architecture_is_refused_by_name(wrong, words):
    with pytest.raises(ArgumentError, match=words):
        Architecture(**TINY | wrong)


def test_the_device_is_a_gpu_only_where_there_is_one_and_another_is_refused_by_name():
    has_gpu = torch.cuda.is_available()
    assert find_device("auto").type == ("cuda" if has_gpu else "cpu")
    assert find_device("cpu").type == "cpu"
    with pytest.raises(ArgumentError, match="device is 'tpu'; it must be one of auto, cpu, cuda"):
        load_checkpoint("any.safetensors", device="tpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(ArgumentError, match="say auto or cpu"):
        load_checkpoint("any.safetensors", device="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_checkpoint_is_loaded_to_a_gpu_where_it_gives_nearly_the_same(tmp_path):
    save_checkpoint(network(), tmp_path / "n.safetensors", {})
    pixels = torch.rand(1, 3, 64, 64)
    cpu, cuda = (load_checkpoint(tmp_path / "n.safetensors", device=d) for d in ("cpu", "cuda"))
    for near, exact in zip(cuda(pixels.cuda()), cpu(pixels), strict=True):
        torch.testing.assert_close(near.cpu(), exact, atol=0.01, rtol=0.01)
