"""The program in a process of its own: names, streams and signals of any kind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from commands import ENVIRONMENT, PHOTO, PROGRAM, assert_refused, msroi, tree
from PIL import Image

from msroi.images import read_image
from msroi.program import shown

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="of POSIX files and signals")
STANDARD = ["--method", "standard"]
ASCII = ENVIRONMENT | {"PYTHONIOENCODING": "ascii:strict"}
STRANGE = {  # names of files, and how they are shown
    "two\nlines.png": "two\\nlines.png",
    "\x1b[31mred.png": "\\x1b[31mred.png",
    "bell\a\x9b.png": "bell\\x07\\x9b.png",
    "turned\u202egnp.exe": "turned\\u202egnp.exe",
    os.fsdecode(b"latin\xe9.png"): "latin\\udce9.png",
}


# --- names -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", STRANGE, ids=ascii)
def test_a_strange_name_is_shown_escaped_wherever_it_is_told(run, here, name):
    escaped = STRANGE[name]
    code, out, err = run("", "compress", name, "-o", "out", *STANDARD)
    assert_refused((code, out, err), f"msroi: {escaped}: there is no such file")
    Image.fromarray(PHOTO).convert("RGBA").save(name, "PNG")
    with Image.open(name) as image:
        image.putalpha(9)
        image.save(name, "PNG")
    code, out, err = run("", "compress", name, "-o", "out", *STANDARD)
    assert code == 0
    assert err == f"msroi: {escaped}: JPEG has no transparency: the image is laid over white\n"
    assert out.startswith(f"out/{escaped[:-4]}.jpg: ")
    assert out.count("\n") == 2


def test_names_in_many_scripts_are_shown_as_they_are():
    name = "größe Ångström 写真 تصویر 📷 a\u00a0b.png"
    assert shown(name) == name


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_strict_ascii_terminal_gets_every_name(here, jobs):
    names = ["größe.png", "写真.png", os.fsdecode(b"latin\xe9.png"), "missing ü.png"]
    for name in names[:3]:
        Image.fromarray(PHOTO).save(name)
    done = msroi("compress", *names, "-o", "out", *STANDARD, "--jobs", jobs, env=ASCII)
    assert done.returncode == 2
    assert len(list(Path("out").iterdir())) == 3
    assert "out/gr\\xf6\\xdfe.jpg: " in done.stdout and "latin\\udce9.jpg: " in done.stdout
    assert done.stderr.splitlines() == [
        "msroi: missing \\xfc.png: there is no such file",
        "msroi: 1 of 4 images could not be compressed",
    ]


def test_a_name_that_is_too_long_is_told_and_the_others_are_done(run, here):
    whole = "n" * 255  # as long as a name may be, and .jpg is to be added
    Image.fromarray(PHOTO).save(whole, "PNG")
    names = ["photo.png", whole, "n" * 300 + ".png", "other.png"]
    code, out, err = run("", "compress", *names, "-o", "out", *STANDARD)
    assert code == 2
    assert [line.split(":")[0] for line in out.splitlines()[:2]] == [
        "out/photo.jpg",
        "out/other.jpg",
    ]
    first, second, last = err.splitlines()
    assert first == f"msroi: out/{whole}.jpg: the name is too long; give a shorter one"
    assert second.endswith(".jpg: the name is too long; give a shorter one")
    assert last == "msroi: 2 of 4 images could not be compressed"


@pytest.mark.parametrize(
    "line",
    [
        "compress LONG.png -o out.jpg --method standard",
        "compress photo.png -o LONG.jpg --method standard",
        "compress photo.png -o out.jpg --map LONG.png",
        "compress photo.png -o out.jpg --model LONG.onnx",
        "map photo.png -o LONG.png",
        "compare photo.png LONG.png",
    ],
)
def test_a_name_that_is_too_long_is_one_line_in_every_place(run, here, line):
    before = tree(here)
    assert_refused(run(line.replace("LONG", "n" * 300)), "n" * 300, "too long")
    assert tree(here) == before


@pytest.mark.parametrize("what", ["image", "map", "model", "output"])
@pytest.mark.parametrize("kind", ["pipe", "loop"])
def test_a_pipe_or_a_loop_of_links_in_place_of_a_file_is_one_line(run, here, what, kind):
    os.mkfifo("strange.jpg") if kind == "pipe" else Path("strange.jpg").symlink_to("strange.jpg")
    lines = {
        "image": "compress strange.jpg -o out.jpg --method standard",
        "map": "compress photo.png -o out.jpg --map strange.jpg",
        "model": "compress photo.png -o out.jpg --model strange.jpg",
        "output": "compress photo.png -o strange.jpg --method standard",
    }
    assert_refused(run(lines[what]), "strange.jpg")
    assert not Path("out.jpg").exists()


# --- streams ---------------------------------------------------------------------------


def whole(folder):
    """The images that a folder has, each of which can be read."""
    return [read_image(path).pixels.shape for path in sorted(Path(folder).iterdir())]


def line_of(*arguments):
    return " ".join(f"'{part}'" for part in (*PROGRAM, *arguments))


COMPRESS = line_of("compress", "photo.png", "other.png", "-o", "out", *STANDARD)
COMPARE = line_of("compare", "photo.png", "other.png")


def shell(line):
    return subprocess.run(["sh", "-c", line], env=ENVIRONMENT, capture_output=True, text=True)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_images_are_done_where_standard_output_is_closed(here, jobs):
    done = shell(f"{COMPRESS} --jobs {jobs} >&- <&-")
    assert (done.returncode, done.stderr) == (0, "")
    assert whole("out") == [PHOTO.shape] * 2


@pytest.mark.parametrize(
    "line", [COMPRESS, COMPARE, line_of("--help")], ids=["compress", "compare", "help"]
)
def test_a_full_disk_under_standard_output_is_told_in_one_line(here, line):
    done = shell(f"{line} > /dev/full")
    assert done.returncode == 2
    said = "msroi: standard output cannot be written (No space left on device)\n"
    assert done.stderr == said
    if line == COMPRESS:
        assert whole("out") == [PHOTO.shape] * 2


def test_images_are_done_where_the_reader_is_gone(here):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        ["sh", "-c", COMPRESS], env=ENVIRONMENT, stdout=write, stderr=-1, text=True
    )
    os.close(write)
    assert done.returncode == 2
    assert done.stderr == "msroi: standard output cannot be written (Broken pipe)\n"
    assert whole("out") == [PHOTO.shape] * 2


def test_images_are_done_where_nothing_can_be_said_at_all(here):
    assert shell(f"{COMPRESS} >&- 2>&-").returncode == 0
    assert whole("out") == [PHOTO.shape] * 2
    assert shell(f"{COMPRESS} > /dev/full 2> /dev/full").returncode == 2  # they exist


# --- signals ---------------------------------------------------------------------------


def interrupted(arguments, seconds, number=signal.SIGINT):
    """Start `msroi`, send it a signal: exit code, what it said, seconds that it took to go."""
    started = subprocess.Popen(
        [*PROGRAM, *arguments], env=ENVIRONMENT, stdout=-1, stderr=-1, text=True
    )
    time.sleep(seconds)
    started.send_signal(number)
    begun = time.monotonic()
    out, err = started.communicate(timeout=60)
    return started.returncode, out, err, time.monotonic() - begun


@pytest.mark.parametrize("seconds", [0.15, 0.3, 0.6])
def test_ctrl_c_ends_the_program_without_a_word_also_while_it_loads(here, seconds):
    Image.fromarray(np.tile(PHOTO, (40, 40, 1))).save("large.png")
    code, out, err, _ = interrupted(["map", "large.png", "-o", "map.png", "--force"], seconds)
    assert (code, out, err) == (-signal.SIGINT, "", "")


def test_comparing_a_large_pair_lets_go_at_once(here):
    Image.fromarray(np.tile(PHOTO, (60, 40, 1))).save("large.png")
    code, out, err, took = interrupted(["compare", "large.png", "large.png"], 6)
    assert (code, out, err) == (-signal.SIGINT, "", "")
    assert took < 2
