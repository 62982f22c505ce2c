"""A picture at another scale and with a margin, read part by part: the same pixels however it is cut into parts."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from siamfc.crops import Color
from siamfc.frames import Image
from siamfc.opencv import cv2

_STEPS = 32  # OpenCV samples at this part of a pixel; rounding to it here makes a place's sample the same in every part


class ScaledPicture:
    """A `siamfc.tiles.PixelSource` over a picture, of which no scaled copy is ever held.

    A reduction averages blocks of 2, 4, 8, ... pixels first and samples bilinearly by the rest, which is less than
    two: thin things do not flicker away.

    Args:
        picture: (H, W, 3) uint8; may be memory-mapped.
        factor: Pixels here per pixel there; above 1 enlarges.
        margin: (rows, columns) of ``fill`` on every side, pixels here.
        fill: Colour of the margin.

    Example:
        >>> view = ScaledPicture(np.full((20, 30, 3), 200, np.uint8), 0.5, margin=(2, 3), fill=(0, 0, 0))
        >>> view.shape, view[0:4, 3:5][:, :, 0].tolist()
        ((14, 21, 3), [[0, 0], [0, 0], [200, 200], [200, 200]])
    """

    def __init__(self, picture: Image, factor: float, *, margin: tuple[int, int] = (0, 0), fill: Color) -> None:
        self.factor = factor
        self.margin = margin
        self._picture = picture
        self._fill = np.rint(fill).astype(np.uint8)
        self._halvings = max(0, math.floor(-math.log2(factor)))
        self._content = [max(1, round(side * factor)) for side in picture.shape[:2]]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, 3), margins included."""
        height, width = (side + 2 * margin for side, margin in zip(self._content, self.margin, strict=True))
        return height, width, 3

    @property
    def picture_size(self) -> tuple[int, int]:
        """(height, width) of the picture behind it."""
        return self._picture.shape[0], self._picture.shape[1]

    def __getitem__(self, part: tuple[slice, slice]) -> Image:
        """Rows and columns of it, given with start and stop: (h, w, 3) uint8."""
        out = np.empty((part[0].stop - part[0].start, part[1].stop - part[1].start, 3), np.uint8)
        out[:] = self._fill
        inside = [
            slice(max(side.start, margin), min(side.stop, margin + length))
            for side, margin, length in zip(part, self.margin, self._content, strict=True)
        ]
        if all(side.stop > side.start for side in inside):
            rows, columns = (
                np.arange(side.start - margin, side.stop - margin)
                for side, margin in zip(inside, self.margin, strict=True)
            )
            to = tuple(
                slice(side.start - own.start, side.stop - own.start) for side, own in zip(inside, part, strict=True)
            )
            out[to] = self._sample(rows, columns)
        return out

    def to_picture(self, x: float, y: float) -> tuple[float, float]:
        """A point here in pixels of the picture; both spaces continuous."""
        return (x - self.margin[1]) / self.factor, (y - self.margin[0]) / self.factor

    def _sample(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Image:
        if self.factor == 1:
            return self._picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        sides = [-(-side >> self._halvings) for side in self._picture.shape[:2]]
        places = [self._places(index, side) for index, side in zip((rows, columns), sides, strict=True)]
        (top, bottom), (left, right) = (
            (int(place[0]), min(int(place[-1]) + 2, side)) for place, side in zip(places, sides, strict=True)
        )
        source = self._reduced(slice(top, bottom), slice(left, right))
        map_y, map_x = np.meshgrid(places[0] - top, places[1] - left, indexing="ij")
        sampled = cv2.remap(
            source,
            map_x.astype(np.float32),
            map_y.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(sampled, dtype=np.uint8)

    def _places(self, index: NDArray[np.int64], side: int) -> NDArray[np.float64]:
        """Where pixels here are sampled, in pixel centres of the reduced picture."""
        centers = (index + 0.5) / (self.factor * 2**self._halvings) - 0.5
        return np.asarray(np.clip(np.rint(centers * _STEPS) / _STEPS, 0, side - 1))

    def _reduced(self, rows: slice, columns: slice) -> Image:
        """A part of the picture reduced by whole blocks; a block cut by the border repeats its last pixels."""
        if self._halvings == 0:
            return np.ascontiguousarray(self._picture[rows, columns])
        return halved(
            self._picture[
                rows.start << self._halvings : rows.stop << self._halvings,
                columns.start << self._halvings : columns.stop << self._halvings,
            ],
            self._halvings,
        )


def halved(picture: Image, times: int) -> Image:
    """The means of blocks of ``2 ** times`` pixels a side; a block cut by the border repeats its last pixels."""
    block = 1 << times
    height, width = (-(-side // block) for side in picture.shape[:2])
    missing = height * block - picture.shape[0], width * block - picture.shape[1]
    whole = cv2.copyMakeBorder(np.ascontiguousarray(picture), 0, missing[0], 0, missing[1], cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
