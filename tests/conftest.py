"""What many tests take."""

import numpy as np
import pytest
from pictures import photograph
from PIL import Image

from study.rendered import scenes


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.fixture
def photo():
    return photograph(64, 96)


@pytest.fixture(scope="session")
def image():
    return scenes.render(200, 232, objects=["house"], seed=4).image


@pytest.fixture(scope="session")
def picture(image):
    """As smooth as a photograph, and large enough for all the scales of SSIMULACRA2."""
    return np.array(Image.fromarray(image).resize((400, 344), Image.Resampling.BICUBIC))
