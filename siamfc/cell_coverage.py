"""Which cells of an exemplar show the target, and which what surrounds it."""

from __future__ import annotations

import torch
from torch import Tensor


def cell_centers(cells: int, *, stride: int, receptive_field: int, exemplar_px: int) -> Tensor:
    """Centres of what the cells along one side see, (cells,), pixels from the exemplar's centre.

    Example:
        >>> cell_centers(3, stride=8, receptive_field=59, exemplar_px=127)
        tensor([-34., -26., -18.])
    """
    return (receptive_field - exemplar_px) / 2 + stride * torch.arange(cells, dtype=torch.float32)


def cell_coverage(sizes: Tensor, centers: Tensor, stride: int) -> Tensor:
    """Which share of each cell, a stride wide and high, a box in the exemplar's middle covers.

    Args:
        sizes: (B, 2) width and height of the boxes, exemplar pixels.
        centers: (n,) of the cells, from `cell_centers`.
        stride: Pixels a cell.

    Returns:
        (B, n, n), 0..1.

    Example:
        >>> cell_coverage(torch.tensor([[8.0, 24.0]]), torch.tensor([-8.0, 0.0, 8.0]), 8)
        tensor([[[0., 1., 0.],
                 [0., 1., 0.],
                 [0., 1., 0.]]])
    """
    half, near = stride / 2, centers[None]
    width, height = (
        (torch.minimum(near + half, side / 2) - torch.maximum(near - half, -side / 2)).clamp_min(0) / stride
        for side in (sizes[:, :1], sizes[:, 1:])
    )
    return height[:, :, None] * width[:, None, :]
