"""Everything seen in one searched frame as one picture, or each part of it by itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from siamfc.boxes import Box
from siamfc.config import TrackerConfig
from siamfc.drawing import INK, SHADE, TRACKED, TRUE, draw_box
from siamfc.frames import Image
from siamfc.opencv import cv2
from siamfc.score_map import score_map_position
from siamfc.tracker.track_result import ScoreMaps
from siamfc.visualize.heat import Cell, ColorScale, color_bar, draw_cross, draw_ring, map_tile, titled
from siamfc.visualize.maps import (
    heat_over_frame,
    map_placement,
    response_placement,
    upsampled_maps,
    windowed_scores,
)

View = Literal["panel", "overlay", "raw", "upsampled", "windowed", "scales"]
VIEWS: tuple[View, ...] = get_args(View)

_TILE_PX = 212
_GAP_PX = 4
_ALONE_PX = 510  # side of a map that is a picture by itself
_WIDEST = 2.4  # a frame in a panel, in times its height


@dataclass(frozen=True)
class SeenFrame:
    """A frame with what was seen in it.

    Attributes:
        image: (H, W, 3).
        label: What to call it: its number.
        exemplar: (e, e, 3), the crop that is looked for.
        search: (s, s, 3), what the chosen scale's search crop shows; None where the frame was not searched.
        maps: What the search gave; None where the frame was not searched.
        box: The box found, frame pixels; None where nothing was tracked.
        score: How sure it is that the place found shows the object, 0 to 1, as `TrackResult.score`.
        truth: The true box where it is known, frame pixels.
        has_window: Whether the response is windowed: a pair of images has no earlier place to stay near to.
    """

    image: Image
    label: str
    exemplar: Image
    search: Image | None
    maps: ScoreMaps | None
    box: Box | None
    score: float
    truth: Box | None = None
    has_window: bool = True


class PanelPainter:
    """Draws the views of frames, all on one colour scale.

    Args:
        config: The tracker's settings.
        stride: The network's, search pixels a cell.
        scale: The colours; None where no frame was searched yet.
    """

    def __init__(self, config: TrackerConfig, stride: int, scale: ColorScale | None) -> None:
        self._config = config
        self._stride = stride
        self._scale = scale or ColorScale(0.0, 1.0)

    def paint(self, seen: SeenFrame, view: View) -> Image:
        """One view of a frame, (h, w, 3); the same size for every frame of a video.

        ``overlay`` has the frame's own pixels, with the bar beside them; the maps by themselves are enlarged to
        about 500 px; ``panel`` holds everything.
        """
        if view == "panel":
            return self._panel(seen)
        if view == "overlay":
            picture = self._frame(seen, zoom=1.0)
        elif view == "scales":
            picture = self._scales(seen, _ALONE_PX)
        else:
            drawers: dict[str, Callable[[SeenFrame, int], Image]] = {
                "raw": self._raw,
                "upsampled": self._upsampled,
                "windowed": self._windowed,
            }
            picture = titled(drawers[view](seen, _ALONE_PX), f"{view}  frame {seen.label}")
        return np.hstack([picture, color_bar(self._scale, picture.shape[0])])

    def _panel(self, seen: SeenFrame) -> Image:
        """The frame with its heat, then exemplar, search, raw above upsampled, windowed, scales, then the bar."""
        side = _TILE_PX
        tiles = [
            [
                titled(_fit(seen.exemplar, side), "exemplar"),
                titled(self._search(seen, side), "search"),
                titled(self._raw(seen, side), "score map"),
            ],
            [
                titled(self._upsampled(seen, side), "upsampled"),
                titled(self._windowed(seen, side), "windowed" if seen.has_window else "no window: a pair"),
                self._scales(seen, side),
            ],
        ]
        grid = np.vstack([np.hstack([_framed(tile) for tile in row]) for row in tiles])
        height, width = seen.image.shape[:2]
        zoom = min(grid.shape[0] / height, grid.shape[0] * _WIDEST / width)
        frame = self._frame(seen, zoom=zoom)
        left = np.full((grid.shape[0], max(frame.shape[1], side), 3), SHADE, dtype=np.uint8)
        top = (left.shape[0] - frame.shape[0]) // 2
        left[top : top + frame.shape[0], : frame.shape[1]] = frame
        return np.hstack([left, grid, color_bar(self._scale, grid.shape[0])])

    def _frame(self, seen: SeenFrame, *, zoom: float) -> Image:
        """The frame resized, with heat, boxes, peak and true centre, and a line that says what they are."""
        height, width = (max(round(length * zoom), 1) for length in seen.image.shape[:2])
        method = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
        canvas = seen.image.copy()
        if zoom != 1:
            canvas = np.asarray(cv2.resize(seen.image, (width, height), interpolation=method), dtype=np.uint8)
        if seen.maps is not None:
            canvas = heat_over_frame(canvas, seen.maps, self._config, stride=self._stride, scale=self._scale, zoom=zoom)
        for box, color in ((seen.truth, TRUE), (seen.box, TRACKED)):
            if box is not None:
                draw_box(canvas, Box(*(value * zoom for value in box)), color=color)
        radius = min(height, width) / 60
        if seen.truth is not None:
            draw_cross(canvas, _scaled(seen.truth.center, zoom), radius)
        if seen.maps is not None:
            placement = response_placement(seen.maps.region, self._config, self._stride)
            draw_ring(canvas, _scaled(placement.point(seen.maps.peak), zoom), radius)
        told = f"score {seen.score:.2f}" if seen.maps is not None else "not searched: the target was given here"
        return titled(canvas, f"{seen.label}  {told}")

    def _search(self, seen: SeenFrame, side_px: int) -> Image:
        if seen.search is None or seen.maps is None:
            return _empty(side_px)
        tile, zoom = _fit(seen.search, side_px), side_px / seen.search.shape[0]
        if seen.truth is not None:
            draw_cross(tile, _scaled(seen.maps.region.to_crop(*seen.truth.center), zoom), side_px / 32)
        placement = response_placement(seen.maps.region, self._config, self._stride)
        draw_ring(tile, _scaled(seen.maps.region.to_crop(*placement.point(seen.maps.peak)), zoom), side_px / 32)
        return tile

    def _raw(self, seen: SeenFrame, side_px: int) -> Image:
        if seen.maps is None:
            return _empty(side_px)
        placement = map_placement(seen.maps.region, exemplar_px=self._config.exemplar_size, stride=self._stride)
        factor, alignment = self._config.response_upsampling, self._config.response_alignment
        row, column = (score_map_position(cell, factor, alignment) for cell in seen.maps.peak)
        return map_tile(
            seen.maps.score_maps[seen.maps.scale_index],
            self._scale,
            size=(side_px, side_px),
            peak=(row, column),
            truth=None if seen.truth is None else placement.cell(seen.truth.center),
            smooth=False,
        )

    def _upsampled(self, seen: SeenFrame, side_px: int) -> Image:
        if seen.maps is None:
            return _empty(side_px)
        values = upsampled_maps(seen.maps, self._config)[seen.maps.scale_index]
        return map_tile(values, self._scale, size=(side_px, side_px), peak=seen.maps.peak, truth=self._truth_cell(seen))

    def _windowed(self, seen: SeenFrame, side_px: int) -> Image:
        if seen.maps is None or not seen.has_window:
            return _empty(side_px)
        values = windowed_scores(seen.maps, self._config)
        return map_tile(values, self._scale, size=(side_px, side_px), peak=seen.maps.peak, truth=self._truth_cell(seen))

    def _scales(self, seen: SeenFrame, side_px: int) -> Image:
        """Every scale's map in a grid, the chosen one framed; each named by its size as a share of the present one."""
        canvas = _empty(side_px)
        if seen.maps is None:
            return titled(canvas, "by scale")
        count = len(seen.maps.score_maps)
        columns = math.ceil(math.sqrt(count))
        step = side_px // columns
        for index, values in enumerate(upsampled_maps(seen.maps, self._config)):
            tile = map_tile(values, self._scale, size=(step - 2, step - 2))
            if index == seen.maps.scale_index:
                cv2.rectangle(tile, (0, 0), (step - 3, step - 3), INK, 2)
            titled(tile, f"x {self._config.scale_step ** (index - count // 2):.3f}")
            top, left = index // columns * step, index % columns * step
            canvas[top : top + step - 2, left : left + step - 2] = tile
        return canvas

    def _truth_cell(self, seen: SeenFrame) -> Cell | None:
        if seen.truth is None or seen.maps is None:
            return None
        return response_placement(seen.maps.region, self._config, self._stride).cell(seen.truth.center)


def _fit(image: Image, side_px: int) -> Image:
    method = cv2.INTER_AREA if image.shape[0] > side_px else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (side_px, side_px), interpolation=method), dtype=np.uint8)


def _framed(tile: Image) -> Image:
    """The tile with the gap to its neighbours."""
    return np.asarray(
        cv2.copyMakeBorder(tile, 0, _GAP_PX, _GAP_PX, 0, cv2.BORDER_CONSTANT, value=SHADE), dtype=np.uint8
    )


def _empty(side_px: int) -> Image:
    return np.full((side_px, side_px, 3), SHADE, dtype=np.uint8)


def _scaled(point: tuple[float, float], zoom: float) -> tuple[float, float]:
    return point[0] * zoom, point[1] * zoom
