"""Training: it learns, it is repeatable, and a broken-off run ends as an unbroken one."""

import numpy as np
import pytest
import torch

from msroi.model import Architecture, Network
from msroi.train import Examples, Recipe, Trainer, augment, schedule

COLOURS = np.array([[200, 40, 40], [40, 200, 40], [40, 40, 200]], np.uint8)


def examples(count, seed):
    """Three classes that differ in colour, under noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    noise = rng.integers(-30, 30, (count, 32, 32, 3))
    images = np.clip(COLOURS[labels][:, None, None] + noise, 0, 255).astype(np.uint8)
    return Examples(images, labels)


def trainer(head="msroi", epochs=3):
    torch.manual_seed(0)
    shape = Architecture(classes=("red", "green", "blue"), head=head, widths=(4, 4, 8, 8, 8))
    recipe = Recipe(epochs=epochs, batch_size=12, seed=5, learning_rate=1e-2, colour=0.1)
    return Trainer(Network(shape), recipe)


@pytest.mark.parametrize("head", ["msroi", "cam"])
def test_a_head_learns_what_can_be_learned(head):
    *_, last = trainer(head, epochs=8).epochs(examples(96, 0), examples(24, 1))
    assert last.epoch == 8
    assert last.validation_accuracy >= 0.9


def weights(run):
    return {name: tensor.clone() for name, tensor in run.network.state_dict().items()}


def same(first, second):
    return all(torch.equal(tensor, second[name]) for name, tensor in first.items())


def test_two_runs_of_one_seed_end_in_the_same_weights():
    ends = []
    for _ in range(2):
        run = trainer()
        list(run.epochs(examples(36, 0), examples(6, 1)))
        ends.append(weights(run))
    assert same(*ends)


@pytest.mark.parametrize("stop_after", [1, 2])
def test_a_run_that_was_broken_off_ends_as_an_unbroken_one(stop_after):
    data = examples(36, 0), examples(6, 1)
    unbroken = trainer()
    list(unbroken.epochs(*data))

    broken = trainer()
    for epoch in broken.epochs(*data):
        if epoch.epoch == stop_after:
            break
    torch.manual_seed(99)
    resumed = Trainer(Network(broken.network.architecture), broken.recipe)
    resumed.restore({name: tensor.clone() for name, tensor in broken.state().items()})
    rest = list(resumed.epochs(*data))
    assert [epoch.epoch for epoch in rest] == list(range(stop_after + 1, 4))
    assert same(weights(unbroken), weights(resumed))


def test_a_state_of_another_network_is_refused():
    other = trainer("cam")
    with pytest.raises(RuntimeError):
        trainer("msroi").restore(other.state())


def test_the_learning_rate_rises_to_its_peak_and_falls_to_zero():
    rates = [schedule(step / 100, 0.1) for step in range(101)]
    assert np.argmax(rates) == 10
    assert max(rates) == pytest.approx(1, abs=1e-6)
    assert rates[-1] == pytest.approx(0, abs=1e-6)


def test_augmented_pixels_stay_pixels_and_follow_the_seed():
    pixels = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    recipe = Recipe(epochs=1)
    first, again, other = (
        augment(pixels, recipe, torch.Generator().manual_seed(seed)) for seed in (2, 2, 3)
    )
    assert first.shape == pixels.shape
    assert first.min() >= 0
    assert first.max() <= 1
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_recipe_without_augmentation_only_flips():
    pixels = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    recipe = Recipe(epochs=1, crop=1.0, colour=0.0, aspect=0.0)
    out = augment(pixels, recipe, torch.Generator().manual_seed(2))
    for before, after in zip(pixels, out, strict=True):
        flipped = torch.allclose(after, before.flip(2), atol=1e-5)
        assert flipped or torch.allclose(after, before, atol=1e-5)
