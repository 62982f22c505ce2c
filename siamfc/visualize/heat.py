"""Scores as colours: one scale with its bar and unit, maps as tiles, and a map laid over the picture it belongs to."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from siamfc.drawing import (
    FONT,
    INK,
    LEAST_TEXT,
    SHADE,
    SUBPIXEL_BITS,
    TRUE,
    Rgb,
    draw_text,
    small_text_scale,
    subpixels,
    text_scale,
    text_size,
)
from siamfc.frames import Image
from siamfc.opencv import cv2

Cell = tuple[float, float]
"""Row and column of a map, in cells; between two cells for what was found below the stride."""

_FAINTEST, _STRONGEST = 0.3, 0.92  # opacity over a picture of the scale's low and high end
_GRADIENT_PX = 14
_TICKS = 5
_ROOM_FOR_UNIT_PX = 160
_ROOM_FOR_BAR_PX, _ROOM_FOR_NUMBERS_PX = 32, 80  # sides of a compact map


class ColorScale(NamedTuple):
    """From which score to which the colours go; beyond, the end colours are shown.

    Attributes:
        low: Score of the darkest colour.
        high: Score of the brightest.
        unit: What the numbers are.

    Example:
        >>> ColorScale(-1, 3).shares(np.array([-2.0, 0.0, 1.0, 9.0])).tolist()
        [0.0, 0.25, 0.5, 1.0]
    """

    low: float
    high: float
    unit: str = "score (logit)"

    @classmethod
    def of(cls, *maps: NDArray[Any], unit: str = "score (logit)") -> ColorScale:
        """The scale from the lowest to the highest finite value of some maps."""
        values = np.concatenate([values[np.isfinite(values)] for values in maps])
        return cls(float(values.min()), float(values.max()), unit) if values.size else cls(0.0, 1.0, unit)

    def shares(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Place of each value on the scale, 0..1 float32; what is not a number stays none."""
        span = max(self.high - self.low, 1e-9)
        return np.clip((values - self.low) / span, 0, 1).astype(np.float32)

    def colorize(self, values: NDArray[Any]) -> Image:
        """(h, w) values -> (h, w, 3) colours; what is not a number has the colour of nothing."""
        shares = self.shares(values)
        levels = np.rint(np.nan_to_num(shares) * 255).astype(np.uint8)
        colors = np.asarray(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[..., ::-1], dtype=np.uint8)
        return np.where(np.isnan(shares)[..., None], np.array(SHADE, np.uint8), colors)


class Placement(NamedTuple):
    """Where a map's cells lie on a picture; pictures count from 0, pixel ``i`` covering ``[i, i + 1)``.

    Attributes:
        x: Centre of the first cell, picture pixels.
        y: As ``x``.
        step: Picture pixels from cell to cell.

    Example:
        >>> placement = Placement(63.5, 63.5, step=8.0)
        >>> placement.point((1, 2)), placement.cell((79.5, 71.5))
        ((79.5, 71.5), (1.0, 2.0))
    """

    x: float
    y: float
    step: float

    def point(self, cell: Cell) -> tuple[float, float]:
        """Where a cell's centre lies, (x, y)."""
        return self.x + cell[1] * self.step, self.y + cell[0] * self.step

    def cell(self, point: tuple[float, float]) -> Cell:
        """The cell, row and column, whose centre lies at (x, y)."""
        return (point[1] - self.y) / self.step, (point[0] - self.x) / self.step

    def zoomed(self, factor: float) -> Placement:
        """The same on the picture resized by a factor."""
        return Placement(self.x * factor, self.y * factor, self.step * factor)


def lay_over(image: Image, values: NDArray[Any], placement: Placement, scale: ColorScale) -> Image:
    """A picture (H, W, 3) with a map (h, w) over it, each cell's centre where it belongs, to the pixel.

    Under the map the picture is grey, so that there colour always means score; low scores let it through, high ones
    nearly hide it. What is not a number is not laid over.
    """
    (height, width), (rows, columns) = image.shape[:2], values.shape
    # What interpolation reaches: from the cell before the first to the one behind the last.
    left, right = _pixels_between(placement.x - placement.step, placement.x + columns * placement.step, width)
    top, bottom = _pixels_between(placement.y - placement.step, placement.y + rows * placement.step, height)
    laid = image.copy()
    if left < right and top < bottom:
        part = image[top:bottom, left:right]
        inside = Placement(placement.x - left, placement.y - top, placement.step)
        laid[top:bottom, left:right] = _blend(part, values, inside, scale)
    return laid


def map_tile(
    values: NDArray[Any],
    scale: ColorScale,
    *,
    size: tuple[int, int],
    peak: Cell | None = None,
    truth: Cell | None = None,
    smooth: bool = True,
) -> Image:
    """A map by itself, filling (height, width), with a ring at its peak and a cross at the true centre.

    Args:
        values: (h, w).
        scale: Its colours.
        size: (height, width) of the tile, pixels.
        peak: In cells of ``values``.
        truth: In cells of ``values``; not drawn where it lies outside.
        smooth: Interpolate between cells; otherwise each is a square.
    """
    (height, width), (rows, columns) = size, values.shape
    interpolation = cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST
    tile = np.asarray(cv2.resize(scale.colorize(values), (width, height), interpolation=interpolation), dtype=np.uint8)
    radius = min(size) / 32
    for cell, draw in ((truth, draw_cross), (peak, draw_ring)):
        if cell is not None:
            draw(tile, ((cell[1] + 0.5) * width / columns, (cell[0] + 0.5) * height / rows), radius)
    return tile


def compact_map(
    values: NDArray[Any], scale: ColorScale, *, side_px: int, peak: Cell | None = None, font: float = LEAST_TEXT
) -> Image:
    """A map and a narrow bar in a small square (side_px, side_px, 3), the bar's two ends numbered on the map.

    What has no room is left out: the unit, then the numbers, then the bar and the ring.

    Args:
        values: (h, w).
        scale: Its colours.
        side_px: Of the square.
        peak: In cells of ``values``; ringed.
        font: Font scale of the numbers.
    """
    if side_px < _ROOM_FOR_BAR_PX:
        return map_tile(values, scale, size=(side_px, side_px))
    bar_px = max(8, side_px // 16)
    width = side_px - bar_px - 2
    panel = np.full((side_px, side_px, 3), SHADE, dtype=np.uint8)
    panel[:, :width] = map_tile(values, scale, size=(side_px, width), peak=peak)
    panel[:, -bar_px:] = scale.colorize(np.linspace(scale.high, scale.low, side_px)[:, None].repeat(bar_px, axis=1))
    zoom = font / LEAST_TEXT
    high, low = (_number(value, scale) for value in (scale.high, scale.low))
    widest = max(text_size(text, font).width for text in (high, low))
    if side_px < _ROOM_FOR_NUMBERS_PX * zoom or widest + 8 * zoom > width:  # else they would run into the ring
        return panel
    for text, y in ((high, 16 * zoom), (low, side_px - 8 * zoom)):
        draw_text(panel, text, (width - 4 * zoom - text_size(text, font).width, y), scale=font)
    if text_size(scale.unit, font).width + 50 * zoom <= width:  # else it would run into the number
        draw_text(panel, scale.unit, (6 * zoom, 16 * zoom), scale=font)
    return panel


def color_bar(scale: ColorScale, height: int) -> Image:
    """(height, w, 3): the colours from low at the bottom to high at the top, with numbers and, if it fits, the unit."""
    font = small_text_scale(height)
    zoom = font / LEAST_TEXT
    margin, gradient = min(round(10 * zoom), height // 8), round(_GRADIENT_PX * zoom)
    left, tick = round(4 * zoom), round(3 * zoom)
    numbers = left + gradient + 2 * tick  # where they begin
    ramp = np.linspace(scale.high, scale.low, height - 2 * margin)
    texts = [_number(value, scale) for value in np.linspace(scale.high, scale.low, _TICKS if height >= 120 else 2)]
    sizes = [text_size(text, font) for text in texts]
    unit_px = round(18 * zoom)
    has_unit = height >= _ROOM_FOR_UNIT_PX
    width = (
        numbers + max(size.width for size in sizes) + round(4 * zoom) + (unit_px + round(2 * zoom) if has_unit else 0)
    )
    bar = np.full((height, width, 3), SHADE, dtype=np.uint8)
    bar[margin : margin + len(ramp), left : left + gradient] = scale.colorize(ramp[:, None].repeat(gradient, axis=1))
    for text, size, y in zip(texts, sizes, np.linspace(margin, margin + len(ramp) - 1, len(texts)), strict=True):
        cv2.line(bar, (left + gradient, round(y)), (left + gradient + tick, round(y)), INK, size.stroke)
        cv2.putText(bar, text, (numbers, round(y + 4 * zoom)), FONT, font, INK, size.stroke, cv2.LINE_AA)
    if has_unit:
        size = text_size(scale.unit, font)
        label = np.full((unit_px, size.width + 4, 3), SHADE, dtype=np.uint8)
        cv2.putText(label, scale.unit, (2, round(13 * zoom)), FONT, font, INK, size.stroke, cv2.LINE_AA)
        upright = np.rot90(label)[:height]
        top = (height - len(upright)) // 2
        bar[top : top + len(upright), -unit_px:] = upright
    return bar


def draw_ring(image: Image, center: tuple[float, float], radius: float, *, color: Rgb = INK) -> None:
    """A ring with a dark rim into the picture itself, around (x, y) in pixels: the peak."""
    at, size = subpixels(center[0] - 0.5, center[1] - 0.5), max(round(radius), 3) << SUBPIXEL_BITS
    line = _mark_line(radius)
    for ink, thickness in ((SHADE, 3 * line), (color, line)):
        cv2.circle(image, at, size, ink, thickness, cv2.LINE_AA, SUBPIXEL_BITS)


def draw_cross(image: Image, center: tuple[float, float], radius: float, *, color: Rgb = TRUE) -> None:
    """A cross with a dark rim into the picture itself, at (x, y) in pixels: the true centre."""
    (x, y), arm = center, max(1.2 * radius, 4)
    if not (-arm <= x <= image.shape[1] + arm and -arm <= y <= image.shape[0] + arm):
        return
    line = _mark_line(radius)
    for ink, thickness in ((SHADE, 3 * line), (color, line)):
        for along_x, along_y in ((arm, arm), (arm, -arm)):
            near = subpixels(x - along_x - 0.5, y - along_y - 0.5)
            far = subpixels(x + along_x - 0.5, y + along_y - 0.5)
            cv2.line(image, near, far, ink, thickness, cv2.LINE_AA, SUBPIXEL_BITS)


def titled(tile: Image, title: str, *, font: float | None = None) -> Image:
    """The tile with its name in the corner, where there is room for it; ``font`` as ``scale`` of `draw_text`."""
    size = text_size(title, text_scale(min(tile.shape[:2])) if font is None else font)
    if size.width + 8 <= tile.shape[1] and size.height + 2 * size.rim <= tile.shape[0]:
        draw_text(tile, title, (2 * size.rim, size.height + 2 * size.rim + 2), scale=font)
    return tile


def _blend(image: Image, values: NDArray[Any], placement: Placement, scale: ColorScale) -> Image:
    shares = scale.shares(values)
    known = np.isfinite(shares)
    size, interpolation = (image.shape[1], image.shape[0]), cv2.INTER_LINEAR
    to_picture = np.array([[placement.step, 0, placement.x - 0.5], [0, placement.step, placement.y - 0.5]])
    covered = cv2.warpAffine(known.astype(np.float32), to_picture, size, flags=interpolation)
    opacity = np.nan_to_num(_FAINTEST + (_STRONGEST - _FAINTEST) * np.sqrt(shares)).astype(np.float32)
    alpha = cv2.warpAffine(opacity, to_picture, size, flags=interpolation)[..., None]
    colors = cv2.warpAffine(scale.colorize(values), to_picture, size, flags=interpolation).astype(np.float32)
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None]
    under = image + covered[..., None] * (grey - image)
    return np.asarray(np.rint(under + alpha * (colors - under)), dtype=np.uint8)


def _pixels_between(low: float, high: float, length: int) -> tuple[int, int]:
    """First pixel, and the one behind the last, of what lies between two places on a side of so many pixels."""
    return max(math.floor(low), 0), min(math.ceil(high) + 1, length)


def _mark_line(radius: float) -> int:
    """Width of a ring's or a cross's line, pixels."""
    return max(1, round(radius / 12))


def _number(value: float, scale: ColorScale) -> str:
    """A score with two digits that count over the scale: 0.25, 31, 1.2e+05."""
    span = max(abs(scale.high - scale.low), 1e-9)
    if span >= 1e4 or span < 1e-3:
        return f"{value:.1e}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(span) + 0.3))}f}"
