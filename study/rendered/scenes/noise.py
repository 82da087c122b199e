"""Fractal noise, colour ramps and soft blurs: what every surface of a scene is made of."""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

SHADES = 1024


def upsample(field: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Resize a float32 field [h, w] to `shape` by bicubic interpolation (a smoother one down)."""
    if field.shape == shape:
        return field
    resized = Image.fromarray(field).resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
    return np.asarray(resized)


def fractal(
    shape: tuple[int, int],
    rng: np.random.Generator,
    *,
    cells: float = 3.0,
    gain: float = 0.55,
    stretch: float = 1.0,
    depth: np.ndarray | None = None,
) -> np.ndarray:
    """Sum octaves of value noise, to about zero mean and unit variance.

    Octave k is a lattice of random numbers, twice as fine as the one before and weighted by
    gain^k (0.5 is 1/f, towards 1 is rougher); each partial sum is upsampled to the next lattice, so
    the whole costs little more than its last octave. A larger shape of the same aspect keeps the
    coarse octaves and adds finer ones: the same picture with more detail. The generator is spawned,
    never drawn from, so that the caller's later draws don't depend on the shape.

    The coarsest lattice has ``cells`` along the short side, each ``stretch`` times as wide as high:
    above 1 for water, below for grass. ``depth`` [H] is the distance of each row from the viewer,
    relative to the nearest, 1 or more: a row at distance d shows the texture d times finer, its
    spectrum shifted by log2 d octaves. Returns float32 [H, W], writable.
    """
    H, W = shape
    (rng,) = rng.spawn(1)
    density = cells / min(H, W)
    h, w = max(1.0, H * density * math.sqrt(stretch)), max(1.0, W * density / math.sqrt(stretch))
    total = np.zeros((1, 1), np.float32)
    octave = 0
    while True:
        lattice = (min(H, round(h)), min(W, round(w)))
        weight = np.float32(gain**octave)
        if depth is not None:
            weight = _octave_weight(depth, lattice[0], octave, gain)
        draw = rng.random(lattice, dtype=np.float32)
        draw -= np.float32(0.5)
        draw *= weight
        total = draw + upsample(total, lattice) if octave else draw
        if lattice == shape or (h > 0.6 * H and w > 0.6 * W):
            break
        h, w, octave = 2 * h, 2 * w, octave + 1
    total = np.array(upsample(total, shape))
    # uniform numbers vary by 1/12, and a bicubic upsampling halves that, about
    total *= np.float32(math.sqrt(2 * 12 * (1 - gain**2)))
    return total


def _octave_weight(depth: np.ndarray, rows: int, octave: int, gain: float) -> np.ndarray:
    shift = np.log2(np.interp(np.linspace(0, 1, rows), np.linspace(0, 1, len(depth)), depth))
    fade = np.clip(octave + 1 - shift, 0, 1)
    return (fade * gain ** np.maximum(octave - shift, 0)).astype(np.float32)[:, None]


def ramp(field: np.ndarray, stops: Sequence[Sequence[float]]) -> np.ndarray:
    """Colour a field [H, W]: −2 takes the first of the RGB stops, +2 the last, linear between.

    The stops are in [0, 1]; returns float32 [H, W, 3].
    """
    at = np.linspace(0, len(stops) - 1, SHADES)
    table = np.stack([np.interp(at, range(len(stops)), c) for c in np.transpose(stops)], axis=-1)
    index = np.clip(field * (SHADES / 4) + SHADES / 2, 0, SHADES - 1).astype(np.int16)
    return table.astype(np.float32)[index]


def relief(field: np.ndarray, light: np.ndarray, *, strength: float) -> np.ndarray:
    """Return the brightness, about 1, of a surface of given heights under a slanting light.

    The derivative of the heights along the light's direction, scaled to unit variance, bounded
    by tanh, times strength.
    """
    slope = np.zeros_like(field)
    slope[:, 1:] += np.float32(light[0]) * (field[:, 1:] - field[:, :-1])
    slope[1:] += np.float32(light[1]) * (field[1:] - field[:-1])
    step = max(1, min(field.shape) // 64)
    slope /= np.float32(slope[::step, ::step].std() + 1e-6)
    np.tanh(slope, out=slope)
    slope *= np.float32(-strength)
    slope += 1
    return slope


def blur(field: np.ndarray, radius: float) -> np.ndarray:
    """Blur a float32 field [H, W] by `radius` pixels: shrink by averaging, enlarge smoothly."""
    if radius <= 1:
        return field
    H, W = field.shape
    small = (max(1, round(H / radius)), max(1, round(W / radius)))
    return upsample(upsample(field, small), (H, W))


def smoothstep(field: np.ndarray, low: float, high: float) -> np.ndarray:
    """Rise from 0, below low, along a smooth cubic to 1, above high."""
    t = np.clip((field - np.float32(low)) / np.float32(high - low), 0, 1)
    return t * t * (3 - 2 * t)
