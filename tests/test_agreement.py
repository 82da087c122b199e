"""Agreement of a map with fixations, and average precision."""

import numpy as np
import pytest

from study.measure.findings import auc_judd, average_precision, cc, nss

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


def test_nss_does_not_change_with_the_maps_scale_nor_auc_under_any_rising_law():
    points = np.array([[1.0, 2.0], [3.0, 0.0]])
    assert nss(RAMP, points) == pytest.approx(nss(7 * RAMP + 3, points))
    assert auc_judd(RAMP, points) == pytest.approx(auc_judd(np.exp(RAMP / 4), points))


def test_a_flat_map_is_at_chance():
    flat, points = np.full((5, 6), 0.3, np.float32), np.array([[1.0, 2.0], [5.0, 4.0]])
    assert nss(flat, points) == 0
    assert auc_judd(flat, points) == 0.5
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
