"""Small moving scenes made of a photograph, in which the true place of the target is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from siamfc.boxes import Box
from siamfc.opencv import cv2

Picture = NDArray[np.uint8]

EYE = Box(196, 160, 56, 52)
"""An eye behind its glass in the photograph, with room around it on all sides."""


EMBLEM = Box(232, 28, 60, 54)
"""The emblem on the cap in the photograph; there is no other like it."""


class Scene(NamedTuple):
    """Frames (H, W, 3) uint8 RGB and the target's box in each."""

    frames: list[Picture]
    boxes: list[Box]


def pan(
    photograph: Picture, corners: Sequence[tuple[int, int]], *, size: tuple[int, int] = (280, 320), target: Box = EYE
) -> Scene:
    """A camera that looks at a part of the photograph, (height, width), from each corner (x, y): pure translation."""
    height, width = size
    frames = [np.ascontiguousarray(photograph[y : y + height, x : x + width]) for x, y in corners]
    return Scene(frames, [Box(target.x - x, target.y - y, target.width, target.height) for x, y in corners])


def carry(photograph: Picture, corners: Sequence[tuple[int, int]], *, size: tuple[int, int] = (280, 320)) -> Scene:
    """The eye, carried over another part of the photograph with its upper left at each corner (x, y)."""
    height, width = size
    background = photograph[-height:, -width:]
    left, top, across, down = (round(value) for value in EYE)
    eye = photograph[top : top + down, left : left + across]
    frames = []
    for x, y in corners:
        frame = cv2.copyMakeBorder(background, 300, 300, 300, 300, cv2.BORDER_REPLICATE)
        frame[300 + y : 300 + y + down, 300 + x : 300 + x + across] = eye
        frames.append(np.ascontiguousarray(frame[300:-300, 300:-300]))
    return Scene(frames, [Box(x, y, across, down) for x, y in corners])


def zoom(photograph: Picture, factors: Sequence[float], *, size: tuple[int, int] = (280, 320)) -> Scene:
    """A camera that holds the eye in the middle and zooms: at a factor of 2 it is twice as large."""
    height, width = size
    center_x, center_y = EYE.center
    frames, boxes = [], []
    for factor in factors:
        # Both spaces are continuous, 0-based; warpAffine counts from pixel centres.
        shift_x, shift_y = width / 2 - factor * center_x, height / 2 - factor * center_y
        half = factor / 2 - 0.5
        matrix = np.array([[factor, 0, shift_x + half], [0, factor, shift_y + half]])
        frames.append(np.asarray(cv2.warpAffine(photograph, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)))
        boxes.append(Box.from_center(width / 2, height / 2, EYE.width * factor, EYE.height * factor))
    return Scene(frames, boxes)
