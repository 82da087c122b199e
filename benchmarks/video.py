"""`msroi video` on a clip: how fast it is, what its bytes are, and where its bits went.

    python benchmarks/video.py [--video FILE] [--frames 300] [--crf 23] [--codec x264]

By itself it renders 720p shots in which the same objects move over a background that moves too, so
that it is known which pixels are theirs; --video takes another clip, of which that is not known.
Frames a second are told of the maps alone (decoding included), of the plain encode alone, of both
at once as the command has them, and of all that it does: those, and every try under the maps.
Beside these stands what the cores worked for a frame, which a busy machine changes less.
PSNR is of luma, by the mean error over the clip, what the led video has more than the plain one.
The exit status is 1 if all is slower than 10 frames a second by x264, or the led video has more
bytes than the plain one or less than 97% of them. That speed is promised of 720p on two cores.
"""

import math
import os
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command sets it

import av
import numpy as np
from measures import Row, parser, report, row

from msroi.files import write_new
from msroi.offsets import CELL
from msroi.region import salient_region
from msroi.saliency import SaliencyOf, network_map
from msroi.video import Led, encode_file
from msroi.video.budget import SHARE_TO_STOP_AT
from msroi.video.maps import SHORT_SIDES, Maps, cells
from msroi.video.reading import Video, examine, items
from msroi.video.writing import ENCODERS, PRESETS, Settings, plain_sizes, write
from study.rendered.scenes.scene import CLASSES, render

SIZE = H, W = 720, 1280
RATE = 25
SHOT = 100  # frames
MARGIN = 2 * SHOT  # pixels that a scene has more on each side: 2 a frame at most
NOISE = 2.0  # standard deviation, of the camera
SPEED = 10.0  # frames a second, on two cores


def main() -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--video", type=Path, help="a clip, instead of the rendered one")
    options.add_argument("--frames", type=int, default=300, help="of the rendered one (300)")
    options.add_argument("--crf", type=float, default=23.0)
    options.add_argument("--codec", choices=ENCODERS, default="x264")
    options.add_argument("--preset", choices=PRESETS, default="medium")
    options.add_argument("--model", default="released", help="a network (.onnx), or 'released'")
    chosen = options.parse_args()
    settings = Settings(chosen.codec, chosen.preset, chosen.crf)
    with tempfile.TemporaryDirectory() as folder:
        source, masks = chosen.video, None
        if source is None:
            source = Path(folder, "clip.mp4")
            masks = rendered(source, chosen.frames)
        map_of = network_map(chosen.model, short_sides=SHORT_SIDES)
        rows, kept = measured(source, settings, map_of, Path(folder), masks)
    report(rows, chosen.json)
    sys.exit(0 if kept else 1)


def measured(
    source: Path, settings: Settings, map_of: SaliencyOf, folder: Path, masks: np.ndarray | None
) -> tuple[list[Row], bool]:
    """All rows of a clip, and whether the promises are kept."""
    video, target = examine(source), folder / "led.mp4"
    seconds, busy, led = timed(video, target, settings, map_of)
    same, plain = written_plainly(video, settings, folder / "plain.mp4")
    speed = {"at_least": SPEED} if settings.codec == "x264" else {}
    goals = {name: speed if name == "all" else {} for name in seconds}
    share, steadiness = led.led_bytes / led.plain_bytes, led.maps.steadiness()
    gains = gained(video, plain, target, led.maps, masks)
    rows = [
        *(
            row(name, [led.frames / took], "frames/s", **goals[name])
            for name, took in seconds.items()
        ),
        *(
            row(f"{name}, cores' work", [1000 * work / led.frames], "ms")
            for name, work in busy.items()
        ),
        row("frames", [led.frames], ""),
        row("tries under the maps", [led.tries], ""),
        row("bytes of the plain encode", [led.plain_bytes], ""),
        row("bytes of the led one", [100 * share], "%", at_most=100),
        row("the same", [100 * share], "%", at_least=100 * SHARE_TO_STOP_AT),
        row("CRF of the led one", [led.crf], ""),
        row("mean change of the frames", [100 * steadiness.frames], "%"),
        row("mean change of the maps", [100 * steadiness.maps], "%"),
        *(row(f"PSNR {where}", [gain], "dB") for where, gain in gains.items()),
    ]
    kept = SHARE_TO_STOP_AT <= share <= 1 and same == led.plain_bytes
    return rows, kept and not (speed and led.frames / seconds["all"] < SPEED)


def timed(
    video: Video, target: Path, settings: Settings, map_of: SaliencyOf
) -> tuple[dict[str, float], dict[str, float], Led]:
    """Seconds of each step, and those of all cores; the last is the command's, with its result."""
    map_of(np.zeros((64, 64, 3), np.uint8))  # the network is open, and no step waits for it
    steps: dict[str, Callable[[], Any]] = {
        "maps": lambda: deque(map(Maps(video, map_of).see, frames(video)), maxlen=0),
        "plain encode": lambda: plain_sizes(video, settings, lambda frame: None),
        "plain encode and maps": lambda: plain_sizes(video, settings, Maps(video, map_of).see),
        "all": lambda: encode_file(video.path, target, settings, map_of=map_of, save=write_new),
    }
    seconds, busy = {}, {}
    for name, step in steps.items():
        begun, worked = time.perf_counter(), time.process_time()
        done = step()
        seconds[name] = time.perf_counter() - begun
        busy[name] = time.process_time() - worked
    return seconds, busy, done


def written_plainly(video: Video, settings: Settings, path: Path) -> tuple[int, Path]:
    """Write the plain encode, whose map is flat: the bytes of its frames, and the file."""
    flat = np.zeros(cells(video.coded), np.float32)
    with path.open("w+b") as file:
        return write(video, settings, file, lambda number: flat, lambda frame: None), path


def frames(video: Video) -> Iterator[av.VideoFrame]:
    return (item for item in items(video) if isinstance(item, av.VideoFrame))


def gained(
    video: Video, plain: Path, led: Path, maps: Maps, masks: np.ndarray | None
) -> dict[str, float]:
    """PSNR of the led video less that of the plain one: weighed by the map, and by regions."""
    errors: dict[str, list[list[float]]] = {}
    read = zip(frames(video), frames(examine(plain)), frames(examine(led)), strict=True)
    for number, (own, *others) in enumerate(read):
        squares = [(_luma(own) - _luma(other)) ** 2 for other in others]
        for where, weights in _weights(maps.at(number), own, masks, number).items():
            if weights.any():
                found = [float(np.average(square, weights=weights)) for square in squares]
                errors.setdefault(where, []).append(found)
    means = {where: np.mean(found, 0) for where, found in errors.items()}
    return {where: 10 * math.log10(before / after) for where, (before, after) in means.items()}


def _weights(
    saliency: np.ndarray, frame: av.VideoFrame, masks: np.ndarray | None, number: int
) -> dict[str, np.ndarray]:
    """What each pixel's error counts, by the name of the measure."""
    top = _pixels(salient_region(saliency), frame)
    weights = {
        "weighed by the map": _pixels(saliency, frame),
        "of its top 30%": top,
        "elsewhere": ~top,
        "of all": np.ones_like(top),
    }
    return weights if masks is None else weights | {"of the objects": masks[number]}


def rendered(path: Path, count: int) -> np.ndarray:
    """Write a clip of shots, and give the pixels that are objects', bool [frames, H, W]."""
    rng, masks = np.random.default_rng(2017), np.zeros((count, H, W), bool)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=RATE, options={"crf": "10", "preset": "veryfast"})
        stream.height, stream.width = SIZE
        for number, (image, mask) in zip(range(count), _shots(), strict=False):
            noisy = image + NOISE * rng.standard_normal((H, W, 1), np.float32)
            pixels = np.clip(noisy, 0, 255).astype(np.uint8)
            masks[number] = mask
            file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        file.mux(stream.encode(None))
    return masks


def _shots() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Frames of one shot after the other, each with the objects' pixels.

    Two windows move over a scene: one shows its background, the other its objects.
    """
    seed = 0
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


def _luma(frame: av.VideoFrame) -> np.ndarray:
    return frame.to_ndarray()[: frame.height].astype(np.float32)


def _pixels(values: np.ndarray, frame: av.VideoFrame) -> np.ndarray:
    """A value for each pixel of a frame, from one for each cell."""
    return values.repeat(CELL, 0).repeat(CELL, 1)[: frame.height, : frame.width]


if __name__ == "__main__":
    main()
