"""What many tests take."""

import sys

import numpy as np
import pytest
from commands import DRAWN, PHOTO
from pictures import photograph, save
from PIL import Image

from msroi import cli
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


@pytest.fixture
def here(monkeypatch, tmp_path):
    """In a folder with two photos, a map of them, and a folder without anything."""
    monkeypatch.chdir(tmp_path)
    pictures = {"photo": PHOTO, "other": PHOTO[::-1], "map": (255 * DRAWN).astype(np.uint8)}
    for name, pixels in pictures.items():
        save(tmp_path, Image.fromarray(pixels), f"{name}.png")
    (tmp_path / "out").mkdir()
    return tmp_path


@pytest.fixture
def run(monkeypatch, capfd, here):
    """Run `msroi LINE` in this process and in that folder: (exit code, stdout, stderr)."""

    def run(line, *more):
        monkeypatch.setattr(sys, "argv", ["msroi", *line.split(), *map(str, more)])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        return exit_.value.code, *capfd.readouterr()

    return run
