"""EfficientNet-Lite0: features that know ImageNet (Tan and Le 2019, arXiv:1905.11946).

Lite is Google's variant for small devices, without squeeze-and-excitation and with ReLU6. Its
weights come from a file: `study.training.pretrained` reads them.
"""

from torch import Tensor, nn

# Of each stage: blocks, kernel, stride of the first block, expansion, features
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM, TOP = 32, 1280  # features of the first layer and of the last
LAST_HALVING = 11  # the block that goes from stride 16 to 32


class Lite(nn.Module):
    """The layers of EfficientNet-Lite0 up to its 1280 features, none of them negative.

    Takes [B, 3, H, W] in [0, 1], H and W multiples of 32; gives the middle features
    [B, 672, H/16, W/16], those of the last block that halves, before it does, and the top ones
    [B, 1280, H/32, W/32]. Both are in [0, 6].
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = convolution(3, STEM, kernel=3, stride=2)
        blocks, width = [], STEM
        for count, kernel, first_stride, expansion, features in STAGES:
            for index in range(count):
                stride = 1 if index else first_stride
                blocks.append(Block(width, features, kernel, stride, expansion))
                width = features
        self.blocks = nn.ModuleList(blocks)
        self.top = convolution(width, TOP)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        x = self.stem(pixels * (255 / 128) - 127 / 128)  # as it was trained on ImageNet
        for block in self.blocks[:LAST_HALVING]:
            x = block(x)
        middle = self.blocks[LAST_HALVING].expand(x)
        for block in self.blocks[LAST_HALVING:]:
            x = block(x)
        return middle, self.top(x)


class Block(nn.Module):
    """An inverted bottleneck: wide, filtered channel by channel, narrow; added to its input."""

    def __init__(self, width: int, features: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = width * expansion
        self.expand = convolution(width, wide) if expansion > 1 else nn.Identity()
        self.filter = convolution(wide, wide, kernel=kernel, stride=stride, groups=wide)
        self.project = convolution(wide, features, active=False)
        self.adds = stride == 1 and width == features

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.filter(self.expand(x)))
        return x + y if self.adds else y


def convolution(
    width: int,
    features: int,
    *,
    kernel: int = 1,
    stride: int = 1,
    groups: int = 1,
    active: bool = True,
) -> nn.Sequential:
    """Make a convolution, its batch norm, and ReLU6 unless it is not ``active``.

    Padded as TensorFlow does ("SAME") an even image: where the stride is 2, one pixel less before
    than after.
    """
    around = kernel - stride
    padding = (around // 2, around - around // 2)
    layers: list[nn.Module] = [nn.ZeroPad2d(padding * 2)] if stride == 2 else []
    inside = 0 if stride == 2 else kernel // 2
    layers += [
        nn.Conv2d(width, features, kernel, stride, inside, groups=groups, bias=False),
        nn.BatchNorm2d(features, eps=1e-3),
    ]
    return nn.Sequential(*layers, nn.ReLU6(inplace=True)) if active else nn.Sequential(*layers)
