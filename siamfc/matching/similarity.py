"""Similarity of exemplars with every window, between -1 and 1: the cosine of their features, weighted by place."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from siamfc.dense import DenseSiamFC

_LEAST_ENERGY = 1e-6  # of the exemplar's; a window below it is as good as empty


class WeighedExemplars(NamedTuple):
    """Exemplar features ready to be slid over searches.

    Attributes:
        features: (N, C, h, w), times the weights.
        weights: (N, 1, h, w), what each cell counts.
        energy: (N,), weighted sum of the features' squares.
    """

    features: Tensor
    weights: Tensor
    energy: Tensor


def weigh(features: Tensor, weights: Tensor) -> WeighedExemplars:
    """Exemplar features (N, C, h, w) with the weights (N, h, w) of their cells."""
    by_channel = weights[:, None]
    return WeighedExemplars(features * by_channel, by_channel, (features.square() * by_channel).sum(dim=(1, 2, 3)))


def cosine_similarity(network: DenseSiamFC, exemplars: WeighedExemplars, search_features: Tensor) -> Tensor:
    """Weighted cosine (max(N, B), rows, columns) of N exemplars with every window of search features (B, C, H, W).

    ``sum(w z x) / sqrt(sum(w z z) sum(w x x))``. The plain correlation ``sum(z x)`` grows with a window's contrast, so
    that no threshold would mean the same in two pictures. The windows' energies are one more correlation, of one
    channel: still one pass. Of N and B one is 1.
    """
    squares = search_features.square().sum(dim=1, keepdim=True)
    energy = network.correlate(exemplars.weights, squares)
    own = exemplars.energy[:, None, None]
    scale = own.sqrt() * torch.maximum(energy, _LEAST_ENERGY * own).sqrt()  # the product would pass float16's range
    return network.correlate(exemplars.features, search_features) / scale.clamp_min(torch.finfo(scale.dtype).tiny)


def place_weights(
    object_px: tuple[float, float],
    *,
    rotation_deg: float,
    cells: int,
    stride: int,
    first_center_px: float,
    exemplar_px: int,
    focus: float,
) -> Tensor:
    """What each cell of an exemplar counts: a Gaussian around the object's centre, as wide as the object asks for.

    An exemplar that is a whole image has no true surroundings, and even a box's surroundings are others at the next
    place: cells that see mostly the object tell more.

    Args:
        object_px: Width and height of the object, exemplar pixels.
        rotation_deg: How far it is turned in the exemplar.
        cells: Of the exemplar's features, a side.
        stride: Exemplar pixels a cell.
        first_center_px: Centre of what the first cell sees.
        exemplar_px: The exemplar's side.
        focus: Standard deviation, in sides of the object; at least a cell.

    Returns:
        (cells, cells), with mean 1.

    Example:
        >>> weights = place_weights((64, 64), rotation_deg=0, cells=3, stride=8, first_center_px=55.5,
        ...                         exemplar_px=127, focus=0.25)
        >>> [round(float(value), 2) for value in weights[1]]
        [1.04, 1.18, 1.04]
    """
    offset = first_center_px + stride * torch.arange(cells, dtype=torch.float64) - exemplar_px / 2
    cos, sin = math.cos(math.radians(rotation_deg)), math.sin(math.radians(rotation_deg))
    y, x = torch.meshgrid(offset, offset, indexing="ij")
    across, down = (max(focus * side, stride) for side in object_px)
    distance = ((cos * x + sin * y) / across).square() + ((cos * y - sin * x) / down).square()
    weights = torch.exp(-distance / 2)
    return weights / weights.mean()
