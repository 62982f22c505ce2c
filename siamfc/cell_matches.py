"""How the cells of an exemplar match those of a search, one with one: what map refinement and box regression read."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_UNLIKE = 2.0  # between the highest cosine and the lowest


def cell_cosines(exemplars: Tensor, searches: Tensor) -> Tensor:
    """Cosines of every cell of each exemplar with every cell of its own search.

    Args:
        exemplars: (B, C, n, n).
        searches: (B, C, H, W).

    Returns:
        (B, n n, H, W), an exemplar's cells row by row.

    Example:
        >>> cell_cosines(torch.ones(2, 4, 9, 9), torch.ones(2, 4, 15, 15)).shape
        torch.Size([2, 81, 15, 15])
    """
    (B, C, n, _), (_, _, H, W) = exemplars.shape, searches.shape
    own = F.normalize(exemplars, dim=1).permute(0, 2, 3, 1).reshape(B, n * n, C)
    return torch.matmul(own, F.normalize(searches, dim=1).flatten(2)).view(B, n * n, H, W)


def target_affinity(cosines: Tensor, covered: Tensor) -> Tensor:
    """How much each cell of a search looks like the target, wherever in the target.

    A target that turns or bends keeps what it is made of, though nothing of it stays where it was in the exemplar.

    Args:
        cosines: (B, n n, H, W), from `cell_cosines`.
        covered: (B, n n), the share of each exemplar cell that the target covers, from `cell_coverage`.

    Returns:
        (B, 2, H, W): the highest cosine with a cell on the target, and the mean over those cells.

    Example:
        >>> target_affinity(torch.full((1, 81, 15, 15), 0.5), torch.ones(1, 81)).unique()
        tensor([0.5000])
    """
    shares = covered.to(cosines.dtype)[:, :, None, None]
    highest = (cosines - _UNLIKE * (1 - shares)).amax(dim=1)
    mean = (cosines * shares).sum(dim=1) / shares.sum(dim=1).clamp_min(1e-3)
    return torch.stack([highest, mean], dim=1)
