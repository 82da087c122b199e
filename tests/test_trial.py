"""The trial of Figure 2: what is compared with what, and the record of it."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from kodak import ROOT, composed

from study.statistics import trial
from study.training.recipe import architecture_of, recipe_of

RECORD = ROOT / "data/released/trial.csv"
HEADS = list(product(*trial.FACTORS.values()))


def table(share, objects=(1, 2, 2, 3, 4)):
    """A row an image and head; ``share`` gives what the head finds of an image of n objects."""
    rows = [
        dict(zip(trial.FACTORS, levels, strict=True))
        | {"set": "coco", "image": str(number), "objects": n}
        | {"found": share(*levels, n), "auc": 0.5}
        for number, n in enumerate(objects)
        for levels in HEADS
    ]
    return pd.DataFrame(rows)


def sign_alone(features, weights, head, objects):
    return 0.75 if weights == "positive" else 0.25


def test_a_difference_is_between_heads_that_are_equal_in_all_but_one_factor():
    """By hand: MS-ROI finds 0.5 more with signed weights and 0.25 less with the others."""

    def share(features, weights, head, objects):
        gained = {"signed": 0.5, "positive": -0.25}[weights]
        return 0.25 + gained * (head == "msroi") + 0.25 * (features == "imagenet")

    found = table(share)
    assert trial.gain(found, "head", seed=1, weights="signed").mean == 0.5
    assert trial.gain(found, "head", seed=1, weights="positive", features="imagenet").mean == -0.25
    assert trial.gain(found, "head", seed=1).mean == pytest.approx(0.125)
    assert trial.gain(found, "features", seed=1, head="cam", weights="signed").mean == 0.25
    assert trial.gain(found, "weights", seed=1, head="cam").mean == 0


def test_a_difference_can_be_of_the_auc():
    found = table(sign_alone)
    found["auc"] = 0.25 + 0.5 * (found["head"] == "msroi")
    assert trial.gain(found, "head", seed=1, value="auc") == (0.5, 0.5, 0.5)
    assert trial.gain(found, "weights", seed=1, value="auc").mean == 0


def test_an_interval_is_over_images_not_over_heads():
    """Two images of which one gains 1 and the other 0: their mean lies anywhere between."""

    def share(features, weights, head, objects):
        return float(head == "msroi" and objects == 3)

    found = trial.gain(table(share, objects=(2, 3)), "head", seed=1)
    assert tuple(found) == (0.5, 0.0, 1.0)


def test_images_are_compared_by_how_many_objects_they_have():
    gains = trial.gains(table(sign_alone), seed=1)
    images = gains.groupby("objects")["images"].first()
    assert images.to_dict() == {"2": 2, "3 or more": 2, "2 or more": 4}
    assert len(gains) == 3 * 3 * 5  # counts, factors; four pairs of the others' levels, and all
    apart = gains[gains["factor"] == "head"]
    assert set(zip(apart["features"], apart["weights"], strict=True)) == {
        *product(trial.FACTORS["features"], trial.FACTORS["weights"]),
        (trial.ANY, trial.ANY),
    }


def test_a_factor_works_where_its_whole_interval_is_above_zero_and_the_largest_comes_first():
    assert trial.working(trial.gains(table(sign_alone), seed=1), of="coco") == ["weights"]

    def share(features, weights, head, objects):
        return (
            0.2 * (weights == "positive") + 0.4 * (features == "imagenet") - 0.1 * (head == "msroi")
        )

    both = trial.gains(table(share), seed=1)
    assert trial.working(both, of="coco") == ["features", "weights"]


@pytest.fixture(scope="module")
def record():
    return pd.read_csv(RECORD, dtype={"image": str})


def test_the_recorded_trial_has_every_head_on_every_image_of_both_sets(record):
    assert tuple(record.columns) == trial.COLUMNS
    assert set(record["set"]) == {"coco", "scenes"}
    for _, images in record.groupby("set"):
        by_head = trial.by_head(images)
        assert sorted(by_head.columns) == sorted(HEADS)
        assert by_head.notna().all().all()
        assert (images.groupby("image")["objects"].nunique() == 1).all()
        assert trial.with_objects(images, 2, np.inf)["image"].nunique() >= 40
    assert record[["found", "auc"]].stack().between(0, 1).all()
    assert RECORD.stat().st_size < 300_000


def test_every_head_of_the_trial_has_learned_its_classes():
    heads = pd.read_csv(RECORD.with_name("trial_heads.csv"))
    assert sorted(heads[[*trial.FACTORS]].itertuples(index=False, name=None)) == sorted(HEADS)
    assert (heads["top_1"] > 0.5).all()  # of 101 classes


def test_the_trials_heads_are_what_their_names_say_and_differ_in_nothing_else():
    params = composed("trial")
    section = params["train"]
    assert sorted(tuple(name.split("-")) for name in section["heads"]) == sorted(HEADS)
    recipes = {recipe_of(name, section, seed=params["seed"]) for name in section["heads"]}
    assert len(recipes) == 1
    for name, own in section["heads"].items():
        features, weights, head = name.split("-")
        built = architecture_of(name, section, classes=("any",))
        assert (built.head, built.evidence) == (head, weights)
        assert features in own["features"]
        assert (built.backbone == "paper") == (features == "caltech101")
    assert params["trial"]["rule"]["evidence"] == "plain"
