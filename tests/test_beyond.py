"""What other codecs gain by a map: the tables, and the article's words."""

import json
import re
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
import typst
from kodak import composed, content, pictures, published
from test_article import plain

from msroi.metrics import METRICS
from study.article import article
from study.statistics import beyond, intervals, ladder, recognition

IMAGES = 6


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    """Of hundreds of intervals, none of whose last digits matters here."""
    for module in (intervals, ladder):
        monkeypatch.setattr(module, "RESAMPLES", 99)


def results(judge="psnr_fix", **gains):
    """A table of results: a row of a codec (`_` for `-`) → what it gains over the plain one, dB.

    Rows that are not given gain nothing; images differ a little.
    """
    given = {method.replace("_", "-"): gain for method, gain in gains.items()}
    noise = np.random.default_rng(1).normal(0, 0.01, IMAGES)
    rows = []
    for codec, methods in beyond.CODECS.items():
        for method, name in methods.items():
            for n in range(IMAGES):
                value = 30.0 + n + given.get(method, 0) + (noise[n] if name else 0)
                measured = dict.fromkeys([*METRICS, judge], value)
                rows.append({"image": f"i{n}", "method": method, "codec": codec, **measured})
    constant = {"category": "", "width": 8, "height": 8, "budget_bytes": 9, "bytes": 9}
    return pd.DataFrame(rows).drop(columns="codec").assign(**constant)


def test_a_codec_is_compared_with_itself_without_a_map():
    table = beyond.less_plain({"Some": results(x264_led=2, x264_oracle=4, webp_led=-1)}, seed=1)
    judged = table[table["judge"]].set_index(["codec", "map"])
    assert judged.at[("x264", "MS-ROI"), "mean"] == pytest.approx(2, abs=0.05)
    assert judged.at[("webp", "MS-ROI"), "mean"] == pytest.approx(-1, abs=0.05)
    assert judged.at[("x265", "MS-ROI"), "mean"] == pytest.approx(0, abs=0.05)
    assert set(table["codec"]) == set(beyond.CODECS)


def test_a_share_is_of_what_the_truth_gains_and_of_the_judge_alone():
    table = beyond.less_plain({"Some": results(x264_led=2, x264_oracle=4)}, seed=1)
    own = table[(table["codec"] == "x264") & (table["map"] == "MS-ROI")].set_index("metric")
    assert own.at["psnr_fix", "share"] == pytest.approx(0.5, abs=0.02)
    assert own["share_low"]["psnr_fix"] <= own["share"]["psnr_fix"] <= own["share_high"]["psnr_fix"]
    assert own.drop("psnr_fix")["share"].isna().all()


def test_a_codec_that_was_not_run_is_left_out():
    some = results()
    some = some[~some["method"].str.startswith("avif")]
    assert "avif" not in set(beyond.less_plain({"Some": some}, seed=1)["codec"])


def test_a_led_file_of_half_the_bytes_has_half_the_rate():
    steps = np.arange(4)
    curves = [
        pd.DataFrame(
            {
                "image": image,
                "method": method,
                "bytes": share * 1000 * 2.0**steps,
                "psnr": 30.0 + 3 * steps,
                "psnr_fix": 30.0 + 3 * steps,
            }
        )
        for image in ("a", "b")
        for method, share in (("x265", 1.0), ("x265-led", 0.5))
    ]
    found = beyond.bd_rates(pd.concat(curves), codec="x265", seed=1).set_index("metric")
    assert found["mean"].to_dict() == pytest.approx({"psnr_fix": -50, "psnr": -50})


def recognised(led=0, few=IMAGES):
    """Shares of images that a classifier names as before, of two sets, without noise.

    *direct* agrees in ``led`` images more than *direct-flat*; jpegli has ``few`` of the files.
    """
    agreeing = {"standard": 1, "jpegli": 2, "direct-flat": 2, "direct": 2 + led}
    rows = [
        {"image": n, "method": method, "quality": quality, "original_class": 7}
        | {"decoded_class": 7 if n < count else 8}
        for method, count in agreeing.items()
        for quality in (5, 50)
        for n in range(few if (method, quality) == ("jpegli", 5) else IMAGES)
    ]
    return recognition.agreement(dict.fromkeys(("Seen", "Known"), pd.DataFrame(rows)), seed=1)


@pytest.fixture
def said(tmp_path):
    """A function: the words of an article that has other codecs, by what each of them gains."""

    def words(shares=None, **gains):
        params = deepcopy(composed("kodak"))
        params["report"]["discussion"] = None
        sets = {"One": results(**gains), "Two": results("psnr_objects", **gains)}
        rates = [
            {"against": "x265", "method": "x265-led", "metric": metric, "images": 6}
            | {"mean": -20.0, "low": -25.0, "high": -15.0}
            for metric in ("psnr_fix", "psnr")
        ]
        tables = published() | {
            "beyond_jpeg": beyond.less_plain(sets, seed=1),
            "beyond_jpeg_rates": pd.DataFrame(rates),
            "beyond_jpeg_recognised": recognised() if shares is None else shares,
            "beyond_jpeg_clips": beyond.of_clips({"x264": films(), "x265": films()}, seed=1),
        }
        folder = tmp_path / "article"
        folder.mkdir(exist_ok=True)
        source = article.lay_out(content(tables, params), pictures(tmp_path), folder)
        found = typst.query(source, "par", root=folder, ignore_system_fonts=True)
        return "\n".join(plain(node) for node in json.loads(found))

    return words


def test_sets_stand_side_by_side_with_interval_and_share():
    sets = {"One": results(x264_led=2, x264_oracle=4), "Two": results(x264_led=-2, x264_oracle=4)}
    table = beyond.less_plain(sets, seed=1)
    wide = beyond.side_by_side(table[table["judge"]]).set_index(["map", "codec"])
    assert list(wide.columns) == ["One", "Two"]
    assert re.fullmatch(r"\+2\.0\d \(\+[12].* to \+2.*\), 5\d%", wide.at[("MS-ROI", "x264"), "One"])
    assert wide.at[("MS-ROI", "x264"), "Two"].startswith("−")
    assert "%" not in wide.at[("oracle", "x264"), "One"]


def films():
    """Results of two videos, of which MS-ROI's map is right and a centre prior is not."""
    gains = {"MS-ROI": (1.5, -1.0), "centre prior": (-1.2, 0.0)}
    return pd.DataFrame(
        {"clip": clip, "map": name, "part": part, "gain": gain + clip / 10, "frames": 75}
        | {"map_change": 0.001 + clip / 1000, "frame_change": 0.006}
        for clip in (0, 1)
        for name, own in gains.items()
        for part, gain in zip(("objects", "the rest"), own, strict=True)
    )


def test_clips_gain_part_by_part_under_each_map():
    found = beyond.of_clips({"x264": films()}, seed=1).set_index(["map", "part"])
    assert found.at[("MS-ROI", "objects"), "mean"] == pytest.approx(1.55)
    assert found.at[("MS-ROI", "objects"), "low"] == pytest.approx(1.5)
    assert found.at[("centre prior", "the rest"), "high"] == pytest.approx(0.1)
    assert found.at[("MS-ROI", "objects"), "map_change"] == pytest.approx(0.15)
    assert set(found["clips"]) == {2}


def test_the_article_tells_what_objects_in_videos_gain_and_how_steady_the_maps_are(said):
    text = said()
    assert "On 2 clips of 75 frames" in text
    assert "x264 +1.55 dB (+1.50 to +1.60) and x265 +1.55 dB" in text
    assert "MS-ROI’s map changes by 0.15% of its range in the mean, and the frames by 0.60%" in text


LED = ("x264_led", "x265_led", "jpeg2000_led", "webp_led", "avif_led")


def test_the_verdict_holds_for_all_codecs_that_gain_by_every_judge(said):
    text = said(**dict.fromkeys(LED, 1.0), x264_oracle=2.0)
    assert "So the paper’s sentence holds for all codecs tried." in text
    assert "By every set’s judge x264, x265, jpeg2000, webp and avif gain." in text
    assert "on “One” (6 images) x264 +1.00 dB (" in text
    assert "by −20.0% (−25.0 to −15.0) at equal PSNR at fixations" in text


def test_the_verdict_counts_the_codecs_that_gain(said):
    text = said(x264_led=1.0, x265_led=1.0, webp_led=-1.0)
    assert "So the paper’s sentence holds for 2 of the 5 codecs tried." in text
    assert "By every one webp loses." in text
    assert "Not by every one are jpeg2000 and avif told to gain or to lose." in text


def test_whether_the_map_keeps_names_follows_from_the_interval(said):
    assert "the map direct keeps no more and no fewer names that could be told than" in said()
    assert "With the map direct keeps more names than direct-flat" in said(
        recognised(led=IMAGES - 2)
    )


def test_the_article_says_of_how_many_images_a_method_has_a_file(said):
    text = said(recognised(few=4))
    assert "at the bytes of the standard JPEG of" in text
    assert "on “Seen” (6 images, 4 for jpegli)" in text
    assert "for jpegli" not in said()


def test_an_article_of_jpeg_alone_has_no_word_of_other_codecs(tmp_path):
    folder = tmp_path / "article"
    folder.mkdir()
    said = content(published(), deepcopy(composed("kodak")))
    assert said["beyond"] is None
    source = article.lay_out(said, pictures(tmp_path), folder)
    found = typst.query(source, "par", root=folder, ignore_system_fonts=True)
    assert "x265" not in "\n".join(plain(node) for node in json.loads(found))
