"""ImageNet's MobileNetV2 (Sandler et al. 2018) without padding, cut after the expansion of one of its blocks.

Beside what that gives, the features can hold what an earlier block's expansion gives at the same places: one level
that knows exactly where things are, and one that knows better what they are (Hariharan et al. 2015, hypercolumns).
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from siamfc.errors import ConfigError

# (expansion, out_channels, stride) of blocks 1 to 9. The original halves the grid in the seventh; here it stays.
_BLOCKS = ((1, 16, 1), (6, 24, 2), (6, 24, 1), (6, 32, 2), (6, 32, 1), (6, 32, 1), (6, 64, 1), (6, 64, 1), (6, 64, 1))
_LAST_EXPANSION = 6
_FIRST_OF_STRIDE_8 = 5  # the block whose input has a cell every 8 pixels


def inner_cells(features: Tensor, like: Tensor) -> Tensor:
    """The inner part of features, as large as others that later layers made of them.

    A pixel that a filter eats is a cell of its grid, which `siamfc.dense` makes finer.
    """
    (height, width), eaten = features.shape[-2:], (features.shape[-1] - like.shape[-1]) // 2
    return features[..., eaten : height - eaten, eaten : width - eaten]


def _convolution(
    in_channels: int, out_channels: int, kernel: int, *, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, stride, groups=groups, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU6(inplace=True),
    )


class InvertedResidual(nn.Module):
    """Expand, filter each channel, project; the residual path is cropped by the pixel a side that the filter eats."""

    def __init__(self, in_channels: int, out_channels: int, *, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = in_channels * expansion
        self.has_residual = stride == 1 and in_channels == out_channels
        expand = [_convolution(in_channels, hidden, 1)] if expansion != 1 else []
        self.conv = nn.Sequential(
            *expand,
            _convolution(hidden, hidden, 3, stride=stride, groups=hidden),
            nn.Conv2d(hidden, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, out_channels, (h - 3) // stride + 1, (w - 3) // stride + 1)."""
        return self.reduce(self.expand(features), features)

    def expand(self, features: Tensor) -> Tensor:
        """What the first layer gives: of all blocks but the first, the expansion."""
        expanded: Tensor = self.conv[0](features)
        return expanded

    def reduce(self, expanded: Tensor, features: Tensor) -> Tensor:
        """The rest of `forward`, from what `expand` made of the features."""
        for layer in list(self.conv)[1:]:
            expanded = layer(expanded)
        return expanded + inner_cells(features, expanded) if self.has_residual else expanded


class Expansion(nn.Module):
    """The first layer of an `InvertedResidual` alone, under the name it has there: ``conv.0``."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(_convolution(in_channels, out_channels, 1))

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, out_channels, h, w)."""
        expanded: Tensor = self.conv(features)
        return expanded


class MobileNetV2(nn.Module):
    """MobileNetV2 up to the first layer, the expansion, of block ``last_block``; four cells smaller a block.

    Cut at block 7: 127 px -> 9 x 9 x 192, 255 px -> 25 x 25 x 192, about 0.135 GMAC for the latter. Cut at block 9:
    5 x 5 x 384 and 21 x 21 x 384, 0.18 GMAC. The parameters' names are those of torchvision's ``mobilenet_v2``. The
    cells of a 127 px exemplar cover its first 123 px; its last four columns and rows are not seen, neither in the
    exemplar nor in any window.

    With a shallow block the features hold its expansion, too, before the last one's: its inner cells, which lie at the
    same places. Blocks 7 and 9: 5 x 5 x 576 and 21 x 21 x 576.

    Args:
        last_block: 7 to 10.
        shallow_block: 5 or later, and before the last one; 0: none.

    Raises:
        ConfigError: A shallow block that is none, has cells of another size, or is not before the last.

    Example:
        >>> import torch
        >>> MobileNetV2()(torch.zeros(1, 3, 127, 127)).shape
        torch.Size([1, 192, 9, 9])
    """

    stride: ClassVar[int] = 8  # pixels per feature cell
    # ImageNet's statistics for inputs of 0..255.
    pixel_mean: ClassVar[tuple[float, float, float]] = (123.675, 116.28, 103.53)
    pixel_deviation: ClassVar[tuple[float, float, float]] = (58.395, 57.12, 57.375)

    def __init__(self, last_block: int = 7, shallow_block: int = 0) -> None:
        super().__init__()
        if shallow_block and not _FIRST_OF_STRIDE_8 <= shallow_block < last_block:
            raise ConfigError(
                f"model.shallow_block is 0 or {_FIRST_OF_STRIDE_8} to {last_block - 1}, before model.last_block, "
                f"not {shallow_block}"
            )
        layers: list[nn.Module] = [_convolution(3, 32, 3, stride=2)]
        channels = 32
        self.shallow_block = shallow_block
        self.shallow_channels = 0
        for number, (expansion, out_channels, stride) in enumerate(_BLOCKS[: last_block - 1], start=1):
            layers.append(InvertedResidual(channels, out_channels, stride=stride, expansion=expansion))
            if number == shallow_block:
                self.shallow_channels = channels * expansion
            channels = out_channels
        self.out_channels = self.shallow_channels + channels * _LAST_EXPANSION
        layers.append(Expansion(channels, channels * _LAST_EXPANSION))
        self.features = nn.Sequential(*layers)
        self.receptive_field = 59 + 16 * (last_block - 7)  # pixels that one feature cell sees
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def forward(self, images: Tensor) -> Tensor:
        """Features (B, C, h, w) of images (B, 3, H, W); ``h = (H - receptive_field) // 8 + 1``."""
        if not self.shallow_block:
            features: Tensor = self.features(images)
            return features
        below = self.features[: self.shallow_block](images)
        block = self.features[self.shallow_block]
        assert isinstance(block, InvertedResidual)
        shallow = block.expand(below)
        deep = self.features[self.shallow_block + 1 :](block.reduce(shallow, below))
        return torch.cat([inner_cells(shallow, deep), deep], dim=1)
