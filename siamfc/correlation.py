"""Exemplar features slid over search features: the plain, not normalised, cross-correlation of the paper."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def cross_correlate(exemplar_features: Tensor, search_features: Tensor) -> Tensor:
    """Similarity of exemplars with every window of searches: ``out[b, i, j] = sum(z[b] * x[b, :, i:i+h, j:j+w])``.

    Args:
        exemplar_features: (N, C, h, w).
        search_features: (B, C, H, W), with ``H >= h`` and ``W >= w``. N and B are equal (pairwise), or one of them
            is 1: one exemplar in many searches, or many exemplars against one search.

    Returns:
        (max(N, B), H - h + 1, W - w + 1).

    Raises:
        ValueError: Counts, channels or sizes that do not go together.

    Example:
        >>> import torch
        >>> cross_correlate(torch.ones(2, 4, 3, 3), torch.ones(1, 4, 5, 6)).shape
        torch.Size([2, 3, 4])
    """
    N, C, h, w = exemplar_features.shape
    B, search_channels, H, W = search_features.shape
    if search_channels != C or h > H or w > W or (N != B and 1 not in (N, B)):
        raise ValueError(
            f"exemplar features {tuple(exemplar_features.shape)} cannot slide over search features "
            f"{tuple(search_features.shape)}: expected equal channels, a search no smaller than the exemplar, "
            "and equal counts or one of either"
        )
    if N == 1 or B == 1:
        maps = F.conv2d(search_features, exemplar_features)
        return maps.flatten(0, 1)
    return _correlate_pairs(exemplar_features, search_features)


def _correlate_pairs(exemplar_features: Tensor, search_features: Tensor) -> Tensor:
    """Exemplar b with search b: one batched product of all exemplar cells with all search cells, then shifted sums.

    As a convolution with a group a pair it takes three times as long, backwards too.
    """
    B, C, h, w = exemplar_features.shape
    H, W = search_features.shape[-2:]
    rows, columns = H - h + 1, W - w + 1
    products = torch.bmm(
        exemplar_features.permute(0, 2, 3, 1).reshape(B, h * w, C),
        search_features.permute(0, 2, 3, 1).reshape(B, H * W, C).transpose(1, 2),
    ).view(B, h, w, H, W)
    return torch.stack([products[:, i, j, i : i + rows, j : j + columns] for i in range(h) for j in range(w)]).sum(
        dim=0
    )
