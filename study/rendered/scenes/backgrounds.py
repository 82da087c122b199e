"""What lies behind the objects: ground seen from above, landscapes, and scattered clutter."""

import math

import numpy as np

from study.rendered.scenes.canvas import Canvas, box_around, capsule, ellipse, hsv
from study.rendered.scenes.noise import fractal, ramp, relief, smoothstep

GREENS = ((0.05, 0.1, 0.03), (0.16, 0.27, 0.07), (0.34, 0.46, 0.13), (0.62, 0.66, 0.28))
SANDS = ((0.42, 0.32, 0.2), (0.66, 0.54, 0.37), (0.82, 0.71, 0.53), (0.93, 0.86, 0.71))
STONES = ((0.17, 0.16, 0.16), (0.37, 0.35, 0.33), (0.55, 0.53, 0.49), (0.74, 0.71, 0.66))
EARTHS = ((0.12, 0.08, 0.05), (0.29, 0.2, 0.13), (0.45, 0.33, 0.22), (0.62, 0.5, 0.36))
WATERS = ((0.02, 0.12, 0.2), (0.06, 0.27, 0.38), (0.16, 0.46, 0.56), (0.72, 0.87, 0.9))
WOODS = ((0.19, 0.1, 0.05), (0.38, 0.22, 0.12), (0.56, 0.36, 0.2), (0.72, 0.52, 0.33))
AUTUMN = ((0.14, 0.06, 0.02), (0.45, 0.19, 0.05), (0.74, 0.4, 0.09), (0.93, 0.72, 0.25))
BRICKS = ((0.3, 0.13, 0.1), (0.52, 0.25, 0.18), (0.66, 0.37, 0.27), (0.78, 0.55, 0.42))
BLOSSOMS = ((0.95, 0.35, 0.5), (0.95, 0.9, 0.85), (0.9, 0.75, 0.15), (0.75, 0.12, 0.1))
CLOTHS = ((0.3, 0.06, 0.1), (0.1, 0.16, 0.36), (0.45, 0.3, 0.08), (0.12, 0.3, 0.24))


def tinted(rng, stops, *, amount=0.12):
    """The same ramp, all its stops made brighter or darker, and warmer or cooler, at random."""
    tint = rng.uniform(1 - amount / 2, 1 + amount / 2, 3)
    return np.array(stops) * tint * rng.uniform(1 - 1.5 * amount, 1 + 1.5 * amount)


def grass(shape, rng, light, depth=None):
    """Blades: tall thin noise over patches of light and dark."""
    blades = fractal(shape, rng, cells=26, gain=0.75, stretch=0.22, depth=depth)
    patches = fractal(shape, rng, cells=3, depth=depth)
    colours = GREENS if rng.random() < 0.8 else AUTUMN
    return ramp(0.75 * blades + 0.55 * patches, tinted(rng, colours))


def sand(shape, rng, light, depth=None):
    """Wind ripples bent by slow noise, with grain."""
    slow = fractal(shape, rng, cells=2, gain=0.45, stretch=2, depth=depth)
    grain = fractal(shape, rng, cells=40, gain=0.9, depth=depth)
    rows = np.linspace(0, 1, shape[0]) if depth is None else -0.2 * np.log(depth)
    phase = (rng.uniform(25, 70) * rows).astype(np.float32)[:, None]
    ripples = np.sin(phase + 3 * slow)
    return ramp(0.5 * slow + 0.35 * ripples + 0.4 * grain, tinted(rng, SANDS))


def earth(shape, rng, light, depth=None):
    """Bare soil: rough relief."""
    heights = fractal(shape, rng, cells=6, gain=0.72, stretch=1.5, depth=depth)
    surface = ramp(0.9 * heights, tinted(rng, EARTHS))
    surface *= relief(heights, light, strength=0.18)[..., None]
    return surface


def stone(shape, rng, light, depth=None):
    """Rock: relief with cracks where a slow noise crosses zero."""
    heights = fractal(shape, rng, cells=4, gain=0.62, depth=depth)
    cracks = smoothstep(np.abs(fractal(shape, rng, cells=2, gain=0.45, depth=depth)), 0.0, 0.06)
    surface = ramp(0.8 * heights, tinted(rng, STONES, amount=0.2))
    surface *= (relief(heights, light, strength=0.22) * (0.45 + 0.55 * cracks))[..., None]
    return surface


def water(shape, rng, light, depth=None):
    """Waves, wide and low, with glints on the crests."""
    waves = fractal(shape, rng, cells=5, gain=0.6, stretch=3.5, depth=depth)
    glints = smoothstep(waves, 1.3, 2.2)
    surface = ramp(0.7 * waves, tinted(rng, WATERS, amount=0.2))
    surface += (0.35 * glints)[..., None]
    return surface


def foliage(shape, rng, light):
    """A hedge: clumps of leaves lit from one side, dark gaps between, some blossom or fruit."""
    clumps = np.abs(fractal(shape, rng, cells=5, gain=0.6))
    leaves = np.abs(fractal(shape, rng, cells=16, gain=0.65))
    heights = 0.8 * clumps + leaves
    surface = ramp(1.3 * heights - 1.6, tinted(rng, GREENS if rng.random() < 0.75 else AUTUMN))
    surface *= relief(leaves, light, strength=0.3)[..., None]
    blossom = smoothstep(fractal(shape, rng, cells=20, gain=0.4), 2.2, 2.5)
    surface += blossom[..., None] * (rng.choice(BLOSSOMS) - surface)
    return surface


def boards(shape, rng, light):
    """A table or floor of wooden boards with grain and joints."""
    count = int(rng.integers(3, 8))
    rows = np.linspace(0, count, shape[0], dtype=np.float32)[:, None]
    board = np.minimum(np.floor(rows), count - 1)
    tone = rng.uniform(-0.7, 0.7, count).astype(np.float32)[board.astype(int)]
    grain = fractal(shape, rng, cells=14, gain=0.7, stretch=14)
    figure = np.sin(6 * fractal(shape, rng, cells=1.5, gain=0.4, stretch=8) + 9 * board)
    joint = smoothstep(np.abs(rows - np.round(rows)), 0.0, 0.03)
    surface = ramp(0.55 * grain + 0.35 * figure + tone, tinted(rng, WOODS, amount=0.2))
    surface *= (0.35 + 0.65 * joint)[..., None]
    return surface


def cloth(shape, rng, light):
    """A woven, coloured blanket: tartan bands in folds."""
    H, W = shape
    base, other = rng.permutation(np.array(CLOTHS))[:2] * rng.uniform(1, 2.2)
    threads = np.zeros(shape, np.float32)
    for axis, length in ((0, H), (1, W)):
        at = np.linspace(0, length / min(H, W), length, dtype=np.float32)
        bands = sum(np.sin(rng.uniform(8, 50) * at + rng.uniform(0, 6)) for _ in range(3))
        threads += np.expand_dims(np.clip(2 * bands, -1, 1), 1 - axis)
    folds = fractal(shape, rng, cells=2, gain=0.22)
    threads += 0.2 * fractal(shape, rng, cells=150, gain=0.9)
    surface = ramp(threads, [base, (base + other) / 2, other, np.minimum(other + 0.3, 1)])
    surface *= relief(folds, light, strength=0.3)[..., None]
    return surface


def wall(shape, rng, light):
    """A brick wall: courses of uneven colour in pale mortar."""
    H, W = shape
    courses = int(rng.integers(7, 14)) * H / min(H, W)
    y = np.linspace(0, courses, H, dtype=np.float32)[:, None]
    row = np.floor(y)
    x = np.linspace(0, courses * W / H / 2.6, W, dtype=np.float32) + 0.5 * (row % 2)
    column = np.floor(x)
    rough = fractal(shape, rng, cells=20, gain=0.75)
    tone = np.sin(91.7 * column + 57.3 * row + 3 * np.sin(row * 1.7 + column * 2.9))
    surface = ramp(0.7 * tone + 0.5 * rough, tinted(rng, BRICKS))
    gap = np.minimum(np.abs(y - np.round(y)), 2.6 * np.abs(x - np.round(x))) + 0.02 * rough
    mortar = 1 - smoothstep(gap, 0.05, 0.12)
    surface += mortar[..., None] * (np.float32([0.68, 0.65, 0.6]) - surface)
    surface *= relief(rough, light, strength=0.15)[..., None]
    return surface


GROUNDS = {
    ground.__name__: ground
    for ground in (grass, sand, earth, stone, water, foliage, boards, cloth, wall)
}


def landscape(shape, rng, light):
    """Sky with clouds, hills that pale with distance, and ground in perspective."""
    H, W = shape
    horizon = rng.uniform(0.18, 0.5)
    rows = np.linspace(0, 1, H, dtype=np.float32)
    below = np.clip((rows - horizon) / (1 - horizon), 0.03, 1)
    kind = rng.choice([grass, grass, grass, sand, sand, water, water, earth, stone])
    picture = kind(shape, rng, light, 1 / below)
    haze = tinted(rng, [(0.72, 0.8, 0.88)], amount=0.1)[0].astype(np.float32)
    picture += (0.5 * np.exp(-5 * below))[:, None, None] * (haze - picture)
    edge = _skyline(W, rng, height=0.01 if kind is water else 0.03)
    distance = rows[:, None] - np.float32(horizon) - edge
    _cover(picture, distance, H, _sky(shape, rng, rows / horizon, haze))
    for height, share in ((0.22, 0.65), (0.12, 0.35))[: rng.integers(0, 3)]:
        ridge = rows[:, None] - (horizon - height / 2 + _skyline(W, rng, height=height))
        trees = fractal(shape, rng, cells=18, gain=0.75, stretch=0.7)
        hill = ramp(0.8 * trees, tinted(rng, GREENS))
        hill += share * (haze - hill)
        _cover(picture, np.maximum(distance, -ridge), H, hill)
    return picture


def _sky(shape, rng, up, haze):
    zenith = tinted(rng, [(0.25, 0.47, 0.8)], amount=0.25)[0].astype(np.float32)
    if rng.random() < 0.2:  # evening
        zenith, haze = np.float32([0.36, 0.34, 0.55]), np.float32([0.98, 0.68, 0.42])
    sky = np.broadcast_to(zenith, (*shape, 3)) + np.clip(up, 0, 1)[:, None, None] * (haze - zenith)
    clouds = fractal(shape, rng, cells=2.5, gain=0.52, stretch=2.2) + rng.uniform(-1.2, 0.6)
    cover = smoothstep(clouds, -0.2, 1.4)
    white = 1 - 0.2 * smoothstep(clouds, 0.8, 2.6)
    for channel in range(3):
        sky[..., channel] += 0.92 * cover * (white - sky[..., channel])
    return sky


def _skyline(width, rng, *, height):
    return fractal((1, width), rng, cells=2.5 / width, gain=0.5)[0] * np.float32(height / 2)


def _cover(picture, distance, height, layer):
    """Lay a layer over the picture where the distance (in heights) is negative."""
    share = np.clip(0.5 - distance * height, 0, 1)[..., None]
    layer -= picture
    layer *= share
    picture += layer


def strew(picture: np.ndarray, rng: np.random.Generator, light: np.ndarray, *, top: float):
    """Paint up to a dozen small things below `top` (a share of the height), in place."""
    H, W = picture.shape[:2]
    kinds = rng.choice([_pebble, _petal, _twig], size=rng.integers(0, 13))
    hue = rng.random()
    for kind in kinds:
        radius = max(2.0, min(H, W) * rng.uniform(0.012, 0.05))
        y, x = H * rng.uniform(top, 1), W * rng.random()
        box = box_around((y, x), radius, (H, W))
        canvas = Canvas(box, (y, x), radius, rng.uniform(0, 2 * math.pi), light, rng)
        kind(canvas, hue)
        region = picture[box]
        region *= 1 - 0.95 * canvas.alpha[..., None]
        region += canvas.rgb


def _pebble(c: Canvas, hue: float):
    flat, tone = c.rng.uniform(0.5, 0.9), c.rng.uniform(0.35, 0.85)
    lit = 0.8 + 0.4 * (c.u * c.light[0] + c.v * c.light[1])
    shadow = ellipse(c.u, c.v, -0.15 * c.light[0], -0.15 * c.light[1], 0.85, 0.85 * flat)
    c.paint(shadow, (0.08, 0.07, 0.06))
    c.paint(ellipse(c.u, c.v, 0, 0, 0.8, 0.8 * flat), hsv(0.08, 0.2, tone), shade=lit)


def _petal(c: Canvas, hue: float):
    colour = hsv(hue + c.rng.normal(0, 0.05), c.rng.uniform(0.5, 0.95), c.rng.uniform(0.6, 1))
    lit = 0.85 + 0.25 * c.u
    c.paint(ellipse(c.u, c.v, 0, 0, 0.9, c.rng.uniform(0.3, 0.6)), colour, shade=lit)


def _twig(c: Canvas, hue: float):
    bark = hsv(0.07, 0.45, c.rng.uniform(0.15, 0.5))
    c.paint(capsule(c.u, c.v, (-0.9, 0), (0.85, 0.1), 0.07), bark, shade=1 - 1.5 * c.v)
    c.paint(capsule(c.u, c.v, (0.1, 0.05), (0.5, -0.45), 0.05), bark)
