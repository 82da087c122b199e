"""Codecs other than JPEG, plain and led by a map."""

import builtins
import io

import numpy as np
import pytest
from pictures import photo, right_half
from PIL import Image
from skimage import data

from msroi import offsets
from msroi.errors import InputError
from msroi.images import luma
from study import codecs
from study.codecs import stills, video

QUALITIES = {"x264": 30, "x265": 30, "jpeg2000": 32, "webp": 60, "avif": 50}
SHAPES = [(1, 1), (1, 9), (7, 5), (15, 17), (33, 70)]


@pytest.fixture(params=QUALITIES)
def codec(request):
    if request.param in video.ENCODERS:
        pytest.importorskip("av")
    return request.param


def picture(shape, seed=3):
    return photo(np.random.default_rng(seed), shape)


def psnr(image, decoded, where):
    error = luma(image).astype(float) - luma(decoded)
    return 10 * np.log10(255**2 / np.mean(error[where] ** 2))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_file_decodes_to_the_size_of_the_image(codec, shape):
    image = picture(shape)
    decoded = codecs.read(codec, codecs.plain(image, codec, QUALITIES[codec]), shape)
    assert (decoded.shape, decoded.dtype) == (image.shape, np.uint8)


def test_a_file_shows_the_image(codec):
    image = picture((96, 120))
    decoded = codecs.read(codec, codecs.plain(image, codec, QUALITIES[codec]), (96, 120))
    assert psnr(image, decoded, ...) > 28
    assert np.abs(decoded.mean((0, 1)) - image.mean((0, 1))).max() < 3  # nor are colours shifted


def test_a_map_of_one_half_gains_there_at_no_more_bytes(codec):
    image = data.chelsea()[::2, ::2].copy()  # a photograph, of a cat
    height, width = image.shape[:2]
    plain = codecs.plain(image, codec, QUALITIES[codec])
    led = codecs.led(image, right_half((height, width)), codec, QUALITIES[codec], plain)
    before, after = (codecs.read(codec, file, (height, width)) for file in (plain, led.data))
    assert 0.9 * len(plain) < len(led.data) <= len(plain)
    right = np.s_[:, width // 2 :]
    assert psnr(image, after, right) > psnr(image, before, right) + 0.05


def test_a_flat_map_gives_the_plain_file(codec):
    image = picture((48, 64))
    plain = codecs.plain(image, codec, QUALITIES[codec])
    flat = np.full((48, 64), 0.3, np.float32)
    assert codecs.led(image, flat, codec, QUALITIES[codec], plain).data == plain


def test_a_file_is_the_same_in_every_run(codec):
    image, saliency = picture((64, 96)), right_half((64, 96))
    plain = codecs.plain(image, codec, QUALITIES[codec])
    files = {codecs.led(image, saliency, codec, QUALITIES[codec], plain).data for _ in range(2)}
    assert len(files) == 1


@pytest.mark.parametrize("name", video.ENCODERS)
def test_a_stream_says_nothing_of_its_encoder(name):
    pytest.importorskip("av")
    file = codecs.plain(picture((48, 64)), name, 30)
    assert b"x26" not in file and len(file) < 3000


@pytest.mark.parametrize("name", video.ENCODERS)
def test_a_stream_is_opened_by_ffmpeg_as_a_video_of_one_frame(name):
    av = pytest.importorskip("av")
    file = codecs.plain(picture((48, 64)), name, 30)
    with av.open(io.BytesIO(file), format=video.ENCODERS[name].decoder) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert [frame.shape for frame in frames] == [(48, 64, 3)]


def test_without_pyav_a_method_that_needs_it_is_refused_in_a_sentence(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.partition(".")[0] == "av":
            raise ModuleNotFoundError(name=name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    codecs.check_methods(["webp", "jpeg2000-led"])
    with pytest.raises(InputError, match=r"^x265 needs PyAV: pip install av "):
        codecs.check_methods(["webp", "x265-led"])


def test_a_codec_that_pillow_lacks_is_named(monkeypatch):
    monkeypatch.setattr(stills.features, "check", lambda feature: feature != "avif")
    codecs.check_methods(["webp-led"])
    with pytest.raises(InputError, match="built without avif"):
        codecs.check_methods(["avif"])


def test_offsets_have_no_mean_and_are_finer_where_the_map_is_higher():
    saliency = np.zeros((64, 96), np.float32)
    saliency[16:32, 32:64] = 0.5
    found = offsets.offsets(saliency)
    assert found.shape == (4, 6)
    assert abs(found.mean()) < offsets.STEP
    assert (found[1, 2:4] < -6).all() and (np.delete(found, 1, axis=0) > 0).all()


def test_the_scale_of_a_map_changes_no_offset():
    saliency = np.random.default_rng(0).random((80, 80)).astype(np.float32)
    assert np.array_equal(offsets.offsets(saliency), offsets.offsets(saliency / 2))


@pytest.mark.parametrize("value", [0, 0.5, 1])
def test_a_flat_map_has_no_regions(value):
    assert list(offsets.regions(offsets.offsets(np.full((40, 50), value, np.float32)))) == []


def test_rectangles_cover_every_cell_once_by_its_own_offset():
    given = np.random.default_rng(1).integers(-2, 2, (9, 13)).astype(float)
    covered, times = np.zeros_like(given), np.zeros_like(given)
    cell = offsets.CELL
    for own in offsets.regions(given):
        place = np.s_[
            own.top // cell : (own.top + own.height) // cell,
            own.left // cell : (own.left + own.width) // cell,
        ]
        covered[place] += own.offset
        times[place] += 1
    assert np.array_equal(covered, given)
    assert np.array_equal(times, given != 0)


def test_a_mask_of_one_rectangle_is_one_region():
    given = np.zeros((6, 8))
    given[2:5, 3:7] = -4.0
    assert list(offsets.regions(given)) == [(48, 32, 64, 48, -4.0)]


def test_the_filter_smooths_where_the_map_is_low_and_keeps_edges():
    rng = np.random.default_rng(5)
    image = np.where(np.arange(64)[None, :, None] < 20, 60, 180) + rng.normal(0, 5, (64, 64, 3))
    image = np.clip(image, 0, 255).astype(np.uint8)
    smooth = stills.smoothed(image, right_half((64, 64)))
    assert smooth[:, 4:16].std((0, 1)).max() < 0.6 * image[:, 4:16].std((0, 1)).min()
    assert np.array_equal(smooth[:, 36:], image[:, 36:])
    edge = smooth[:, 22].mean() - smooth[:, 17].mean()
    assert edge > 0.95 * (image[:, 22].mean() - image[:, 17].mean())


def test_pillow_reads_what_it_wrote():
    file = codecs.plain(picture((40, 30)), "jpeg2000", 32)
    assert Image.open(io.BytesIO(file)).size == (30, 40)
