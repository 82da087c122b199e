"""Agreement of a map with fixations, and average precision."""

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from study.measure.findings import (
    THRESHOLDS,
    auc,
    auc_judd,
    average_precision,
    cc,
    f_measure,
    nss,
    precision_recall,
)

RAMP = np.arange(12, dtype=np.float32).reshape(3, 4)  # value 4y + x


def test_nss_is_the_z_score_at_the_fixations():
    # pixels (3, 2) and (0, 0): values 11 and 0; mean 5.5; σ² = (12² − 1)/12
    sigma = np.sqrt(143 / 12)
    assert nss(RAMP, np.array([[3.0, 2.0]])) == pytest.approx(5.5 / sigma)
    assert nss(RAMP, np.array([[3.0, 2.0], [0.0, 0.0]])) == pytest.approx(0)


def test_auc_judd_is_the_share_of_pairs_in_the_right_order_and_counts_a_tie_half():
    # fixated: value 9; of the 11 others 9 are smaller
    assert auc_judd(RAMP, np.array([[1.0, 2.0]])) == pytest.approx(9 / 11)
    tied = np.array([[1.0, 1.0, 0.0, 0.0]])
    assert auc_judd(tied, np.array([[0.0, 0.0]])) == pytest.approx((0.5 + 2) / 3)


def test_auc_of_a_mask_is_that_of_its_pixels_as_points():
    # inside: values 2 and 9; of the 10 outside 2 and 8 are smaller
    mask = np.isin(RAMP, [2, 9])
    assert auc(RAMP, mask) == pytest.approx((2 + 8) / (2 * 10))
    assert auc(RAMP, mask) == auc_judd(RAMP, np.array([[2.0, 0.0], [1.0, 2.0]]))
    assert auc(RAMP, RAMP > 5) == 1
    assert auc(RAMP, RAMP < 5) == 0


def test_auc_is_the_rank_sum_statistic_ties_and_all():
    rng = np.random.default_rng(3)
    coarse, mask = rng.integers(0, 8, (30, 40)).astype(np.float32), rng.random((30, 40)) < 0.2
    expected = mannwhitneyu(coarse[mask], coarse[~mask]).statistic
    assert auc(coarse, mask) == pytest.approx(expected / (mask.sum() * (~mask).sum()))


@pytest.mark.parametrize("inside", [True, False])
def test_auc_is_at_chance_where_there_is_no_pair_to_compare(inside):
    assert auc(RAMP, np.full(RAMP.shape, inside)) == 0.5


def test_precision_and_recall_are_those_of_the_pixels_at_each_share_of_the_largest():
    # at 1: value 1 alone; from ½ down: 0.5 too; from 0.2 down: 0.2 too; 0 never
    saliency = np.array([[1.0, 0.5], [0.2, 0.0]], np.float32)
    precision, recall = precision_recall(saliency, np.array([[True, False], [True, False]]))
    last, half, fifth = 50, np.searchsorted(THRESHOLDS, 0.45), 0
    assert precision[[last, half, fifth]].tolist() == pytest.approx([1, 1 / 2, 2 / 3])
    assert recall[[last, half, fifth]].tolist() == pytest.approx([1 / 2, 1 / 2, 1])


def test_precision_and_recall_are_the_same_by_a_loop_over_the_thresholds():
    rng = np.random.default_rng(4)
    saliency, mask = rng.random((20, 30), np.float32) ** 3, rng.random((20, 30)) < 0.3
    precision, recall = precision_recall(saliency, mask)
    assert (THRESHOLDS[0], THRESHOLDS[-1], len(THRESHOLDS)) == (1 / 51, 1, 51)
    for index, threshold in enumerate(THRESHOLDS):
        predicted = saliency >= threshold * saliency.max()
        assert precision[index] == mask[predicted].mean()
        assert recall[index] == predicted[mask].mean()


def test_a_flat_map_predicts_everything_and_a_mask_without_pixels_is_never_recalled():
    flat, mask = np.full((2, 4), 0.3, np.float32), np.zeros((2, 4), bool)
    assert precision_recall(flat, mask)[1].tolist() == [0] * 51
    mask[0, 0] = True
    precision, recall = precision_recall(flat, mask)
    assert precision.tolist() == [1 / 8] * 51
    assert recall.tolist() == [1] * 51


def test_the_f_measure_weighs_precision_more_than_recall():
    f = f_measure(np.array([0.5, 1.0, 0.5, 0.0]), np.array([0.5, 0.5, 1.0, 0.0]))
    assert f.tolist() == pytest.approx([0.5, 1.3 * 0.5 / 0.8, 1.3 * 0.5 / 1.15, 0])


def test_nss_does_not_change_with_the_maps_scale_nor_auc_under_any_rising_law():
    points = np.array([[1.0, 2.0], [3.0, 0.0]])
    assert nss(RAMP, points) == pytest.approx(nss(7 * RAMP + 3, points))
    assert auc_judd(RAMP, points) == pytest.approx(auc_judd(np.exp(RAMP / 4), points))


def test_a_flat_map_is_at_chance():
    flat, points = np.full((5, 6), 0.3, np.float32), np.array([[1.0, 2.0], [5.0, 4.0]])
    assert nss(flat, points) == 0
    assert auc_judd(flat, points) == 0.5
    assert auc(flat, np.eye(5, 6, dtype=bool)) == 0.5
    assert cc(flat, np.random.default_rng(0).random((5, 6))) == 0


def test_cc_is_pearsons_correlation():
    density = np.random.default_rng(1).random((20, 30)).astype(np.float32)
    assert cc(density, density) == pytest.approx(1)
    assert cc(1 - density, density) == pytest.approx(-1)
    # deviations (−1, 0, 1) and (−1, 1, 0): 1 / √(2 · 2)
    assert cc(np.array([[1.0, 2.0, 3.0]]), np.array([[0.0, 2.0, 1.0]])) == pytest.approx(0.5)


def test_average_precision_is_the_mean_precision_at_each_hit():
    # by falling score: hit, miss, hit, miss: (1/1 + 2/3) / 2
    scores, present = np.array([0.9, 0.5, 0.4, 0.1]), np.array([True, False, True, False])
    assert average_precision(scores, present) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision(np.array([3.0, 2.0, 1.0]), np.array([True, True, False])) == 1
