"""Both networks as others wrote them: huanglianghua's AlexNet and torchvision's MobileNetV2, from their state dicts."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor

Weights = Mapping[str, Tensor]


def huanglianghua_score(weights: Weights, exemplar: Tensor, search: Tensor) -> Tensor:
    """Score maps (B, 1, h, w) of one exemplar in searches, as huanglianghua/siamfc-pytorch computes them."""
    z, x = _huanglianghua_features(weights, exemplar), _huanglianghua_features(weights, search)
    return 0.001 * F.conv2d(x, z)


def _huanglianghua_features(weights: Weights, images: Tensor) -> Tensor:
    x = images
    for number, groups in ((1, 1), (2, 2), (3, 1), (4, 2), (5, 2)):
        name = f"backbone.conv{number}"
        convolution = weights[f"{name}.0.weight"], weights[f"{name}.0.bias"]
        x = F.conv2d(x, *convolution, stride=2 if number == 1 else 1, groups=groups)
        if number < 5:
            x = F.relu(_batch_norm(weights, f"{name}.1", x, eps=1e-6))
        if number < 3:
            x = F.max_pool2d(x, 3, 2)
    return x


def padded_mobilenetv2(weights: Weights, images: Tensor) -> Tensor:
    """torchvision's ``mobilenet_v2``, padded as it is there, up to the expansion of ``features.7``.

    Padding moves its cells: cell ``j`` sees the 59 pixels from ``8 j - 29`` on, where the unpadded network's cell
    ``j`` sees those from ``8 j`` on.
    """
    x = _convolve(weights, "features.0.0", "features.0.1", images, stride=2, padding=1)
    for block in range(1, 7):
        name = f"features.{block}.conv"
        stride = 2 if block in (2, 4) else 1
        y = x
        if block > 1:
            y = _convolve(weights, f"{name}.0.0", f"{name}.0.1", y)
        depthwise = 0 if block == 1 else 1
        y = _convolve(weights, f"{name}.{depthwise}.0", f"{name}.{depthwise}.1", y, stride=stride, padding=1)
        projection, norm = f"{name}.{depthwise + 1}", f"{name}.{depthwise + 2}"
        y = _batch_norm(weights, norm, F.conv2d(y, weights[f"{projection}.weight"]), eps=1e-5)
        x = x + y if stride == 1 and x.shape == y.shape else y
    return _convolve(weights, "features.7.conv.0.0", "features.7.conv.0.1", x)


def _convolve(weights: Weights, name: str, norm: str, x: Tensor, *, stride: int = 1, padding: int = 0) -> Tensor:
    weight = weights[f"{name}.weight"]
    groups = x.shape[1] // weight.shape[1]
    convolved = F.conv2d(x, weight, stride=stride, padding=padding, groups=groups)
    return F.relu6(_batch_norm(weights, norm, convolved, eps=1e-5))


def _batch_norm(weights: Weights, name: str, x: Tensor, *, eps: float) -> Tensor:
    statistics = weights[f"{name}.running_mean"], weights[f"{name}.running_var"]
    return F.batch_norm(x, *statistics, weights[f"{name}.weight"], weights[f"{name}.bias"], eps=eps)
