"""Box regression in a tracker: what it keeps of the exemplar, and how peak and regression become a place and size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from siamfc.box_regression import MARGIN
from siamfc.boxes import Box
from siamfc.config import TrackerConfig
from siamfc.crops import CropRegion, context_side
from siamfc.errors import ConfigError
from siamfc.model import EXEMPLAR_PX, ChannelStatistics, SiamFC
from siamfc.score_map import displacement_px
from siamfc.tracker.target_state import TargetState


class Likeness(NamedTuple):
    """What a search is compared with.

    Attributes:
        exemplar: (1, C, n, n), standardised features.
        statistics: Of the first search, where the model standardises by it.
        size: (1, 2), width and height of the target in the exemplar, exemplar pixels.
    """

    exemplar: Tensor
    statistics: ChannelStatistics | None
    size: Tensor


class Refinement(NamedTuple):
    """What regression says of one target.

    Attributes:
        shift: From the search crop's centre to the target's, x and y, crop pixels.
        log_scale: Logarithm of its size in the crop over that in the exemplar.
        log_aspect: Logarithm of the square root of the ratio of width to height, over the exemplar's.
        log_scale_error: Absolute error to expect.
        log_aspect_error: Likewise.
    """

    shift: tuple[float, float]
    log_scale: float
    log_aspect: float
    log_scale_error: float
    log_aspect_error: float


def regresses(model: SiamFC, config: TrackerConfig) -> bool:
    """Whether sizes are regressed, not searched, with these weights and settings."""
    return config.size_from == "regression" or (config.size_from == "auto" and model.box_regression is not None)


class BoxRefinement:
    """Refines the peaks of score maps by a model's box regression.

    Args:
        model: With ``model.box_regression``.
        config: Of the tracker.

    Raises:
        ConfigError: The weights hold no box regression, or one for exemplars of another size.
    """

    def __init__(self, model: SiamFC, config: TrackerConfig) -> None:
        if model.box_regression is None:
            raise ConfigError(
                "tracker.size_from=regression needs weights that hold a box regression, and these do not: take "
                "'auto' or 'scales', or weights trained with model.box_regression=true"
            )
        if config.exemplar_size != EXEMPLAR_PX:
            raise ConfigError(
                f"box regression compares exemplars of {EXEMPLAR_PX} px, and tracker.exemplar_size is "
                f"{config.exemplar_size}: set tracker.size_from=scales to track with it"
            )
        self._model = model
        self._regression = model.box_regression
        self._config = config

    def likeness(
        self, exemplar_features: Tensor, statistics: ChannelStatistics | None, size: tuple[float, float]
    ) -> Likeness:
        """What to keep of an exemplar.

        Args:
            exemplar_features: (1, C, h, w), standardised, with the model's border.
            statistics: What they were standardised by, where the model takes statistics.
            size: (width, height) of the target in the exemplar, exemplar pixels.
        """
        cells = self._regression.cells
        return Likeness(exemplar_features[..., :cells, :cells], statistics, exemplar_features.new_tensor([size]))

    def refine(
        self, likenesses: Sequence[Likeness], features: Tensor, cells: Sequence[tuple[int, int]]
    ) -> list[Refinement]:
        """What regression says of the windows of N targets' searches.

        Args:
            likenesses: One a target.
            features: (N, C, H, W) of the searches, as the runtime gives them.
            cells: Row and column of the score map's cell nearest to each peak.
        """
        model, config = self._model, self._config
        features = features.to(likenesses[0].exemplar.dtype)
        windows = torch.cat([self._window(*each) for each in zip(features, likenesses, cells, strict=True)])
        exemplars = torch.cat([own.exemplar for own in likenesses])
        change = self._regression(exemplars, windows, torch.cat([own.size for own in likenesses]))
        numbers = torch.cat([change.shift_px, change.log_size, change.log_size_error], dim=1).tolist()
        refinements = []
        for (row, column), (x, y, *size) in zip(cells, numbers, strict=True):
            from_center_x, from_center_y = (
                displacement_px(
                    cell, search_px=config.search_size, exemplar_px=config.exemplar_size, stride=model.stride
                )
                for cell in (column, row)
            )
            refinements.append(Refinement((from_center_x + x, from_center_y + y), *size))
        return refinements

    def _window(self, features: Tensor, likeness: Likeness, cell: tuple[int, int]) -> Tensor:
        """What `BoxRegression.windows` gives of one search's features (C, H, W), of which no more is standardised."""
        regression, (height, width) = self._regression, features.shape[1:]
        top, left = (place - regression.border - MARGIN for place in cell)
        bottom, right = (corner + regression.cells + 2 * MARGIN for corner in (top, left))
        inside = features[None, :, max(top, 0) : bottom, max(left, 0) : right]
        compared = self._model.standardise(inside, likeness.statistics)[:, : regression.compared]
        return F.pad(compared, (max(-left, 0), max(right - width, 0), max(-top, 0), max(bottom - height, 0)))

    def place(self, peak: tuple[float, float], refinement: Refinement) -> tuple[float, float]:
        """Between a response's peak and the regressed place, by ``regression_place``; all from the crop's centre."""
        weight = self._config.regression_place
        x, y = (other + weight * (own - other) for own, other in zip(refinement.shift, peak, strict=True))
        return x, y

    def moved(
        self, state: TargetState, refinement: Refinement, region: CropRegion, peak: tuple[float, float]
    ) -> TargetState:
        """The target where peak and regression together find it, as much larger as can be believed.

        Args:
            state: Before.
            refinement: Of the search.
            region: What was searched.
            peak: From the region's centre to the response's peak, x and y, crop pixels.
        """
        config, found = self._config, refinement
        frame_px = region.frame_px_per_crop_px
        x, y = self.place(peak, found)
        shift = (x * frame_px, y * frame_px)
        # The exemplar shows the target as it was given, frames may have been stretched since.
        given_frame_px = context_side(Box(0, 0, *state.given_size), config.context_amount) / config.exemplar_size
        wide, high = (first / given for first, given in zip(state.first_size, state.given_size, strict=True))
        growth = found.log_scale + math.log(frame_px / (given_frame_px * math.sqrt(wide * high) * state.scale))
        stretch = found.log_aspect - math.log(state.aspect * math.sqrt(wide / high))
        by, along = (
            believed_share(error, config.regression_trust, config.regression_damping)
            for error in (found.log_scale_error, found.log_aspect_error)
        )
        return state.reshaped(
            shift, state.scale * math.exp(by * growth), state.aspect * math.exp(along * stretch), config
        )


def believed_share(error: float, trust: float, damping: float) -> float:
    """The share of a regressed change that is taken over in a frame.

    Args:
        error: Its expected absolute error.
        trust: The error at which half as much is taken over as of a certain one.
        damping: The share of a certain one.

    Example:
        >>> believed_share(0.05, trust=0.05, damping=0.5)
        0.25
    """
    return damping / (1 + (error / trust) ** 2)
