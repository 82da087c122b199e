"""The lesson's helpers agree with the encoder that they take apart."""

import numpy as np

from msroi.encoder import encode
from msroi.encoder.trellis import EOB, ZRL
from study.show import lesson


def test_symbols_are_runs_and_levels_up_to_the_last():
    levels = np.zeros(64, np.int16)
    levels[[0, 1, 3, 40]] = [9, -2, 1, 5]
    prices = np.arange(256, dtype=np.float32)
    coded = lesson.symbols(levels, prices)
    assert coded["zeros"].tolist() == [0, 1, 16, 16, 4, 23]
    assert coded["level"].tolist() == ["-2", "1", "ZRL", "ZRL", "5", "end"]
    assert coded["code"].tolist() == [0x02, 0x11, ZRL, ZRL, 0x43, EOB]
    assert coded["magnitude"].tolist() == [2, 1, 0, 0, 3, 0]
    # a block that is full to its last level has no end
    assert "end" not in lesson.symbols(np.ones(64, np.int16), np.ones(256))["level"].tolist()


def test_an_infinite_weight_rounds(photo):
    plane = lesson.prepare(photo)
    expected = np.rint(plane.coefficients[2, 3] / plane.steps)
    assert lesson.levels_at(plane, (2, 3), np.inf).tolist() == expected.tolist()


def test_a_lighter_block_takes_fewer_bits_and_errs_more(photo):
    table = lesson.block_under_weights(lesson.prepare(photo), (2, 3), [np.inf, 4, 1, 0.25])
    assert table["bits"].is_monotonic_decreasing and table["bits"].nunique() > 1
    assert table["error"].is_monotonic_increasing


def test_the_curve_has_the_bytes_that_encode_gives(photo):
    saliency = np.full(photo.shape[:2], 0.7, np.float32)
    table = lesson.rate_distortion(
        photo, saliency, methods=["standard", "direct"], qualities=[30, 60]
    )
    assert table["method"].tolist() == ["standard", "standard", "direct", "direct"]
    data = encode(photo, saliency, quality=60)
    assert table["bytes"].iloc[3] == len(data)
    assert table["rate_bpp"].iloc[3] == 8 * len(data) / (64 * 96)
