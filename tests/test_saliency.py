"""From class maps to one map in [0, 1]."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from networks import alive, exported, network

from msroi.errors import ArgumentError
from msroi.network import HEADS, load_model
from msroi.saliency import (
    cam,
    centre_prior,
    energy_map,
    flat_map,
    named_maps,
    network_map,
    saliency_map,
    saliency_maps,
    select_classes,
    unit,
)

ROOT = Path(__file__).parent.parent
MAPS = np.array([[[1, 0]], [[0, 2]], [[4, 4]]], np.float32)  # three classes, 1×2


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "both.onnx"
    exported(path, *(alive(network(head, classes=tuple("abcdef"))) for head in HEADS))
    return path


@pytest.fixture(scope="module", params=HEADS)
def model(request, file):
    return load_model(file, request.param)


def picture(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(
    ("logits", "rule", "expected"),
    [
        ([0.5, 0.1, -0.1], {"select": "threshold", "k": 5}, [1, 2]),  # Z_c > T_c of two classes
        ([-1, -1, -1], {"select": "threshold", "k": 5}, [0, 0]),  # of none
        ([0, np.inf, -np.inf], {"select": "expected", "k": 5}, [0.5, 2]),  # P = ½, 1, 0
        ([0.5, 0.9, -0.1], {"select": "topk", "k": 2}, [0.5, 2]),  # weights ½, 1; the third is left
        ([3, 2, 1], {"select": "topk", "k": 9}, [7 / 3, 8 / 3]),  # more than there are: all three
    ],
)
def test_a_rule_weighs_the_classes_maps(logits, rule, expected):
    chosen = select_classes(MAPS, np.array(logits, np.float32), **rule)
    np.testing.assert_allclose(chosen, np.array([expected]), rtol=1e-6)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"select": "best"}, "select is 'best'; it must be one of 'expected', 'threshold', 'topk'"),
        ({"k": 0}, "k is 0; topk takes one class at least"),
        ({"evidence": "signed"}, "evidence is 'signed'; it must be one of 'excess', 'plain'"),
        ({"prior": "left"}, "prior is 'left'; it must be one of '', 'centre'"),
    ],
)
def test_an_unknown_rule_is_refused_by_name(model, wrong, words):
    with pytest.raises(ArgumentError, match=words):
        saliency_map(picture(32, 32), model, **wrong)


def test_cam_is_the_most_probable_class_without_its_negative_part():
    maps = np.array([[[1.0, -1.0]], [[9.0, 9.0]]])
    np.testing.assert_array_equal(cam(maps, np.array([2.0, 1.0])), [[1.0, 0.0]])


@pytest.mark.parametrize(
    ("values", "stretched"),
    [([1, 3, 2], [0, 1, 0.5]), ([0, 0, 10], [0, 0, 1]), ([0.7, 0.7, 0.7], [0, 0, 0])],
)
def test_a_map_is_stretched_from_0_to_1_and_one_of_equal_values_becomes_zero(values, stretched):
    found = unit(np.array([values], np.float64))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, [stretched])


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


def test_a_map_lies_where_its_object_lies(tmp_path):
    """A network that sees green: the map's centre of mass is the patch's, off the centre too."""
    net = network("cam", classes=("green",), widths=(1,) * 5, norm="none")
    with torch.no_grad():
        for layer in net.features:
            if isinstance(layer, torch.nn.Conv2d):
                layer.weight.zero_()
                layer.bias.zero_()
                layer.weight[:, min(1, layer.weight.shape[1] - 1), 1, 1] = 1
        net.head.maps.weight.fill_(1)
    model = exported(tmp_path / "green.onnx", net)
    image = np.zeros((160, 352, 3), np.uint8)
    image[32:64, 256:288] = (0, 255, 0)
    for rule in ({"evidence": "excess"}, {"evidence": "plain"}, {"short_sides": (160, 320)}):
        saliency = saliency_map(image, model, **{"short_sides": (160,)} | rule)
        saliency = np.where(saliency > 0.1, saliency, 0)  # without the floor under a product
        rows, columns = np.indices(saliency.shape)
        assert (rows * saliency).sum() / saliency.sum() == pytest.approx(47.5, abs=2)
        assert (columns * saliency).sum() / saliency.sum() == pytest.approx(271.5, abs=2)


def test_plain_scales_are_averaged_on_the_largest_ones_grid(model):
    image = picture(96, 96)
    single = [saliency_map(image, model, evidence="plain", short_sides=(s,)) for s in (64, 128)]
    both = saliency_map(image, model, evidence="plain", short_sides=(64, 128))
    assert not np.array_equal(both, single[0])
    assert not np.array_equal(both, single[1])
    means = [saliency_map(image, model, evidence="plain", short_sides=(s, s)) for s in (64, 128)]
    for twice, once in zip(means, single, strict=True):
        np.testing.assert_allclose(twice, once, atol=1e-6)


def by_hand(model, image, sides, *, head):
    """The map of a rule by its definition, of an image whose sides are whole cells."""
    import math

    from PIL import Image

    from msroi.saliency import FLOOR, MIDDLE, POWER

    def scaled(values, size):
        picture = Image.fromarray(np.asarray(values, np.float32))
        return np.maximum(picture.resize(size[::-1], Image.Resampling.BICUBIC), 0)

    grid = tuple(length // min(image.shape[:2]) * max(sides) // 16 for length in image.shape[:2])
    product, exponents = 1.0, len(sides) * (1 + MIDDLE)
    for side in sides:
        cells = model.look([image], side)[0]
        maps, logits = cells.excess_maps[0], cells.logits[0]
        if head == "cam":
            top = np.maximum(maps[logits.argmax()], 0)
        else:
            top = sum(own / (1 + math.exp(-z)) for own, z in zip(maps, logits, strict=True))
        for values, exponent in ((top, 1), (cells.middle_excess[0], MIDDLE)):
            factor = unit(scaled(values, grid)) + FLOOR
            product = product * factor ** (POWER * exponent / exponents)
    return unit(scaled(unit(product), image.shape[:2]))


@pytest.mark.parametrize("sides", [(64,), (64, 128), (64, 128, 256)])
def test_an_excess_map_is_the_product_of_all_passes_and_layers(model, sides):
    image = picture(64, 128)
    expected = by_hand(model, image, sides, head=model.head)
    found = saliency_map(image, model, short_sides=sides)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert 0.02 < found.mean() < 0.98


def test_evidence_decides_and_the_excess_is_the_default(model):
    image = picture(96, 96)
    default = saliency_map(image, model)
    np.testing.assert_array_equal(default, saliency_map(image, model, evidence="excess"))
    assert not np.array_equal(default, saliency_map(image, model, evidence="plain"))


def test_a_prior_multiplies_the_map_by_that_of_the_centre(model):
    image = picture(90, 70)
    own = saliency_map(image, model)
    with_prior = saliency_map(image, model, prior="centre")
    np.testing.assert_array_equal(with_prior, unit(own * centre_prior(image)))


def test_the_natural_sides_are_taken_where_none_are_given(model):
    image = picture(96, 96)
    given = saliency_map(image, model, short_sides=model.natural_sides())
    np.testing.assert_array_equal(saliency_map(image, model), given)
    assert not np.array_equal(given, saliency_map(image, model, short_sides=(64,)))


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


@pytest.mark.parametrize("evidence", ["excess", "plain"])
def test_a_batch_gives_the_maps_of_its_images_which_must_be_of_one_size(model, evidence):
    images = [picture(70, 90, seed) for seed in range(3)]
    maps = saliency_maps(images, model, evidence=evidence)
    for image, saliency in zip(images, maps, strict=True):
        np.testing.assert_allclose(
            saliency, saliency_map(image, model, evidence=evidence), atol=1e-5
        )
    with pytest.raises(ValueError, match="one size"):
        saliency_maps([picture(64, 64), picture(64, 65)], model)
    assert saliency_maps([], model) == []


def test_the_energy_is_the_features_and_knows_no_class(tmp_path):
    net, image = network(), picture(64, 96)
    before = energy_map(image, exported(tmp_path / "a.onnx", net), short_sides=(64,))
    with torch.no_grad():
        net.head.maps.weight.uniform_()
    model = exported(tmp_path / "b.onnx", net)
    np.testing.assert_array_equal(before, energy_map(image, model, short_sides=(64,)))
    assert before.shape == (64, 96)
    assert before.max() == 1
    plain = energy_map(image, model, evidence="plain", short_sides=(64,))
    assert not np.array_equal(plain, before)
    with pytest.raises(ArgumentError, match="evidence is"):
        energy_map(image, model, evidence="none")


def test_named_maps_are_those_of_the_heads_one_with_a_prior_and_three_controls(file):
    image, sides = picture(64, 96), (64,)
    heads = {"MS-ROI": (file, "msroi"), "CAM": (file, "cam")}
    maps = named_maps(heads, select="topk", k=2, short_sides=sides)
    assert list(maps) == ["MS-ROI", "CAM", "MS-ROI × centre", "energy", "centre prior", "flat"]
    own, other = (load_model(file, head) for head in HEADS)
    rule = {"select": "topk", "k": 2, "short_sides": sides}
    expected = {
        "MS-ROI": saliency_map(image, own, **rule),
        "CAM": saliency_map(image, other, **rule),
        "MS-ROI × centre": saliency_map(image, own, prior="centre", **rule),
        "energy": energy_map(image, own, short_sides=sides),
        "centre prior": centre_prior(image),
        "flat": flat_map(image),
    }
    for name, draw in maps.items():
        np.testing.assert_array_equal(draw(image), expected[name], err_msg=name)
    plain = named_maps(heads, evidence="plain")["energy"](image)
    np.testing.assert_array_equal(plain, energy_map(image, own, evidence="plain"))


DRAW = """
import os, sys
import numpy as np
from msroi.network import load_model
from msroi.saliency import energy_map, saliency_map
image = np.random.default_rng(0).integers(0, 256, (200, 330, 3), np.uint8)
for head in ("msroi", "cam"):
    model = load_model(sys.argv[1], head)
    for evidence in ("excess", "plain"):
        sys.stdout.buffer.write(saliency_map(image, model, evidence=evidence).tobytes())
        sys.stdout.buffer.write(energy_map(image, model, evidence=evidence).tobytes())
"""


@pytest.mark.parametrize("options", [{}, {"backbone": "efficientnet-lite0"}], ids=str)
def test_a_map_is_the_same_to_the_bit_in_every_process_and_on_any_threads(tmp_path, options):
    path = tmp_path / "both.onnx"
    exported(path, *(alive(network(head, **options)) for head in HEADS), size=96)
    drawn = []
    for threads in ("1", "2", "3", "0"):
        env = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": threads}
        command = [sys.executable, "-c", DRAW, path]
        drawn.append(subprocess.run(command, env=env, capture_output=True, check=True).stdout)
    assert len(drawn[0]) == 8 * 200 * 330 * 4
    assert len(set(drawn)) == 1


def test_a_map_can_be_sent_to_another_process(file):
    import pickle

    image = picture(64, 96)
    draw = network_map(file, "cam", short_sides=(64,))
    again = pickle.loads(pickle.dumps(draw))
    np.testing.assert_array_equal(again(image), draw(image))
    np.testing.assert_array_equal(
        draw(image), saliency_map(image, load_model(file, "cam"), short_sides=(64,))
    )


def test_the_centre_prior_is_a_gaussian_of_a_quarter_of_each_side_and_the_flat_map_one():
    prior = centre_prior(picture(41, 81))
    assert prior[20, 40] == 1
    assert prior[20, 60] == pytest.approx(np.exp(-0.5), abs=1e-6)
    assert prior[10, 40] == pytest.approx(np.exp(-0.5), abs=1e-6)
    assert (flat_map(picture(3, 5)) == 1).all()
