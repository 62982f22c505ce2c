"""The paper's network: AlexNet without padding and without fully connected layers (table 1 of the paper)."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn


def _convolution(
    in_channels: int, out_channels: int, kernel: int, *, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    return [
        nn.Conv2d(in_channels, out_channels, kernel, stride, groups=groups),
        nn.BatchNorm2d(out_channels, momentum=0.05),
        nn.ReLU(inplace=True),
    ]


class AlexNet(nn.Module):
    """Five convolutions, 127 px -> 6 x 6 x 256, 255 px -> 22 x 22 x 256.

    The channels are those of the authors' released weights; the "128" in the paper's figure counts one of the two
    groups. Initial weights are normal with the fan-out of all output channels, biases zero, as in that code.

    Example:
        >>> import torch
        >>> AlexNet()(torch.zeros(1, 3, 127, 127)).shape
        torch.Size([1, 256, 6, 6])
    """

    stride: ClassVar[int] = 8  # pixels per feature cell
    receptive_field: ClassVar[int] = 87  # pixels that one feature cell sees
    out_channels: ClassVar[int] = 256
    shallow_channels: ClassVar[int] = 0
    # The authors' weights take 0..255 as they are.
    pixel_mean: ClassVar[tuple[float, float, float]] = (0.0, 0.0, 0.0)
    pixel_deviation: ClassVar[tuple[float, float, float]] = (1.0, 1.0, 1.0)

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(*_convolution(3, 96, 11, stride=2), nn.MaxPool2d(3, 2))
        self.conv2 = nn.Sequential(*_convolution(96, 256, 5, groups=2), nn.MaxPool2d(3, 2))
        self.conv3 = nn.Sequential(*_convolution(256, 384, 3))
        self.conv4 = nn.Sequential(*_convolution(384, 384, 3, groups=2))
        self.conv5 = nn.Sequential(nn.Conv2d(384, 256, 3, groups=2))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                fan_out = module.kernel_size[0] * module.kernel_size[1] * module.out_channels
                nn.init.normal_(module.weight, std=(2.0 / fan_out) ** 0.5)
                assert module.bias is not None
                nn.init.zeros_(module.bias)

    @property
    def chains(self) -> list[list[nn.Module]]:
        """The layers that an image goes through in turn; one level, as `siamfc.backbones.MobileNetV2` can have two."""
        return [list(self.children())]

    def forward(self, images: Tensor) -> Tensor:
        """Features (B, 256, h, w) of images (B, 3, H, W); ``h = (H - 87) // 8 + 1``."""
        features: Tensor = self.conv5(self.conv4(self.conv3(self.conv2(self.conv1(images)))))
        return features
