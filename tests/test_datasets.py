"""The registry, image sets on disk, their fixations, splits and class groups."""

import csv
import io
import logging
import os
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from msroi.images import png
from study import data
from study.data import DatasetError, ImageSet
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


# The registry


def test_the_table_has_a_row_for_each_set_that_can_be_fetched():
    rows = {row["name"]: row for row in data.table()}
    assert list(rows) == ["kodak", "caltech101", "caltech256", "cat2000", "osie"]
    assert all(row["licence"] and row["citation"] and row["title"] for row in rows.values())
    assert (rows["caltech256"]["images"], rows["caltech256"]["classes"]) == (29_780, 256)


def test_every_citation_key_stands_in_the_datas_readme():
    readme = (Path(__file__).parents[1] / "data/README.md").read_text(encoding="utf-8")
    assert [row["name"] for row in data.table() if row["citation"] not in readme] == []


# Listing


def test_a_flat_folder_is_listed_by_name_without_classes(tmp_path):
    images = data.load("holiday", tree(tmp_path, "b.png", "a.JPG"))
    assert names(images) == ["a", "b"]
    assert images.classes == ()
    assert {(item.category, item.label) for item in images} == {("", None)}


def test_a_folder_of_subfolders_has_a_class_each(tmp_path):
    images = data.load("holiday", tree(tmp_path, "sea/1.png", "hill/2.png", "hill/1.png"))
    assert images.classes == ("hill", "sea")
    assert [(item.name, item.category, item.label) for item in images] == [
        ("hill/1", "hill", 0),
        ("hill/2", "hill", 0),
        ("sea/1", "sea", 1),
    ]


def test_what_is_left_out_is_counted_with_the_reason(tmp_path):
    tree(tmp_path, "a.png", "notes.txt", ".DS_Store", "old/b.png")
    images = data.load("holiday", tmp_path)
    assert names(images) == ["a"]
    assert {why: [path.name for path in paths] for why, paths in images.strays.items()} == {
        "hidden": [".DS_Store"],
        "not an image": ["notes.txt"],
        "a folder beside the images": ["old"],
    }
    assert images.summary() == (
        "holiday: 1 images; left out: 1 hidden, 1 not an image, 1 a folder beside the images"
    )


def test_files_that_differ_in_their_suffix_alone_keep_it_in_their_name(tmp_path):
    images = data.load("holiday", tree(tmp_path, "a.jpg", "a.png", "b.png"))
    assert names(images) == ["a.jpg", "a.png", "b"]


@pytest.mark.parametrize("kind", ["missing", "empty", "file"])
def test_a_folder_without_images_says_what_to_do(kind, tmp_path):
    folder = tmp_path / "kodak"
    if kind == "empty":
        folder.mkdir()
    elif kind == "file":
        folder.write_bytes(GREY)
    with pytest.raises(
        DatasetError, match=r"kodak .*: run `python -m study fetch kodak`, or set datasets"
    ):
        data.load("kodak", folder)


def test_the_miniature_category_tree_has_its_categories(tmp_path):
    images = data.load("categories", tree(tmp_path, "Sketch/001.png", "Action/001.png"))
    assert [(item.name, item.category) for item in images] == [
        ("Action/001", "Action"),
        ("Sketch/001", "Sketch"),
    ]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw") / "scenes"
    write_set(folder, train=8, train_size=(32, 32), test_per_count=1, test_size=(64, 96), seed=0)
    return folder


def test_training_scenes_have_the_class_of_their_folder(scenes):
    images = data.load("scenes", scenes, subset="train")
    assert len(images) == 8
    assert all(images.classes[item.label] == item.path.parent.name for item in images)


def test_test_scenes_have_a_mask_and_their_number_of_objects(scenes):
    images = data.load("scenes", scenes, subset="test")
    assert [item.category for item in images] == ["1", "2", "3", "4"]
    assert images.strays == {}
    for item in images:
        with Image.open(item.mask) as mask:
            assert np.asarray(mask).max() == int(item.category)


def test_scenes_need_a_subset(scenes):
    with pytest.raises(DatasetError, match="train and test"):
        data.load("scenes", scenes)


def test_caltech256_is_listed_in_under_two_seconds_and_no_image_is_opened(tmp_path):
    for count in (119, 120):  # empty files: opening one as an image would fail
        tree(tmp_path / "real", *[f"{count}/{i:04}.jpg" for i in range(count)], data=b"")
    folder = tmp_path / "256_ObjectCategories"
    folder.mkdir()
    for label in range(1, 258):  # 30,607 images in all
        name = "257.clutter" if label == 257 else f"{label:03}.class"
        (folder / name).symlink_to(tmp_path / "real" / str(119 + (label <= 24)))
    start = time.process_time()
    images = data.load("caltech256", tmp_path)
    assert time.process_time() - start < 2
    assert (len(images), len(images.classes)) == (30_607 - 119, 256)


# Fetching what is on disk


def test_a_copy_on_disk_is_linked_and_not_copied(tmp_path):
    own = tree(tmp_path / "pictures", "a.png")
    images = data.fetch("holiday", tmp_path / "raw/holiday", source_path=own)
    assert (tmp_path / "raw/holiday").is_symlink()
    assert (tmp_path / "raw/holiday").resolve() == own
    assert names(images) == ["a"]


def test_the_data_variable_names_a_folder_of_sets(tmp_path, monkeypatch):
    tree(tmp_path / "sets/holiday", "a.png")
    monkeypatch.setenv("MSROI_DATA", str(tmp_path / "sets"))
    data.fetch("holiday", tmp_path / "raw/holiday")
    assert (tmp_path / "raw/holiday").resolve() == tmp_path / "sets/holiday"


def test_another_path_moves_the_link_and_touches_neither_copy(tmp_path):
    for own in ("one", "two"):
        tree(tmp_path / own, f"{own}.png")
        images = data.fetch("holiday", tmp_path / "raw", source_path=tmp_path / own)
        assert names(images) == [own]
    assert names(data.load("holiday", tmp_path / "one")) == ["one"]


def test_a_set_that_is_there_is_never_replaced(tmp_path):
    tree(tmp_path / "raw", "mine.png")
    own = tree(tmp_path / "other", "a.png")
    with pytest.raises(DatasetError, match="is there already: remove it"):
        data.fetch("holiday", tmp_path / "raw", source_path=own)
    assert names(data.load("holiday", tmp_path / "raw")) == ["mine"]


def test_an_incomplete_copy_is_refused_and_not_linked(tmp_path):
    own = tree(tmp_path / "own", "kodim01.png")
    with pytest.raises(DatasetError, match="holds 1 images and Kodak PhotoCD has 24"):
        data.fetch("kodak", tmp_path / "raw/kodak", source_path=own)
    assert not (tmp_path / "raw/kodak").is_symlink()


def test_a_copy_with_a_wrong_image_is_refused_by_its_checksum(tmp_path):
    own = tree(tmp_path / "own", *[f"kodim{number:02}.png" for number in range(1, 25)])
    with pytest.raises(DatasetError, match=r"kodim01.png has the sha256 sum .* and not a56e27cb"):
        data.fetch("kodak", tmp_path / "raw/kodak", source_path=own)


def test_a_path_that_is_no_folder_is_named(tmp_path):
    with pytest.raises(DatasetError, match="nowhere is no folder"):
        data.fetch("kodak", tmp_path / "raw", source_path=tmp_path / "nowhere")


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
        data.fetch(name, tmp_path / name)


# Fixations


@pytest.fixture
def osie(tmp_path) -> ImageSet:
    """One picture of 80 × 60 pixels that two people looked at, in OSIE's layout."""
    tree(tmp_path, "stimuli/1001.jpg", data=png(np.zeros((60, 80, 3), np.uint8)))
    people = np.empty(2, object)
    people[:] = [
        {"fix_x": [11.0, 11.0], "fix_y": [21.0, 21.0], "fix_duration": [200.0, 300.0]},
        {"fix_x": 51.0, "fix_y": 41.0, "fix_duration": 250.0},
    ]
    pictures = np.empty(2, object)
    pictures[:] = [{"img": f"{name}.jpg", "subjects": people} for name in (1001, 1002)]
    savemat(tmp_path / "fixations.mat", {"fixations": pictures})
    return data.load("osie", tmp_path)


def test_fixation_points_of_all_people_are_together_and_count_from_zero(osie):
    assert data.points(osie[0]).tolist() == [[10, 20], [10, 20], [50, 40]]


def test_a_fixation_density_sums_to_one_and_is_higher_where_more_was_looked(osie):
    density = data.density(osie[0], sigma=2.0)
    assert (density.shape, density.dtype) == ((60, 80), np.float32)
    assert density.sum() == pytest.approx(1)
    assert density[20, 10] == pytest.approx(2 * density[40, 50], rel=1e-6)
    assert density[20, 10] == pytest.approx(2 / 3 / (2 * np.pi * 2.0**2), rel=0.01)


def test_a_picture_without_recorded_fixations_is_refused(osie, tmp_path):
    (tmp_path / "stimuli/9999.jpg").write_bytes(GREY)
    with pytest.raises(DatasetError, match=r"knows no 9999.jpg"):
        data.density(data.load("osie", tmp_path)[1], sigma=2.0)
    with pytest.raises(DatasetError, match=r"no fixations of 1 images, 9999.jpg first"):
        data.fetch("osie", tmp_path.parent / "linked", source_path=tmp_path)


def test_a_fixation_map_is_taken_as_it_is(tmp_path):
    looked = np.zeros((24, 32), np.uint8)
    looked[3, 4], looked[5, 6] = 30, 10
    tree(tmp_path, "trainSet/Stimuli/Action/001.jpg")
    tree(tmp_path, "trainSet/FIXATIONMAPS/Action/001.jpg", data=png(looked))
    images = data.load("cat2000", tmp_path)
    density = data.density(images[0], sigma=images.sigma)
    np.testing.assert_allclose(density, looked / 40, rtol=1e-6)


def test_a_set_without_fixations_says_so(tmp_path):
    item = data.load("holiday", tree(tmp_path, "a.png"))[0]
    with pytest.raises(DatasetError, match="has no fixations"):
        data.density(item, sigma=1.0)
    with pytest.raises(DatasetError, match="has no fixation points"):
        data.points(item)


# Broken images


@pytest.fixture
def half_broken(tmp_path) -> ImageSet:
    tree(tmp_path, "whole.png")
    tree(tmp_path, "cut.png", data=GREY[:60])
    tree(tmp_path, "text.jpg", data=b"no image")
    tree(tmp_path, "empty.jpg", data=b"")
    return data.load("holiday", tmp_path)


def test_broken_images_are_left_out_by_name_where_they_are_to_be_skipped(half_broken, caplog):
    with caplog.at_level(logging.WARNING):
        images = data.intact(half_broken, broken="skip")
    assert names(images) == ["whole"]
    assert [path.name for path in images.strays["broken"]] == ["cut.png", "empty.jpg", "text.jpg"]
    assert all(name in caplog.text for name in ("cut.png", "empty.jpg", "text.jpg"))


def test_a_broken_image_stops_where_it_is_to_stop(half_broken):
    with pytest.raises(DatasetError, match=r"cut.png is broken .*set broken: skip"):
        data.intact(half_broken, broken="stop")


def test_a_set_without_broken_images_stays_as_it_is(tmp_path):
    images = data.load("holiday", tree(tmp_path, "a.png", "b.png"))
    assert data.intact(images, broken="stop") == images


def test_a_set_of_nothing_but_broken_images_is_refused(tmp_path):
    images = data.load("holiday", tree(tmp_path, "a.png", data=b""))
    with pytest.raises(DatasetError, match="all 1 images"):
        data.intact(images, broken="skip")


# Splits


@pytest.fixture
def classed(tmp_path) -> ImageSet:
    """Ten pictures of a, five of b, one of c."""
    counts = {"a": 10, "b": 5, "c": 1}
    return data.load(
        "holiday",
        tree(tmp_path, *[f"{name}/{i:02}.png" for name, n in counts.items() for i in range(n)]),
    )


def test_a_split_holds_out_the_same_share_of_each_class(classed):
    split = data.split(classed, validation=0.2, seed=0)
    assert Counter(name[0] for name in split["validation"]) == {"a": 2, "b": 1}
    assert sorted(split["train"] + split["validation"]) == names(classed)


def test_a_split_is_the_same_for_the_same_seed_and_another_for_another(classed):
    first, again, other = (data.split(classed, validation=0.5, seed=s) for s in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_picture_less_changes_the_split_of_its_class_alone(classed):
    fewer = classed.select([name for name in names(classed) if name != "a/03"])
    held_out = [
        [name for name in data.split(images, validation=0.4, seed=0)["validation"] if "b" in name]
        for images in (classed, fewer)
    ]
    assert held_out[0] == held_out[1] != []


def test_a_set_without_classes_is_split_too(tmp_path):
    images = data.load("holiday", tree(tmp_path, *[f"{i}.png" for i in range(10)]))
    assert len(data.split(images, validation=0.3, seed=0)["validation"]) == 3


def test_a_share_of_nothing_holds_out_nothing(classed):
    assert data.split(classed, validation=0, seed=0)["validation"] == []


def test_a_share_of_everything_is_refused(classed):
    with pytest.raises(DatasetError, match="validation is 1"):
        data.split(classed, validation=1, seed=0)


def test_a_split_selects_its_pictures_in_the_sets_order(classed):
    split = data.split(classed, validation=0.2, seed=0)
    chosen = classed.select(reversed(split["validation"]))
    assert names(chosen) == split["validation"]
    assert chosen.classes == classed.classes


def test_a_split_of_another_set_is_refused(classed):
    with pytest.raises(DatasetError, match="has no image 'd/00'"):
        classed.select(["d/00"])


# Merging


def test_merged_classes_share_a_label_and_keep_their_category(classed):
    merged = data.merge(classed, {"a": "vowel", "b": "consonant", "c": "consonant"})
    assert merged.classes == ("consonant", "vowel")
    labels = {item.category: merged.classes[item.label] for item in merged}
    assert labels == {"a": "vowel", "b": "consonant", "c": "consonant"}


def test_a_class_that_is_in_no_group_is_named(classed):
    with pytest.raises(DatasetError, match="2 classes of holiday are in no group, b first"):
        data.merge(classed, {"a": "vowel"})


def test_the_groups_that_come_along_cover_caltech256():
    groups = data.read_groups("caltech256")
    assert sorted(int(name[:3]) for name in groups) == list(range(1, 257))
    assert groups["056.dog"] == groups["254.greyhound"] == "animal/land"
    assert len(set(groups.values())) == 49


def test_groups_of_ones_own_are_read_from_csv(tmp_path):
    table = io.StringIO()
    csv.writer(table).writerows([("class", "group"), ("a", "vowel"), ("b", "consonant")])
    (tmp_path / "mine.csv").write_text(table.getvalue())
    assert data.read_groups(tmp_path / "mine.csv") == {"a": "vowel", "b": "consonant"}


@pytest.mark.parametrize(
    ("text", "said"),
    [("name,group\na,b\n", "needs the columns"), ("class,group\na,b\na,c\n", "a class twice")],
)
def test_a_mapping_that_is_none_is_refused(text, said, tmp_path):
    (tmp_path / "mine.csv").write_text(text)
    with pytest.raises(DatasetError, match=said):
        data.read_groups(tmp_path / "mine.csv")
    with pytest.raises(DatasetError, match="is no file"):
        data.read_groups(tmp_path / "missing.csv")


# The real sets


def test_the_real_kodak_has_24_images_with_the_right_checksums(tmp_path):
    assert len(data.fetch("kodak", tmp_path / "kodak", source_path=real("kodak"))) == 24


def test_the_real_caltech101_has_8677_images_in_101_classes(tmp_path):
    path = real("caltech101")
    images = data.fetch("caltech101", tmp_path / "caltech101", source_path=path)
    assert (len(images), len(images.classes)) == (8677, 101)
    assert {why: len(paths) for why, paths in images.strays.items()} == {
        "in BACKGROUND_Google, which is no class": 467,
        "not an image": 1,
    }


def test_the_real_osie_has_fixations_that_avoid_the_corners(tmp_path):
    images = data.fetch("osie", tmp_path / "osie", source_path=real("osie"))
    assert len(images) >= 200
    density = np.mean([data.density(item, sigma=images.sigma) for item in images[:10]], axis=0)
    assert density.shape == (600, 800)
    assert density[200:400, 250:550].mean() > 5 * density[:60, :80].mean()
