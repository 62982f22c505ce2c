"""The figures: how far a score map is from what translation equivariance promises, in float64."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from siamfc.equivariance.probes import MARGIN_PX, Probe
from siamfc.equivariance.scorers import ConvolutionalScorer, Scorer
from siamfc.score_map import find_peak, upsample

ShiftedMaps = list[Tensor]
"""The maps (h, w) of one search, taken 0, 1, ..., 16 px further right."""

SHIFTS_PX = range(MARGIN_PX + 1)

_STEPS_A_PIXEL = 4  # to which peaks are told


def window_error(scorer: Scorer, probes: Sequence[Probe], *, windows: int) -> float:
    """The promise of the engine: how far the map is from scoring each window alone, at worst.

    Args:
        scorer: Whose map; a scorer that takes one size of search cannot be asked.
        probes: On what.
        windows: About how many windows a probe, evenly drawn.

    Returns:
        Largest difference, in standard deviations of the map.
    """
    worst = 0.0
    for probe in probes:
        search = probe.search()
        whole = scorer.score_map(probe.exemplar, search)
        every = max(1, round(math.sqrt(whole.numel() / windows)))
        for row in range(0, whole.shape[0], every):
            for column in range(0, whole.shape[1], every):
                top, left = row * scorer.stride, column * scorer.stride
                window = search[:, top : top + scorer.exemplar_px, left : left + scorer.exemplar_px]
                alone = scorer.score_map(probe.exemplar, window)[0, 0]
                worst = max(worst, float((whole[row, column] - alone).abs() / whole.std()))
    return worst


def shifted_maps(scorer: Scorer, probes: Sequence[Probe]) -> list[ShiftedMaps]:
    """For every probe, the maps of its search taken 0 to 16 px further right."""
    return [[scorer.score_map(probe.exemplar, probe.search(dx)) for dx in SHIFTS_PX] for probe in probes]


def whole_stride_error(probes: Sequence[ShiftedMaps], stride: int) -> float:
    """Shift the search by whole strides: how far the map is from having shifted by whole cells, at worst.

    Returns:
        Largest difference over cells that both maps have, and over shifts of up to 16 px, in standard deviations.
    """
    return max(
        float(_difference(maps, shift, stride).abs().max() / maps[0].std())
        for maps in probes
        for shift in range(stride, len(maps), stride)
    )


def shift_curve(probes: Sequence[ShiftedMaps], stride: int) -> list[float]:
    """For shifts of 0 to 16 px: how far the map is from the first one moved by the nearest whole number of cells.

    Returns:
        17 root-mean-square differences over shared cells and probes, in standard deviations of the map.
    """
    return [
        _root_mean([float(_difference(maps, shift, stride).square().mean() / maps[0].var()) for maps in probes])
        for shift in SHIFTS_PX
    ]


def peak_errors(probes: Sequence[ShiftedMaps], stride: int) -> list[float]:
    """Whether the peak follows: for shifts of 0 to 16 px, how far it is from where the first map's went.

    Peaks are those of the maps upsampled to a quarter of a pixel, as the tracker finds them, among the places that
    both searches show: something that comes into view and scores higher does not count against the peak.

    Returns:
        17 medians over probes of the distance, pixels.
    """
    return [float(np.median([_peak_error(maps, shift, stride) for maps in probes])) for shift in SHIFTS_PX]


def invariance_curve(scorer: ConvolutionalScorer, probes: Sequence[Probe]) -> list[float]:
    """For shifts of 0 to 16 px: how alike the features of one fixed place stay while the picture moves under it.

    Returns:
        17 correlations of the features, each channel's mean over the place taken off; means over probes. 1 is
        invariance.
    """
    curve = []
    for shift in SHIFTS_PX:
        alike = []
        for probe in probes:
            side = probe.exemplar.shape[-1]
            inset = (probe.canvas.shape[-1] - side) // 2
            moved = probe.canvas[:, inset : inset + side, inset + shift : inset + shift + side]
            alike.append(_correlation(scorer.features(probe.exemplar), scorer.features(moved)))
        curve.append(sum(alike) / len(alike))
    return curve


def border_curve(scorer: Scorer, probes: Sequence[Probe]) -> list[float]:
    """By distance from the map's edge, in cells: how far the map is from that of a larger picture of the same place.

    Returns:
        For the outermost ring of cells, the next, ...: root-mean-square differences in standard deviations of the
        map, over probes. Nothing but what lies beyond the search image's border can make them differ.
    """
    rings: list[list[float]] = []
    for probe in probes:
        alone = scorer.score_map(probe.exemplar, probe.search())
        within = scorer.score_map(probe.exemplar, probe.canvas)
        margin = MARGIN_PX // scorer.stride
        shared = within[margin : margin + alone.shape[0], margin : margin + alone.shape[1]]
        error = (alone - shared).square() / alone.var()
        distance = _distance_from_edge(alone)
        rings.append([float(error[distance == ring].mean()) for ring in range(int(distance.max()) + 1)])
    return [_root_mean(values) for values in zip(*rings, strict=True)]


def _difference(maps: ShiftedMaps, shift: int, stride: int) -> Tensor:
    """The shifted map less the first one, over the cells that they share, to the nearest cell."""
    cells = round(shift / stride)
    return maps[shift][:, : maps[shift].shape[1] - cells] - maps[0][:, cells:]


def _peak_error(maps: ShiftedMaps, shift: int, stride: int) -> float:
    cells = math.ceil(shift / stride)
    (before_x, before_y), (after_x, after_y) = (
        _peak_px(part, stride) for part in (maps[0][:, cells:], maps[shift][:, : maps[shift].shape[1] - cells])
    )
    return math.hypot(before_x + cells * stride - (after_x + shift), before_y - after_y)


def _peak_px(score_map: Tensor, stride: int) -> tuple[float, float]:
    """Where the peak is, (x, y) in pixels from the first cell's place."""
    factor = _STEPS_A_PIXEL * stride
    row, column = find_peak(upsample(score_map[None], factor, "corners")[0])
    return column / _STEPS_A_PIXEL, row / _STEPS_A_PIXEL


def _root_mean(squares: Sequence[float]) -> float:
    return math.sqrt(sum(squares) / len(squares))


def _correlation(first: Tensor, second: Tensor) -> float:
    a, b = (features - features.mean(dim=(1, 2), keepdim=True) for features in (first, second))
    return float((a * b).sum() / (a.norm() * b.norm()))


def _distance_from_edge(cells: Tensor) -> Tensor:
    rows, columns = cells.shape
    down, across = torch.arange(rows), torch.arange(columns)
    near_y, near_x = torch.minimum(down, rows - 1 - down), torch.minimum(across, columns - 1 - across)
    return torch.minimum(near_y[:, None], near_x[None, :])
