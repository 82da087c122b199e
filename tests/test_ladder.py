"""Shares of the oracle's gain."""

import numpy as np
import pandas as pd
import pytest
from rungs import climbed

from study.statistics.intervals import mean_interval
from study.statistics.ladder import RUNGS, gains_by_map, ladder, share_interval


def test_a_share_is_the_ratio_of_the_means_and_not_the_mean_of_the_ratios():
    # 1 of 4 and 1 of 1: together 2 of 5, where the mean of the ratios is 5/8
    share, _, _ = share_interval(np.array([1.0, 1.0]), np.array([4.0, 1.0]), seed=1)
    assert share == pytest.approx(2 / 5)


def test_the_interval_of_a_share_can_be_worked_out_by_hand_where_there_are_two_images():
    # a quarter of the resamples have the first image twice (0 of 2), a quarter the second (2 of 2)
    assert share_interval(np.array([0.0, 2.0]), np.array([2.0, 2.0]), seed=1) == (0.5, 0.0, 1.0)


def test_images_are_drawn_with_their_own_oracle():
    oracle = np.array([0.5, 1.0, 2.0, 4.0])
    assert share_interval(oracle / 4, oracle, seed=1) == pytest.approx((0.25, 0.25, 0.25))


@pytest.mark.parametrize("oracle", [[-1.0, 3.0], [0.0, 0.0], [2.0]], ids=["open", "zero", "one"])
def test_there_is_no_share_of_a_gain_that_is_not_clear_of_zero(oracle):
    assert np.isnan(share_interval(np.ones(len(oracle)), np.array(oracle), seed=1)).all()


def test_gains_are_over_direct_flat_of_the_same_image_whatever_the_order_of_the_rows():
    table = climbed(direct=[1.0, 2.0], direct_oracle=[3.0, 5.0]).sample(frac=1, random_state=1)
    gains = gains_by_map(table, "psnr_fix")
    assert list(gains) == list(RUNGS)
    np.testing.assert_allclose(gains["MS-ROI"], [1, 2])
    np.testing.assert_allclose(gains["oracle"], [3, 5])
    assert (gains["flat"] == 0).all()


def test_an_image_without_the_judge_is_left_out():
    table = climbed(direct=[1.0, 2.0], direct_oracle=[3.0, 5.0])
    table.loc[(table["image"] == "i1") & (table["method"] == "direct-cam"), "psnr_fix"] = np.nan
    assert len(gains_by_map(table, "psnr_fix")) == 1


def test_a_ladder_has_a_rung_for_each_map_of_each_set_and_msrois_lead_over_it():
    own, energy, oracle = [1.0, 2.0, 1.5], [0.5, 2.5, 0.0], [2.0, 4.0, 3.0]
    methods = {"direct": own, "direct_energy": energy, "direct_oracle": oracle}
    results = {"people": climbed(**methods), "objects": climbed("psnr_objects", **methods)}
    table = ladder(results, seed=3)
    assert list(table["map"]) == [*RUNGS, *RUNGS]
    assert list(table["metric"].unique()) == ["psnr_fix", "psnr_objects"]
    assert set(table["images"]) == {3}
    people = table[table["set"] == "people"].set_index("map")
    assert people["gain"].to_dict() == pytest.approx(
        dict.fromkeys(RUNGS, 0.0) | {"MS-ROI": 1.5, "energy": 1.0, "oracle": 3.0}
    )
    assert people["share"]["MS-ROI"] == pytest.approx(0.5)
    assert tuple(people.loc["oracle", ["share", "low", "high"]]) == (1, 1, 1)
    expected = mean_interval(np.subtract(own, energy), seed=3)
    assert tuple(people.loc["energy", ["lead", "lead_low", "lead_high"]]) == pytest.approx(expected)
    pd.testing.assert_frame_equal(table, ladder(results, seed=3))
