"""ImageNet's MobileNetV2 (Sandler et al. 2018) without padding, cut after the expansion of one of its blocks.

Beside what that gives, the features can hold what an earlier block's expansion gives at the same places: one level
that knows exactly where things are, and one that knows better what they are (Hariharan et al. 2015, hypercolumns). The
two share the first layers, which cost most.
"""

from __future__ import annotations

from collections import OrderedDict
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
        filtered: Tensor = self.conv(features)
        return filtered + inner_cells(features, filtered) if self.has_residual else filtered


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

    With a shallow block the features hold the expansion of another such network, cut at that block, before the last
    one's: its inner cells, which lie at the same places. Blocks 7 and 9: 5 x 5 x 576 and 21 x 21 x 576. Up to
    ``shared_layers`` the two are one.

    Args:
        last_block: 7 to 10.
        shallow_block: 5 or later, and before the last one; 0: none.
        shared_layers: How many first layers both have in common, at most all before the shallow block.

    Raises:
        ConfigError: A shallow block that is none, has cells of another size, or is not before the last.

    Example:
        >>> images = torch.zeros(1, 3, 127, 127)
        >>> MobileNetV2()(images).shape, MobileNetV2(last_block=9, shallow_block=7)(images).shape
        (torch.Size([1, 192, 9, 9]), torch.Size([1, 576, 5, 5]))
    """

    stride: ClassVar[int] = 8  # pixels per feature cell
    # ImageNet's statistics for inputs of 0..255.
    pixel_mean: ClassVar[tuple[float, float, float]] = (123.675, 116.28, 103.53)
    pixel_deviation: ClassVar[tuple[float, float, float]] = (58.395, 57.12, 57.375)

    def __init__(self, last_block: int = 7, shallow_block: int = 0, shared_layers: int = 4) -> None:
        super().__init__()
        if shallow_block and not _FIRST_OF_STRIDE_8 <= shallow_block < last_block:
            raise ConfigError(
                f"model.shallow_block is 0 or {_FIRST_OF_STRIDE_8} to {last_block - 1}, before model.last_block, "
                f"not {shallow_block}"
            )
        if shallow_block and not 1 <= shared_layers <= shallow_block:
            raise ConfigError(f"model.shared_layers is 1 to {shallow_block}, model.shallow_block, not {shared_layers}")
        self.features = nn.Sequential(*_layers(last_block))
        self.shallow: nn.Sequential | None = None
        self.shared_layers = shared_layers
        self.shallow_channels = self.eaten_cells = 0  # the latter: of the shallow level's, to each side
        if shallow_block:
            own = list(enumerate(_layers(shallow_block)))[shared_layers:]
            self.shallow = nn.Sequential(OrderedDict((str(number), layer) for number, layer in own))
            self.shallow_channels, self.eaten_cells = _expanded_channels(shallow_block), last_block - shallow_block
        self.out_channels = self.shallow_channels + _expanded_channels(last_block)
        self.receptive_field = 59 + 16 * (last_block - 7)  # pixels that one feature cell sees
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    @property
    def chains(self) -> list[list[nn.Module]]:
        """The layers that an image goes through in turn, once for each level."""
        deep = list(self.features)
        return [deep] if self.shallow is None else [deep, [*deep[: self.shared_layers], *self.shallow]]

    def forward(self, images: Tensor) -> Tensor:
        """Features (B, C, h, w) of images (B, 3, H, W); ``h = (H - receptive_field) // 8 + 1``."""
        if self.shallow is None:
            features: Tensor = self.features(images)
            return features
        shared = self.features[: self.shared_layers](images)
        shallow, deep = self.shallow(shared), self.features[self.shared_layers :](shared)
        return torch.cat([inner_cells(shallow, deep), deep], dim=1)


def _layers(last_block: int) -> list[nn.Module]:
    """The first convolution, the blocks before the last one, and that one's expansion."""
    layers: list[nn.Module] = [_convolution(3, 32, 3, stride=2)]
    channels = 32
    for expansion, out_channels, stride in _BLOCKS[: last_block - 1]:
        layers.append(InvertedResidual(channels, out_channels, stride=stride, expansion=expansion))
        channels = out_channels
    return [*layers, Expansion(channels, _expanded_channels(last_block))]


def _expanded_channels(block: int) -> int:
    return _LAST_EXPANSION * _BLOCKS[block - 2][1]
