"""The forward pass of training: every exemplar of a group with every search of it, and the boxes of pairs."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from siamfc.box_regression import BoxChange
from siamfc.correlation import cross_correlate
from siamfc.model import SiamFC, channel_statistics, without_border
from siamfc.score_map import score_map_cells


class PairScores(NamedTuple):
    """What the network says of B pairs.

    Attributes:
        maps: (B, E, h, w), logits.
        change: What box regression says of the B N windows that it was asked about; None where it was not asked.
    """

    maps: Tensor
    change: BoxChange | None


class PairScorer(nn.Module):
    """What is trained, as one module whose ``forward`` is the whole computation from pixels to score maps.

    A model whose standardisation is taken from the first search takes it from each pair's own search here: it shows
    the same place as the first frame does when tracking. The gradient goes through the statistics: without it, features
    learn to differ from what they are divided by.

    Args:
        model: What is trained.
        group_size: Pairs that are compared with each other; 1: each with itself alone.
        context_weight: As the tracker's: how much what surrounds the target in the exemplar counts in the maps.
        border_px: So far do the crops of exemplars reach beyond the exemplars that are slid, to each side; a model
            with box regression compares it.
    """

    def __init__(self, model: SiamFC, group_size: int, *, context_weight: float = 1.0, border_px: int = 0) -> None:
        super().__init__()
        self.model = model
        self._group_size = group_size
        self._context_weight = context_weight
        self._border_px = border_px

    def forward(
        self,
        exemplars: Tensor,
        searches: Tensor,
        windows: int = 0,
        *,
        sizes: Tensor | None = None,
        asked: Tensor | None = None,
    ) -> PairScores:
        """Scores of exemplars (B, 3, h', w') and searches (B, 3, H, W), 0..255.

        ``maps[b, e]`` is search b with the e-th exemplar of its group: first the G that were given, G being the group
        size, then those that are windows of the group's searches, as `cut_windows` orders them.

        Args:
            exemplars: One a search, with the border.
            searches: B of them.
            windows: So many by so many windows of each search are slid over all searches of the group as well;
                E is ``G (1 + windows ** 2)``.
            sizes: (B, 2) width and height of the targets in the exemplars, exemplar pixels; needed by all but plain
                maps with a context weight of 1.
            asked: (B, N, 2) row and column of the N windows of each search of which box regression is asked.

        Raises:
            ValueError: Sizes are missing where they are needed.
        """
        if sizes is None and (asked is not None or self._context_weight < 1):
            raise ValueError("box regression and a context weight below 1 need the targets' sizes")
        model = self.model
        exemplar_px = [side - 2 * self._border_px for side in exemplars.shape[-2:]]
        rows, columns = (
            score_map_cells(search_px, side, model.stride)
            for search_px, side in zip(searches.shape[-2:], exemplar_px, strict=True)
        )
        exemplar_features, search_features = model.features(exemplars), model.features(searches)
        # Half precision ends here, as when tracking: a cosine near 1 would keep two of its decimals.
        with torch.autocast(model.device.type, enabled=False):
            wide_features, search_features = _standardised(
                model, exemplar_features.to(model.bias.dtype), search_features.to(model.bias.dtype)
            )
            exemplar_features = without_border(wide_features, self._border_px // model.stride)
            height, width = exemplar_features.shape[-2:]
            search_features = search_features[..., : rows + height - 1, : columns + width - 1]
            weighed = exemplar_features
            if sizes is not None and self._context_weight < 1:
                weighed = model.weigh_context(
                    exemplar_features, sizes, self._context_weight, exemplar_px=exemplar_px[1]
                )
            maps = model.gain * self._correlate(weighed, search_features, windows) + model.bias
            change = None
            if sizes is not None and model.box_regression is not None and asked is not None:
                around = [model.box_regression.windows(search_features, corners) for corners in asked.unbind(dim=1)]
                exemplar, size = (values.repeat_interleave(len(around), dim=0) for values in (wide_features, sizes))
                change = model.box_regression(exemplar, torch.stack(around, dim=1).flatten(0, 1), size)
        return PairScores(maps, change)

    def _correlate(self, exemplar_features: Tensor, search_features: Tensor, windows: int) -> Tensor:
        size = self._group_size
        if size == 1 and not windows:
            return cross_correlate(exemplar_features, search_features)[:, None]
        maps = []
        groups = zip(torch.split(search_features, size), torch.split(exemplar_features, size), strict=True)
        for searches, exemplars in groups:
            height, width = exemplars.shape[-2:]
            cut = cut_windows(searches, (height, width), windows)
            maps.append(F.conv2d(searches, torch.cat([exemplars, cut])))
        return torch.cat(maps)


def _standardised(model: SiamFC, exemplars: Tensor, searches: Tensor) -> tuple[Tensor, Tensor]:
    """Features of exemplars and searches (B, C, h, w), standardised as the model does: by each pair's own search."""
    if model.config.standardisation != "first_search":
        return model.standardise(exemplars), model.standardise(searches)
    statistics = channel_statistics(searches.flatten(2))
    return statistics.standardise(exemplars), statistics.standardise(searches)


def cut_windows(features: Tensor, size: tuple[int, int], windows: int) -> Tensor:
    """Evenly spaced windows of features (B, C, H, W), the first and last at the edges.

    A window of a search is what the network makes of that part of the search taken as an exemplar, and need not be
    embedded again.

    Args:
        features: Of searches.
        size: Height and width of a window, cells.
        windows: So many a side; 0: none.

    Returns:
        (B windows ** 2, C, h, w), those of one search after those of the other.

    Example:
        >>> cut_windows(torch.zeros(2, 4, 9, 9), (3, 3), 2).shape
        torch.Size([8, 4, 3, 3])
    """
    if not windows:
        return features[:0, :, : size[0], : size[1]]
    (H, W), (h, w) = features.shape[-2:], size
    places = [
        (_spread(row, windows, H - h), _spread(column, windows, W - w))
        for row in range(windows)
        for column in range(windows)
    ]
    # All searches at once: cut one by one, a GPU waits for as many small copies.
    return torch.stack([features[..., top : top + h, left : left + w] for top, left in places], dim=1).flatten(0, 1)


def _spread(index: int, count: int, last: int) -> int:
    """The ``index``-th of ``count`` whole numbers that lie evenly from 0 to ``last``; the middle for a single one."""
    return round(last * index / (count - 1)) if count > 1 else last // 2
