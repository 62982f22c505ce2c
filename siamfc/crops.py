"""Crops around a target, mean colour outside the frame, and the exact way back from crop to frame pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from siamfc.boxes import Box
from siamfc.frames import Image
from siamfc.opencv import cv2

Color = tuple[float, float, float]

# Beyond it OpenCV's fixed-point positions overflow; a frame would be a pixel or two of such a crop.
_MAX_SIDE_PX = 1e6

_OPENCV_SIDE_PX = 32766  # OpenCV warps no picture with a longer side

INTERPOLATION_PX = 0.5 + 1 / 64
"""Nearer to the frame's border than this, frame pixels, a sample mixes in what lies outside: half a pixel, and
OpenCV's rounding."""


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

    def widened(self, border_px: int) -> CropRegion:
        """With so many crop pixels more to each side, at the same scale."""
        share = 1 + 2 * border_px / self.crop_size
        return CropRegion(self.center_x, self.center_y, self.side_px * share, self.crop_size + 2 * border_px)

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


def crop(frame: Image, region: CropRegion, fill: Color | None = None, *, out: Image | None = None) -> Image:
    """The region of the frame, resampled bilinearly to the crop's size.

    Reductions sample single points too, as the public trackers do: averaging first was measured on real sequences
    and followed large targets no better. OpenCV rounds the places it samples to 1/32 of a frame pixel; where more than
    32,766 pixels of a row or column are covered, it is given every n-th.

    Args:
        frame: (H, W, 3) uint8.
        region: What to cut; may lie partly or wholly outside the frame.
        fill: Colour shown outside the frame, in the frame's channel order; None: its mean, taken where it shows.
        out: Where to put the crop, (crop_size, crop_size, 3) uint8, contiguous; None: into a new array.

    Returns:
        (crop_size, crop_size, 3) uint8.
    """
    left, top = region.to_frame(0.0, 0.0)
    scale = region.frame_px_per_crop_px
    return sample(frame, np.array([[scale, 0, left], [0, scale, top]]), region.crop_size, fill, out=out)


def sample(
    frame: Image,
    crop_to_frame: NDArray[np.float64],
    crop_size: int,
    fill: Color | None = None,
    *,
    out: Image | None = None,
) -> Image:
    """A square crop through any affine map: turned, mirrored, stretched, resampled bilinearly once.

    Args:
        frame: (H, W, 3) uint8.
        crop_to_frame: (2, 3): a point (x, y, 1) of the crop -> its point (x, y) in the frame; both spaces continuous.
        crop_size: Side of the crop, crop pixels.
        fill: Colour shown outside the frame, in the frame's channel order; None: its mean, taken where it shows.
        out: As `crop`.

    Returns:
        (crop_size, crop_size, 3) uint8.
    """
    corners = crop_to_frame @ np.array([[0, crop_size, 0, crop_size], [0, 0, crop_size, crop_size], [1, 1, 1, 1]])
    (left, top), (right, bottom) = corners.min(axis=1).tolist(), corners.max(axis=1).tolist()
    if fill is None:
        height, width = frame.shape[:2]
        inner = min(left, top, width - right, height - bottom)
        fill = (0, 0, 0) if inner > INTERPOLATION_PX else mean_color(frame)
    if max(right - left, bottom - top) <= _MAX_SIDE_PX:
        # Only what the crop covers is touched, so a crop far larger than the frame costs no more than the frame.
        x0, y0 = max(0, math.floor(left) - 1), max(0, math.floor(top) - 1)
        part = frame[y0 : max(math.ceil(bottom) + 2, y0), x0 : max(math.ceil(right) + 2, x0)]
        if part.size:
            return _warp(part, crop_to_frame - np.array([[0, 0, x0], [0, 0, y0]]), crop_size, fill, out)
    out = np.empty((crop_size, crop_size, 3), dtype=np.uint8) if out is None else out
    out[:] = np.rint(fill)
    return out


def _warp(part: Image, crop_to_part: NDArray[np.float64], crop_size: int, fill: Color, out: Image | None) -> Image:
    # warpAffine counts from pixel centres, we from pixel edges: half a crop pixel in, half a frame pixel back.
    matrix = crop_to_part.copy()
    matrix[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    # Of a part that is too long for OpenCV every n-th pixel stays: a crop pixel spans very many of them, and is
    # sampled at a point anyway.
    step_y, step_x = (-(-side // _OPENCV_SIDE_PX) for side in part.shape[:2])
    if max(step_x, step_y) > 1:
        part, matrix = np.ascontiguousarray(part[::step_y, ::step_x]), matrix / [[step_x], [step_y]]
    return np.asarray(
        cv2.warpAffine(
            part,
            matrix,
            (crop_size, crop_size),
            dst=out,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=fill,
        ),
        dtype=np.uint8,
    )
