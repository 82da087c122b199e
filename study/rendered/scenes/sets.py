"""Sets of scenes: single objects to train on, one to four objects to test on."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from filelock import FileLock
from PIL import Image
from tqdm import tqdm

from study.rendered.scenes.scene import CLASSES, Scene, render

TRAIN, TEST = 0, 1
Size = tuple[int, int]  # height and width
NamedScenes = Iterator[tuple[str, Scene]]


def one_object_set(count: int, size: Size, seed: int) -> NamedScenes:
    """Render scenes of one object each, the classes in turn, as in Caltech's sets.

    Yields `count` pairs of a name, "<class>/0001" upwards in each class, and a scene.
    """
    for index in range(count):
        number, place = divmod(index, len(CLASSES))
        name = CLASSES[place]
        scene = render(*size, objects=[name], seed=_scene_seed(seed, TRAIN, index))
        yield f"{name}/{number + 1:04d}", scene


def many_object_set(per_count: int, size: Size, seed: int) -> NamedScenes:
    """Render scenes of 1, 2, 3 and 4 objects of distinct classes, `per_count` scenes of each.

    Classes come from shuffled decks of all of them, so over the set they are as even as can be.
    Yields pairs of a name, "0001" upwards, and a scene.
    """
    deck, rng = [], np.random.default_rng([seed, TEST])
    for index in range(4 * per_count):
        objects = _deal(deck, 1 + index // per_count, rng)
        scene = render(*size, objects=objects, seed=_scene_seed(seed, TEST, index))
        yield f"{index + 1:04d}", scene


def write_set(
    folder: Path, *, train: int, train_size: Size, test_per_count: int, test_size: Size, seed: int
) -> None:
    """Render ``train`` scenes of one object, and ``test_per_count`` of each of 1, 2, 3 and 4.

    Writes train/<class>/0001.png …; test/0001.png … with test/masks/0001.png, label images of
    `Scene.masks`; and test/objects.csv with one row an object: name, count, index, class. Sizes are
    (height, width). The folder appears only when complete, and replaces one of its name.
    """
    import pandas as pd

    with complete_folder(folder) as partial:
        training = one_object_set(train, train_size, seed)
        for name, scene in tqdm(training, total=train, desc="training scenes"):
            _save(scene.image, partial / "train" / f"{name}.png")
        rows = []
        testing = many_object_set(test_per_count, test_size, seed=seed)
        for name, scene in tqdm(testing, total=4 * test_per_count, desc="test scenes"):
            _save(scene.image, partial / "test" / f"{name}.png")
            _save(scene.masks, partial / "test" / "masks" / f"{name}.png")
            count = len(scene.classes)
            rows += [(name, count, i, label) for i, label in enumerate(scene.classes, start=1)]
        table = pd.DataFrame(rows, columns=["name", "count", "index", "class"])
        table.to_csv(partial / "test" / "objects.csv", index=False)


@contextmanager
def complete_folder(folder: Path | str) -> Iterator[Path]:
    """Give a temporary folder that takes the name and place of `folder`, on success only.

    What a killed run has left is removed by the next; of two at a time, one waits for the other.
    """
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = folder.with_name(f".{folder.name}.partial")
    with FileLock(folder.with_name(f".{folder.name}.lock")):
        shutil.rmtree(scratch, ignore_errors=True)
        partial = scratch / "new"
        partial.mkdir(parents=True)
        try:
            yield partial
            if folder.exists():
                folder.replace(scratch / "old")
            partial.replace(folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _deal(cards: list[str], count: int, rng: np.random.Generator) -> list[str]:
    """Take distinct classes off a deck; a new deck is shuffled whenever it is empty."""
    hand = []
    while len(hand) < count:
        if not cards:
            # what this hand holds already goes to the bottom of the new deck
            cards += sorted(rng.permutation(CLASSES).tolist(), key=hand.__contains__)
        hand.append(cards.pop(0))
    return hand


def _scene_seed(seed: int, part: int, index: int) -> int:
    return int(np.random.SeedSequence([seed, part, index]).generate_state(1)[0])


def _save(image: np.ndarray, path: Path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path, compress_level=3)
