"""A crop, one pixel after the other, from the frame continued by the fill colour in all directions."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from siamfc.crops import CropRegion


def crop_pixel_by_pixel(
    frame: NDArray[np.uint8], region: CropRegion, fill: tuple[float, float, float]
) -> NDArray[np.float64]:
    """Bilinear values (crop_size, crop_size, 3), not rounded, at the centres of the crop's pixels."""
    size = region.crop_size
    crop = np.zeros((size, size, 3))
    for row in range(size):
        for column in range(size):
            x, y = region.to_frame(column + 0.5, row + 0.5)
            crop[row, column] = _bilinear(frame, x, y, np.rint(fill))
    return crop


def _bilinear(frame: NDArray[np.uint8], x: float, y: float, fill: NDArray[np.float64]) -> NDArray[np.float64]:
    """The colour at a point of the frame; the pixel (row, column) has its centre at (column + 0.5, row + 0.5)."""
    left, top = math.floor(x - 0.5), math.floor(y - 0.5)
    to_right, to_bottom = x - 0.5 - left, y - 0.5 - top
    return (
        (1 - to_bottom) * (1 - to_right) * _color(frame, top, left, fill)
        + (1 - to_bottom) * to_right * _color(frame, top, left + 1, fill)
        + to_bottom * (1 - to_right) * _color(frame, top + 1, left, fill)
        + to_bottom * to_right * _color(frame, top + 1, left + 1, fill)
    )


def _color(frame: NDArray[np.uint8], row: int, column: int, fill: NDArray[np.float64]) -> NDArray[np.float64]:
    height, width = frame.shape[:2]
    inside = 0 <= row < height and 0 <= column < width
    return frame[row, column].astype(np.float64) if inside else fill
