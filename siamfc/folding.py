"""The same network with less work: batch norm and pixel normalisation folded into the convolutions."""

from __future__ import annotations

import copy
from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from siamfc.config import ModelConfig
from siamfc.model import PixelNormalisation, SiamFC, build_model


def fold(model: SiamFC) -> SiamFC:
    """A copy for inference only, channels last, whose scores differ from the model's by rounding alone.

    Without padding, subtracting a mean before a convolution is the same as changing its bias, at every place; with
    padding it would not be, at the border.
    """
    folded = copy.deepcopy(model).eval().requires_grad_(requires_grad=False)
    fold_batch_norms(folded)
    if isinstance(folded.normalise, PixelNormalisation):
        first = next(module for module in folded.backbone.modules() if isinstance(module, nn.Conv2d))
        _fold_into(first, folded.normalise.mean, folded.normalise.deviation)
        folded.normalise = nn.Identity()
    folded.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it for modules
    return folded


def fold_batch_norms(model: SiamFC) -> None:
    """Multiply each batch norm's statistics and weights into the convolution before it, in place.

    The model must be in evaluation mode. What remains can be trained, and `unfold_batch_norms` is the way back.
    """
    for layers in [module for module in model.backbone.modules() if isinstance(module, nn.Sequential)]:
        for name, following in _norms(layers):
            convolution, norm = layers._modules[name], layers._modules[following]
            assert isinstance(convolution, nn.Conv2d)
            assert isinstance(norm, nn.BatchNorm2d)
            layers._modules[name] = fuse_conv_bn_eval(convolution, norm)
            layers._modules[following] = nn.Identity()


def unfold_batch_norms(folded: SiamFC, config: ModelConfig) -> SiamFC:
    """The model of the plain architecture that computes what one with folded norms does.

    Its norms have mean 0 and variance 1, and hold the convolutions' biases: a checkpoint like any other.
    """
    model = build_model(config).eval()
    folded_weights = folded.state_dict()
    weights = {name: folded_weights.get(name, value) for name, value in model.state_dict().items()}
    for path, layers in model.named_modules():
        if not (isinstance(layers, nn.Sequential) and path.startswith("backbone")):
            continue
        for name, following in _norms(layers):
            norm, bias = layers._modules[following], folded_weights[f"{path}.{name}.bias"]
            assert isinstance(norm, nn.BatchNorm2d)
            has_bias = f"{path}.{name}.bias" in weights
            weights[f"{path}.{following}.weight"] = torch.ones_like(bias)
            weights[f"{path}.{following}.bias"] = torch.zeros_like(bias) if has_bias else bias
            weights[f"{path}.{following}.running_mean"] = torch.zeros_like(bias)
            weights[f"{path}.{following}.running_var"] = torch.full_like(bias, 1 - norm.eps)
    model.load_state_dict(weights)
    return model.to(folded.device)


def _norms(layers: nn.Sequential) -> list[tuple[str, str]]:
    """Names of the convolutions that a batch norm follows, and of those norms."""
    return [
        (name, following)
        for name, following in pairwise(layers._modules)
        if isinstance(layers._modules[name], nn.Conv2d) and isinstance(layers._modules[following], nn.BatchNorm2d)
    ]


def _fold_into(convolution: nn.Conv2d, mean: torch.Tensor, deviation: torch.Tensor) -> None:
    """Let the convolution take raw input instead of ``(input - mean) / deviation``."""
    weight = convolution.weight.double() / deviation[:, None, None].double()
    shift = (weight * mean[:, None, None].double()).sum(dim=(1, 2, 3))
    bias = convolution.bias.double() if convolution.bias is not None else torch.zeros_like(shift)
    dtype = convolution.weight.dtype
    convolution.weight = nn.Parameter(weight.to(dtype), requires_grad=False)
    convolution.bias = nn.Parameter((bias - shift).to(dtype), requires_grad=False)
