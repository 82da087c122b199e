"""The network in torch: its layers, its checkpoints, and the maps that it draws."""

from msroi.model.checkpoint import (
    METADATA_KEY,
    WEIGHTS,
    CheckpointError,
    DeviceError,
    checksum,
    find_device,
    load_model,
    save_checkpoint,
)
from msroi.model.maps import (
    cam,
    energy_maps,
    one_thread,
    saliency_maps,
    select_classes,
    top_classes,
    unit,
)
from msroi.model.network import HEADS, STRIDE, Architecture, Network

__all__ = [
    "HEADS",
    "METADATA_KEY",
    "STRIDE",
    "WEIGHTS",
    "Architecture",
    "CheckpointError",
    "DeviceError",
    "Network",
    "cam",
    "checksum",
    "energy_maps",
    "find_device",
    "load_model",
    "one_thread",
    "saliency_maps",
    "save_checkpoint",
    "select_classes",
    "top_classes",
    "unit",
]
