"""Looks at the first frame from which a filter is learned: the search, and what it would be if things had moved."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from siamfc.crops import Color, CropRegion, crop
from siamfc.frames import Image
from siamfc.opencv import cv2

_SHIFT_CELLS = 3.3  # to each side: not whole, so that cells do not fall on the same pixels
_TURN_DEG = 15
_BLUR_PX, _STREAKS_PX = 3.0, (15, 29)  # a deviation, and lengths


class FirstLooks(NamedTuple):
    """Crops and where the target is in them.

    Attributes:
        crops: (13, crop_size, crop_size, 3) uint8; the search as it is first.
        places: x and y of the target in each, cells from the centre.
    """

    crops: NDArray[np.uint8]
    places: list[tuple[float, float]]


def first_looks(image: Image, region: CropRegion, fill: Color, stride: int) -> FirstLooks:
    """The search as it is, moved to four sides, mirrored, turned, blurred and smeared.

    Args:
        image: (H, W, 3) uint8, the first frame.
        region: The search region, the target in its centre.
        fill: Colour outside the frame.
        stride: Crop pixels a cell.
    """
    search = crop(image, region, fill)
    moves = [(x * _SHIFT_CELLS, y * _SHIFT_CELLS) for x in (1, -1) for y in (1, -1)]
    cell = stride * region.frame_px_per_crop_px
    moved = [
        crop(image, replace(region, center_x=region.center_x - x * cell, center_y=region.center_y - y * cell), fill)
        for x, y in moves
    ]
    changed = [search[:, ::-1], cv2.GaussianBlur(search, (0, 0), _BLUR_PX)]
    changed += [_turned(search, angle) for angle in (-_TURN_DEG, _TURN_DEG)]
    changed += [cv2.blur(search, size) for length in _STREAKS_PX for size in ((length, 1), (1, length))]
    still = (0.0, 0.0)
    return FirstLooks(np.stack([search, *moved, *changed]), [still, *moves, *[still] * len(changed)])


def _turned(image: Image, angle_deg: float) -> Image:
    middle = (image.shape[0] - 1) / 2
    turn = cv2.getRotationMatrix2D((middle, middle), angle_deg, 1.0)
    turned: Image = cv2.warpAffine(image, turn, image.shape[:2], borderMode=cv2.BORDER_REPLICATE).astype(
        np.uint8, copy=False
    )
    return turned
