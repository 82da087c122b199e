"""Maps by name, drawn alike by any process: of networks, and controls that know nothing."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import torch

from msroi.errors import InputError
from msroi.model import Network, load_model
from msroi.saliency import centre_prior, energy_map, saliency_map

OWN = "MS-ROI"  # the map that encoders follow unless told otherwise, and that PSNR-S looks at

SaliencyOf = Callable[[np.ndarray], np.ndarray]


class StaleMapError(InputError, RuntimeError):
    """A checkpoint that has changed under way; the message names it."""


def named_maps(heads: Mapping[str, str | Path], **rule: Any) -> dict[str, SaliencyOf]:
    """The maps of networks and the controls, as `study.measure.evaluation.evaluate` takes them.

    Parameters
    ----------
    heads
        Name of a map → checkpoint; ``"MS-ROI"`` among them.
    **rule
        Of `saliency_map`.
    """
    made = {name: network_map(checkpoint, **rule) for name, checkpoint in heads.items()}
    controls = {"energy": network_map(heads[OWN], draw=energy_map), "centre prior": centre_prior}
    return made | controls


def network_map(
    checkpoint: str | Path, *, draw: Callable[..., np.ndarray] = saliency_map, **settings: Any
) -> SaliencyOf:
    """image → its map by a checkpoint, as `study.measure.evaluation.evaluate` takes it.

    What is pickled is the checkpoint's path and checksum: each process loads the network once.

    Parameters
    ----------
    checkpoint
        A path, or ``"released"``.
    draw
        `saliency_map` or `energy_map`.
    **settings
        Of ``draw``.

    Raises
    ------
    CheckpointError
        As `load_model`.
    """
    path = checkpoint if checkpoint == "released" else str(Path(checkpoint).resolve())
    checksum = _checksum(load_model(path))
    return partial(_map, draw=draw, checkpoint=path, checksum=checksum, **settings)


def _map(
    image: np.ndarray,
    *,
    draw: Callable[..., np.ndarray],
    checkpoint: str,
    checksum: str,
    **settings: Any,
) -> np.ndarray:
    with _one_thread():
        return draw(image, _network(checkpoint, checksum), **settings)


@cache
def _network(checkpoint: str, checksum: str) -> Network:
    network = load_model(checkpoint)
    if _checksum(network) != checksum:
        raise StaleMapError(f"{checkpoint} has changed since the evaluation began: run it again")
    return network


def _checksum(network: Network) -> str:
    weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    return joblib.hash((network.architecture, network.metadata, weights))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Torch on one thread: on more, its sums have other last digits, and so have the maps."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
