"""ImageNet's MobileNetV2 (Sandler et al. 2018) without padding, cut after the first expansion of block 7."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

# (expansion, out_channels, stride) of blocks 1 to 6; block 7 gives only its expansion.
_BLOCKS = ((1, 16, 1), (6, 24, 2), (6, 24, 1), (6, 32, 2), (6, 32, 1), (6, 32, 1))
_LAST_EXPANSION = 6


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
        return filtered + features[..., 1:-1, 1:-1] if self.has_residual else filtered


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
    """The first half of MobileNetV2: 127 px -> 9 x 9 x 192, 255 px -> 25 x 25 x 192, about 0.135 GMAC for the latter.

    The parameters' names are those of torchvision's ``mobilenet_v2``. The nine cells of a 127 px exemplar cover its
    first 123 px; its last four columns and rows are not seen, neither in the exemplar nor in any window.

    Example:
        >>> import torch
        >>> MobileNetV2()(torch.zeros(1, 3, 127, 127)).shape
        torch.Size([1, 192, 9, 9])
    """

    stride: ClassVar[int] = 8  # pixels per feature cell
    receptive_field: ClassVar[int] = 59  # pixels that one feature cell sees
    out_channels: ClassVar[int] = 192
    # ImageNet's statistics for inputs of 0..255.
    pixel_mean: ClassVar[tuple[float, float, float]] = (123.675, 116.28, 103.53)
    pixel_deviation: ClassVar[tuple[float, float, float]] = (58.395, 57.12, 57.375)

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [_convolution(3, 32, 3, stride=2)]
        channels = 32
        for expansion, out_channels, stride in _BLOCKS:
            layers.append(InvertedResidual(channels, out_channels, stride=stride, expansion=expansion))
            channels = out_channels
        layers.append(Expansion(channels, channels * _LAST_EXPANSION))
        self.features = nn.Sequential(*layers)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def forward(self, images: Tensor) -> Tensor:
        """Features (B, 192, h, w) of images (B, 3, H, W); ``h = (H - 59) // 8 + 1``."""
        features: Tensor = self.features(images)
        return features
