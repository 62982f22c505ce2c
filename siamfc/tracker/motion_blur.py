"""What an exemplar would look like if its target moved while the shutter was open."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from siamfc.crops import Color, CropRegion, crop
from siamfc.frames import Image
from siamfc.opencv import cv2

_LENGTHS_PX = (9, 17)  # exemplar pixels, of 127


def motion_blurred(frame: Image, region: CropRegion, fill: Color) -> NDArray[np.uint8]:
    """An exemplar blurred along each axis and each diagonal, a little and more.

    What comes into the exemplar over its border is taken from the frame, as a moving camera would take it.

    Args:
        frame: (H, W, 3) uint8.
        region: Of the exemplar.
        fill: Colour outside the frame.

    Returns:
        (8, crop_size, crop_size, 3).
    """
    size, margin = region.crop_size, max(_LENGTHS_PX) // 2
    wide_size = size + 2 * margin
    wide = crop(frame, CropRegion(region.center_x, region.center_y, region.side_px * wide_size / size, wide_size), fill)
    inner = slice(margin, margin + size)
    return np.stack([cv2.filter2D(wide, -1, kernel)[inner, inner] for kernel in _lines()])


def _lines() -> list[NDArray[np.float32]]:
    """Kernels that average along a line: of each length one each way and along both diagonals."""
    lines = []
    for length in _LENGTHS_PX:
        diagonal = 2 * round(length / 2**1.5) + 1  # odd, as the lengths: its middle is a pixel
        slanted = np.eye(diagonal, dtype=np.float32)
        lines += [np.ones((1, length), np.float32), np.ones((length, 1), np.float32), slanted, slanted[::-1]]
    return [line / line.sum() for line in lines]
