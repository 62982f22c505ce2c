"""What box regression learns: the box around the target, from windows near it, and how far off it expects to be."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from siamfc.box_regression import SHIFT_UNIT_PX, BoxChange
from siamfc.config import TrainConfig
from siamfc.score_map import score_map_cells
from siamfc.training.loading import PairBatch

_FARTHEST_CELLS = 1.2  # from the target to the window that is asked about, along each axis
_EXACT = 0.05  # below it errors count squared
_OVERLAP_WEIGHT, _ERROR_WEIGHT = 0.3, 0.05


def asked_windows(batch: PairBatch, config: TrainConfig, stride: int) -> Tensor:
    """(B, N, 2) row and column of the windows whose change of box is learned: as near a target as a map's peak is."""
    sizes = config.training
    cells = (batch.centers.flip(1) - sizes.exemplar_size / 2) / stride
    cells = cells[:, None] + _FARTHEST_CELLS * batch.nudges
    last = score_map_cells(sizes.search_size, sizes.exemplar_size, stride) - 1
    return cells.round().long().clamp(0, last)


def box_losses(change: BoxChange, asked: Tensor, batch: PairBatch, config: TrainConfig, stride: int) -> Tensor:
    """The loss of each pair, the mean over its windows, (B,); 0 for pairs without the target.

    A robust distance of place, scale and aspect; one minus the overlap of the boxes; and the negative logarithm of a
    Laplace density, whose width is what the network says it expects to be off by.

    Args:
        change: What regression says of the B N windows.
        asked: (B, N, 2) row and column of the windows, from `asked_windows`.
        batch: With the true places and sizes.
        config: Sizes.
        stride: Pixels a cell.
    """
    device = change.shift_px.device
    each = asked.shape[1]
    centers, sizes = (values.to(device).repeat_interleave(each, dim=0) for values in (batch.centers, batch.sizes))
    windows = asked.flatten(0, 1).flip(1).to(device) * float(stride) + config.training.exemplar_size / 2
    growth = (sizes[:, 1] / sizes[:, 0]).log()
    wanted_size = torch.stack([growth.sum(dim=1) / 2, (growth[:, 0] - growth[:, 1]) / 2], dim=1)
    wanted = torch.cat([(centers - windows) / SHIFT_UNIT_PX, wanted_size], dim=1)
    found = torch.cat([change.shift_px / SHIFT_UNIT_PX, change.log_size], dim=1)
    expected = torch.cat([change.shift_error_px / SHIFT_UNIT_PX, change.log_size_error], dim=1)
    distance = F.smooth_l1_loss(found, wanted, beta=_EXACT, reduction="none").mean(dim=1)
    surprise = ((found - wanted).abs() / expected + expected.log()).mean(dim=1)
    overlap = overlaps(change.boxes(windows, sizes[:, 0]), torch.cat([centers, sizes[:, 1]], dim=1))
    losses = distance / 2 + _OVERLAP_WEIGHT * (1 - overlap) + _ERROR_WEIGHT * surprise
    return losses.view(-1, each).mean(dim=1) * batch.is_positive.to(device)


def overlaps(boxes: Tensor, others: Tensor) -> Tensor:
    """IoU of boxes (B, 4) and others (B, 4), centre x, y, width, height; (B,).

    Example:
        >>> overlaps(torch.tensor([[0.0, 0, 2, 2]]), torch.tensor([[1.0, 0, 2, 2]])).item()
        0.3333333432674408
    """
    low = torch.maximum(boxes[:, :2] - boxes[:, 2:] / 2, others[:, :2] - others[:, 2:] / 2)
    high = torch.minimum(boxes[:, :2] + boxes[:, 2:] / 2, others[:, :2] + others[:, 2:] / 2)
    shared = (high - low).clamp_min(0).prod(dim=1)
    return shared / (boxes[:, 2:].prod(dim=1) + others[:, 2:].prod(dim=1) - shared)
