"""What a score map means: the exemplar compared with every window of the search image, one window at a time."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from siamfc.model import ChannelStatistics, SiamFC


@torch.no_grad()
def similarity_by_window(
    model: SiamFC,
    exemplar: Tensor,
    search: Tensor,
    statistics: ChannelStatistics | None,
    cells: Iterable[tuple[int, int]],
) -> Tensor:
    """Similarity of the exemplar (3, h, w) with the window of each cell (row, column) of the search (3, H, W)."""
    height, width = exemplar.shape[-2:]
    exemplar_features = model.embed(exemplar[None], statistics)
    similarities = []
    for row, column in cells:
        top, left = model.stride * row, model.stride * column
        window = search[:, top : top + height, left : left + width]
        assert window.shape == exemplar.shape, "the cell's window leaves the search image"
        window_features = model.embed(window[None], statistics)
        similarities.append(model.gain * (exemplar_features * window_features).sum() + model.bias)
    return torch.stack(similarities)


@torch.no_grad()
def deviation_from_windows(
    model: SiamFC, exemplar: Tensor, search: Tensor, *, every: int = 1
) -> tuple[float, tuple[int, int]]:
    """How far the score map is from its definition, in the map's standard deviations, and the map's (rows, columns).

    ``every`` takes one row and column in so many, and the last ones always. Standardisation is that of the whole
    search image, held for the windows.
    """
    statistics = model.channel_statistics(search[None]) if model.config.standardisation == "first_search" else None
    score_map = model(exemplar[None], search[None], statistics)[0]
    rows, columns = score_map.shape
    some_rows = sorted({*range(0, rows, every), rows - 1})
    some_columns = sorted({*range(0, columns, every), columns - 1})
    cells = [(row, column) for row in some_rows for column in some_columns]
    expected = similarity_by_window(model, exemplar, search, statistics, cells)
    came = torch.stack([score_map[cell] for cell in cells])
    return float((came - expected).abs().max() / score_map.std()), (rows, columns)
