"""Checkpoints: a network, and how it was trained, in one safetensors file."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from msroi.errors import InputError
from msroi.files import write_atomically
from msroi.model.network import Architecture, Network

WEIGHTS = Path(__file__).parent.parent / "weights"
METADATA_KEY = "msroi"  # in the file's header
DEVICES = ("auto", "cpu", "cuda")


class CheckpointError(InputError, ValueError):
    """A file that can't be read as a checkpoint of this package."""


class DeviceError(InputError, ValueError):
    """A device that isn't there, or isn't known."""


def save_checkpoint(network: Network, path: str | Path, metadata: Mapping[str, Any]) -> None:
    """Write weights, architecture and ``metadata`` (as JSON) to one safetensors file."""
    header = {"architecture": asdict(network.architecture), **metadata}
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    data = save(tensors, {METADATA_KEY: json.dumps(header, sort_keys=True)})
    write_atomically(path, data)


def find_device(name: str) -> torch.device:
    """``"cpu"``, ``"cuda"``, or ``"auto"`` for a GPU where there is one.

    Raises
    ------
    DeviceError
        It is none of these, or a GPU that isn't there.
    """
    has_gpu = torch.cuda.is_available()
    if name not in DEVICES:
        raise DeviceError(f"device is {name!r}; it must be one of {', '.join(DEVICES)}")
    if name == "cuda" and not has_gpu:
        raise DeviceError("device is 'cuda', but torch finds no GPU here; say auto or cpu")
    if name == "auto":
        return torch.device("cuda" if has_gpu else "cpu")
    return torch.device(name)


def load_model(
    path_or_name: str | Path = "released", *, head: str = "msroi", device: str = "cpu"
) -> Network:
    """Load a network for inference.

    Parameters
    ----------
    path_or_name
        A checkpoint that `save_checkpoint` wrote, or ``"released"`` for the one that ships inside
        the package.
    head
        Which of the released heads, ``"msroi"`` or ``"cam"``; a path says its own.
    device
        As `find_device` has it. On the CPU the same image has the same map to the bit; a GPU draws
        in bfloat16, many more a second.

    Returns
    -------
    Network in evaluation mode, float32, with its `metadata`, on the device.

    Raises
    ------
    CheckpointError
        If the file is missing, is no safetensors file, or doesn't hold the network that it names.
    DeviceError
        As `find_device`.
    """
    place = find_device(device)
    path = _file(path_or_name, head)
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})[METADATA_KEY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        network = Network(_architecture(header.pop("architecture")))
        network.load_state_dict(tensors)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{path} is not a checkpoint that this version can read "
            f"({str(error).splitlines()[0]}); train it anew with `python -m study train`"
        ) from error
    network.metadata = header
    layout = torch.preserve_format if place.type == "cpu" else torch.channels_last
    return network.float().eval().to(place, memory_format=layout)


def checksum(path_or_name: str | Path, *, head: str = "msroi") -> str:
    """Give the SHA-256 of the file that `load_model` would read; CheckpointError as there."""
    path = _file(path_or_name, head)
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror})") from error


def _file(path_or_name: str | Path, head: str) -> Path:
    if path_or_name == "released":
        path = WEIGHTS / f"{head}.safetensors"
        remedy = "no released checkpoint ships with this version; name one with --model PATH"
    else:
        path = Path(path_or_name)
        remedy = (
            f"{path} does not exist; `dvc repro train` makes the study's checkpoints in models/"
        )
    if not path.exists():
        raise CheckpointError(remedy)
    return path


def _architecture(header: Mapping[str, Any]) -> Architecture:
    known = {field.name: header[field.name] for field in fields(Architecture)}
    return Architecture(**{k: tuple(v) if isinstance(v, list) else v for k, v in known.items()})
