"""Compose a scene: background, clutter, objects with shadows, light and sensor noise."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from study.rendered.scenes import backgrounds
from study.rendered.scenes.canvas import Canvas
from study.rendered.scenes.clutter import strew
from study.rendered.scenes.noise import blur, fractal, upsample
from study.rendered.scenes.objects import PAINTERS, TURNS

CLASSES: tuple[str, ...] = tuple(PAINTERS)
GROUNDS = ("grass", "sand", "earth", "stone", "water", "foliage", "boards", "cloth", "wall")
BACKGROUNDS: tuple[str, ...] = ("landscape", *GROUNDS)
LANDSCAPE_SHARE = 0.4
SMALLEST = 32
BAND = 256  # rows finished at a time, which bounds the memory


@dataclass(frozen=True)
class Scene:
    """A rendered image and what is on it.

    Attributes
    ----------
    image : uint8 [H, W, 3], sRGB
    masks : uint8 [H, W]
        0 is background, i the visible pixels of the i-th object, counted from 1.
    classes : tuple of str
        The objects' classes, in the order of their labels.
    """

    image: np.ndarray
    masks: np.ndarray
    classes: tuple[str, ...]


def render(
    height: int,
    width: int,
    *,
    objects: Sequence[str],
    seed: int,
    relative_size: tuple[float, float] = (0.45, 0.85),
    background: str | None = None,
) -> Scene:
    """Render a scene with the given objects.

    The picture follows from the arguments alone. Another size of the same aspect gives the same
    composition, in finer detail where larger.

    Parameters
    ----------
    height, width : int, at least 32
    objects : sequence of names from `CLASSES`
        At most 16; empty gives the bare background.
    seed : int, at least 0
    relative_size : (low, high) in (0, 1]
        Diameter of a single object's bounding circle over the image's short side. With n
        objects it is divided by n^0.4, and reduced further until they fit: their circles
        overlap by a tenth of their radii at most, so each stays visible but for a few percent.
    background : name from `BACKGROUNDS`, optional
        Two in five are landscapes, the others ground seen from above, unless one is named.

    Raises
    ------
    ValueError
        For an unknown class or background, more than 16 objects, or a size out of range.
    """
    _check(height, width, objects, relative_size, background)
    streams = [np.random.default_rng([seed, k]) for k in range(4 + len(objects))]
    light = _light(streams[0])
    picture = _background((height, width), streams[1], light, background)
    masks = np.zeros((height, width), np.uint8)
    places = _layout(height, width, len(objects), relative_size, streams[2])
    # what stands lower in the picture is nearer, so it goes over what stands higher
    for index in sorted(range(len(objects)), key=lambda i: places[i][0] + places[i][2]):
        _place(picture, masks, index + 1, objects[index], places[index], light, streams[4 + index])
    return Scene(_develop(picture, streams[3]), masks, tuple(objects))


def _check(height, width, objects, relative_size, background):
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
    low, high = relative_size
    if not 0 < low <= high <= 1:
        raise ValueError(f"relative_size {relative_size} must be (low, high), 0 < low ≤ high ≤ 1.")


def _light(rng) -> np.ndarray:
    """Unit vector towards the sun: from above in the picture, and from the viewer's side."""
    azimuth, height = rng.uniform(0.15, 0.85) * math.pi, rng.uniform(0.6, 1.0)
    return np.array(
        [
            math.cos(azimuth) * math.cos(height),
            -math.sin(azimuth) * math.cos(height),
            math.sin(height),
        ]
    )


def _background(shape, rng, light, name) -> np.ndarray:
    drawn = "landscape" if rng.random() < LANDSCAPE_SHARE else str(rng.choice(GROUNDS))
    name = name or drawn
    picture = getattr(backgrounds, name)(shape, rng, light)
    strew(picture, rng, light, top=0.55 if name == "landscape" else 0.0)
    if rng.random() < 0.2:  # out of focus
        radius = min(shape) * rng.uniform(0.004, 0.018)
        for channel in range(3):
            picture[..., channel] = blur(np.ascontiguousarray(picture[..., channel]), radius)
    return picture


def _layout(height, width, count, relative_size, rng) -> list[tuple[float, float, float]]:
    """Centre (y, x) and radius of each object, in pixels, drawn in units of the short side."""
    short = min(height, width)
    h, w = height / short, width / short
    radii = rng.uniform(*relative_size, count) / 2 / max(1, count) ** 0.4
    while True:
        for _ in range(50):
            centres = np.column_stack(
                [rng.uniform(radii, h - radii), rng.uniform(radii, w - radii)]
            )
            apart = np.hypot(*(centres[:, None] - centres).transpose(2, 0, 1))
            room = 0.95 * (radii[:, None] + radii)
            if np.all((apart >= room) | np.eye(count, dtype=bool)):
                return [
                    (y * short, x * short, r * short)
                    for (y, x), r in zip(centres, radii, strict=True)
                ]
        radii = radii * 0.93


def _place(picture, masks, label, name, place, light, rng):
    """Paint one object and its shadow into the picture, and its label into the masks."""
    y, x, radius = place
    H, W = masks.shape
    rows = slice(max(0, math.floor(y - radius)), min(H, math.ceil(y + radius)))
    columns = slice(max(0, math.floor(x - radius)), min(W, math.ceil(x + radius)))
    canvas = Canvas((rows, columns), (y, x), radius, rng.uniform(-1, 1) * TURNS[name], light, rng)
    PAINTERS[name](canvas)
    _shade(picture, canvas.alpha, (rows.start, columns.start), radius, light, rng)
    canvas.rgb += (1 - canvas.alpha)[..., None] * picture[rows, columns]
    picture[rows, columns] = canvas.rgb
    masks[rows, columns][canvas.alpha >= 0.5] = label


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
    picture[rows, columns] *= (
        1 - np.float32(rng.uniform(0.35, 0.65)) * np.clip(shadow, 0, 1)[..., None]
    )


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
