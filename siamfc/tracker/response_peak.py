"""The peak over all scales of targets' score maps: the steps of `score_map`, for many targets, each pass made once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from math import prod
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from siamfc.config import TrackerConfig
from siamfc.score_map import (
    contrast_weight,
    scale_factors,
    shared_peak,
    upsample,
    upsampled_cells,
    weighted_window,
)

_LOWEST = 0.0  # a response is a share plus a window, neither below zero


class ResponsePeak(NamedTuple):
    """Where a target was found in its score maps.

    Attributes:
        scale_index: Which of the scales was chosen.
        row: Of the peak, in cells of the response; a half where cells share it.
        column: As ``row``.
        logit: The upsampled score map at the peak, before penalty and window.
        contrast: The chosen scale's penalised map, its highest cell above its lowest.
    """

    scale_index: int
    row: float
    column: float
    logit: float
    contrast: float


class PeakFinder:
    """Chooses the scale and finds the peak of each of N targets.

    Gives for each target what `siamfc.score_map` gives step by step: `upsample`, `penalise_scales`, the scale of the
    highest cell, `apply_window` on that scale, `find_peak`. The scale is chosen before the window is added, as the
    authors do; of equal ones, the present one. What need not be done is left out: taking off a minimum and multiplying
    by a positive factor keep the order of numbers, so the highest cell of a penalised map is the penalised highest
    cell, and only the chosen map is penalised as a whole. Maps are written where the last frame's were, since fresh
    memory costs more than the arithmetic.

    Args:
        config: Of the tracker.
        together: Handle all targets in each operation, and wait for the device once; else one target after the other,
            in NumPy, whose calls cost less than torch's. None: together on all devices but a CPU.
    """

    def __init__(self, config: TrackerConfig, *, together: bool | None = None) -> None:
        self._config = config
        self._together = together
        self._room = torch.empty(0)

    def find(
        self, score_maps: Tensor, full_contrasts: Sequence[float] | None = None
    ) -> tuple[list[ResponsePeak], Tensor]:
        """The peaks in score maps.

        Args:
            score_maps: (N, scales, h, w), logits, at least 3 x 3.
            full_contrasts: Of each target the contrast from which its map counts in full; None: any does.

        Returns:
            N peaks, and the responses (N, h', w') in which they lie, valid until the next call.
        """
        config, (N, S, h, w) = self._config, score_maps.shape
        factor, alignment = config.response_upsampling, config.response_alignment
        height, width = (upsampled_cells(cells, factor, alignment) for cells in (h, w))
        together = score_maps.device.type != "cpu" if self._together is None else self._together
        count = N if together else 0
        maps, response, picked = self._rooms(
            score_maps, (N * S, height, width), (N, height, width), (count, height, width)
        )
        maps = upsample(score_maps.flatten(0, 1), factor, alignment, out=maps).view(N, S, height, width)
        if together:
            return self._find_together(maps, full_contrasts, picked, response), response
        full = [0.0] * N if full_contrasts is None else full_contrasts
        return [self._find_one(*target) for target in zip(maps, full, response, strict=True)], response

    def _find_one(self, maps: Tensor, full_contrast: float, response: Tensor) -> ResponsePeak:
        """The peak in a target's upsampled maps (scales, h', w'); fills in its response (h', w')."""
        config, values, filled = self._config, maps.numpy(), response.numpy()
        number, middle = filled.dtype.type, len(values) // 2
        flat = values.reshape(len(values), -1)
        lowest = flat.min()
        factors = scale_factors(len(values), config.scale_penalty, maps.dtype, maps.device).numpy()
        penalised = (flat.max(axis=1) - lowest) * factors
        chosen = middle if penalised[middle] == penalised.max() else int(penalised.argmax())
        np.subtract(values[chosen], lowest, out=filled)
        filled *= factors[chosen]
        filled -= filled.min()
        contrast = float(filled.max())
        filled /= max(number(response.sum()), np.finfo(number).tiny)  # torch's sum: NumPy's is rounded otherwise
        filled *= number((1 - config.window_influence) * contrast_weight(contrast, full_contrast))
        filled += weighted_window(*response.shape, config.window_influence, maps.dtype, maps.device).numpy()
        row, column = divmod(int(filled.argmax()), filled.shape[1])
        top, left = max(row - 1, 0), max(column - 1, 0)
        around = filled[top : row + 2, left : column + 2].tolist()
        cells = {(top + i, left + j): value for i, line in enumerate(around) for j, value in enumerate(line)}
        found = shared_peak(cells, (row, column), lowest=_LOWEST, dtype=maps.dtype)
        return ResponsePeak(chosen, *found, float(values[chosen, round(found[0]), round(found[1])]), contrast)

    def _find_together(
        self, maps: Tensor, full_contrasts: Sequence[float] | None, picked: Tensor, response: Tensor
    ) -> list[ResponsePeak]:
        """The peaks in upsampled maps (N, scales, h', w'); fills in the chosen maps and responses (N, h', w')."""
        height, width = response.shape[1:]
        chosen, lowest, penalty = _choose_scales(maps, self._config.scale_penalty)
        _pick(maps, chosen, out=picked)
        full: Tensor | None = None
        if full_contrasts is not None:
            full = torch.tensor(full_contrasts, dtype=response.dtype).to(response.device, non_blocking=True)
        contrast = _respond(picked, lowest, penalty, self._config.window_influence, full, out=response)
        row, column = _highest_cells(response)
        # The 3 x 3 cells around each peak, moved inside where it is on the border.
        top, left = row.clamp(1, height - 2) - 1, column.clamp(1, width - 2) - 1
        around = (top * width + left)[:, None] + _square(width, maps.device)  # (N, 9)
        places = torch.stack([chosen, row, column, top, left], dim=1).to(response.dtype)  # exact: far below 2 ** 24
        values = (tensor.flatten(1).gather(1, around) for tensor in (response, picked))
        seen: list[list[float]] = torch.cat([places, *values, contrast[:, None]], dim=1).tolist()
        return [_peak(numbers, response.dtype) for numbers in seen]

    def _rooms(self, like: Tensor, *shapes: tuple[int, ...]) -> list[Tensor]:
        """Tensors of these shapes, with whatever is in them, in memory that is kept from call to call."""
        sizes = [prod(shape) for shape in shapes]
        if self._room.numel() < sum(sizes) or (self._room.dtype, self._room.device) != (like.dtype, like.device):
            self._room = like.new_empty(sum(sizes))
        ends = list(accumulate(sizes))
        return [self._room[end - size : end].view(shape) for size, end, shape in zip(sizes, ends, shapes, strict=True)]


def _choose_scales(maps: Tensor, penalty: float) -> tuple[Tensor, Tensor, Tensor]:
    """Of maps (N, scales, h', w') the chosen index, the common minimum, and the chosen map's factor, (N,) each."""
    highs, lowest = maps.amax(dim=(2, 3)), maps.amin(dim=(1, 2, 3))  # one aminmax takes ten times as long
    factors = scale_factors(maps.shape[1], penalty, maps.dtype, maps.device)
    penalised = (highs - lowest[:, None]) * factors
    middle = maps.shape[1] // 2
    chosen = torch.where(penalised[:, middle] == penalised.amax(dim=1), middle, penalised.argmax(dim=1))
    return chosen, lowest, factors[chosen]


def _respond(
    picked: Tensor, lowest: Tensor, factor: Tensor, influence: float, full_contrasts: Tensor | None, *, out: Tensor
) -> Tensor:
    """The responses, written into ``out``; gives the contrasts (N,) of the maps that they are made of."""
    tiny = torch.finfo(out.dtype).tiny
    response = torch.sub(picked, lowest[:, None, None], out=out).mul_(factor[:, None, None])
    response.sub_(response.amin(dim=(1, 2), keepdim=True))
    contrast = response.amax(dim=(1, 2))
    response.div_(response.sum(dim=(1, 2), keepdim=True).clamp_min_(tiny))
    response.mul_(1 - influence)
    if full_contrasts is not None:
        weight = torch.where(contrast < full_contrasts, contrast / full_contrasts.clamp_min(tiny), 1.0)
        response.mul_(weight[:, None, None])
    response.add_(weighted_window(*response.shape[1:], influence, response.dtype, response.device))
    return contrast


def _highest_cells(response: Tensor) -> tuple[Tensor, Tensor]:
    # Rows first: torch's argmax over all cells takes ten times as long as its maximum.
    row = response.amax(dim=2).argmax(dim=1)
    return row, _pick(response, row).argmax(dim=1)


def _pick(rows: Tensor, which: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Of rows (N, M, ...) the one that ``which`` (N,) names in each: (N, ...), a copy."""
    N, M = rows.shape[:2]
    # Five times as fast as by brackets.
    return torch.index_select(rows.flatten(0, 1), 0, which + _starts(N, M, rows.device), out=out)


def _peak(numbers: list[float], dtype: torch.dtype) -> ResponsePeak:
    scale_index, row, column, top, left = (int(number) for number in numbers[:5])
    cells = [(top + step // 3, left + step % 3) for step in range(9)]
    found = shared_peak(dict(zip(cells, numbers[5:14], strict=True)), (row, column), lowest=_LOWEST, dtype=dtype)
    scores = dict(zip(cells, numbers[14:23], strict=True))
    return ResponsePeak(scale_index, *found, scores[round(found[0]), round(found[1])], numbers[23])


@lru_cache(maxsize=32)
def _starts(count: int, step: int, device: torch.device) -> Tensor:
    return step * torch.arange(count, device=device)


@lru_cache(maxsize=32)
def _square(width: int, device: torch.device) -> Tensor:
    """What to add to a flat index for the 3 x 3 cells below and to the right of it, (9,)."""
    return torch.tensor([down * width + right for down in range(3) for right in range(3)], device=device)
