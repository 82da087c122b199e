"""From class maps to one saliency map M̂ in [0, 1] (the paper's Eq. 5, and CAM beside it)."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from msroi.model import STRIDE, Network

SHORT_SIDES = (256,)
LONGEST = 16  # times the short side: a longer image is seen smaller, to bound the memory


def saliency_map(
    image: np.ndarray,
    model: Network,
    *,
    select: str = "topk",
    k: int = 5,
    short_sides: Sequence[int] = SHORT_SIDES,
) -> np.ndarray:
    """Map of the semantic regions of an image.

    The network sees the whole image with its aspect ratio kept, once for each short side; each
    pass gives a map of one value for 32×32 pixels, `select`-ed over the classes and scaled to
    [0, 1]; the maps are brought to the image's size and averaged.

    Deviation: the authors' released code sees the centre square and stretches its map over the
    whole image, which misplaces it on every image that is not square.

    Parameters
    ----------
    image
        uint8 [H, W, 3], RGB.
    model
        With head ``msroi`` or ``cam``.
    select
        How an MS-ROI head's classes are chosen, ``"topk"`` or ``"threshold"``; a CAM head always
        takes its most probable class.
    k
        Classes that ``topk`` takes.
    short_sides
        Pixels of the image's shorter side as the network sees it, each at least 32.

    Returns
    -------
    float32 [H, W] in [0, 1]; its largest value is 1, or it is zero everywhere where no class has
    any evidence.

    Raises
    ------
    ValueError
        If an argument is out of the ranges above.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(f"an image must be uint8 [H, W, 3], not {image.dtype} {image.shape}")
    if not short_sides or min(short_sides) < STRIDE:
        raise ValueError(f"every short side must be at least {STRIDE} pixels")
    mean = sum(_at_scale(image, model, side, select, k) for side in short_sides)
    return unit(mean).numpy()


def select_classes(maps: Tensor, logits: Tensor, *, select: str, k: int) -> Tensor:
    """Combine MS-ROI class maps into one by Eq. 5.

    Parameters
    ----------
    maps
        float [C, h, w], Σ_d f_d^c of each class.
    logits
        float [C], Z_c − T_c.
    select
        ``"threshold"``: the sum over classes with Z_c > T_c. ``"topk"``: the k classes of largest
        Z_c − T_c, weighted (k − rank) / k, rank from 0 (the paper's "sum weighted by their rank").
    k
        At least 1; more than C means all.

    Returns
    -------
    float [h, w], not yet scaled.
    """
    if select == "threshold":
        return maps[logits > 0].sum(0)
    if select != "topk" or k < 1:
        raise ValueError(f"select must be 'topk' with k ≥ 1 or 'threshold', not {select!r}, k={k}")
    k = min(k, len(logits))
    weights = torch.arange(k, 0, -1, dtype=maps.dtype) / k
    return torch.tensordot(weights, maps[logits.topk(k).indices], 1)


def cam(maps: Tensor, logits: Tensor) -> Tensor:
    """Class activation map [h, w] of the most probable class (Eq. 2), its negative part cut."""
    return maps[logits.argmax()].relu()


def unit(values: Tensor) -> Tensor:
    """Scale a non-negative map so that its largest value is 1; a map of zeros stays."""
    return values / values.max().clamp_min(torch.finfo(values.dtype).tiny)


def top_classes(
    image: np.ndarray, model: Network, *, k: int = 5, short_side: int = SHORT_SIDES[0]
) -> list[str]:
    """Names of the k classes that ``topk`` takes, the one with most evidence first."""
    _, logits = _class_maps(_small(image, short_side), model)
    order = logits.topk(min(k, len(logits))).indices
    return [model.architecture.classes[index] for index in order]


def _at_scale(image: np.ndarray, model: Network, side: int, select: str, k: int) -> Tensor:
    """The map of one pass, [H, W] in [0, 1]."""
    small = _small(image, side)
    maps, logits = _class_maps(small, model)
    if model.architecture.head == "cam":
        chosen = cam(maps, logits)
    else:
        chosen = select_classes(maps, logits, select=select, k=k)
    fine = F.interpolate(chosen[None, None], scale_factor=STRIDE, mode="bicubic").clamp_min(0)
    h, w = small.shape[2:]
    whole = F.interpolate(fine[..., :h, :w], image.shape[:2], mode="bilinear", antialias=True)
    return unit(whole[0, 0])


def _small(image: np.ndarray, side: int) -> Tensor:
    """Pixels [1, 3, h, w] in [0, 1] with the shorter side as asked for."""
    H, W = image.shape[:2]
    scale = side / max(min(H, W), max(H, W) / LONGEST)
    size = max(1, round(H * scale)), max(1, round(W * scale))
    pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]
    return F.interpolate(pixels, size, mode="bilinear", antialias=True).float() / 255


@torch.inference_mode()
def _class_maps(small: Tensor, model: Network) -> tuple[Tensor, Tensor]:
    """Class maps [C, h/32, w/32] and logits [C] of pixels [1, 3, h, w].

    Sides are filled up to whole cells of 32 pixels by replication; the map of what was added is
    to be cut off again.
    """
    down, right = (-side % STRIDE for side in small.shape[2:])
    maps, logits = model(F.pad(small, (0, right, 0, down), mode="replicate"))
    return maps[0], logits[0]
