"""A miniature of CAT2000's twenty categories, made from what the wheels carry and what we render.

CAT2000 (Borji and Itti, arXiv:1505.03581) sorts its images into twenty categories; these have
their names, its spelling "Satelite" among them, and one maker each. The makers' first lines, which
`CATEGORIES` gathers, say what each image is made from.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from study.rendered.sample import effects
from study.rendered.sample.photos import photograph
from study.rendered.scenes import CLASSES, render
from study.rendered.scenes.noise import fractal, ramp, relief
from study.rendered.scenes.sets import complete_folder

Size = tuple[int, int]
Maker = Callable[[Size, np.random.Generator, int], np.ndarray]

WHOLE = (0.0, 0.0, 1.0, 1.0)
UPPER = {"astronaut": (0.0, 0.0, 1.0, 0.74)}  # lest a wide crop take her head off
FACES = {"astronaut": (0.28, 0.0, 0.75, 0.36), "cat": (0.1, 0.02, 0.95, 0.95)}
LAND = ((0.02, 0.08, 0.25), (0.05, 0.2, 0.42), (0.25, 0.45, 0.5), (0.72, 0.67, 0.48))
LAND += ((0.22, 0.38, 0.14), (0.14, 0.29, 0.1), (0.4, 0.34, 0.22), (0.6, 0.56, 0.5), (1, 1, 1))
FIRE = ((0.02, 0.01, 0.1), (0.1, 0.1, 0.5), (0.7, 0.2, 0.4), (1, 0.7, 0.2), (1, 1, 0.9))


def action(size, rng, index):
    """Things made to move, as before a panned camera: motorcycle, rocket, astronaut."""
    still = _crop(("motorcycle", "rocket", "astronaut"), size, rng, index)
    return effects.moving(still, length=max(3, size[1] // 14))


def affective(size, rng, index):
    """Faces from near: the astronaut's smile, the cat's gaze."""
    return _crop(tuple(FACES), size, rng, index, boxes=FACES)


def art(size, rng, index):
    """Photographs through Kuwahara's filter, as painted in oil."""
    return effects.painted(_crop(("coffee", "cat", "astronaut"), size, rng, index), brush=5)


def black_white(size, rng, index):
    """A grey photograph as it is, and two colour ones' luma."""
    return effects.black_and_white(_crop(("camera", "motorcycle", "cat"), size, rng, index))


def cartoon(size, rng, index):
    """Photographs in a few flat colours with dark outlines."""
    return effects.cartoon(
        _crop(("astronaut", "motorcycle", "coffee"), size, rng, index), colours=9
    )


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


def indoor(size, rng, index):
    """Rooms: a garage, a studio, a table in a bar."""
    return _crop(("motorcycle", "astronaut", "coffee"), size, rng, index)


def inverted(size, rng, index):
    """Photographs upside down, which is what CAT2000 calls inverted."""
    return _crop(("astronaut", "cat", "motorcycle"), size, rng, index)[::-1]


def jumbled(size, rng, index):
    """Photographs cut into pieces and shuffled."""
    return effects.jumbled(
        _crop(("coffee", "astronaut", "rocket"), size, rng, index), rng, pieces=(4, 6)
    )


def line_drawing(size, rng, index):
    """Edges of photographs by Canny's filter, black on white."""
    return effects.line_drawing(_crop(("motorcycle", "cat", "astronaut"), size, rng, index))


def low_resolution(size, rng, index):
    """Photographs shrunk eight times and enlarged again."""
    return effects.low_resolution(_crop(("cat", "rocket", "coffee"), size, rng, index), factor=8)


def noisy(size, rng, index):
    """Photographs under white Gaussian noise, σ = 45 of 255."""
    return effects.noisy(_crop(("rocket", "cat", "motorcycle"), size, rng, index), rng, sigma=45)


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


def random(size, rng, index):
    """Images of no common kind: the deep sky, a stained tissue, an eye's retina."""
    return _crop(("hubble", "tissue", "retina"), size, rng, index)


def satellite(size, rng, index):
    """The moon from orbit; coasts from above, drawn as fractal heights with a map's colours."""
    if index % 3 == 0:
        return _crop(("moon",), size, rng, index)
    heights = fractal(size, rng, cells=2.5, gain=0.55)
    light = np.array([-0.6, -0.6, 0.5])
    return _eight_bit(
        ramp(0.8 * heights - 0.2, LAND) * relief(heights, light, strength=0.25)[..., None]
    )


def sketch(size, rng, index):
    """Photographs as pencil drawings: luma over its own blur."""
    return effects.sketch(_crop(("cat", "coffee", "astronaut"), size, rng, index))


def social(size, rng, index):
    """Two side by side, for want of a photograph of several: astronaut, cat, cameraman."""
    left, right = (("astronaut", "cat"), ("camera", "astronaut"), ("cat", "camera"))[index % 3]
    H, W = size
    halves = [_crop((left,), (H, W // 2), rng, 0), _crop((right,), (H, W - W // 2), rng, 0)]
    return np.hstack(halves)


CATEGORIES: dict[str, Maker] = {
    "Action": action,
    "Affective": affective,
    "Art": art,
    "BlackWhite": black_white,
    "Cartoon": cartoon,
    "Fractal": fractals,
    "Indoor": indoor,
    "Inverted": inverted,
    "Jumbled": jumbled,
    "LineDrawing": line_drawing,
    "LowResolution": low_resolution,
    "Noisy": noisy,
    "Object": single_object,
    "OutdoorManMade": outdoor_man_made,
    "OutdoorNatural": outdoor_natural,
    "Pattern": pattern,
    "Random": random,
    "Satelite": satellite,
    "Sketch": sketch,
    "Social": social,
}


def categories(
    count: int = 3, size: Size = (256, 384), *, seed: int
) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield `count` images of each category: (category, name "001" upwards, uint8 RGB).

    Parameters
    ----------
    count : int
        Above 3 the sources come again, in other crops and with other random numbers.
    size : (height, width), at least 32 each
    seed : int
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


def _crop(names, size, rng, index, *, boxes=UPPER) -> np.ndarray:
    """A crop of the index-th photograph, of the size's aspect, 85 to 100% of what fits its box.

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
