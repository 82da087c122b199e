"""BD-rates of curves whose distance is known."""

import numpy as np
import pandas as pd
import pytest

from study.statistics.rates import bd_rate, bd_rates, mean_curves, summary

CURVE = np.array([[1000, 30.0], [2000, 33.0], [4000, 36.0], [8000, 38.0]])
STRAIGHT = np.array([[1000 * 2**n, 30.0 + 3 * n] for n in range(6)])


@pytest.mark.parametrize(
    "anchor, other, expected",
    [
        (CURVE, CURVE * [0.8, 1], -20),  # the same quality at eight tenths of the bytes
        (CURVE, CURVE[::-1], 0),  # itself, in another order
        (STRAIGHT[:3], STRAIGHT[1:] * [0.8, 1], -20),  # only the shared range of quality counts
        (CURVE, np.vstack([CURVE, [9000, 38.0]]), 0),  # of equal qualities the cheaper counts
    ],
)
def test_the_rate_between_two_curves_is_known(anchor, other, expected):
    assert bd_rate(anchor, other) == pytest.approx(expected)


def test_exchanging_the_curves_inverts_the_ratio_of_the_rates():
    other = CURVE * [0.7, 1] + [0, 0.3]
    there, back = bd_rate(CURVE, other), bd_rate(other, CURVE)
    assert (1 + there / 100) * (1 + back / 100) == pytest.approx(1)


def test_curves_without_a_shared_quality_have_no_distance_and_one_point_is_no_curve():
    assert np.isnan(bd_rate(CURVE, CURVE + np.array([0, 100])))
    with pytest.raises(ValueError, match="two points of different quality"):
        bd_rate(CURVE, CURVE[:1])


def test_every_image_and_method_has_its_own_rate():
    rows = [
        {"image": image, "method": method, "bytes": size * factor, "psnr": psnr}
        for image in "ab"
        for method, factor in (("standard", 1), ("direct", 0.9 if image == "a" else 0.8))
        for size, psnr in CURVE
    ]
    rates = bd_rates(pd.DataFrame(rows), anchor="standard", metrics=["psnr"])
    assert list(rates["method"]) == ["direct", "direct"]
    assert rates["bd_rate"].tolist() == pytest.approx([-10, -20])


def test_a_mean_curve_goes_by_the_standard_jpegs_quality():
    rows = [
        {"image": image, "method": method, "quality": quality if method == "standard" else 1.5}
        | {"width": 10, "height": 8, "bytes": size, "budget_bytes": size, "psnr": psnr}
        for image, more in (("a", 0), ("b", 20))
        for method, psnr in (("standard", 30.0 + more), ("direct", 31.0))
        for quality, size in ((40, 100 + more), (60, 200 + more))
    ]
    curves = mean_curves(pd.DataFrame(rows), ["psnr"])
    assert curves.to_dict("list") == {
        "method": ["standard", "standard", "direct", "direct"],
        "quality": [40, 60, 40, 60],
        "rate_bpp": [11.0, 21.0, 11.0, 21.0],
        "psnr": [40.0, 40.0, 31.0, 31.0],
    }


def test_images_without_a_shared_quality_are_left_out_of_the_mean():
    base = {"against": "standard", "method": "direct", "metric": "psnr"}
    rates = pd.DataFrame([base | {"bd_rate": rate} for rate in (-10.0, -20.0, np.nan)])
    (row,) = summary(rates, seed=1).to_dict("records")
    assert (row["images"], row["mean"]) == (2, -15)
    assert -20 <= row["low"] < row["high"] <= -10
    assert np.isnan(summary(rates.assign(bd_rate=np.nan), seed=1)["mean"]).all()
