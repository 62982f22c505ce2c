"""Map refinement: each window's score read anew, from which of the exemplar's cells match there and which do not.

A score map adds the similarities of all of an exemplar's cells with those of a window, and a sum forgets: half a target
that matches well and half that is hidden is the same to it as a whole that matches badly everywhere. Kept apart, the
similarities are what pixel-wise correlation gives (Yan et al. 2021, Alpha-Refine). As box regression does, this knows
nothing of what the target is, so it holds for targets that were never learned from.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from siamfc.cell_coverage import cell_coverage

_REACH = 1
"""Cells around its own place in which the best match of an exemplar's cell is looked for, too."""


class MapRefinement(nn.Module):
    """Reads score maps anew from the cosines of an exemplar's cells with those of each window.

    What it adds to a window's score depends on that window, its neighbours and the cells around them alone: a shift of
    the search by a stride shifts the refined map by a cell, up to the map's border.

    Args:
        cell_px: (n,) centres of what the cells along one side of an exemplar see, from `cell_centers`.
        stride: Pixels a cell.

    Example:
        >>> refinement = MapRefinement(torch.arange(9) * 8.0 - 34, stride=8)
        >>> sizes, maps = torch.full((2, 2), 60.0), torch.zeros(3, 2, 17, 17)
        >>> refinement(torch.ones(2, 4, 9, 9), torch.ones(3, 4, 25, 25), sizes, maps).shape
        torch.Size([3, 2, 17, 17])
    """

    cell_px: Tensor

    def __init__(self, cell_px: Tensor, *, stride: int, channels: int = 64) -> None:
        super().__init__()
        self.cells = len(cell_px)
        self._stride = stride
        self.register_buffer("cell_px", cell_px, persistent=False)
        seen = 2 * self.cells**2
        self.anywhere = nn.Linear(seen, channels)
        self.on_target = nn.Linear(seen, channels, bias=False)
        self.around = nn.Conv2d(channels, channels, 3, padding=1, padding_mode="replicate")
        self.change = nn.Conv2d(channels, 1, 1)
        nn.init.zeros_(self.change.weight)
        assert self.change.bias is not None
        nn.init.zeros_(self.change.bias)

    def forward(self, exemplars: Tensor, searches: Tensor, sizes: Tensor, score_maps: Tensor) -> Tensor:
        """Refined score maps of each exemplar in each search, (B, E, h, w), logits.

        Args:
            exemplars: (E, C, n, n), standardised features.
            searches: (B, C, h + n - 1, w + n - 1), likewise.
            sizes: (E, 2) width and height of the targets in the exemplars, exemplar pixels.
            score_maps: (B, E, h, w), logits.
        """
        B, E, h, w = score_maps.shape
        seen = cell_cosines(exemplars, searches)
        covered = cell_coverage(sizes, self.cell_px, self._stride).flatten(1).repeat(1, 2)[:, None]
        weights = self.anywhere.weight + covered.to(seen.dtype) * self.on_target.weight  # (E, channels, 2 n n)
        hidden = torch.matmul(weights, seen.flatten(3)) + self.anywhere.bias[:, None]
        hidden = F.relu(hidden).reshape(B * E, -1, h, w)
        hidden = hidden + F.relu(self.around(hidden))
        change: Tensor = self.change(hidden)
        return score_maps + change.view(B, E, h, w)


def cell_cosines(exemplars: Tensor, searches: Tensor) -> Tensor:
    """How well each cell of exemplars matches in each window of searches: at its own place, and at the best around it.

    Args:
        exemplars: (E, C, n, n).
        searches: (B, C, h + n - 1, w + n - 1).

    Returns:
        (B, E, 2 n n, h, w), cosines: first those with the cell at the same place in the window, row by row, then the
        highest with that and the cells beside it.

    Example:
        >>> cell_cosines(torch.ones(1, 4, 9, 9), torch.ones(2, 4, 25, 25)).shape
        torch.Size([2, 1, 162, 17, 17])
    """
    (E, C, n, _), (B, _, H, W) = exemplars.shape, searches.shape
    own = F.normalize(exemplars, dim=1).permute(0, 2, 3, 1).reshape(E * n * n, C)
    cosines = torch.matmul(own, F.normalize(searches, dim=1).flatten(2)).view(B, E * n * n, H, W)
    best = F.max_pool2d(cosines, 2 * _REACH + 1, stride=1, padding=_REACH)
    return torch.cat([_at_own_place(each, E, n) for each in (cosines, best)], dim=2)


def _at_own_place(cosines: Tensor, E: int, n: int) -> Tensor:
    """(B, E n n, H, W) -> (B, E, n n, h, w): of the search's cells, those at the exemplar cell's place in each window."""
    B, _, H, W = cosines.shape
    h, w = H - n + 1, W - n + 1
    apart = cosines.view(B, E, n, n, H, W)
    each, exemplar, row, column, search_row, search_column = apart.stride()
    windows = apart.as_strided(
        (B, E, n, n, h, w), (each, exemplar, row + search_row, column + search_column, search_row, search_column)
    )
    return windows.reshape(B, E, n * n, h, w)
