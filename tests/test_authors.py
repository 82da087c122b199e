"""The authors' own log, and what its bytes are worth."""

import numpy as np
import pandas as pd
import pytest
from kodak import ROOT

from msroi.metrics import ALL
from study.statistics import authors

LOG = pd.read_csv(ROOT / "data/paper/log_kodak.csv")
PAPER = pd.read_csv(ROOT / "data/paper/table1.csv")


def standards(slopes, *, qualities=(40, 50, 60)):
    """Standard JPEGs whose metrics rise by a slope for each doubling of the bytes."""
    rows = [
        {"image": image, "method": "standard", "quality": quality, "bytes": 1000 * 2.0**place}
        | dict.fromkeys(authors.LOGGED, slope * place)
        for image, slope in slopes.items()
        for place, quality in enumerate(qualities)
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("method", [authors.STANDARD, authors.MODEL])
def test_the_log_is_what_the_papers_table_1_was_made_of(method):
    """All of its means but three, which round up by the last digit where the table has cut it."""
    (told,) = PAPER[(PAPER["set"] == "Kodak PhotoCD") & (PAPER["method"] == method)].itertuples()
    means = LOG[LOG["method"] == method][list(authors.LOGGED)].mean()
    for metric, mean in means.items():
        assert getattr(told, metric) == pytest.approx(mean, abs=1.01 * 0.1 ** ALL[metric].digits)


def test_the_authors_files_are_larger_than_the_standard_jpegs():
    more = authors.more_bytes(LOG)
    assert len(more) == 24
    assert more["kodim11"] == pytest.approx(46596 / 45772 - 1)
    assert more.min() > 0


def test_more_bytes_are_worth_what_the_curve_of_the_standard_jpeg_says():
    found = authors.worth(standards({"a": 1.0, "b": 3.0}), share=2**0.5 - 1, quality=50, seed=1)
    assert found["metric"].tolist() == list(authors.LOGGED)
    assert set(found["images"]) == {2}
    np.testing.assert_allclose(found["mean"], 1.0)  # half a doubling, at a mean slope of 2
    assert (found["low"] < found["mean"]).all() and (found["mean"] < found["high"]).all()


def test_without_standard_jpegs_of_the_quality_nothing_is_said():
    with pytest.raises(ValueError, match="no standard JPEG of quality 55"):
        authors.worth(standards({"a": 1.0}), share=0.01, quality=55, seed=1)


def test_standard_jpegs_are_compared_image_by_image_and_only_where_both_have_them():
    ours = standards({"kodim11": 0.0, "coffee": 0.0})
    (row,) = authors.apart(LOG, ours, quality=50).itertuples()
    assert (row.image, row.psnr) == ("kodim11", pytest.approx(33.908424))
    assert row.bytes == pytest.approx(45772 / 2000 - 1)
    assert authors.apart(LOG, standards({"coffee": 0.0}), quality=50).empty
