"""Boxes in frame pixels: 0-based, continuous, column ``i`` covers ``[i, i + 1)``."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siamfc.errors import BoxError

_MAX_PX = 1e9  # far above any picture, far below where squares overflow


class Box(NamedTuple):
    """An upright rectangle in frame pixels; ``x`` and ``y`` are its left and top edge.

    Example:
        >>> Box(10, 20, 4, 6).center
        (12.0, 23.0)
    """

    x: float
    y: float
    width: float
    height: float

    @property
    def center(self) -> tuple[float, float]:
        """Centre (x, y), in frame pixels."""
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def area(self) -> float:
        """Area, in square pixels."""
        return self.width * self.height

    @classmethod
    def from_center(cls, center_x: float, center_y: float, width: float, height: float) -> Box:
        """The box of this size around a centre.

        Example:
            >>> Box.from_center(12, 23, 4, 6)
            Box(x=10.0, y=20.0, width=4, height=6)
        """
        return cls(center_x - width / 2, center_y - height / 2, width, height)

    @classmethod
    def from_corners(cls, left: float, top: float, right: float, bottom: float) -> Box:
        """The box between two corners; ``right`` and ``bottom`` are its far edges, not the last pixels inside.

        Example:
            >>> Box.from_corners(10, 20, 14, 26)
            Box(x=10, y=20, width=4, height=6)
        """
        return cls(left, top, right - left, bottom - top)

    @classmethod
    def from_one_based(cls, x: float, y: float, width: float, height: float) -> Box:
        """The box that a 1-based file (OTB and other MATLAB tools) calls ``x, y, width, height``.

        Example:
            >>> Box.from_one_based(1, 1, 4, 6)
            Box(x=0, y=0, width=4, height=6)
        """
        return cls(x - 1, y - 1, width, height)

    def to_one_based(self) -> Box:
        """The same box with the top left pixel called (1, 1), for a 1-based file."""
        return Box(self.x + 1, self.y + 1, self.width, self.height)

    @classmethod
    def from_polygon(cls, corners: Iterable[float]) -> Box:
        """The upright box that stands for a polygon: its mean corner as centre, its own area, its bounds' shape.

        ``corners`` are x1, y1, x2, y2, ... in frame pixels. It is the reduction that trackers use on VOT's rotated
        rectangles; the plain bounds of a rotated box hold too much background.

        Raises:
            BoxError: Fewer than three corners, an odd count, or a number that is not finite.

        Example:
            >>> Box.from_polygon([0, 0, 4, 0, 4, 2, 0, 2])
            Box(x=0.0, y=0.0, width=4.0, height=2.0)
        """
        values = np.asarray(list(corners), dtype=np.float64)
        if values.size < 6 or values.size % 2 or not np.isfinite(values).all():
            raise BoxError(f"a polygon is at least three finite corners x1,y1,x2,y2,..., not {values.tolist()}")
        xs, ys = values[0::2], values[1::2]
        area = abs(np.dot(xs, np.roll(ys, -1)) - np.dot(ys, np.roll(xs, -1))) / 2
        width, height = np.ptp(xs), np.ptp(ys)
        shrink = math.sqrt(area / (width * height)) if width * height > 0 else 1.0
        return cls.from_center(float(xs.mean()), float(ys.mean()), float(width * shrink), float(height * shrink))


def as_box(values: Box | Iterable[float]) -> Box:
    """A `Box` from any four numbers x, y, width, height, checked to be finite and to have an area.

    Raises:
        BoxError: Not four numbers, one that is not finite, or a side of zero or less.

    Example:
        >>> as_box([1, 2, 3, 4])
        Box(x=1.0, y=2.0, width=3.0, height=4.0)
    """
    try:
        if isinstance(values, str | bytes):
            raise TypeError("the characters of a text would pass for numbers")
        numbers = [float(value) for value in values]
    except (TypeError, ValueError):
        raise BoxError(f"a box is four numbers x, y, width, height, not {values!r}") from None
    if len(numbers) != 4:
        raise BoxError(f"a box is four numbers x, y, width, height, not {len(numbers)}: {numbers}")
    box = Box(*numbers)
    if not all(math.isfinite(number) for number in box):
        raise BoxError(f"every number of a box must be finite, not {tuple(box)}")
    if max(abs(number) for number in box) > _MAX_PX:
        raise BoxError(f"no picture has that many pixels: {tuple(box)}")
    if box.width <= 0 or box.height <= 0:
        raise BoxError(f"a box needs a width and a height above zero, not {box.width:g} x {box.height:g}")
    return box


def clip_box(box: Box, width: float, height: float) -> Box | None:
    """The part of a box inside a frame of this width and height, or None where they do not meet.

    Example:
        >>> clip_box(Box(-2, 5, 4, 4), width=100, height=8)
        Box(x=0, y=5, width=2, height=3)
    """
    left, top = max(box.x, 0), max(box.y, 0)
    right, bottom = min(box.x + box.width, width), min(box.y + box.height, height)
    return Box.from_corners(left, top, right, bottom) if right > left and bottom > top else None


def intersection_over_union(boxes: ArrayLike, others: ArrayLike) -> NDArray[np.float64]:
    """Overlap of boxes, row by row: shared area over joint area, 0..1.

    Args:
        boxes: (..., 4) as x, y, width, height.
        others: (..., 4), broadcast against ``boxes``.

    Returns:
        (...) float64; 0 where the joint area is 0, NaN where a number is NaN.

    Raises:
        BoxError: Rows of another length.

    Example:
        >>> float(intersection_over_union([0, 0, 2, 2], [1, 0, 2, 2]))
        0.3333333333333333
    """
    first, second = _rows_of_four(boxes), _rows_of_four(others)
    near = np.maximum(first[..., :2], second[..., :2])
    far = np.minimum(first[..., :2] + first[..., 2:], second[..., :2] + second[..., 2:])
    shared = np.prod(np.maximum(far - near, 0.0), axis=-1)
    joint = np.prod(first[..., 2:], axis=-1) + np.prod(second[..., 2:], axis=-1) - shared
    with np.errstate(invalid="ignore", divide="ignore"):
        # Rounding can put a box's overlap with itself above 1, which counts where "more than 1" is asked for.
        return np.asarray(np.where(joint == 0, 0.0, np.minimum(shared / joint, 1.0)))


def center_distance(boxes: ArrayLike, others: ArrayLike) -> NDArray[np.float64]:
    """Euclidean distance of the centres of boxes, row by row, in pixels; shapes as `intersection_over_union`.

    Example:
        >>> float(center_distance([0, 0, 2, 2], [3, 4, 2, 2]))
        5.0
    """
    first, second = _rows_of_four(boxes), _rows_of_four(others)
    offset = (first[..., :2] + first[..., 2:] / 2) - (second[..., :2] + second[..., 2:] / 2)
    return np.asarray(np.hypot(offset[..., 0], offset[..., 1]))


def _rows_of_four(boxes: ArrayLike) -> NDArray[np.float64]:
    rows = np.asarray(boxes, dtype=np.float64)
    if rows.shape[-1:] != (4,):
        raise BoxError(f"boxes are rows of x, y, width, height, not of the shape {rows.shape}")
    return rows
