"""Cross-correlation by loops over pairs and places."""

from __future__ import annotations

import torch
from torch import Tensor


def correlate_by_loops(exemplar_features: Tensor, search_features: Tensor) -> Tensor:
    """Maps (max(N, B), rows, columns) of exemplars (N, C, h, w) in searches (B, C, H, W); one of N, B may be 1."""
    N, _, h, w = exemplar_features.shape
    B, _, H, W = search_features.shape
    maps = torch.zeros(max(N, B), H - h + 1, W - w + 1, dtype=search_features.dtype)
    for pair in range(max(N, B)):
        exemplar = exemplar_features[pair if N > 1 else 0]
        search = search_features[pair if B > 1 else 0]
        for row in range(H - h + 1):
            for column in range(W - w + 1):
                maps[pair, row, column] = (exemplar * search[:, row : row + h, column : column + w]).sum()
    return maps
