"""The ten object classes: each function paints one object, varied at random, into a canvas."""

import math

import numpy as np

from study.rendered.scenes import canvas
from study.rendered.scenes.canvas import Canvas, capsule, ellipse, hsv, mix, polygon, rectangle

DARK = (0.08, 0.07, 0.07)


def ball(c: Canvas):
    """A sphere: panels, bands, spots or patches in two bright colours, with a highlight."""
    x, y = c.u / np.float32(0.95), c.v / np.float32(0.95)
    z = np.sqrt(np.maximum(1 - x * x - y * y, 0))
    tilt, turn = c.rng.uniform(0.2, 1.2), c.rng.uniform(0, 2 * math.pi)
    a = np.float32(math.cos(tilt)) * y + np.float32(math.sin(tilt)) * z
    b = np.float32(math.cos(tilt)) * z - np.float32(math.sin(tilt)) * y
    hue = c.rng.random()
    first = hsv(hue, c.rng.uniform(0.65, 0.95), c.rng.uniform(0.6, 1))
    second = hsv(hue + c.rng.uniform(0.3, 0.7), c.rng.uniform(0, 0.8), c.rng.uniform(0.85, 1))
    kind = c.rng.choice(["panels", "bands", "spots", "patches"])
    if kind == "panels":
        sectors = c.rng.integers(2, 5)
        wave = np.sin(sectors * (np.arctan2(x, b) + np.float32(turn)))
        colour = mix(first, second, c.sharpen(wave * np.sqrt(x * x + b * b), sectors))
    elif kind == "bands":
        colour = mix(first, second, c.sharpen(np.cos(c.rng.uniform(4, 9) * a), 6))
    elif kind == "spots":
        colour = canvas.spots(c, *np.arcsin(np.clip([x, a], -1, 1)), first, second)
    else:
        colour = canvas.mottled(c, x, a, first, second)
    diffuse = np.maximum(x * c.light[0] + y * c.light[1] + z * c.light[2], 0)
    c.paint(ellipse(c.u, c.v, 0, 0, 0.95, 0.95), colour, shade=0.35 + 0.75 * diffuse)
    shine = ellipse(c.u, c.v, 0.5 * c.light[0], 0.5 * c.light[1], 0.1, 0.1)
    c.rgb += (0.5 * np.exp(-np.maximum(shine + 0.1, 0) * 14) * c.alpha)[..., None]


def cube(c: Canvas):
    """A box seen from a corner: three faces of wood, checks, dots or bricks, shaded apart."""
    yaw, pitch = c.rng.uniform(0.4, 1.17), c.rng.uniform(0.4, 0.8)
    cy, sy, cp, sp = math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch)
    # image axes (u, v, towards the viewer) of the cube's x, y (up) and z edges
    axes = 0.55 * np.array([[cy, sp * sy, cp * sy], [0, -cp, sp], [-sy, sp * cy, cp * cy]])
    hue = c.rng.choice([0.07, 0.09, 0.6, 0.0, c.rng.random()])
    first = hsv(hue, c.rng.uniform(0.3, 0.75), c.rng.uniform(0.55, 0.95))
    second = first * c.rng.uniform(0.35, 0.7)
    texture = c.rng.choice([canvas.wood, canvas.wood, canvas.checks, canvas.marble])
    dots = c.rng.random() < 0.3
    for normal, edge, other in ((0, 1, 2), (1, 0, 2), (2, 0, 1)):
        middle, p, q = axes[normal], axes[edge], axes[other]
        corners = [(middle + i * p + j * q)[:2] for i, j in ((1, 1), (1, -1), (-1, -1), (-1, 1))]
        inverse = np.linalg.inv(np.column_stack([p[:2], q[:2]])).astype(np.float32)
        du, dv = c.u - np.float32(middle[0]), c.v - np.float32(middle[1])
        a = inverse[0, 0] * du + inverse[0, 1] * dv
        b = inverse[1, 0] * du + inverse[1, 1] * dv
        shade = 0.5 + 0.6 * max(float(axes[normal] @ c.light) / 0.55, 0)
        inside = polygon(c.u, c.v, corners)
        c.paint(inside - c.pixel / 2, texture(c, a, b, first, second), shade=shade)
        rim = np.maximum(np.abs(a), np.abs(b))
        c.paint(np.maximum(inside, 0.93 - rim), second, shade=shade)
        if dots:
            for i, j in ((0, 0), (0.5, 0.5), (-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5)):
                pip = np.hypot(a - np.float32(i), b - np.float32(j)) - 0.17
                c.paint(np.maximum(pip * np.float32(0.4), inside), (0.95, 0.94, 0.9), shade=shade)


def flower(c: Canvas):
    """Petals about a grainy disc: pink, red, violet, white or yellow, paler towards the tips."""
    petals, inner = int(c.rng.integers(5, 10)), c.rng.uniform(0.35, 0.6)
    hue = c.rng.choice([0.93, 0.97, 0.0, 0.78, 0.14]) + c.rng.uniform(-0.03, 0.03)
    tip = hsv(hue, c.rng.uniform(0.05, 0.75), c.rng.uniform(0.85, 1))
    base = hsv(hue + 0.04, c.rng.uniform(0.6, 0.95), c.rng.uniform(0.6, 0.9))
    for size, start in ((0.95, 0.0), (0.7, math.pi / petals)):
        radius = np.hypot(c.u, c.v) / np.float32(size)
        theta = np.arctan2(c.v, c.u) + np.float32(start)
        lobe = np.abs(np.cos(theta * np.float32(petals / 2)))
        edge = inner + (1 - inner) * np.sqrt(lobe)
        veins = 0.07 * np.sin(theta * petals * 7) * radius
        share = np.clip(radius + veins + 0.08 * c.noise(cells=6), 0, 1)
        shade = (0.62 + 0.38 * lobe) * (1 + 0.2 * (c.u * c.light[0] + c.v * c.light[1]))
        c.paint((radius - edge) * np.float32(0.8 * size), mix(base, tip, share), shade=shade)
    heart = c.rng.uniform(0.2, 0.32)
    disc = hsv(c.rng.uniform(0.07, 0.15), 0.9, c.rng.uniform(0.35, 0.95))
    grain = 0.85 + 0.2 * c.noise(cells=30, gain=0.8) + 0.3 * (c.u * c.light[0] + c.v * c.light[1])
    c.paint(ellipse(c.u, c.v, 0, 0, heart, heart), disc, shade=grain)


def leaf(c: Canvas):
    """A pointed blade with midrib, side veins and a stalk: green, or autumn's yellow to brown."""
    half, belly = c.rng.uniform(0.36, 0.58), c.rng.uniform(0.75, 1.2)
    hue = c.rng.choice([0.28, 0.24, 0.33, 0.12, 0.06, 0.02]) + c.rng.uniform(-0.02, 0.02)
    first = hsv(hue, c.rng.uniform(0.6, 0.9), c.rng.uniform(0.35, 0.75))
    second = hsv(hue - c.rng.uniform(0.02, 0.09), 0.75, c.rng.uniform(0.5, 0.9))
    c.paint(capsule(c.u, c.v, (0, 0.6), (c.rng.uniform(-0.08, 0.08), 0.96), 0.03), second * 0.7)
    along = np.clip((c.v + np.float32(0.93)) / np.float32(1.66), 0, 1)
    width = half * np.sin(math.pi * along**belly)
    teeth = c.rng.choice([0.0, 0.025]) * np.sin(40 * c.v) * width / half
    outside = np.maximum(np.abs(c.v + np.float32(0.1)) - np.float32(0.83), 0)
    distance = (np.abs(c.u) - width - teeth) * np.float32(0.8) + outside
    spread = 0.45 + 0.35 * c.noise(cells=3) + 0.3 * np.abs(c.u) / half
    blade = mix(first, second, np.clip(spread, 0, 1))
    phase = (c.v + np.float32(0.7) * np.abs(c.u)) * np.float32(c.rng.uniform(22, 34))
    ribs = np.exp(-8 * (1 - np.sin(phase)))
    side = 1 + 0.18 * np.sign(c.u) * (1 if c.light[0] > 0 else -1)
    shade = side * (1 - 0.25 * ribs) * (0.92 + 0.1 * np.cos(phase))
    c.paint(distance, blade, shade=shade)
    rib = capsule(c.u, c.v, (0, -0.8), (0, 0.7), 0.022)
    c.paint(np.maximum(rib, distance), 0.35 + 0.65 * second)


def star(c: Canvas):
    """A five-pointed star folded along its ridges: gold, red, silver or blue, with glitter."""
    hue, saturation = [(0.13, 0.8), (0.0, 0.85), (0.6, 0.12), (0.6, 0.7)][c.rng.integers(4)]
    colour = hsv(hue + c.rng.uniform(-0.02, 0.02), saturation, c.rng.uniform(0.75, 1))
    inner = c.rng.uniform(0.38, 0.5)
    theta = np.arctan2(c.u, -c.v)
    point = np.round(theta * np.float32(5 / (2 * math.pi)))
    fold = theta - point * np.float32(2 * math.pi / 5)
    radius = np.hypot(c.u, c.v)
    x, y = radius * np.abs(np.sin(fold)), radius * np.cos(fold)
    cx, cy = inner * math.sin(math.pi / 5), inner * math.cos(math.pi / 5)
    length = math.hypot(cx, 0.96 - cy)
    across, along = np.float32((0.96 - cy) / length), np.float32(cx / length)
    distance = x * across + (y - np.float32(0.96)) * along
    # each half of a point is a facet that faces its own way
    facing = point * np.float32(2 * math.pi / 5) + np.sign(fold) * np.float32(math.pi / 3)
    lit = np.sin(facing) * c.light[0] - np.cos(facing) * c.light[1]
    glitter = 1 + c.rng.uniform(0, 0.2) * c.noise(cells=24, gain=0.85)
    c.paint(distance, colour, shade=np.clip((0.75 + 0.45 * lit) * glitter, 0.2, 1.3))


def fish(c: Canvas):
    """An oval body with fins and a forked tail: scales or stripes, a paler belly, a round eye."""
    hue = c.rng.choice([0.05, 0.08, 0.14, 0.58, 0.52, 0.98]) + c.rng.uniform(-0.02, 0.02)
    back = hsv(hue, c.rng.uniform(0.6, 0.95), c.rng.uniform(0.55, 0.95))
    belly = hsv(hue + 0.05, c.rng.uniform(0.1, 0.4), 0.95)
    stripe = hsv(hue + c.rng.uniform(0.4, 0.6), c.rng.uniform(0, 0.7), c.rng.choice([0.2, 0.95]))
    tall, fork = c.rng.uniform(0.33, 0.46), c.rng.uniform(0.05, 0.25)
    rays = 0.8 + 0.2 * np.sin(30 * np.arctan2(c.v, c.u - np.float32(0.2)))
    for sign in (-1, 1):
        tail = polygon(c.u, c.v, [(-0.42, 0), (-0.87, sign * 0.4), (-0.87 + fork, 0)])
        c.paint(tail - 0.01, back, shade=rays)
        fin = [(0.35, sign * 0.2), (-0.25, sign * (tall + 0.2)), (-0.3, sign * 0.15)]
        c.paint(polygon(c.u, c.v, fin) - 0.02, back * 0.9, shade=rays)
    body = ellipse(c.u, c.v, 0.18, 0, 0.74, tall)
    colour = mix(back, belly, np.clip(0.35 + 1.6 * c.v + 0.1 * c.noise(cells=5), 0, 1))
    if c.rng.random() < 0.5:
        frequency = c.rng.uniform(8, 14)
        bars = c.sharpen(np.sin(frequency * c.u + 0.4 * c.noise(cells=2)) - 0.35, frequency)
        colour = mix(colour, np.broadcast_to(stripe, colour.shape), bars)
    scales = np.cos(34 * c.u + 17 * c.v) * np.cos(34 * c.u - 17 * c.v)
    light = 0.95 - 0.25 * np.square(c.v / np.float32(tall)) + 0.25 * c.light[1] * c.v
    c.paint(body, colour, shade=light + 0.12 * scales)
    gill = np.abs(ellipse(c.u, c.v, 0.75, 0, 0.28, 0.4)) - 0.012
    c.paint(np.maximum(gill, np.maximum(body + 0.03, c.u - 0.6)), back * 0.5)
    c.paint(ellipse(c.u, c.v, 0.68, -0.08, 0.085, 0.085), (0.97, 0.96, 0.9))
    c.paint(ellipse(c.u, c.v, 0.69, -0.08, 0.05, 0.05), DARK)


def mushroom(c: Canvas):
    """A domed cap, red with white flecks or brown, over pale gills and a stem."""
    red = c.rng.random() < 0.55
    cap = hsv(0.0 if red else 0.07, 0.85 if red else 0.6, c.rng.uniform(0.5, 0.9))
    cap = cap * c.rng.uniform(0.85, 1.1, 3).astype(np.float32)
    pale = hsv(0.11, c.rng.uniform(0.08, 0.25), 0.95)
    stem, rise = c.rng.uniform(0.17, 0.27), c.rng.uniform(0.55, 0.75)
    round_ = 1 - 0.5 * np.abs(c.u / np.float32(stem) - c.light[0])
    fibres = round_ + 0.08 * c.noise(cells=10, stretch=0.15)
    foot = ellipse(c.u, c.v, 0, 0.76, stem * 1.35, 0.2)
    stalk = polygon(c.u, c.v, [(-stem, 0), (stem, 0), (stem * 1.25, 0.85), (-stem * 1.25, 0.85)])
    c.paint(np.minimum(foot, stalk), pale, shade=np.clip(fibres, 0.35, 1.1))
    gills = 0.62 + 0.2 * np.sin(90 * np.arctan2(c.u, c.v + np.float32(0.6)))
    c.paint(ellipse(c.u, c.v, 0, 0.08, 0.8, 0.16), pale, shade=gills)
    whole = ellipse(c.u, c.v, 0, 0.08, 0.84, rise + 0.14)
    dome = np.maximum(whole, c.v - 0.08 - 0.1 * (1 - c.u**2))
    a, b = c.u / np.float32(0.84), (c.v - np.float32(0.08)) / np.float32(rise + 0.14)
    z = np.sqrt(np.maximum(1 - a * a - b * b, 0))
    lit = np.maximum(a * c.light[0] + b * c.light[1] + z * c.light[2], 0)
    shade = 0.45 + 0.65 * lit
    c.paint(dome, cap, shade=shade * (1 + 0.08 * c.noise(cells=6)))
    if red:
        for _ in range(c.rng.integers(7, 14)):
            angle, reach = c.rng.uniform(-1.3, 1.3), c.rng.uniform(0.1, 0.85)
            at = 0.84 * reach * math.sin(angle), 0.05 - (rise + 0.1) * reach * math.cos(angle)
            size = c.rng.uniform(0.05, 0.11)
            fleck = ellipse(c.u, c.v, *at, size, size * 0.8)
            c.paint(np.maximum(fleck, dome + 0.02), (0.97, 0.95, 0.9), shade=shade)


def butterfly(c: Canvas):
    """Two pairs of mirrored wings with dark margins, veins and eyespots, a body and feelers."""
    side = np.abs(c.u)
    hue = c.rng.choice([0.07, 0.12, 0.58, 0.62, 0.75, 0.02]) + c.rng.uniform(-0.02, 0.02)
    inner = hsv(hue, c.rng.uniform(0.65, 0.95), c.rng.uniform(0.75, 1))
    outer = hsv(hue + c.rng.uniform(-0.08, 0.08), 0.8, c.rng.uniform(0.45, 0.8))
    margin, tilt = c.rng.uniform(0.04, 0.12), c.rng.uniform(-0.75, -0.45)
    upper = ellipse(side, c.v, 0.43, -0.31, 0.45, 0.33, angle=tilt)
    lower = ellipse(side, c.v, 0.35, 0.35, 0.38, 0.31, angle=c.rng.uniform(0.6, 1.0))
    spot = hsv(hue + 0.5, c.rng.uniform(0.2, 0.9), 0.95)
    for wing, at in ((lower, (0.45, 0.5)), (upper, (0.57, -0.46))):
        c.paint(wing, DARK)
        veins = np.abs(np.sin(9 * np.arctan2(c.v + np.float32(0.05), side)))
        share = np.clip(0.2 + 1.1 * side * side + 0.15 * c.noise(cells=5), 0, 1)
        shade = (0.55 + 0.45 * np.clip(veins * 4, 0, 1)) * (1 + 0.2 * np.sign(c.u) * c.light[0])
        c.paint(wing + margin, mix(inner, outer, share), shade=shade)
        c.paint(ellipse(side, c.v, *at, 0.09, 0.08), DARK)
        c.paint(ellipse(side, c.v, *at, 0.055, 0.05), spot)
    for at in ((0.74, -0.47), (0.65, -0.63), (0.57, 0.34)):
        fleck = ellipse(side, c.v, *at, 0.03, 0.025)
        c.paint(np.maximum(fleck, np.minimum(upper, lower) + 0.01), (0.95, 0.93, 0.85))
    c.paint(capsule(side, c.v, (0, -0.4), (0.22, -0.82), 0.015), DARK)
    rings = 0.8 + 0.3 * np.cos(25 * c.v)
    c.paint(ellipse(c.u, c.v, 0, 0.05, 0.065, 0.5), (0.2, 0.15, 0.11), shade=rings)


def house(c: Canvas):
    """Walls of brick, boards or plaster, a tiled roof, a chimney, a door and lit windows."""
    wide, top = c.rng.uniform(0.5, 0.63), c.rng.uniform(-0.2, 0.02)
    wall = hsv(c.rng.uniform(0.02, 0.14), c.rng.uniform(0.08, 0.6), c.rng.uniform(0.65, 0.98))
    roof = hsv(c.rng.choice([0.01, 0.04, 0.6]), c.rng.uniform(0.3, 0.75), c.rng.uniform(0.35, 0.65))
    paint = hsv(c.rng.random(), c.rng.uniform(0.3, 0.8), c.rng.uniform(0.3, 0.7))
    c.paint(rectangle(c.u, c.v, c.rng.choice([-1, 1]) * 0.35, -0.5, 0.08, 0.28), wall * 0.6)
    texture = c.rng.choice([canvas.bricks, canvas.bricks, canvas.mottled, canvas.wood])
    middle, half = (top + 0.74) / 2, (0.74 - top) / 2
    second = wall * 0.72 if texture is not canvas.bricks else np.float32([0.85, 0.83, 0.78])
    shade = 0.85 + 0.15 * c.light[0] * c.u + 0.12 * np.clip((c.v - np.float32(top)) * 6 - 1, -1, 0)
    front = texture(c, c.u, c.v, wall, second)
    c.paint(rectangle(c.u, c.v, 0, middle, wide, half), front, shade=shade)
    peak, eaves = c.rng.uniform(0.0, 0.3), wide + 0.12
    slope = polygon(c.u, c.v, [(-eaves, top), (eaves, top), (peak, -0.86), (-peak, -0.86)])
    tiles = 0.85 + 0.2 * np.sin(45 * c.v) * (0.7 + 0.3 * np.sin(40 * c.u)) + 0.06 * c.noise(cells=6)
    c.paint(slope, roof, shade=tiles)
    door = c.rng.choice([-0.3, 0.0, 0.3])
    c.paint(rectangle(c.u, c.v, door, 0.52, 0.12, 0.24), paint * 0.55)
    c.paint(rectangle(c.u, c.v, door, 0.53, 0.095, 0.22), paint)
    glass = c.rng.choice([(0.98, 0.85, 0.45), (0.45, 0.62, 0.78), (0.2, 0.25, 0.32)])
    for at in (-0.36, 0.0, 0.36):
        low = 0.42 if abs(at - door) > 0.25 else 0.13
        if low < top + 0.15:
            continue
        pane = rectangle(c.u, c.v, at, low, 0.1, 0.12)
        bars = np.minimum(np.abs(c.u - np.float32(at)), np.abs(c.v - np.float32(low))) - 0.012
        c.paint(pane - 0.025, (0.95, 0.94, 0.9))
        c.paint(np.maximum(pane, -bars), glass)


def mug(c: Canvas):
    """A cylinder with a ring for a handle: glazed, banded, spotted or speckled, coffee inside."""
    hue = c.rng.random()
    glaze = hsv(hue, c.rng.uniform(0.1, 0.75), c.rng.uniform(0.6, 0.97))
    second = hsv(hue + c.rng.uniform(0.2, 0.6), c.rng.uniform(0.3, 0.8), c.rng.uniform(0.3, 0.9))
    handle = np.abs(ellipse(c.u, c.v, 0.44, 0.1, 0.34, 0.36)) - 0.075
    around = 0.8 + 0.3 * (c.light[0] * (c.u - np.float32(0.44)) - c.light[1] * c.v)
    c.paint(np.maximum(handle, 0.35 - c.u), glaze, shade=around)
    x = (c.u + np.float32(0.15)) / np.float32(0.6)
    wall = rectangle(c.u, c.v, -0.15, 0.02, 0.6, 0.58)
    body = np.minimum(wall, ellipse(c.u, c.v, -0.15, 0.6, 0.6, 0.13))
    texture = c.rng.choice([canvas.stripes, canvas.spots, canvas.mottled, canvas.checks])
    bend = np.arcsin(np.clip(x, -1, 1)) * np.float32(0.6)
    drop = c.v - np.float32(0.13) * np.sqrt(np.maximum(1 - x * x, 0))
    colour = texture(c, bend, drop, glaze, second)
    band = np.clip((np.abs(drop - np.float32(0.1)) - np.float32(0.32)) / np.float32(c.pixel), 0, 1)
    colour = mix(colour, np.broadcast_to(glaze, colour.shape), band)
    lit = np.maximum(x * c.light[0] + np.sqrt(np.maximum(1 - x * x, 0)) * c.light[2], 0)
    gloss = 0.25 * np.exp(-((x - 0.6 * np.sign(c.light[0])) ** 2) * 60)
    c.paint(body, colour, shade=0.42 + 0.65 * lit + gloss)
    c.paint(ellipse(c.u, c.v, -0.15, -0.56, 0.6, 0.15), glaze, shade=1.1)
    c.paint(ellipse(c.u, c.v, -0.15, -0.55, 0.54, 0.115), glaze * 0.45)
    c.paint(ellipse(c.u, c.v, -0.15, -0.525, 0.5, 0.085), (0.24, 0.13, 0.07))


PAINTERS = {
    painter.__name__: painter
    for painter in (ball, cube, flower, leaf, star, fish, mushroom, butterfly, house, mug)
}
# how far each may turn from upright, in radians, and whether gravity holds it
TURNS = {name: math.pi for name in ("ball", "flower", "leaf", "star")}
TURNS |= {"cube": 0.2, "fish": 0.5, "mushroom": 0.35, "butterfly": 0.9, "house": 0.12, "mug": 0.25}
