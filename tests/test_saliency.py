"""From class maps to one map in [0, 1]."""

import numpy as np
import pytest
import torch
from networks import network

from msroi.model.maps import cam, saliency_maps, select_classes, top_classes, unit
from msroi.saliency import centre_prior, energy_map, flat_map, saliency_map

MAPS = torch.tensor([[[1.0, 0.0]], [[0.0, 2.0]], [[4.0, 4.0]]])  # three classes, 1×2


@pytest.fixture(scope="module", params=["msroi", "cam"])
def model(request):
    return network(request.param, classes=tuple("abcdef"))


def picture(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(
    ("logits", "rule", "expected"),
    [
        ([0.5, 0.1, -0.1], {"select": "threshold", "k": 5}, [1, 2]),  # Z_c > T_c of two classes
        ([-1, -1, -1], {"select": "threshold", "k": 5}, [0, 0]),  # of none
        ([0, torch.inf, -torch.inf], {"select": "expected", "k": 5}, [0.5, 2]),  # P = ½, 1, 0
        ([0.5, 0.9, -0.1], {"select": "topk", "k": 2}, [0.5, 2]),  # weights ½, 1; the third is left
        ([3, 2, 1], {"select": "topk", "k": 9}, [7 / 3, 8 / 3]),  # more than there are: all three
    ],
)
def test_a_rule_weighs_the_classes_maps(logits, rule, expected):
    chosen = select_classes(MAPS, torch.tensor(logits, dtype=torch.float32), **rule)
    torch.testing.assert_close(chosen, torch.tensor([expected], dtype=torch.float32))


@pytest.mark.parametrize(("select", "k"), [("best", 5), ("topk", 0)])
def test_an_unknown_rule_is_refused(select, k):
    with pytest.raises(ValueError, match="select must be"):
        select_classes(MAPS, torch.zeros(3), select=select, k=k)


def test_cam_is_the_most_probable_class_without_its_negative_part():
    maps = torch.tensor([[[1.0, -1.0]], [[9.0, 9.0]]])
    torch.testing.assert_close(cam(maps, torch.tensor([2.0, 1.0])), torch.tensor([[1.0, 0.0]]))


def test_each_map_of_a_batch_is_stretched_by_itself_and_one_of_equal_values_becomes_zero():
    stretched = unit(torch.tensor([[[1.0, 3.0, 2.0]], [[0.0, 0.0, 10.0]], [[0.7, 0.7, 0.7]]]))
    by_hand = torch.tensor([[[0.0, 1.0, 0.5]], [[0.0, 0.0, 1.0]], [[0.0, 0.0, 0.0]]])
    torch.testing.assert_close(stretched, by_hand, rtol=0, atol=0)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (40, 40), (97, 131), (256, 192)])
def test_a_map_has_the_images_size_and_lies_between_0_and_1(model, size):
    saliency = saliency_map(picture(*size), model, short_sides=(64,))
    assert saliency.shape == size
    assert saliency.dtype == np.float32
    assert saliency.min() == 0
    assert saliency.max() == 1 or (saliency == 0).all()


def test_the_same_image_gives_the_same_map_and_is_not_changed(model):
    image = picture(80, 120)
    before = image.copy()
    np.testing.assert_array_equal(saliency_map(image, model), saliency_map(image, model))
    np.testing.assert_array_equal(image, before)


def test_a_map_lies_where_its_object_lies():
    """A network that sees green: the map's centre of mass is the patch's, off the centre too."""
    net = network("cam", classes=("green",), widths=(1,) * 5, norm="none")
    with torch.no_grad():
        for layer in net.features:
            if isinstance(layer, torch.nn.Conv2d):
                layer.weight.zero_()
                layer.bias.zero_()
                layer.weight[:, min(1, layer.weight.shape[1] - 1), 1, 1] = 1
        net.head.maps.weight.fill_(1)
    image = np.zeros((160, 352, 3), np.uint8)
    image[32:64, 256:288] = (0, 255, 0)
    saliency = saliency_map(image, net, short_sides=(160,))
    rows, columns = np.indices(saliency.shape)
    assert (rows * saliency).sum() / saliency.sum() == pytest.approx(47.5, abs=2)
    assert (columns * saliency).sum() / saliency.sum() == pytest.approx(271.5, abs=2)


def test_scales_are_averaged_by_default_the_checkpoints_own_once_and_twice(model, monkeypatch):
    image = picture(96, 96)
    single = [torch.from_numpy(saliency_map(image, model, short_sides=(s,))) for s in (64, 128)]
    both = saliency_map(image, model, short_sides=(64, 128))
    np.testing.assert_allclose(both, unit(single[0] + single[1]).numpy(), atol=1e-6)
    monkeypatch.setitem(model.metadata, "size", 64)
    np.testing.assert_array_equal(saliency_map(image, model), both)


def test_top_classes_are_named_most_evident_first(model):
    names = top_classes(picture(64, 64), model, k=3)
    assert len(set(names)) == 3
    assert names == top_classes(picture(64, 64), model, k=6)[:3]


@pytest.mark.parametrize(
    ("image", "options"),
    [
        (np.zeros((4, 4), np.uint8), {}),
        (np.zeros((0, 4, 3), np.uint8), {}),
        (np.zeros((4, 4, 3), np.float32), {}),
        (np.zeros((4, 4, 3), np.uint8), {"short_sides": (16,)}),
    ],
)
def test_what_is_no_image_or_no_size_is_refused(model, image, options):
    with pytest.raises(ValueError):
        saliency_map(image, model, **options)


def test_a_batch_gives_the_maps_of_its_images_which_must_be_of_one_size(model):
    images = [picture(70, 90, seed) for seed in range(3)]
    for image, saliency in zip(images, saliency_maps(images, model), strict=True):
        np.testing.assert_allclose(saliency, saliency_map(image, model), atol=1e-5)
    with pytest.raises(ValueError, match="one size"):
        saliency_maps([picture(64, 64), picture(64, 65)], model)


def test_the_energy_is_the_features_mean_and_knows_no_class(model):
    image = picture(64, 96)
    before = energy_map(image, model, short_sides=(64,))
    with torch.no_grad():
        model.head.maps.weight.neg_()
    np.testing.assert_array_equal(before, energy_map(image, model, short_sides=(64,)))
    assert before.shape == (64, 96)
    assert before.max() == 1


def test_the_centre_prior_is_a_gaussian_of_a_quarter_of_each_side_and_the_flat_map_one():
    prior = centre_prior(picture(41, 81))
    assert prior[20, 40] == 1
    assert prior[20, 60] == pytest.approx(np.exp(-0.5), abs=1e-6)
    assert prior[10, 40] == pytest.approx(np.exp(-0.5), abs=1e-6)
    assert (flat_map(picture(3, 5)) == 1).all()
