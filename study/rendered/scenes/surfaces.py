"""Procedural surfaces: the textures that objects are painted with."""

import math

import numpy as np

from study.rendered.scenes.canvas import Canvas, Colour, mix


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
    gap = np.minimum(
        np.abs(column - np.round(column)) * 2, np.abs(b * courses - np.round(b * courses))
    )
    joint = np.clip((gap - 0.07) / np.float32(courses * canvas.pixel + 0.02) + 0.5, 0, 1)
    tone = 1 + 0.12 * np.sin(12.9 * np.floor(column) + 7.3 * row) + 0.06 * canvas.noise(cells=8)
    return mix(second, first, joint) * tone[..., None]
