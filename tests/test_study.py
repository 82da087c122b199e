"""What is compared in the tables."""

import numpy as np
import pandas as pd
import pytest
from pictures import centred
from PIL import Image

from msroi import datasets, evaluation, scenes, study

METHODS = {"standard": {}, "mosaic": {"levels": 5, "q_low": 30, "q_high": 70}}


@pytest.fixture(scope="module")
def image():
    return scenes.render(200, 232, objects=["house"], seed=4).image


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("set")
    for category in ("a", "b"):
        (folder / category).mkdir()
        for seed in (1, 2):
            picture = scenes.render(192, 192, objects=["mug"], seed=seed).image
            Image.fromarray(picture).save(folder / category / f"{seed}.png")
    return evaluation.evaluate(
        datasets.load("mine", folder), {"MS-ROI": centred}, methods=METHODS, jobs=1
    ).table


def test_paired_differences_are_each_images_own():
    rows = [
        {"image": "a", "category": "", "width": 8, "height": 8, "method": "standard", "psnr": 30.0},
        {"image": "b", "category": "", "width": 8, "height": 8, "method": "standard", "psnr": 40.0},
        {"image": "b", "category": "", "width": 8, "height": 8, "method": "mosaic", "psnr": 41.5},
        {"image": "a", "category": "", "width": 8, "height": 8, "method": "mosaic", "psnr": 29.0},
    ]
    table = pd.DataFrame(rows).reindex(columns=[*rows[0], *study.METRICS[:1], *study.METRICS[2:]])
    difference = study.paired_difference(table).set_index("image")["psnr"]
    assert difference.to_dict() == {"a": -1.0, "b": 1.5}


def test_one_image_at_two_sizes_is_paired_by_size(image):
    sizes = evaluation.sizes(image.shape[:2], count=2, smallest=180)
    images = [evaluation.resize(image, size) for size in sizes]
    table = evaluation.evaluate_sizes(images, {"MS-ROI": centred}, "scene", methods=METHODS)
    difference = study.paired_difference(table)
    assert list(zip(difference["height"], difference["width"], strict=True)) == sizes
    assert difference["psnr"].notna().all()


def test_the_summary_names_every_method_and_counts_images(table):
    summary = study.summary(table)
    assert summary["images"] == 4
    assert 0.9 < summary["mosaic"]["budget_share"] <= summary["standard"]["budget_share"] == 1


def test_the_most_salient_box_is_where_the_map_is_highest():
    saliency = np.zeros((50, 80), np.float32)
    saliency[30:40, 60:70] = 1
    rows, columns = study.most_salient_box(saliency, 10)
    assert (rows, columns) == (slice(30, 40), slice(60, 70))


def test_a_box_larger_than_the_image_is_the_image():
    assert study.most_salient_box(np.ones((5, 9)), 20) == (slice(0, 5), slice(0, 9))


def test_the_papers_rows_stand_above_ours(table):
    paper = pd.DataFrame([{"set": "K", "method": "Std", "images": 24, "psnr": 34.7}])
    both = study.beside_paper(paper, {"Ours": table})
    assert list(both["source"]) == ["paper", "ours", "ours"]
    assert list(both["images"]) == [24, 4, 4]
    assert both["psnr"].iloc[0] == 34.7
    assert both["psnr"].iloc[2] == pytest.approx(table.query("method == 'mosaic'")["psnr"].mean())
