"""The peers: their files keep to their budgets, and are what their packages make."""

import io

import numpy as np
import pyjpegli
import pytest
from pictures import photograph
from PIL import Image

from msroi.encoder import encode_detailed, peers, standard
from msroi.encoder.peers import ROBIDOUX
from msroi.images import decode

PEERS = ["standard-optimized", "mozjpeg", "mozjpeg-robidoux", "jpegli"]


@pytest.fixture(scope="module")
def picture():
    return photograph(120, 168)


@pytest.mark.parametrize("quality", [15, 50, 90])
@pytest.mark.parametrize("method", PEERS)
def test_a_peer_has_at_most_the_bytes_of_the_standard_jpeg_and_uses_most(picture, method, quality):
    budget = len(standard.write(picture, quality))
    found = encode_detailed(picture, method=method, quality=quality)
    assert 0.9 * budget < len(found.data) <= budget
    opened = Image.open(io.BytesIO(found.data))
    assert opened.size == (168, 120) and opened.info["progressive"]


@pytest.mark.parametrize("quality", [1, 40, 85, 100])
def test_jpegli_made_progressive_has_the_pixels_of_the_packages_own_baseline_file(picture, quality):
    own = pyjpegli.encode(picture, 168, 120, quality)
    made = peers.write_jpegli(picture, quality)
    assert "progressive" not in Image.open(io.BytesIO(own)).info
    np.testing.assert_array_equal(decode(made), decode(own))
    assert len(made) < len(own)


def test_jpegli_has_whole_qualities_and_one_more_would_exceed_the_budget(picture):
    budget = len(standard.write(picture, 60))
    found = encode_detailed(picture, method="jpegli", quality=60)
    assert found.quality in standard.QUALITIES
    assert found.data == peers.write_jpegli(picture, found.quality)
    assert len(peers.write_jpegli(picture, found.quality + 1)) > budget


@pytest.mark.parametrize("quality", [20, 67.4])
def test_mozjpeg_robidoux_has_robidouxs_table_for_luma_and_chroma(picture, quality):
    tables = Image.open(
        io.BytesIO(peers.write_mozjpeg(picture, quality, bases=(ROBIDOUX, ROBIDOUX)))
    ).quantization
    expected = standard.steps(ROBIDOUX, quality)
    for table in tables.values():
        np.testing.assert_array_equal(table, expected)
