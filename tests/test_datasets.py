"""The registry, image sets on disk, their fixations, splits and class groups."""

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
from study.data.classes import merge, read_groups, split
from study.data.fetch import fetch
from study.data.registry import DatasetError, source, sources
from study.data.sets import ImageSet, intact, load
from study.data.truths import density, object_masks, points
from study.rendered.scenes.sets import write_set

GREY = png(np.full((24, 32, 3), 128, np.uint8))
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
    assert list(known) == ["kodak", "caltech101", "caltech256", "cat2000", "osie"]
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
    with pytest.raises(DatasetError, match="is there already: remove it"):
        fetch(source("holiday"), tmp_path / "raw", source_path=own)
    assert names(load("holiday", tmp_path / "raw")) == ["mine"]


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "own is no folder"),
        (1, "holds 1 images and Kodak PhotoCD has 24"),
        (24, r"kodim01.png has the sha256 sum .* and not a56e27cb"),
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
        ("osie", "get it from https://github.com/NUS-VIP"),
        ("holiday", "is none of the known image sets"),
        ("scenes", "is made by the sample study"),
    ],
)
def test_a_set_that_can_not_be_downloaded_says_how_to_get_it(name, said, tmp_path):
    with pytest.raises(DatasetError, match=said):
        fetch(source(name), tmp_path / name)


# Fixations


@pytest.fixture
def osie(tmp_path) -> ImageSet:
    """One image of 80 × 60 pixels that two people looked at, in OSIE's layout."""
    tree(tmp_path, "stimuli/1001.jpg", data=png(np.zeros((60, 80, 3), np.uint8)))
    people = np.empty(2, object)
    people[:] = [
        {"fix_x": [11.0, 11.0], "fix_y": [21.0, 21.0], "fix_duration": [200.0, 300.0]},
        {"fix_x": 51.0, "fix_y": 41.0, "fix_duration": 250.0},
    ]
    pictures = np.empty(2, object)
    pictures[:] = [{"img": f"{name}.jpg", "subjects": people} for name in (1001, 1002)]
    savemat(tmp_path / "fixations.mat", {"fixations": pictures})
    return load("osie", tmp_path)


def test_fixation_points_of_all_people_are_together_and_count_from_zero(osie):
    assert points(osie[0]).tolist() == [[10, 20], [10, 20], [50, 40]]


def test_a_fixation_density_sums_to_one_and_is_higher_where_more_was_looked(osie):
    looked = density(osie[0], sigma=2.0)
    assert (looked.shape, looked.dtype) == ((60, 80), np.float32)
    assert looked.sum() == pytest.approx(1)
    assert looked[20, 10] == pytest.approx(2 * looked[40, 50], rel=1e-6)
    assert looked[20, 10] == pytest.approx(2 / 3 / (2 * np.pi * 2.0**2), rel=0.01)


def test_an_image_without_recorded_fixations_is_refused(osie, tmp_path):
    (tmp_path / "stimuli/9999.jpg").write_bytes(GREY)
    with pytest.raises(DatasetError, match=r"knows no 9999.jpg"):
        density(load("osie", tmp_path)[1], sigma=2.0)
    with pytest.raises(DatasetError, match=r"no fixations of 1 images, 9999.jpg first"):
        fetch(source("osie"), tmp_path.parent / "linked", source_path=tmp_path)


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
    with pytest.raises(DatasetError, match=r"cut.png is broken .*set broken: skip"):
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


def test_the_real_osie_has_fixations_that_avoid_the_corners(tmp_path):
    images = fetch(source("osie"), tmp_path / "osie", source_path=real("osie"))
    assert len(images) >= 200
    looked = np.mean([density(item, sigma=images.sigma) for item in images[:10]], axis=0)
    assert looked.shape == (600, 800)
    assert looked[200:400, 250:550].mean() > 5 * looked[:60, :80].mean()
