"""Fits a network to labelled images: one recipe for both heads, in one process or several."""

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from msroi.model import Network, find_device
from study.training import parallel
from study.training.examples import BACKGROUND, Examples
from study.training.parallel import Share
from study.training.recipe import Recipe, RecipeError, crop_side, schedule


class Epoch(NamedTuple):
    """What one pass over the examples came to; losses in nats, accuracy a share."""

    epoch: int
    train_loss: float
    validation_loss: float
    validation_accuracy: float


class Trainer:
    """Trains a network epoch by epoch, and can stop after any of them and go on.

    Everything random in an epoch follows from the recipe's seed and the epoch's number, and the
    learning rate from the step's, so that the weights, AdamW's moments and the history are the
    whole state: a run that was broken off ends as an unbroken one, bit for bit. The network is
    trained in place, on the recipe's device; ``history`` says what each epoch done came to.
    """

    def __init__(self, network: Network, recipe: Recipe) -> None:
        if recipe.batch_size < parallel.processes():
            raise RecipeError("a batch has fewer examples than there are processes: start fewer")
        self.device = find_device(recipe.device)
        self.network = network.to(self.device, memory_format=torch.channels_last)  # faster
        self.network.features.requires_grad_(not recipe.frozen)
        self.model = parallel.split_among(self.network)
        self.recipe = recipe
        self.history: list[Epoch] = []
        self.optimizer = torch.optim.AdamW(
            network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )

    @property
    def done(self) -> int:
        """Number of epochs done."""
        return len(self.history)

    def epochs(self, train: Examples, validation: Examples) -> Iterator[Epoch]:
        """Yield an `Epoch` after each pass that is still to do."""
        steps = math.ceil(len(train.labels) / self.recipe.batch_size)
        total, head = self.recipe.epochs * steps, self.network.architecture.head
        options = {"total": total, "initial": self.done * steps, "unit": "step"}
        with parallel.progress(desc=f"train {head}", **options) as bar:
            while self.done < self.recipe.epochs and not self._out_of_patience():
                losses = []
                for loss in self._pass(train, total):
                    losses.append(loss)
                    bar.update()
                number, loss = self.done + 1, float(np.mean(losses))
                result = Epoch(number, loss, *validate(self, validation))
                self.history.append(result)
                bar.set_postfix(loss=result.train_loss, accuracy=result.validation_accuracy)
                yield result

    def _out_of_patience(self) -> bool:
        if not self.recipe.patience or not self.history:
            return False
        best = min(self.history, key=lambda epoch: epoch.validation_loss)
        return self.done - best.epoch >= self.recipe.patience

    def _pass(self, examples: Examples, total: int) -> Iterator[float]:
        self.network.train()
        self.network.features.train(not self.recipe.frozen)
        side = crop_side(self.recipe, self.done) or examples.images.shape[1]
        random = torch.Generator().manual_seed(self.recipe.seed * 100_003 + self.done)
        order = torch.randperm(len(examples.labels), generator=random)
        batches = order.split(self.recipe.batch_size)
        for step, batch in enumerate(batches, start=self.done * len(batches)):
            for group in self.optimizer.param_groups:
                group["lr"] = self.recipe.learning_rate * schedule(step / total, self.recipe.warmup)
            share = parallel.share(len(batch))
            chosen = batch[share.part].numpy()
            pixels = _pixels(examples.images[chosen], self.device)
            pixels = augment(pixels, self.recipe, random, side=side, share=share)
            labels = torch.from_numpy(examples.labels[chosen]).to(self.device)
            loss = self._share_of_loss(pixels, labels) * share.weight
            self.optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
            self.optimizer.step()
            yield parallel.total(loss.detach()).item() / parallel.processes()

    def _share_of_loss(self, pixels: Tensor, labels: Tensor) -> Tensor:
        dtype = getattr(torch, self.recipe.precision)
        with torch.autocast(self.device.type, dtype, enabled=dtype != torch.float32):
            logits = self.model(pixels)[1].float()
        # A share of no examples has no mean loss, but takes part in the batch norms' sums.
        return self.loss(logits, labels) if len(labels) else logits.sum()

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Mean loss of a batch: Eq. 3's cross entropy, or Eq. 6's for each class by itself.

        An image of no class lacks every one by Eq. 6, and says nothing by Eq. 3.
        """
        if self.network.architecture.head == "cam":
            if (labels == BACKGROUND).all():  # whose mean is none
                return 0 * logits.sum()
            smoothing = self.recipe.label_smoothing
            return F.cross_entropy(
                logits, labels, label_smoothing=smoothing, ignore_index=BACKGROUND
            )
        present = F.one_hot(labels.clamp_min(0), logits.shape[1]) * (labels >= 0)[:, None].float()
        weight = torch.tensor(self.recipe.positive_weight, device=logits.device)
        return F.binary_cross_entropy_with_logits(logits, present, pos_weight=weight)

    def state(self) -> dict[str, Tensor]:
        """The whole state as named tensors, for safetensors."""
        weights = {f"network.{name}": t for name, t in self.network.state_dict().items()}
        moments = {
            f"optimizer.{index}.{name}": tensor
            for index, entry in self.optimizer.state_dict()["state"].items()
            for name, tensor in entry.items()
        }
        history = {"history": torch.tensor(self.history, dtype=torch.float64)}
        return {name: t.contiguous() for name, t in (weights | moments | history).items()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take up a `state` where it was left; RuntimeError if it is another network's."""
        self.network.load_state_dict(_under("network.", state))
        moments: dict[int, dict[str, Tensor]] = {}
        for key, tensor in _under("optimizer.", state).items():
            index, name = key.split(".")
            moments.setdefault(int(index), {})[name] = tensor
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        self.history = [Epoch(int(number), *rest) for number, *rest in state["history"].tolist()]


def _under(prefix: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The part of a state whose names begin so, by the rest of their names."""
    return {k.removeprefix(prefix): t for k, t in state.items() if k.startswith(prefix)}


@torch.inference_mode()
def validate(trainer: Trainer, examples: Examples) -> tuple[float, float]:
    """Loss and top-1 accuracy on examples as they are, without augmentation."""
    trainer.network.eval()
    logits = predict(trainer.network, examples.images)
    labels = torch.from_numpy(examples.labels).to(trainer.device)
    accuracy = (logits.argmax(1) == labels).float().mean()
    return trainer.loss(logits, labels).item(), accuracy.item()


@torch.inference_mode()
def predict(network: Network, images: np.ndarray, *, batch_size: int = 64) -> Tensor:
    """Logits [N, C] of images uint8 [N, S, S, 3], in the mode that the network is in."""
    share, device = parallel.share(len(images)), next(network.parameters()).device
    mine = images[share.part]
    batches = np.array_split(mine, max(1, math.ceil(len(mine) / batch_size)))
    logits = torch.cat([network(_pixels(batch, device))[1] for batch in batches])
    return parallel.gathered(logits, share)


def augment(
    pixels: Tensor,
    recipe: Recipe,
    random: torch.Generator,
    *,
    side: int | None = None,
    share: Share | None = None,
) -> Tensor:
    """Random resized crop, flip, brightness, contrast and tint.

    Takes pixels [B, 3, S, S] in [0, 1], gives [B, 3, side, side]; ``side`` is S unless given.
    Crops much smaller than the pixels are taken from pixels that were scaled down first.
    For pixels that are a ``share`` of a batch the whole batch's chances are drawn, so that an
    example meets with the same ones in any number of processes.
    """
    B, S = len(pixels), pixels.shape[3]
    side, share = side or S, share or Share(slice(B), B)
    if not B:  # which affine_grid doesn't take
        return pixels.new_empty(0, 3, side, side)
    reach = S * side // max(recipe.sides, default=S)
    if reach < S:
        pixels = F.interpolate(pixels, (reach, reach), mode="bilinear", antialias=True)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        drawn = torch.rand(share.count, *shape, generator=random)[share.part]
        return low + (high - low) * drawn.to(pixels.device)

    scale = uniform(recipe.crop, 1).sqrt()
    aspect = uniform(-recipe.aspect, recipe.aspect).exp()
    half = torch.stack([scale * aspect, scale / aspect], 1).clamp_max(1)
    centre = uniform(-1, 1, 2) * (1 - half)
    half[:, 0] *= torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    affine = torch.cat([torch.diag_embed(half), centre[..., None]], 2)
    grid = F.affine_grid(affine, (B, 3, side, side), align_corners=False)
    crops = F.grid_sample(pixels, grid, padding_mode="reflection", align_corners=False)

    c = recipe.colour
    mean = crops.mean((1, 2, 3), keepdim=True)
    contrast, brightness = uniform(1 - c, 1 + c, 1, 1, 1), uniform(-c / 2, c / 2, 1, 1, 1)
    tint = uniform(1 - c / 3, 1 + c / 3, 3, 1, 1)
    return ((crops - mean) * contrast + mean + brightness).mul(tint).clamp(0, 1)


def _pixels(images: np.ndarray, device: torch.device) -> Tensor:
    pixels = torch.tensor(images)  # a copy, for what lies in a file is not to be written to
    return pixels.to(device).permute(0, 3, 1, 2).float() / 255
