"""The photographs that scikit-image's wheel itself carries, each with its origin and licence."""

from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from study.rendered.scenes.sets import complete_folder

PHOTOGRAPHS = {  # files in skimage/data
    "astronaut": "astronaut.png",  # Eileen Collins; NASA Great Images; public domain
    "cat": "chelsea.png",  # Chelsea the cat; Stefan van der Walt; CC0
    "coffee": "coffee.png",  # Pikolo Espresso Bar; Rachel Michetti; CC0
    "rocket": "rocket.jpg",  # Falcon 9 with DSCOVR; SpaceX; public domain
    # Middlebury 2014 stereo set, Scharstein et al., GCPR 2014; no licence stated, cite the paper
    "motorcycle": "motorcycle_left.png",
    "hubble": "hubble_deep_field.jpg",  # eXtreme Deep Field; NASA; public domain
    "retina": "retina.jpg",  # fundus of a left eye; Wikimedia Commons; CC0
    "tissue": "ihc.png",  # stained colonic glands; CMMI; no known restrictions
}
GREY_PHOTOGRAPHS = {  # for the categories
    "camera": "camera.png",  # Lav Varshney; CC0
    "moon": "moon.png",
}


def photographs() -> Iterator[tuple[str, np.ndarray]]:
    """Yield (name, uint8 RGB [H, W, 3]) of each photograph in `PHOTOGRAPHS`, as shipped."""
    for name in PHOTOGRAPHS:
        yield name, np.asarray(photograph(name))


@lru_cache(maxsize=16)
def photograph(name: str) -> Image.Image:
    """Return a photograph, colour or grey, as an RGB Pillow image that is not to be changed.

    FileNotFoundError where scikit-image, or a file of its wheel, is missing: nothing is downloaded.
    """
    spec = find_spec("skimage")
    if spec is None:
        raise FileNotFoundError("The sample needs scikit-image: pip install scikit-image.")
    path = Path(spec.origin).parent / "data" / (PHOTOGRAPHS | GREY_PHOTOGRAPHS)[name]
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing from scikit-image: install its wheel again (0.25 or later)."
        )
    with Image.open(path) as image:
        return image.convert("RGB")


def write_photographs(folder: Path | str) -> None:
    """Write <folder>/<name>.png of each photograph; the folder appears only when complete."""
    with complete_folder(folder) as partial:
        for name, image in photographs():
            Image.fromarray(image).save(partial / f"{name}.png")
