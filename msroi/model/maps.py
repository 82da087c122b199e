"""From what a network sees in an image to one map in [0, 1] (the paper's Eq. 5, and CAM's)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from msroi.errors import ArgumentError
from msroi.images import check_rgb
from msroi.model import STRIDE, Network

LONGEST = 16  # times the short side: a longer image is seen smaller, to bound the memory


def saliency_maps(
    images: Sequence[np.ndarray],
    model: Network,
    *,
    select: str = "expected",
    k: int = 5,
    short_sides: Sequence[int] = (),
) -> list[np.ndarray]:
    """Draw the maps of images of one size, in one batch, on as many threads as torch has.

    The network sees each whole image with its aspect ratio kept, once for each short side; each
    pass gives a map of one value for 32×32 pixels, the classes' maps combined by ``select``,
    which is brought to the image's size and stretched to [0, 1]; so is the passes' average.

    Deviation: the paper sees images of one size, and the authors' code stretches the centre
    square's map over the image, which misplaces it on every image that is not square. Here the
    network sees the whole image, and the maps of several short sides are averaged.

    The arguments are those of `msroi.saliency.saliency_map`; ArgumentError also if the images
    differ in size.
    """

    chosen = partial(select_classes, select=select, k=k)
    combine = cam if model.architecture.head == "cam" else chosen

    def combined(pixels: Tensor) -> Tensor:
        return torch.stack([combine(*each) for each in zip(*model(pixels), strict=True)])

    return _drawn(images, combined, model, short_sides)


def energy_maps(
    images: Sequence[np.ndarray], model: Network, *, short_sides: Sequence[int] = ()
) -> list[np.ndarray]:
    """Draw the mean absolute activation of the last layer's features, as `saliency_maps` does."""

    def energy(pixels: Tensor) -> Tensor:
        return model.features(pixels).abs().mean(1)

    return _drawn(images, energy, model, short_sides)


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold torch to one thread: on more, its sums have other last digits, and so have the maps."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def select_classes(maps: Tensor, logits: Tensor, *, select: str, k: int) -> Tensor:
    """Combine the maps M_c = Σ_d f_d^c of MS-ROI's classes into one, by Eq. 5.

    Deviation: the paper has two rules, and both pick classes that are not there: Eq. 5's test, and
    the "top five" of its text. The third and usual one here, ``"expected"``, picks none.

    The maps M_c are float [C, h, w], the logits Z_c − T_c [C]; the result [h, w] is not yet scaled.

    Parameters
    ----------
    select
        ``"expected"``: Σ_c P(c) M_c, the sum of Eq. 5 with each class's probability in place of
        the test P(c) > ½. ``"threshold"``: the sum over classes with Z_c > T_c, as Eq. 5 is
        printed. ``"topk"``: the k classes of largest Z_c − T_c, weighted (k − rank) / k, rank from
        0 (the paper's "top five … weighted by their rank").
    k
        At least 1; more than C means all.
    """
    if select == "expected":
        return torch.tensordot(logits.sigmoid(), maps, 1)
    if select == "threshold":
        return maps[logits > 0].sum(0)
    if select != "topk" or k < 1:
        raise ArgumentError(
            f"select must be 'expected', 'threshold' or 'topk' with k ≥ 1, not {select!r}, k={k}"
        )
    k = min(k, len(logits))
    weights = torch.arange(k, 0, -1, dtype=maps.dtype, device=maps.device) / k
    return torch.tensordot(weights, maps[logits.topk(k).indices], 1)


def cam(maps: Tensor, logits: Tensor) -> Tensor:
    """Class activation map [h, w] of the most probable class (Eq. 2), its negative part cut."""
    return maps[logits.argmax()].relu()


def unit(values: Tensor) -> Tensor:
    """Stretch maps [..., H, W] so that each goes from 0 to 1; one of equal values becomes 0.

    A floor under the whole of a map is no evidence of a place.
    """
    values = values - values.amin((-2, -1), keepdim=True)
    return values / values.amax((-2, -1), keepdim=True).clamp_min(torch.finfo(values.dtype).tiny)


def natural_sides(model: Network) -> tuple[int, int]:
    """Once and twice the side, in pixels, that the checkpoint names; 128 where it names none."""
    side = model.metadata.get("size", 128)
    return side, 2 * side


@torch.inference_mode()
def top_classes(image: np.ndarray, model: Network, *, k: int = 5) -> list[str]:
    """Name the k classes of largest evidence, most first, in an image of the natural size."""
    pixels, _ = _seen([image], natural_sides(model)[0], _device(model))
    logits = model(pixels)[1][0]
    order = logits.topk(min(k, len(logits))).indices
    return [model.architecture.classes[index] for index in order]


@torch.inference_mode()
def _drawn(
    images: Sequence[np.ndarray],
    cells_of: Callable[[Tensor], Tensor],
    model: Network,
    short_sides: Sequence[int],
) -> list[np.ndarray]:
    """Draw maps by ``cells_of``, [B, 3, 32h, 32w] → [B, h, w], averaged over short sides."""
    sides = short_sides or natural_sides(model)
    for image in images:
        check_rgb(image)
    if 0 in images[0].shape:
        raise ArgumentError("an image must have a pixel at least")
    if min(sides) < STRIDE:
        raise ArgumentError(f"every short side must be at least {STRIDE} pixels")
    if len({image.shape for image in images}) != 1:
        raise ArgumentError("the images of a batch must be of one size")
    total = sum(_at_scale(images, cells_of, side, _device(model)) for side in sides)
    return list(unit(total).cpu().numpy())


def _at_scale(
    images: Sequence[np.ndarray],
    cells_of: Callable[[Tensor], Tensor],
    side: int,
    device: torch.device,
) -> Tensor:
    """Draw the maps of one pass: [B, H, W] in [0, 1]."""
    pixels, (h, w) = _seen(images, side, device)
    with torch.autocast(device.type, torch.bfloat16, enabled=device.type != "cpu"):
        cells = cells_of(pixels)[:, None].float()
    fine = F.interpolate(cells, scale_factor=STRIDE, mode="bicubic").clamp_min(0)[..., :h, :w]
    whole = F.interpolate(fine, images[0].shape[:2], mode="bilinear", antialias=True)
    return unit(whole[:, 0])


def _seen(
    images: Sequence[np.ndarray], side: int, device: torch.device
) -> tuple[Tensor, tuple[int, int]]:
    """Scale images to a short side: pixels [B, 3, 32h, 32w] in [0, 1], and their true size.

    Sides are filled up to whole cells of 32 pixels by replication; the map of what was added is
    to be cut off again.
    """
    H, W = images[0].shape[:2]
    scale = side / max(min(H, W), max(H, W) / LONGEST)
    size = max(1, round(H * scale)), max(1, round(W * scale))
    pixels = torch.from_numpy(np.stack(images)).to(device).permute(0, 3, 1, 2)
    if device.type != "cpu":  # where bytes can't be interpolated
        pixels = pixels.float()
    small = F.interpolate(pixels, size, mode="bilinear", antialias=True).float() / 255
    down, right = (-length % STRIDE for length in size)
    return F.pad(small, (0, right, 0, down), mode="replicate"), size


def _device(model: Network) -> torch.device:
    return next(model.parameters()).device
