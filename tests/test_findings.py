"""What heads find: classes, fixated pixels, objects; and differences with their intervals."""

import os
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from kodak import elsewhere
from networks import alive, exported, network
from PIL import Image
from scipy.io import savemat
from typer.testing import CliRunner

from msroi.network import HEADS
from msroi.saliency import centre_prior
from study.__main__ import app
from study.data.classes import merge, read_groups, split
from study.data.sets import ImageSet, Item, load
from study.measure import findings
from study.params import StudyError, as_json
from study.rendered.scenes import write_set
from study.training.examples import load_examples
from study.training.trainer import predict

REAL = Path(os.environ.get("MSROI_DATA", "../shared/data")).resolve()


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


def test_logits_are_those_of_each_images_centre_square_at_the_size_of_training(tmp_path):
    rng = np.random.default_rng(1)
    for name, size in {"a": (40, 60), "b": (64, 64), "c": (90, 50)}.items():
        Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8)).save(tmp_path / f"{name}.png")
    net = alive(network())
    model = exported(tmp_path / "own.onnx", net, size=64)
    items = tuple(Item(name, tmp_path / f"{name}.png", label=0) for name in "abc")
    images = ImageSet("mine", tmp_path, items, ("any",))
    found = findings.logits(images, model)
    assert found.shape == (3, 3)
    by_torch = predict(
        net, load_examples(images, 64, file=tmp_path / "mine").images
    )  # as training validates
    np.testing.assert_allclose(found, by_torch, atol=1e-4)


@pytest.fixture
def two_classes(tmp_path, monkeypatch):
    """A folder with a labelled set, and a file of heads that were trained on it by its word."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    for index in range(12):
        path = tmp_path / f"data/raw/caltech101/{'ab'[index % 2]}/{index:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (40, 40, 3), np.uint8)).save(path)
    images = load("caltech101", tmp_path / "data/raw/caltech101")
    held_out = split(images, validation=0.3, seed=7)
    nets = [network(head, classes=images.classes) for head in HEADS]
    for net in nets:
        net.metadata = {"validation": 0.3, "seed": 7}
        net.metadata["split_sha256"] = sha256(as_json(held_out)).hexdigest()
    exported(tmp_path / "models/both.onnx", *nets)
    params = elsewhere()
    params["findings"] = {"caltech101": {"heads": dict.fromkeys(HEADS, "models/both.onnx")}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    return tmp_path


def find_caltech101():
    command = ["find", "caltech101", "--to", "found"]
    return CliRunner().invoke(app, command, catch_exceptions=False)


def test_find_names_the_classes_of_the_images_that_each_head_held_out(two_classes):
    told = find_caltech101()
    assert told.exit_code == 0
    table = pd.read_csv("found/caltech101/heads.csv")
    assert table["head"].tolist() == ["MS-ROI"] * 2 + ["CAM"] * 2
    assert table["images"].tolist() == [2] * 4  # a third of six, of each class


def test_find_merges_the_classes_of_heads_that_were_trained_on_merged_ones(two_classes):
    (two_classes / "groups.csv").write_text("class,group\na,letter\nb,letter\n")
    images = load("caltech101", two_classes / "data/raw/caltech101")
    merged = merge(images, read_groups(two_classes / "groups.csv"))
    held_out = split(merged, validation=0.3, seed=7)
    nets = [network(head, classes=merged.classes) for head in HEADS]
    for net in nets:
        net.metadata = {"validation": 0.3, "seed": 7, "groups": "groups.csv"}
        net.metadata["split_sha256"] = sha256(as_json(held_out)).hexdigest()
    exported(two_classes / "models/both.onnx", *nets)
    assert find_caltech101().exit_code == 0
    table = pd.read_csv("found/caltech101/heads.csv")
    assert table[["class", "images"]].to_numpy().tolist() == [["letter", 4]] * 2  # of twelve


def test_find_refuses_heads_that_were_trained_on_other_images(two_classes):
    (two_classes / "data/raw/caltech101/a/00.png").unlink()
    with pytest.raises(StudyError, match="MS-ROI was trained on other images than the 11 of cal"):
        find_caltech101()


def find_scenes(tmp_path, monkeypatch, *, data):
    """What `find scenes` writes by heads that say that they learned from the set ``data``."""
    monkeypatch.chdir(tmp_path)
    sizes = {"train_size": (64, 64), "test_size": (64, 96)}
    write_set(Path("data/raw/scenes"), train=24, test_per_count=1, seed=1, **sizes)
    taught = load("scenes", "data/raw/scenes", subset="train")
    held_out = split(taught, validation=0.5, seed=7)
    nets = [network(head, classes=taught.classes) for head in HEADS]
    for net in nets:
        net.metadata = {"data": data, "validation": 0.5, "seed": 7}
        net.metadata["split_sha256"] = sha256(as_json(held_out)).hexdigest()
    exported(Path("models/both.onnx"), *nets)
    params = elsewhere()
    params["findings"] = {"scenes": {"heads": dict.fromkeys(HEADS, "models/both.onnx")}}
    Path("params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    told = CliRunner().invoke(app, ["find", "scenes", "--to", "found"], catch_exceptions=False)
    assert told.exit_code == 0
    return held_out, sorted(path.name for path in Path("found/scenes").iterdir())


def test_find_also_asks_heads_that_learned_from_scenes_for_the_classes_that_they_held_out(
    tmp_path, monkeypatch
):
    held_out, written = find_scenes(tmp_path, monkeypatch, data="scenes")
    assert written == ["classes.csv", "heads.csv"]
    table = pd.read_csv("found/scenes/classes.csv")
    assert table.groupby("head")["images"].sum().tolist() == [len(held_out["validation"])] * 2
    assert table.columns.tolist() == ["class", "images", "accuracy", "average_precision", "head"]


def test_heads_that_learned_from_other_images_are_not_asked_for_the_classes_of_scenes(
    tmp_path, monkeypatch
):
    assert find_scenes(tmp_path, monkeypatch, data="caltech256")[1] == ["heads.csv"]


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
def outlined(tmp_path):
    """Photographs of 32 × 24 pixels with one and two objects, in the layout of COCO's subsets."""
    half, corner = "0 0 0 0.5 0 0.5 1 0 1", "0 0.75 0.75 1 0.75 1 1 0.75 1"
    for name, lines in {"a": [half], "b": [half, corner]}.items():
        for folder in ("images", "labels"):
            (tmp_path / folder).mkdir(exist_ok=True)
        Image.new("RGB", (32, 24)).save(tmp_path / f"images/{name}.png")
        (tmp_path / f"labels/{name}.txt").write_text("\n".join(lines))
    return load("coco", tmp_path)


def test_of_photographs_with_objects_each_map_is_drawn_once_and_has_a_row_an_image(outlined):
    left, drawn = np.zeros((24, 32), np.float32), []
    left[:, :16] = 1

    def draw(image):
        drawn.append(image)
        return left

    rows = list(findings.found(outlined, {"left": draw, "right": lambda _: 1 - left}))
    assert len(drawn) == 2
    table = pd.DataFrame(rows)[["image", "objects", "map", "auc", "found"]]
    # b's corner, 48 of its 432 pixels, lies in the other half: 48 of 432 pairs tie low, none high
    expected = [("a", 1, "left", 1, 1), ("a", 1, "right", 0, 0)]
    share = 384 / 432
    expected += [("b", 2, "left", (1 + share) / 2, 0.5), ("b", 2, "right", (1 - share) / 2, 0.5)]
    assert table.to_numpy().tolist() == [pytest.approx(list(row)) for row in expected]
    assert rows[2]["precision"].tolist() == [1] * 51
    assert rows[2]["recall"].tolist() == pytest.approx([share] * 51)


def test_the_largest_f_is_that_of_the_averages_and_not_the_average_of_the_largest():
    precision, recall = np.zeros((2, 2, 51))
    precision[0, 10:], recall[0, 10:] = 1, 0.5
    precision[1, :10], recall[1, :10] = 0.5, 1
    rows = zip(precision, recall, strict=True)
    table = pd.DataFrame([{"map": "m", "precision": p, "recall": r} for p, r in rows])
    curves = findings.curves(table)
    assert curves.columns.tolist() == ["map", "threshold", "precision", "recall", "f"]
    assert curves["threshold"].tolist() == findings.THRESHOLDS.tolist()
    assert curves.loc[50, ["precision", "recall"]].tolist() == [0.5, 0.25]
    assert curves["f"].max() == pytest.approx(1.3 * 0.5 * 0.25 / (0.3 * 0.5 + 0.25))


def test_curves_tell_maps_apart_by_more_than_their_name():
    row = {"map": "m", "precision": np.ones(51), "recall": np.ones(51)}
    table = pd.DataFrame([row | {"short_side": side} for side in (128, 256, 128)])
    curves = findings.curves(table, by=["map", "short_side"])
    assert curves["short_side"].tolist() == [128] * 51 + [256] * 51


def test_find_writes_a_table_of_heads_and_of_curves(outlined, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exported(tmp_path / "models/both.onnx", *(network(head) for head in HEADS))
    params = elsewhere()
    params["findings"] = {"coco": {"heads": dict.fromkeys(HEADS, "models/both.onnx")}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    (tmp_path / "data/raw").mkdir(parents=True)
    (tmp_path / "data/raw/coco").symlink_to(outlined.root)
    told = CliRunner().invoke(app, ["find", "coco", "--to", "found"], catch_exceptions=False)
    assert told.exit_code == 0
    heads, curves = (pd.read_csv(f"found/coco/{name}.csv") for name in ("heads", "curves"))
    maps = ["MS-ROI", "CAM", "MS-ROI × centre", "energy", "centre prior", "flat"]
    assert heads.columns.tolist() == ["image", "objects", "map", "auc", "found"]
    assert heads["map"].tolist() == maps * 2
    assert curves["map"].unique().tolist() == maps
    assert len(curves) == 51 * len(maps)


@pytest.mark.parametrize(
    ("name", "measure", "low", "high"),
    [("ecssd", "auc", 0.8, 0.9), ("coco128", "auc", 0.65, 0.8), ("mit1003", "nss", 1.0, 1.35)],
)
def test_a_blob_in_the_middle_finds_much_of_real_photographs(name, measure, low, high):
    if not (REAL / name).is_dir():
        pytest.skip(f"MSROI_DATA has no {name}")
    images = load("coco" if name == "coco128" else name, REAL / name)
    some = images.select(item.name for item in images.items[::5])
    table = pd.DataFrame(findings.found(some, {"centre": centre_prior}))
    assert low < table[measure].mean() < high
    if name == "ecssd":
        assert 0.55 < findings.curves(table)["f"].max() < 0.62


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
    for measure in ("auc_judd", "nss", "cc", "sim"):
        assert rows["right"][measure] > rows["wrong"][measure]
    assert rows["right"]["image"] == looked_at[0].name


def test_similarity_is_the_mass_that_two_maps_share():
    left, even = np.zeros((2, 4)), np.ones((2, 4))
    left[:, :2] = 3
    assert findings.similarity(left, left * 2) == pytest.approx(1)
    assert findings.similarity(left, even) == pytest.approx(0.5)
    assert findings.similarity(left, left[:, ::-1]) == 0
    assert findings.similarity(np.zeros((2, 4)), even) == pytest.approx(1)  # a flat map


@pytest.fixture
def maps_of_fixations(tmp_path, monkeypatch):
    """CAT2000's layout, two categories of an image each, at whose left half people looked."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "data/raw/cat2000/trainSet"
    density = np.zeros((24, 32), np.uint8)
    density[:, :16] = 200
    for category in ("Art", "Pattern"):
        for folder, picture in {
            "Stimuli": Image.new("RGB", (32, 24)),
            "FIXATIONMAPS": Image.fromarray(density),
        }.items():
            (root / folder / category).mkdir(parents=True)
            picture.save(root / folder / category / "001.png")
    return root.parent


def test_where_fixations_are_known_as_maps_alone_maps_agree_with_them_by_cc_and_similarity(
    maps_of_fixations,
):
    left = np.zeros((24, 32), np.float32)
    left[:, :16] = 1
    maps = {"left": lambda _: left, "flat": lambda _: np.ones_like(left)}
    table = pd.DataFrame(findings.found(load("cat2000", maps_of_fixations), maps))
    assert table.columns.tolist() == ["image", "map", "cc", "sim"]
    assert table.loc[0, ["cc", "sim"]].tolist() == pytest.approx([1, 1])
    assert table.loc[1, ["cc", "sim"]].tolist() == pytest.approx([0, 0.5])
    judged = findings.by_set({"cat2000": table}, of="left", seed=1)
    assert judged["measure"].tolist() == ["cc", "cc", "sim", "sim"]
    assert judged.loc[3, ["map", "difference"]].tolist() == ["flat", pytest.approx(0.5)]


def test_find_asks_of_cat2000_where_people_looked_and_not_its_categories(
    maps_of_fixations,
):
    exported(Path("models/both.onnx"), *(network(head) for head in HEADS))
    params = elsewhere()
    params["findings"] = {"cat2000": {"heads": dict.fromkeys(HEADS, "models/both.onnx")}}
    Path("params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    told = CliRunner().invoke(app, ["find", "cat2000", "--to", "found"], catch_exceptions=False)
    assert told.exit_code == 0
    table = pd.read_csv("found/cat2000/heads.csv")
    assert table.columns.tolist() == ["image", "map", "cc", "sim"]
    assert table["image"].unique().tolist() == ["Art/001", "Pattern/001"]


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
