"""Compress image files: one with its steps shown, or many of them at a time."""

import logging
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from msroi import images, workers
from msroi.encoder import BudgetError, TargetError, encode_detailed
from msroi.errors import ArgumentError, InputError
from msroi.files import check_writable
from msroi.program import NO_MEMORY, shown
from msroi.saliency import SaliencyOf

logger = logging.getLogger(__name__)  # tells the steps, at DEBUG, as the encoder does
SECONDS_BEFORE_STEPS = 1.0  # that an image takes before its steps are shown
IMAGES_PER_WORKER = 16  # at least, which pay for a worker's start, which takes seconds


class Outcome(NamedTuple):
    """What became of an image; where `error` is not empty, no file was written."""

    source: Path
    target: Path
    before_bytes: int = 0
    after_bytes: int = 0
    quality: float = 0.0  # as `msroi.encoder.Encoded` has it
    score: float | None = None  # the same
    from_jpeg: bool = False
    notes: tuple[str, ...] = ()  # what is to be told about it
    error: str = ""


Work = Callable[[Path, Path], Outcome]


def run(work: Work, pairs: Sequence[tuple[Path, Path]], jobs: int) -> Iterator[Outcome]:
    """Do the work for every (source, target), and give the outcomes in that order.

    A bar on a terminal counts the images. With one job each has all cores, one after the
    other, and its steps are shown too where they last. With more, that many are done at a
    time in processes of their own, which share the cores. The work is a module's function or a
    partial of one, since it is sent to the workers; the outcome of an image whose worker is killed
    says so.
    """
    count = len(pairs)
    outcomes = _one_by_one(work, pairs) if jobs == 1 else _by_workers(work, pairs, jobs)
    hidden = True if count == 1 else None  # None is shown on a terminal alone
    yield from tqdm(outcomes, total=count, unit="image", leave=False, disable=hidden)


def jobs_for(count: int, asked: int | None) -> int:
    """Say how many of ``count`` images are done at a time: as many as asked for, at most all.

    None is a job for each core, as far as each has `IMAGES_PER_WORKER` to do.
    """
    if asked:
        return min(asked, count)
    if count < 2 * IMAGES_PER_WORKER:
        return 1
    from joblib import cpu_count  # takes a while to load

    return min(cpu_count(), count // IMAGES_PER_WORKER)


def _one_by_one(work: Work, pairs: Sequence[tuple[Path, Path]]) -> Iterator[Outcome]:
    for source, target in pairs:
        with _steps_shown(shown(str(source))):
            outcome = work(source, target)
        yield outcome


def _by_workers(work: Work, pairs: Sequence[tuple[Path, Path]], jobs: int) -> Iterator[Outcome]:
    from joblib import cpu_count  # takes a while to load

    threads = str(max(cpu_count() // jobs, 1))
    results = workers.over(
        partial(_of_pair, work=work),
        pairs,
        jobs=jobs,
        environment={name: threads for name in workers.THREADS if name not in os.environ},
        when_killed=_killed,
    )
    ready: dict[int, Outcome] = {}
    first = 0
    for index, outcome in results:
        ready[index] = outcome
        while first in ready:
            yield ready.pop(first)
            first += 1


def _of_pair(pair: tuple[Path, Path], *, work: Work) -> Outcome:
    return work(*pair)


def _killed(pair: tuple[Path, Path]) -> Outcome:
    source, target = pair
    told = "the process that worked on it was killed, most likely for want of memory"
    return Outcome(source, target, error=f"{source}: {told}: try a smaller --jobs")


def compress_file(
    source: Path,
    output: Path,
    *,
    map_of: SaliencyOf | None,
    write: Callable[[Path, bytes], None],
    **options: Any,
) -> Outcome:
    """Compress an image file; whatever is wrong with it is told in the outcome.

    The image is encoded as it is stored, and a score is of that; the orientation, EXIF and profile
    that it keeps count in the budget. ``map_of`` draws the map of the upright image; the options
    are those of `msroi.encoder.encode_detailed`. ``write`` is `msroi.files.write_new`, or
    `write_atomically` where it may overwrite.
    """
    outcome = Outcome(source, output)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            check_writable(output)
            outcome = _compress(outcome, map_of, write, **options)
        except InputError as error:
            outcome = outcome._replace(error=str(error))
        except MemoryError:
            outcome = outcome._replace(error=f"{source}: {NO_MEMORY}")
    return outcome._replace(notes=tuple(str(warning.message) for warning in caught))


def drawn_map(pixels: np.ndarray, *, file: Path) -> np.ndarray:
    """Read the map of an upright image; one that is flat, which `direct` can't heed, is told."""
    saliency = images.read_map(file, pixels.shape[:2])
    if saliency.min() == saliency.max():
        warnings.warn(f"{file} is of one grey throughout: direct prefers nothing", stacklevel=2)
    return saliency


def _compress(
    outcome: Outcome,
    map_of: SaliencyOf | None,
    write: Callable[[Path, bytes], None],
    *,
    max_bytes: int | None,
    **options: Any,
) -> Outcome:
    source = outcome.source
    logger.debug("reading")
    picture = images.read_image(source)
    logger.debug("drawing the map")
    saliency = map_of(picture.pixels) if map_of else None
    pixels = images.turn_back(picture.pixels, picture.orientation)
    if saliency is not None:
        saliency = images.turn_back(saliency, picture.orientation)
    segments = images.metadata_segments(picture)
    budget = None if max_bytes is None else max_bytes - len(segments)
    try:
        encoded = encode_detailed(pixels, saliency, max_bytes=budget, **options)
    except BudgetError as error:
        whole = BudgetError(error.max_bytes + len(segments), error.smallest_bytes + len(segments))
        raise InputError(f"{source}: {whole}") from error
    except TargetError as error:
        whole_bytes = error.reachable_bytes + len(segments)
        whole = TargetError(error.target, error.reachable, whole_bytes)
        raise InputError(f"{source}: {whole}") from error
    except ArgumentError as error:
        raise InputError(f"{source}: {error}") from error
    data = images.insert_segments(encoded.data, segments)
    stored = source.read_bytes()
    write(outcome.target, data)
    return outcome._replace(
        before_bytes=len(stored),
        after_bytes=len(data),
        quality=encoded.quality,
        score=encoded.score,
        from_jpeg=stored.startswith(b"\xff\xd8\xff"),
    )


@contextmanager
def _steps_shown(title: str) -> Iterator[None]:
    """Show on a terminal the steps that are told of, where the work lasts."""
    told = logging.getLogger("msroi")
    level = told.level
    with tqdm(
        desc=title,
        bar_format="{desc}: step {n}{postfix} [{elapsed}]",
        leave=False,
        disable=None,  # but on a terminal
        miniters=1,  # by default tqdm leaves some steps out
        mininterval=0,
        delay=SECONDS_BEFORE_STEPS,
    ) as bar:
        handler = _Steps(bar)
        told.addHandler(handler)
        told.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            told.setLevel(level)
            told.removeHandler(handler)


class _Steps(logging.Handler):
    """Brings every record to a bar: "photo.png: step 5, 104.2% of the budget"."""

    def __init__(self, bar: tqdm):
        super().__init__()
        self.bar = bar

    def emit(self, record: logging.LogRecord) -> None:
        self.bar.set_postfix_str(record.getMessage(), refresh=False)
        self.bar.update()
