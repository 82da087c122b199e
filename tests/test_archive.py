"""Archives in the original layouts of the sets, hostile archives, and a kill in the middle."""

import dataclasses
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import ExifTags, Image

from msroi.images import png
from study.data.download import extract
from study.data.fetch import fetch
from study.data.registry import DatasetError, Source, source
from study.data.sets import ImageSet
from study.data.truths import density, object_masks

Files = Mapping[str, bytes | None]  # None: an empty folder


def jpeg(width: int = 32, height: int = 24, *, mode: str = "RGB", orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    file = io.BytesIO()
    Image.new(mode, (width, height), 128).save(file, "JPEG", exif=exif)
    return file.getvalue()


def tar_of(
    files: Files, mode: str = "w", *, kind: bytes = tarfile.REGTYPE, link: str = ""
) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.type = tarfile.DIRTYPE if data is None else kind
            member.size, member.linkname = len(data or b""), link
            archive.addfile(member, io.BytesIO(data or b""))
    return file.getvalue()


def zip_of(files: Files, *, mode: int = 0o100644) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = mode << 16
            archive.writestr(member, data)
    return file.getvalue()


def placed_by_hand(name: str, *archives: bytes, folder: Path, **changed: object) -> Source:
    """Put archives where a download would put them; the registry's entry with their checksums."""
    entry = source(name)
    workplace = folder / f"{name}.partial"
    workplace.mkdir()
    files = {}
    for url, archive in zip(entry.files, archives, strict=True):
        (workplace / url.rsplit("/", 1)[1]).write_bytes(archive)
        files[url] = f"md5:{hashlib.md5(archive).hexdigest()}"
    return dataclasses.replace(entry, files=files, download_bytes=0, disk_bytes=0, **changed)


@pytest.fixture(autouse=True)
def no_data_of_the_users_own(monkeypatch):
    monkeypatch.delenv("MSROI_DATA", raising=False)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def unpacked(name: str, *archives: bytes, folder: Path, **changed: object) -> ImageSet:
    images = fetch(placed_by_hand(name, *archives, folder=folder, **changed), folder / name)
    assert names(folder) == [f".{name}.lock", name]
    return images


CALTECH101, CALTECH256, CAT2000 = "101_ObjectCategories", "256_ObjectCategories", "trainSet"
ORIGINAL = {  # the archive as its authors packed it, the images in it, what is left out
    "caltech101": (
        zip_of(
            {
                "caltech-101/Annotations.tar": tar_of({"Annotations/Faces/annotation.mat": b"box"}),
                "caltech-101/101_ObjectCategories.tar.gz": tar_of(
                    {
                        f"{CALTECH101}/BACKGROUND_Google/image_0001.jpg": jpeg(),
                        f"{CALTECH101}/BACKGROUND_Google/tmp": b"stray",
                        f"{CALTECH101}/Faces/image_0001.jpg": jpeg(),
                        f"{CALTECH101}/Faces/image_0002.jpg": jpeg(),
                        f"{CALTECH101}/accordion/image_0001.jpg": jpeg(),
                    },
                    "w:gz",
                ),
                "__MACOSX/caltech-101/._101_ObjectCategories.tar.gz": b"resource fork",
            }
        ),
        ["Faces/image_0001", "Faces/image_0002", "accordion/image_0001"],
        {
            "in BACKGROUND_Google, which is no class": ["BACKGROUND_Google/image_0001.jpg"],
            "not an image": ["BACKGROUND_Google/tmp"],
        },
    ),
    "caltech256": (
        tar_of(
            {
                f"{CALTECH256}/001.ak47/001_0001.jpg": jpeg(),
                f"{CALTECH256}/056.dog/056_0001.jpg": jpeg(mode="L"),
                f"{CALTECH256}/056.dog/greg/vision309": None,
                f"{CALTECH256}/198.spider/198_0001.jpg": jpeg(),
                f"{CALTECH256}/198.spider/RENAME2": b"",
                f"{CALTECH256}/257.clutter/257_0001.jpg": jpeg(),
            }
        ),
        ["001.ak47/001_0001", "056.dog/056_0001", "198.spider/198_0001"],
        {
            "a folder inside a category": ["056.dog/greg"],
            "not an image": ["198.spider/RENAME2"],
            "in 257.clutter, which is no class": ["257.clutter/257_0001.jpg"],
        },
    ),
    "cat2000": (
        zip_of(
            {
                f"{CAT2000}/FIXATIONLOCS/Action/001.mat": b"points",
                f"{CAT2000}/FIXATIONMAPS/Action/001.jpg": jpeg(mode="L"),
                f"{CAT2000}/FIXATIONMAPS/Sketch/001.jpg": jpeg(mode="L"),
                f"{CAT2000}/Stimuli/Action/001.jpg": jpeg(),
                f"{CAT2000}/Stimuli/Action/Output/001_SaliencyMap.jpg": jpeg(),
                f"{CAT2000}/Stimuli/Sketch/001.jpg": jpeg(orientation=6),
            }
        ),
        ["Action/001", "Sketch/001"],
        {"a folder inside a category": ["Action/Output"]},
    ),
}


@pytest.mark.parametrize("name", ORIGINAL)
def test_a_set_loads_from_its_original_archive_without_what_is_no_part_of_it(name, tmp_path):
    archive, expected, left_out = ORIGINAL[name]
    categories = [image.split("/")[0] for image in expected]
    classes = tuple(sorted(set(categories)))
    count = len(expected)
    images = unpacked(name, archive, folder=tmp_path, images=count, classes=len(classes))
    assert images.classes == classes
    assert [item.name for item in images] == expected
    assert [item.category for item in images] == categories
    assert [classes[item.label] for item in images] == categories
    base = images.root.joinpath(*source(name).folders)
    strays = {why: [str(path.relative_to(base)) for path in images.strays[why]] for why in left_out}
    assert (strays, images.strays.keys()) == (left_out, left_out.keys())


def test_where_an_orientation_lies_the_fixations_fit_the_pixels_as_stored(tmp_path):
    images = unpacked("cat2000", ORIGINAL["cat2000"][0], folder=tmp_path, images=2, classes=2)
    maps = images.root / "trainSet/FIXATIONMAPS"
    assert [item.fixations for item in images] == [maps / f"{item.name}.jpg" for item in images]
    assert images.upright == "stored"
    assert density(images[1], sigma=images.sigma).shape == (24, 32)


def test_ecssd_is_put_together_from_its_archives_of_images_and_of_masks(tmp_path):
    square = np.zeros((24, 32), np.uint8)
    square[4:8, 10:20] = 255
    photographs = zip_of({f"images/{name}.jpg": jpeg() for name in ("0001", "0002")})
    masks = zip_of({f"ground_truth_mask/{name}.png": png(square) for name in ("0001", "0002")})
    images = unpacked("ecssd", photographs, masks, folder=tmp_path)
    assert [(item.name, item.category) for item in images] == [("0001", ""), ("0002", "")]
    assert images.classes == ()
    (mask,) = object_masks(images[1])
    np.testing.assert_array_equal(mask, square > 0)


def test_of_cocos_archives_only_the_photographs_and_their_outlines_are_unpacked(tmp_path):
    photographs = zip_of({f"val2017/{name}.jpg": jpeg() for name in ("000001", "000002")})
    outline = {"image_id": 2, "iscrowd": 0, "segmentation": [[8, 6, 24, 6, 24, 18, 8, 18]]}
    known = {"id": 2, "file_name": "000002.jpg", "width": 32, "height": 24}
    told = json.dumps({"images": [known], "annotations": [outline]}).encode()
    files = ("captions_val2017", "instances_train2017", "instances_val2017")
    annotations = zip_of({f"annotations/{name}.json": told for name in files})
    images = unpacked("coco", photographs, annotations, folder=tmp_path)
    assert [(item.name, item.category) for item in images] == [("000002", "1")]
    assert names(images.root / "annotations") == ["instances_val2017.json"]
    assert object_masks(images[0]).sum() == 16 * 12


def test_an_archive_that_lacks_images_is_refused_and_nothing_appears(tmp_path):
    archive = tar_of({"256_ObjectCategories/001.ak47/001_0001.jpg": jpeg()})
    entry = placed_by_hand("caltech256", archive, folder=tmp_path)
    with pytest.raises(DatasetError, match="holds 1 images and Caltech-256 has 29,780"):
        fetch(entry, tmp_path / "caltech256")
    assert not (tmp_path / "caltech256").exists()


HOSTILE = {
    "tar ..": ("../x", tar_of({"fine": b"1", "../x": b"2"})),
    "tar inner ..": ("a/../../x", tar_of({"fine": b"1", "a/../../x": b"2"})),
    "tar absolute": ("/tmp/msroi-x", tar_of({"fine": b"1", "/tmp/msroi-x": b"2"})),
    "tar Windows": ("C:\\x", tar_of({"fine": b"1", "C:\\x": b"2"})),
    "tar symlink": ("x", tar_of({"x": b""}, kind=tarfile.SYMTYPE, link="../outside")),
    "tar absolute symlink": ("x", tar_of({"x": b""}, kind=tarfile.SYMTYPE, link="/etc/passwd")),
    "tar hard link": ("x", tar_of({"x": b""}, kind=tarfile.LNKTYPE, link="../outside")),
    "tar device": ("x", tar_of({"x": b""}, kind=tarfile.CHRTYPE)),
    "zip ..": ("../x", zip_of({"fine": b"1", "../x": b"2"})),
    "zip absolute": ("/tmp/msroi-x", zip_of({"fine": b"1", "/tmp/msroi-x": b"2"})),
    "zip Windows": ("..\\x", zip_of({"fine": b"1", "..\\x": b"2"})),
    "zip symlink": ("x", zip_of({"x": b"../outside"}, mode=0o120777)),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_archive_is_refused_by_its_members_name_and_writes_nothing(kind, tmp_path):
    name, data = HOSTILE[kind]
    archive = tmp_path / "archive"
    archive.write_bytes(data)
    (tmp_path / "folder").mkdir()
    with pytest.raises(DatasetError) as caught:
        extract(archive, tmp_path / "folder")
    assert repr(name) in str(caught.value)
    assert names(tmp_path) == ["archive", "folder"]
    assert names(tmp_path / "folder") == []
    assert not Path("/tmp/msroi-x").exists()


@pytest.mark.parametrize("make", [zip_of, lambda files: tar_of(files, "w:gz")])
def test_a_broken_archive_is_named(make: Callable[[Files], bytes], tmp_path):
    whole = make({"a": os.urandom(5000), "b": os.urandom(5000)})
    archive = tmp_path / "archive"
    archive.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DatasetError, match="archive is broken"):
        extract(archive, tmp_path / "folder")


def flagged(data: bytes) -> bytes:
    """A zip file's bytes with the mark of encryption on each member."""
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = data.find(header)
        while start >= 0:
            data = data[: start + flags] + b"\x01\x00" + data[start + flags + 2 :]
            start = data.find(header, start + 1)
    return data


def damaged(data: bytes) -> bytes:
    return data[:60] + bytes(60) + data[120:]


WHOLE = {"a": os.urandom(5000), "b": os.urandom(5000)}
DAMAGED = {
    "encrypted": flagged(zip_of(WHOLE)),
    "tar.xz": damaged(tar_of(WHOLE, "w:xz")),
    "tar.bz2": damaged(tar_of(WHOLE, "w:bz2")),
    "tar.gz": damaged(tar_of(WHOLE, "w:gz")),
    "a tar whose member has a size of no digits": tar_of({"a": b""}).replace(b"0" * 11, b"9" * 11),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_of_a_damaged_or_encrypted_archive_one_line_says_what_is_wrong(kind, tmp_path):
    archive = tmp_path / "archive"
    archive.write_bytes(DAMAGED[kind])
    with pytest.raises(DatasetError, match="archive is broken") as caught:
        extract(archive, tmp_path / "folder")
    assert "\n" not in str(caught.value)


def test_an_archive_whose_members_lie_in_a_file_is_told(tmp_path):
    archive = tmp_path / "archive"
    archive.write_bytes(tar_of({"a": b"1", "a/b": b"2"}))
    with pytest.raises(DatasetError, match="could not be unpacked"):
        extract(archive, tmp_path / "folder")


@pytest.mark.parametrize("make", [zip_of, tar_of])
def test_of_an_archive_only_the_named_files_and_folders_are_unpacked(make, tmp_path):
    archive = tmp_path / "archive"
    archive.write_bytes(make({"a/b/1": b"1", "a/c": b"2", "ab": b"3", "d/e": b"4"}))
    extract(archive, tmp_path / "folder", only=["a/b", "d/e"])
    files = (path for path in (tmp_path / "folder").rglob("*") if path.is_file())
    assert sorted(str(path.relative_to(tmp_path / "folder")) for path in files) == ["a/b/1", "d/e"]


def test_an_archive_without_room_is_not_unpacked(tmp_path, monkeypatch):
    archive = tmp_path / "archive"
    archive.write_bytes(tar_of({"a": bytes(5000)}))
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=4999))
    with pytest.raises(DatasetError, match="make room"):
        extract(archive, tmp_path)
    assert names(tmp_path) == ["archive"]


KILLED = """
import json, os, signal, sys
from pathlib import Path
from study.data.fetch import fetch
from study.data.registry import Source

unpacked = set()

def kill_at_the_twentieth_file(event, arguments):
    if event == "open" and "/tree/" in str(arguments[0]):
        unpacked.add(arguments[0])
        if len(unpacked) == 20:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(kill_at_the_twentieth_file)
fetch(Source(**json.loads(sys.argv[1])), Path(sys.argv[2]))
"""


def test_a_run_killed_while_unpacking_leaves_no_set_and_the_next_run_completes_it(tmp_path):
    pictures = range(50)
    archive = tar_of(
        {f"256_ObjectCategories/001.ak47/001_{i:04}.jpg": jpeg() for i in pictures}, "w"
    )
    entry = placed_by_hand("caltech256", archive, folder=tmp_path, images=50, classes=1)
    arguments = [json.dumps(dataclasses.asdict(entry)), str(tmp_path / "caltech256")]
    killed = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "caltech256").exists()
    left = list((tmp_path / "caltech256.partial/tree").rglob("*.jpg"))
    assert 0 < len(left) < 50

    images = fetch(entry, tmp_path / "caltech256")
    assert len(images) == 50
    assert names(tmp_path) == [".caltech256.lock", "caltech256"]
