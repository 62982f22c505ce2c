"""The forward pass of training: every exemplar of a group with every search of it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from siamfc.correlation import cross_correlate
from siamfc.model import SiamFC, channel_statistics
from siamfc.score_map import score_map_cells


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

    def forward(self, exemplars: Tensor, searches: Tensor, windows: int = 0) -> Tensor:
        """Logits (B, E, h, w) of exemplars (B, 3, h', w') and searches (B, 3, H, W), 0..255.

        ``out[b, e]`` is search b with the e-th exemplar of its group: first the G that were given, G being the group
        size, then those that are windows of the group's searches, as `cut_windows` orders them.

        Args:
            exemplars: One a search.
            searches: B of them.
            windows: So many by so many windows of each search are slid over all searches of the group as well;
                E is ``G (1 + windows ** 2)``.
        """
        model = self.model
        rows, columns = (
            score_map_cells(search_px, exemplar_px, model.stride)
            for search_px, exemplar_px in zip(searches.shape[-2:], exemplars.shape[-2:], strict=True)
        )
        if model.config.standardisation == "first_search":
            search_features = model.features(searches)
            mean, deviation = channel_statistics(search_features.flatten(2))
            mean, deviation = mean[..., None, None], deviation[..., None, None]
            exemplar_features = (model.features(exemplars) - mean) / deviation
            search_features = (search_features - mean) / deviation
        else:
            exemplar_features, search_features = model.embed(exemplars), model.embed(searches)
        height, width = exemplar_features.shape[-2:]
        search_features = search_features[..., : rows + height - 1, : columns + width - 1]
        return model.gain * self._correlate(exemplar_features, search_features, windows) + model.bias

    def _correlate(self, exemplar_features: Tensor, search_features: Tensor, windows: int) -> Tensor:
        size = self._group_size
        if size == 1 and not windows:
            return cross_correlate(exemplar_features, search_features)[:, None]
        maps = []
        groups = zip(torch.split(search_features, size), torch.split(exemplar_features, size), strict=True)
        for searches, exemplars in groups:
            height, width = exemplars.shape[-2:]
            cut = cut_windows(searches, (height, width), windows)
            maps.append(F.conv2d(searches, torch.cat([exemplars, *cut])))
        return torch.cat(maps)


def cut_windows(features: Tensor, size: tuple[int, int], windows: int) -> list[Tensor]:
    """Evenly spaced windows of features (B, C, H, W), the first and last at the edges.

    A window of a search is what the network makes of that part of the search taken as an exemplar, and need not be
    embedded again.

    Args:
        features: Of searches.
        size: Height and width of a window, cells.
        windows: So many a side; 0: none.

    Returns:
        A tensor (windows ** 2, C, h, w) a search.

    Example:
        >>> [part.shape for part in cut_windows(torch.zeros(2, 4, 9, 9), (3, 3), 2)]
        [torch.Size([4, 4, 3, 3]), torch.Size([4, 4, 3, 3])]
    """
    if not windows:
        return []
    (H, W), (h, w) = features.shape[-2:], size
    places = [
        (_spread(row, windows, H - h), _spread(column, windows, W - w))
        for row in range(windows)
        for column in range(windows)
    ]
    return [torch.stack([search[:, top : top + h, left : left + w] for top, left in places]) for search in features]


def _spread(index: int, count: int, last: int) -> int:
    """The ``index``-th of ``count`` whole numbers that lie evenly from 0 to ``last``; the middle for a single one."""
    return round(last * index / (count - 1)) if count > 1 else last // 2
