"""The registry, image sets on disk, their fixations, splits and class groups."""

import json
import os
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat
from typer.testing import CliRunner

from msroi.images import png
from study.__main__ import app
from study.data.classes import background, merge, read_groups, split
from study.data.fetch import fetch
from study.data.part import Part, choose, part_of
from study.data.registry import DatasetError, source, sources
from study.data.sets import ImageSet, Item, intact, load
from study.data.truths import density, object_masks, points
from study.params import StudyError
from study.rendered.scenes.sets import write_set

GREY = png(np.full((24, 32, 3), 128, np.uint8))
ROOT = Path(__file__).parent.parent
REAL = Path(os.environ.get("MSROI_DATA", "../shared/data")).resolve()


def real(name: str) -> Path:
    """A real set, for those who have it."""
    if not (REAL / name).is_dir():
        pytest.skip(f"MSROI_DATA has no {name}")
    return REAL / name


def tree(folder: Path, *files: str, data: bytes = GREY) -> Path:
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(data)
    return folder


def names(images: ImageSet) -> list[str]:
    return [item.name for item in images]


@pytest.fixture(autouse=True)
def no_data_of_the_users_own(monkeypatch):
    monkeypatch.delenv("MSROI_DATA", raising=False)


def test_each_set_that_can_be_fetched_is_listed_and_has_a_licence_and_a_citation_in_the_readme():
    readme = (Path(__file__).parents[1] / "data/README.md").read_text(encoding="utf-8")
    known = {name: entry for name, entry in sources().items() if entry.page}
    assert list(known) == [
        *("kodak", "caltech101", "caltech256", "cat2000", "osie", "mit1003", "ecssd", "coco")
    ]
    assert all(entry.licence and entry.citation in readme for entry in known.values())
    assert all(entry.title and entry.citation for entry in known.values())
    assert (known["caltech256"].images, known["caltech256"].classes) == (29_780, 256)
    told = CliRunner().invoke(app, ["fetch", "--list"]).output
    assert [line.split()[0] for line in told.splitlines()[1:]] == list(known)


# Listing


def test_a_flat_folder_is_listed_by_name_without_classes_and_with_the_suffix_that_tells(tmp_path):
    images = load("holiday", tree(tmp_path, "c.png", "b.png", "a.JPG", "c.jpg"))
    assert names(images) == ["a", "b", "c.jpg", "c.png"]
    assert images.classes == ()
    assert {(item.category, item.label) for item in images} == {("", None)}


@pytest.mark.parametrize("name", ["holiday", "categories"])
def test_a_folder_of_subfolders_has_a_class_each(name, tmp_path):
    images = load(name, tree(tmp_path, "sea/1.png", "hill/2.png", "hill/1.png"))
    assert images.classes == ("hill", "sea")
    assert [(item.name, item.category, item.label) for item in images] == [
        ("hill/1", "hill", 0),
        ("hill/2", "hill", 0),
        ("sea/1", "sea", 1),
    ]


def test_what_is_left_out_is_counted_with_the_reason(tmp_path):
    tree(tmp_path, "a.png", "notes.txt", ".DS_Store", "old/b.png")
    images = load("holiday", tmp_path)
    assert names(images) == ["a"]
    assert {why: [path.name for path in paths] for why, paths in images.strays.items()} == {
        "hidden": [".DS_Store"],
        "not an image": ["notes.txt"],
        "a folder beside the images": ["old"],
    }
    assert images.summary() == (
        "holiday: 1 images; left out: 1 hidden, 1 not an image, 1 a folder beside the images"
    )


@pytest.mark.parametrize("make", [Path.exists, Path.mkdir, lambda path: path.write_bytes(GREY)])
def test_a_folder_that_is_missing_empty_or_a_file_says_what_to_do(make, tmp_path):
    folder = tmp_path / "kodak"
    make(folder)
    with pytest.raises(DatasetError, match=r"kodak .*: run `python -m study fetch kodak`, or set"):
        load("kodak", folder)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw") / "scenes"
    write_set(folder, train=8, train_size=(32, 32), test_per_count=1, test_size=(64, 96), seed=0)
    return folder


def test_scenes_need_a_subset_and_those_of_training_have_the_class_of_their_folder(scenes):
    with pytest.raises(DatasetError, match="train and test"):
        load("scenes", scenes)
    images = load("scenes", scenes, subset="train")
    assert len(images) == 8
    assert all(images.classes[item.label] == item.path.parent.name for item in images)


def test_test_scenes_have_a_mask_and_their_number_of_objects(scenes):
    images = load("scenes", scenes, subset="test")
    assert [item.category for item in images] == ["1", "2", "3", "4"]
    assert images.strays == {}
    for item in images:
        assert object_masks(item).any((1, 2)).tolist() == [True] * int(item.category)


def test_caltech256_is_listed_in_under_two_seconds_and_no_image_is_opened(tmp_path):
    for count in (119, 120):  # empty files: opening one as an image would fail
        tree(tmp_path / "real", *[f"{count}/{i:04}.jpg" for i in range(count)], data=b"")
    folder = tmp_path / "256_ObjectCategories"
    folder.mkdir()
    for label in range(1, 258):  # 30,607 images in all
        name = "257.clutter" if label == 257 else f"{label:03}.class"
        (folder / name).symlink_to(tmp_path / "real" / str(119 + (label <= 24)))
    start = time.process_time()
    images = load("caltech256", tmp_path)
    assert time.process_time() - start < 2
    assert (len(images), len(images.classes)) == (30_607 - 119, 256)


# Fetching what is on disk


def test_a_copy_on_disk_is_linked_and_another_path_moves_the_link(tmp_path, monkeypatch):
    one, two = (tree(tmp_path / f"{own}/holiday", f"{own}.png") for own in ("one", "two"))
    monkeypatch.setenv("MSROI_DATA", str(one.parent))
    for own, told in ((one, None), (two, two), (one, one)):
        images = fetch(source("holiday"), tmp_path / "raw/holiday", source_path=told)
        assert (tmp_path / "raw/holiday").is_symlink()
        assert (tmp_path / "raw/holiday").resolve() == own
        assert names(images) == [own.parent.name]
    assert names(load("holiday", two)) == ["two"]


def test_a_set_that_is_there_is_never_replaced(tmp_path):
    tree(tmp_path / "raw", "mine.png")
    own = tree(tmp_path / "other", "a.png")
    with pytest.raises(DatasetError, match="is there already: move it elsewhere"):
        fetch(source("holiday"), tmp_path / "raw", source_path=own)
    assert names(load("holiday", tmp_path / "raw")) == ["mine"]


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "own is no folder"),
        (1, r"holds 1 images and Kodak PhotoCD has 24: complete it, or choose a part of it on pur"),
        (24, r"kodim01.png has the sha256 sum .* and not a56e27cb.*: put the right file in its"),
    ],
    ids=["missing", "incomplete", "of other images"],
)
def test_a_copy_that_is_not_the_set_is_refused_and_not_linked(count, said, tmp_path):
    tree(tmp_path, *[f"own/kodim{number:02}.png" for number in range(1, count + 1)])
    with pytest.raises(DatasetError, match=said):
        fetch(source("kodak"), tmp_path / "raw/kodak", source_path=tmp_path / "own")
    assert not (tmp_path / "raw/kodak").is_symlink()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("osie", "get it from https://github.com/NUS-VIP/predicting"),
        ("mit1003", "get it from https://github.com/NUS-VIP/ksvd-saliency"),
        ("holiday", "is none of the known image sets"),
        ("scenes", "is made by the sample study"),
    ],
)
def test_a_set_that_can_not_be_downloaded_says_how_to_get_it(name, said, tmp_path):
    with pytest.raises(DatasetError, match=said):
        fetch(source(name), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["/etc", "../sample", "..", "a/b", ".hidden", ""])
def test_what_is_no_name_of_a_set_is_refused_and_leaves_nothing(name, tmp_path, monkeypatch):
    needed = ["notebooks", "params.yaml"]
    for file in needed:
        (tmp_path / file).symlink_to(ROOT / file)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["fetch", "sample", name])
    assert isinstance(done.exception, StudyError)
    assert "is no name of an image set" in str(done.exception)
    assert sorted(path.name for path in tmp_path.iterdir()) == needed


@pytest.mark.parametrize("folder", ["CAT2000", "Cat2000", "cat2000"])
def test_a_copy_is_found_in_capitals_too_and_its_very_name_comes_first(
    folder, tmp_path, monkeypatch
):
    tree(tmp_path / f"data/{folder}", *HALF_OF_CAT2000)
    monkeypatch.setenv("MSROI_DATA", str(tmp_path / "data"))
    fetch(source("cat2000"), tmp_path / "raw/cat2000", part=Part(each=1))
    assert (tmp_path / "raw/cat2000.whole").resolve() == tmp_path / "data" / folder
    tree(tmp_path / "data/cat2000", *HALF_OF_CAT2000)
    fetch(source("cat2000"), tmp_path / "raw/cat2000", part=Part(each=1))
    assert (tmp_path / "raw/cat2000.whole").resolve() == tmp_path / "data/cat2000"


# A part of a set

PLACES = [
    f"{name}/00{number}.jpg" for name in ("Action", "Art", "Social") for number in range(1, 6)
]
HALF_OF_CAT2000 = [
    f"trainSet/{kind}/{place}" for kind in ("Stimuli", "FIXATIONMAPS") for place in PLACES
]


def test_a_part_is_drawn_by_seed_and_by_category_and_a_smaller_one_lies_within(tmp_path):
    images = load("cat2000", tree(tmp_path, *HALF_OF_CAT2000))
    asked = {"categories": ["Social", "Art"], "each": 3}
    chosen = choose(images, part_of(asked, seed=1))
    assert Counter(item.category for item in chosen) == {"Art": 3, "Social": 3}
    assert chosen.classes == ("Art", "Social")
    assert {(item.category, item.label) for item in chosen} == {("Art", 0), ("Social", 1)}
    again, other = (choose(images, part_of(asked, seed=seed)) for seed in (1, 2))
    assert names(again) == names(chosen) != names(other)
    fewer = choose(images, Part(categories=("Art",), each=2, seed=1))
    assert set(names(fewer)) < set(names(chosen))
    assert part_of({"path": "/x", "categories": None, "each": None}, seed=1) is None


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (Part(categories=("Nature",)), "names 'Nature': .* has Action, Art, Social"),
        (Part(each=6), "cat2000.each asks for 6 images of Action and there are 5: lower it"),
        (Part(each=0), "each is 0: give 1 or more"),
    ],
)
def test_a_part_that_is_not_there_is_refused_with_what_is(part, said, tmp_path):
    with pytest.raises(DatasetError, match=said):
        choose(load("cat2000", tree(tmp_path, *HALF_OF_CAT2000)), part)


def test_of_a_part_every_stage_sees_the_chosen_images_with_their_truths(tmp_path):
    own = tree(tmp_path / "own", *HALF_OF_CAT2000)
    target = tmp_path / "raw/cat2000"
    part = Part(categories=("Art", "Social"), each=2, seed=3)
    for path in (own, own / "trainSet"):  # either may be what a user has
        fetch(source("cat2000"), target, source_path=path, part=part)
        images = load("cat2000", target)
        assert Counter(item.category for item in images) == {"Art": 2, "Social": 2}
        assert all(item.fixations.is_file() for item in images)
        assert names(images) == names(choose(load("cat2000", own), part))
    assert all(not path.is_symlink() for path in own.rglob("*"))


def test_a_part_comes_and_goes_and_the_whole_is_still_there(tmp_path):
    """A set that was downloaded, or that a user put in its place, is moved and never lost."""
    target = tree(tmp_path / "raw/holiday", "a.png", "b.png", "c.png")
    for each in (1, 2, None, None, 1, None):
        images = fetch(source("holiday"), target, part=each and Part(each=each))
        assert len(images) == len(load("holiday", target)) == each or 3
    assert not target.is_symlink()
    assert names(load("holiday", target)) == ["a", "b", "c"]


def test_a_part_of_an_incomplete_set_needs_no_other_image(tmp_path):
    own = tree(tmp_path / "own", "001.ak47/a.jpg", "001.ak47/b.jpg", "257.clutter/c.jpg")
    fetch(source("caltech256"), tmp_path / "raw", source_path=own, part=Part(each=1))
    images = load("caltech256", tmp_path / "raw")
    assert (len(images), images.classes) == (1, ("001.ak47",))
    assert len(background(images)) == 1  # of no class, and whole


def test_objects_come_along_with_a_part(tmp_path):
    own = annotated(tmp_path / "own")
    images = fetch(source("coco"), tmp_path / "raw", source_path=own, part=Part(each=2))
    assert [len(object_masks(item)) for item in images] == [1, 2]


# Fixations


@pytest.fixture(params=["osie", "mit1003"])
def fixated(request, tmp_path) -> ImageSet:
    """One image of 80 × 60 pixels that two people looked at, in the layout of OSIE and MIT1003."""
    tree(tmp_path, "stimuli/1001.jpg", data=png(np.zeros((60, 80, 3), np.uint8)))
    people = np.empty(2, object)
    people[:] = [
        {"fix_x": [11.0, 11.0], "fix_y": [21.0, 21.0], "fix_duration": [200.0, 300.0]},
        {"fix_x": 51.0, "fix_y": 41.0, "fix_duration": 250.0},
    ]
    pictures = np.empty(2, object)
    pictures[:] = [{"img": f"{name}.jpg", "subjects": people} for name in (1001, 1002)]
    savemat(tmp_path / "fixations.mat", {"fixations": pictures})
    return load(request.param, tmp_path)


def test_fixation_points_of_all_people_are_together_and_count_from_zero(fixated):
    assert fixated.classes == ()
    assert points(fixated[0]).tolist() == [[10, 20], [10, 20], [50, 40]]


def test_a_fixation_density_sums_to_one_and_is_higher_where_more_was_looked(fixated):
    looked = density(fixated[0], sigma=2.0)
    assert (looked.shape, looked.dtype) == ((60, 80), np.float32)
    assert looked.sum() == pytest.approx(1)
    assert looked[20, 10] == pytest.approx(2 * looked[40, 50], rel=1e-6)
    assert looked[20, 10] == pytest.approx(2 / 3 / (2 * np.pi * 2.0**2), rel=0.01)


def test_an_image_without_recorded_fixations_is_refused(fixated, tmp_path):
    name = fixated.name
    (tmp_path / "stimuli/9999.jpg").write_bytes(GREY)
    with pytest.raises(DatasetError, match=r"knows no 9999.jpg"):
        density(load(name, tmp_path)[1], sigma=2.0)
    with pytest.raises(DatasetError, match=r"no fixations of 1 images, 9999.jpg first"):
        fetch(source(name), tmp_path.parent / f"linked-{name}", source_path=tmp_path)


def test_a_fixation_map_is_taken_as_it_is(tmp_path):
    looked = np.zeros((24, 32), np.uint8)
    looked[3, 4], looked[5, 6] = 30, 10
    tree(tmp_path, "trainSet/Stimuli/Action/001.jpg")
    tree(tmp_path, "trainSet/FIXATIONMAPS/Action/001.jpg", data=png(looked))
    images = load("cat2000", tmp_path)
    np.testing.assert_allclose(density(images[0], sigma=0.0), looked / 40, rtol=1e-6)


def test_a_set_without_fixations_says_so(tmp_path):
    item = load("holiday", tree(tmp_path, "a.png"))[0]
    with pytest.raises(DatasetError, match="has no fixations"):
        density(item, sigma=1.0)
    with pytest.raises(DatasetError, match="has no fixation points"):
        points(item)


# Objects


SQUARE = [0.25, 0.25, 0.75, 0.25, 0.75, 0.75, 0.25, 0.75]  # x and y in turn
LEFT = [0, 0, 0.5, 0, 0.5, 1, 0, 1]
DOT = [0, 0, 0.08, 0, 0.08, 0.05, 0, 0.05]  # 0.4% of the area
SMALL = [0, 0, 0.08, 0, 0.08, 0.075, 0, 0.075]  # 0.6%
OUTLINED = {"two": [SQUARE, DOT, LEFT], "one": [SMALL], "tiny": [DOT], "none": []}
STRAYS = {"without an object over 0.5% of its area": ["tiny"], "without an outline": ["none"]}
CROWD = {"iscrowd": 1, "segmentation": {"counts": [768], "size": [24, 32]}}


def labelled(folder: Path) -> Path:
    """COCO's photographs as a subset has them: a label file an image."""
    for name, objects in OUTLINED.items():
        tree(folder, f"images/{name}.png")
        lines = [" ".join(map(str, [7, *outline])) for outline in objects]
        tree(folder, f"labels/{name}.txt", data="\n".join([*lines, ""]).encode())
    return folder


def annotated(folder: Path) -> Path:
    """The same photographs, 32 × 24 pixels, in the official layout."""
    pictures, found = [], []
    for index, (name, objects) in enumerate(OUTLINED.items()):
        tree(folder, f"val2017/{name}.png")
        pictures += [{"id": index, "file_name": f"{name}.png", "width": 32, "height": 24}]
        parts = [[(np.reshape(o, (-1, 2)) * (32, 24)).ravel().tolist()] for o in objects]
        found += [{"image_id": index, "iscrowd": 0, "segmentation": part} for part in parts]
        found += [{"image_id": index} | CROWD]
    told = json.dumps({"images": pictures, "annotations": found})
    return tree(folder, "annotations/instances_val2017.json", data=told.encode())


@pytest.mark.parametrize("laid_out", [labelled, annotated])
def test_coco_has_the_photographs_with_large_objects_in_either_layout(laid_out, tmp_path):
    images = fetch(source("coco"), tmp_path / "coco", source_path=laid_out(tmp_path / "own"))
    assert [(item.name, item.category) for item in images] == [("one", "1"), ("two", "2")]
    assert images.classes == ()
    assert {why: [path.stem for path in paths] for why, paths in images.strays.items()} == STRAYS
    square, left = np.zeros((2, 24, 32), bool)
    square[6:18, 8:24], left[:, :16] = True, True
    np.testing.assert_array_equal(object_masks(images[1]), [square, left])  # they overlap


def test_a_photograph_without_a_label_file_is_left_out(tmp_path):
    labelled(tmp_path)
    (tmp_path / "labels/one.txt").unlink()
    assert names(load("coco", tmp_path)) == ["two"]


def test_an_object_in_several_parts_is_one_mask(tmp_path):
    annotated(tmp_path)
    path = tmp_path / "annotations/instances_val2017.json"
    told = json.loads(path.read_text())
    parts = [[0, 0, 8, 0, 8, 6, 0, 6], [24, 18, 32, 18, 32, 24, 24, 24]]
    told["annotations"] = [{"image_id": 1, "iscrowd": 0, "segmentation": parts}]
    path.write_text(json.dumps(told))
    (mask,) = object_masks(load("coco", tmp_path)[0])
    assert mask[:6, :8].all()
    assert mask[18:, 24:].all()
    assert mask.sum() == 2 * 6 * 8


def test_a_copy_under_another_of_its_names_is_found(tmp_path, monkeypatch):
    labelled(tmp_path / "coco128")
    monkeypatch.setenv("MSROI_DATA", str(tmp_path))
    assert len(fetch(source("coco"), tmp_path / "raw/coco")) == 2


def test_the_labels_of_a_mask_are_an_object_each_and_white_is_the_only_one(tmp_path):
    levels = np.array([[0, 1, 2, 2], [0, 127, 128, 255]], np.uint8)
    for name, mask in {"labels": levels[:1], "white": levels[1:]}.items():
        (tmp_path / f"{name}.png").write_bytes(png(mask))
    labels, white = (
        object_masks(Item(path.stem, path, objects=path)) for path in sorted(tmp_path.iterdir())
    )
    assert labels.tolist() == [[[False, True, False, False]], [[False, False, True, True]]]
    assert white.tolist() == [[[False, False, True, True]]]


MASK = png(np.full((24, 32), 255, np.uint8))
BROKEN_MASKS = {
    "missing": (None, r"has no objects of 1 images, 0002.png first: put ground_truth_mask/\*.png"),
    "of another size": (png(np.full((32, 24), 255, np.uint8)), "0002.png is not of the size of"),
    "cut off": (MASK[:40], "0002.png is missing or broken"),
    "black": (png(np.zeros((24, 32), np.uint8)), "0002.png shows no object of"),
}


@pytest.mark.parametrize(("mask", "said"), BROKEN_MASKS.values(), ids=BROKEN_MASKS)
def test_ecssd_with_a_mask_that_is_none_is_refused(mask, said, tmp_path):
    tree(tmp_path / "own", "images/0001.png", "images/0002.png")
    tree(tmp_path / "own", "ground_truth_mask/0001.png", data=MASK)
    if mask:
        tree(tmp_path / "own", "ground_truth_mask/0002.png", data=mask)
    with pytest.raises(DatasetError, match=said):
        fetch(source("ecssd"), tmp_path / "ecssd", source_path=tmp_path / "own")


def test_photographs_whose_outlines_are_nowhere_are_refused(tmp_path):
    own = tree(tmp_path / "own", "images/one.png")
    said = r"no objects of 1 images, one.png first: put annotations/.* or labels/\*.txt beside val"
    with pytest.raises(DatasetError, match=said):
        fetch(source("coco"), tmp_path / "coco", source_path=own)
    (own / "labels").mkdir()
    with pytest.raises(DatasetError, match=r"no image of .*images has an object in annotations/"):
        load("coco", own)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("7 0.1 0.2 0.3 0.4 0.5", "line 2, is not a class and pairs of x and y"),
        ("7 0.1 0.2 0.3 0.4 0.5 half", "line 2, is not a class and pairs of x and y"),
        ("7 0.5 0.5 0.2 0.2", "line 2, has 2 points and an outline has 3 or more"),
        ("7", "line 2, has 0 points"),
    ],
)
def test_a_label_line_that_is_no_outline_is_named(line, said, tmp_path):
    labels = labelled(tmp_path) / "labels/two.txt"
    labels.write_text(f"{labels.read_text().splitlines()[0]}\n{line}\n")
    with pytest.raises(DatasetError, match=f"two.txt, {said}") as caught:
        load("coco", tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "damage",
    [
        lambda told: told[: len(told) // 2],
        lambda told: told.replace('"annotations"', '"outlines"'),
        lambda told: told.replace('"file_name"', '"file"'),
        lambda told: told.replace('"iscrowd": 1', '"iscrowd": 0'),
        lambda told: told.replace("[[8.0, ", "[["),
        lambda told: "[1, 2]",
    ],
    ids=["cut off", "no annotations", "no file names", "a crowd as one", "an odd number", "a list"],
)
def test_annotations_that_are_none_of_cocos_are_named_in_one_line(damage, tmp_path):
    path = annotated(tmp_path) / "annotations/instances_val2017.json"
    path.write_text(damage(path.read_text()))
    with pytest.raises(DatasetError, match=r"val2017.json is broken or none of COCO") as caught:
        load("coco", tmp_path)
    assert "\n" not in str(caught.value)


def test_a_set_without_objects_says_so(tmp_path):
    item = load("holiday", tree(tmp_path, "a.png"))[0]
    with pytest.raises(DatasetError, match="has no known objects"):
        object_masks(item)


# Broken images


@pytest.fixture
def half_broken(tmp_path) -> ImageSet:
    tree(tmp_path, "whole.png")
    for name, data in {"cut.png": GREY[:60], "empty.jpg": b"", "text.jpg": b"no image"}.items():
        tree(tmp_path, name, data=data)
    return load("holiday", tmp_path)


def test_broken_images_are_left_out_by_name_where_they_are_to_be_skipped(half_broken, caplog):
    images = intact(half_broken, broken="skip")
    assert names(images) == ["whole"]
    assert [path.name for path in images.strays["broken"]] == ["cut.png", "empty.jpg", "text.jpg"]
    assert all(name in caplog.text for name in ("cut.png", "empty.jpg", "text.jpg"))
    assert intact(images, broken="stop") == images


def test_a_broken_image_stops_where_it_is_to_stop_and_where_there_is_no_other(half_broken):
    with pytest.raises(
        DatasetError, match=r"cut.png is broken .*in its place, or set broken: skip"
    ):
        intact(half_broken, broken="stop")
    with pytest.raises(DatasetError, match="all 3 images"):
        intact(half_broken.select(["cut", "empty", "text"]), broken="skip")


# Splits


@pytest.fixture
def classed(tmp_path) -> ImageSet:
    """Ten images of a, five of b, one of c."""
    counts = {"a": 10, "b": 5, "c": 1}
    files = [f"{name}/{i:02}.png" for name, count in counts.items() for i in range(count)]
    return load("holiday", tree(tmp_path, *files))


@pytest.mark.parametrize(
    ("validation", "held_out"), [(0, {}), (0.2, {"a": 2, "b": 1}), (0.01, {"a": 1, "b": 1})]
)
def test_a_split_holds_out_the_same_share_of_each_class(validation, held_out, classed):
    parts = split(classed, validation=validation, seed=0)
    assert Counter(name[0] for name in parts["validation"]) == held_out
    assert sorted(parts["train"] + parts["validation"]) == names(classed)


def test_a_split_is_the_same_for_the_same_seed_and_another_for_another(classed):
    first, again, other = (split(classed, validation=0.5, seed=s) for s in (1, 1, 2))
    assert first == again
    assert first != other


def test_an_image_less_changes_the_split_of_its_class_alone(classed):
    fewer = classed.select([name for name in names(classed) if name != "a/03"])
    held_out = [
        [name for name in split(images, validation=0.4, seed=0)["validation"] if "b" in name]
        for images in (classed, fewer)
    ]
    assert held_out[0] == held_out[1] != []


def test_a_set_without_classes_is_split_too_but_nothing_by_a_share_of_everything(tmp_path):
    images = load("holiday", tree(tmp_path, *[f"{i}.png" for i in range(10)]))
    assert len(split(images, validation=0.3, seed=0)["validation"]) == 3
    with pytest.raises(DatasetError, match="validation is 1"):
        split(images, validation=1, seed=0)


def test_a_split_selects_its_images_in_the_sets_order(classed):
    held_out = split(classed, validation=0.2, seed=0)["validation"]
    chosen = classed.select(reversed(held_out))
    assert names(chosen) == held_out
    assert chosen.classes == classed.classes
    with pytest.raises(DatasetError, match="has no image 'd/00'"):
        classed.select(["d/00"])


@pytest.mark.parametrize(
    ("name", "folder"), [("caltech101", "BACKGROUND_Google"), ("caltech256", "257.clutter")]
)
def test_images_of_no_class_are_a_set_without_labels_and_in_no_split(name, folder, tmp_path):
    strange = [f"{folder}/notes.txt", f"{folder}/deeper/c.jpg", "notes.jpg.txt"]
    tree(tmp_path, "001.ant/a.jpg", "002.bee/b.jpg", f"{folder}/a.jpg", f"{folder}/b.JPG", *strange)
    images = load(name, tmp_path)
    assert images.classes == ("001.ant", "002.bee")
    nothing = background(images)
    assert [(item.name, item.label, item.category) for item in nothing] == [
        (f"{folder}/a.jpg", None, folder),
        (f"{folder}/b.JPG", None, folder),
    ]
    assert nothing.classes == images.classes
    assert all(item.path.is_file() for item in nothing)
    parts = split(images, validation=0.5, seed=1)
    assert set(names(nothing)).isdisjoint(parts["train"] + parts["validation"])


def test_a_set_without_images_of_no_class_says_so(classed, tmp_path):
    tree(tmp_path / "c", "ant/a.jpg", "bee/b.jpg")
    for images in (classed, load("caltech101", tmp_path / "c")):
        with pytest.raises(DatasetError, match="has no images of no class"):
            background(images)


# Merging


def test_merged_classes_share_a_label_and_keep_their_category_and_none_is_left_out(classed):
    merged = merge(classed, {"a": "vowel", "b": "consonant", "c": "consonant"})
    assert merged.classes == ("consonant", "vowel")
    labels = {item.category: merged.classes[item.label] for item in merged}
    assert labels == {"a": "vowel", "b": "consonant", "c": "consonant"}
    with pytest.raises(DatasetError, match="2 classes of holiday are in no group, b first"):
        merge(classed, {"a": "vowel"})


def test_the_groups_that_come_along_cover_caltech256():
    groups = read_groups("caltech256")
    assert sorted(int(name[:3]) for name in groups) == list(range(1, 257))
    assert groups["056.dog"] == groups["254.greyhound"] == "animal/land"
    assert len(set(groups.values())) == 49


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "is no file"),
        ("name,group\na,b\n", "needs the columns"),
        ("class,group\na,b\na,c\n", "a class twice"),
    ],
)
def test_groups_of_ones_own_are_read_from_csv_and_what_is_none_is_refused(text, said, tmp_path):
    (tmp_path / "ours.csv").write_text("class,group\r\na,vowel\r\nb,consonant\r\n")
    assert read_groups(tmp_path / "ours.csv") == {"a": "vowel", "b": "consonant"}
    if text:
        (tmp_path / "mine.csv").write_text(text)
    with pytest.raises(DatasetError, match=said):
        read_groups(tmp_path / "mine.csv")


# The real sets


@pytest.mark.parametrize(
    ("name", "images", "classes", "strays"),
    [
        ("kodak", 24, 0, {}),
        (
            "caltech101",
            8677,
            101,
            {"in BACKGROUND_Google, which is no class": 467, "not an image": 1},
        ),
    ],
)
def test_a_real_set_is_whole(name, images, classes, strays, tmp_path):
    found = fetch(source(name), tmp_path / name, source_path=real(name))
    assert (len(found), len(found.classes)) == (images, classes)
    assert {why: len(paths) for why, paths in found.strays.items()} == strays


def thirds(density: np.ndarray) -> np.ndarray:
    """The density's sums in 3 × 3 parts of the image."""
    rows, columns = (np.arange(3) * side // 3 for side in density.shape)
    return np.add.reduceat(np.add.reduceat(density, rows, axis=0), columns, axis=1)


@pytest.mark.parametrize(("name", "least"), [("osie", 200), ("mit1003", 121)])
def test_the_fixations_of_a_real_set_avoid_the_corners(name, least, tmp_path):
    images = fetch(source(name), tmp_path / name, source_path=real(name))
    assert len(images) >= least
    looked = np.mean([thirds(density(item, sigma=images.sigma)) for item in images[:10]], axis=0)
    assert looked[1, 1] > 5 * looked[[0, 0, 2, 2], [0, 2, 0, 2]].mean()


def test_every_photograph_of_the_real_ecssd_has_one_object(tmp_path):
    images = fetch(source("ecssd"), tmp_path / "ecssd", source_path=real("ecssd"))
    assert len(images) >= 300
    shares = [object_masks(item).mean((1, 2)) for item in images]
    assert {len(share) for share in shares} == {1}
    assert 0.2 < np.mean(shares) < 0.3


def test_the_real_subset_of_coco_has_94_photographs_with_objects(tmp_path):
    images = fetch(source("coco"), tmp_path / "coco", source_path=real("coco128"))
    assert len(images) == 94
    assert {why: len(paths) for why, paths in images.strays.items()} == {
        "without an object over 0.5% of its area": 4,
        "without an outline": 30,
    }
    masks = [object_masks(item) for item in images]
    assert [str(len(mask)) for mask in masks] == [item.category for item in images]
    assert max(map(len, masks)) > 10
    assert min(mask.mean((1, 2)).min() for mask in masks) > 0.004
