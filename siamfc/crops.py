"""Crops around a target, mean colour outside the frame, and the exact way back from crop to frame pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from siamfc.boxes import Box
from siamfc.frames import Image
from siamfc.opencv import cv2

Color = tuple[float, float, float]

# Beyond it OpenCV's fixed-point positions overflow; a frame would be a pixel or two of such a crop.
_MAX_SIDE_PX = 1e6


def context_side(box: Box, context_amount: float) -> float:
    """Side, in frame pixels, of the square that becomes the exemplar crop.

    ``s = sqrt((w + 2p) (h + 2p))`` with ``2p = context_amount (w + h)``; section 2.4 of the paper.

    Example:
        >>> context_side(Box(0, 0, 40, 40), context_amount=0.5)
        80.0
    """
    padding = context_amount * (box.width + box.height)
    return math.sqrt((box.width + padding) * (box.height + padding))


@dataclass(frozen=True)
class CropRegion:
    """A square of the frame and the side of the crop it becomes: the map between frame and crop pixels.

    Both spaces are continuous, 0-based: the crop's pixel ``i`` covers ``[i, i + 1)`` of crop space. Nothing is
    rounded: a crop covers exactly its region, so the way back needs no correction.

    Attributes:
        center_x: Centre of the square, frame pixels.
        center_y: Centre of the square, frame pixels.
        side_px: Side of the square, frame pixels.
        crop_size: Side of the crop, crop pixels.

    Example:
        >>> region = CropRegion(100.0, 50.0, side_px=510.0, crop_size=255)
        >>> region.to_frame(127.5, 0.0)
        (100.0, -205.0)
        >>> region.to_crop(100.0, -205.0)
        (127.5, 0.0)
    """

    center_x: float
    center_y: float
    side_px: float
    crop_size: int

    @property
    def frame_px_per_crop_px(self) -> float:
        """Frame pixels that one crop pixel spans; above 1 the crop is a reduction."""
        return self.side_px / self.crop_size

    def to_frame(self, x: float, y: float) -> tuple[float, float]:
        """Point (x, y) of the crop, in frame pixels."""
        half = self.crop_size / 2
        return (
            self.center_x + (x - half) * self.frame_px_per_crop_px,
            self.center_y + (y - half) * self.frame_px_per_crop_px,
        )

    def to_crop(self, x: float, y: float) -> tuple[float, float]:
        """Point (x, y) of the frame, in crop pixels."""
        half = self.crop_size / 2
        return (
            (x - self.center_x) / self.frame_px_per_crop_px + half,
            (y - self.center_y) / self.frame_px_per_crop_px + half,
        )


def mean_color(frame: Image) -> Color:
    """Mean of each colour over a frame (H, W, 3), 0..255; what a crop shows outside the frame."""
    red, green, blue, _ = cv2.mean(frame)
    return red, green, blue


def crop(frame: Image, region: CropRegion, fill: Color) -> Image:
    """The region of the frame, resampled bilinearly to the crop's size.

    Reductions sample single points too, as the public trackers do: averaging first was measured on real sequences
    and followed large targets no better. OpenCV rounds the places it samples to 1/32 of a frame pixel.

    Args:
        frame: (H, W, 3) uint8.
        region: What to cut; may lie partly or wholly outside the frame.
        fill: Colour shown outside the frame, in the frame's channel order.

    Returns:
        (crop_size, crop_size, 3) uint8.
    """
    size, scale = region.crop_size, region.frame_px_per_crop_px
    if region.side_px > _MAX_SIDE_PX:
        return np.full((size, size, 3), np.rint(fill), dtype=np.uint8)
    left, top = region.to_frame(0.0, 0.0)
    # Only what the region covers is touched, so a region far larger than the frame costs no more than the frame.
    x0, y0 = max(0, math.floor(left) - 1), max(0, math.floor(top) - 1)
    x1, y1 = math.ceil(left + region.side_px) + 2, math.ceil(top + region.side_px) + 2
    part = frame[y0 : max(y1, y0), x0 : max(x1, x0)]
    if part.size == 0:
        return np.full((size, size, 3), np.rint(fill), dtype=np.uint8)
    # warpAffine counts from pixel centres, we from pixel edges: hence the halves.
    crop_to_part = np.array([[scale, 0, left - x0 + scale / 2 - 0.5], [0, scale, top - y0 + scale / 2 - 0.5]])
    return np.asarray(
        cv2.warpAffine(
            part,
            crop_to_part,
            (size, size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=fill,
        ),
        dtype=np.uint8,
    )
