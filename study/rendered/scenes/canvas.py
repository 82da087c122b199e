"""The patch that one object is painted on: shapes as signed distances, surfaces as textures."""

import colorsys
import math
from collections.abc import Sequence

import numpy as np

from study.rendered.scenes.noise import fractal

Colour = Sequence[float] | np.ndarray


class Canvas:
    """A square patch with object coordinates: u to the right, v down, the object in the unit disc.

    It is the rows and columns ``box`` of a picture, for an object about ``centre`` = (y, x) of a
    ``radius`` in pixels, turned by ``angle``. ``light`` is the unit vector towards the light; z
    points at the viewer. Distances are signed, negative inside, in units of the object's radius.
    What is painted accumulates as premultiplied colour ``rgb`` and coverage ``alpha``, float32 in
    [0, 1], the edges one pixel wide.
    """

    def __init__(self, box, centre, radius: float, angle: float, light: np.ndarray, rng):
        rows, columns = box
        y = (np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] + 0.5 - centre[0]) / radius
        x = (np.arange(columns.start, columns.stop, dtype=np.float32) + 0.5 - centre[1]) / radius
        cos, sin = np.float32(math.cos(angle)), np.float32(math.sin(angle))
        self.u, self.v = cos * x + sin * y, cos * y - sin * x  # of the pixels' centres
        turn = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]], np.float32)
        self.light = turn @ light.astype(np.float32)
        self.pixel = 1.0 / radius  # its side
        self.rng = rng
        self.rgb = np.zeros((*self.u.shape, 3), np.float32)
        self.alpha = np.zeros_like(self.u)

    def coverage(self, distance: np.ndarray) -> np.ndarray:
        """Return the share of each pixel inside the shape, float32 in [0, 1]."""
        return np.clip(0.5 - distance / np.float32(self.pixel), 0, 1)

    def paint(self, distance: np.ndarray, colour: Colour, *, shade: np.ndarray | float = 1.0):
        """Lay a part over what is there: a colour or [h, w, 3], times a shade or [h, w]."""
        cover = self.coverage(distance)
        keep = 1 - cover
        self.alpha *= keep
        self.alpha += cover
        cover = cover * np.asarray(shade, np.float32)
        colour = np.asarray(colour, np.float32)
        for channel in range(3):
            plane = self.rgb[..., channel]
            plane *= keep
            plane += cover * colour[..., channel]

    def noise(self, *, cells: float = 4.0, gain: float = 0.55, stretch: float = 1.0) -> np.ndarray:
        """Return fractal noise over the patch, float32 [h, w]."""
        return fractal(self.u.shape, self.rng, cells=cells, gain=gain, stretch=stretch)

    def sharpen(self, wave: np.ndarray, frequency: float) -> np.ndarray:
        """Make 0 or 1 of a wave of `frequency` radians a unit, its edges a pixel wide."""
        return np.clip(0.5 + wave / np.float32(frequency * self.pixel + 0.02), 0, 1)


def box_around(
    centre: tuple[float, float], radius: float, shape: tuple[int, int]
) -> tuple[slice, slice]:
    """Return the rows and columns of a picture of this shape that a circle reaches, in pixels."""
    (y, x), (H, W) = centre, shape
    rows = slice(max(0, math.floor(y - radius)), min(H, math.ceil(y + radius)))
    return rows, slice(max(0, math.floor(x - radius)), min(W, math.ceil(x + radius)))


def hsv(hue: float, saturation: float, value: float) -> np.ndarray:
    """Return the RGB in [0, 1] of a hue (any turn of the circle), saturation and value."""
    return np.array(colorsys.hsv_to_rgb(hue % 1, saturation, value), np.float32)


def mix(first: Colour, second: Colour, share: np.ndarray) -> np.ndarray:
    """Blend to first + share (second − first): [h, w, 3] for a share [h, w]."""
    first, second = np.asarray(first, np.float32), np.asarray(second, np.float32)
    return first + share[..., None] * (second - first)


def ellipse(u, v, cu: float, cv: float, ru: float, rv: float, *, angle: float = 0.0) -> np.ndarray:
    """Return the distance to an ellipse about (cu, cv), to first order exact at its edge."""
    cos, sin = np.float32(math.cos(angle)), np.float32(math.sin(angle))
    du, dv = u - np.float32(cu), v - np.float32(cv)
    a, b = (cos * du + sin * dv) / np.float32(ru), (cos * dv - sin * du) / np.float32(rv)
    near = np.sqrt(a * a + b * b) + np.float32(1e-6)
    slope = np.sqrt((a / np.float32(ru)) ** 2 + (b / np.float32(rv)) ** 2) + np.float32(1e-6)
    return near * (near - 1) / slope


def rectangle(u, v, cu: float, cv: float, hu: float, hv: float, *, corner: float = 0.0):
    """Return the distance to a rectangle of half-sides (hu, hv) with rounded corners."""
    a = np.abs(u - np.float32(cu)) - np.float32(hu - corner)
    b = np.abs(v - np.float32(cv)) - np.float32(hv - corner)
    outside = np.hypot(np.maximum(a, 0), np.maximum(b, 0))
    return outside + np.minimum(np.maximum(a, b), 0) - np.float32(corner)


def polygon(u, v, points: Sequence[Sequence[float]]) -> np.ndarray:
    """Return the distance to a convex polygon, exact inside; points in either order."""
    points = np.asarray(points, float)
    middle = points.mean(axis=0)
    distance = np.full(np.broadcast(u, v).shape, -np.inf, np.float32)
    for p, q in zip(points, np.roll(points, -1, axis=0), strict=True):
        normal = np.array([q[1] - p[1], p[0] - q[0]]) / np.hypot(*(q - p))
        normal *= np.sign(normal @ (p - middle))
        side = np.float32(normal[0]) * u + np.float32(normal[1]) * v
        np.maximum(distance, side - np.float32(normal @ p), out=distance)
    return distance


def capsule(u, v, start: Sequence[float], stop: Sequence[float], radius: float) -> np.ndarray:
    """Return the distance to a line drawn with a round pen of the given radius."""
    (pu, pv), (qu, qv) = start, stop
    du, dv = np.float32(qu - pu), np.float32(qv - pv)
    a, b = u - np.float32(pu), v - np.float32(pv)
    t = np.clip((a * du + b * dv) / (du * du + dv * dv), 0, 1)
    return np.hypot(a - t * du, b - t * dv) - np.float32(radius)


def mottled(canvas: Canvas, a, b, first: Colour, second: Colour) -> np.ndarray:
    """One colour that drifts towards another in cloudy patches."""
    share = 0.35 + 0.3 * canvas.noise(cells=canvas.rng.uniform(2, 6))
    return mix(first, second, np.clip(share, 0, 1))


def stripes(canvas: Canvas, a, b, first: Colour, second: Colour) -> np.ndarray:
    """Straight or wavering bands."""
    angle, frequency = canvas.rng.uniform(0, math.pi), canvas.rng.uniform(6, 18)
    phase = a * np.float32(math.cos(angle)) + b * np.float32(math.sin(angle))
    waver = np.float32(canvas.rng.choice([0.0, 0.08])) * canvas.noise(cells=2)
    return mix(first, second, canvas.sharpen(np.sin(frequency * (phase + waver)), frequency))


def spots(canvas: Canvas, a, b, first: Colour, second: Colour) -> np.ndarray:
    """Round dots on a turned grid."""
    angle, frequency = canvas.rng.uniform(0, math.pi), canvas.rng.uniform(7, 16)
    cos, sin = np.float32(math.cos(angle)), np.float32(math.sin(angle))
    grid = np.cos(frequency * (cos * a + sin * b)) + np.cos(frequency * (cos * b - sin * a))
    return mix(first, second, canvas.sharpen(grid - canvas.rng.uniform(0.3, 1.0), frequency))


def checks(canvas: Canvas, a, b, first: Colour, second: Colour) -> np.ndarray:
    """A chequered board."""
    frequency = canvas.rng.uniform(5, 12)
    wave = np.sin(frequency * (a + 0.3)) * np.sin(frequency * (b + 0.3))
    return mix(first, second, canvas.sharpen(wave, frequency))


def wood(canvas: Canvas, a, b, first: Colour, second: Colour) -> np.ndarray:
    """Long grain: rings cut lengthways, bent by slow noise."""
    bend = 0.18 * canvas.noise(cells=2) + 0.5 * b * b
    rings = np.sin(canvas.rng.uniform(12, 24) * (a + bend))
    return mix(first, second, np.clip(0.5 + 0.35 * rings + 0.12 * canvas.noise(cells=20), 0, 1))


def marble(canvas: Canvas, a, b, first: Colour, second: Colour) -> np.ndarray:
    """Thin veins where a slow noise crosses zero."""
    vein = np.abs(canvas.noise(cells=2.5, gain=0.6) + 0.3 * a)
    return mix(second, first, np.clip(vein * 2.2, 0, 1))


def bricks(canvas: Canvas, a, b, first: Colour, second: Colour) -> np.ndarray:
    """Courses of bricks of the first colour in mortar of the second."""
    courses = np.float32(canvas.rng.uniform(5, 9))
    row = np.floor(b * courses)
    column = a * courses / 2 + 0.5 * (row % 2)
    beside = np.abs(column - np.round(column)) * 2
    gap = np.minimum(beside, np.abs(b * courses - np.round(b * courses)))
    joint = np.clip((gap - 0.07) / np.float32(courses * canvas.pixel + 0.02) + 0.5, 0, 1)
    tone = 1 + 0.12 * np.sin(12.9 * np.floor(column) + 7.3 * row) + 0.06 * canvas.noise(cells=8)
    return mix(second, first, joint) * tone[..., None]
