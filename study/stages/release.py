"""Checkpoints into the package: `python -m study release`."""

from study.params import MODELS


def release() -> None:
    """Copy models/<head>.safetensors into the package in half precision (`make weights`).

    Their metadata say all that training recorded, and the commit.
    """
    import subprocess

    from msroi.model import HEADS, WEIGHTS, load_model, save_checkpoint

    commit = subprocess.check_output(["git", "rev-parse", "HEAD"], text=True).strip()
    WEIGHTS.mkdir(exist_ok=True)
    for head in HEADS:
        network = load_model(MODELS / f"{head}.safetensors")
        metadata = network.metadata | {"commit": commit}
        save_checkpoint(network.half(), WEIGHTS / f"{head}.safetensors", metadata)
