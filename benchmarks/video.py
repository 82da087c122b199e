"""`msroi video` on a clip: how fast it is, what its bytes are, and where its bits went.

    python benchmarks/video.py [--video FILE] [--frames 300] [--crf 23] [--codec x264]

By itself it renders 720p shots in which the same objects move over a background that moves too, so
that it is known which pixels are theirs; --video takes another clip, of which that is not known.
Frames a second are told of the maps alone (decoding included), of the plain encode alone, of both
at once as the command has them, and of all that it does: those, and every try under the maps.
Beside these stands what the cores worked for a frame, which a busy machine changes less.
PSNR is of luma, by the mean error over the clip, what the led video has more than the plain one.
The exit status is 1 if all is slower than 10 frames a second by x264, or the led video has more
bytes than the plain one or less than 95% of them. That speed is promised of 720p on two cores.
"""

import os
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command sets it

import numpy as np
from measures import Row, parser, report, row

from msroi.files import write_new
from msroi.offsets import CELL
from msroi.region import salient_region
from msroi.saliency import SaliencyOf, network_map
from msroi.video import Led, encode_file
from msroi.video.budget import SHARE_TO_STOP_AT
from msroi.video.maps import SHORT_SIDES, Maps
from msroi.video.reading import Video, examine
from msroi.video.writing import ENCODERS, PRESETS, Settings, plain_sizes
from study.measure.clips import WeightsAt, frames_of, gained, write_plainly
from study.rendered.clips import write_clip

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
            masks = write_clip(source, frames=chosen.frames, seed=0)
        map_of = network_map(chosen.model, short_sides=SHORT_SIDES)
        rows, kept = measured(source, settings, map_of, Path(folder), masks)
    report(rows, chosen.json)
    sys.exit(0 if kept else 1)


def measured(
    source: Path, settings: Settings, map_of: SaliencyOf, folder: Path, masks: np.ndarray | None
) -> tuple[list[Row], bool]:
    """All rows of a clip, and whether the promises are kept."""
    video, plain, target = examine(source), folder / "plain.mp4", folder / "led.mp4"
    seconds, busy, led = timed(video, target, settings, map_of)
    same = write_plainly(video, settings, plain)
    speed = {"at_least": SPEED} if settings.codec == "x264" else {}
    goals = {name: speed if name == "all" else {} for name in seconds}
    share, steadiness = led.led_bytes / led.plain_bytes, led.maps.steadiness()
    gains = gained(video, plain, target, _weights(video, led.maps, masks))
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
        "maps": lambda: deque(map(Maps(video, map_of).see, frames_of(video)), maxlen=0),
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


def _weights(video: Video, maps: Maps, masks: np.ndarray | None) -> WeightsAt:
    """What each pixel's error counts in a frame, by the name of the measure."""

    def weights(number: int) -> dict[str, np.ndarray]:
        saliency = maps.at(number)
        top = _pixels(salient_region(saliency), video)
        own = {
            "weighed by the map": _pixels(saliency, video),
            "of its top 30%": top,
            "elsewhere": ~top,
            "of all": np.ones_like(top),
        }
        return own if masks is None else own | {"of the objects": masks[number]}

    return weights


def _pixels(values: np.ndarray, video: Video) -> np.ndarray:
    """A value for each pixel of a frame, from one for each cell."""
    height, width = video.coded
    return values.repeat(CELL, 0).repeat(CELL, 1)[:height, :width]


if __name__ == "__main__":
    main()
