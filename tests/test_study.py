"""What is compared in the tables."""

import numpy as np
import pandas as pd
import pytest
from pictures import centred
from PIL import Image

from msroi.metrics import METRICS, PAPERS
from study.data.sets import load
from study.measure import evaluation
from study.rendered import scenes
from study.statistics import comparisons
from study.statistics.intervals import mean_interval

METHODS = {"standard": {}, "mosaic": {"levels": 5, "q_low": 30, "q_high": 70}}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("set")
    for category in ("a", "b"):
        (folder / category).mkdir()
        for seed in (1, 2):
            picture = scenes.render(192, 192, objects=["mug"], seed=seed).image
            Image.fromarray(picture).save(folder / category / f"{seed}.png")
    return evaluation.evaluate(
        load("mine", folder), {"MS-ROI": centred}, methods=METHODS, jobs=1
    ).table


def rows_of(*values):
    """A table of PSNRs: (image, method, psnr)."""
    base = {"category": "", "width": 8, "height": 8, "budget_bytes": 9}
    table = pd.DataFrame([{"image": i, "method": m, "psnr": p} | base for i, m, p in values])
    return table.reindex(columns=[*table, *(m for m in METRICS if m != "psnr")])


def test_paired_differences_are_each_images_own():
    table = rows_of(
        ("a", "standard", 30.0),
        ("b", "standard", 40.0),
        ("b", "mosaic", 41.5),
        ("a", "mosaic", 29.0),
    )
    difference = comparisons.paired_difference(table).set_index("image")["psnr"]
    assert difference.to_dict() == {"a": -1.0, "b": 1.5}


def test_an_interval_is_that_of_the_paired_differences_of_images_with_the_metric():
    gains = [1.0, 2.0, -0.5, 1.5]
    table = rows_of(
        *((f"i{n}", "standard", 30.0 + n) for n in range(5)),
        *((f"i{n}", "mosaic", 30.0 + n + gain) for n, gain in enumerate([*gains, np.nan])),
    )
    (row,) = comparisons.intervals(table, seed=3).to_dict("records")
    assert (row["method"], row["metric"], row["images"]) == ("mosaic", "psnr", 4)
    assert (row["mean"], row["low"], row["high"]) == mean_interval(np.array(gains), seed=3)
    assert row["improved"] == 0.75


def test_each_category_has_intervals_of_its_own():
    table = rows_of(*((i, m, p) for i in "ab" for m, p in (("standard", 30.0), ("mosaic", 31.0))))
    table["category"] = ["x", "x", "y", "y"]
    table.loc[3, "psnr"] = 27.0
    found = comparisons.by_category(table, seed=1).set_index("category")
    assert found["mean"].to_dict() == {"x": 1.0, "y": -3.0}
    assert found["images"].to_dict() == {"x": 1, "y": 1}


def test_one_method_is_held_against_each_of_the_others():
    table = rows_of(
        *((image, "standard", 30.0) for image in "ab"),
        *((image, "flat", 31.0) for image in "ab"),
        *((image, "direct", 33.0) for image in "ab"),
    )
    found = comparisons.against_each(table, "direct", seed=1)
    assert found.set_index("other")["mean"].to_dict() == {"standard": 3.0, "flat": 2.0}


def test_one_image_at_two_sizes_is_paired_by_size(image):
    sizes = evaluation.sizes(image.shape[:2], count=2, smallest=180)
    images = [evaluation.resize(image, size) for size in sizes]
    table = evaluation.evaluate_sizes(images, {"MS-ROI": centred}, "scene", methods=METHODS)
    difference = comparisons.paired_difference(table)
    assert list(zip(difference["height"], difference["width"], strict=True)) == sizes
    assert difference["psnr"].notna().all()


def test_the_summary_names_every_method_and_counts_images(table):
    summary = comparisons.summary(table)
    assert summary["images"] == 4
    assert 0.9 < summary["mosaic"]["budget_share"] <= summary["standard"]["budget_share"] == 1


def test_the_most_salient_box_is_where_the_map_is_highest():
    saliency = np.zeros((50, 80), np.float32)
    saliency[30:40, 60:70] = 1
    rows, columns = comparisons.most_salient_box(saliency, 10)
    assert (rows, columns) == (slice(30, 40), slice(60, 70))
    # larger than the image it is the image
    assert comparisons.most_salient_box(np.ones((5, 9)), 20) == (slice(0, 5), slice(0, 9))


def test_the_papers_rows_stand_above_ours(table):
    values = dict.fromkeys(PAPERS, 34.7)
    paper = pd.DataFrame([{"set": "K", "method": "Std", "images": 24} | values])
    both = comparisons.beside_paper(paper, {"Ours": table})
    assert list(both["source"]) == ["paper", "ours", "ours"]
    assert list(both["images"]) == [24, 4, 4]
    assert both["psnr"].iloc[0] == 34.7
    for metric in METRICS:
        mean = table.query("method == 'mosaic'")[metric].mean()
        assert both[metric].iloc[2] == pytest.approx(mean)
    assert both["ssimulacra2"].isna().tolist() == [True, False, False]  # the paper has none
