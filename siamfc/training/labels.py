"""Which cells of a score map are the target: those whose windows' centres lie near the target's."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from siamfc.config import TrainConfig
from siamfc.errors import TrainingError
from siamfc.score_map import score_map_cells

if TYPE_CHECKING:
    from siamfc.training.loading import PairBatch


def cell_centers_px(search_size: int, exemplar_size: int, stride: int) -> Tensor:
    """Centres of the cells' windows along one side, search pixels, (cells,).

    Example:
        >>> cell_centers_px(255, 127, 8)[:3].tolist()
        [63.5, 71.5, 79.5]
    """
    cells = score_map_cells(search_size, exemplar_size, stride)
    return torch.arange(cells) * float(stride) + exemplar_size / 2


def positive_cells(centers: Tensor, *, search_size: int, exemplar_size: int, stride: int, radius: float) -> Tensor:
    """Cells within ``radius`` of the target, Euclidean; section 2.2 of the paper.

    Args:
        centers: (B, 2) x, y of each target's centre, search pixels.
        search_size: Side of the search crop, pixels.
        exemplar_size: Side of the exemplar, pixels.
        stride: Pixels a cell.
        radius: Pixels. With a stride of 8 and a target at a cell, 16 gives 13 cells.

    Returns:
        (B, h, w) bool.

    Raises:
        TrainingError: A map has no such cell: its target lies too far out.

    Example:
        >>> int(positive_cells(torch.full((1, 2), 127.5), search_size=255, exemplar_size=127, stride=8,
        ...                    radius=16).sum())
        13
    """
    squared = _squared_distances(centers, cell_centers_px(search_size, exemplar_size, stride).to(centers.device))
    positive = squared <= radius**2
    empty = ~positive.flatten(1).any(dim=1)
    if empty.any():
        x, y = centers[int(empty.nonzero()[0])].tolist()
        raise TrainingError(
            f"no cell of the score map lies within {radius:g} px of the target at ({x:.1f}, {y:.1f}) of a search crop "
            f"of {search_size} px: shift the search less (augmentation.search_shift_px), or take a larger "
            "labels.positive_radius"
        )
    return positive


class BatchLabels(NamedTuple):
    """What a batch's score maps are to show.

    Attributes:
        positive: (B, h, w) bool: the cells that are the target; none of a negative pair.
        place: (B, h, w), sum 1 a map: a Gaussian around the label's centre; zero for a negative pair.
    """

    positive: Tensor
    place: Tensor


def batch_labels(batch: PairBatch, config: TrainConfig, stride: int) -> BatchLabels:
    """The labels of a batch, by the settings."""
    sizes = config.training
    centers = batch.centers if config.labels.follows_target else torch.full_like(batch.centers, sizes.search_size / 2)
    # A negative pair has no target: its label is empty, wherever the other video's target lies.
    safe = torch.where(batch.is_positive[:, None], centers, torch.full_like(centers, sizes.search_size / 2))
    positive = positive_cells(
        safe,
        search_size=sizes.search_size,
        exemplar_size=sizes.exemplar_size,
        stride=stride,
        radius=config.labels.positive_radius,
    )
    shown = batch.is_positive[:, None, None]
    squared = _squared_distances(safe, cell_centers_px(sizes.search_size, sizes.exemplar_size, stride))
    place = torch.softmax(-squared.flatten(1) / (2 * config.labels.ranking_sigma_px**2), dim=1).view_as(squared)
    return BatchLabels(positive & shown, place * shown)


def _squared_distances(centers: Tensor, places: Tensor) -> Tensor:
    """(B, h, w) of centres (B, 2) x, y from cells whose rows and columns lie at ``places`` (cells,)."""
    down = (places[None, :, None] - centers[:, 1, None, None]) ** 2
    return down + (places[None, None, :] - centers[:, 0, None, None]) ** 2


def batch_strangers(batch: PairBatch, group_size: int) -> Tensor:
    """(B, G) bool: search b and the g-th exemplar of its group are of different videos, and the search's is shown."""
    videos, shown = batch.videos, batch.is_positive.tolist()
    rows = []
    for b in range(len(videos)):
        group = range(b - b % group_size, b - b % group_size + group_size)
        rows.append([shown[b] and videos[b] != videos[other] for other in group])
    return torch.tensor(rows)
