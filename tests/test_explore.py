"""The explorer: its steps, its brush, and its panel, whose real widgets are moved here."""

import datetime
import io
import re

import numpy as np
import pandas as pd
import pytest
from pictures import centred, photograph
from PIL import Image

from msroi import metrics
from msroi.encoder import OFFERED, encode
from msroi.images import decode, png
from msroi.saliency import flat_map
from study.show import explore
from study.show.explore import subject
from study.show.explore.subject import error_image, numbers

MOSAIC = {"levels": 5, "q_low": 30, "q_high": 70}
SETTINGS = {"method": "direct", "quality": 50, "strength": 3.0, **MOSAIC}


@pytest.fixture
def folder(tmp_path, photo):
    Image.fromarray(photo).save(tmp_path / "a.png")
    Image.fromarray(photo[:48, ::-1]).save(tmp_path / "b.png")
    (tmp_path / "notes.txt").write_text("not among the pictures")
    return tmp_path


@pytest.fixture
def panel(folder):
    maps = {"centre": centred, "flat": flat_map}
    return explore.Panel(folder, maps, image="a.png", map_name="centre", **SETTINGS)


def upload(button, name, content):
    """As the browser sends a file that was chosen."""
    when = datetime.datetime.now(datetime.UTC)
    sent = {"name": name, "type": "", "size": len(content), "last_modified": when}
    button.value = ({**sent, "content": memoryview(content)},)


def mouse(canvas, *events):
    """As the browser tells what the mouse does on a canvas: (event, x, y) in its pixels."""
    for event, x, y in events:
        canvas._handle_custom_msg({"event": f"mouse_{event}", "x": x, "y": y}, [])


def stroke(panel, *points):
    """Press the button at the first point, move over the others, and let go at the last."""
    moved = [("move", x, y) for x, y in points[1:]]
    mouse(panel.easel, ("down", *points[0]), *moved, ("up", *points[-1]))


def shown(panel):
    return decode(bytes(panel.pictures["JPEG"].value))


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("direct", {"strength": 2.0}),
        ("mosaic", {"levels": 3, "q_low": 20, "q_high": 80}),
        ("standard", {}),
        ("direct-flat", {}),
    ],
)
def test_a_step_is_the_encoders_own_file(photo, method, options):
    settings = {"strength": 2.0, "levels": 3, "q_low": 20, "q_high": 80, "quality": 40}
    made = explore.step(photo, centred(photo), method=method, **settings)
    assert made.data == encode(photo, centred(photo), method=method, quality=40, **options)
    assert len(made.data) <= made.budget_bytes
    assert made.budget_bytes == len(encode(photo, method="standard", quality=40))
    assert np.array_equal(made.pixels, decode(made.data))
    of_luma = ["psnr_s", "psnr", "psnr_hvs", "psnr_hvsm", "ssim"]
    assert list(made.values) == [*of_luma, "ssimulacra2"]
    assert made.values["ssimulacra2"] == metrics.ssimulacra2(photo, made.pixels)
    assert all(np.isfinite(value) for value in made.values.values())


def test_an_error_of_three_levels_is_thirty_and_a_large_one_is_white():
    reference, distorted = np.array([[100, 100, 10]], np.uint8), np.array([[97, 100, 90]], np.uint8)
    assert error_image(reference, distorted).tolist() == [[30, 0, 255]]


def test_a_table_has_a_row_a_step(photo):
    steps = {"standard": explore.step(photo, centred(photo), method="standard")}
    steps["direct"] = explore.step(photo, centred(photo))
    made = explore.table(steps)
    assert made["method"].tolist() == ["standard", "direct"]
    assert made["bytes"].tolist() == [len(each.data) for each in steps.values()]
    assert made["psnr"].iloc[1] == steps["direct"].values["psnr"]


def test_numbers_have_their_units_digits_and_differences():
    made = pd.DataFrame(
        {"method": ["standard", "direct"], "bytes": [5000, 4990], "budget_bytes": 5000}
        | {"psnr_s": [30, np.nan], "psnr": [30.0, 29.5], "ssim": [0.9, 0.95]}
        | {"ssimulacra2": [60.0, 61.26]}
    )
    salient = np.zeros((8, 4990), bool)
    salient[:2] = True
    said = numbers(made, salient)
    assert "<b>4,990</b> of 5,000 bytes:<br>99.8% of the budget, 1.00 bits a pixel" in said
    assert "PSNR-S is over 25% of the pixels" in said
    cells = re.findall(r"<t[dh] [^>]*>([^<]*)<", said)
    assert cells[-16:] == [
        *("PSNR-S, dB", "30.00", "–", "–"),  # of no salient pixel
        *("PSNR, dB", "30.00", "29.50", "-0.50"),
        *("SSIM", "0.900", "0.950", "+0.050"),
        *("SSIMULACRA2", "60.0", "61.3", "+1.3"),
    ]


def test_a_large_photograph_and_its_map_are_scaled_down_alike(tmp_path, monkeypatch):
    monkeypatch.setattr(subject, "LARGEST", 1536)
    Image.fromarray(photograph(64, 96)).save(tmp_path / "a.png")
    taken = explore.read_photo(tmp_path / "a.png")
    assert taken.pixels.shape == (32, 48, 3) and taken.shape == (64, 96)
    (tmp_path / "map.png").write_bytes(png(np.full((64, 96), 204, np.uint8)))
    scaled = subject.read_map_of(taken, tmp_path / "map.png")
    assert scaled == pytest.approx(np.full((32, 48), 0.8))


def test_a_stroke_on_black_is_salient_within_the_radius_of_its_path_and_nowhere_else():
    touched = subject.touch((101, 141), [(50, 50), (90, 50)], 20)
    salient = metrics.salient_region(touched)
    assert touched[50, 50] == touched[50, 70] == touched[50, 90] == 1
    assert touched[60, 70] == pytest.approx(1 - 0.5**2)
    assert salient[50, 109] and not salient[50, 111] and not salient[71, 70]
    assert subject.touch((101, 141), [(50, 50), (50, 50)], 20)[50, 50] == 1  # a click
    assert not subject.touch((101, 141), [(500, 50)], 20).any()


def test_a_map_is_light_on_its_photograph():
    white, saliency = np.full((1, 3, 3), 200, np.uint8), np.array([[0, 0.5, 1]], np.float32)
    assert subject.lit(white, saliency)[0, :, 0].tolist() == [40, 120, 200]


def test_the_panel_begins_with_what_it_is_given_and_offers_only_pictures(panel, photo):
    expected = explore.step(photo, centred(photo), **SETTINGS)
    assert bytes(panel.pictures["JPEG"].value) == expected.data
    assert np.array_equal(panel.easel.picture, subject.lit(photo, centred(photo)))
    assert f"{len(expected.data):,}</b> of {expected.budget_bytes:,} bytes" in panel.numbers.value
    assert "a.png: 96×64 pixels" in panel.about.value and panel.message.value == ""
    assert panel.image.options == ("a.png", "b.png", "uploaded")
    assert panel.map.options == ("centre", "flat", "painted", "uploaded")
    assert panel.knobs["method"].options == OFFERED


def test_a_name_is_never_markup(folder, photo):
    Image.fromarray(photo).save(folder / "<b>.png")
    panel = explore.Panel(folder, {"flat": flat_map}, image="<b>.png", map_name="flat", **SETTINGS)
    assert panel.about.value.startswith("&lt;b&gt;.png")
    upload(panel.image_file, "<i>.png", b"This is no picture.")
    assert "&lt;i&gt;.png: is not an image" in panel.message.value


def test_a_knob_changes_the_picture_the_difference_and_the_numbers(panel):
    widgets = panel.pictures["JPEG"], panel.pictures["difference"], panel.numbers
    before = [widget.value for widget in widgets]
    panel.knobs["quality"].value = 20
    assert all(old != widget.value for old, widget in zip(before, widgets, strict=True))
    assert panel.steps["standard"].data == encode(photograph(64, 96), method="standard", quality=20)
    drawn = np.array(Image.open(io.BytesIO(panel.pictures["difference"].value)))
    assert np.array_equal(drawn, panel.steps["direct"].difference)


def test_only_the_knobs_that_the_method_heeds_can_be_moved_and_wait_until_they_are_let_go(panel):
    sliders = [knob for name, knob in panel.knobs.items() if name != "method"]
    assert not any(slider.continuous_update for slider in [*sliders, panel.brush["radius"]])
    heeded = {"direct": {"strength"}, "mosaic": set(MOSAIC), "standard": set()}
    for method, names in heeded.items():
        panel.knobs["method"].value = method
        still = {name for name, knob in panel.knobs.items() if knob.disabled}
        assert still == {"strength", *MOSAIC} - names


def test_the_standard_jpeg_is_made_once_for_a_budget(panel):
    first = panel.steps["standard"]
    panel.knobs["strength"].value = 5
    assert panel.steps["standard"] is first


def test_photograph_and_jpeg_lie_under_one_line_and_each_side_can_be_another(panel, photo):
    left, right = panel.curtain.pictures
    assert np.array_equal(left, photo) and np.array_equal(right, panel.steps["direct"].pixels)
    assert (panel.curtain.width, panel.curtain.height) == (96, 64)
    panel.sides[0].value = "standard JPEG"
    left, right = panel.curtain.pictures
    assert np.array_equal(left, panel.steps["standard"].pixels)
    assert np.array_equal(right, panel.steps["direct"].pixels)


def test_the_line_follows_the_mouse_while_it_is_held_and_stays_when_the_pictures_change(panel):
    curtain = panel.curtain
    assert curtain.line == 48
    mouse(curtain, ("move", 20, 5))
    assert curtain.line == 48
    mouse(curtain, ("down", 30, 5), ("move", 20, 9), ("up", 20, 9), ("move", 70, 9))
    assert curtain.line == 20
    panel.knobs["quality"].value = 20
    assert curtain.line == 20
    mouse(curtain, ("down", 30, 5), ("move", 300, 5))
    assert curtain.line == 95  # never out of reach


def test_q_low_above_q_high_is_a_sentence_and_mended_by_the_next_move(panel):
    panel.knobs["method"].value = "mosaic"
    before = panel.pictures["JPEG"].value
    panel.knobs["q_low"].value = 90
    assert "q_low must be from 1 to q_high" in panel.message.value
    assert panel.pictures["JPEG"].value == before
    panel.knobs["q_high"].value = 95
    assert panel.message.value == "" and panel.pictures["JPEG"].value != before


def test_another_photograph_is_read_and_encoded(panel, photo):
    panel.image.value = "b.png"
    assert shown(panel).shape == (48, 96, 3)
    assert np.array_equal(panel.curtain.pictures[0], photo[:48, ::-1])


def test_a_broken_file_of_the_folder_is_a_sentence(panel, folder):
    (folder / "b.png").write_bytes(b"no picture")
    panel.image.value = "b.png"
    assert "b.png: is not an image of a known format" in panel.message.value
    assert shown(panel).shape == (64, 96, 3)


def test_another_map_moves_the_bytes(panel, photo):
    panel.map.value = "flat"
    expected = explore.step(photo, flat_map(photo), **SETTINGS)
    assert bytes(panel.pictures["JPEG"].value) == expected.data


def test_painting_begins_with_the_map_that_is_shown(panel, photo):
    stroke(panel, (24, 48), (60, 48))
    touched = subject.touch((64, 96), [(24, 48), (60, 48)], 0.1 * 64)
    assert panel.map.value == "painted"
    assert panel.saliency == pytest.approx(1 - (1 - centred(photo)) * (1 - touched))
    assert panel.saliency[48, 40] == 1 and panel.saliency.max() <= 1
    assert np.array_equal(panel.easel.picture, subject.lit(photo, panel.saliency))
    expected = explore.step(photo, panel.saliency, **SETTINGS)
    assert bytes(panel.pictures["JPEG"].value) == expected.data
    assert panel.steps["standard"].values["psnr_s"] == pytest.approx(
        explore.step(photo, panel.saliency, method="standard").values["psnr_s"]
    )


def test_erasing_and_clearing_leave_less(panel, photo):
    panel.brush["does"].value, panel.brush["radius"].value = "erases", 20
    stroke(panel, (48, 32))
    assert panel.saliency[32, 48] < 0.01 < centred(photo)[32, 48]
    assert (panel.saliency <= centred(photo)).all() and panel.saliency.min() >= 0
    panel.clear_map.click()
    assert not panel.saliency.any()
    assert "–" in panel.numbers.value  # PSNR-S of no pixel


def test_a_stroke_is_encoded_once_when_it_ends_also_at_the_edge(panel, photo):
    steps = panel.steps
    panel.brush["radius"].value = 40
    mouse(panel.easel, ("move", 10, 10), ("down", 10, 10), ("move", 90, 10))
    assert panel.steps is steps and panel.map.value == "centre"
    mouse(panel.easel, ("out", 97, 10))
    assert panel.steps is not steps and panel.saliency[10, 50] == 1
    steps = panel.steps
    mouse(panel.easel, ("up", 90, 10), ("out", 90, 10))
    assert panel.steps is steps


def test_an_uploaded_photograph_is_chosen(panel):
    upload(panel.image_file, "mine.png", png(photograph(40, 56)))
    assert panel.image.value == "uploaded" and shown(panel).shape == (40, 56, 3)
    assert panel.image_file.value == () and panel.message.value == ""
    upload(panel.image_file, "other.png", png(photograph(24, 56)))
    assert shown(panel).shape == (24, 56, 3)


@pytest.mark.parametrize(
    ("button", "content", "words"),
    [
        ("image_file", b"This is no picture.", "is not an image of a known format"),
        ("image_file", b"", "the file is empty"),
        ("image_file", png(photograph(64, 96))[:2000], "cannot be read, damaged or truncated"),
        ("map_file", png(photograph(64, 96)), "a map must be a grey image"),
        ("map_file", png(np.zeros((9, 20), np.uint8)), "the map is 20×9 pixels, but its image is"),
    ],
)
def test_a_bad_upload_is_a_sentence_with_the_files_own_name(panel, button, content, words):
    before = panel.pictures["JPEG"].value
    upload(getattr(panel, button), "mine.jpg", content)
    assert f"mine.jpg: {words}" in panel.message.value
    assert panel.image.value == "a.png" and panel.map.value == "centre"
    assert panel.pictures["JPEG"].value == before


def test_what_reading_warns_of_is_said_in_the_panel(panel):
    file = io.BytesIO()
    Image.fromarray(photograph(40, 40)).convert("RGBA").rotate(45).save(file, "PNG")
    upload(panel.image_file, "see-through.png", file.getvalue())
    assert "JPEG has no transparency" in panel.message.value
    assert shown(panel).shape == (40, 40, 3)


def test_what_was_never_uploaded_is_asked_for_and_an_uploaded_map_is_followed(panel, photo):
    panel.map.value = "uploaded"
    assert "press “upload map”" in panel.message.value
    panel.map.value, panel.image.value = "centre", "uploaded"
    assert "press “upload photo”" in panel.message.value
    levels = np.rint(255 * centred(photo)[:, ::-1] ** 2).astype(np.uint8)
    upload(panel.map_file, "map.png", png(levels))
    assert panel.map.value == "uploaded"
    assert panel.saliency == pytest.approx(levels / np.float32(255))


def test_a_painted_map_stays_with_its_photograph(panel):
    stroke(panel, (24, 48))
    panel.image.value = "b.png"
    assert panel.map.value == "centre" and panel.message.value == ""
    panel.map.value = "painted"
    assert not panel.saliency.any()
