"""Shapes with a soft edge, drawn into a frame to a fraction of a pixel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from siamfc.frames import Image
from siamfc.opencv import cv2

Floats = NDArray[np.float32]

_LEVEL_RATIO = math.sqrt(0.5)
_COARSEST_PX = 16


class Pose(NamedTuple):
    """Where a cutout lies in the frame."""

    center_x: float  # frame pixels
    center_y: float
    scale: float  # frame pixels per pixel of the cutout's finest level
    angle_deg: float  # from the x axis towards the y axis


@dataclass(frozen=True)
class Cutout:
    """A shape at several resolutions; its border is transparent, so that interpolation never meets an edge.

    Attributes:
        levels: (h, w, 4) ``uint8``, RGB and opacity, the finest first, each about 0.7 times the one before. A
            drawing starts from the level next above its own size: linear interpolation aliases if it shrinks
            by more.
    """

    levels: tuple[Image, ...]

    @classmethod
    def from_layers(cls, rgb: Floats, opacity: Floats) -> Cutout:
        """A cutout from colours (h, w, 3) in 0..255 and opacity (h, w) in 0..1, both float32."""
        # Shrinking mixes colours by opacity, so they are weighted before and divided after.
        weighted = [np.dstack([rgb * opacity[..., None], opacity])]
        height, width = opacity.shape
        num_levels = 1 + math.ceil(math.log(_COARSEST_PX / min(height, width)) / math.log(_LEVEL_RATIO))
        for level in range(1, num_levels):
            size = (round(width * _LEVEL_RATIO**level), round(height * _LEVEL_RATIO**level))
            twice_as_large = weighted[max(level - 2, 0)]
            weighted.append(as_floats(cv2.resize(twice_as_large, size, interpolation=cv2.INTER_AREA)))
        return cls(tuple(_divide_by_opacity(level) for level in weighted))

    def shadow(self, *, opacity: float = 0.45) -> Cutout:
        """The soft dark shape that this cutout casts; drawn like it, a little aside."""
        height, width = self.levels[0].shape[:2]
        pad = width // 8
        shape = cv2.copyMakeBorder(self.levels[0][..., 3], pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0)
        soft = cv2.GaussianBlur(shape.astype(np.float32) / 255, (0, 0), width / 24) * opacity
        return Cutout.from_layers(np.zeros((height + 2 * pad, width + 2 * pad, 3), np.float32), soft)

    def draw(self, frame: Image, pose: Pose) -> None:
        """Lay the cutout over ``frame`` (H, W, 3), in place; parts outside are cut."""
        patch, (rows, columns) = self._warp(pose, frame.shape[:2])
        if patch.size == 0:
            return
        opacity = cv2.extractChannel(patch, 3) * np.float32(1 / 255)
        over, under = cv2.cvtColor(patch, cv2.COLOR_RGBA2RGB), np.ascontiguousarray(frame[rows, columns])
        frame[rows, columns] = cv2.blendLinear(over, under, opacity, 1 - opacity)

    def opacity(self, frame_size: tuple[int, int], pose: Pose) -> Floats:
        """Share of each frame pixel that the cutout covers at this pose: (H, W) float32 in 0..1."""
        covered = np.zeros(frame_size, np.float32)
        patch, (rows, columns) = self._warp(pose, frame_size)
        covered[rows, columns] = patch[..., 3] / np.float32(255)
        return covered

    def _warp(self, pose: Pose, frame_size: tuple[int, ...]) -> tuple[Image, tuple[slice, slice]]:
        """The cutout as it lies in the frame, (h, w, 4), and the rows and columns that it lies on."""
        full_height, full_width = self.levels[0].shape[:2]
        level = math.floor(math.log(min(pose.scale, 1.0)) / math.log(_LEVEL_RATIO) + 1e-9)
        source = self.levels[min(level, len(self.levels) - 1)]
        height, width = source.shape[:2]
        cos, sin = math.cos(math.radians(pose.angle_deg)), math.sin(math.radians(pose.angle_deg))
        # A level's sides are rounded, so its two axes scale by slightly different factors.
        along_x, along_y = pose.scale * full_width / width, pose.scale * full_height / height
        turn = np.array([[cos * along_x, -sin * along_y], [sin * along_x, cos * along_y]])
        center = np.array([pose.center_x, pose.center_y])

        reach = np.abs(turn) @ (width / 2, height / 2)
        left, top = (max(math.floor(value), 0) for value in center - reach)
        right, bottom = (math.ceil(value) for value in center + reach)
        right, bottom = max(min(right, frame_size[1]), left), max(min(bottom, frame_size[0]), top)
        where = (slice(top, bottom), slice(left, right))
        if right == left or bottom == top:
            return np.empty((bottom - top, right - left, 4), np.uint8), where
        # Pixel i covers [i, i + 1): OpenCV's index coordinates are ours minus one half, on both sides.
        shift = center - turn @ (width / 2 - 0.5, height / 2 - 0.5) - (left + 0.5, top + 0.5)
        patch = cv2.warpAffine(source, np.column_stack([turn, shift]), (right - left, bottom - top))
        return as_uint8(patch), where


def _divide_by_opacity(weighted: Floats) -> Image:
    opacity = weighted[..., 3:]
    pixels = np.dstack([weighted[..., :3] / np.maximum(opacity, np.float32(1e-3)), opacity * 255])
    return as_uint8(np.minimum(np.rint(pixels), 255))


def as_uint8(pixels: NDArray[Any]) -> Image:
    """What OpenCV gave, typed as the ``uint8`` that it is."""
    return np.asarray(pixels, dtype=np.uint8)


def as_floats(pixels: NDArray[Any]) -> Floats:
    """What OpenCV gave, typed as the ``float32`` that it is."""
    return np.asarray(pixels, dtype=np.float32)
