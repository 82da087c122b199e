"""A miniature of CAT2000's twenty categories, made from what the wheels carry and what we render.

CAT2000 (Borji and Itti, arXiv:1505.03581) sorts its images into twenty categories; these have
their names, its spelling "Satelite" among them, and one maker each. What `CATEGORIES` says beside
them, and the makers' first lines, tell what each image is made from.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from study.rendered.sample import effects
from study.rendered.sample.photos import photograph
from study.rendered.scenes.noise import fractal, ramp, relief
from study.rendered.scenes.scene import CLASSES, render
from study.rendered.scenes.sets import Size, complete_folder

Maker = Callable[[Size, np.random.Generator, int], np.ndarray]

WHOLE = (0.0, 0.0, 1.0, 1.0)
UPPER = {"astronaut": (0.0, 0.0, 1.0, 0.74)}  # lest a wide crop take her head off
FACES = {"astronaut": (0.28, 0.0, 0.75, 0.36), "cat": (0.1, 0.02, 0.95, 0.95)}
LAND = ((0.02, 0.08, 0.25), (0.05, 0.2, 0.42), (0.25, 0.45, 0.5), (0.72, 0.67, 0.48))
LAND += ((0.22, 0.38, 0.14), (0.14, 0.29, 0.1), (0.4, 0.34, 0.22), (0.6, 0.56, 0.5), (1, 1, 1))
FIRE = ((0.02, 0.01, 0.1), (0.1, 0.1, 0.5), (0.7, 0.2, 0.4), (1, 0.7, 0.2), (1, 1, 0.9))


def of_photographs(
    *names: str, effect: Callable = np.asarray, boxes: Mapping[str, tuple] = UPPER
) -> Maker:
    """Return a maker that takes crops of the named photographs in turn, through an effect."""
    return lambda size, rng, index: effect(_crop(names, size, rng, index, boxes))


def fractals(size, rng, index):
    """Julia sets z² + c of points c near the border of Mandelbrot's set, by escape time."""
    H, W = size
    angle = rng.uniform(0, 2 * np.pi)
    cardioid = np.exp(1j * angle) / 2 - np.exp(2j * angle) / 4
    y, x = np.mgrid[-1.1 : 1.1 : H * 1j, -1.1 * W / H : 1.1 * W / H : W * 1j]
    z, escape = x + 1j * y, np.zeros(size)
    for _ in range(120):
        inside = np.abs(z) < 4
        z[inside] = z[inside] ** 2 + cardioid * 1.03
        escape += inside
    smooth = np.log1p(escape) - np.log2(np.log2(np.maximum(np.abs(z), 4))) * 0.1
    return _eight_bit(ramp((4 * smooth / smooth.max() - 2).astype(np.float32), FIRE))


def jumbled(size, rng, index):
    """Photographs cut into pieces and shuffled."""
    still = _crop(("coffee", "astronaut", "rocket"), size, rng, index)
    return effects.jumbled(still, rng, pieces=(4, 6))


def noisy(size, rng, index):
    """Photographs under white Gaussian noise, σ = 45 of 255."""
    still = _crop(("rocket", "cat", "motorcycle"), size, rng, index)
    return effects.noisy(still, rng, sigma=45)


def single_object(size, rng, index):
    """One rendered object on a table or a blanket."""
    background = ("boards", "cloth", "stone")[index % 3]
    return _scene(size, rng, rng.choice(CLASSES, 1), background)


def outdoor_man_made(size, rng, index):
    """The rocket's launch pad at dusk; rendered houses in a landscape or before a brick wall."""
    if index % 3 == 0:
        return _crop(("rocket",), size, rng, index)
    return _scene(size, rng, ["house", "house", "house"], ("wall", "landscape")[index % 2])


def outdoor_natural(size, rng, index):
    """Rendered landscapes and leaves with a flower, a mushroom, a butterfly."""
    objects = rng.permutation(["flower", "mushroom", "butterfly", "leaf"])[:2]
    return _scene(size, rng, objects, ("landscape", "foliage", "grass")[index % 3])


def pattern(size, rng, index):
    """Tilings drawn by adding two, three or four plane waves: squares, hexagons, octagons."""
    H, W = size
    waves = (2, 3, 4)[index % 3]
    y, x = np.mgrid[:H, :W] * (2 * np.pi * rng.uniform(7, 12) / min(size))
    angles = rng.uniform(0, np.pi) + np.pi * np.arange(waves) / waves
    total = sum(np.cos(np.cos(a) * x + np.sin(a) * y) for a in angles)
    level = 4 * (total - total.min()) / np.ptp(total) - 2
    return _eight_bit(ramp(np.tanh(3 * level).astype(np.float32) * 1.9, rng.random((4, 3))))


def satellite(size, rng, index):
    """The moon from orbit; coasts from above, drawn as fractal heights with a map's colours."""
    if index % 3 == 0:
        return _crop(("moon",), size, rng, index)
    heights = fractal(size, rng, cells=2.5, gain=0.55)
    light = np.array([-0.6, -0.6, 0.5])
    return _eight_bit(
        ramp(0.8 * heights - 0.2, LAND) * relief(heights, light, strength=0.25)[..., None]
    )


def social(size, rng, index):
    """Two side by side, for want of a photograph of several: astronaut, cat, cameraman."""
    left, right = (("astronaut", "cat"), ("camera", "astronaut"), ("cat", "camera"))[index % 3]
    H, W = size
    halves = [_crop((left,), (H, W // 2), rng, 0), _crop((right,), (H, W - W // 2), rng, 0)]
    return np.hstack(halves)


CATEGORIES: dict[str, Maker] = {
    # things made to move, as before a panned camera
    "Action": of_photographs("motorcycle", "rocket", "astronaut", effect=effects.moving),
    # faces from near: the astronaut's smile, the cat's gaze
    "Affective": of_photographs("astronaut", "cat", boxes=FACES),
    # as painted in oil
    "Art": of_photographs("coffee", "cat", "astronaut", effect=effects.painted),
    # a grey photograph as it is, and two colour ones' luma
    "BlackWhite": of_photographs("camera", "motorcycle", "cat", effect=effects.black_and_white),
    # a few flat colours with dark outlines
    "Cartoon": of_photographs("astronaut", "motorcycle", "coffee", effect=effects.cartoon),
    "Fractal": fractals,
    # rooms: a garage, a studio, a table in a bar
    "Indoor": of_photographs("motorcycle", "astronaut", "coffee"),
    # upside down, which is what CAT2000 calls inverted
    "Inverted": of_photographs("astronaut", "cat", "motorcycle", effect=np.flipud),
    "Jumbled": jumbled,
    # edges by Canny's filter, black on white
    "LineDrawing": of_photographs("motorcycle", "cat", "astronaut", effect=effects.line_drawing),
    # shrunk eight times and enlarged again
    "LowResolution": of_photographs("cat", "rocket", "coffee", effect=effects.low_resolution),
    "Noisy": noisy,
    "Object": single_object,
    "OutdoorManMade": outdoor_man_made,
    "OutdoorNatural": outdoor_natural,
    "Pattern": pattern,
    # images of no common kind: the deep sky, a stained tissue, an eye's retina
    "Random": of_photographs("hubble", "tissue", "retina"),
    "Satelite": satellite,
    # pencil drawings: luma over its own blur
    "Sketch": of_photographs("cat", "coffee", "astronaut", effect=effects.sketch),
    "Social": social,
}


def categories(
    count: int = 3, size: Size = (256, 384), *, seed: int
) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield `count` images of each category: (category, name "001" upwards, uint8 RGB).

    The size is (height, width), at least 32 each. From the fourth image on the sources come again,
    in other crops and with other random numbers.
    """
    for number, (category, maker) in enumerate(CATEGORIES.items()):
        for index in range(count):
            rng = np.random.default_rng([seed, number, index])
            yield category, f"{index + 1:03d}", np.ascontiguousarray(maker(size, rng, index))


def write_categories(folder: Path | str, *, count: int, size: Size, seed: int) -> None:
    """Write <folder>/<Category>/001.png …; the folder appears only when complete."""
    with complete_folder(folder) as partial:
        for category, name, image in categories(count, size, seed=seed):
            (partial / category).mkdir(exist_ok=True)
            Image.fromarray(image).save(partial / category / f"{name}.png")


def _crop(names, size, rng, index, boxes=UPPER) -> np.ndarray:
    """Crop the index-th photograph to the size's aspect, 85 to 100% of what fits its box.

    `boxes` maps names to (left, top, right, bottom) in shares of the photograph's sides.
    """
    name = names[index % len(names)]
    image = photograph(name)
    left, top, right, bottom = np.array(boxes.get(name, WHOLE)) * (image.size * 2)
    H, W = size
    scale = min((right - left) / W, (bottom - top) / H) * rng.uniform(0.85, 1)
    x = rng.uniform(left, right - scale * W)
    y = rng.uniform(top, bottom - scale * H)
    region = (x, y, x + scale * W, y + scale * H)
    return np.asarray(image.resize((W, H), Image.Resampling.LANCZOS, box=region))


def _scene(size, rng, objects, background) -> np.ndarray:
    seed = int(rng.integers(2**32))
    return render(*size, objects=[str(o) for o in objects], seed=seed, background=background).image


def _eight_bit(colours: np.ndarray) -> np.ndarray:
    return np.clip(255 * colours + 0.5, 0, 255).astype(np.uint8)
