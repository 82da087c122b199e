"""The encoder: levels, mosaic, byte budget."""

import subprocess
import sys
from inspect import signature
from io import BytesIO

import jpeglib
import numpy as np
import pytest
from pictures import centred
from PIL import Image

from msroi.encoder import (
    METHODS,
    OFFERED,
    BudgetError,
    TargetError,
    check_methods,
    direct,
    encode,
    encode_detailed,
    standard,
    tables,
)
from msroi.encoder.blocks import block_saliency, saliency_levels, spread
from msroi.encoder.budget import search
from msroi.encoder.mosaic import make_mosaic
from msroi.encoder.peers import write_jpegli, write_mozjpeg
from msroi.encoder.target import Judge, aim, reach
from msroi.errors import ArgumentError
from msroi.images import decode
from msroi.score import ssimulacra2

SHAPES = [(1, 1), (5, 3), (8, 8), (16, 32), (17, 23), (40, 61)]


def texture(rng, shape):
    """Noise over a slope: no two blocks alike, and every quality decodes otherwise."""
    H, W = shape
    slope = np.linspace(0, 180, H * W * 3).reshape(H, W, 3)
    return (slope + rng.integers(0, 70, (H, W, 3))).astype(np.uint8)


def test_a_block_has_the_mean_of_the_pixels_it_has():
    saliency = np.zeros((9, 19), np.float32)
    saliency[:8, 8:12] = 1
    saliency[8, 16:] = 0.75
    saliency[8, :8] = 0.25
    np.testing.assert_array_equal(block_saliency(saliency), [[0, 0.5, 0], [0.25, 0, 0.75]])


@pytest.mark.parametrize("shape", SHAPES)
def test_a_flat_map_keeps_its_value_exactly(shape):
    blocks = block_saliency(np.full(shape, 0.6, np.float32))
    assert (blocks == np.float32(0.6)).all()


def test_levels_are_half_open_intervals_as_in_the_paper():
    edges = np.array([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert saliency_levels(edges, 5).tolist() == [0, 0, 1, 2, 3, 4]
    assert saliency_levels(edges[:-1] + 1e-6, 5).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("levels", [2, 3, 5, 15, 17, 51, 85])
def test_a_map_of_eight_bits_meets_the_edges_exactly(levels):
    values = np.arange(256)
    expected = np.maximum(-(-values * levels // 255) - 1, 0)  # ⌈k·v/255⌉ − 1 in whole numbers
    assert (saliency_levels((values / 255).astype(np.float32), levels) == expected).all()


def naive_mosaic(image, saliency, qualities):
    """The paper's section 4 word by word, one block after the other."""
    decoded = [decode(standard.write(image, q)) for q in qualities]
    k = len(qualities)
    mosaic = np.zeros_like(image)
    for y in range(0, image.shape[0], 8):
        for x in range(0, image.shape[1], 8):
            block = np.s_[y : y + 8, x : x + 8]
            mean = saliency[block].mean(dtype=np.float64)
            level = max(n for n in range(k) if n == 0 or mean > n / k)
            mosaic[block] = decoded[level][block]
    return mosaic


@pytest.mark.parametrize("shape", [*SHAPES, (64, 96), (97, 130)])
@pytest.mark.parametrize(
    ("options", "qualities"),
    [({}, [30, 40, 50, 60, 70]), ({"levels": 3, "q_low": 10, "q_high": 90}, [10, 50, 90])],
)
def test_mosaic_equals_the_paper_block_by_block(rng, shape, options, qualities):
    image = texture(rng, shape)
    y, x = (np.linspace(-2, 2, side) for side in shape)
    levels_in_parts = np.exp(-(y[:, None] ** 2 + (x - 0.7) ** 2))
    for saliency in (rng.random(shape), levels_in_parts):
        expected = naive_mosaic(image, saliency, qualities)
        np.testing.assert_array_equal(make_mosaic(image, saliency, **options), expected)


@pytest.mark.parametrize(("value", "quality"), [(0, 30), (0.3, 40), (0.5, 50), (0.8, 60), (1, 70)])
def test_a_flat_map_of_one_level_is_the_plain_reencoding(rng, value, quality):
    image = texture(rng, (20, 30))
    expected = decode(standard.write(image, quality))
    np.testing.assert_array_equal(make_mosaic(image, np.full((20, 30), value, float)), expected)


def test_two_levels_by_quantiles_are_parted_at_the_median(rng):
    image, saliency = texture(rng, (32, 32)), rng.random((32, 32)) / 3
    median = np.median(block_saliency(saliency))
    upper = spread(block_saliency(saliency) > median, (32, 32))
    mosaic = make_mosaic(image, saliency, levels=2, q_low=20, q_high=90, split="quantiles")
    for chosen, quality in ((upper, 90), (~upper, 20)):
        expected = decode(standard.write(image, quality))
        np.testing.assert_array_equal(mosaic[chosen], expected[chosen])


def test_untouched_blocks_are_the_images_own(rng):
    image = texture(rng, (16, 40))
    saliency = np.repeat(np.array([[0.1, 0.3, 0.5, 0.7, 0.9]]), 8, axis=1).repeat(16, axis=0)
    mosaic = make_mosaic(image, saliency, untouched=2)
    np.testing.assert_array_equal(mosaic[:, 24:], image[:, 24:])
    np.testing.assert_array_equal(mosaic[:, 16:24], decode(standard.write(image, 50))[:, 16:24])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_default_budget_is_the_standard_jpeg_and_is_met(rng, method, shape):
    image = texture(rng, shape)
    data = encode(image, rng.random(shape), method=method)
    assert len(data) <= len(standard.write(image, 50))
    assert decode(data).shape == image.shape


@pytest.mark.parametrize("quality", [10, 50, 90])
def test_mozjpeg_at_a_whole_quality_is_mozjpegs_own_of_those_tables(rng, quality, tmp_path):
    image = texture(rng, (64, 80))
    with jpeglib.version("mozjpeg403"):
        own = jpeglib.from_spatial(image)
        own.samp_factor = "4:2:0"
        own.write_spatial(str(tmp_path / "own.jpg"), qt=quality, base_quant_tbl_idx=0)
    expected = decode((tmp_path / "own.jpg").read_bytes())
    np.testing.assert_array_equal(decode(write_mozjpeg(image, quality)), expected)


@pytest.mark.parametrize("quality", [1, 7, 30, 49, 50, 51, 75, 99, 100])
def test_the_standard_method_without_a_budget_is_pillows_own_file_byte_for_byte(rng, quality):
    image, file = texture(rng, (20, 30)), BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    assert standard.write(image, quality) == file.getvalue()
    found = encode_detailed(image, method="standard", quality=quality)
    assert found == (file.getvalue(), quality, None)


def test_a_quality_between_two_whole_ones_has_tables_between_theirs(rng):
    image = texture(rng, (8, 8))
    luma = [
        np.array(Image.open(BytesIO(standard.write(image, quality))).quantization[0])
        for quality in (30, 30.5, 31)
    ]
    assert (luma[0] >= luma[1]).all() and (luma[1] >= luma[2]).all()
    assert (luma[0] != luma[1]).any() and (luma[1] != luma[2]).any()


@pytest.mark.parametrize("method", ["direct", "direct-flat", "mosaic", "standard-optimized"])
def test_at_least_99_percent_of_the_budget_is_used(rng, method):
    image = texture(rng, (200, 240))
    y, x = np.mgrid[-1:1:200j, -1:1:240j]
    budget = len(standard.write(image, 50))
    data = encode(image, np.exp(-4 * (y**2 + x**2)), method=method)
    assert 0.99 * budget <= len(data) <= budget


@pytest.mark.parametrize("max_bytes", [760, 900, 1100, 1300])
def test_one_quality_more_would_exceed_the_budget_or_there_is_none(max_bytes):
    rng = np.random.default_rng(7)  # of other grains sizes may dip for a whole quality
    image, saliency = texture(rng, (48, 48)), rng.random((48, 48))
    result = encode_detailed(image, saliency, method="mosaic", max_bytes=max_bytes)
    assert len(result.data) <= max_bytes
    mosaic = make_mosaic(image, saliency)
    assert result.data == standard.write(mosaic, result.quality)
    assert len(standard.write(mosaic, result.quality + 1)) > max_bytes
    assert encode_detailed(image, method="mosaic", max_bytes=10**6).quality == 100


def test_a_budget_out_of_reach_names_the_smallest_size(rng):
    image = texture(rng, (16, 16))
    with pytest.raises(BudgetError, match="smallest reachable size is") as caught:
        encode(image, method="standard", max_bytes=10)
    smallest = caught.value.smallest_bytes
    assert smallest == min(len(standard.write(image, q)) for q in range(1, 101))
    assert str(smallest) in str(caught.value)
    assert len(encode(image, method="standard", max_bytes=smallest)) == smallest


@pytest.mark.parametrize("max_bytes", range(10, 22))
def test_the_search_passes_over_a_local_dip_in_size(max_bytes):
    sizes = [11, 10, 12, 14, 13, 15, 18, 16, 17, 20]  # no dip is farther than two steps
    fitting = [step for step, size in enumerate(sizes) if size <= max_bytes]
    assert search(lambda step: bytes(sizes[step]), max_bytes, range(10)).quality == fitting[-1]


@pytest.mark.parametrize(
    ("qualities", "size_of", "max_bytes", "most"),
    [
        (range(1, 101), lambda q: q, 37, 9),
        (np.linspace(0, 1, 1001), lambda q: int(1000 * q + 0.5), 123, 9),
        (np.linspace(1, 100, 1981), lambda q: int(900 * 1.03**q), 4000, 10),
        # a jump, which the line between brackets misjudges most
        (range(1000), lambda q: 10 if q < 700 else 1_000_000, 11, 22),
    ],
)
def test_a_search_finds_the_largest_quality_trying_none_twice(qualities, size_of, max_bytes, most):
    tried = []
    found = search(lambda q: tried.append(q) or bytes(size_of(q)), max_bytes, qualities)
    assert found.quality == max(q for q in qualities if size_of(q) <= max_bytes)
    assert len(tried) == len(set(tried)) <= most


# --- a score to reach ------------------------------------------------------------------


CLEAR_MOSAIC = {"q_low": 80, "q_high": 98}  # at its default of 30 and 70 it scores 50 at most


@pytest.mark.parametrize("target", [60, 70, 80])
@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("direct", {}),
        ("direct", {"tune": "ssimulacra2", "subsampling": "4:4:4", "progressive": False}),
        ("direct-flat", {}),
        ("mosaic", CLEAR_MOSAIC),
        ("standard-optimized", {}),
        ("mozjpeg", {}),
    ],
)
def test_a_target_is_reached_and_by_no_more_than_half_a_point(picture, method, options, target):
    encoded = encode_detailed(picture, centred(picture), method=method, target=target, **options)
    score = ssimulacra2(picture, decode(encoded.data))
    assert target <= score <= target + 0.5
    assert encoded.score == score


@pytest.mark.parametrize(
    ("method", "write"), [("standard", standard.write), ("jpegli", write_jpegli)]
)
@pytest.mark.parametrize("target", [60, 70, 80])
def test_one_quality_less_would_miss_the_target(picture, method, write, target):
    encoded = encode_detailed(picture, method=method, target=target)
    assert encoded.data == write(picture, encoded.quality)
    assert ssimulacra2(picture, decode(encoded.data)) == encoded.score >= target
    assert ssimulacra2(picture, decode(write(picture, encoded.quality - 1))) < target


def test_fewer_bytes_would_miss_the_target(picture):
    saliency = centred(picture)
    smallest = encode(picture, saliency, target=70)
    size = {"max_bytes": int(0.97 * len(smallest)), "tune": "ssimulacra2"}
    fewer = encode(picture, saliency, **size)
    assert ssimulacra2(picture, decode(fewer)) < 70


def test_tuned_for_the_score_a_file_reaches_it_in_fewer_bytes(picture):
    sizes = [len(encode(picture, target=75, tune=tune)) for tune in ("ssimulacra2", "balanced")]
    assert sizes[0] < sizes[1] < len(encode(picture, target=75, method="standard"))
    assert len(encode(picture, target=75)) == sizes[0]  # the default to a score


@pytest.mark.parametrize("method", ["standard", "direct"])
def test_a_target_out_of_reach_names_what_can_be_reached(rng, method):
    noise = rng.integers(0, 256, (48, 56, 3)).astype(np.uint8)
    with pytest.raises(TargetError, match="cannot be reached: the finest file scores") as caught:
        encode(noise, method=method, target=99.9)
    best = caught.value
    assert (best.target, isinstance(best, ValueError)) == (99.9, True)
    named = float(str(best).split("scores ")[1].split(",")[0])
    assert best.reachable - 0.01 <= named <= best.reachable < 99.9
    assert str(best).endswith(f"with {best.reachable_bytes} bytes")
    again = encode_detailed(noise, method=method, target=named)
    assert named <= again.score <= best.reachable + 0.5
    assert len(again.data) <= best.reachable_bytes


@pytest.mark.parametrize("shape", [(7, 40), (64, 5), (1, 1)])
def test_an_image_without_a_score_is_told_in_one_line(rng, shape):
    with pytest.raises(ArgumentError, match=f"{shape[1]}×{shape[0]} pixels has no SSIMULACRA2"):
        encode(texture(rng, shape), target=50)


def test_an_image_of_more_than_16_megapixels_has_no_score_to_reach():
    with pytest.raises(ArgumentError, match="at most 16 megapixels: give a quality or a size"):
        encode(np.zeros((4097, 4096, 3), np.uint8), method="standard", target=50)


@pytest.mark.parametrize("target", [0, -3, 100, 101, float("nan"), float("inf")])
def test_a_target_that_no_file_can_have_is_refused(rng, target):
    with pytest.raises(ArgumentError, match=f"above 0 and below 100, not {target}"):
        encode(texture(rng, (16, 16)), target=target)


@pytest.mark.parametrize("other", [{"quality": 50}, {"max_bytes": 5000}])
def test_a_target_stands_alone(rng, other):
    with pytest.raises(ArgumentError, match="give one"):
        encode(texture(rng, (16, 16)), target=50, **other)


def as_scores(score_of):
    """What writes a file for each quality, and a judge that scores these files; what was tried."""
    tried = []

    def write(quality, thrift=1.0):
        tried.append((quality, thrift))
        return f"{quality} {thrift}".encode()

    return write, lambda data: score_of(*map(float, data.split())), tried


@pytest.mark.parametrize("lack", [25, 38, 60])
@pytest.mark.parametrize("power", [0.4, 0.6, 0.9])
@pytest.mark.parametrize("target", [30, 70, 90])
def test_few_scores_are_taken_where_they_follow_any_power(lack, power, target):
    write, score, tried = as_scores(
        lambda quality, _: 100 - lack * (tables.scale_of(quality) + 1e-9) ** power
    )
    found = aim(write, Judge(target, score), direct.QUALITIES)
    assert target <= found.score <= target + 0.3
    assert len(tried) <= 4


@pytest.mark.parametrize("target", range(10, 21))
def test_a_search_by_score_finds_the_smallest_that_reaches_it(target):
    scores = [11, 12, 14, 15, 17, 18, 19, 20, 40, 41]
    write, score, tried = as_scores(lambda quality, _: scores[int(quality) - 1])
    found = reach(write, Judge(target, score), range(1, 11), slack=0)
    assert found.quality == 1 + min(n for n, own in enumerate(scores) if own >= target)
    assert len(tried) == len(set(tried))


@pytest.mark.parametrize("target", [30, 50, 80.5])
def test_a_search_ends_soon_however_scores_jump_and_waver(target):
    def score_of(quality, thrift):
        return 20 * (quality // 20) + 3 * np.sin(1e4 * quality)

    write, score, tried = as_scores(score_of)
    found = reach(write, Judge(target, score), standard.FINE_QUALITIES)
    assert found.score >= target
    assert len(tried) <= 20


def test_where_scores_jump_with_the_scale_the_thrift_does_the_rest():
    write, score, tried = as_scores(lambda quality, thrift: quality // 5 * 5 - 4 * np.log(thrift))
    found = aim(write, Judge(63.0, score), direct.QUALITIES)
    assert 63 <= found.score <= 63.3
    assert found.quality == pytest.approx(65, abs=0.2)
    assert len(tried) <= 20


def test_equal_input_gives_equal_bytes_as_a_view_too_and_is_left_alone(rng):
    image, saliency = texture(rng, (24, 24)), rng.random((24, 24))
    before = image.copy(), saliency.copy()
    assert encode(image, saliency) == encode(image, saliency)
    assert encode(np.rot90(image)) == encode(np.rot90(image).copy())
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(saliency, before[1])


def test_an_unknown_method_is_answered_with_the_known_ones(rng):
    with pytest.raises(ValueError, match="direct, direct-flat, mosaic, standard"):
        encode(texture(rng, (8, 8)), method="jpeg2000")
    check_methods(METHODS)
    with pytest.raises(ArgumentError, match="jpeg2000"):
        check_methods(["standard", "jpeg2000"])


@pytest.mark.parametrize(
    ("shape", "dtype", "words"),
    [
        ((8, 8), np.uint8, "uint8"),
        ((8, 8, 4), np.uint8, "uint8"),
        ((8, 8, 3), float, "uint8"),
        ((0, 8, 3), np.uint8, "sides from 1"),
    ],
)
def test_an_image_must_be_eight_bit_rgb_and_have_pixels(shape, dtype, words):
    with pytest.raises(ValueError, match=words):
        encode(np.zeros(shape, dtype))


@pytest.mark.parametrize(
    ("saliency", "words"),
    [(np.where(np.eye(8), value, 0.5), "from 0 to 1") for value in (np.nan, np.inf, -0.1, 1.1)]
    + [(np.zeros((8, 9)), "float"), (np.zeros((8, 8), np.uint8), "float")],
)
def test_what_is_no_map_of_the_image_is_refused(rng, saliency, words):
    with pytest.raises(ArgumentError, match=words):
        encode(texture(rng, (8, 8)), saliency)


@pytest.mark.parametrize(
    ("option", "values"),
    [("quality", [0, 101, 50.5]), ("levels", [1, 2.5]), ("q_low", [0, 80]), ("q_high", [101])],
)
def test_an_option_out_of_its_range_is_refused(rng, option, values):
    for value in values:
        with pytest.raises(ArgumentError, match=f"{option}.*{value}"):
            encode(texture(rng, (8, 8)), method="mosaic", **{option: value})


@pytest.mark.parametrize("method", ["standard", "direct", "mozjpeg"])
def test_an_option_of_another_method_is_refused(rng, method):
    with pytest.raises(TypeError, match="levels"):
        encode(texture(rng, (8, 8)), method=method, levels=5)


@pytest.mark.parametrize(
    ("method", "function"), [("direct", direct.encode), ("mosaic", make_mosaic)]
)
def test_the_table_of_methods_has_the_options_of_their_functions(method, function):
    inputs = {"image", "saliency", "quality", "max_bytes", "judge"}
    assert set(METHODS[method].options) == set(signature(function).parameters) - inputs
    assert METHODS[method].heeds_map and method in OFFERED


def test_the_encoder_the_controls_and_the_package_load_without_torch():
    code = (
        "import sys, msroi, msroi.saliency; msroi.encode;"
        "heavy = {'torch', 'sewar', 'skimage', 'scipy', 'pandas'};"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_a_method_needs_can_be_loaded_before_and_standard_needs_nothing():
    code = "import sys; from msroi import encoder; encoder.load(sys.argv[1])"
    code += "; print('numba' in sys.modules)"
    command = [sys.executable, "-c", code]
    loaded = {
        method: subprocess.run(
            [*command, method], capture_output=True, text=True, check=True
        ).stdout
        for method in ("standard", "direct", "direct-flat")
    }
    assert loaded == {"standard": "False\n", "direct": "True\n", "direct-flat": "True\n"}
