"""Files that are written: nothing is lost that was not meant."""

import os
import signal
import sys
import threading
from pathlib import Path
from subprocess import Popen

import pytest
from commands import ENVIRONMENT, PHOTO, PROGRAM, H, W, assert_refused, tree
from networks import alive, exported, network
from PIL import Image

from msroi.files import OutputError, write_atomically, write_new
from msroi.images import read_image

STANDARD = "--method standard"


@pytest.fixture
def inputs(here):
    """A photo, its map and a network, under names that an output could have."""
    Image.fromarray(PHOTO).save("photo.jpg", quality=95)
    Image.open("map.png").save("map.jpg", "PNG")
    exported(here / "net.jpg", alive(network()))
    (here / "net.png").hardlink_to(here / "net.jpg")
    return here


@pytest.mark.parametrize("output", ["photo.jpg", "map.jpg", "hard.jpg", "soft.jpg"])
@pytest.mark.parametrize("owner", ["photo.jpg", "map.jpg"])
def test_no_input_is_overwritten_by_force_under_any_of_its_names(run, inputs, owner, output):
    Path("hard.jpg").hardlink_to(owner)
    Path("soft.jpg").symlink_to(owner)
    before = tree(inputs)
    line = f"compress photo.jpg -o {output} --map map.jpg --force"
    assert_refused(run(line), output, "is an input, which is never written to")
    assert tree(inputs) == before


@pytest.mark.parametrize(
    "line",
    ["compress photo.png -o net.jpg --model net.jpg", "map photo.png -o net.png --model net.jpg"],
)
def test_the_network_is_an_input_too(run, inputs, line):
    before = tree(inputs)
    assert_refused(run(f"{line} --force"), "is an input")
    assert tree(inputs) == before


@pytest.mark.parametrize("force", ["", "--force"])
@pytest.mark.parametrize("kind", ["dangling", "looping", "pipe"])
def test_an_output_that_is_no_ordinary_file_is_refused(run, here, kind, force):
    output = Path("out.jpg")
    if kind == "pipe":
        os.mkfifo(output)
    else:
        output.symlink_to("nowhere.jpg" if kind == "dangling" else output)
    words = "is no ordinary file" if kind == "pipe" else "is a link that leads nowhere"
    before = output.lstat().st_ino
    refused = run(f"compress photo.png -o {output} {STANDARD} {force}")
    assert_refused(refused, f"out.jpg: {words}")
    assert output.lstat().st_ino == before
    assert not Path("nowhere.jpg").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["compress", "photo.png", "-o", ""],
        ["map", "photo.png", "-o", ""],
        ["compress", "", "-o", "out"],
        ["compress", "photo.png", "-o", "out.jpg", "--map", ""],
    ],
)
def test_an_empty_name_is_refused(run, here, arguments):
    before = tree(here)
    assert_refused(run("", *arguments), "an empty name names no file")
    assert tree(here) == before


def test_a_file_that_came_to_be_meanwhile_is_not_overwritten(tmp_path):
    path = tmp_path / "out.jpg"
    path.write_bytes(b"theirs")
    with pytest.raises(OutputError, match=r"out\.jpg: exists already; --force overwrites it"):
        write_new(path, b"ours")
    assert tree(tmp_path) == {path: b"theirs"}


def test_of_many_that_write_one_name_at_once_one_does_and_the_others_are_told(tmp_path):
    path, refused, start = tmp_path / "out.jpg", [], threading.Barrier(8)

    def write(data):
        start.wait()
        try:
            write_new(path, data)
        except OutputError:
            refused.append(data)

    every = [bytes([n]) * 100_000 for n in range(8)]
    threads = [threading.Thread(target=write, args=[data]) for data in every]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 7
    assert [path.read_bytes()] == [data for data in every if data not in refused]
    assert list(tmp_path.iterdir()) == [path]


def test_two_runs_into_one_folder_do_not_replace_each_others_files(here):
    """Both find all names free, and then each writes what the other has not."""
    names = [f"{n}.png" for n in range(12)]
    for name in names:
        Image.fromarray(PHOTO).save(name)
    lines = [
        [*PROGRAM, "compress", *names, "-o", "out", "--method", "standard", "--quality", quality]
        for quality in ("20", "90")
    ]
    runs = [Popen(line, stdout=-1, stderr=-1, text=True, env=ENVIRONMENT) for line in lines]
    told = [run.communicate() for run in runs]
    written = [[line for line in out.splitlines() if line.startswith("out")] for out, _ in told]
    assert sorted(line.split(":")[0] for lines in written for line in lines) == sorted(
        f"out/{n}.jpg" for n in range(12)
    )
    for line in [line for lines in written for line in lines]:
        name, size = line.split(":")
        assert Path(name).stat().st_size == int(size.split()[0].replace(",", ""))
    for _, err in told:
        assert all("exists already" in line or "images could" in line for line in err.splitlines())


def test_where_there_are_no_hard_links_a_new_file_is_written_all_the_same(tmp_path, monkeypatch):
    def without(source, target):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", without)
    write_new(tmp_path / "out.jpg", b"ours")
    with pytest.raises(OutputError, match="exists already"):
        write_new(tmp_path / "out.jpg", b"again")
    assert tree(tmp_path) == {tmp_path / "out.jpg": b"ours"}


WRITE = """
import signal, sys
from pathlib import Path
from msroi import files

def place(temporary, path):
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.raise_signal(number)  # as if they came at the worst moment
    temporary.replace(path)

for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_DFL)
files._write(Path(sys.argv[1]), b"whole", place)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="of POSIX signals")
def test_a_signal_waits_until_a_file_is_written(tmp_path):
    path = tmp_path / "out.jpg"
    ended = Popen([sys.executable, "-c", WRITE, path], env=ENVIRONMENT).wait(60)
    assert ended in (-signal.SIGINT, -signal.SIGTERM)
    assert tree(tmp_path) == {path: b"whole"}


def test_with_force_what_is_there_is_replaced(run):
    Path("out.jpg").write_bytes(b"mine")
    assert run(f"compress photo.png -o out.jpg {STANDARD} --force")[0] == 0
    assert read_image("out.jpg").pixels.shape == (H, W, 3)
    write_atomically("out.jpg", b"again")
    assert Path("out.jpg").read_bytes() == b"again"
