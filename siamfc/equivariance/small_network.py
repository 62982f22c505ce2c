"""A small network whose every layer can be changed alone: pooling, strides, padding; its weights stay the same."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from siamfc.correlation import cross_correlate

EXEMPLAR_PX, SEARCH_PX, STRIDE = 63, 127, 4

_CHANNELS = (3, 16, 24, 32, 32)
_KERNELS = (5, 3, 3, 3)
_POOLED = 2  # after so many convolutions each
_POOL_PX = 3


class Variant(NamedTuple):
    """What differs from the network as it was trained.

    Attributes:
        pooling: What is taken of each 3 x 3 places after the first two convolutions: their highest value, their
            mean, or just the one in the middle.
        strided: Whether every other place is dropped there. If not, whatever follows is dilated, so that it meets
            the very values that it would have met: the same network, evaluated at every pixel.
        padded: Whether every convolution adds a border of zeros, so that maps keep their size.
    """

    pooling: Literal["max", "average", "none"] = "max"
    strided: bool = True
    padded: bool = False

    @property
    def stride(self) -> int:
        """Pixels of the image per cell of the features."""
        return STRIDE if self.strided else 1


class SmallNetwork(nn.Module):
    """Four convolutions with two poolings between; stride 4, receptive field 31 px, 21,000 weights.

    63 px -> 32 x 9 x 9, 127 px -> 32 x 25 x 25, so a score map is 17 x 17, as the paper's.

    Example:
        >>> network = SmallNetwork()
        >>> network.embed(torch.zeros(1, 3, 127, 127), Variant()).shape
        torch.Size([1, 32, 25, 25])
        >>> network.embed(torch.zeros(1, 3, 127, 127), Variant(strided=False)).shape
        torch.Size([1, 32, 97, 97])
    """

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, kernel)
            for before, after, kernel in zip(_CHANNELS, _CHANNELS[1:], _KERNELS, strict=False)
        )
        self.gain = nn.Parameter(torch.tensor(1.0))
        self.bias = nn.Parameter(torch.tensor(0.0))

    def embed(self, images: Tensor, variant: Variant) -> Tensor:
        """Features (B, 32, h, w) of images (B, 3, H, W), 0..255."""
        features, dilation = images / 128 - 1, 1
        for index, layer in enumerate(self.convolutions):
            assert isinstance(layer, nn.Conv2d)
            padding = dilation * (layer.kernel_size[0] // 2) if variant.padded else 0
            features = F.conv2d(features, layer.weight, layer.bias, padding=padding, dilation=dilation)
            if index < len(self.convolutions) - 1:
                features = features.relu()
            if index < _POOLED:
                features = _pool(features, variant.pooling, dilation, step=2 if variant.strided else 1)
                dilation *= 1 if variant.strided else 2
        return features

    def score(self, exemplar_features: Tensor, search_features: Tensor) -> Tensor:
        """Score maps (B, h, w), a logit a window, of features (B, C, h', w') and (B, C, H', W')."""
        products = cross_correlate(exemplar_features, search_features)
        maps: Tensor = self.gain * products / exemplar_features[0].numel() ** 0.5 + self.bias
        return maps


def _pool(features: Tensor, kind: str, dilation: int, *, step: int) -> Tensor:
    """Each 3 x 3 places, ``dilation`` apart, become one, ``step`` places apart."""
    if kind == "max":
        return F.max_pool2d(features, _POOL_PX, step, dilation=dilation)
    if kind == "average":
        C = features.shape[1]
        mean = features.new_full((C, 1, _POOL_PX, _POOL_PX), 1 / _POOL_PX**2)
        return F.conv2d(features, mean, stride=step, dilation=dilation, groups=C)
    return features[..., dilation:-dilation:step, dilation:-dilation:step]
