"""Fits a network to labelled images: one recipe for both heads."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from msroi.datasets import ImageSet
from msroi.images import read_pixels
from msroi.model import STRIDE, Network


class Examples(NamedTuple):
    """Labelled images of one size: uint8 [N, S, S, 3] and int64 [N], a class index each."""

    images: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to train; `params.yaml` gives each value its reason.

    Attributes
    ----------
    epochs, batch_size, seed
        Passes over the examples, examples a step, and the seed of order and augmentation.
    learning_rate, warmup, weight_decay, clip
        AdamW's peak rate, the share of all steps that it takes to rise to it (it then falls along
        a cosine to zero), its decay, and the largest norm of a gradient.
    sides
        Pixels a side of the crops in the first epochs and in the last ones; between them they grow
        by whole cells of 32 over three quarters of the run (progressive learning, Tan and Le 2021,
        arXiv:2104.00298). Empty: as large as the examples.
    crop, aspect, colour
        Smallest share of an image's area that a random crop keeps, how far its aspect strays
        (log of the ratio), and the strength of the random
        brightness, contrast and tint, as a share of each.
    label_smoothing
        Of the softmax's targets (head ``cam``).
    positive_weight
        Weight of the class that is there against each that isn't (head ``msroi``): an image has
        one of the former and C − 1 of the latter.
    """

    epochs: int
    batch_size: int = 32
    seed: int = 0
    learning_rate: float = 2e-3
    warmup: float = 0.1
    weight_decay: float = 0.05
    clip: float = 1.0
    sides: tuple[int, ...] = ()
    crop: float = 0.4
    aspect: float = 0.15
    colour: float = 0.3
    label_smoothing: float = 0.1
    positive_weight: float = 10.0


class Epoch(NamedTuple):
    """What one pass over the examples came to; losses in nats, accuracy a share."""

    epoch: int
    train_loss: float
    validation_loss: float
    validation_accuracy: float


def load_examples(images: ImageSet, size: int) -> Examples:
    """Decode a labelled set once, each image's centre square resized to ``size`` pixels a side."""
    named = tqdm(images, desc=f"load {images.name}", unit="image")
    squares = [_square(read_pixels(item.path, upright=images.upright), size) for item in named]
    labels = np.array([item.label for item in images], np.int64)
    return Examples(np.stack(squares), labels)


class Trainer:
    """Trains a network epoch by epoch, and can stop after any of them and go on.

    Everything random in an epoch follows from the recipe's seed and the epoch's number, and the
    learning rate from the step's, so that the weights, AdamW's moments and the number of epochs
    done are the whole state: a run that was broken off ends as an unbroken one, bit for bit.

    Parameters
    ----------
    network
        Trained in place.
    recipe
        The same one for a run that goes on.
    """

    def __init__(self, network: Network, recipe: Recipe) -> None:
        self.network = network.to(memory_format=torch.channels_last)  # faster on CPU and GPU
        self.recipe, self.done = recipe, 0
        self.optimizer = torch.optim.AdamW(
            network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )

    def epochs(self, train: Examples, validation: Examples) -> Iterator[Epoch]:
        """Yield an `Epoch` after each pass that is still to do."""
        steps = math.ceil(len(train.labels) / self.recipe.batch_size)
        total, head = self.recipe.epochs * steps, self.network.architecture.head
        with tqdm(total=total, initial=self.done * steps, desc=f"train {head}", unit="step") as bar:
            while self.done < self.recipe.epochs:
                losses = []
                for loss in self._pass(train, total):
                    losses.append(loss)
                    bar.update()
                self.done += 1
                result = Epoch(self.done, float(np.mean(losses)), *validate(self, validation))
                bar.set_postfix(loss=result.train_loss, accuracy=result.validation_accuracy)
                yield result

    def _pass(self, examples: Examples, total: int) -> Iterator[float]:
        self.network.train()
        side = crop_side(self.recipe, self.done) or examples.images.shape[1]
        random = torch.Generator().manual_seed(self.recipe.seed * 100_003 + self.done)
        order = torch.randperm(len(examples.labels), generator=random)
        batches = order.split(self.recipe.batch_size)
        for step, batch in enumerate(batches, start=self.done * len(batches)):
            for group in self.optimizer.param_groups:
                group["lr"] = self.recipe.learning_rate * schedule(step / total, self.recipe.warmup)
            pixels = _pixels(examples.images[batch.numpy()])
            pixels = augment(pixels, self.recipe, random, side=side)
            labels = torch.from_numpy(examples.labels[batch.numpy()])
            loss = self.loss(self.network(pixels)[1], labels)
            self.optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
            self.optimizer.step()
            yield loss.item()

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Mean loss of a batch: Eq. 3's cross entropy, or Eq. 6's for each class by itself."""
        if self.network.architecture.head == "cam":
            return F.cross_entropy(logits, labels, label_smoothing=self.recipe.label_smoothing)
        present = F.one_hot(labels, logits.shape[1]).float()
        weight = torch.tensor(self.recipe.positive_weight)
        return F.binary_cross_entropy_with_logits(logits, present, pos_weight=weight)

    def state(self) -> dict[str, Tensor]:
        """The whole state as named tensors, for safetensors."""
        weights = {f"network.{name}": t for name, t in self.network.state_dict().items()}
        moments = {
            f"optimizer.{index}.{name}": tensor
            for index, entry in self.optimizer.state_dict()["state"].items()
            for name, tensor in entry.items()
        }
        state = {**weights, **moments, "done": torch.tensor(self.done)}
        return {name: tensor.contiguous() for name, tensor in state.items()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take up a `state` where it was left; RuntimeError if it is another network's."""
        self.network.load_state_dict(
            {k.removeprefix("network."): t for k, t in state.items() if k.startswith("network.")}
        )
        moments: dict[int, dict[str, Tensor]] = {}
        for key, tensor in state.items():
            if key.startswith("optimizer."):
                _, index, name = key.split(".")
                moments.setdefault(int(index), {})[name] = tensor
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        self.done = int(state["done"])


@torch.inference_mode()
def validate(trainer: Trainer, examples: Examples) -> tuple[float, float]:
    """Loss and top-1 accuracy on examples as they are, without augmentation."""
    trainer.network.eval()
    logits = predict(trainer.network, examples.images)
    labels = torch.from_numpy(examples.labels)
    accuracy = (logits.argmax(1) == labels).float().mean()
    return trainer.loss(logits, labels).item(), accuracy.item()


@torch.inference_mode()
def predict(network: Network, images: np.ndarray, *, batch_size: int = 64) -> Tensor:
    """Logits [N, C] of images uint8 [N, S, S, 3], in the mode that the network is in."""
    batches = np.array_split(images, math.ceil(len(images) / batch_size))
    return torch.cat([network(_pixels(batch))[1] for batch in batches])


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


def augment(
    pixels: Tensor, recipe: Recipe, random: torch.Generator, *, side: int | None = None
) -> Tensor:
    """Random resized crop, flip, brightness, contrast and tint.

    Takes pixels [B, 3, S, S] in [0, 1], gives [B, 3, side, side]; ``side`` is S unless given.
    Crops much smaller than the pixels are taken from pixels that were scaled down first.
    """
    B, S = len(pixels), pixels.shape[3]
    side = side or S
    reach = S * side // max(recipe.sides, default=S)
    if reach < S:
        pixels = F.interpolate(pixels, (reach, reach), mode="bilinear", antialias=True)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(B, *shape, generator=random)

    share = uniform(recipe.crop, 1).sqrt()
    aspect = uniform(-recipe.aspect, recipe.aspect).exp()
    half = torch.stack([share * aspect, share / aspect], 1).clamp_max(1)
    centre = uniform(-1, 1, 2) * (1 - half)
    half[:, 0] *= torch.where(torch.rand(B, generator=random) < 0.5, -1.0, 1.0)
    affine = torch.cat([torch.diag_embed(half), centre[..., None]], 2)
    grid = F.affine_grid(affine, (B, 3, side, side), align_corners=False)
    crops = F.grid_sample(pixels, grid, padding_mode="reflection", align_corners=False)

    c = recipe.colour
    mean = crops.mean((1, 2, 3), keepdim=True)
    contrast, brightness = uniform(1 - c, 1 + c, 1, 1, 1), uniform(-c / 2, c / 2, 1, 1, 1)
    tint = uniform(1 - c / 3, 1 + c / 3, 3, 1, 1)
    return ((crops - mean) * contrast + mean + brightness).mul(tint).clamp(0, 1)


def _square(image: np.ndarray, size: int) -> np.ndarray:
    picture = Image.fromarray(image)
    return np.array(ImageOps.fit(picture, (size, size), Image.Resampling.BICUBIC))


def _pixels(images: np.ndarray) -> Tensor:
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
