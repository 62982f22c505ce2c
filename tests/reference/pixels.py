"""Overlap of boxes of whole pixels, by painting them and counting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def iou_by_counting(box: Sequence[int], other: Sequence[int], *, side: int) -> float:
    """Overlap of two boxes x, y, width, height that lie in a picture of ``side`` x ``side`` pixels."""
    painted, painted_other = np.zeros((side, side), dtype=bool), np.zeros((side, side), dtype=bool)
    for picture, (x, y, width, height) in ((painted, box), (painted_other, other)):
        picture[y : y + height, x : x + width] = True
    return float((painted & painted_other).sum() / (painted | painted_other).sum())
