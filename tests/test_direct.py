"""The direct encoder, from pixels to files."""

from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pytest
import simplejpeg
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pictures import photo, right_half
from PIL import Image

from msroi import encoder, images
from msroi.encoder import (
    BudgetError,
    TargetError,
    blocks,
    coefficients,
    direct,
    encode,
    jpeg,
    standard,
    tables,
)
from msroi.encoder.budget import SHARE_ACCEPTED, Start, approach
from msroi.encoder.importance import importance, masking, usual_weight
from msroi.metrics import psnr_s
from msroi.score import ssimulacra2

TUNES = list(tables.TUNES)
SUBSAMPLINGS = list(blocks.SUBSAMPLINGS)
SHAPES = [(1, 1), (8, 8), (7, 40), (17, 23), (64, 49)]


def pillow(data):
    with Image.open(BytesIO(data)) as image:
        return np.array(image)


# --- coefficients ----------------------------------------------------------------------


def test_the_scan_is_a_zigzag():
    assert blocks.ZIGZAG[:10].tolist() == [0, 1, 8, 16, 9, 2, 3, 10, 17, 24]
    assert blocks.ZIGZAG[-3:].tolist() == [55, 62, 63]


def test_the_transform_keeps_the_energy_of_the_samples(rng):
    grey = rng.integers(0, 256, (16, 24)).astype(np.uint8)
    (c,) = coefficients.transform(grey, (1, 1))
    assert c.shape == (2, 3, 64)
    samples = grey.reshape(2, 8, 3, 8).astype(float) - 128
    np.testing.assert_allclose((c**2).sum(-1), (samples**2).sum((1, 3)), rtol=1e-5)
    np.testing.assert_allclose(c[..., 0], samples.mean((1, 3)) * 8, atol=1e-3)


@pytest.mark.parametrize("subsampling", SUBSAMPLINGS)
@pytest.mark.parametrize("shape", SHAPES)
def test_fine_steps_give_the_image_back(rng, shape, subsampling):
    flat = np.tile(rng.integers(0, 256, 3).astype(np.uint8), (*shape, 1))  # chroma survives means
    sampling = blocks.SUBSAMPLINGS[subsampling]
    levels = [np.rint(c).astype(np.int16) for c in coefficients.transform(flat, sampling)]
    ones, frame = [np.ones(64, np.uint16)] * 3, jpeg.Frame(shape, sampling)
    for scans in (jpeg.baseline(3), jpeg.progressive(3, 5)):
        decoded = pillow(jpeg.write(levels, jpeg.count(levels, scans, sampling), ones, frame))
        assert decoded.shape == flat.shape
        assert np.abs(decoded.astype(int) - flat).max() <= 2


def test_the_table_of_the_file_is_the_one_given(rng):
    image = photo(rng, (16, 16))
    luma, chroma = (tables.at_scale(t, 1) for t in (tables.ANNEX_K_LUMA, tables.ANNEX_K_CHROMA))
    levels = [np.zeros(c.shape, np.int16) for c in coefficients.transform(image, (2, 2))]
    coded = jpeg.count(levels, jpeg.baseline(3), (2, 2))
    data = jpeg.write(levels, coded, [luma, chroma, chroma], jpeg.Frame((16, 16), (2, 2)))
    with (
        Image.open(BytesIO(data)) as written,
        Image.open(BytesIO(standard.write(image, 50))) as std,
    ):
        assert written.quantization == std.quantization


# --- tables ----------------------------------------------------------------------------


@pytest.mark.parametrize("quality", [1, 10, 50, 75, 99])
def test_the_quality_scale_is_libjpegs(quality):
    with Image.open(BytesIO(standard.write(np.zeros((8, 8, 3), np.uint8), quality))) as image:
        expected = image.quantization[0]
    ours = tables.at_scale(tables.ANNEX_K_LUMA, tables.scale_of(quality))
    assert np.abs(ours[np.argsort(blocks.ZIGZAG)].astype(int) - expected).max() <= 1
    assert tables.quality_of(tables.scale_of(quality)) == pytest.approx(quality)


def test_flatness_goes_from_one_step_for_all_to_annex_k():
    base = tables.ANNEX_K_LUMA
    np.testing.assert_allclose(tables.flatten(base, 1), base)
    np.testing.assert_allclose(tables.flatten(base, 0), tables.geometric_mean(base))


# --- importance ------------------------------------------------------------------------

CELLS = [(8, 8), (16, 16)]


@pytest.mark.parametrize("value", [0, 0.3, 0.61, 1])
def test_a_flat_map_prefers_no_block(value):
    gains = importance(np.full((40, 33), value), 3.5, CELLS)
    assert all(not g.any() for g in gains)
    assert usual_weight(gains[0]) == 1


def ramp(share):
    """u of a block that surpasses this share of the blocks: 0 up to 20%, 1 from 80% on."""
    t = np.clip((share - 0.2) / 0.6, 0, 1)
    return 3 * t**2 - 2 * t**3


def test_salient_blocks_gain_by_strength_and_by_how_few_they_are():
    quarter = np.zeros((16, 64))
    quarter[:, 48:] = 1
    luma, chroma = importance(quarter, 3, CELLS)
    lowest = ramp(0.375)  # three quarters are alike: each surpasses half of them
    gain = (2**3 - 1) * (1 - (3 * lowest + 1) / 4)
    np.testing.assert_allclose(luma[0], [0, 0, 0, 0, 0, 0, gain, gain], rtol=1e-6)
    assert chroma[0].tolist() == luma[0, ::2].tolist()
    assert usual_weight(luma) == pytest.approx(np.sqrt((3 + (1 + gain) ** 2) / 4))


@pytest.mark.parametrize(("offset", "scale"), [(0, 1), (0.2, 0.3)])
def test_importance_rises_with_the_share_of_blocks_that_are_surpassed(offset, scale):
    values = np.array([0, 0.1, 0.11, 0.12, 0.3, 0.31, 0.5, 0.9, 0.99, 1])  # their order counts
    saliency = np.repeat(offset + scale * values, 8)[None].repeat(8, 0)
    (g,) = importance(saliency, 1, CELLS[:1])
    steps = ramp(np.arange(0.05, 1, 0.1))
    np.testing.assert_allclose(g[0], np.maximum(steps - steps.mean(), 0), atol=1e-6)


@pytest.mark.parametrize("columns", [1, 6, 10, 14])
@pytest.mark.parametrize("grey", [0.1, 1])
def test_the_blocks_of_a_drawn_mask_are_salient_and_no_others(columns, grey):
    saliency = np.zeros((16, 320))
    saliency[:, : 16 * columns] = grey
    luma, chroma = importance(saliency, 1, CELLS)
    assert (luma[:, : 2 * columns] == luma[0, 0]).all() and luma[0, 0] > 0.25
    assert (chroma[:, :columns] == luma[0, 0]).all()
    assert not luma[:, 2 * columns :].any() and not chroma[:, columns:].any()


def test_texture_masks_and_flat_blocks_do_not():
    c = np.zeros((1, 2, 64), np.float32)
    c[0, 1, 1:] = 20
    ease = masking(c, np.ones(64, np.float32), 0.5)
    assert ease[0, 0] == 1
    assert ease[0, 1] == pytest.approx((1 + 400 * 63 / 64 / 20) ** 0.5)


# --- the encoder -----------------------------------------------------------------------


@pytest.mark.parametrize("tune", TUNES)
@pytest.mark.parametrize("subsampling", SUBSAMPLINGS)
@pytest.mark.parametrize(("kind", "is_progressive"), [({}, 1), ({"progressive": False}, None)])
def test_a_photo_fills_its_budget_to_99_per_cent(rng, tune, subsampling, kind, is_progressive):
    image = photo(rng, (128, 128))
    budget = len(standard.write(image, 80))
    options = {"quality": 80, "tune": tune, "subsampling": subsampling} | kind
    data = encode(image, right_half((128, 128)), **options)
    assert SHARE_ACCEPTED * budget <= len(data) <= budget
    with Image.open(BytesIO(data)) as decoded:
        assert decoded.info.get("progressive") == is_progressive
    np.testing.assert_array_equal(pillow(data).shape, image.shape)
    assert simplejpeg.decode_jpeg(data).shape == image.shape
    expected = {"4:4:4": "444", "4:2:2": "422", "4:2:0": "420"}[subsampling]
    assert simplejpeg.decode_jpeg_header(data)[3] == expected


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("split", jpeg.SPLITS)
def test_progressive_and_baseline_hold_the_same_levels(rng, split, channels):
    sampling, shape = (2, 2), (72, 104)
    sides = [(9, 13), (5, 7), (5, 7)][:channels]
    levels = [rng.integers(-1, 2, (*side, 64)).astype(np.int16) for side in sides]
    for own in levels:  # long runs of zeros, blocks without any, large levels
        own[rng.random(own.shape) < 0.95] = 0
        own[2:4, ..., 1:] = 0
        own[0, 0, [0, 1, 63]] = 1023, -1023, 700
    ones, frame = [np.ones(64, np.uint16)] * channels, jpeg.Frame(shape, sampling)
    plans = jpeg.baseline(channels), jpeg.progressive(channels, split)
    plain, by_scans = (
        jpeg.write(levels, jpeg.count(levels, scans, sampling), ones, frame) for scans in plans
    )
    assert b"\xff\xc0" in plain and b"\xff\xc2" in by_scans
    np.testing.assert_array_equal(pillow(plain), pillow(by_scans))


def test_one_symbol_tells_the_end_of_many_blocks():
    levels = [np.zeros((200, 200, 64), np.int16)]
    levels[0][-1, -1, 1] = 1
    coded = jpeg.count(levels, jpeg.progressive(1, 63), (1, 1))
    expected = {14 << 4: 1, 12 << 4: 1, 0x01: 1, 0x00: 1}  # 32,767 blocks, 7,232, then one
    assert {s: n for s, n in enumerate(coded.counts[1][1]) if n} == expected
    data = jpeg.write(levels, coded, [np.full(64, 99, np.uint16)], jpeg.Frame((1600,) * 2, (1, 1)))
    decoded = pillow(data)
    assert (decoded[:-8] == 128).all() and decoded[-8:, -8:].std() > 5


@pytest.mark.parametrize("shape", [(17, 23), (64, 64), (200, 120)])
@pytest.mark.parametrize("subsampling", SUBSAMPLINGS)
@pytest.mark.parametrize("progressive", [False, True])
def test_the_estimate_is_the_size_of_the_file(rng, shape, subsampling, progressive):
    image, sampling = photo(rng, shape), blocks.SUBSAMPLINGS[subsampling]
    components = direct.analyse(image, right_half(shape), sampling, 3.5, tables.TUNES["balanced"])
    frame = jpeg.Frame(shape, sampling)
    for scale in (0.1, 0.6, 5):
        attempt = direct._quantize(components, frame, progressive, scale, 1.0, None)
        data = direct._write(frame, attempt)
        stuffed = data.count(b"\xff\x00")  # which the estimate leaves out
        assert attempt.size_bytes + stuffed == len(data)


@pytest.mark.parametrize("tune", TUNES)
def test_strength_zero_is_the_flat_map_is_no_map_byte_for_byte(rng, tune):
    image, saliency = photo(rng, (64, 80)), rng.random((64, 80))
    plain = encode(image, tune=tune)
    assert encode(image, saliency, tune=tune, strength=0) == plain
    assert encode(image, np.full((64, 80), 0.2), tune=tune) == plain
    assert encode(image, saliency, tune=tune, method="direct-flat") == plain
    assert encode(image, saliency, tune=tune) != plain


def test_the_salient_half_gains_and_more_with_strength(rng):
    image, saliency = photo(rng, (128, 128)), right_half((128, 128))

    def error(strength):
        decoded = pillow(encode(image, saliency, strength=strength)).astype(float)
        squared = (decoded - image) ** 2
        return squared[:, 64:].mean(), squared[:, :64].mean()

    flat, mild, strong = error(0), error(2), error(5)
    assert strong[0] < mild[0] < flat[0]
    assert strong[1] > mild[1] > flat[1]


def soft_spot(image):
    """A soft spot, in whole 256ths: float64 [H, W] in [0, 1]."""
    y, x = (np.linspace(-2, 2, side) for side in image.shape[:2])
    return np.rint(256 * np.exp(-((y[:, None] - 0.5) ** 2) - x**2)) / 256


def test_an_affine_stretch_of_the_map_changes_no_byte(rng):
    image = photo(rng, (96, 128))
    saliency = soft_spot(image)
    data = encode(image, saliency)
    assert data != encode(image)
    assert encode(image, 0.25 + saliency / 2) == encode(image, saliency / 128) == data


@pytest.mark.parametrize("stretch", [lambda m: 0.2 + 0.3 * m, np.square, np.sqrt])
def test_an_increasing_function_of_the_map_gives_nearly_the_same_file(rng, stretch):
    image = photo(rng, (192, 256))
    saliency = soft_spot(image)
    flat, plain, other = (
        psnr_s(images.luma(image), images.luma(pillow(data)), saliency)
        for data in (encode(image, own, quality=80) for own in (None, saliency, stretch(saliency)))
    )
    assert plain - flat > 0.3
    assert abs(other - plain) < 0.15 * (plain - flat)


def test_a_map_shifted_by_a_block_shifts_the_gain(rng):
    image = np.tile(photo(rng, (8, 8)), (8, 12, 1))  # every block alike
    budget = len(standard.write(image, 50))

    def block_errors(first):
        saliency = np.zeros((64, 96), np.float32)
        saliency[:, first : first + 16] = 1
        data = encode(image, saliency, max_bytes=budget, subsampling="4:4:4")
        squared = (pillow(data).astype(float) - image) ** 2
        return squared.reshape(8, 8, 12, 8, 3).mean((0, 1, 3, 4))

    here, there = block_errors(32), block_errors(40)
    np.testing.assert_allclose(np.roll(here, 1), there, rtol=0.02)
    assert here[4:6].max() < here[[0, 1, 2, 3, 6, 7, 8]].min()


def test_direct_is_nearer_to_the_photo_than_the_standard_at_equal_bytes(rng):
    image = photo(rng, (128, 128))
    errors = [
        ((pillow(encode(image, method=method)).astype(float) - image) ** 2).mean()
        for method in ("direct", "standard")
    ]
    assert errors[0] < errors[1]


def test_a_grey_photo_becomes_a_grey_jpeg(rng):
    grey = photo(rng, (50, 70))[..., 0]
    data = encode(np.dstack([grey] * 3), max_bytes=1500)
    decoded = pillow(data)
    assert decoded.shape == (50, 70)
    assert np.abs(decoded.astype(int) - grey).mean() < 6


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.data())
def test_any_size_any_map_any_reachable_budget(data):
    H, W = (data.draw(st.integers(1, 200)) for _ in range(2))
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    image = (
        photo(rng, (H, W)) if data.draw(st.booleans()) else rng.integers(0, 256, (H, W, 3), "u1")
    )
    saliency = np.round(rng.random((H, W)), data.draw(st.integers(0, 3)))
    budget = data.draw(st.integers(300, 3 * H * W + 700))
    options = {
        "tune": data.draw(st.sampled_from(TUNES)),
        "subsampling": data.draw(st.sampled_from(SUBSAMPLINGS)),
        "strength": data.draw(st.floats(0, 8)),
    }
    try:
        encoded = encode(image, saliency, max_bytes=budget, **options)
    except BudgetError as error:
        assert error.smallest_bytes > budget
        budget = error.smallest_bytes
        encoded = encode(image, saliency, max_bytes=budget, **options)
    assert len(encoded) <= budget
    assert pillow(encoded).shape == (H, W, 3)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.data())
def test_any_size_any_map_any_target_is_reached_or_is_told_to_be_out_of_reach(data):
    H, W = (data.draw(st.integers(8, 90)) for _ in range(2))
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    image = (
        photo(rng, (H, W)) if data.draw(st.booleans()) else rng.integers(0, 256, (H, W, 3), "u1")
    )
    saliency = np.round(rng.random((H, W)), data.draw(st.integers(0, 3)))
    before = image.copy(), saliency.copy()
    target = data.draw(st.floats(1, 99))
    method, options = data.draw(
        st.sampled_from([("direct", {"tune": tune}) for tune in TUNES] + [("standard", {})])
    )
    try:
        encoded = encoder.encode_detailed(image, saliency, method=method, target=target, **options)
    except TargetError as error:
        assert error.reachable < target
        assume(error.reachable > 0)
        target = error.reachable
        encoded = encoder.encode_detailed(image, saliency, method=method, target=target, **options)
        assert len(encoded.data) <= error.reachable_bytes
    decoded = images.decode(encoded.data)
    assert decoded.shape == image.shape
    assert ssimulacra2(image, decoded) == encoded.score >= target
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(saliency, before[1])


def test_at_an_equal_score_the_map_still_leads(picture):
    saliency = soft_spot(picture)
    flat, led = (encode(picture, own, target=70) for own in (None, saliency))
    qualities = [
        psnr_s(images.luma(picture), images.luma(images.decode(data)), saliency)
        for data in (flat, led)
    ]
    assert qualities[1] - qualities[0] > 0.5


@pytest.mark.parametrize("target", [40, 60, 85])
def test_a_grey_photo_reaches_a_target_too(picture, target):
    grey = np.dstack([picture[..., 0]] * 3)
    data = encode(grey, target=target)
    assert pillow(data).ndim == 2
    assert target <= ssimulacra2(grey, images.decode(data)) <= target + 0.5


@pytest.mark.parametrize("tune", TUNES)
def test_quality_100_is_a_budget_like_any_other(rng, tune):
    image = photo(rng, (48, 64))
    budget = len(standard.write(image, 100))
    assert 0 < len(encode(image, quality=100, tune=tune)) <= budget


def test_a_generous_budget_gives_steps_of_one(rng):
    result = encoder.encode_detailed(photo(rng, (40, 40)), max_bytes=10**6)
    with Image.open(BytesIO(result.data)) as image:
        assert set(image.quantization[0]) == {1}


@pytest.mark.parametrize("seed", [*range(8), 11, 23, 30, 34, 35, 36, 48, 49, 54])
def test_a_small_picture_fills_its_budget_or_has_its_finest_file(seed):
    rng = np.random.default_rng(seed)
    image = photo(rng, rng.integers(1, 65, 2))
    quality = int(rng.integers(5, 101))
    options = {"tune": rng.choice(TUNES), "subsampling": rng.choice(SUBSAMPLINGS)}
    budget = len(standard.write(image, quality))
    data = encode(image, quality=quality, **options)
    assert len(data) <= budget
    if len(data) < SHARE_ACCEPTED * budget:
        assert data == encode(image, max_bytes=10**6, **options)


@pytest.mark.parametrize("max_bytes", [10, 0, -50])
def test_a_hopeless_budget_names_the_smallest_size(rng, max_bytes):
    image = photo(rng, (40, 40))
    with pytest.raises(BudgetError, match="smallest reachable size is") as caught:
        encode(image, max_bytes=max_bytes)
    smallest = caught.value.smallest_bytes
    assert len(encode(image, max_bytes=smallest)) == smallest


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strength": -1}, "strength.* -1"),
        ({"strength": float("nan")}, "strength.* nan"),
        ({"tune": "ssim"}, "'ssim'.*balanced, hvs, psnr, ssimulacra2"),
        ({"subsampling": "4:1:1"}, "'4:1:1'.*4:2:0, 4:2:2, 4:4:4"),
    ],
)
def test_a_bad_option_is_answered_with_what_is_possible(rng, options, message):
    with pytest.raises(ValueError, match=message):
        encode(photo(rng, (8, 8)), **options)


# --- large images ----------------------------------------------------------------------


@pytest.fixture
def counted(monkeypatch):
    """Images of 2¹⁶ pixels count as large; gives the sizes that are quantized, in luma blocks."""
    quantize, sizes = direct._quantize, []

    def note(components, *arguments):
        sizes.append(components[0].coefficients.shape[:2])
        return quantize(components, *arguments)

    monkeypatch.setattr(direct, "REHEARSED_FROM_PIXELS", 2**16)
    monkeypatch.setattr(direct, "SAMPLE_PIXELS", 2**14)
    monkeypatch.setattr(direct, "_quantize", note)
    return sizes


@pytest.mark.parametrize("subsampling", SUBSAMPLINGS)
@pytest.mark.parametrize("shape", [(601, 217), (257, 700)])
def test_a_large_image_is_rehearsed_on_rows_and_fills_its_budget(rng, counted, shape, subsampling):
    image = photo(rng, shape)
    budget = len(standard.write(image, 90))
    data = encode(image, right_half(shape), quality=90, subsampling=subsampling)
    assert SHARE_ACCEPTED * budget <= len(data) <= budget
    assert pillow(data).shape == image.shape
    whole = -(-shape[0] // 8)
    assert counted[0][0] < whole / 3
    assert counted[-1][0] == whole


def test_a_sample_unlike_the_rest_still_leads_to_a_full_budget(rng, counted):
    image = photo(rng, (512, 160))
    step = 512 * 160 // direct.SAMPLE_PIXELS
    for row in range(step // 2, 32, step):  # the very rows that are taken are flat
        image[16 * row : 16 * row + 16] = 128
    budget = len(standard.write(image, 50))
    assert SHARE_ACCEPTED * budget <= len(encode(image)) <= budget


def test_a_hopeless_budget_of_a_large_image_names_the_smallest_size(rng, counted):
    with pytest.raises(BudgetError) as caught:
        encode(photo(rng, (256, 264)), max_bytes=100)
    assert caught.value.smallest_bytes > 100


@pytest.mark.parametrize("shape", [(7, 40), (200, 33), (333, 64)])
def test_the_transform_is_the_same_in_bands_of_any_height(rng, monkeypatch, shape):
    image = photo(rng, shape)
    banded = coefficients.transform(image, (2, 2))
    monkeypatch.setattr(coefficients, "BAND", 1000)
    for band, whole in zip(banded, coefficients.transform(image, (2, 2)), strict=True):
        np.testing.assert_array_equal(band, whole)


# --- the search by estimates -----------------------------------------------------------


@pytest.mark.parametrize(
    ("size_at", "file_by_estimate", "max_bytes"),
    [
        (lambda scale: 50_000 / scale, 0.93, 30_000),  # sizes are smooth
        (lambda scale: round(20 / scale) * 1000, 1, 20_600),  # they jump: the thrift does the rest
    ],
)
def test_few_files_are_written(size_at, file_by_estimate, max_bytes):
    written = []

    def write(attempt):
        written.append(attempt)
        return bytes(int(file_by_estimate * attempt.size_bytes))

    def measure(scale, thrift, before):
        return SimpleNamespace(size_bytes=size_at(scale) * thrift**-0.1)

    found = approach(measure, write, max_bytes, (0.01, 50), Start(1.0))
    assert 0.99 * max_bytes <= len(found.data) <= max_bytes
    assert len(written) <= 3


def test_the_thrift_fills_the_budget_between_two_scales_far_apart():
    def measure(scale, thrift, before):  # to the estimate, sizes between the two do not exist
        return SimpleNamespace(size_bytes=2000 if scale < 1 else 1000, thrift=thrift)

    def write(attempt):
        return bytes(round(attempt.size_bytes * attempt.thrift**-0.3))

    found = approach(measure, write, 1600, (0.01, 50), Start(1.0))
    assert 0.99 * 1600 <= len(found.data) <= 1600
