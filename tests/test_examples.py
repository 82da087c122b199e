"""The images that a head learns from: decoded once, and read from a file."""

import signal
import subprocess
import sys

import numpy as np
import pytest
from curves import examples, trainer
from PIL import Image, ImageOps

from study.data.sets import ImageSet, Item
from study.training.examples import BACKGROUND, Examples, load_examples

SIDE = 32


@pytest.fixture
def images(tmp_path):
    """Five images of three shapes and two classes, one of no class."""
    rng = np.random.default_rng(1)
    items = []
    for index, label in enumerate([0, 1, None, 1, 0]):
        path = tmp_path / "set" / f"{index}.png"
        path.parent.mkdir(exist_ok=True)
        pixels = rng.integers(0, 256, (40 + index % 3, 50, 3), np.uint8)
        Image.fromarray(pixels).save(path)
        items.append(Item(str(index), path, label=label))
    return ImageSet("mine", tmp_path / "set", tuple(items), ("ant", "bee"))


@pytest.fixture
def opened(monkeypatch):
    """The images that are decoded, by name, as they are."""
    import study.training.examples as module

    names, read = [], module.read_pixels

    def recorded(path, **options):
        names.append(path.stem)
        return read(path, **options)

    monkeypatch.setattr(module, "read_pixels", recorded)
    return names


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_set_is_its_images_centre_squares_in_their_order(images, tmp_path):
    found = load_examples(images, SIDE, file=tmp_path / "partial/mine.train")
    for item, square in zip(images, found.images, strict=True):
        whole = ImageOps.fit(Image.open(item.path), (SIDE, SIDE), Image.Resampling.BICUBIC)
        np.testing.assert_array_equal(square, np.asarray(whole))
    assert found.labels.tolist() == [0, 1, BACKGROUND, 1, 0]
    assert isinstance(found.images, np.memmap)
    (name,) = files(tmp_path / "partial")
    assert name.startswith("mine.train.")


def test_a_second_start_decodes_nothing_and_a_changed_set_is_decoded_anew(images, tmp_path, opened):
    file = tmp_path / "partial/mine.train"
    first = load_examples(images, SIDE, file=file)
    assert sorted(opened) == ["0", "1", "2", "3", "4"]
    again = load_examples(images, SIDE, file=file)
    assert len(opened) == 5
    np.testing.assert_array_equal(again.images, first.images)
    before = files(file.parent)
    Image.fromarray(np.zeros((60, 60, 3), np.uint8)).save(images[1].path)
    changed = load_examples(images, SIDE, file=file)
    assert len(opened) == 10
    assert changed.images[1].max() == 0
    assert len(files(file.parent)) == 1 and files(file.parent) != before
    assert load_examples(images, 2 * SIDE, file=file).images.shape == (5, 2 * SIDE, 2 * SIDE, 3)


@pytest.mark.parametrize("kept", [slice(-1), slice(9), slice(0)])
def test_a_file_that_was_cut_off_is_made_anew(images, tmp_path, opened, kept):
    file = tmp_path / "mine.train"
    whole = np.array(load_examples(images, SIDE, file=file).images)
    (path,) = tmp_path.glob("mine.train.*")
    path.write_bytes(path.read_bytes()[kept])
    np.testing.assert_array_equal(load_examples(images, SIDE, file=file).images, whole)
    assert len(opened) == 10


KILLED = """
import os, signal, sys
from pathlib import Path
import study.training.examples as module
from study.data.sets import load

module.os.fsync = lambda file: os.kill(os.getpid(), signal.SIGKILL)
module.load_examples(load("mine", sys.argv[1]), 32, file=Path(sys.argv[2]))
"""


def test_what_a_run_that_was_killed_has_left_is_removed_by_the_next(images, tmp_path):
    file = tmp_path / "partial/mine.train"
    command = [sys.executable, "-c", KILLED, str(images.root), str(file)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    (left,) = files(file.parent)
    load_examples(images, SIDE, file=file)
    (whole,) = files(file.parent)
    assert whole != left


def test_an_image_that_cannot_be_decoded_leaves_no_file(images, tmp_path):
    images[3].path.write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"3\.png"):
        load_examples(images, SIDE, file=tmp_path / "partial/mine.train")
    assert files(tmp_path / "partial") == []


def test_examples_of_a_file_end_in_the_weights_of_those_in_memory(tmp_path):
    ends = []
    for mapped in (False, True):
        parts = [examples(36, 0), examples(6, 1)]
        if mapped:
            for index, part in enumerate(parts):
                np.save(tmp_path / f"{index}.npy", part.images)
                squares = np.load(tmp_path / f"{index}.npy", mmap_mode="r")
                parts[index] = Examples(squares, part.labels)
        run = trainer()
        list(run.epochs(*parts))
        ends.append([tensor.numpy().tobytes() for tensor in run.network.state_dict().values()])
    assert ends[0] == ends[1]
