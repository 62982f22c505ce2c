"""Decoded pictures to frames: colours, rotation marks, times and numbers; files and streams share it."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from siamfc.frames import Image, as_rgb_frame
from siamfc.video.pyav import av
from siamfc.video.source import Frame, Span


class Picture(NamedTuple):
    """A decoded picture in the codec's colours, and its time on the container's clock where it has one."""

    time_s: Fraction | None
    coded: av.VideoFrame


class RgbConverter:
    """Pictures as frames: RGB by the matrix and range that the video states, turned upright.

    An object, because the conversion's tables are kept from picture to picture. The filter is the one of the
    ``ffmpeg`` program, so that both give the same pixels.
    """

    def __init__(self) -> None:
        self._reformatter = av.video.reformatter.VideoReformatter()

    def __call__(self, coded: av.VideoFrame) -> Image:
        """The picture as (H, W, 3) ``uint8`` RGB."""
        rgb = self._reformatter.reformat(coded, format="rgb24", interpolation="BICUBIC").to_ndarray()
        return as_rgb_frame(_upright(rgb.astype(np.uint8, copy=False), coded))


def _upright(image: Image, coded: av.VideoFrame) -> Image:
    """The image turned and mirrored as its display matrix asks, to the nearest right angle.

    The matrix takes the pixel (x, y) to (a x + c y, b x + d y).
    """
    matrix = coded.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return image
    a, b, _, c, d = np.frombuffer(memoryview(matrix), np.int32)[:5].tolist()  # type: ignore[arg-type]
    mirror_x, mirror_y = a < 0, d < 0
    if abs(b) + abs(c) > abs(a) + abs(d):
        image = image.transpose(1, 0, 2)
        mirror_x, mirror_y = c < 0, b < 0
    return image[:: -1 if mirror_y else 1, :: -1 if mirror_x else 1]


class Clock:
    """Seconds from the first picture; for a picture that states no time, its number over the frame rate."""

    def __init__(self, frame_rate: float | None) -> None:
        self._frame_rate = frame_rate
        self._begin: Fraction | None = None  # when picture 0 was shown, on the container's clock

    def time_of(self, number: int, stated: Fraction | None) -> float | None:
        """Time of the picture of this number; None where neither its time nor the frame rate is known."""
        if stated is None:
            return number / self._frame_rate if self._frame_rate else None
        if self._begin is None:
            self._begin = stated - Fraction(number / self._frame_rate if self._frame_rate else 0)
        return float(stated - self._begin)


def number_frames(
    pictures: Iterable[Picture], span: Span, frame_rate: float | None
) -> Generator[Frame, None, int | None]:
    """The wanted pictures as frames; the others are counted, not converted.

    Returns:
        When the pictures end, how many there were in all; None where ``span`` ended first.
    """
    to_rgb, clock = RgbConverter(), Clock(frame_rate)
    total = 0
    for number, (stated, coded) in enumerate(pictures):
        time_s = clock.time_of(number, stated)
        if span.holds(number):
            yield Frame(number, time_s, None, to_rgb(coded))
        if span.ends_after(number):
            return None
        total = number + 1
    return total
