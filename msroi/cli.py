"""The command line: `msroi map`, `compress` and `compare`, and `video` of its own module."""

import gc
import json
import math
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from importlib.metadata import version
from pathlib import Path
from threading import Thread
from typing import Annotated

import numpy as np
import typer

from msroi import batch, encoder, images
from msroi.encoder import METHODS, OFFERED
from msroi.encoder.blocks import SUBSAMPLINGS
from msroi.encoder.tables import TUNES
from msroi.errors import InputError
from msroi.files import check_target, targets_of, write_atomically, write_new
from msroi.program import run, say
from msroi.saliency import SaliencyOf, network_map
from msroi.usage import (
    Force,
    Head,
    HeadName,
    MapFile,
    ModelFile,
    check_options,
    check_size,
    path,
    size_in_bytes,
)
from msroi.video.command import video

Method = StrEnum("Method", OFFERED)
Tune = StrEnum("Tune", list(TUNES))
Subsampling = StrEnum("Subsampling", list(SUBSAMPLINGS))
# objects made before those made are searched for garbage: libraries that load make many and none
GC_THRESHOLD = 100_000
app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def main() -> None:
    """Run `msroi`."""
    gc.set_threshold(GC_THRESHOLD)
    try:
        run(app, "msroi")
    finally:
        gc.freeze()  # else all that was loaded is searched for garbage once more: a quarter second


def _tell_version(asked: bool) -> None:
    if asked:
        say(f"msroi {version('msroi')}")
        raise typer.Exit


@app.callback()
def program(
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_tell_version, help="Tell the version, and exit."
        ),
    ] = False,
) -> None:
    """Semantic JPEG: maps of what matters in a photo, and JPEGs that spend bytes there."""


@app.command("map")
def map_command(
    image: Annotated[
        Path, typer.Argument(metavar="IMAGE", parser=path, help="A photo, of any common kind.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="MAP.png", parser=path)],
    head: HeadName = Head.msroi,
    model: ModelFile = "released",
    overlay: Annotated[
        bool, typer.Option("--overlay", help="Write the photo, dark where the map is, instead.")
    ] = False,
    force: Force = False,
) -> None:
    """Draw the map of what matters in a photo.

    An 8-bit grey PNG of the upright photo's size, white = important. Paint on it, and give it
    to compress --map.

    \b
    Examples:
      msroi map photo.jpg -o map.png
      msroi map photo.jpg -o seen.png --overlay
      msroi map photo.jpg -o cam.png --head cam
    """
    check_target(output, [image, Path(model)], suffixes=[".png"], force=force)
    with _warnings_told(image):
        pixels = images.read_image(image).pixels
        saliency = network_map(model, head=head)(pixels)
        grey = np.rint(255 * saliency).astype(np.uint8)
        shown = images.overlay(pixels, saliency) if overlay else grey
        _writer(force)(output, images.png(shown))


@app.command()
def compress(
    sources: Annotated[
        list[Path], typer.Argument(metavar="IMAGE...", parser=path, help="One or many photos.")
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="OUT", parser=path, help="A .jpg, or an existing folder."
        ),
    ],
    method: Annotated[Method, typer.Option(help="How to encode.")] = Method.direct,
    map_: MapFile = None,
    quality: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=100,
            help="Take at most the bytes of a standard JPEG of this quality.  [default: 50]",
        ),
    ] = None,
    max_bytes: Annotated[
        int | None,
        typer.Option(
            "--size",
            "--max-bytes",
            parser=size_in_bytes,
            metavar="SIZE",
            help="Take at most so many bytes an image: 98765, 120k or 1.5M (k is 1000), or 120KiB "
            "or 1MiB (Ki is 1024).",
        ),
    ] = None,
    ssimulacra2: Annotated[
        float | None,
        typer.Option(
            metavar="S",
            help="Take the fewest bytes that score S by SSIMULACRA2: 90 is where side by side no "
            "difference is seen, 70 high quality, 50 medium.",
        ),
    ] = None,
    strength: Annotated[
        float | None,
        typer.Option(
            min=0, max=100, help="direct: how much the map weighs; 0 is not at all.  [default: 3]"
        ),
    ] = None,
    tune: Annotated[
        Tune | None,
        typer.Option(help="direct: what to do best.  [default: balanced; to a score, ssimulacra2]"),
    ] = None,
    subsampling: Annotated[
        Subsampling | None, typer.Option(help="direct: of chroma.  [default: 4:2:0]")
    ] = None,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="direct: a baseline JPEG, not a progressive one.")
    ] = False,
    levels: Annotated[
        int | None, typer.Option(min=2, max=100, help="mosaic: saliency levels.  [default: 5]")
    ] = None,
    q_low: Annotated[
        int | None,
        typer.Option(min=1, max=100, help="mosaic: quality of the lowest level.  [default: 30]"),
    ] = None,
    q_high: Annotated[
        int | None,
        typer.Option(min=1, max=100, help="mosaic: quality of the highest level.  [default: 70]"),
    ] = None,
    head: HeadName = Head.msroi,
    model: ModelFile = "released",
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            min=1,
            metavar="N",
            help="Of many images, how many at a time; each takes memory.  [default: by the cores]",
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Write photos as JPEGs that spend their bytes where it matters.

    Any viewer opens them. EXIF (with the orientation) and the ICC profile are kept, and count
    as bytes. Without --map the network draws the map. Nothing is overwritten without --force,
    and an input never. Many images are done several at a time; one that cannot be done does
    not stop the others, and is named at the end.

    \b
    Examples:
      msroi compress photo.png -o photo.jpg
      msroi compress photo.jpg -o small.jpg --size 120k
      msroi compress photo.png -o photo.jpg --ssimulacra2 70
      msroi compress photo.png -o photo.jpg --map drawn.png --quality 75
      msroi compress photo.png -o photo.jpg --tune psnr --strength 0 --baseline
      msroi compress *.png -o folder --method standard
    """
    given = {
        "strength": strength,
        "tune": tune,
        "subsampling": subsampling,
        "progressive": False if baseline else None,
        "levels": levels,
        "q_low": q_low,
        "q_high": q_high,
    }
    options = {name: value for name, value in given.items() if value is not None}
    check_options(method, options, map_, sources)
    check_size(quality, max_bytes, ssimulacra2)
    read = [Path(model), *([map_] if map_ else [])]
    targets = targets_of(sources, output, read=read, force=force)
    jobs = batch.jobs_for(len(sources), jobs)
    loading = Thread(target=encoder.load, args=[method])  # while the map is drawn
    work = partial(
        batch.compress_file,
        map_of=_map_source(method, map_, model, head),
        write=_writer(force),
        method=method,
        quality=quality,
        max_bytes=max_bytes,
        target=ssimulacra2,
        **options,
    )
    if jobs == 1:  # else the workers load what they need
        loading.start()
    try:
        _tell(batch.run(work, list(zip(sources, targets, strict=True)), jobs))
    finally:
        # Where numba compiles, it replaces sys.stderr for a moment (colorama): not past the end.
        if jobs == 1:
            loading.join()


@app.command()
def compare(
    reference: Annotated[Path, typer.Argument(metavar="REFERENCE", parser=path)],
    distorted: Annotated[Path, typer.Argument(metavar="DISTORTED", parser=path)],
    map_: MapFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure how near a compressed image is to its original: on luma, and by SSIMULACRA2.

    With --map also PSNR-S, over the 30% of the pixels where the map is largest, or over all that a
    drawn mask marks; how many these are is told beside it.
    In JSON, null is a metric that such a small image has not, and "inf" no error at all.

    \b
    Examples:
      msroi compare photo.png photo.jpg
      msroi compare photo.png photo.jpg --map map.png --json
    """
    from msroi import metrics  # SciPy takes a while to load

    with _warnings_told(reference):
        x, y = (images.read_image(path).pixels for path in (reference, distorted))
        saliency = images.read_map(map_, x.shape[:2]) if map_ else None
    if x.shape != y.shape:
        sizes = [f"{image.shape[1]}×{image.shape[0]}" for image in (y, x)]
        raise InputError(f"{distorted}: is {sizes[0]} pixels, but {reference} is {sizes[1]}")
    values = metrics.compare(x, y, saliency)
    share = None if saliency is None else float(metrics.salient_region(saliency).mean())
    if as_json:
        known = values if share is None else {"salient_share": share} | values
        say(json.dumps({name: _json_number(value) for name, value in known.items()}))
    else:
        for name, value in values.items():
            where = f"over {share:.0%} of the pixels" if name == "psnr_s" else ""
            unit = metrics.METRICS[name].unit
            say(f"{name:<11} {value:8.4f} {unit} {where}".rstrip())


app.command()(video)


@contextmanager
def _warnings_told(source: Path) -> Iterator[None]:
    """Tell what was said about an image on stderr, a line each, once its work is done."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        yield
    for warning in caught:
        say(f"msroi: {source}: {warning.message}", sys.stderr)


def _writer(force: bool) -> Callable[[Path, bytes], None]:
    return write_atomically if force else write_new


def _map_source(method: Method, drawn: Path | None, model: str, head: Head) -> SaliencyOf | None:
    """Choose what gives an upright image its map."""
    if not METHODS[method].heeds_map:
        return None
    return partial(batch.drawn_map, file=drawn) if drawn else network_map(model, head=head)


def _tell(outcomes: Iterable[batch.Outcome]) -> None:
    """A line for each image as it is done, then the bytes saved, then what failed (InputError)."""
    done, failed = [], []
    for outcome in outcomes:
        for note in outcome.notes:
            say(f"msroi: {outcome.source}: {note}", sys.stderr)
        (failed if outcome.error else done).append(outcome)
        if not outcome.error:
            told = f"{outcome.after_bytes:,} bytes, quality {outcome.quality:.4g}"
            told += "" if outcome.score is None else f", SSIMULACRA2 {outcome.score:.1f}"
            say(f"{outcome.target}: {told}")
    if any(outcome.from_jpeg for outcome in done):
        note = "a JPEG is encoded anew from its pixels: what it has lost is not won back"
        say(f"msroi: {note}", sys.stderr)
    if done:
        say(_summary(done))
    if len(failed) == 1 and not done:
        raise InputError(failed[0].error)
    for outcome in failed:
        say(f"msroi: {outcome.error}", sys.stderr)
    if failed:
        count = len(done) + len(failed)
        raise InputError(f"{len(failed)} of {count} images could not be compressed")


def _summary(done: Sequence[batch.Outcome]) -> str:
    before = sum(outcome.before_bytes for outcome in done)
    after = sum(outcome.after_bytes for outcome in done)
    noun = "image" if len(done) == 1 else "images"
    change = (
        f"{1 - after / before:.1%} saved" if after <= before else f"{after / before - 1:.1%} more"
    )
    return f"{len(done)} {noun}: {before:,} bytes -> {after:,} bytes ({change})"


def _json_number(value: float) -> float | str | None:
    """JSON has neither nan nor inf."""
    if math.isnan(value):
        return None
    return "inf" if math.isinf(value) else value
