"""Clips of rendered scenes: the same objects move over a background that moves too."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from study.rendered.scenes.scene import CLASSES, render

SIZE = H, W = 720, 1280
RATE = 25  # frames a second
SHOT = 100  # frames
MARGIN = 2 * SHOT  # pixels that a scene has more on each side: 2 a frame at most
NOISE = 2.0  # standard deviation, of the camera
OPTIONS = {"crf": "10", "preset": "veryfast"}  # of x264


def write_clip(path: Path, *, frames: int, seed: int) -> np.ndarray:
    """Write a clip of 720p, a shot after the other, by x264 at CRF 10.

    It gives the pixels that are objects': bool [frames, 720, 1280]. PyAV, of the extra `video`,
    writes it; the clip follows from the arguments.
    """
    import av

    rng, masks = np.random.default_rng(seed), np.zeros((frames, H, W), bool)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=RATE, options=OPTIONS)
        stream.height, stream.width = SIZE
        for number, (image, mask) in zip(range(frames), _shots(seed), strict=False):
            noisy = image + NOISE * rng.standard_normal((H, W, 1), np.float32)
            pixels = np.clip(noisy, 0, 255).astype(np.uint8)
            masks[number] = mask
            file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        file.mux(stream.encode(None))
    return masks


def _shots(seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Frames of one shot after the other, each with the objects' pixels.

    Two windows move over a scene: one shows its background, the other its objects.
    """
    while True:
        size = H + MARGIN, W + 2 * MARGIN
        shown = [CLASSES[(2 * seed + other) % len(CLASSES)] for other in range(2)]
        scene, empty = (render(*size, objects=own, seed=seed) for own in (shown, []))
        for step in range(SHOT):
            behind = np.s_[step : step + H, 2 * step : 2 * step + W]
            y, x = MARGIN - step, MARGIN + step
            before = np.s_[y : y + H, x : x + W]
            mask = scene.masks[before] > 0
            yield np.where(mask[..., None], scene.image[before], empty.image[behind]), mask
        seed += 1
