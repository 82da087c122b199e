"""The metrics: values worked out by hand, identities, invariances, errors; libraries, Kodak."""

import os
import subprocess
import sys
import tracemalloc
from math import inf, isnan, log10
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from msroi import metrics, score
from msroi.encoder import encode
from msroi.errors import ArgumentError
from msroi.images import decode, luma, read_image

SINGLE = {
    "psnr": metrics.psnr,
    "psnr_s": lambda x, y: metrics.psnr_s(x, y, hill(x.shape)),
    "psnr_hvs": lambda x, y: metrics.psnr_hvs_and_hvsm(x, y)[0],
    "psnr_hvsm": lambda x, y: metrics.psnr_hvs_and_hvsm(x, y)[1],
    "ssim": metrics.ssim,
    "ms_ssim": metrics.ms_ssim,
    "vifp": metrics.vifp,
}


def hill(shape):
    """A map that falls from the middle to all sides, alike when it is mirrored."""
    y, x = (1 - np.abs(2 * np.arange(side) + 1 - side) / side for side in shape)
    return y[:, None] * x


PERFECT = {name: inf if name.startswith("psnr") else 1 for name in SINGLE}


@pytest.fixture(scope="module")
def pair():
    """A smooth scene with some texture, and the same with noise: uint8 [176, 184]."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:176, :184]
    scene = 128 + 50 * np.sin(x / 17) * np.cos(y / 23) + rng.normal(0, 8, x.shape)
    noisy = scene + rng.normal(0, 6, x.shape)
    return scene.round().astype(np.uint8), noisy.round().astype(np.uint8)


@pytest.fixture(scope="module")
def values(pair):
    return {name: metric(*pair) for name, metric in SINGLE.items()}


@pytest.mark.parametrize("name", SINGLE)
def test_a_mirrored_pair_has_the_same_value(pair, values, name):
    mirrored = [np.ascontiguousarray(image[:, ::-1]) for image in pair]
    # they sample every other pixel, and mirroring shifts which ones
    tolerance = 2e-3 if name in ("ms_ssim", "vifp") else 1e-9
    assert SINGLE[name](*mirrored) == pytest.approx(values[name], rel=tolerance)


@pytest.mark.parametrize("name", SINGLE)
def test_identical_images_are_perfect_noise_is_worse_and_sizes_must_agree(pair, values, name, rng):
    assert SINGLE[name](pair[0], pair[0]) == pytest.approx(PERFECT[name], abs=1e-9)
    noisier = np.clip(pair[1] + rng.normal(0, 15, pair[1].shape), 0, 255).astype(np.uint8)
    assert SINGLE[name](pair[0], noisier) < values[name]
    with pytest.raises(ValueError, match="sizes differ"):
        SINGLE[name](pair[0], pair[1][:-1])


@pytest.mark.parametrize(
    ("name", "side"),
    [("psnr_hvs", 8), ("psnr_hvsm", 8), ("ssim", 11), ("ms_ssim", 176), ("vifp", 41)],
)
def test_an_image_smaller_than_the_window_has_no_value(pair, name, side):
    just, below = ([image[:n, :176] for image in pair] for n in (side, side - 1))
    assert not isnan(SINGLE[name](*just))
    assert isnan(SINGLE[name](*below))


MAP = np.array([[0.1, 0.11, 0.12, 0.13]], np.float32)
WEIGHTS = np.array([[3.0, 4.0, 1.0, 0.0]])


@pytest.mark.parametrize(
    ("metric", "errors", "mse"),
    [
        (metrics.psnr, [0, 0, 0, 10], 25),
        (lambda x, y: metrics.psnr_s(x, y, MAP), [100, 50, 9, 8], 64),
        (lambda x, y: metrics.psnr_s(x, y, MAP, share=0.5), [100, 50, 6, 8], (36 + 64) / 2),
        (lambda x, y: metrics.psnr_weighted(x, y, WEIGHTS), [2, 1, 0, 9], (3 * 4 + 4 * 1) / 8),
    ],
)
def test_psnr_is_of_the_mean_squared_error_of_the_pixels_that_count(metric, errors, mse):
    reference, distorted = np.zeros((1, 4), np.uint8), np.array([errors], np.uint8)
    assert metric(reference, distorted) == pytest.approx(10 * log10(255**2 / mse))


def test_psnr_does_not_wrap_around():
    black, white = np.zeros((4, 4), np.uint8), np.full((4, 4), 255, np.uint8)
    assert metrics.psnr(black, white) == metrics.psnr(white, black) == 0


@pytest.mark.parametrize(("metric", "level"), [(metrics.psnr_s, 1), (metrics.psnr_weighted, 0)])
def test_an_image_of_which_no_pixel_counts_has_no_value(pair, metric, level):
    assert isnan(metric(*pair, np.full(pair[0].shape, level)))


@pytest.mark.parametrize("share", [0.01, 0.1, 0.3, 0.5, 0.95])
@pytest.mark.parametrize("grey", [1 / 255, 1])
def test_the_salient_region_of_a_drawn_mask_is_the_mask(rng, share, grey):
    mask = (rng.permutation(2000) < 2000 * share).reshape(40, 50)
    np.testing.assert_array_equal(metrics.salient_region(0.2 + 0.8 * grey * mask), mask)


def test_the_salient_region_is_where_the_map_is_largest_whatever_its_scale(rng):
    saliency = rng.permutation(2000).reshape(40, 50) / 2000
    region = metrics.salient_region(saliency)
    np.testing.assert_array_equal(region, saliency >= 0.7)
    for stretched in (0.2 + 0.3 * saliency, 1e-3 * saliency, saliency**2, np.sqrt(saliency)):
        np.testing.assert_array_equal(metrics.salient_region(stretched), region)
    assert metrics.salient_region(saliency, 0.1).mean() == pytest.approx(0.1, abs=0.001)


def test_the_salient_region_of_a_map_of_eight_bits_differs_by_ties_alone(rng):
    saliency = rng.random((100, 100)).astype(np.float32)
    stored = np.rint(255 * saliency).astype(np.uint8) / np.float32(255)
    region, of_stored = metrics.salient_region(saliency), metrics.salient_region(stored)
    assert not (region & ~of_stored).any()
    assert of_stored.sum() - region.sum() < (stored == stored[of_stored].min()).sum()


def test_weights_alike_everywhere_give_psnr_their_unit_does_not_matter_their_size_does(pair, rng):
    weights = np.full(pair[0].shape, 0.25)
    assert metrics.psnr_weighted(*pair, weights) == pytest.approx(metrics.psnr(*pair))
    weights = rng.random(pair[0].shape)
    value = metrics.psnr_weighted(*pair, weights)
    assert metrics.psnr_weighted(*pair, 1e-9 * weights) == pytest.approx(value)
    with pytest.raises(ValueError, match="sizes differ"):
        metrics.psnr_weighted(*pair, np.ones((3, 3)))


def test_psnr_hvs_of_a_step_in_brightness():
    """A difference of 16 everywhere is a DC error of 8·16, weighted 1.608443 in Eq. 1."""
    reference = np.full((8, 8), 100, np.uint8)
    expected = 10 * log10(255**2 / (16 * 1.608443) ** 2)
    both = metrics.psnr_hvs_and_hvsm(reference, reference + np.uint8(16))
    assert both == pytest.approx((expected, expected), abs=1e-3)  # masking spares the DC


def test_psnr_hvs_leaves_out_the_rows_beyond_whole_blocks(pair):
    reference, distorted = pair
    cut = metrics.psnr_hvs_and_hvsm(reference[:16, :16], distorted[:16, :16])
    assert metrics.psnr_hvs_and_hvsm(reference[:21, :19], distorted[:21, :19]) == cut


@pytest.mark.parametrize(
    ("metric", "side", "power", "tolerance"),
    [
        (metrics.ssim, 16, 1, 1e-9),
        # luminance enters at the last scale only; borders reflect at no scale
        (metrics.ms_ssim, 176, 0.1333, 2e-3),
    ],
)
def test_similarity_of_two_flat_images_is_that_of_their_luminance(metric, side, power, tolerance):
    a, b, c1 = 100, 120, (0.01 * 255) ** 2
    value = metric(*(np.full((side, side), level, np.uint8) for level in (a, b)))
    luminance = (2 * a * b + c1) / (a**2 + b**2 + c1)
    assert value == pytest.approx(luminance**power, abs=tolerance)


def test_ms_ssim_of_a_negative_is_a_real_number(pair):
    assert isinstance(metrics.ms_ssim(pair[0], 255 - pair[0]), float)


def test_vifp_is_zero_where_all_information_is_lost_and_has_no_value_where_there_was_none(pair):
    flat = np.full(pair[0].shape, 128, np.uint8)
    assert metrics.vifp(pair[0], flat) == pytest.approx(0, abs=1e-6)
    assert isnan(metrics.vifp(flat, pair[0]))


def pairs(shape):
    """A textured scene beside what was done to it, and what is hard to compare."""
    rng = np.random.default_rng(1)
    y, x = np.indices(shape)
    scene = np.clip(128 + 60 * np.sin(x / 9) * np.cos(y / 7) + rng.normal(0, 12, shape), 0, 255)
    noisy = np.clip(scene + rng.normal(0, 10, shape), 0, 255)
    half_flat = np.where(x < shape[1] // 2, 200, scene), np.where(y < shape[0] // 2, 200, noisy)
    brighter_pixel, darker_pixel = np.full((2, *shape), 250)
    brighter_pixel[shape[0] // 2, shape[1] // 2] += 1
    darker_pixel[0, 0] -= 1
    return {
        "noisy": (scene, noisy),
        "negative": (scene, 255 - scene),
        "stronger": (64 + scene / 2, scene),
        "saturated": rng.choice([0, 255], (2, *shape)),
        "half flat": half_flat,
        "distorted to flat": (scene, np.full(shape, 128)),
        "one pixel in a flat image": (brighter_pixel, darker_pixel),
    }


@pytest.fixture(scope="module")
def sewar():
    full_ref = pytest.importorskip("sewar.full_ref", reason="compares with sewar")
    gaussian = {"fltr": full_ref.Filter.GAUSSIAN, "ws": 11, "sigma": 1.5}
    return {
        "ssim": lambda x, y: full_ref.ssim(x, y, MAX=255, fltr_specs=gaussian)[0],
        "ms_ssim": lambda x, y: full_ref.msssim(x, y, MAX=255),
        "vifp": full_ref.vifp,
    }


STRUCTURE = ["ssim", "ms_ssim", "vifp"]
ODD = [(177, 176), (179, 181), (202, 187)]
SMALL = {  # and at the edges of strips
    "ssim": [(11, 11), (11, 90), (74, 12), (75, 13), (139, 31)],
    "vifp": [(41, 41), (41, 90), (80, 42), (81, 43), (145, 59)],
}


@pytest.mark.parametrize(
    ("name", "kind", "shape"),
    [(name, kind, (176, 203)) for name in STRUCTURE for kind in pairs((2, 2))]
    + [(name, "noisy", shape) for name in STRUCTURE for shape in ODD + SMALL.get(name, [])],
)
def test_the_values_are_those_of_sewar(sewar, name, kind, shape):
    x, y = (image.astype(np.uint8) for image in pairs(shape)[kind])
    assert SINGLE[name](x, y) == pytest.approx(sewar[name](x, y), rel=0, abs=1e-9)


@pytest.mark.parametrize("name", ["ssim", "vifp"])
def test_a_tall_image_takes_little_memory(name):
    x, y = np.random.default_rng(2).integers(0, 256, (2, 30_000, 64), np.uint8)
    SINGLE[name](x[:64], y[:64])  # imports
    tracemalloc.start()
    SINGLE[name](x, y)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 1.5 * 8 * x.size  # vifp keeps its second scale, ssim only a strip


def test_compare_works_on_luma_but_for_ssimulacra2_and_has_psnr_s_only_with_a_map(pair):
    x, y = (np.stack([image, image // 2, 255 - image], axis=2) for image in pair)
    without = metrics.compare(x, y)
    with_map = metrics.compare(x, y, hill(pair[0].shape))
    of_luma = {name: metric(luma(x), luma(y)) for name, metric in SINGLE.items()}
    assert with_map == of_luma | {"ssimulacra2": metrics.ssimulacra2(x, y)}
    assert list(with_map) == [*SINGLE, "ssimulacra2"]
    assert set(with_map) == set(metrics.METRICS) and set(SINGLE) == set(metrics.PAPERS)
    assert list(without) == [name for name in with_map if name != "psnr_s"]
    del with_map["psnr_s"]
    assert with_map == without


@pytest.mark.parametrize(
    "shape", [(8, 8), (9, 150), (64, 69), (129, 74), (192, 128)], ids="{0[0]}×{0[1]}".format
)
def test_ssimulacra2_is_the_librarys_of_the_two_as_files(shape, pair, tmp_path):
    from ssimulacra2 import compute_ssimulacra2

    images = [np.stack([image, image // 2, 255 - image], axis=2) for image in pair]
    images = [np.ascontiguousarray(np.resize(image, (*shape, 3))) for image in images]
    paths = [tmp_path / "reference.png", tmp_path / "distorted.png"]
    for image, path in zip(images, paths, strict=True):
        Image.fromarray(image).save(path)
    library = compute_ssimulacra2(*map(str, paths))
    assert metrics.ssimulacra2(*images) == pytest.approx(library, abs=1e-9)


def test_a_reference_gives_each_of_many_images_what_compare_gives_and_its_truths(pair):
    reference, first = (np.stack([image, image // 2, 255 - image], axis=2) for image in pair)
    saliency, weights = hill(pair[0].shape), hill(pair[0].shape) ** 2
    many = metrics.Reference(reference, saliency, {"psnr_fix": weights})
    for distorted in (first, first[::-1], reference):
        values = many.compare(distorted)
        own = metrics.psnr_weighted(luma(reference), luma(distorted), weights)
        assert values.pop("psnr_fix") == own
        assert values == metrics.compare(reference, distorted, saliency)
    with pytest.raises(ValueError, match="sizes differ"):
        many.compare(first[:-1])
    with pytest.raises(ValueError, match="sizes differ"):
        metrics.Reference(reference, None, {"psnr_fix": weights[:-1]})


def test_ssimulacra2_looks_at_colour_and_is_100_for_identical_images(pair):
    grey = np.stack([pair[0]] * 3, axis=2)
    tinted = grey.copy()
    tinted[..., 2] = 255 - tinted[..., 2] // 2
    assert metrics.ssimulacra2(grey, grey) == pytest.approx(100)
    assert metrics.ssimulacra2(grey, tinted) < 50
    with pytest.raises(ValueError, match="sizes differ"):
        metrics.ssimulacra2(grey, grey[:-1])


@pytest.mark.parametrize("shape", [(7, 40), (40, 7), (4097, 4096)])
def test_ssimulacra2_has_no_value_for_a_side_below_8_and_above_16_megapixels(shape):
    image = np.zeros((*shape, 3), np.uint8)
    assert isnan(metrics.ssimulacra2(image, image))


def test_ssimulacra2_has_a_value_just_within_its_limits():
    image = np.zeros((8, 8, 3), np.uint8)
    assert metrics.ssimulacra2(image, image) == pytest.approx(100)
    assert score.scorable((4096, 4096, 3)) and not score.scorable((4096, 4097, 3))


def test_compare_takes_a_single_pixel():
    pixel = np.zeros((1, 1, 3), np.uint8)
    result = metrics.compare(pixel, pixel, np.ones((1, 1)))
    assert result.pop("psnr") == inf
    assert all(isnan(value) for value in result.values())  # one pixel is a flat map


@pytest.mark.parametrize(
    ("shape", "dtype", "words"),
    [((8, 8), "u1", "uint8"), ((8, 8, 3), "float", "uint8"), ((8, 9, 3), "u1", "sizes differ")],
)
def test_compare_refuses_other_than_eight_bit_rgb_and_a_map_of_another_size(shape, dtype, words):
    image = np.zeros(shape, dtype)
    with pytest.raises(ValueError, match=words):
        metrics.compare(image, image, np.ones((8, 8)))


def test_nothing_is_printed_on_stdout():
    code = (
        "import numpy as np; from msroi import metrics;"
        "print(metrics.psnr_hvs_and_hvsm(*np.zeros((2, 8, 8), np.uint8)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "(inf, inf)\n"


KODAK = Path(os.environ.get("MSROI_DATA", "")) / "kodak"
PUBLISHED = {  # VQMT 1.1 on the same images: design notes, standard JPEG of quality 50
    "psnr": (33.37, 0.005),
    "psnr_hvs": (35.39, 0.005),
    "psnr_hvsm": (42.22, 0.005),
    "ssim": (0.912, 0.0005),
    "ms_ssim": (0.987, 0.001),
    "vifp": (0.517, 0.0005),
}


def _score(path: Path) -> dict[str, float]:
    image = read_image(path).pixels
    return metrics.compare(image, decode(encode(image, method="standard", quality=50)))


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("MSROI_DATA"), reason="needs Kodak in MSROI_DATA")
def test_the_means_over_kodak_are_those_of_the_authors_tool():
    joblib = pytest.importorskip("joblib")
    paths = sorted(KODAK.glob("kodim*.png"))
    rows = joblib.Parallel(n_jobs=2)(joblib.delayed(_score)(path) for path in paths)
    assert len(rows) == 24
    means = {name: np.mean([row[name] for row in rows]) for name in PUBLISHED}
    print(means)
    for name, (expected, tolerance) in PUBLISHED.items():
        assert means[name] == pytest.approx(expected, abs=tolerance), name


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.1, 1.1])
def test_a_map_outside_zero_to_one_is_refused(rng, value):
    image = rng.integers(0, 256, (16, 16, 3), np.uint8)
    saliency = np.full((16, 16), 0.5, np.float32)
    saliency[3, 4] = value
    with pytest.raises(ArgumentError, match="finite values from 0 to 1"):
        metrics.compare(image, image, saliency)
