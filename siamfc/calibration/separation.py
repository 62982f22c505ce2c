"""How well scores tell regions with the target from regions without: the area under the ROC curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from siamfc.calibration.regions import RegionKind
from siamfc.calibration.similarities import Cosines


class Separation(NamedTuple):
    """Areas under the ROC curve, 0.5 by chance; None where there is no such region.

    Attributes:
        name: A target's, or "pooled".
        strangers: Regions with the target against those of other videos.
        elsewhere: Against those of the same video and scale.
    """

    name: str
    strangers: float | None
    elsewhere: float | None


def separation(names: Sequence[str], cosines: Sequence[Cosines]) -> list[Separation]:
    """First all targets' scores pooled, targets weighing the same; then each target by itself."""
    rows = [Separation("pooled", *(_area(cosines, kind) for kind in (RegionKind.STRANGER, RegionKind.ELSEWHERE)))]
    for name, each in zip(names, cosines, strict=True):
        rows.append(Separation(name, *(_area([each], kind) for kind in (RegionKind.STRANGER, RegionKind.ELSEWHERE))))
    return rows


def roc_area(
    positive: NDArray[np.float64],
    negative: NDArray[np.float64],
    positive_weights: NDArray[np.float64] | None = None,
    negative_weights: NDArray[np.float64] | None = None,
) -> float:
    """Weighted share of pairs of a positive and a negative value of which the positive one is higher; ties half.

    Example:
        >>> roc_area(np.array([3.0, 2.0]), np.array([1.0, 2.0]))
        0.875
    """
    weights = [
        np.ones(len(values)) if given is None else given
        for values, given in ((positive, positive_weights), (negative, negative_weights))
    ]
    order = np.argsort(negative, kind="stable")
    below = np.concatenate([[0.0], np.cumsum(weights[1][order])])
    lower = below[np.searchsorted(negative[order], positive, side="left")]
    level = below[np.searchsorted(negative[order], positive, side="right")]
    return float((weights[0] * (lower + level) / 2).sum() / (weights[0].sum() * weights[1].sum()))


def _area(cosines: Sequence[Cosines], kind: RegionKind) -> float | None:
    sides = []
    for each_kind in (RegionKind.TARGET, kind):
        found = [each[each_kind] for each in cosines if each_kind in each]
        if not found:
            return None
        sides.append((np.concatenate(found), np.concatenate([np.full(len(one), 1 / len(one)) for one in found])))
    (positive, positive_weights), (negative, negative_weights) = sides
    return roc_area(positive, negative, positive_weights, negative_weights)
