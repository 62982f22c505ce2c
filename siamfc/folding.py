"""The same network with less work: batch norm and pixel normalisation folded into the convolutions."""

from __future__ import annotations

import copy
from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from siamfc.model import PixelNormalisation, SiamFC


def fold(model: SiamFC) -> SiamFC:
    """A copy for inference only, channels last, whose scores differ from the model's by rounding alone.

    Without padding, subtracting a mean before a convolution is the same as changing its bias, at every place; with
    padding it would not be, at the border.
    """
    folded = copy.deepcopy(model).eval().requires_grad_(requires_grad=False)
    for module in folded.backbone.modules():
        if isinstance(module, nn.Sequential):
            _fold_batch_norms(module)
    if isinstance(folded.normalise, PixelNormalisation):
        first = next(module for module in folded.backbone.modules() if isinstance(module, nn.Conv2d))
        _fold_normalisation(first, folded.normalise)
        folded.normalise = nn.Identity()
    folded.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it for modules
    return folded


def _fold_batch_norms(layers: nn.Sequential) -> None:
    names = list(layers._modules)
    for name, following in pairwise(names):
        convolution, norm = layers._modules[name], layers._modules[following]
        if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            layers._modules[name] = fuse_conv_bn_eval(convolution, norm)
            layers._modules[following] = nn.Identity()


def _fold_normalisation(convolution: nn.Conv2d, normalisation: PixelNormalisation) -> None:
    weight = convolution.weight.double() / normalisation.deviation[:, None, None].double()
    shift = (weight * normalisation.mean[:, None, None].double()).sum(dim=(1, 2, 3))
    bias = convolution.bias.double() if convolution.bias is not None else torch.zeros_like(shift)
    dtype = convolution.weight.dtype
    convolution.weight = nn.Parameter(weight.to(dtype), requires_grad=False)
    convolution.bias = nn.Parameter((bias - shift).to(dtype), requires_grad=False)
