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

import pytest
from PIL import ExifTags, Image

from study.data import DatasetError, ImageSet, density
from study.data.acquisition import acquire
from study.data.archive import extract
from study.data.registry import Source, source

Files = Mapping[str, bytes | None]  # None: an empty folder


def jpeg(width: int = 32, height: int = 24, *, mode: str = "RGB", orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    file = io.BytesIO()
    Image.new(mode, (width, height), 128).save(file, "JPEG", exif=exif)
    return file.getvalue()


def tar_of(files: Files, mode: str = "w") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.type = tarfile.DIRTYPE if data is None else tarfile.REGTYPE
            member.size = len(data or b"")
            archive.addfile(member, io.BytesIO(data or b""))
    return file.getvalue()


def zip_of(files: Files) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files.items():
            archive.writestr(name if data is not None else f"{name}/", data or b"")
    return file.getvalue()


def placed_by_hand(name: str, archive: bytes, folder: Path, **changed: object) -> Source:
    """Put an archive where a download would put it; the registry's entry with its checksum."""
    entry = source(name)
    (url,) = entry.files
    workplace = folder / f"{name}.partial"
    workplace.mkdir()
    (workplace / url.rsplit("/", 1)[1]).write_bytes(archive)
    files = {url: f"md5:{hashlib.md5(archive).hexdigest()}"}
    return dataclasses.replace(entry, files=files, download_bytes=0, disk_bytes=0, **changed)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def unpacked(name: str, archive: bytes, folder: Path, **changed: object) -> ImageSet:
    images = acquire(placed_by_hand(name, archive, folder, **changed), folder / name)
    assert names(folder) == [f".{name}.lock", name]
    return images


def strays(images: ImageSet) -> dict[str, list[str]]:
    return {
        why: [path.relative_to(images.root).as_posix() for path in paths]
        for why, paths in images.strays.items()
    }


def test_caltech101_loads_from_its_tar_inside_a_zip(tmp_path):
    pictures = {
        f"101_ObjectCategories/{folder}/image_000{number}.jpg": jpeg()
        for folder in ("BACKGROUND_Google", "Faces", "accordion")
        for number in (1, 2)
    }
    inner = tar_of({**pictures, "101_ObjectCategories/BACKGROUND_Google/tmp": b"stray"}, "w:gz")
    outer = {
        "caltech-101/Annotations.tar": tar_of({"Annotations/Faces/annotation_0001.mat": b"box"}),
        "caltech-101/101_ObjectCategories.tar.gz": inner,
        "__MACOSX/caltech-101/._101_ObjectCategories.tar.gz": b"resource fork",
    }
    images = unpacked("caltech101", zip_of(outer), tmp_path, images=4, classes=2)

    assert images.classes == ("Faces", "accordion")
    assert [(item.name, item.label) for item in images] == [
        ("Faces/image_0001", 0),
        ("Faces/image_0002", 0),
        ("accordion/image_0001", 1),
        ("accordion/image_0002", 1),
    ]
    folder = "101_ObjectCategories/BACKGROUND_Google"
    assert strays(images) == {
        "in BACKGROUND_Google, which is no class": [
            f"{folder}/image_0001.jpg",
            f"{folder}/image_0002.jpg",
        ],
        "not an image": [f"{folder}/tmp"],
    }


def test_caltech256_loads_without_its_clutter_and_its_two_strays(tmp_path):
    root = "256_ObjectCategories"
    archive = tar_of(
        {
            f"{root}/001.ak47/001_0001.jpg": jpeg(),
            f"{root}/056.dog/056_0001.jpg": jpeg(mode="L"),
            f"{root}/056.dog/greg/vision309": None,
            f"{root}/198.spider/198_0001.jpg": jpeg(),
            f"{root}/198.spider/RENAME2": b"",
            f"{root}/257.clutter/257_0001.jpg": jpeg(),
        }
    )
    images = unpacked("caltech256", archive, tmp_path, images=3, classes=3)

    assert images.classes == ("001.ak47", "056.dog", "198.spider")
    assert [(item.name, item.category, item.label) for item in images] == [
        ("001.ak47/001_0001", "001.ak47", 0),
        ("056.dog/056_0001", "056.dog", 1),
        ("198.spider/198_0001", "198.spider", 2),
    ]
    assert strays(images) == {
        "a folder inside a category": [f"{root}/056.dog/greg"],
        "not an image": [f"{root}/198.spider/RENAME2"],
        "in 257.clutter, which is no class": [f"{root}/257.clutter/257_0001.jpg"],
    }


def test_cat2000_loads_with_its_fixation_maps_and_without_its_outputs(tmp_path):
    files = {"trainSet/FIXATIONLOCS/Action/001.mat": b"points"}
    for category in ("Action", "Sketch"):
        for number in ("001", "002"):
            lies = (category, number) == ("Sketch", "002")
            name = f"{category}/{number}.jpg"
            files[f"trainSet/Stimuli/{name}"] = jpeg(orientation=6 if lies else 1)
            files[f"trainSet/FIXATIONMAPS/{name}"] = jpeg(mode="L")
            files[f"trainSet/Stimuli/{category}/Output/{number}_SaliencyMap.jpg"] = jpeg()
    images = unpacked("cat2000", zip_of(files), tmp_path, images=4, classes=2)

    expected = ["Action/001", "Action/002", "Sketch/001", "Sketch/002"]
    assert [item.name for item in images] == expected
    assert [item.category for item in images] == ["Action", "Action", "Sketch", "Sketch"]
    maps = images.root / "trainSet/FIXATIONMAPS"
    assert [item.fixations for item in images] == [maps / f"{name}.jpg" for name in expected]
    assert strays(images) == {
        "a folder inside a category": [
            "trainSet/Stimuli/Action/Output",
            "trainSet/Stimuli/Sketch/Output",
        ]
    }


def test_where_an_orientation_lies_the_fixations_fit_the_pixels_as_stored(tmp_path):
    files = {
        "trainSet/Stimuli/Action/001.jpg": jpeg(32, 24, orientation=6),
        "trainSet/FIXATIONMAPS/Action/001.jpg": jpeg(32, 24, mode="L"),
    }
    images = unpacked("cat2000", zip_of(files), tmp_path, images=1, classes=1)
    assert images.upright == "stored"
    assert density(images[0], sigma=images.sigma).shape == (24, 32)


def test_an_archive_that_lacks_images_is_refused_and_nothing_appears(tmp_path):
    archive = tar_of({"256_ObjectCategories/001.ak47/001_0001.jpg": jpeg()})
    entry = placed_by_hand("caltech256", archive, tmp_path)
    with pytest.raises(DatasetError, match="holds 1 images and Caltech-256 has 29,780"):
        acquire(entry, tmp_path / "caltech256")
    assert not (tmp_path / "caltech256").exists()


def linked(name: str, to: str, kind: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, to
        archive.addfile(member)
    return file.getvalue()


def linked_zip(name: str, to: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        member = zipfile.ZipInfo(name)
        member.external_attr = 0o120777 << 16  # a symbolic link
        archive.writestr(member, to)
    return file.getvalue()


HOSTILE = {
    "tar ..": ("../x", tar_of({"fine": b"1", "../x": b"2"})),
    "tar inner ..": ("a/../../x", tar_of({"fine": b"1", "a/../../x": b"2"})),
    "tar absolute": ("/tmp/msroi-x", tar_of({"fine": b"1", "/tmp/msroi-x": b"2"})),
    "tar Windows": ("C:\\x", tar_of({"fine": b"1", "C:\\x": b"2"})),
    "tar symlink": ("x", linked("x", "../outside", tarfile.SYMTYPE)),
    "tar absolute symlink": ("x", linked("x", "/etc/passwd", tarfile.SYMTYPE)),
    "tar hard link": ("x", linked("x", "../outside", tarfile.LNKTYPE)),
    "tar device": ("x", linked("x", "", tarfile.CHRTYPE)),
    "zip ..": ("../x", zip_of({"fine": b"1", "../x": b"2"})),
    "zip absolute": ("/tmp/msroi-x", zip_of({"fine": b"1", "/tmp/msroi-x": b"2"})),
    "zip Windows": ("..\\x", zip_of({"fine": b"1", "..\\x": b"2"})),
    "zip symlink": ("x", linked_zip("x", "../outside")),
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
from study.data.acquisition import acquire
from study.data.registry import Source

unpacked = set()

def kill_at_the_twentieth_file(event, arguments):
    if event == "open" and "/tree/" in str(arguments[0]):
        unpacked.add(arguments[0])
        if len(unpacked) == 20:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(kill_at_the_twentieth_file)
acquire(Source(**json.loads(sys.argv[1])), Path(sys.argv[2]))
"""


def test_a_run_killed_while_unpacking_leaves_no_set_and_the_next_run_completes_it(tmp_path):
    pictures = range(50)
    archive = tar_of(
        {f"256_ObjectCategories/001.ak47/001_{i:04}.jpg": jpeg() for i in pictures}, "w"
    )
    entry = placed_by_hand("caltech256", archive, tmp_path, images=50, classes=1)
    arguments = [json.dumps(dataclasses.asdict(entry)), str(tmp_path / "caltech256")]
    killed = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "caltech256").exists()
    left = list((tmp_path / "caltech256.partial/tree").rglob("*.jpg"))
    assert 0 < len(left) < 50

    images = acquire(entry, tmp_path / "caltech256")
    assert len(images) == 50
    assert names(tmp_path) == [".caltech256.lock", "caltech256"]
