"""The command `msroi video`."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from msroi.files import check_target, write_atomically, write_new
from msroi.program import say
from msroi.saliency import network_map
from msroi.usage import Force, Head, HeadName, ModelFile, path
from msroi.video import SUFFIX, encode_file
from msroi.video.maps import SHORT_SIDES
from msroi.video.writing import ENCODERS, PRESETS, Settings

Codec = StrEnum("Codec", list(ENCODERS))
Preset = StrEnum("Preset", list(PRESETS))


def video(
    source: Annotated[
        Path, typer.Argument(metavar="VIDEO", parser=path, help="A video, of any common kind.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT.mp4", parser=path)],
    crf: Annotated[
        float,
        typer.Option(
            min=1,
            max=50,
            help="Take at most the bytes of a plain encode of this constant rate factor; less is "
            "better.",
        ),
    ] = 23,
    codec: Annotated[Codec, typer.Option(help="The encoder, of H.264 or HEVC.")] = Codec.x264,
    preset: Annotated[Preset, typer.Option(help="The encoder's: slower ones take fewer bytes.")] = (
        Preset.medium
    ),
    head: HeadName = Head.msroi,
    model: ModelFile = "released",
    force: Force = False,
) -> None:
    """Encode a video so that its bits lie where it matters.

    Any player opens it. It has at most the bytes of the plain encode of the same settings, which
    is made first, to be counted. Sound is copied as it is; the frames' times, colours, shape of
    pixels and rotation are kept. Frames become 8 bits and 4:2:0, as players expect them.
    Needs PyAV: pip install 'msroi[video]'.

    \b
    Examples:
      msroi video holiday.mov -o holiday.mp4
      msroi video film.mkv -o film.mp4 --crf 20 --codec x265 --preset slow
    """
    check_target(output, [source, Path(model)], suffixes=[SUFFIX], force=force)
    settings = Settings(codec.value, preset.value, crf)
    save = write_atomically if force else write_new
    map_of = network_map(model, head=head, short_sides=SHORT_SIDES)
    led = encode_file(source, output, settings, map_of=map_of, save=save)
    for note in led.notes:
        say(f"msroi: {source}: {note}", sys.stderr)
    share = led.led_bytes / led.plain_bytes
    say(
        f"{output}: {led.led_bytes:,} bytes of {led.frames:,} frames, CRF {led.crf:g}; "
        f"{share:.1%} of the plain encode's"
    )
