"""The sample images: what scikit-image carries, and the miniature of CAT2000's categories."""

import numpy as np
import pytest
from PIL import Image

from study.rendered.sample import effects, photos
from study.rendered.sample.categories import CATEGORIES, categories, write_categories
from study.rendered.sample.photos import PHOTOGRAPHS, photographs, write_photographs

CAT2000 = (
    "Action Affective Art BlackWhite Cartoon Fractal Indoor Inverted Jumbled LineDrawing "
    "LowResolution Noisy Object OutdoorManMade OutdoorNatural Pattern Random Satelite Sketch Social"
)


@pytest.fixture(scope="module")
def miniature():
    return list(categories(3, (64, 96), seed=5))


@pytest.fixture
def photograph():
    return dict(photographs())["coffee"][:120, :180]


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("The sample must not open a connection.")

    monkeypatch.setattr("socket.socket.connect", refuse)


def test_photographs_are_the_colour_ones_in_the_wheel_and_written_as_they_are(tmp_path):
    sizes = {name: image.shape for name, image in photographs()}
    assert list(sizes) == list(PHOTOGRAPHS)
    assert sizes["astronaut"] == (512, 512, 3)
    assert sizes["coffee"] == (400, 600, 3)
    write_photographs(tmp_path / "photos")
    for name, image in photographs():
        assert image.dtype == np.uint8, name
        assert np.ptp(image.astype(int), axis=2).max() > 50, name
        with Image.open(tmp_path / "photos" / f"{name}.png") as written:
            np.testing.assert_array_equal(np.asarray(written), image)


def test_a_photograph_missing_from_the_wheel_is_named_and_without_a_wheel_the_remedy(monkeypatch):
    monkeypatch.setitem(photos.PHOTOGRAPHS, "unicorn", "unicorn.png")
    with pytest.raises(FileNotFoundError, match=r"unicorn\.png is missing from scikit-image"):
        photos.photograph("unicorn")
    monkeypatch.setattr(photos, "find_spec", lambda name: None)
    photos.photograph.cache_clear()
    with pytest.raises(FileNotFoundError, match="pip install"):
        photos.photograph("cat")


def test_every_category_of_cat2000_has_three_images_of_the_size(miniature):
    assert list(CATEGORIES) == CAT2000.split()
    assert [(c, n) for c, n, _ in miniature] == [
        (category, name) for category in CATEGORIES for name in ("001", "002", "003")
    ]
    assert {image.shape for _, _, image in miniature} == {(64, 96, 3)}
    assert {image.dtype for _, _, image in miniature} == {np.dtype(np.uint8)}


def test_no_two_images_are_alike_and_none_is_blank_and_a_seed_gives_the_same(miniature):
    assert len({image.tobytes() for _, _, image in miniature}) == 60
    assert min(image.std() for _, _, image in miniature) > 5
    again = categories(3, (64, 96), seed=5)
    assert [i.tobytes() for _, _, i in miniature] == [i.tobytes() for _, _, i in again]


def test_written_categories_lie_in_folders(tmp_path):
    write_categories(tmp_path / "categories", count=1, size=(40, 60), seed=1)
    files = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.png"))
    assert files == [f"categories/{category}/001.png" for category in sorted(CATEGORIES)]


def test_black_and_white_keeps_no_colour(photograph):
    grey = effects.black_and_white(photograph)
    assert np.ptp(grey.astype(int), axis=2).max() == 0


def test_jumbling_moves_pixels_changes_none_and_keeps_what_its_pieces_leave_over(photograph):
    result = effects.jumbled(photograph, np.random.default_rng(0), pieces=(7, 11))
    assert np.mean(result != photograph) > 0.5
    np.testing.assert_array_equal(np.sort(result, axis=None), np.sort(photograph, axis=None))
    np.testing.assert_array_equal(result[119:], photograph[119:])
    np.testing.assert_array_equal(result[:, 176:], photograph[:, 176:])


def test_a_cartoon_has_fewer_colours_and_dark_outlines(photograph):
    flat = effects.cartoon(photograph, colours=6)
    counts = np.unique(flat.reshape(-1, 3), axis=0, return_counts=True)[1]
    assert np.sort(counts)[-6:].sum() > 0.4 * counts.sum()


@pytest.mark.parametrize("effect", [effects.painted, effects.low_resolution])
def test_painting_and_low_resolution_lose_detail_and_keep_the_mean(photograph, effect):
    result = effect(photograph)
    assert result.mean() == pytest.approx(photograph.mean(), abs=3)
    before, after = (np.abs(np.diff(x.astype(int), axis=1)).mean() for x in (photograph, result))
    assert after < 0.7 * before


def test_a_flat_image_draws_no_line_and_shows_noise_of_the_deviation_asked_for(rng):
    flat = np.full((60, 80, 3), 128, np.uint8)
    assert effects.line_drawing(flat).min() == effects.sketch(flat).min() == 255
    assert effects.noisy(flat, rng, sigma=20).std() == pytest.approx(20, abs=1)


def test_motion_leaves_the_centre_sharp_and_blurs_the_rim(photograph):
    result = effects.moving(photograph)
    np.testing.assert_array_equal(result[55:65, 80:100], photograph[55:65, 80:100])
    assert np.mean(result[:10] != photograph[:10]) > 0.5
