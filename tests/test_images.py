"""Reading users' images, keeping their metadata, writing files."""

import io
import os
import struct
import subprocess
import sys
import warnings

import numpy as np
import pytest
from commands import ENVIRONMENT
from pictures import ORIENTATION, bad_files, exif_block, png_file, save, srgb_profile
from PIL import Image

from msroi import images
from msroi.encoder import encode
from msroi.files import OutputError, write_atomically
from msroi.images import ImageError, read_image, read_map


@pytest.fixture
def rgb():
    """No symmetry, smooth enough for JPEG: uint8 [24, 40, 3]."""
    y, x = np.mgrid[:24, :40]
    return np.stack([x * 6, y * 10, 255 - x * 3 - y * 4], axis=2).astype(np.uint8)


@pytest.mark.parametrize("mode", ["RGB", "1", "L", "P", "RGBA"])
def test_rgb_is_read_as_it_is_and_grey_palette_and_opaque_alpha_become_rgb(tmp_path, rgb, mode):
    image = Image.fromarray(rgb).convert(mode)
    picture = read_image(save(tmp_path, image))
    assert picture.pixels.shape == rgb.shape and picture.pixels.dtype == np.uint8
    np.testing.assert_array_equal(picture.pixels, np.array(image.convert("RGB")))
    assert (picture.icc_profile, picture.exif, picture.orientation) == (b"", b"", 1)
    assert picture.pixels.flags.writeable  # torch warns of arrays that are not


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_laid_over_white_with_a_warning(tmp_path, mode):
    image = Image.new(mode, (3, 1), 0)
    image.putalpha(Image.frombytes("L", (3, 1), bytes([0, 51, 255])))
    with pytest.warns(UserWarning, match="over white"):
        pixels = read_image(save(tmp_path, image)).pixels
    assert pixels[0, :, 0].tolist() == pixels[0, :, 2].tolist() == [255, 204, 0]


def test_a_palette_with_a_transparent_entry_is_laid_over_white(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putdata([0, 1])
    with pytest.warns(UserWarning, match="over white"):
        pixels = read_image(save(tmp_path, image, transparency=0)).pixels
    assert pixels.tolist() == [[[255, 255, 255], [40, 50, 60]]]


@pytest.mark.parametrize("name", ["grey.png", "grey.tif", "grey.pgm"])
def test_sixteen_bit_grey_is_scaled_not_clipped(tmp_path, name):
    image = Image.fromarray(np.array([[0, 257, 128 * 257, 65535]], np.uint16))
    pixels = read_image(save(tmp_path, image, name)).pixels
    assert pixels[..., 1].tolist() == [[0, 1, 128, 255]]


@pytest.mark.parametrize("color_type", [2, 6])
def test_sixteen_bit_colour_is_scaled_not_clipped(tmp_path, color_type):
    samples = [0, 128 * 257, 65535] + [65535] * (color_type == 6)
    path = tmp_path / "deep.png"
    path.write_bytes(png_file(color_type, 16, [struct.pack(f">{len(samples)}H", *samples)]))
    assert read_image(path).pixels.tolist() == [[[0, 128, 255]]]


def test_the_transparent_colour_of_sixteen_bit_grey_is_laid_over_white(tmp_path):
    path = tmp_path / "deep.png"
    rows = [struct.pack(">3H", 257, 258, 514)]  # two of them are equal in 8 bits
    path.write_bytes(png_file(0, 16, rows, [(b"tRNS", struct.pack(">H", 257))]))
    with pytest.warns(UserWarning, match="over white"):
        pixels = read_image(path).pixels
    assert pixels[..., 0].tolist() == pixels[..., 2].tolist() == [[255, 1, 2]]


def test_the_transparent_colour_of_sixteen_bit_colour_is_laid_over_white(tmp_path):
    path = tmp_path / "deep.png"
    rows = [struct.pack(">6H", *[0] * 3, *[0xFF00] * 3)]
    path.write_bytes(png_file(2, 16, rows, [(b"tRNS", struct.pack(">3H", *[0xFF00] * 3))]))
    with pytest.warns(UserWarning, match="over white"):
        assert read_image(path).pixels[..., 0].tolist() == [[0, 255]]


@pytest.mark.parametrize("name", ["exif", "icc_profile", "transparency"])
@pytest.mark.parametrize("kind", [b"tEXt", b"iTXt"])
def test_a_text_in_a_png_that_is_named_as_a_block_is_a_text(tmp_path, name, kind):
    path = tmp_path / "text.png"
    text = name.encode() + b"\0" + (b"\0" * 4 if kind == b"iTXt" else b"") + b"of no account"
    path.write_bytes(png_file(2, 8, [bytes(range(9))], [(kind, text)]))
    picture = read_image(path)
    assert picture.pixels.tolist() == [[[0, 1, 2], [3, 4, 5], [6, 7, 8]]]
    assert (picture.exif, picture.icc_profile) == (b"", b"")


@pytest.fixture
def fax(tmp_path):
    """A TIFF whose strip is damaged, and which libtiff reads in part."""
    bits = np.random.default_rng(0).integers(0, 2, (64, 64), dtype=np.uint8)
    path = save(tmp_path, Image.fromarray(255 * bits).convert("1"), "a.tif", compression="group4")
    with Image.open(path) as image:
        start, length = image.tag_v2[273][0], image.tag_v2[279][0]
    data = bytearray(path.read_bytes())
    data[start + length // 3 : start + length // 3 + 20] = bytes(range(100, 120))
    path.write_bytes(data)
    return path


def test_what_libtiff_says_by_itself_is_a_warning_and_not_on_stderr(fax, capfd):
    with pytest.warns(UserWarning, match=r"damaged in part, as libtiff says \(Fax4Decode: "):
        assert read_image(fax).pixels.shape == (64, 64, 3)
    os.write(2, b"after")
    assert capfd.readouterr() == ("", "after")


def test_a_tiff_is_read_where_there_is_no_stderr(fax):
    code = "import sys, msroi.images; print(msroi.images.read_image(sys.argv[1]).pixels.shape)"
    line = f"'{sys.executable}' -c '{code}' '{fax}' 2>&-"
    done = subprocess.run(["sh", "-c", line], env=ENVIRONMENT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "(64, 64, 3)\n")


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (Image.new("F", (4, 4), 0.5), "floating-point"),
        (Image.fromarray(np.array([[0, 70000]], np.int32)), "16 bits"),
    ],
)
def test_pixels_without_a_known_range_are_refused(tmp_path, image, words):
    with pytest.raises(ImageError, match=words):
        read_image(save(tmp_path, image, "image.tif"))


@pytest.mark.parametrize("name", ["cmyk.jpg", "cmyk.tif"])
def test_cmyk_becomes_rgb(tmp_path, name):
    white_and_cyan = Image.fromarray(np.array([[[0, 0, 0, 0]] * 8, [[255, 0, 0, 0]] * 8], np.uint8))
    image = Image.fromarray(np.array(white_and_cyan).repeat(8, axis=0), "CMYK")
    pixels = read_image(save(tmp_path, image, name)).pixels.astype(int)
    assert abs(pixels[2, 4] - [255, 255, 255]).max() < 12
    assert abs(pixels[13, 4] - [0, 255, 255]).max() < 12


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "CMYK", "P"])
def test_a_single_pixel_is_an_image(tmp_path, mode):
    name = "one.tif" if mode == "CMYK" else "one.png"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        assert read_image(save(tmp_path, Image.new(mode, (1, 1)), name)).pixels.shape == (1, 1, 3)


@pytest.mark.parametrize("name", ["photo.jpg", "photo.png", "photo.webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_output_looks_the_same_and_has_the_stored_size_and_tag(tmp_path, rgb, name, orientation):
    path = save(tmp_path, Image.fromarray(rgb), name, exif=exif_block(orientation))
    picture = read_image(path)
    with Image.open(path) as source:
        assert picture.pixels.shape[:2] == (rgb.shape[:2] if orientation < 5 else rgb.shape[1::-1])
        stored = images.turn_back(picture.pixels, picture.orientation)
        np.testing.assert_array_equal(stored, np.array(source.convert("RGB")))
    data = encode(stored, method="standard", quality=95)
    path.with_suffix(".out").write_bytes(
        images.insert_segments(data, images.metadata_segments(picture))
    )
    result = read_image(path.with_suffix(".out"))
    assert result.orientation == orientation and result.exif == picture.exif
    assert np.abs(result.pixels.astype(int) - picture.pixels).mean() < 4


def test_a_tiff_is_upright_and_written_without_a_tag(tmp_path, rgb):
    path = save(tmp_path, Image.fromarray(rgb), "photo.tif", tiffinfo={ORIENTATION: 6})
    picture = read_image(path)
    np.testing.assert_array_equal(picture.pixels, images.turn_upright(rgb, 6))
    assert picture.orientation == 1


def test_an_orientation_that_exif_does_not_define_is_upright(tmp_path, rgb):
    path = save(tmp_path, Image.fromarray(rgb), exif=exif_block(9))
    np.testing.assert_array_equal(read_image(path).pixels, rgb)


def test_a_damaged_exif_block_is_left_out(tmp_path, rgb):
    path = save(tmp_path, Image.fromarray(rgb), "photo.jpg", exif=exif_block(6))
    path.write_bytes(path.read_bytes().replace(b"Exif\0\0MM\0*", b"Exif\0\0MMxx"))
    with pytest.warns(UserWarning, match="EXIF block is left out"):
        picture = read_image(path)
    assert (picture.exif, picture.orientation) == (b"", 1)
    assert picture.pixels.shape == rgb.shape


def test_exif_too_long_for_a_jpeg_is_left_out_and_its_orientation_applied(tmp_path, rgb):
    exif = Image.Exif()
    exif[ORIENTATION], exif[0x010E] = 6, "x" * 70_000
    path = save(tmp_path, Image.fromarray(rgb), exif=exif.tobytes())
    with pytest.warns(UserWarning, match="64 KB"):
        picture = read_image(path)
    assert (picture.exif, picture.orientation) == (b"", 1)
    np.testing.assert_array_equal(picture.pixels, images.turn_upright(rgb, 6))


CMYK_PROFILE = srgb_profile()[:16] + b"CMYK" + srgb_profile()[20:]  # as its header claims


@pytest.mark.parametrize("padding", [0, 70_000])
def test_an_rgb_profile_is_kept_whatever_its_length(tmp_path, rgb, padding):
    profile = srgb_profile() + bytes(padding)  # over 64 KB it takes two segments
    path = save(tmp_path, Image.fromarray(rgb), icc_profile=profile)
    picture = read_image(path)
    data = images.insert_segments(encode(rgb), images.metadata_segments(picture))
    with Image.open(io.BytesIO(data)) as image:
        assert image.info["icc_profile"] == profile
        image.load()


def test_an_rgb_profile_that_fits_no_jpeg_is_applied(tmp_path, rgb):
    largest = srgb_profile().ljust(255 * 65_519, b"\0")
    path = save(tmp_path, Image.fromarray(rgb), "a.tif", icc_profile=largest)
    picture = read_image(path)
    with Image.open(io.BytesIO(images.insert_segments(encode(rgb), metadata(picture)))) as image:
        assert image.info["icc_profile"] == largest
    path = save(tmp_path, Image.fromarray(rgb), "b.tif", icc_profile=largest + b"\0")
    with pytest.warns(UserWarning, match="fits no JPEG: it is applied"):
        picture = read_image(path)
    assert metadata(picture) == b""
    assert np.abs(picture.pixels.astype(int) - rgb).max() <= 1


def gamma_profile():
    """SRGB's primaries with a linear curve: other greys than sRGB's."""
    profile = srgb_profile()
    count = int.from_bytes(profile[128:132], "big")
    for entry in range(132, 132 + 12 * count, 12):
        name, start, _ = struct.unpack(">4sII", profile[entry : entry + 12])
        if name in (b"rTRC", b"gTRC", b"bTRC"):
            linear = b"curv\0\0\0\0" + struct.pack(">I", 0)
            profile = profile[:start] + linear + profile[start + 12 :]
    return profile


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_grey_pixels_under_an_rgb_profile_become_srgb_and_stay_grey(tmp_path, mode):
    ramp = np.tile(np.arange(256, dtype=np.uint8), (16, 1))
    grey = Image.fromarray(ramp).convert(mode)
    picture = read_image(save(tmp_path, grey, "s.png", icc_profile=srgb_profile()))
    np.testing.assert_array_equal(picture.pixels, np.stack([ramp] * 3, -1))
    picture = read_image(save(tmp_path, grey, "g.png", icc_profile=gamma_profile()))
    linear = ramp / 255  # IEC 61966-2-1
    curve = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(picture.pixels - 255 * curve[..., None]).max() <= 1
    data = images.insert_segments(encode(picture.pixels), metadata(picture))
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == "L" and "icc_profile" not in image.info


def metadata(picture):
    return images.metadata_segments(picture)


def grey_profile():
    """A minimal ICC grey profile with gamma 1: D50 white and a linear curve."""
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in (0.9642, 1, 0.8249)))
    curve = b"curv\0\0\0\0" + struct.pack(">I", 0)
    tags = [(b"wtpt", white), (b"kTRC", curve)]
    start = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags:
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data
    size = start + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"lcms", 0x02100000, b"mntr", b"GRAY", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + white[8:] + bytes(48)
    return head + table + body


def test_a_grey_profile_is_applied_and_not_attached(tmp_path):
    path = save(tmp_path, Image.new("L", (4, 4), 55), icc_profile=grey_profile())
    picture = read_image(path)
    assert picture.icc_profile == b""
    linear = 55 / 255  # sRGB's transfer curve: IEC 61966-2-1
    expected = round(255 * (1.055 * linear ** (1 / 2.4) - 0.055))
    assert np.abs(picture.pixels.astype(int) - expected).max() <= 1


@pytest.mark.parametrize(
    ("mode", "profile", "words"),
    [("RGB", CMYK_PROFILE, "ICC profile"), ("CMYK", CMYK_PROFILE[:300], "damaged ICC")],
    ids=["another kind", "damaged"],  # a profile tells the time at which it was made
)
def test_a_damaged_profile_or_one_of_another_kind_is_left_out(tmp_path, rgb, mode, profile, words):
    image = Image.fromarray(rgb).convert(mode)
    path = save(tmp_path, image, "image.tif", icc_profile=profile)
    with pytest.warns(UserWarning, match=words):
        picture = read_image(path)
    assert picture.icc_profile == b""
    np.testing.assert_array_equal(picture.pixels, np.array(image.convert("RGB")))


def test_each_bad_file_is_an_image_error_of_one_line_that_names_it(tmp_path):
    for name, words in bad_files(tmp_path).items():
        with pytest.raises(ImageError, match=words) as caught:
            read_image(tmp_path / name)
        assert str(caught.value).startswith(str(tmp_path / name))
        assert "\n" not in str(caught.value)


def test_the_papers_largest_image_is_no_bomb(tmp_path):
    path = tmp_path / "large.png"
    path.write_bytes(png_file(0, 1, [bytes(8704 // 8 + 1)] * 8400))
    assert read_image(path).pixels.shape == (8400, 8712, 3)


@pytest.mark.parametrize(
    ("levels", "values"),
    [
        (np.array([[0, 153, 255]], np.uint8), [0, np.float32(0.6), 1]),
        (np.array([[0, 13107, 65535]], np.uint16), [0, np.float32(0.2), 1]),
    ],
)
def test_a_map_of_eight_or_sixteen_bits_is_read_from_zero_to_one(tmp_path, levels, values):
    saliency = read_map(save(tmp_path, Image.fromarray(levels)), (1, 3))
    assert saliency.dtype == np.float32
    assert saliency.tolist() == [values]


@pytest.mark.parametrize(
    ("mode", "size", "words"),
    [("L", (30, 20), "30×20 pixels, but its image is 40×20"), ("RGB", (40, 20), "grey")],
)
def test_a_map_of_another_size_or_in_colour_is_refused(tmp_path, mode, size, words):
    with pytest.raises(ImageError, match=words):
        read_map(save(tmp_path, Image.new(mode, size, 9)), (20, 40))


@pytest.mark.parametrize("value", [-1, 65536])
def test_a_map_of_more_than_sixteen_bits_is_refused(tmp_path, value):
    path = save(tmp_path, Image.fromarray(np.array([[0, value]], np.int32)), "map.tif")
    with pytest.raises(ImageError, match=r"map\.tif: a map has 8 or 16 bits"):
        read_map(path, (1, 2))


def test_a_png_is_written_and_read_back(tmp_path, rgb):
    write_atomically(tmp_path / "map.png", images.png(rgb[..., 0]))
    np.testing.assert_allclose(read_map(tmp_path / "map.png", (24, 40)) * 255, rgb[..., 0])


def test_an_overlay_is_the_image_where_the_map_is_one_and_dark_grey_where_it_is_zero(rgb):
    saliency = np.zeros(rgb.shape[:2])
    saliency[:, 20:] = 1
    shown = images.overlay(rgb, saliency)
    np.testing.assert_array_equal(shown[:, 20:], rgb[:, 20:])
    grey = 0.35 * images.luma(rgb)[:, :20, None]
    assert np.abs(shown[:, :20] - grey).max() <= 0.51


def test_a_write_replaces_the_file_or_fails_and_leaves_it_alone_and_no_other(tmp_path):
    path = tmp_path / "file.jpg"
    path.write_bytes(b"older")
    write_atomically(path, b"old")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    resource = pytest.importorskip("resource", reason="needs POSIX limits")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))  # as a full disk would
    try:
        with pytest.raises(OutputError, match="cannot be written"):
            write_atomically(path, bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "words"),
    [("missing/a.jpg", "does not exist"), ("file/a.jpg", "not a folder"), (".", "is a folder")],
)
def test_a_place_where_no_file_can_be_is_an_output_error(tmp_path, name, words):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=words):
        write_atomically(tmp_path / name, b"")
