"""Bootstrap intervals of means, and what they say."""

import numpy as np
import pytest

from study.statistics.intervals import Interval, mean_interval, side, signed


def test_two_values_give_the_interval_that_can_be_worked_out_by_hand():
    # of the resamples of {0, 1} a quarter are (0, 0), a quarter (1, 1): the 2.5% and 97.5%
    # percentiles of their means are 0 and 1
    assert mean_interval(np.array([0.0, 1.0]), seed=1) == (0.5, 0.0, 1.0)


def test_equal_values_give_no_width_one_tells_nothing_of_it_and_none_is_refused():
    assert mean_interval(np.full(9, 2.5), seed=1) == (2.5, 2.5, 2.5)
    mean, low, high = mean_interval(np.array([3.0]), seed=1)
    assert mean == 3
    assert np.isnan([low, high]).all()
    with pytest.raises(ValueError, match="no value"):
        mean_interval(np.array([]), seed=1)


def test_an_interval_of_95_percent_covers_the_true_mean_about_that_often_and_follows_its_seed():
    # 300 samples of 40 exponential values: the percentile bootstrap is known to cover a little
    # less than its name for skewed values; a binomial of p = 0.92 leaves [0.88, 0.98] never
    samples = np.random.default_rng(1).exponential(size=(300, 40))
    intervals = [mean_interval(sample, seed=i) for i, sample in enumerate(samples)]
    covered = np.mean([low <= 1 <= high for _, low, high in intervals])
    assert 0.88 <= covered <= 0.98
    assert [mean_interval(sample, seed=i) for i, sample in enumerate(samples)] == intervals


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.1, 0.3, "above"),
        (-0.3, -0.1, "below"),
        (-0.1, 0.3, "undecided"),
        (0.0, 0.0, "undecided"),
        (np.nan, np.nan, "undecided"),
    ],
)
def test_an_interval_is_on_a_side_of_zero_only_where_all_of_it_is(low, high, said):
    assert side(Interval(0.2, low, high)) == said


@pytest.mark.parametrize(
    ("value", "digits", "text"), [(0.125, 2, "+0.12"), (-1.3, 2, "−1.30"), (-0.0004, 3, "+0.000")]
)
def test_a_difference_is_written_with_its_sign_and_a_true_minus(value, digits, text):
    assert signed(value, digits) == text
