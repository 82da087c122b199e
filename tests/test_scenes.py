"""The scene renderer: same seed same picture, exact masks, any size."""

import csv
import math
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import binary_dilation

from study.rendered.scenes import scene as room
from study.rendered.scenes.canvas import Canvas
from study.rendered.scenes.noise import fractal, ramp
from study.rendered.scenes.objects import PAINTERS, TURNS
from study.rendered.scenes.scene import CLASSES, render
from study.rendered.scenes.sets import complete_folder, many_object_set, one_object_set, write_set

SIZES = {"train": 10, "train_size": (32, 40), "test_per_count": 2, "test_size": (64, 80)}


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_the_same_seed_gives_the_same_bytes_and_another_another_picture():
    first, second, other = (render(60, 90, objects=["ball", "fish"], seed=s) for s in (5, 5, 6))
    assert first.image.tobytes() == second.image.tobytes()
    assert first.masks.tobytes() == second.masks.tobytes()
    assert np.mean(first.image != other.image) > 0.5


@pytest.mark.parametrize("size", [(32, 32), (33, 97), (240, 61)])
def test_a_scene_has_the_size_and_types_asked_for(size):
    scene = render(*size, objects=["mug"], seed=1)
    assert scene.image.shape == (*size, 3)
    assert scene.masks.shape == size
    assert scene.image.dtype == scene.masks.dtype == np.uint8
    assert scene.classes == ("mug",)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("seed", range(6))
def test_every_object_fills_a_good_part_of_its_circle_with_a_texture_and_stays_within(name, seed):
    box, light = (slice(0, 80), slice(0, 80)), np.array([0.4, -0.5, 0.77])
    painted = Canvas(box, (40, 40), 32, 0.0, light, np.random.default_rng(seed))
    PAINTERS[name](painted)
    solid, outside = painted.alpha == 1, np.hypot(painted.u, painted.v) > 1 + painted.pixel
    assert painted.alpha[outside].max() == 0
    assert solid.sum() * painted.pixel**2 > 0.2 * math.pi
    assert np.ptp(painted.rgb[solid].mean(axis=-1)) > 0.2


@pytest.mark.parametrize("name", CLASSES)
def test_an_object_changes_the_pixels_of_its_mask_and_only_shades_the_others(name):
    bare = render(96, 96, objects=[], seed=8).image.astype(int)
    scene = render(96, 96, objects=[name], seed=8)
    change = scene.image.astype(int) - bare
    assert np.mean(np.abs(change[scene.masks == 1]).max(axis=-1) > 0) > 0.98
    touched = binary_dilation(scene.masks == 1, iterations=2)  # its anti-aliased edge too
    assert change[~touched].max() <= 0


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_every_object_is_seen_by_seven_tenths_at_least(count):
    for seed in range(5):
        objects = CLASSES[seed : seed + count]
        scene = render(90, 120, objects=objects, seed=seed)
        alone = _footprints(90, 120, objects, seed)
        for label in range(1, count + 1):
            assert np.sum(scene.masks == label) >= 0.7 * alone[label - 1]
        assert scene.masks.max() == count


def _footprints(height, width, objects, seed):
    """Pixels of each object were it not covered, by painting it alone at its place."""
    layout_stream = np.random.default_rng([seed, 2])
    places = room._layout(height, width, len(objects), layout_stream)
    light = room._light(np.random.default_rng([seed, 0]))
    areas = []
    for index, (name, place) in enumerate(zip(objects, places, strict=True)):
        picture = np.zeros((height, width, 3), np.float32)
        masks = np.zeros((height, width), np.uint8)
        rng = np.random.default_rng([seed, 4 + index])
        room._place(picture, masks, 1, name, place, light, rng)
        areas.append(masks.sum(dtype=int))
    return areas


def test_no_object_touches_the_border():
    for seed in range(20):
        masks = render(64, 64, objects=[CLASSES[seed % 10]], seed=seed).masks
        edge = np.concatenate([masks[0], masks[-1], masks[:, 0], masks[:, -1]])
        assert np.mean(edge) < 0.02


@pytest.mark.parametrize("seed", range(4))
def test_a_larger_scene_has_the_same_composition(seed):
    small, large = (render(n, n, objects=["house", "ball"], seed=seed) for n in (64, 256))
    shrunk = Image.fromarray(large.image).resize((64, 64), Image.Resampling.BOX)
    difference = np.abs(np.asarray(shrunk, int) - small.image.astype(int))
    assert np.mean(large.masks[2::4, 2::4] == small.masks) > 0.96
    assert difference.mean() < 0.5 * small.image.std()


def test_the_background_can_be_chosen():
    sea, bricks = (
        render(48, 64, objects=[], seed=1, background=name).image.mean(axis=(0, 1))
        for name in ("water", "wall")
    )
    assert sea.argmax() == 2
    assert bricks.argmax() == 0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"objects": ["dragon"]}, "No object class 'dragon'"),
        ({"objects": ["ball"] * 17}, "at most 16"),
        ({"height": 31}, "too small"),
        ({"background": "moon"}, "No background 'moon'"),
    ],
)
def test_bad_arguments_are_refused(change, sentence):
    arguments = {"height": 64, "width": 64, "objects": ["ball"], "seed": 0} | change
    with pytest.raises(ValueError, match=sentence):
        render(**arguments)


def test_fractal_noise_is_centred_and_scaled():
    fields = [fractal((64, 64), np.random.default_rng(seed)) for seed in range(30)]
    assert np.mean(fields) == pytest.approx(0, abs=0.1)
    assert np.std(fields) == pytest.approx(1, abs=0.3)


def test_a_ramp_takes_its_first_and_last_colours_at_the_ends():
    colours = ramp(np.float32([[-3, 0, 3]]), [(0, 0, 0), (1, 0.5, 0)])
    np.testing.assert_allclose(colours[0], [(0, 0, 0), (0.5, 0.25, 0), (1, 0.5, 0)], atol=1e-3)


def test_one_object_sets_take_the_ten_classes_in_turn_each_of_which_has_a_turn_of_its_own():
    assert len(CLASSES) == 10
    assert set(TURNS) == set(CLASSES)
    named = list(one_object_set(20, (32, 32), 3))
    assert [scene.classes for _, scene in named] == [(name,) for name in CLASSES * 2]
    assert named[0][0] == "ball/0001"
    assert named[10][0] == "ball/0002"
    assert len({scene.image.tobytes() for _, scene in named}) == 20


def test_many_object_sets_are_balanced_and_hold_distinct_classes():
    named = list(many_object_set(5, (64, 64), seed=3))
    assert [len(scene.classes) for _, scene in named] == [1] * 5 + [2] * 5 + [3] * 5 + [4] * 5
    assert all(len(set(scene.classes)) == len(scene.classes) for _, scene in named)
    labels = [label for _, scene in named for label in scene.classes]
    assert [labels.count(name) for name in CLASSES] == [5] * 10


def test_a_written_set_is_complete_agrees_with_its_table_and_is_equal_byte_for_byte(tmp_path):
    for name in ("a", "b"):
        write_set(tmp_path / name, **SIZES, seed=4)
    assert {p.name for p in tmp_path.iterdir()} == {".a.lock", "a", ".b.lock", "b"}
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.*"))
    assert len(files) == 10 + 8 + 8 + 1
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    for name in CLASSES:
        assert (tmp_path / "a" / "train" / name / "0001.png").is_file()
    test = tmp_path / "a" / "test"
    with (test / "objects.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    assert len(rows) == 2 * (1 + 2 + 3 + 4)
    for row in rows:
        masks = pixels(test / "masks" / f"{row['name']}.png")
        assert masks.max() == int(row["count"])
        assert np.any(masks == int(row["index"]))
        assert pixels(test / f"{row['name']}.png").shape == (64, 80, 3)


def test_only_a_folder_that_is_complete_replaces_the_old_one(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "old.txt").write_text("kept")
    with pytest.raises(RuntimeError), complete_folder(tmp_path / "set") as partial:
        (partial / "new.txt").write_text("half")
        raise RuntimeError
    assert sorted(p.name for p in tmp_path.rglob("*")) == [".set.lock", "old.txt", "set"]
    with complete_folder(tmp_path / "set") as partial:
        (partial / "new.txt").write_text("there")
    assert sorted(p.name for p in tmp_path.rglob("*")) == [".set.lock", "new.txt", "set"]


KILLED = """
import os, signal, sys
from study.rendered.scenes.sets import complete_folder
with complete_folder(sys.argv[1]) as partial:
    (partial / "new.txt").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_run_leaves_of_a_set_is_removed_by_the_next(tmp_path):
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "set")], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert list(tmp_path.rglob("new.txt")) and not (tmp_path / "set").exists()
    with complete_folder(tmp_path / "set"):
        pass
    assert sorted(p.name for p in tmp_path.rglob("*")) == [".set.lock", "set"]
