"""Rendered clips, plain and led by maps: where the bits went, and how steady the maps are."""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from tqdm import tqdm

from msroi.files import write_new
from msroi.saliency import SaliencyOf
from msroi.video import encode_file
from msroi.video.maps import cells
from msroi.video.reading import Video, examine, items
from msroi.video.writing import Settings, write
from study.rendered.clips import write_clip

OBJECTS, REST, ALL = "objects", "the rest", "all"  # of a frame's pixels

WeightsAt = Callable[[int], Mapping[str, np.ndarray]]  # a frame's number → weights [H, W] by name


def measure(
    maps: Mapping[str, SaliencyOf], settings: Settings, *, count: int, frames: int, seed: int
) -> Iterator[dict[str, Any]]:
    """Encode clips by `msroi video` under each map, and tell what each part of a frame gains.

    Rows come clip by clip, map by map, part by part: clip, map, frames, plain_bytes, bytes (at most
    those), crf, map_change and frame_change (mean change from a frame to the next, of 1), part,
    and gain: what PSNR of luma, by the mean error over the clip, is above the plain encode's, dB.

    Parameters
    ----------
    maps
        Name → what draws the map of a frame.
    settings
        Of the plain encode, whose bytes are the budget.
    count, frames, seed
        How many clips, of how many frames each, and the seed of the first one.
    """
    for number in tqdm(range(seed, seed + count), "clips", unit="clip"):
        with TemporaryDirectory() as folder:
            source, plain = Path(folder, "clip.mp4"), Path(folder, "plain.mp4")
            masks = write_clip(source, frames=frames, seed=number)
            write_plainly(examine(source), settings, plain)
            for name, map_of in maps.items():
                target = Path(folder, f"{name}.mp4")
                led = encode_file(source, target, settings, map_of=map_of, save=write_new)
                changes = led.maps.steadiness()
                told = {"clip": number, "map": name, "frames": led.frames}
                told |= {"plain_bytes": led.plain_bytes, "bytes": led.led_bytes, "crf": led.crf}
                told |= {"map_change": changes.maps, "frame_change": changes.frames}
                gains = gained(examine(source), plain, target, partial(_parts, masks))
                for part, gain in gains.items():
                    yield told | {"part": part, "gain": gain}


def write_plainly(video: Video, settings: Settings, path: Path) -> int:
    """Write the plain encode of a video, whose map is flat, and give the bytes of its frames."""
    flat = np.zeros(cells(video.coded), np.float32)
    with path.open("w+b") as file:
        return write(video, settings, file, lambda number: flat, lambda frame: None)


def gained(video: Video, plain: Path, led: Path, weights_at: WeightsAt) -> dict[str, float]:
    """PSNR of luma of a led video less that of the plain one, dB, weighed in each of some ways.

    It is by the mean over the clip of the error that the weights of each frame give it; a frame
    whose weights are all 0 has none.
    """
    errors: dict[str, list[list[float]]] = {}
    read = zip(frames_of(video), frames_of(examine(plain)), frames_of(examine(led)), strict=True)
    for number, (own, *others) in enumerate(read):
        squares = [(_luma(own) - _luma(other)) ** 2 for other in others]
        for where, weights in weights_at(number).items():
            if weights.any():
                found = [float(np.average(square, weights=weights)) for square in squares]
                errors.setdefault(where, []).append(found)
    means = {where: np.mean(found, 0) for where, found in errors.items()}
    return {where: 10 * math.log10(before / after) for where, (before, after) in means.items()}


def frames_of(video: Video) -> Iterator[Any]:
    """The frames of a video alone, without the packets that are copied."""
    import av

    return (item for item in items(video) if isinstance(item, av.VideoFrame))


def _parts(masks: np.ndarray, number: int) -> dict[str, np.ndarray]:
    mask = masks[number]
    return {OBJECTS: mask, REST: ~mask, ALL: np.ones_like(mask)}


def _luma(frame: Any) -> np.ndarray:
    return frame.to_ndarray()[: frame.height].astype(np.float32)
