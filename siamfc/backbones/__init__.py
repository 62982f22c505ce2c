"""The embedding networks: fully convolutional, no padding anywhere, each stating its stride and receptive field."""

from __future__ import annotations

from torch import nn

from siamfc.backbones.alexnet import AlexNet
from siamfc.backbones.mobilenetv2 import MobileNetV2
from siamfc.errors import ConfigError

__all__ = ["AlexNet", "Backbone", "MobileNetV2", "build_backbone"]

Backbone = AlexNet | MobileNetV2


def build_backbone(
    name: str, *, batch_norm_eps: float = 1e-5, last_block: int = 7, shallow_block: int = 0, shared_layers: int = 4
) -> Backbone:
    """The backbone of this name with fresh weights, in training mode; the blocks are `MobileNetV2`'s.

    Example:
        >>> build_backbone("alexnet").stride
        8
    """
    if name == "alexnet":
        backbone: Backbone = AlexNet()
    elif name == "mobilenetv2":
        backbone = MobileNetV2(last_block, shallow_block, shared_layers)
    else:
        raise ConfigError(f"no backbone '{name}'; there are alexnet and mobilenetv2")
    for module in backbone.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = batch_norm_eps
    return backbone
