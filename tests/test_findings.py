"""What heads find: classes, fixated pixels, objects; and differences with their intervals."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.io import savemat

from study.data.sets import ImageSet, Item, load
from study.measure import findings


def test_classification_counts_each_class_that_has_images_by_itself():
    logits = np.array([[2.0, 1.0], [0.0, 3.0], [1.0, 4.0]])  # named: a, b, b
    table = findings.classification(np.array([0, 0, 1]), logits, ("a", "b"))
    assert table["class"].tolist() == ["a", "b"]
    assert table["images"].tolist() == [2, 1]
    assert table["accuracy"].tolist() == [0.5, 1.0]
    # scores for a, falling: images 0 (a), 2 (b), 1 (a): precision 1 and 2/3
    assert table["average_precision"].tolist() == pytest.approx([5 / 6, 1.0])
    assert findings.top_1(table) == pytest.approx(2 / 3)
    table = findings.classification(np.array([1]), np.array([[0.0, 1.0, 0.0]]), ("a", "b", "c"))
    assert table["class"].tolist() == ["b"]


def scene(folder, masks):
    """A set of one black picture with these masks."""
    Image.new("RGB", masks.shape[::-1]).save(folder / "one.png")
    Image.fromarray(masks).save(folder / "masks.png")
    item = Item("one", folder / "one.png", objects=folder / "masks.png")
    return ImageSet("scenes", folder, (item,))


def test_an_object_is_found_where_the_map_is_above_its_mean_and_by_a_flat_map_nowhere(tmp_path):
    masks = np.zeros((4, 4), np.uint8)
    masks[0, 0], masks[3, 3] = 1, 2
    left = np.zeros((4, 4), np.float32)
    left[0, 0] = 1
    maps = {"left": lambda _: left, "right": lambda _: left[::-1, ::-1]}
    maps["flat"] = lambda _: np.full((4, 4), 0.5, np.float32)
    found = pd.DataFrame(findings.found(scene(tmp_path, masks), maps))
    assert found[["map", "object", "found"]].to_numpy().tolist() == [
        ["left", 1, True],
        ["left", 2, False],
        ["right", 1, False],
        ["right", 2, True],
        ["flat", 1, False],
        ["flat", 2, False],
    ]
    assert findings.share_found(found).loc[2].to_dict() == {"left": 0.5, "right": 0.5, "flat": 0}


@pytest.fixture
def looked_at(tmp_path):
    """A set in OSIE's layout: one black image, at whose right upper corner everyone looked."""
    (tmp_path / "stimuli").mkdir()
    Image.new("RGB", (40, 30)).save(tmp_path / "stimuli/1001.jpg")
    eye = {"fix_x": np.array([38.0, 37.0]), "fix_y": np.array([3.0, 2.0])}
    fixations = np.empty(2, object)
    for index, name in enumerate(["1001.jpg", "1002.jpg"]):
        fixations[index] = {"img": name, "subjects": np.array([eye], object)}
    savemat(tmp_path / "fixations.mat", {"fixations": fixations})
    return load("osie", tmp_path)


def test_a_map_that_lights_where_people_looked_agrees_with_them(looked_at):
    right, wrong = np.zeros((2, 30, 40), np.float32)
    right[:6, 34:] = 1
    wrong[20:, :10] = 1
    maps = {"right": lambda _: right, "wrong": lambda _: wrong}
    rows = {row["map"]: row for row in findings.found(looked_at, maps)}
    for measure in ("auc_judd", "nss", "cc"):
        assert rows["right"][measure] > rows["wrong"][measure]
    assert rows["right"]["image"] == looked_at[0].name


def test_differences_are_paired_by_unit_and_averaged_within():
    rows = [("s", "A", 1.0), ("s", "A", 0.0), ("s", "B", 0.0), ("t", "A", 1.0), ("t", "B", 0.0)]
    table = pd.DataFrame(rows, columns=["scene", "map", "found"])
    found = findings.differences(table, unit="scene", value="found", of="A", seed=1)
    (row,) = found.to_dict("records")
    assert row["map"] == "B"
    assert row["difference"] == pytest.approx(0.75)  # s: ½ − 0, t: 1 − 0
    assert row["low"] == pytest.approx(0.5)
    assert row["high"] == pytest.approx(1.0)
    assert row["units"] == 2
