"""The paper's study, every stage of it, on stand-ins for image sets that may not be at hand.

    python benchmarks/standins.py [--study paper] [--folder FOLDER]

Small rendered images are laid out as Caltech-256, CAT2000 and Kodak are, strays included, and a
clone of the last commit is told once, in conf/datasets/mine.yaml, where they lie. There the sample
study runs (a dvc.lock that this changes, because it was of other code, is committed in the clone),
`dvc exp run -S study=paper` trains for one epoch, and the documented way leads back to the sample
study. The exit code is 0 if all succeed, git then finds nothing changed, both reports are there and
the stand-ins are as they were. Kodak's have other names than Kodak's own, whose checksums no
stand-in has. What the paper's report then says is about no image set and no claim.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import yaml
from PIL import Image
from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude

from study.data.classes import read_groups
from study.rendered.sample.categories import categories
from study.rendered.scenes.scene import BACKGROUNDS, CLASSES, render

ROOT = Path(__file__).parent.parent
SEED = 2017
EACH = {"caltech256": 2, "cat2000": 2, "kodak": 4}  # images of a category; of Kodak, of all
PADDING = 126  # CAT2000's grey
WAY_BACK = (("git", "restore", "params.yaml", "dvc.lock"), ("dvc", "repro"))
PHOTOS = tuple(f"standin{number}" for number in range(1, EACH["kodak"] + 1))
# What makes the study small; `++` adds a key or changes it, whichever the study needs
SMALL = (
    "++train.architecture.widths=[8,16,32,64,64]",  # of the paper's own layers
    "++train.heads.cam.recipe.epochs=1",
    "++train.heads.msroi.recipe.epochs=1",
    "fetch.scenes.test_per_count=3",
    "fetch.scenes.test_size=[192,256]",
    "evaluate.runs.rates.qualities=[20,35,50,80]",
    "scale.size=[390,400]",
    "scale.count=3",
    "scale.smallest=180",
    f"notebook.pictures.figure1_closeup.image={PHOTOS[0]}.png",
    f"notebook.pictures.figure3_maps.images=[{','.join(PHOTOS)}]",
    f"notebook.pictures.encoder_how_it_works.image={PHOTOS[0]}.png",
    f"notebook.pictures.explore.image={PHOTOS[0]}.png",
    f"notebook.released.model_what_it_finds.photos=[{','.join(f'{n}.png' for n in PHOTOS[:3])}]",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", default="paper", help="one of those of the paper's data")
    parser.add_argument("--folder", type=Path, help="for stand-ins and clone, which then stay")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = (options.folder or Path(scratch)).resolve()
        sets, clone = folder / "sets", folder / "clone"
        write_sets(sets)
        before = state(sets)
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        (clone / "conf/datasets/mine.yaml").write_text(yaml.safe_dump(paths(sets)))
        run(clone, "dvc", "repro")
        commit(clone)
        small = [word for setting in SMALL for word in ("-S", setting)]
        run(clone, "dvc", "exp", "run", "-S", f"study={options.study}", *small)
        for command in WAY_BACK:
            run(clone, *command)
        faults = list(found_wrong(clone, options.study))
        faults += ["a stand-in was changed"] * (state(sets) != before)
    sys.exit("\n".join(faults))


def run(clone: Path, *command: str) -> None:
    """Run a command in the clone, on the clone's code; say how many minutes it took."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    own = {name: value for name, value in os.environ.items() if name != "MSROI_DATA"}
    own |= {"PATH": path, "PYTHONPATH": str(clone)}
    start = time.monotonic()
    subprocess.run(command, cwd=clone, env=own, check=True)
    print(f"{' '.join(command[:5])}: {(time.monotonic() - start) / 60:.1f} minutes", flush=True)


def commit(clone: Path) -> None:
    """Commit the dvc.lock of the sample study as it ran here, if it is another."""
    changed = subprocess.run(["git", "diff", "--quiet"], cwd=clone).returncode
    if changed:
        print("dvc.lock was of other code, or the sample study gave other files here", flush=True)
        author = ["-c", "user.name=stand-ins", "-c", "user.email=stand-ins@localhost"]
        command = ["git", *author, "commit", "--quiet", "--message", "dvc.lock of here", "dvc.lock"]
        subprocess.run(command, cwd=clone, check=True)


def found_wrong(clone: Path, study: str) -> Iterator[str]:
    """What is not as README promises once both studies have run, a sentence each."""
    command = ["git", "status", "--porcelain"]
    if changed := subprocess.run(command, cwd=clone, capture_output=True, check=True).stdout:
        yield f"git finds changes: {changed.decode()}"
    for report in (f"reports/{study}/report.pdf", "reports/report.pdf"):
        if not (clone / report).is_file():
            yield f"{report} is not there"


def state(folder: Path) -> dict[Path, int]:
    """Every file below a folder, and when it was changed last."""
    return {path: path.lstat().st_mtime_ns for path in sorted(folder.rglob("*"))}


def paths(sets: Path) -> dict[str, dict[str, str | int]]:
    """Where the stand-ins lie, as a user of the study says it: conf/datasets/mine.yaml."""
    return {name: {"path": str(sets / name), "each": each} for name, each in EACH.items()}


def write_sets(folder: Path) -> None:
    """Write the three sets; the same files each time."""
    write_caltech256(folder / "caltech256")
    write_cat2000(folder / "cat2000")
    write_kodak(folder / "kodak")


def write_caltech256(folder: Path) -> None:
    """256 classes of one object each, the clutter, and what else the archive has."""
    home, generator = folder / "256_ObjectCategories", np.random.default_rng(SEED)
    for number, name in enumerate([*sorted(read_groups("caltech256")), "257.clutter"], start=1):
        shown = [] if name == "257.clutter" else [CLASSES[number % len(CLASSES)]]
        background = list(BACKGROUNDS)[number % len(BACKGROUNDS)]
        for index in range(1, EACH["caltech256"] + 1):
            height, width = generator.integers(96, 192, size=2).tolist()
            seed = 1000 * number + index
            scene = render(height, width, objects=shown, seed=seed, background=background)
            save(home / name / f"{number:03}_{index:04}.jpg", scene.image)
    save(home / "056.dog/greg/vision309/056_0001.jpg", scene.image)
    (home / "198.spider/RENAME2").write_text("not an image\n")


def write_cat2000(folder: Path) -> None:
    """20 categories with grey padding, maps of where people would look, and what lies in Output."""
    home = folder / "trainSet"
    for category, name, image in categories(EACH["cat2000"], (208, 320), seed=SEED):
        looked = where_looked(image)
        for kind, pixels, level in (("Stimuli", image, PADDING), ("FIXATIONMAPS", looked, 0)):
            edges = ((4, 4), (32, 32), (0, 0))[: pixels.ndim]
            padded = np.pad(pixels, edges, constant_values=level)
            save(home / kind / category / f"{name}.jpg", padded)
        save(home / "Stimuli" / category / "Output" / f"{name}_SalMap.jpg", looked)


def where_looked(image: np.ndarray) -> np.ndarray:
    """Give the strongest edges near the middle, blurred, as a map of fixations: uint8 [H, W]."""
    edges = gaussian_gradient_magnitude(image.mean(axis=2), 2.0)
    rows, columns = (np.hanning(side) for side in edges.shape)
    looked = gaussian_filter(edges * np.outer(rows, columns), 10.0)
    return np.uint8(255 * (looked / looked.max()) ** 2)


def write_kodak(folder: Path) -> None:
    """A few photographs, the second of them upright, as Kodak has both."""
    for number, name in enumerate(PHOTOS, start=1):
        height, width = (384, 256) if number == 2 else (256, 384)
        shown = [CLASSES[(2 * number + other) % len(CLASSES)] for other in range(2)]
        save(folder / f"{name}.png", render(height, width, objects=shown, seed=SEED + number).image)


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


if __name__ == "__main__":
    main()
