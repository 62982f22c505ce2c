"""A filter that learns, from the frames of one video, to tell the target from what is around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from siamfc.correlation import cross_correlate
from siamfc.model import channel_statistics
from siamfc.tracker.kernel_regression import KernelRegression

_CHANNELS = 64  # of the network's, the principal components of the first search
_CELLS = 5  # a side of the filter, or one less where the exemplar's cells are even
_DEVIATION_CELLS = 1.5  # of the peak that is wanted
_FIRST_STEPS = 40
_STEPS, _STEPS_EVERY = 5, 10  # of conjugate gradients, and frames learned from between them
_MEMORY, _LEAST_FIRST_SHARE, _REGULARISATION = 30, 0.5, 0.01


@dataclass(frozen=True)
class MapGrid:
    """How score maps lie over features.

    Attributes:
        exemplar_cells: Cells of the exemplar that is slid, a side.
        cells: Of a score map, a side.
        center: Cell, whole or not, that stands for the search's centre.
    """

    exemplar_cells: int
    cells: int
    center: float


class OnlineFilter:
    """A discriminative correlation filter on the network's features, whose map is added to the score map.

    The exemplar says what the target looked like; it does not know what is beside it, which may look like it. The
    filter is the kernel whose map, slid over the features of searches, comes nearest to a peak at the target and
    nothing elsewhere: ridge regression (`KernelRegression`). It is learned from looks at the first frame, and goes on
    learning from the places where the target was found. ATOM (Danelljan et al. 2019, arXiv 1811.07628) learns one in
    such a way; here the exemplar's map stays in the sum, so that what was learned wrongly is not all that counts. It
    holds 7 MB a target at the usual search size.

    Args:
        features: (K, C, H, W) of looks at the first frame, as the network gives them, the first search first.
        places: Of the target in them, x and y, cells from the centre.
        grid: Of score maps over them.
        score_map: (h, w), the exemplar's in the first search; the filter's maps are brought to its mean and deviation.
        rate: Share of a frame that is learned from in all that is remembered, before the first get back their half.
    """

    def __init__(
        self, features: Tensor, places: Sequence[tuple[float, float]], grid: MapGrid, score_map: Tensor, *, rate: float
    ) -> None:
        kernel_cells = min(grid.exemplar_cells, _CELLS - (_CELLS - grid.exemplar_cells) % 2)
        self._grid, self._rate = grid, rate
        self._margin = (grid.exemplar_cells - kernel_cells) // 2
        self._map_cells = features.shape[-1] - kernel_cells + 1
        self._learned = 0
        self._basis, self._origin = _principal_components(features[0].to(score_map.dtype))
        projected = self.project(features)
        self._regression = KernelRegression(
            projected,
            torch.stack([self._wanted(place) for place in places]),
            room=_MEMORY,
            least_first_share=_LEAST_FIRST_SHARE,
            regularisation=_REGULARISATION,
        )
        self._regression.solve(_FIRST_STEPS)
        own_deviation, own_mean = torch.std_mean(self._maps(projected[:1]))
        deviation, mean = torch.std_mean(score_map)
        self._gain = torch.where(own_deviation > 0, deviation / own_deviation, torch.zeros_like(deviation))
        self._bias = mean - self._gain * own_mean

    def project(self, features: Tensor) -> Tensor:
        """What `add_to` and `learn` take of features (B, C, H, W): (B, fewer channels, H, W)."""
        flat = features.to(self._basis.dtype).flatten(2)
        projected = torch.matmul(self._basis, flat) - self._origin[:, None]
        return projected.view(len(features), -1, *features.shape[-2:])

    def add_to(self, score_maps: Tensor, projected: Tensor, influence: float) -> Tensor:
        """Score maps (B, h, w) with the filter's in them, which has ``influence`` of 1 of the sum."""
        return torch.lerp(score_maps, self._gain * self._maps(projected) + self._bias, influence)

    def learn(self, projected: Tensor, place: tuple[float, float]) -> None:
        """Learn from a search.

        Args:
            projected: (c, H, W), from `project`.
            place: Where the target was found in it, x and y, cells from the centre.
        """
        self._regression.add(projected, self._wanted(place), self._rate)
        self._learned += 1
        if self._learned % _STEPS_EVERY == 0:
            self._regression.solve(_STEPS)

    def _maps(self, projected: Tensor) -> Tensor:
        inner = slice(self._margin, self._margin + self._grid.cells)
        return cross_correlate(self._regression.kernel, projected)[:, inner, inner]

    def _wanted(self, place: tuple[float, float]) -> Tensor:
        """The map wanted of a search: a peak at a place, cells from the centre."""
        cells = torch.arange(self._map_cells, dtype=self._basis.dtype, device=self._basis.device)
        from_center = cells - (self._grid.center + self._margin)
        across, down = (torch.exp(-(((from_center - at) / _DEVIATION_CELLS) ** 2) / 2) for at in place)
        return down[:, None] * across


def _principal_components(features: Tensor) -> tuple[Tensor, Tensor]:
    """A basis (c, C) of the features (C, H, W), standardised, and what to take off (c,).

    In it the features have a mean square of 1 over all components together.
    """
    flat = features.flatten(1)
    mean, deviation = (numbers[0] for numbers in channel_statistics(flat[None]))
    standardised = ((flat - mean[:, None]) / deviation[:, None]).cpu().double()
    variances, components = torch.linalg.eigh(standardised @ standardised.T / standardised.shape[1])
    kept = components[:, -_CHANNELS:].T
    size = variances[-_CHANNELS:].clamp_min(0).mean().sqrt()
    basis = (kept / torch.where(size > 0, size, 1)).to(flat) / deviation
    return basis, basis @ mean
