"""How to train: a recipe, and what follows from it for a step and an epoch."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from msroi.architecture import DEVICES, STRIDE, Architecture
from msroi.errors import InputError
from study.params import tuples

Precision = Literal["float32", "bfloat16"]
Share = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]


class RecipeError(InputError, ValueError):
    """A recipe that can't be followed, here or anywhere."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to train; params.yaml says only what differs from the defaults here.

    `study.schema` holds params.yaml to these ranges; made in Python, a recipe is taken as it is.
    """

    epochs: Annotated[int, Field(ge=1)]
    """Passes over the examples."""
    batch_size: Annotated[int, Field(ge=1)] = 32
    """Examples a step, of all processes together."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Of order and augmentation: in params.yaml the study's."""
    learning_rate: Positive = 2e-3
    """AdamW's peak rate."""
    warmup: Share = 0.1
    """Share of all steps that the rate rises; then it falls by a cosine to zero."""
    weight_decay: NotNegative = 0.05
    """AdamW's."""
    clip: Positive = 1.0
    """Largest norm of a gradient."""
    sides: tuple[Annotated[int, Field(ge=STRIDE, multiple_of=STRIDE)], ...] = ()
    """Pixels a side of the crops in the first epochs and in the last ones; between them they grow
    by whole cells of 32 over three quarters of the run (progressive learning, Tan and Le 2021,
    arXiv:2104.00298). Empty: as large as the examples."""
    crop: Annotated[float, Field(gt=0, le=1)] = 0.4
    """Smallest share of an image's area that a random crop keeps."""
    aspect: NotNegative = 0.15
    """How far a crop's aspect strays: the logarithm of the ratio."""
    colour: Share = 0.3
    """Strength of the random brightness, contrast and tint, a share of each."""
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Of the softmax's targets (head cam)."""
    positive_weight: Positive = 10.0
    """Weight of the class that is there against each that isn't (head msroi): an image has one of
    the former and C − 1 of the latter."""
    frozen: bool = False
    """Leave the features, and their batch norms' statistics, as they came."""
    patience: Annotated[int, Field(ge=0)] = 0
    """Stop after so many epochs without a lower validation loss (0: never), with the weights of the
    last epoch run, not of the best one."""
    device: Literal[DEVICES] = "auto"
    """As `msroi.model.find_device` has it."""
    precision: Precision = "float32"
    """Of the network's arithmetic in training; bfloat16 is autocast: the weights, the loss and the
    validation stay in float32."""

    def __post_init__(self) -> None:
        allowed = get_args(Precision)
        if self.precision not in allowed:
            raise RecipeError(
                f"precision is {self.precision!r}; it must be one of {', '.join(allowed)}"
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
