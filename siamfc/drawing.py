"""Boxes, text and pixel rulers drawn onto frames, and pictures written to disk."""

from __future__ import annotations

from colorsys import hsv_to_rgb
from pathlib import Path
from typing import NamedTuple

import numpy as np

from siamfc.boxes import Box
from siamfc.errors import OutputError
from siamfc.files import write_whole
from siamfc.frames import Image, as_bgr
from siamfc.opencv import cv2

Rgb = tuple[int, int, int]

TRACKED: Rgb = (255, 176, 0)
TRUE: Rgb = (60, 220, 120)
INK: Rgb = (255, 255, 255)
SHADE: Rgb = (18, 20, 24)
FONT = cv2.FONT_HERSHEY_SIMPLEX
LEAST_TEXT = 0.42  # cv2's font scale; letters 9 px high, the smallest that read well
SUBPIXEL_BITS = 4  # cv2 draws at sixteenths of a pixel


def target_color(number: int) -> Rgb:
    """The colour of the n-th of several targets; neighbours differ, and the first has that of a single one.

    Example:
        >>> target_color(0) == TRACKED, target_color(1)
        (True, (51, 175, 255))
    """
    if number == 0:
        return TRACKED
    hue = (0.115 + 0.45 * number) % 1  # turns of the colour circle: far from the last, and back only after twenty
    red, green, blue = hsv_to_rgb(hue, 0.8, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)


def save_picture(path: Path, image: Image, *, overwrite: bool = False) -> None:
    """Write a picture (H, W, 3) as PNG, whole or not at all.

    Raises:
        OutputError: The name does not end in .png, the file exists, or it cannot be written.
    """
    if path.suffix.lower() != ".png":
        raise OutputError(f"a picture is written as .png, not as {path.name!r}; name it {path.stem}.png")
    _, data = cv2.imencode(".png", as_bgr(image))
    with write_whole(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(data.tobytes())


def line_width(image: Image) -> int:
    """Width of a line that reads well on a picture of this size, pixels."""
    return int(max(1, min(image.shape[:2]) // 240))


class TextSize(NamedTuple):
    """Room that a line of text takes, pixels.

    Attributes:
        width: From its left end to its right.
        height: Of capitals, from the baseline up.
        below: From the baseline down, for letters such as g.
        stroke: Width of the letters' lines.
        rim: Width of the dark lines behind them.
    """

    width: int
    height: int
    below: int
    stroke: int
    rim: int


def text_size(text: str, scale: float) -> TextSize:
    """The room that a line of text takes at a font scale; its lines grow with it, so that large text reads as well."""
    stroke = max(1, round(1.7 * scale))
    (width, height), below = cv2.getTextSize(text, FONT, scale, stroke)
    return TextSize(width, height, below, stroke, 3 * stroke)


def text_scale(side_px: int) -> float:
    """The font scale of labels on a picture whose shorter side has so many pixels."""
    return max(LEAST_TEXT, side_px / 900)


def small_text_scale(side_px: int) -> float:
    """The font scale beside such a picture: the smallest up to 720 pixels, nearly that of its labels at 2160."""
    return max(LEAST_TEXT, (side_px - 360) / 900)


def draw_box(image: Image, box: Box, *, color: Rgb = TRACKED, label: str = "") -> None:
    """Draw a box, frame pixels, into the frame (H, W, 3) itself, and a label above or below it.

    A label that is larger than the frame is left out.
    """
    thickness = line_width(image)
    # cv2's coordinates name pixel centres.
    near, far = (subpixels(x - 0.5, y - 0.5) for x, y in ((box.x, box.y), (box.x + box.width, box.y + box.height)))
    cv2.rectangle(image, near, far, SHADE, thickness + 2, cv2.LINE_AA, SUBPIXEL_BITS)
    cv2.rectangle(image, near, far, color, thickness, cv2.LINE_AA, SUBPIXEL_BITS)
    size = text_size(label, text_scale(min(image.shape[:2])))
    if label and size.width + 2 * size.rim <= image.shape[1] and size.height + 2 * size.rim <= image.shape[0]:
        gap = max(6, round(min(image.shape[:2]) / 100))
        above = box.y > 4 * gap
        draw_text(image, label, (box.x, box.y - gap if above else box.y + box.height + gap + size.height), color=color)


def draw_text(
    image: Image, text: str, at: tuple[float, float], *, color: Rgb = INK, scale: float | None = None
) -> None:
    """Write a line into the picture itself, with a dark rim.

    Args:
        image: (H, W, 3).
        text: The line.
        at: Its baseline's left end, (x, y); moved as far as it takes to keep the text inside.
        color: Of the letters.
        scale: Font scale; None takes that of labels on a picture of this size.
    """
    scale = text_scale(min(image.shape[:2])) if scale is None else scale
    size = text_size(text, scale)
    x = int(min(max(at[0], size.rim), max(image.shape[1] - size.width - size.rim, size.rim)))
    y = int(min(max(at[1], size.height + size.rim), image.shape[0] - size.below))
    cv2.putText(image, text, (x, y), FONT, scale, SHADE, size.rim, cv2.LINE_AA)
    cv2.putText(image, text, (x, y), FONT, scale, color, size.stroke, cv2.LINE_AA)


def draw_rulers(image: Image) -> Image:
    """The frame with pixel rulers along its left and top edge, for reading off a box.

    Labels are frame pixels; the picture is enlarged where the frame is so small that they would not fit.
    """
    zoom = max(1, round(480 / max(image.shape[:2])))
    frame = np.asarray(cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_NEAREST), dtype=np.uint8)
    margin = 44
    canvas = np.full((frame.shape[0] + margin, frame.shape[1] + margin, 3), SHADE, dtype=np.uint8)
    canvas[margin:, margin:] = frame
    step = _tick_step(max(image.shape[:2]))
    for tick in range(0, image.shape[1], step // 5 or 1):
        x, major = margin + tick * zoom, tick % step == 0
        cv2.line(canvas, (x, margin - (12 if major else 5)), (x, margin), INK, 1)
        if major:
            cv2.putText(canvas, str(tick), (x + 3, margin - 16), FONT, 0.42, INK, 1, cv2.LINE_AA)
            canvas[margin:, x] = canvas[margin:, x] // 2 + 64
    for tick in range(0, image.shape[0], step // 5 or 1):
        y, major = margin + tick * zoom, tick % step == 0
        cv2.line(canvas, (margin - (12 if major else 5), y), (margin, y), INK, 1)
        if major:
            cv2.putText(canvas, str(tick), (2, y + 13), FONT, 0.42, INK, 1, cv2.LINE_AA)
            canvas[y, margin:] = canvas[y, margin:] // 2 + 64
    return canvas


def subpixels(x: float, y: float) -> tuple[int, int]:
    """A point in pixels as cv2's drawing takes it with ``shift=SUBPIXEL_BITS``."""
    factor = 1 << SUBPIXEL_BITS
    return round(x * factor), round(y * factor)


def _tick_step(length_px: int) -> int:
    for step in (10, 20, 50, 100, 200, 500, 1000):
        if length_px / step <= 14:
            return step
    return 2000
