"""What a study will take, told before it starts: the arithmetic, by seconds that are given."""

from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from study.measure.cost import Growth, growth, megapixels, spelt
from study.stages import cost as stage
from study.stages.cost import START, Estimates

ROOT = Path(__file__).parent.parent


@pytest.fixture
def params(monkeypatch):
    monkeypatch.delenv("MSROI_DATA", raising=False)
    return deepcopy(yaml.safe_load((ROOT / "params.yaml").read_text()))


def test_seconds_grow_by_a_line_through_two_measurements_and_no_part_is_below_zero():
    assert growth((0.1, 1.2), (0.5, 2.0)) == pytest.approx(Growth(1.0, 2.0))
    assert growth((0.1, 0.1), (0.5, 2.0)) == Growth(0.0, 4.0)
    assert growth((0.1, 2.0), (0.5, 1.0)) == Growth(1.0, 0.0)
    assert Growth(1.0, 2.0).of([0.5, 0.25]) == 3.5


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(40, "40 s"), (750, "12 min"), (9600, "2 h 40 min"), (9 * 86_400 + 7200, "9 days 2 h")],
)
def test_a_duration_is_told_as_people_say_it(seconds, said):
    assert spelt(seconds) == said


def test_a_set_that_is_not_there_is_whole_but_for_the_part_that_is_asked_for(params, tmp_path):
    assert megapixels("scenes", params, root=tmp_path) == 40 * [0.192 * 0.256]
    assert megapixels("categories", params, root=tmp_path) == 60 * [0.192 * 0.256]
    assert megapixels("cat2000", params, root=tmp_path) == 2000 * [1.08 * 1.92]
    params["datasets"]["cat2000"] |= {"each": 10}
    assert len(megapixels("cat2000", params, root=tmp_path)) == 200
    params["datasets"]["cat2000"] |= {"categories": ["Action", "Social"]}
    assert len(megapixels("cat2000", params, root=tmp_path)) == 20
    params["datasets"]["kodak"] |= {"each": 6}
    assert len(megapixels("kodak", params, root=tmp_path)) == 6


def test_a_set_on_disk_is_as_it_lies_there(params, tmp_path):
    (tmp_path / "sample").mkdir()
    for name, side in {"cat": 100, "coffee": 200}.items():
        Image.fromarray(np.zeros((side, 50, 3), np.uint8)).save(tmp_path / f"sample/{name}.png")
    assert megapixels("sample", params, root=tmp_path) == [0.005, 0.01]
    assert megapixels("sample", params, root=tmp_path, only=["coffee"]) == [0.01]


def test_a_run_takes_its_images_by_their_pixels_at_every_rate(params, tmp_path, monkeypatch):
    """At 2 s an image and 10 s a megapixel."""
    given = {side: 2 + 10 * side**2 / 1e6 for side in stage.SIDES}
    monkeypatch.setattr(stage, "_evaluation_seconds", lambda maps, rows, side, jobs: given[side])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "msroi").symlink_to(ROOT / "msroi")
    estimates = Estimates(params, tmp_path)
    categories = params["evaluate"]["runs"]["categories"]
    whole = 60 * (2 + 10 * 0.192 * 0.256)
    assert estimates.evaluation(categories) == pytest.approx(START + whole)
    twice = categories | {"qualities": [20, 80], "scale": 0.5}
    assert estimates.evaluation(twice) == pytest.approx(START + 120 * (2 + 2.5 * 0.192 * 0.256))


def test_every_stage_of_a_study_but_the_fetching_has_an_estimate(params, tmp_path):
    assert list(Estimates(params, tmp_path).stages()) == [
        *("train@cam", "train@msroi", "evaluate@sample", "evaluate@categories"),
        *("evaluate@scenes", "evaluate@ablations", "evaluate@rates", "scale", "find@scenes"),
        *("16 notebooks", "report"),
    ]


def test_training_takes_its_examples_by_the_pixels_of_each_epochs_crops(
    params, tmp_path, monkeypatch
):
    """At 1 s an example of the last side, and 0.5 s one that is held out."""
    monkeypatch.setattr(stage, "_training_seconds", lambda *_: (1.0, 0.5))
    params["train"]["heads"]["cam"]["recipe"] = {"epochs": 2, "sides": [64, 128]}
    pixels = (64 / 128) ** 2 + (96 / 128) ** 2  # the second epoch is on the way to 128
    expected = START + 1800 * pixels + 200 * 2 * 0.5
    assert Estimates(params, tmp_path).training("cam") == pytest.approx(expected)
