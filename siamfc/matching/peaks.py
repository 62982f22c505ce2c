"""Peaks of maps: found on the grid, refined between its cells, and thinned out where their boxes overlap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from siamfc.boxes import intersection_over_union
from siamfc.opencv import cv2

Array = NDArray[np.float64]
Map = NDArray[np.float32]


def local_maxima(values: Map, threshold: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the cells of a map (h, w) that no neighbour exceeds and that reach the threshold.

    Cells that are not a number are none.

    Example:
        >>> rows, columns = local_maxima(np.float32([[0, 1, 0, 2]]), threshold=1)
        >>> columns.tolist()
        [1, 3]
    """
    known = np.where(np.isnan(values), -np.inf, values).astype(np.float32)
    highest = cv2.dilate(known, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    rows, columns = np.nonzero((known >= highest) & (known >= threshold))
    return rows, columns


def refine(below: Array, at: Array, above: Array) -> tuple[Array, Array]:
    """Where between three neighbouring cells the parabola through them has its top, and how high it is.

    Args:
        below: Values before the peaks, (N,); not a number where there is none.
        at: Values at the peaks.
        above: Values behind them.

    Returns:
        Offsets in -0.5..0.5 cells, (N,), and what the tops exceed ``at`` by, (N,); both 0 where there is no top.

    Example:
        >>> refine(np.array([0.0]), np.array([1.0]), np.array([0.5]))
        (array([0.16666667]), array([0.02083333]))
    """
    curvature = below - 2 * at + above
    with np.errstate(invalid="ignore", divide="ignore"):
        offset = np.where(curvature < 0, np.clip((below - above) / (2 * curvature), -0.5, 0.5), 0.0)
        rise = (above - below) / 2 * offset + curvature / 2 * offset**2
    return offset, np.where(curvature < 0, rise, 0.0)


def thin_out(boxes: Array, scores: Array, *, max_overlap: float, at_most: int) -> NDArray[np.intp]:
    """Which boxes stay, best first, when each suppresses those that overlap it and score less.

    Boxes overlap where their intersection over union is above ``max_overlap``, and where the centre of one lies in the
    middle half of the other: a part of an object, or the object with its surroundings, is the same find.

    Args:
        boxes: (N, 4) x, y, width, height.
        scores: (N,).
        max_overlap: 0..1.
        at_most: How many to keep.

    Returns:
        Rows of ``boxes``.

    Example:
        >>> boxes = np.array([[0, 0, 8, 8], [1, 0, 8, 8], [20, 0, 8, 8], [2, 2, 4, 4.0]])
        >>> thin_out(boxes, np.array([0.8, 0.9, 0.5, 0.6]), max_overlap=0.3, at_most=10).tolist()
        [1, 2]
    """
    waiting = np.argsort(-scores, kind="stable")
    kept: list[np.intp] = []
    centers, sizes = boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:]
    while waiting.size and len(kept) < at_most:
        best, waiting = waiting[0], waiting[1:]
        kept.append(best)
        apart = np.abs(centers[waiting] - centers[best])
        same_middle = (apart < sizes[waiting] / 4).all(axis=1) | (apart < sizes[best] / 4).all(axis=1)
        overlapping = intersection_over_union(boxes[waiting], boxes[best]) > max_overlap
        waiting = waiting[~(same_middle | overlapping)]
    return np.array(kept, dtype=np.intp)
