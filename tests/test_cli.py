"""The command line: what it writes, what it says, and what it refuses."""

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pictures import bad_files, exif_block, save
from PIL import Image, ImageCms

from msroi import cli
from msroi.encoder import encode, standard
from msroi.images import FORMATS, overlay, png, read_image

H, W = 48, 80


@pytest.fixture
def run(monkeypatch, capfd):
    """Run `msroi ARGUMENTS` in this process: (exit code, stdout, stderr)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["msroi", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        return exit_.value.code, *capfd.readouterr()

    return run


@pytest.fixture
def photo():
    y, x = np.mgrid[:H, :W]
    noise = np.random.default_rng(1).integers(0, 40, (H, W, 3))
    return (np.stack([x * 2, y * 4, x + y], axis=2) + noise).astype(np.uint8)


@pytest.fixture
def photo_file(tmp_path, photo):
    return save(tmp_path, Image.fromarray(photo), "photo.png")


@pytest.fixture
def drawn():
    """A map whose right half is salient."""
    saliency = np.zeros((H, W), np.float32)
    saliency[:, W // 2 :] = 1
    return saliency


@pytest.fixture
def map_file(tmp_path, drawn):
    (tmp_path / "map.png").write_bytes(png((255 * drawn).astype(np.uint8)))
    return tmp_path / "map.png"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A small network as it is before training."""
    import torch

    from msroi.model import Architecture, Network, save_checkpoint

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("models") / "small.safetensors"
    save_checkpoint(Network(Architecture(classes=("cat", "dog"), widths=(4,) * 5)), path, {})
    return path


def tree(folder: Path) -> dict[Path, bytes | None]:
    """All that is in a folder, to see that nothing was touched."""
    return {p: p.read_bytes() if p.is_file() else None for p in folder.rglob("*")}


@pytest.fixture(params=["map", "compress"])
def writing(request, tmp_path, map_file, checkpoint):
    """A command that writes a file, what it is told of a map, and the name of its output."""
    options = {"map": ["--model", checkpoint], "compress": ["--map", map_file]}[request.param]
    return request.param, options, {"map": "out.png", "compress": "out.jpg"}[request.param]


def assert_refused(result, *words):
    """Exit code 2, nothing on stdout, one line on stderr with these words."""
    code, out, err = result
    assert (code, out) == (2, "")
    assert err.count("\n") == 1 and err.endswith("\n"), err
    assert err.startswith("msroi: ")
    for word in words:
        assert str(word) in err


# --- compress --------------------------------------------------------------------------


def test_compress_standard_is_the_plain_jpeg_of_that_quality(run, tmp_path, photo, photo_file):
    out = tmp_path / "out.jpg"
    assert run("compress", photo_file, "-o", out, "--method", "standard", "--quality", 30)[0] == 0
    assert out.read_bytes() == standard.write(photo, 30)


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ("", {}),
        ("--strength 1.5", {"strength": 1.5}),
        ("--tune hvs", {"tune": "hvs"}),
        ("--tune psnr --quality 80", {"tune": "psnr", "quality": 80}),
        ("--subsampling 4:4:4", {"subsampling": "4:4:4"}),
        ("--baseline --max-bytes 3000", {"progressive": False, "max_bytes": 3000}),
        (
            "--method mosaic --levels 2 --q-low 10 --q-high 90 --quality 70",
            {"method": "mosaic", "levels": 2, "q_low": 10, "q_high": 90, "quality": 70},
        ),
    ],
)
def test_compress_writes_what_encode_gives(
    run, tmp_path, photo, photo_file, map_file, drawn, arguments, options
):
    jpeg = tmp_path / "out.jpg"
    code, out, err = run("compress", photo_file, "-o", jpeg, "--map", map_file, *arguments.split())
    assert (code, err) == (0, "")
    expected = encode(photo, drawn, **options)
    assert jpeg.read_bytes() == expected
    assert f"{len(expected):,} bytes, quality" in out


def test_a_map_that_is_too_faint_to_matter_is_told(run, tmp_path, photo_file):
    with Image.open(photo_file) as photo:
        Image.new("L", photo.size, 120).save(tmp_path / "faint.png")
    code, _, said = run(
        "compress", photo_file, "-o", tmp_path / "out.jpg", "--map", tmp_path / "faint.png"
    )
    assert code == 0
    assert "faint.png is nowhere above half grey" in said


def test_a_jpeg_as_input_says_once_what_that_means(run, tmp_path, photo, map_file):
    Image.fromarray(photo).save(tmp_path / "photo.jpg", quality=95)
    arguments = [tmp_path / "photo.jpg", "-o", tmp_path / "out.jpg", "--map", map_file]
    code, _, err = run("compress", *arguments)
    assert code == 0
    assert (
        err == "msroi: a JPEG is encoded anew from its pixels: what it has lost is not won back\n"
    )


def test_compress_puts_several_images_in_a_folder_and_sums_up(run, tmp_path, photo, photo_file):
    other = save(tmp_path, Image.fromarray(photo[::-1]), "other.png")
    (tmp_path / "out").mkdir()
    code, out, err = run(
        "compress", photo_file, other, "-o", tmp_path / "out", "--method", "standard"
    )
    assert (code, err) == (0, "")
    written = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in written] == ["other.jpg", "photo.jpg"]
    after = sum(path.stat().st_size for path in written)
    before = photo_file.stat().st_size + other.stat().st_size
    assert out.splitlines()[-1].startswith(f"2 images: {before:,} bytes -> {after:,} bytes")


@pytest.fixture
def three_files(tmp_path, photo, photo_file):
    """A photo, a file that is none, and a photo with transparency."""
    (tmp_path / "broken.png").write_text("no picture")
    clear = Image.fromarray(photo[::-1])
    clear.putalpha(100)
    return [photo_file, tmp_path / "broken.png", save(tmp_path, clear, "clear.png")]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_broken_image_does_not_stop_the_others_and_is_named_at_the_end(
    run, tmp_path, three_files, jobs
):
    (tmp_path / "out").mkdir()
    code, out, err = run(
        "compress", *three_files, "-o", tmp_path / "out", "--method", "standard", "--jobs", jobs
    )
    assert code == 2
    written = [line.split(":")[0] for line in out.splitlines()]
    assert written == [f"{tmp_path}/out/photo.jpg", f"{tmp_path}/out/clear.jpg", "2 images"]
    assert err.splitlines() == [
        f"msroi: {three_files[2]}: JPEG has no transparency: the image is laid over white",
        f"msroi: {three_files[1]}: is not an image of a known format ({', '.join(FORMATS)})",
        "msroi: 1 of 3 images could not be compressed",
    ]


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_network_draws_the_map_of_each_image(
    run, tmp_path, photo, photo_file, checkpoint, jobs
):
    from msroi import load_model, saliency_map

    other = save(tmp_path, Image.fromarray(photo[::-1]), "other.png")
    (tmp_path / "out").mkdir()
    options = ["-o", tmp_path / "out", "--model", checkpoint, "--jobs", jobs]
    code, _, err = run("compress", photo_file, other, *options)
    assert (code, err) == (0, "")
    for name, pixels in {"photo": photo, "other": photo[::-1]}.items():
        expected = encode(pixels, saliency_map(pixels, load_model(checkpoint)))
        assert (tmp_path / "out" / f"{name}.jpg").read_bytes() == expected


@pytest.mark.parametrize(("stored", "says"), [(95, "saved"), (5, "more")])
def test_the_summary_tells_the_share_of_bytes(run, tmp_path, photo, stored, says):
    source = save(tmp_path, Image.fromarray(photo), "stored.jpg", quality=stored)
    _, out, _ = run("compress", source, "-o", tmp_path / "out.jpg", "--method", "standard")
    share = abs((tmp_path / "out.jpg").stat().st_size / source.stat().st_size - 1)
    assert out.splitlines()[-1].endswith(f"({share:.1%} {says})")


class Terminal(io.StringIO):
    """A stderr that is looked at."""

    def isatty(self):
        return True


@pytest.fixture
def run_looking(run, monkeypatch):
    """Run `msroi ARGUMENTS` and give what a terminal shows meanwhile."""

    def run_looking(*arguments, patience=0):
        terminal = Terminal()
        monkeypatch.setattr(cli.batch, "SECONDS_BEFORE_STEPS", patience)
        monkeypatch.setattr(sys, "stderr", terminal)  # in the test: pytest sets it up to then
        run(*arguments)
        return terminal.getvalue()

    return run_looking


def test_a_terminal_shows_the_steps_of_an_image_that_lasts(
    run_looking, tmp_path, photo_file, map_file
):
    shown = run_looking("compress", photo_file, "-o", tmp_path / "out.jpg", "--map", map_file)
    assert f"{photo_file}: step 1, reading" in shown
    assert "% of the budget" in shown and "writing" in shown


def test_a_terminal_counts_many_images(run_looking, tmp_path, three_files):
    (tmp_path / "out").mkdir()
    shown = run_looking("compress", *three_files, "-o", tmp_path / "out", "--method", "standard")
    assert "0/3" in shown


def test_a_quick_image_shows_no_steps(run_looking, tmp_path, photo_file):
    arguments = ["compress", photo_file, "-o", tmp_path / "out.jpg", "--method", "standard"]
    assert run_looking(*arguments, patience=1000).strip() == ""


def test_a_single_pixel_has_a_map_and_a_jpeg(run, tmp_path, checkpoint):
    one = save(tmp_path, Image.new("RGB", (1, 1), "red"), "one.png")
    map_, jpeg = tmp_path / "map.png", tmp_path / "out.jpg"
    assert run("map", one, "-o", map_, "--model", checkpoint)[0] == 0
    assert run("compress", one, "-o", jpeg, "--map", map_)[0] == 0
    assert read_image(map_).pixels.shape == read_image(jpeg).pixels.shape == (1, 1, 3)


@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
def test_compress_keeps_orientation_profile_and_exif(run, tmp_path, photo, map_file, orientation):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    kept = {"exif": exif_block(orientation), "icc_profile": profile}
    source = save(tmp_path, Image.fromarray(photo), "photo.jpg", quality=95, **kept)
    seen = read_image(source).pixels
    levels = np.zeros(seen.shape[:2], np.uint8)
    levels[: len(levels) // 2] = 255  # the half that the user sees above
    map_file.write_bytes(png(levels))
    out = tmp_path / "out.jpg"
    options = ["--method", "mosaic", "--levels", 2, "--q-low", 5, "--q-high", 95]
    budget = ["--max-bytes", 9000]
    assert run("compress", source, "-o", out, "--map", map_file, *options, *budget)[0] == 0
    with Image.open(out) as image:
        assert image.size == (W, H)
        assert image.info["exif"] == kept["exif"] and image.info["icc_profile"] == profile
    error = np.abs(read_image(out).pixels.astype(int) - seen)
    assert error[: len(seen) // 2].mean() < 0.7 * error[len(seen) // 2 :].mean()


def test_metadata_counts_in_the_budget(run, tmp_path, photo, map_file):
    exif = Image.Exif()
    exif[0x010E] = "x" * 4000
    source = save(tmp_path, Image.fromarray(photo), "photo.jpg", exif=exif.tobytes())
    out = tmp_path / "out.jpg"
    run("compress", source, "-o", out, "--map", map_file, "--max-bytes", 5500)
    assert 0.98 * 5500 < out.stat().st_size <= 5500
    assert_refused(
        run("compress", source, "-o", tmp_path / "no.jpg", "--map", map_file, "--max-bytes", 4000),
        "budget of 4000 bytes",
        "smallest reachable size is 4",
    )


def test_alpha_is_told_on_one_line_of_stderr(run, tmp_path, photo):
    rgba = Image.fromarray(photo)
    rgba.putalpha(100)
    source = save(tmp_path, rgba, "clear.png")
    code, _, err = run("compress", source, "-o", tmp_path / "out.jpg", "--method", "standard")
    assert code == 0
    assert err == f"msroi: {source}: JPEG has no transparency: the image is laid over white\n"


# --- map -------------------------------------------------------------------------------


def test_map_writes_a_grey_png_of_the_upright_size(run, tmp_path, photo, checkpoint):
    source = save(tmp_path, Image.fromarray(photo), "photo.jpg", exif=exif_block(6))
    code, out, err = run("map", source, "-o", tmp_path / "out.png", "--model", checkpoint)
    assert (code, out, err) == (0, "", "")
    with Image.open(tmp_path / "out.png") as image:
        assert (image.mode, image.size) == ("L", (H, W))


def test_map_overlay_is_the_map_on_the_photo(run, tmp_path, photo, photo_file, checkpoint):
    from msroi import load_model, saliency_map

    out = tmp_path / "out.png"
    assert run("map", photo_file, "-o", out, "--model", checkpoint, "--overlay")[0] == 0
    expected = overlay(photo, saliency_map(photo, load_model(checkpoint)))
    np.testing.assert_array_equal(read_image(out).pixels, expected)


def test_a_missing_checkpoint_is_refused(run, tmp_path, photo_file):
    out = tmp_path / "out.png"
    missing = tmp_path / "no.safetensors"
    assert_refused(run("map", photo_file, "-o", out, "--model", missing), missing)
    assert not out.exists()


# --- compare ---------------------------------------------------------------------------


def test_compare_prints_every_metric(run, tmp_path, photo, photo_file, map_file):
    jpeg = save(tmp_path, Image.fromarray(photo), "photo.jpg")
    code, out, err = run("compare", photo_file, jpeg, "--map", map_file)
    assert (code, err) == (0, "")
    names = [line.split()[0] for line in out.splitlines()]
    assert names == ["psnr", "psnr_s", "psnr_hvs", "psnr_hvsm", "ssim", "ms_ssim", "vifp"]


def test_compare_prints_json_and_nothing_else(run, photo_file):
    code, out, _ = run("compare", photo_file, photo_file, "--json")
    values = json.loads(out, parse_constant=pytest.fail)  # neither NaN nor Infinity
    assert code == 0
    assert values["psnr"] == "inf" and values["ms_ssim"] is None and values["ssim"] == 1


def test_compare_of_two_sizes_is_refused(run, tmp_path, photo_file):
    other = save(tmp_path, Image.new("RGB", (9, 9)), "other.png")
    assert_refused(run("compare", photo_file, other), "9×9", f"{W}×{H}")


# --- bad input -------------------------------------------------------------------------

BAD = ["missing.png", "folder", "text.jpg", "empty.png", "truncated.png", "truncated.jpg"]
BAD += ["bomb.png", "big_bomb.png", "postscript.png"]


def test_bad_images_are_refused_and_leave_nothing(run, tmp_path, writing):
    command, options, output = writing
    files = bad_files(tmp_path)
    assert sorted(files) == sorted(BAD)
    before = tree(tmp_path)
    for name, words in files.items():
        result = run(command, tmp_path / name, "-o", tmp_path / output, *options)
        assert_refused(result, name, words)
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("folder", "words"), [("photo.png", "not a folder"), ("missing", "does not exist")]
)
def test_an_output_that_cannot_be_written_is_refused(
    run, tmp_path, photo_file, writing, folder, words
):
    command, options, output = writing
    before = tree(tmp_path)
    assert_refused(run(command, photo_file, "-o", tmp_path / folder / output, *options), words)
    assert tree(tmp_path) == before


def test_a_map_of_another_size_is_refused(run, tmp_path, photo_file):
    small = save(tmp_path, Image.new("L", (W - 1, H)), "small.png")
    before = tree(tmp_path)
    result = run("compress", photo_file, "-o", tmp_path / "out.jpg", "--map", small)
    assert_refused(result, "small.png", f"{W - 1}×{H}", f"{W}×{H}")
    assert tree(tmp_path) == before


def test_an_existing_file_is_overwritten_only_by_force(run, tmp_path, photo_file):
    out = tmp_path / "out.jpg"
    out.write_bytes(b"mine")
    command = ["compress", photo_file, "-o", out, "--method", "standard"]
    assert_refused(run(*command), "exists already", "--force")
    assert out.read_bytes() == b"mine"
    assert run(*command, "--force")[0] == 0
    assert read_image(out).pixels.shape == (H, W, 3)


def test_an_input_is_never_written_to_even_by_force(run, tmp_path, photo, checkpoint):
    jpeg = save(tmp_path, Image.fromarray(photo), "a.jpg")
    png_file = save(tmp_path, Image.fromarray(photo), "b.png")
    (tmp_path / "link.jpg").symlink_to(jpeg)
    before = tree(tmp_path)
    standard_ = ["--method", "standard", "--force"]
    for out in ("a.jpg", "link.jpg", "."):
        assert_refused(run("compress", jpeg, "-o", tmp_path / out, *standard_), "is an input")
    options = ["--model", checkpoint, "--force"]
    assert_refused(run("map", png_file, "-o", png_file, *options), "is an input")
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("photo.png", "--output"),
        ("photo.png -o out.png", ".jpg"),
        ("photo.png -o out.jpg --method jpeg2000", "mosaic"),
        ("photo.png -o out.jpg --quality 0", "--quality"),
        ("photo.png -o out.jpg --max-bytes 0", "--max-bytes"),
        ("photo.png -o out.jpg --max-bytes 9 --quality 9", "give one"),
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
        ("photo.png photo.png -o folder", "two of the images"),
        ("photo.png map.png -o folder --map map.png", "one image"),
    ],
)
def test_bad_usage_of_compress_is_refused(
    run, tmp_path, monkeypatch, photo_file, map_file, arguments, words
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    before = tree(tmp_path)
    assert_refused(run("compress", *arguments.split()), words)
    assert tree(tmp_path) == before


def test_an_image_too_long_for_jpeg_is_refused(run, tmp_path):
    long = save(tmp_path, Image.new("L", (70_000, 1)), "long.png")
    out = tmp_path / "out.jpg"
    assert_refused(run("compress", long, "-o", out, "--method", "standard"), "65500", "70000×1")
    assert not out.exists()


def test_a_bug_shows_its_traceback(monkeypatch, run, tmp_path, photo_file):
    monkeypatch.setattr(cli.images, "metadata_segments", lambda picture: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run("compress", photo_file, "-o", tmp_path / "out.jpg", "--method", "standard")
    assert not (tmp_path / "out.jpg").exists()


# --- the whole program -----------------------------------------------------------------


@pytest.mark.parametrize("command", ["map", "compress", "compare"])
def test_help_teaches_with_examples(run, command):
    code, out, err = run(command, "--help")
    assert (code, err) == (0, "")
    assert f"\n    msroi {command} photo." in out


def test_no_arguments_list_the_commands(run):
    code, out, _ = run()
    assert code == 0
    assert all(command in out for command in ("map", "compress", "compare"))


def test_the_installed_command_runs_without_torch_where_no_network_is_needed(tmp_path, photo_file):
    (tmp_path / "torch.py").write_text("raise SystemExit('torch was imported')")
    arguments = ["compress", photo_file, "-o", "out.jpg", "--method", "standard"]
    code = "import sys; sys.path.insert(0, '.'); from msroi.cli import main; main()"
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert read_image(tmp_path / "out.jpg").pixels.shape == (H, W, 3)
