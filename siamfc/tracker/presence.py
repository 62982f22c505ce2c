"""How sure it is that a place shows the exemplar, from 0 to 1: what tells a target in view from one that is gone."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from siamfc.model import ChannelStatistics, SiamFC


class PresenceReference(NamedTuple):
    """What a place is compared with.

    Attributes:
        direction: (C, h, w), the exemplar's standardised features, of length 1.
        statistics: What the features of places are standardised by; None: nothing.
    """

    direction: Tensor
    statistics: ChannelStatistics | None


class Presence:
    """Scores places in 0..1 by the cosine of their features with the exemplar's.

    The height of a score map's peak tells where the target is, not whether: it grows with contrast, and standardised
    by the first search it is high wherever the map is searched. The cosine does not grow with contrast. In a
    calibrated model (`siamfc.calibration.fitting.calibrate_score`) features are standardised by fixed statistics of
    many videos, one scale for all of them, and a logistic curve makes the cosine the probability that a place that a
    tracker found is its target, if as many are as are not. Other models give the cosine itself, negative ones as 0,
    standardised as for the search.

    Args:
        model: Any `SiamFC`.
    """

    def __init__(self, model: SiamFC) -> None:
        self._fixed: ChannelStatistics | None = None
        self._curve: tuple[float, float] | None = None
        self._own: ChannelStatistics | None = None
        if model.config.calibrated:
            self._fixed = ChannelStatistics(model.score_mean, model.score_deviation)
            slope, offset = model.score_curve.tolist()
            self._curve = slope, offset
        elif model.config.standardisation == "fixed":
            self._own = ChannelStatistics(model.channel_mean, model.channel_deviation)

    def reference(self, exemplar_features: Tensor, statistics: ChannelStatistics | None) -> PresenceReference:
        """What places are compared with.

        Args:
            exemplar_features: (1, C, h, w) or (C, h, w), from `SiamFC.features`.
            statistics: Of the first search, where the model takes its standardisation from there.
        """
        used = self._fixed or self._own or statistics
        features = exemplar_features.reshape(exemplar_features.shape[-3:])
        features = features if used is None else used.standardise(features)
        return PresenceReference(features / _length(features), used)

    def cosine(self, reference: PresenceReference, features: Tensor, cell: tuple[int, int]) -> float:
        """Cosine of a window's features with the exemplar's.

        Args:
            reference: From `reference`.
            features: (C, H, W) of a search, from `SiamFC.features` or a runtime's ``embed``.
            cell: Row and column of the score map whose window it is.
        """
        height, width = reference.direction.shape[1:]
        row, column = cell
        window = features[:, row : row + height, column : column + width].to(reference.direction.dtype)
        if reference.statistics is not None:
            window = reference.statistics.standardise(window)
        return float((reference.direction * window).sum() / _length(window))

    def score(self, reference: PresenceReference, features: Tensor, cell: tuple[int, int]) -> float:
        """How sure it is that the window of a cell shows the exemplar, 0 to 1; arguments as `cosine`."""
        return self.curve(self.cosine(reference, features, cell))

    def curve(self, cosine: float) -> float:
        """A cosine as the score that it stands for."""
        if self._curve is None:
            return min(max(cosine, 0.0), 1.0)
        slope, offset = self._curve
        return float(torch.sigmoid(torch.tensor(slope * cosine + offset, dtype=torch.float64)))


def _length(features: Tensor) -> Tensor:
    length: Tensor = features.norm().clamp_min(torch.finfo(features.dtype).tiny)
    return length
