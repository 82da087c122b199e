"""Small things that are no object: pebbles, petals and twigs strewn over a background."""

import math

import numpy as np

from study.rendered.scenes.canvas import Canvas, capsule, ellipse, hsv


def strew(picture: np.ndarray, rng: np.random.Generator, light: np.ndarray, *, top: float):
    """Paint up to a dozen small things below `top` (a share of the height), in place."""
    H, W = picture.shape[:2]
    kinds = rng.choice([_pebble, _petal, _twig], size=rng.integers(0, 13))
    hue = rng.random()
    for kind in kinds:
        radius = max(2.0, min(H, W) * rng.uniform(0.012, 0.05))
        y, x = H * rng.uniform(top, 1), W * rng.random()
        rows = slice(max(0, int(y - radius)), min(H, int(y + radius) + 2))
        columns = slice(max(0, int(x - radius)), min(W, int(x + radius) + 2))
        canvas = Canvas((rows, columns), (y, x), radius, rng.uniform(0, 2 * math.pi), light, rng)
        kind(canvas, hue)
        region = picture[rows, columns]
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
