"""How to train: a recipe, and what follows from it for a step and an epoch."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from msroi.errors import InputError
from msroi.model import STRIDE, Architecture
from study.params import tuples

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class RecipeError(InputError, ValueError):
    """A recipe that can't be followed, here or anywhere."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to train; params.yaml says only what differs from the defaults here."""

    epochs: int  # passes over the examples
    batch_size: int = 32  # examples a step, of all processes together
    seed: int = 0  # of order and augmentation
    learning_rate: float = 2e-3  # AdamW's peak rate
    warmup: float = 0.1  # share of all steps that the rate rises; then a cosine down to zero
    weight_decay: float = 0.05
    clip: float = 1.0  # largest norm of a gradient
    # Pixels a side of the crops in the first epochs and in the last ones; between them they grow by
    # whole cells of 32 over three quarters of the run (progressive learning, Tan and Le 2021,
    # arXiv:2104.00298). Empty: as large as the examples
    sides: tuple[int, ...] = ()
    crop: float = 0.4  # smallest share of an image's area that a random crop keeps
    aspect: float = 0.15  # how far a crop's aspect strays: log of the ratio
    colour: float = 0.3  # strength of the random brightness, contrast and tint, a share of each
    label_smoothing: float = 0.1  # of the softmax's targets (head cam)
    # Weight of the class that is there against each that isn't (head msroi): an image has one of
    # the former and C − 1 of the latter
    positive_weight: float = 10.0
    frozen: bool = False  # leave the features, and their batch norms' statistics, as they came
    # Stop after so many epochs without a lower validation loss (0: never), with the weights of the
    # last epoch run, not of the best one
    patience: int = 0
    device: str = "auto"  # as `msroi.model.find_device` has it
    # Of the network's arithmetic in training; bfloat16 is autocast: the weights, the loss and the
    # validation stay in float32
    precision: str = "float32"

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise RecipeError(
                f"precision is {self.precision!r}; it must be one of {', '.join(PRECISIONS)}"
            )


def settings_of(name: str, section: Mapping[str, Any]) -> dict[str, Any]:
    """Give the settings of one head by the section `train` of params.yaml.

    Each head adds to what the section says of all: its own value of a setting comes first, and its
    architecture and recipe are added to theirs. ``head`` is its kind, ``"msroi"`` or ``"cam"``:
    its name, unless it says otherwise.
    """
    shared = {key: value for key, value in section.items() if key != "heads"}
    own = section["heads"][name]
    parts = {key: section[key] | own.get(key, {}) for key in ("architecture", "recipe")}
    return {"head": name} | shared | own | parts


def recipe_of(name: str, section: Mapping[str, Any], *, seed: int) -> Recipe:
    """Give the recipe of one head by the section `train` of params.yaml."""
    return Recipe(seed=seed, **tuples(settings_of(name, section)["recipe"]))


def architecture_of(
    name: str, section: Mapping[str, Any], *, classes: tuple[str, ...]
) -> Architecture:
    """Give the network of one head by the section `train` of params.yaml."""
    own = settings_of(name, section)
    return Architecture(classes=classes, head=own["head"], **tuples(own["architecture"]))


def schedule(progress: float, warmup: float) -> float:
    """Share of the peak learning rate at a share of all steps: linear up, cosine down to zero."""
    if progress < warmup:
        return (progress + 1e-3) / (warmup + 1e-3)
    return 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))


def crop_side(recipe: Recipe, epoch: int) -> int:
    """Pixels a side of the crops of an epoch, counted from 0; 0 for those of the examples."""
    if not recipe.sides:
        return 0
    first, last = recipe.sides[0], recipe.sides[-1]
    grown = min(1.0, epoch / (0.75 * recipe.epochs))
    return min(last, first + STRIDE * round(grown * (last - first) / STRIDE))
