"""Compose a scene: background, clutter, objects with shadows, light and sensor noise."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from study.rendered.scenes.backgrounds import GROUNDS, landscape, strew
from study.rendered.scenes.canvas import Canvas, box_around
from study.rendered.scenes.noise import blur, fractal, upsample
from study.rendered.scenes.objects import PAINTERS, TURNS

CLASSES: tuple[str, ...] = tuple(PAINTERS)
BACKGROUNDS = {"landscape": landscape, **GROUNDS}
LANDSCAPE_SHARE = 0.4
DIAMETERS = (0.45, 0.85)  # of a single object's bounding circle, over the image's short side
SMALLEST = 32
BAND = 256  # rows finished at a time, which bounds the memory


@dataclass(frozen=True)
class Scene:
    """A rendered image and what is on it."""

    image: np.ndarray  # uint8 [H, W, 3], sRGB
    masks: np.ndarray  # uint8 [H, W]: 0 background, i the i-th object's visible pixels, from 1 on
    classes: tuple[str, ...]  # of the objects, in the order of their labels


def render(
    height: int, width: int, *, objects: Sequence[str], seed: int, background: str | None = None
) -> Scene:
    """Render a scene of 32 pixels a side or more, with up to 16 objects from `CLASSES`, or none.

    The picture follows from the arguments alone. Another size of the same aspect gives the same
    composition, in finer detail where larger. The more objects there are, the smaller they are:
    their circles overlap by a tenth of their radii at most, so each stays visible but for a few
    percent. Two backgrounds in five are landscapes, the others ground seen from above, unless one
    of `BACKGROUNDS` is named. ValueError tells which argument does not fit.
    """
    _check(height, width, objects, background)
    streams = [np.random.default_rng([seed, k]) for k in range(4 + len(objects))]
    light = _light(streams[0])
    picture = _background((height, width), streams[1], light, background)
    masks = np.zeros((height, width), np.uint8)
    places = _layout(height, width, len(objects), streams[2])
    # what stands lower in the picture is nearer, so it goes over what stands higher
    for index in sorted(range(len(objects)), key=lambda i: places[i][0] + places[i][2]):
        _place(picture, masks, index + 1, objects[index], places[index], light, streams[4 + index])
    return Scene(_develop(picture, streams[3]), masks, tuple(objects))


def _check(height, width, objects, background):
    if unknown := set(objects) - set(CLASSES):
        raise ValueError(
            f"No object class {sorted(unknown)[0]!r}: choose from {', '.join(CLASSES)}."
        )
    if background not in (None, *BACKGROUNDS):
        raise ValueError(f"No background {background!r}: choose from {', '.join(BACKGROUNDS)}.")
    if len(objects) > 16:
        raise ValueError(f"{len(objects)} objects don't fit a scene: give at most 16.")
    if min(height, width) < SMALLEST:
        raise ValueError(f"A scene of {height}×{width} pixels is too small: {SMALLEST} at least.")


def _light(rng) -> np.ndarray:
    """Draw the unit vector towards the sun: above in the picture, and on the viewer's side."""
    azimuth, height = rng.uniform(0.15, 0.85) * math.pi, rng.uniform(0.6, 1.0)
    x, y = math.cos(azimuth) * math.cos(height), -math.sin(azimuth) * math.cos(height)
    return np.array([x, y, math.sin(height)])


def _background(shape, rng, light, name) -> np.ndarray:
    drawn = "landscape" if rng.random() < LANDSCAPE_SHARE else str(rng.choice(list(GROUNDS)))
    name = name or drawn
    picture = BACKGROUNDS[name](shape, rng, light)
    strew(picture, rng, light, top=0.55 if name == "landscape" else 0.0)
    if rng.random() < 0.2:  # out of focus
        radius = min(shape) * rng.uniform(0.004, 0.018)
        for channel in range(3):
            picture[..., channel] = blur(np.ascontiguousarray(picture[..., channel]), radius)
    return picture


def _layout(height, width, count, rng) -> list[tuple[float, float, float]]:
    """Draw the centre (y, x) and radius of each object, in pixels.

    The radii of n objects are divided by n^0.4, and shrink further until all fit.
    """
    short = min(height, width)
    h, w = height / short, width / short
    radii = rng.uniform(*DIAMETERS, count) / 2 / max(1, count) ** 0.4
    while True:
        for _ in range(50):
            y, x = rng.uniform(radii, h - radii), rng.uniform(radii, w - radii)
            centres = np.column_stack([y, x])
            apart = np.hypot(*(centres[:, None] - centres).transpose(2, 0, 1))
            room = 0.95 * (radii[:, None] + radii)
            if np.all((apart >= room) | np.eye(count, dtype=bool)):
                return [tuple(place) for place in np.column_stack([centres, radii]) * short]
        radii = radii * 0.93


def _place(picture, masks, label, name, place, light, rng):
    """Paint one object and its shadow into the picture, and its label into the masks."""
    y, x, radius = place
    box = box_around((y, x), radius, masks.shape)
    canvas = Canvas(box, (y, x), radius, rng.uniform(-1, 1) * TURNS[name], light, rng)
    PAINTERS[name](canvas)
    _shade(picture, canvas.alpha, (box[0].start, box[1].start), radius, light, rng)
    canvas.rgb += (1 - canvas.alpha)[..., None] * picture[box]
    picture[box] = canvas.rgb
    masks[box][canvas.alpha >= 0.5] = label


def _shade(picture, alpha, corner, radius, light, rng):
    """Darken the picture by the object's soft shadow, cast away from the light."""
    H, W = picture.shape[:2]
    margin = math.ceil(0.4 * radius)
    shadow = blur(np.pad(alpha, margin), radius * rng.uniform(0.1, 0.2))
    reach = radius * rng.uniform(0.08, 0.25)
    top = corner[0] - margin - round(reach * light[1])
    left = corner[1] - margin - round(reach * light[0])
    rows = slice(max(0, top), min(H, top + shadow.shape[0]))
    columns = slice(max(0, left), min(W, left + shadow.shape[1]))
    shadow = shadow[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    depth = np.float32(rng.uniform(0.35, 0.65))
    picture[rows, columns] *= 1 - depth * np.clip(shadow, 0, 1)[..., None]


def _develop(picture: np.ndarray, rng) -> np.ndarray:
    """What the camera does: exposure, white balance, uneven light, sensor noise, 8 bits."""
    H, W = picture.shape[:2]
    gains = np.float32(rng.uniform(0.82, 1.12) * rng.uniform(0.94, 1.06, 3))
    slow = fractal((H // 8, W // 8), rng, cells=1.2, gain=0.35)
    uneven = upsample(1 + np.float32(rng.uniform(0, 0.14)) * slow, (H, W))
    sigma = np.float32(rng.uniform(0.003, 0.02))
    image = np.empty((H, W, 3), np.uint8)
    for start in range(0, H, BAND):
        band = picture[start : start + BAND] * gains
        band *= uneven[start : start + BAND, :, None]
        band += sigma * rng.standard_normal(band.shape, dtype=np.float32)
        image[start : start + BAND] = np.clip(band * 255 + 0.5, 0, 255)
    return image
