"""The forward pass of training: every exemplar of a group with every search of it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from siamfc.correlation import cross_correlate
from siamfc.model import SiamFC, channel_statistics


class PairScorer(nn.Module):
    """What is trained, as one module whose ``forward`` is the whole computation from pixels to score maps.

    A model whose standardisation is taken from the first search takes it from each pair's own search here: it shows
    the same place as the first frame does when tracking. The gradient goes through the statistics: without it, features
    learn to differ from what they are divided by.

    Args:
        model: What is trained.
        group_size: Pairs that are compared with each other; 1: each with itself alone.
    """

    def __init__(self, model: SiamFC, group_size: int) -> None:
        super().__init__()
        self.model = model
        self._group_size = group_size

    def forward(self, exemplars: Tensor, searches: Tensor) -> Tensor:
        """Logits (B, G, h, w) of exemplars (B, 3, h', w') and searches (B, 3, H, W), 0..255; G is the group size.

        ``out[b, g]`` is search b with the g-th exemplar of its group.
        """
        model = self.model
        if model.config.standardisation == "first_search":
            search_features = model.features(searches)
            mean, deviation = channel_statistics(search_features.flatten(2))
            mean, deviation = mean[..., None, None], deviation[..., None, None]
            exemplar_features = (model.features(exemplars) - mean) / deviation
            search_features = (search_features - mean) / deviation
        else:
            exemplar_features, search_features = model.embed(exemplars), model.embed(searches)
        return model.gain * self._correlate(exemplar_features, search_features) + model.bias

    def _correlate(self, exemplar_features: Tensor, search_features: Tensor) -> Tensor:
        size = self._group_size
        if size == 1:
            return cross_correlate(exemplar_features, search_features)[:, None]
        groups = zip(torch.split(search_features, size), torch.split(exemplar_features, size), strict=True)
        return torch.cat([F.conv2d(searches, exemplars) for searches, exemplars in groups])
