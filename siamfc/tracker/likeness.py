"""What a tracker keeps of an exemplar's cells, to compare a search's with them one by one."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from siamfc.model import ChannelStatistics


class Likeness(NamedTuple):
    """What the cells of a search are compared with.

    Attributes:
        exemplar: (1, C, n, n), standardised features.
        statistics: Of the first search, where the model standardises by it.
        size: (1, 2), width and height of the target in the exemplar, exemplar pixels.
    """

    exemplar: Tensor
    statistics: ChannelStatistics | None
    size: Tensor
