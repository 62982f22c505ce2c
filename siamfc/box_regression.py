"""Box regression: how far and how much larger a target is than a window of the search, from which cells match which.

A score map sums the similarities of each exemplar cell with the search cell at its own place in a window. Taken apart,
and with the cells around that place beside it, the similarities tell how the cells have moved: all to one side where
the target did, apart where it grew. Optical flow calls this a cost volume (Dosovitskiy et al. 2015, FlowNet; Sun et al.
2018, PWC-Net). It knows nothing of what the target is, so it holds for targets that were never learned from.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from siamfc.cell_coverage import cell_coverage

MARGIN = 3
"""Cells around an exemplar cell's own place with which it is compared, to each side."""

SHIFT_UNIT_PX = 64.0
"""A shift by so many pixels counts as much as a change of size by 1 in the logarithm."""

_USUAL_LOG_ERROR = -3.0  # what is expected before anything is learned
_LOG_ERRORS = (-9.0, -2.0)


class BoxChange(NamedTuple):
    """How targets differ from what a window of the search and the exemplar's size would make them; (B, 2) each.

    Attributes:
        shift_px: From the window's centre to the target's, x and y, search pixels.
        log_size: Logarithms of scale and aspect: the width is ``exp(scale + aspect)`` times the exemplar's target's,
            the height ``exp(scale - aspect)`` times, both in crop pixels.
        shift_error_px: Absolute errors to expect of ``shift_px``.
        log_size_error: Absolute errors to expect of ``log_size``.
    """

    shift_px: Tensor
    log_size: Tensor
    shift_error_px: Tensor
    log_size_error: Tensor

    def float(self) -> BoxChange:
        """In full precision."""
        return BoxChange(*(each.float() for each in self))

    def boxes(self, window_centers: Tensor, sizes: Tensor) -> Tensor:
        """Centre x, y, width and height, (B, 4), search pixels.

        Args:
            window_centers: (B, 2) x, y of the windows, search pixels.
            sizes: (B, 2) width and height of the targets in the exemplars, exemplar pixels.
        """
        scale, aspect = self.log_size.unbind(dim=1)
        factors = torch.stack([scale + aspect, scale - aspect], dim=1).exp()
        return torch.cat([window_centers + self.shift_px, sizes * factors], dim=1)


class BoxRegression(nn.Module):
    """Reads the change of a target's place and size from the cost volume of an exemplar and a search.

    Args:
        cell_px: (n,) centres of what the cells along one side see, from `cell_centers`: those of an exemplar, and of
            the border around it.
        stride: Pixels a cell.
        border: Cells that are compared around an exemplar, to each side.
        compared: Of so many of the features' channels, the first; None: of all.

    Example:
        >>> regression = BoxRegression(torch.arange(9) * 8.0 - 34, stride=8)
        >>> change = regression(torch.ones(2, 4, 9, 9), torch.ones(2, 4, 15, 15), torch.full((2, 2), 60.0))
        >>> change.log_size.shape
        torch.Size([2, 2])
    """

    cell_px: Tensor

    def __init__(
        self, cell_px: Tensor, *, stride: int, border: int = 0, compared: int | None = None, channels: int = 64
    ) -> None:
        super().__init__()
        self.cells = cells = len(cell_px)
        self.border = border
        self._stride = stride
        self.compared = compared
        self.register_buffer("cell_px", cell_px, persistent=False)
        volume = (2 * MARGIN + 1) ** 2
        self.first = nn.Conv2d(volume + 1, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.third = nn.Conv2d(channels, channels // 2, 3, padding=1)
        self.all_cells = nn.Linear(channels // 2 * cells**2 + 2, 2 * channels)
        self.change = nn.Linear(2 * channels, 8)
        nn.init.zeros_(self.change.weight)
        nn.init.zeros_(self.change.bias)

    def forward(self, exemplars: Tensor, windows: Tensor, sizes: Tensor) -> BoxChange:
        """The change from exemplars to what windows show.

        Args:
            exemplars: (B, C, n, n), standardised features, the border with them.
            windows: (B, C', n + 2 MARGIN, n + 2 MARGIN), likewise, of the windows and what is around them; from
                `windows`, with the channels that are compared.
            sizes: (B, 2) width and height of the targets in the exemplars, exemplar pixels.
        """
        volume = cost_volume(exemplars[:, : self.compared], windows)
        inside = torch.cat([volume, cell_coverage(sizes, self.cell_px, self._stride)[:, None]], dim=1)
        hidden = F.relu(self.first(inside))
        hidden = hidden + F.relu(self.second(hidden))
        hidden = F.relu(self.third(hidden)).flatten(1)
        hidden = F.relu(self.all_cells(torch.cat([hidden, sizes.clamp_min(4).log() - 4], dim=1)))
        out = self.change(hidden)
        shift, log_size = out[:, :2] / 4, out[:, 2:4] / 4
        errors = (out[:, 4:] + _USUAL_LOG_ERROR).clamp(*_LOG_ERRORS).exp()
        return BoxChange(shift * SHIFT_UNIT_PX, log_size, errors[:, :2] * SHIFT_UNIT_PX, errors[:, 2:])

    def windows(self, features: Tensor, corners: Tensor) -> Tensor:
        """Windows of search features with all that they are compared by; zeros where there is nothing.

        Args:
            features: (B, C, H, W), standardised.
            corners: (B, 2) row and column of each exemplar-sized window's corner, whole numbers.

        Returns:
            (B, C', n + 2 MARGIN, n + 2 MARGIN), of the channels that are compared.
        """
        return search_windows(features[:, : self.compared], corners, self.cells - 2 * self.border, MARGIN + self.border)


def cost_volume(exemplars: Tensor, windows: Tensor) -> Tensor:
    """Cosines of each exemplar cell with the search cells around its own place in a window.

    Args:
        exemplars: (B, C, n, n).
        windows: (B, C, n + 2 m, n + 2 m).

    Returns:
        (B, (2 m + 1) ** 2, n, n): at ``[b, (2 m + 1) i + j, r, c]`` that of cell ``(r, c)`` with cell
        ``(r + i, c + j)`` of the window.

    Example:
        >>> cost_volume(torch.ones(1, 4, 9, 9), torch.ones(1, 4, 15, 15)).shape
        torch.Size([1, 49, 9, 9])
    """
    B, C, n, _ = exemplars.shape
    side = windows.shape[-1]
    places = side - n + 1
    own = F.normalize(exemplars, dim=1).permute(0, 2, 3, 1).reshape(B, n * n, C)
    products = torch.matmul(own, F.normalize(windows, dim=1).reshape(B, C, side * side)).view(B, n, n, side, side)
    each, row, column, search_row, search_column = products.stride()
    volume = products.as_strided(
        (B, places, places, n, n), (each, search_row, search_column, row + search_row, column + search_column)
    )
    return volume.reshape(B, places * places, n, n)


def search_windows(features: Tensor, cells: Tensor, size: int, around: int) -> Tensor:
    """Windows of features with some cells around them, zeros where there is nothing.

    Args:
        features: (B, C, H, W).
        cells: (B, 2) row and column of each window's corner, whole numbers.
        size: Cells a side of a window.
        around: Cells around it, to each side.

    Returns:
        (B, C, size + 2 around, size + 2 around).
    """
    B, C, _, width = features.shape
    side = size + 2 * around
    step = torch.arange(side, device=features.device)
    down, across = (cells[:, axis, None].to(features.device) + step for axis in (0, 1))
    places = down[:, :, None] * (width + 2 * around) + across[:, None, :]  # (B, side, side)
    padded = F.pad(features, (around,) * 4).flatten(2)
    return padded.gather(2, places.view(B, 1, -1).expand(-1, C, -1)).view(B, C, side, side)
