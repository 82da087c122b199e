"""The command line: what it writes, what it says, and what it refuses."""

import io
import json
import re
import subprocess
import sys
import threading
import time
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import typer
from commands import CLEAR, DRAWN, PHOTO, H, W, assert_refused, tree
from networks import alive, exported, network
from pictures import bad_files, exif_block, save, srgb_profile
from PIL import Image

from msroi import cli, load_model, saliency_map, usage
from msroi.encoder import TargetError, encode
from msroi.images import FORMATS, decode, overlay, png, read_image
from msroi.network import HEADS
from msroi.score import ssimulacra2


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "small.onnx"
    exported(path, *(alive(network(head)) for head in HEADS))
    return path


@pytest.fixture(params=["map", "compress"])
def writing(request, checkpoint):
    """A command that writes a file, the name of its output, and what it is told of a map."""
    options = {"map": ("out.png", "--model", checkpoint), "compress": ("out.jpg", "--map map.png")}
    output, *told = options[request.param]
    return request.param, output, " ".join(map(str, told))


# --- compress --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ("--map map.png", {}),
        ("--map map.png --strength 1.5", {"strength": 1.5}),
        ("--map map.png --tune hvs", {"tune": "hvs"}),
        ("--map map.png --tune psnr --quality 80", {"tune": "psnr", "quality": 80}),
        ("--map map.png --subsampling 4:4:4", {"subsampling": "4:4:4"}),
        ("--map map.png --baseline --max-bytes 3000", {"progressive": False, "max_bytes": 3000}),
        (
            "--map map.png --method mosaic --levels 2 --q-low 10 --q-high 90 --quality 70",
            {"method": "mosaic", "levels": 2, "q_low": 10, "q_high": 90, "quality": 70},
        ),
        ("--method standard --quality 30", {"method": "standard", "quality": 30}),
        ("--map map.png --size 3k", {"max_bytes": 3000}),
        ("--map map.png --ssimulacra2 40", {"target": 40}),
        ("--method standard --ssimulacra2 30.5", {"method": "standard", "target": 30.5}),
    ],
)
def test_compress_writes_what_encode_gives(run, arguments, options):
    code, out, err = run(f"compress photo.png -o out.jpg {arguments}")
    assert (code, err) == (0, "")
    expected = encode(PHOTO, DRAWN, **options)
    assert Path("out.jpg").read_bytes() == expected
    assert f"{len(expected):,} bytes, quality" in out


@pytest.mark.parametrize(
    ("text", "size"),
    [
        *[("98765", 98765), ("98765B", 98765), ("1", 1), (" 7b ", 7)],
        *[("120k", 120_000), ("120kB", 120_000), ("120K", 120_000), ("120KB", 120_000)],
        *[("1.5M", 1_500_000), ("1.5MB", 1_500_000), ("0.29m", 290_000), ("0.0015k", 1)],
        *[("120KiB", 122_880), ("120ki", 122_880), ("1MiB", 1_048_576), ("1.5Mi", 1_572_864)],
    ],
)
def test_a_size_is_read_in_thousands_or_in_1024s(text, size):
    assert usage.size_in_bytes(text) == size


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "k",
            "0",
            "0.0001k",
            "-5",
            "+5",
            "1.5",
            "1.5B",
            ".5M",
            "1.M",
            "12G",
            "120 k",
            "120,5k",
        ),
        *("1e3", "120kiBB", "iB", "B", "nan", "120kbit", "²"),
    ],
)
def test_what_is_no_size_is_named_beside_the_forms(text):
    with pytest.raises(typer.BadParameter) as caught:
        usage.size_in_bytes(text)
    assert caught.value.message == (
        f"{text!r} is no size in bytes: "
        "write it as 98765, 120k or 1.5M (k is 1000), or 120KiB or 1MiB (Ki is 1024)"
    )


def test_the_score_that_was_reached_is_told(run):
    code, out, err = run("compress photo.png -o out.jpg --map map.png --ssimulacra2 40")
    assert (code, err) == (0, "")
    told = re.match(r"out\.jpg: [0-9,]+ bytes, quality [0-9.]+, SSIMULACRA2 ([0-9.]+)\n", out)
    score = ssimulacra2(PHOTO, decode(Path("out.jpg").read_bytes()))
    assert told[1] == f"{score:.1f}"
    assert 40 <= score <= 40.5


def test_a_score_is_of_the_pixels_as_stored_and_metadata_does_not_matter(run, here):
    kept = {"exif": exif_block(6), "icc_profile": srgb_profile()}
    source = save(here, Image.fromarray(PHOTO), "a.jpg", quality=95, **kept)
    stored = decode(source.read_bytes())
    assert run("compress a.jpg -o out.jpg --method standard --ssimulacra2 30")[0] == 0
    expected = encode(stored, method="standard", target=30)
    written = Path("out.jpg").read_bytes()
    assert len(written) > len(expected) + len(kept["icc_profile"])
    np.testing.assert_array_equal(decode(written), decode(expected))
    refused = run("compress a.jpg -o no.jpg --method standard --ssimulacra2 99.5")
    with pytest.raises(TargetError) as caught:
        encode(stored, method="standard", target=99.5)
    metadata = len(written) - len(expected)
    assert_refused(refused, f"with {caught.value.reachable_bytes + metadata} bytes")


@pytest.mark.parametrize("image", ["photo.png", "none.png"])
def test_compress_ends_after_the_thread_that_it_starts(run, monkeypatch, image):
    ended = threading.Event()
    monkeypatch.setattr(cli.encoder, "load", lambda method: (time.sleep(0.5), ended.set()))
    run(f"compress {image} -o out.jpg --method standard")
    assert ended.is_set()


def test_a_flat_map_which_can_not_matter_is_told(run):
    Image.new("L", (W, H), 120).save("flat.png")
    code, _, said = run("compress photo.png -o out.jpg --map flat.png")
    assert code == 0
    assert "flat.png is of one grey throughout" in said


@pytest.mark.parametrize(
    ("image", "name", "line"),
    [
        (
            *(Image.fromarray(PHOTO), "a.jpg"),
            "a JPEG is encoded anew from its pixels: what it has lost is not won back",
        ),
        (CLEAR, "a.png", "a.png: JPEG has no transparency: the image is laid over white"),
    ],
)
def test_what_an_image_lost_or_loses_is_told_on_one_line(run, here, image, name, line):
    save(here, image, name)
    code, _, err = run(f"compress {name} -o out.jpg --map map.png")
    assert (code, err) == (0, f"msroi: {line}\n")


def test_compress_puts_several_images_in_a_folder_and_sums_up(run):
    code, out, err = run("compress photo.png other.png -o out --method standard")
    assert (code, err) == (0, "")
    written = sorted(Path("out").iterdir())
    assert [path.name for path in written] == ["other.jpg", "photo.jpg"]
    after = sum(path.stat().st_size for path in written)
    before = sum(Path(name).stat().st_size for name in ("photo.png", "other.png"))
    assert out.splitlines()[-1].startswith(f"2 images: {before:,} bytes -> {after:,} bytes")


@pytest.fixture
def three_files(here):
    """A photo, a file that is none, and a photo with transparency, to go in a folder."""
    (here / "broken.png").write_text("no picture")
    save(here, CLEAR, "clear.png")
    paths = [here / f"{name}.png" for name in ("photo", "broken", "clear")]
    return *paths, "-o", here / "out", "--method", "standard"


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_broken_image_does_not_stop_the_others_and_is_named_at_the_end(
    run, here, three_files, jobs
):
    code, out, err = run("compress", *three_files, "--jobs", jobs)
    assert code == 2
    written = [line.split(":")[0] for line in out.splitlines()]
    assert written == [f"{here}/out/photo.jpg", f"{here}/out/clear.jpg", "2 images"]
    assert err.splitlines() == [
        f"msroi: {here}/clear.png: JPEG has no transparency: the image is laid over white",
        f"msroi: {here}/broken.png: is not an image of a known format ({', '.join(FORMATS)})",
        "msroi: 1 of 3 images could not be compressed",
    ]


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_network_draws_the_map_of_each_image(run, here, checkpoint, jobs):
    files = here / "photo.png", here / "other.png", "-o", here / "out"
    code, _, err = run("compress", *files, "--model", checkpoint, "--jobs", jobs)
    assert (code, err) == (0, "")
    for name, pixels in {"photo": PHOTO, "other": PHOTO[::-1]}.items():
        expected = encode(pixels, saliency_map(pixels, load_model(checkpoint)))
        assert Path(f"out/{name}.jpg").read_bytes() == expected


@pytest.mark.parametrize(("stored", "says"), [(95, "saved"), (5, "more")])
def test_the_summary_tells_the_share_of_bytes(run, here, stored, says):
    source = save(here, Image.fromarray(PHOTO), "stored.jpg", quality=stored)
    _, out, _ = run("compress stored.jpg -o out.jpg --method standard")
    share = abs(Path("out.jpg").stat().st_size / source.stat().st_size - 1)
    assert out.splitlines()[-1].endswith(f"({share:.1%} {says})")


class Terminal(io.StringIO):
    """A stderr that is looked at."""

    def isatty(self):
        return True


@pytest.fixture
def run_looking(run, monkeypatch):
    """Run `msroi LINE` and give what a terminal shows meanwhile."""

    def run_looking(line, *more, patience=0):
        terminal = Terminal()
        monkeypatch.setattr(cli.batch, "SECONDS_BEFORE_STEPS", patience)
        monkeypatch.setattr(sys, "stderr", terminal)  # in the test: pytest sets it up to then
        run(line, *more)
        return terminal.getvalue()

    return run_looking


def test_a_terminal_shows_the_steps_of_an_image_that_lasts_and_of_no_quick_one(run_looking):
    line = "compress photo.png -o out.jpg --map map.png --force"
    shown = run_looking(line)
    assert "photo.png: step 1, reading" in shown
    assert "% of the budget" in shown and "writing" in shown
    assert run_looking(line, patience=1000).strip() == ""
    assert re.search(r"step \d+, SSIMULACRA2 \d", run_looking(f"{line} --ssimulacra2 40"))


def test_a_terminal_counts_many_images(run_looking, three_files):
    assert "0/3" in run_looking("compress", *three_files)


def test_a_single_pixel_has_a_map_and_a_jpeg(run, checkpoint):
    Image.new("RGB", (1, 1), "red").save("one.png")
    assert run("map one.png -o out.png --model", checkpoint)[0] == 0
    assert run("compress one.png -o out.jpg --map out.png")[0] == 0
    assert read_image("out.png").pixels.shape == read_image("out.jpg").pixels.shape == (1, 1, 3)


@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
def test_compress_keeps_orientation_profile_and_exif(run, here, orientation):
    kept = {"exif": exif_block(orientation), "icc_profile": srgb_profile()}
    seen = read_image(save(here, Image.fromarray(PHOTO), "a.jpg", quality=95, **kept)).pixels
    levels = np.zeros(seen.shape[:2], np.uint8)
    levels[: len(levels) // 2] = 255  # the half that the user sees above
    Path("map.png").write_bytes(png(levels))
    mosaic = "--method mosaic --levels 2 --q-low 5 --q-high 95 --max-bytes 9000"
    assert run(f"compress a.jpg -o out.jpg --map map.png {mosaic}")[0] == 0
    with Image.open("out.jpg") as image:
        assert image.size == (W, H)
        assert image.info["exif"] == kept["exif"]
        assert image.info["icc_profile"] == kept["icc_profile"]
    error = np.abs(read_image("out.jpg").pixels.astype(int) - seen)
    assert error[: len(seen) // 2].mean() < 0.7 * error[len(seen) // 2 :].mean()


def test_metadata_counts_in_the_budget(run, here):
    exif = Image.Exif()
    exif[0x010E] = "x" * 4000
    save(here, Image.fromarray(PHOTO), "a.jpg", exif=exif.tobytes())
    run("compress a.jpg -o out.jpg --map map.png --max-bytes 5500")
    assert 0.98 * 5500 < Path("out.jpg").stat().st_size <= 5500
    refused = run("compress a.jpg -o no.jpg --map map.png --max-bytes 4000")
    assert_refused(refused, "budget of 4000 bytes", "smallest reachable size is 4")


# --- map -------------------------------------------------------------------------------


def test_map_writes_a_grey_png_of_the_upright_size(run, here, checkpoint):
    save(here, Image.fromarray(PHOTO), "a.jpg", exif=exif_block(6))
    assert run("map a.jpg -o out.png --model", checkpoint) == (0, "", "")
    with Image.open("out.png") as image:
        assert (image.mode, image.size) == ("L", (H, W))


def test_map_overlay_is_the_map_on_the_photo(run, checkpoint):
    assert run("map photo.png -o out.png --overlay --model", checkpoint)[0] == 0
    expected = overlay(PHOTO, saliency_map(PHOTO, load_model(checkpoint)))
    np.testing.assert_array_equal(read_image("out.png").pixels, expected)


@pytest.mark.parametrize("head", HEADS)
def test_map_is_drawn_by_the_head_that_is_named(run, checkpoint, head):
    assert run(f"map photo.png -o out.png --head {head} --model", checkpoint) == (0, "", "")
    expected = saliency_map(PHOTO, load_model(checkpoint, head))
    with Image.open("out.png") as image:
        np.testing.assert_array_equal(np.asarray(image), np.rint(255 * expected))


# --- compare ---------------------------------------------------------------------------


def test_compare_prints_every_metric(run, here):
    save(here, Image.fromarray(PHOTO), "photo.jpg")
    code, out, err = run("compare photo.png photo.jpg --map map.png")
    assert (code, err) == (0, "")
    names = [line.split()[0] for line in out.splitlines()]
    luma = ["psnr", "psnr_s", "psnr_hvs", "psnr_hvsm", "ssim", "ms_ssim", "vifp"]
    assert names == [*luma, "ssimulacra2"]


def test_compare_tells_how_much_of_the_image_psnr_s_is_of(run):
    mask = np.zeros((H, W), np.uint8)
    mask[: H // 4] = 1  # however dark it is drawn
    Image.fromarray(mask).save("mask.png")
    share = H // 4 / H
    _, out, _ = run("compare photo.png photo.png --map mask.png")
    assert re.search(rf"^psnr_s +inf dB over {share:.0%} of the pixels$", out, re.MULTILINE)
    _, out, _ = run("compare photo.png photo.png --map mask.png --json")
    assert json.loads(out)["salient_share"] == pytest.approx(share)


def test_compare_prints_json_and_nothing_else(run):
    code, out, _ = run("compare photo.png photo.png --json")
    values = json.loads(out, parse_constant=pytest.fail)  # neither NaN nor Infinity
    assert code == 0
    assert "salient_share" not in values
    assert values["psnr"] == "inf" and values["ms_ssim"] is None and values["ssim"] == 1


# --- bad input -------------------------------------------------------------------------


def test_bad_images_are_refused_and_leave_nothing(run, here, writing):
    command, output, told = writing
    files = bad_files(here)
    before = tree(here)
    for name, words in files.items():
        assert_refused(run(f"{command} {name} -o {output} {told}"), name, words)
    assert tree(here) == before


@pytest.mark.parametrize(
    ("folder", "words"), [("photo.png", "not a folder"), ("missing", "does not exist")]
)
def test_an_output_that_cannot_be_written_is_refused(run, here, writing, folder, words):
    command, output, told = writing
    before = tree(here)
    assert_refused(run(f"{command} photo.png -o {folder}/{output} {told}"), words)
    assert tree(here) == before


def test_an_existing_file_is_overwritten_only_by_force(run):
    Path("out.jpg").write_bytes(b"mine")
    line = "compress photo.png -o out.jpg --method standard"
    assert_refused(run(line), "exists already", "--force")
    assert Path("out.jpg").read_bytes() == b"mine"
    assert run(line, "--force")[0] == 0
    assert read_image("out.jpg").pixels.shape == (H, W, 3)


def test_an_input_is_never_written_to_even_by_force(run, here, checkpoint):
    jpeg = save(here, Image.fromarray(PHOTO), "a.jpg")
    (here / "link.jpg").symlink_to(jpeg)
    before = tree(here)
    for out in ("a.jpg", "link.jpg", "."):
        assert_refused(run(f"compress a.jpg -o {out} --method standard --force"), "is an input")
    assert_refused(run("map photo.png -o photo.png --force --model", checkpoint), "is an input")
    assert tree(here) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("photo.png", "--output"),
        ("photo.png -o out.png", ".jpg"),
        ("photo.png -o out.jpg --method jpeg2000", "mosaic"),
        ("photo.png -o out.jpg --quality 0", "--quality"),
        ("photo.png -o out.jpg --max-bytes 0", "--max-bytes"),
        (
            "photo.png -o out.jpg --size 120kk",
            "'120kk' is no size in bytes: write it as 98765, 120k",
        ),
        ("photo.png -o out.jpg --max-bytes 9 --quality 9", "--quality and --size are ways to say"),
        ("photo.png -o out.jpg --size 9k --ssimulacra2 50", "--size and --ssimulacra2 are ways"),
        ("photo.png -o out.jpg --quality 9 --ssimulacra2 50", "give one"),
        ("photo.png -o out.jpg --ssimulacra2 0", "above 0 and below 100, not 0"),
        ("photo.png -o out.jpg --ssimulacra2 nan", "above 0 and below 100, not nan"),
        ("photo.png -o out.jpg --ssimulacra2 high", "--ssimulacra2"),
        (
            "photo.png -o out.jpg --ssimulacra2 99.5 --method standard",
            "photo.png: an SSIMULACRA2 score of 99.5 cannot be reached: the finest file scores",
        ),
        ("photo.png -o out.jpg --strength -1", "--strength"),
        ("photo.png -o out.jpg --tune ssim", "balanced"),
        ("photo.png -o out.jpg --subsampling 4:1:1", "4:2:2"),
        ("photo.png -o out.jpg --method direct --levels 3", "--method direct has no --levels"),
        ("photo.png -o out.jpg --method standard --map map.png", "no --map"),
        ("photo.png -o out.jpg --method standard --q-low 9", "no --q-low"),
        ("photo.png -o out.jpg --method mosaic --tune hvs", "--method mosaic has no --tune"),
        ("photo.png -o out.jpg --method mosaic --baseline", "--method mosaic has no --baseline"),
        ("photo.png -o out.jpg --map map.png --method mosaic --q-low 80", "q_low"),
        ("photo.png -o out.jpg --map map.png --max-bytes 10", "smallest reachable size is"),
        ("photo.png map.png -o out.jpg", "existing folder"),
        ("photo.png photo.png -o out", "two of the images"),
        ("photo.png map.png -o out --map map.png", "one image"),
    ],
)
def test_bad_usage_of_compress_is_refused(run, here, arguments, words):
    before = tree(here)
    assert_refused(run(f"compress {arguments}"), words)
    assert tree(here) == before


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("map photo.png -o out.png --model no.onnx", ["no.onnx", "is no file"]),
        ("compare photo.png small.png", [f"{W - 1}×{H}", f"{W}×{H}"]),
        (
            "compress photo.png -o out.jpg --map small.png",
            ["small.png", f"{W - 1}×{H}", f"{W}×{H}"],
        ),
        ("compress long.png -o out.jpg --method standard", ["65500", "70000×1"]),
        (
            "compress thin.png -o out.jpg --method standard --ssimulacra2 50",
            ["thin.png: an image of 40×7 pixels has no SSIMULACRA2 score", "sides of 8 or more"],
        ),
    ],
)
def test_files_that_are_not_there_or_do_not_fit_are_refused(run, here, line, words):
    save(here, Image.new("L", (W - 1, H)), "small.png")
    save(here, Image.new("L", (70_000, 1)), "long.png")
    save(here, Image.new("L", (40, 7)), "thin.png")
    before = tree(here)
    assert_refused(run(line), *words)
    assert tree(here) == before


def test_a_bug_shows_its_traceback(monkeypatch, run):
    monkeypatch.setattr(cli.images, "metadata_segments", lambda picture: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run("compress photo.png -o out.jpg --method standard")
    assert not Path("out.jpg").exists()


# --- the whole program -----------------------------------------------------------------


def test_no_arguments_list_the_commands_and_their_help_teaches_with_examples(run):
    code, listed, _ = run("")
    assert code == 0
    for command in ("map", "compress", "compare"):
        assert command in listed
        code, out, err = run(command, "--help")
        assert (code, err) == (0, "")
        assert f"\n    msroi {command} photo." in out


def test_the_version_is_that_of_the_package(run):
    assert run("--version") == (0, f"msroi {metadata.version('msroi')}\n", "")


def test_the_installed_command_runs_without_onnxruntime_where_no_network_is_needed(here):
    for name in ("torch", "onnx", "onnxruntime"):
        (here / f"{name}.py").write_text(f"raise SystemExit('{name} was imported')")
    code = "import sys; sys.path.insert(0, '.'); from msroi.cli import main; main()"
    line = "compress photo.png -o out.jpg --method standard"
    command = [sys.executable, "-W", "error", "-c", code, *line.split()]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert read_image("out.jpg").pixels.shape == (H, W, 3)
