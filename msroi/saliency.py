"""The map M̂ in [0, 1] of an image: a network's, or a control's that knows of no object.

Every map of the package and of the study is drawn here, on one thread of torch's: so it is the same
to the bit in whatever process it is drawn. This module loads torch only when a network is needed.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from msroi.errors import InputError

if TYPE_CHECKING:
    from msroi.model import Network

OWN = "MS-ROI"  # the map that encoders follow unless told otherwise, and that PSNR-S looks at

SaliencyOf = Callable[[np.ndarray], np.ndarray]


class StaleMapError(InputError, RuntimeError):
    """A checkpoint that has changed under way; the message names it."""


def saliency_map(
    image: np.ndarray,
    model: "Network",
    *,
    select: str = "expected",
    k: int = 5,
    short_sides: Sequence[int] = (),
) -> np.ndarray:
    """Draw the map of the semantic regions of an image (`msroi.model.maps.saliency_maps` says how).

    Parameters
    ----------
    image
        uint8 [H, W, 3], RGB.
    model
        With head ``msroi`` or ``cam``.
    select
        How an MS-ROI head's classes are chosen: ``"expected"``, ``"threshold"`` or ``"topk"``, as
        `msroi.model.maps.select_classes` has it; a CAM head always takes its most probable class.
    k
        Classes that ``topk`` takes.
    short_sides
        Pixels of the image's shorter side as the network sees it, each at least 32. None given:
        once and twice the side of the images that it was trained on.

    Returns
    -------
    float32 [H, W] in [0, 1]; its smallest value is 0 and its largest 1, or it is zero everywhere
    where no place has more evidence than another.

    Raises
    ------
    ArgumentError
        An argument is out of the ranges above.
    """
    from msroi.model.maps import one_thread, saliency_maps

    with one_thread():
        return saliency_maps([image], model, select=select, k=k, short_sides=short_sides)[0]


def energy_map(
    image: np.ndarray, model: "Network", *, short_sides: Sequence[int] = ()
) -> np.ndarray:
    """Draw the mean absolute activation of the last features: a control that chooses no class.

    Arguments, result and errors are those of `saliency_map`.
    """
    from msroi.model.maps import energy_maps, one_thread

    with one_thread():
        return energy_maps([image], model, short_sides=short_sides)[0]


def centre_prior(image: np.ndarray) -> np.ndarray:
    """Draw a Gaussian at the centre, σ a quarter of each side: a control that looks at nothing.

    Float32 [H, W] in [0, 1] for an image [H, W, 3].
    """
    y, x = (np.linspace(-2, 2, side, dtype=np.float32) for side in image.shape[:2])
    return np.exp(-(y[:, None] ** 2 + x**2) / 2)


def flat_map(image: np.ndarray) -> np.ndarray:
    """Draw one everywhere, float32 [H, W] for an image [H, W, 3]: the control at chance."""
    return np.ones(image.shape[:2], np.float32)


def named_maps(heads: Mapping[str, str | Path], **rule: Any) -> dict[str, SaliencyOf]:
    """Name the maps of networks, MS-ROI's times a centre prior, and three controls.

    The controls are the energy, a centre prior and a flat map. ``heads`` has the checkpoint of each
    name, ``"MS-ROI"`` among them; the rule is of `saliency_map`.
    """
    drawn = {name: network_map(checkpoint, **rule) for name, checkpoint in heads.items()}
    product = partial(_times_centre, saliency_of=drawn[OWN])
    energy = network_map(heads[OWN], draw=energy_map)
    controls = {"energy": energy, "centre prior": centre_prior, "flat": flat_map}
    return drawn | {f"{OWN} × centre": product} | controls


def network_map(
    checkpoint: str | Path = "released",
    *,
    head: str = "msroi",
    draw: Callable[..., np.ndarray] = saliency_map,
    **settings: Any,
) -> SaliencyOf:
    """Make a function from an image to its map by a checkpoint, which other processes can be sent.

    What is pickled is the checkpoint's path and checksum: each process loads the network once.
    Checkpoint, head and errors are those of `msroi.load_model`; ``draw`` is `saliency_map` or
    `energy_map`, which takes the settings.
    """
    from msroi.model import checksum

    path = checkpoint if checkpoint == "released" else str(Path(checkpoint).resolve())
    found = checksum(path, head=head)
    _network(path, head, found)  # a checkpoint that is none is told now
    return partial(_map, draw=draw, checkpoint=path, head=head, checksum=found, **settings)


def _times_centre(image: np.ndarray, *, saliency_of: SaliencyOf) -> np.ndarray:
    return saliency_of(image) * centre_prior(image)


def _map(
    image: np.ndarray, *, draw: Callable, checkpoint: str, head: str, checksum: str, **settings: Any
) -> np.ndarray:
    return draw(image, _network(checkpoint, head, checksum), **settings)


@cache
def _network(checkpoint: str, head: str, checksum: str) -> "Network":
    from msroi import model

    network = model.load_model(checkpoint, head=head)
    if model.checksum(checkpoint, head=head) != checksum:
        raise StaleMapError(f"{checkpoint} has changed since the work began: run it again")
    return network
