"""Score maps drawn over frames, beside them, and beside the pairs that a network learns from."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from siamfc.boxes import Box
from siamfc.config import TrackerConfig
from siamfc.crops import CropRegion
from siamfc.drawing import SHADE, TRUE, draw_box, draw_text, small_text_scale
from siamfc.frames import Image
from siamfc.opencv import cv2
from siamfc.score_map import Alignment, displacement_px, penalise_scales, score_map_position, upsample
from siamfc.tracker.track_result import ScoreMaps, TrackResult
from siamfc.visualize.heat import (
    Cell,
    ColorScale,
    Placement,
    color_bar,
    compact_map,
    draw_cross,
    draw_ring,
    lay_over,
    map_tile,
    titled,
)

_GAP_PX = 4
_NAMES_PX = 22  # height of the strip with the names of a pair's pictures


def map_placement(
    region: CropRegion, *, exemplar_px: int, stride: int, factor: int = 1, alignment: Alignment = "corners"
) -> Placement:
    """Where a map of a search region lies in the frame: each cell at the centre of its window.

    Args:
        region: What the search crop showed.
        exemplar_px: Side of the exemplar, crop pixels.
        stride: The network's, crop pixels a cell.
        factor: Response cells per score-map cell, for a map that was upsampled.
        alignment: How it was.

    Example:
        >>> map_placement(CropRegion(100.0, 50.0, side_px=510.0, crop_size=255), exemplar_px=127, stride=8)
        Placement(x=-28.0, y=-78.0, step=16.0)
    """
    cell = score_map_position(0, factor, alignment)
    offset = displacement_px(cell, search_px=region.crop_size, exemplar_px=exemplar_px, stride=stride)
    in_crop = region.crop_size / 2 + offset
    return Placement(*region.to_frame(in_crop, in_crop), stride / factor * region.frame_px_per_crop_px)


def response_placement(region: CropRegion, config: TrackerConfig, stride: int) -> Placement:
    """Where an upsampled map of a search region lies in the frame."""
    return map_placement(
        region,
        exemplar_px=config.exemplar_size,
        stride=stride,
        factor=config.response_upsampling,
        alignment=config.response_alignment,
    )


def upsampled_maps(maps: ScoreMaps, config: TrackerConfig) -> NDArray[np.float32]:
    """Every scale's score map upsampled as the tracker does: (num_scales, h', w'), logits."""
    upsampled = upsample(torch.from_numpy(maps.score_maps), config.response_upsampling, config.response_alignment)
    return np.asarray(upsampled.numpy())


def windowed_scores(maps: ScoreMaps, config: TrackerConfig) -> NDArray[np.float32]:
    """The response (h', w') in logits, so that it shares a colour scale with the scores: penalised score plus window.

    The tracker brings the response to sum 1 before it mixes in the window; here that is taken back, which moves no
    peak. What it shows above the score is what the window adds, and where it shows less, the map counted less
    (``full_contrast``). A window influence of 1 leaves the window alone.
    """
    upsampled = torch.from_numpy(upsampled_maps(maps, config))
    chosen = penalise_scales(upsampled, config.scale_penalty)[maps.scale_index]
    total = float((chosen - chosen.min()).sum())
    lowest = float(upsampled.min() + chosen.min())
    return maps.response * np.float32(total / ((1 - config.window_influence) or 1)) + np.float32(lowest)


def color_limits(first: TrackResult, searched: TrackResult) -> ColorScale:
    """One colour scale for a whole run: from the lowest logit of its first searched frame to the highest.

    Or to the exemplar's own, where that is higher.

    Args:
        first: Of the frame in which the target was given; its logit is the exemplar's with itself.
        searched: Of the next, with maps.
    """
    assert searched.maps is not None
    score_maps = searched.maps.score_maps
    return ColorScale(float(score_maps.min()), max(float(score_maps.max()), first.logit))


def heat_over_frame(
    image: Image, maps: ScoreMaps, config: TrackerConfig, *, stride: int, scale: ColorScale, zoom: float = 1.0
) -> Image:
    """The frame with the chosen scale's score map laid over it: each cell at the centre of its window, to the pixel.

    Args:
        image: (H, W, 3), the frame resized by ``zoom``.
        maps: What the tracker saw in this frame.
        config: The tracker's settings.
        stride: The network's, search pixels a cell.
        scale: Its colours.
        zoom: Pixels of ``image`` a frame pixel.
    """
    values = upsampled_maps(maps, config)[maps.scale_index]
    return lay_over(image, values, response_placement(maps.region, config, stride).zoomed(zoom), scale)


def draw_scores(
    image: Image,
    result: TrackResult,
    *,
    exemplar: Image,
    config: TrackerConfig,
    stride: int,
    scale: ColorScale | None,
    truth: Box | None = None,
) -> Image:
    """Frame with box and score map, and beside it the exemplar above the score map by itself.

    Args:
        image: (H, W, 3) frame.
        result: The tracker's, with maps; without (a first frame), the map's place stays empty.
        exemplar: (e, e, 3) crop.
        config: The tracker's settings.
        stride: The network's.
        scale: The colours.
        truth: The true box, frame pixels, where it is known; drawn under the tracker's.

    Returns:
        (H, W + H // 2, 3).
    """
    height, width = image.shape[:2]
    side = max(height // 2, 1)
    canvas = np.full((height, width + side, 3), SHADE, dtype=np.uint8)
    canvas[:side, width:] = cv2.resize(exemplar, (side, side), interpolation=cv2.INTER_LINEAR)
    font = small_text_scale(min(height, width))
    titled(canvas[:side, width:], "exemplar", font=font)
    shown = canvas[:, :width]
    shown[:] = image
    if result.maps is not None and scale is not None:
        shown[:] = heat_over_frame(image, result.maps, config, stride=stride, scale=scale)
        values = upsampled_maps(result.maps, config)[result.maps.scale_index]
        canvas[side : 2 * side, width:] = compact_map(values, scale, side_px=side, peak=result.maps.peak, font=font)
    if truth is not None:
        draw_box(shown, truth, color=TRUE)
    draw_box(shown, result.box, label=f"score {result.score:.2f}")
    return canvas


def draw_pair(
    exemplar: Image,
    search: Image,
    score_map: NDArray[Any] | None,
    *,
    center: tuple[float, float] | None,
    stride: int,
    scale: ColorScale | None = None,
    note: str = "",
) -> Image:
    """One pair as a row: exemplar, search crop with the true centre and the peak, the map over it, the map, its bar.

    A strip above them holds their names, as far as they fit; it keeps rows apart, and the pictures free.

    Args:
        exemplar: (e, e, 3) uint8 RGB.
        search: (s, s, 3) uint8 RGB.
        score_map: (h, w) logits, cell (0, 0) for the window at the search crop's corner; None before there is any.
        center: Where the target's centre is, (x, y) in search pixels: the label's; None where the search has none.
        stride: Search pixels a cell.
        scale: The colours; None takes the map's own range. Give one to compare rows.
        note: A line at the foot of the search crop: a file, a kind, a loss.

    Returns:
        (22 + s, w, 3), w the same for all pairs of these sizes, so that rows can be stacked.

    Example:
        >>> exemplar, search = np.zeros((127, 127, 3), np.uint8), np.zeros((255, 255, 3), np.uint8)
        >>> draw_pair(exemplar, search, np.eye(17), center=(127.5, 127.5), stride=8).shape[0]
        277
    """
    side = search.shape[0]
    shown, over, tile = search.copy(), search.copy(), np.full((side, side, 3), SHADE, dtype=np.uint8)
    bar = np.full((side, 90, 3), SHADE, dtype=np.uint8)
    peak: Cell | None = None
    placement = Placement(exemplar.shape[1] / 2, exemplar.shape[0] / 2, float(stride))
    if score_map is not None:
        colors = scale or ColorScale.of(score_map)
        row, column = divmod(int(np.nanargmax(score_map)), score_map.shape[1])
        peak = (row, column)
        over = lay_over(search, score_map, placement, colors)
        truth = None if center is None else placement.cell(center)
        tile = map_tile(score_map, colors, size=(side, side), peak=peak, truth=truth, smooth=False)
        drawn = color_bar(colors, side)[:, :90]
        bar[:, : drawn.shape[1]] = drawn
    for picture in (shown, over):
        if center is not None:
            draw_cross(picture, center, side / 32)
        if peak is not None:
            draw_ring(picture, placement.point(peak), side / 32)
    if note:
        draw_text(shown, note, (6, side - 8))
    first = np.full((side, max(exemplar.shape[1], 68), 3), SHADE, dtype=np.uint8)
    top = (side - exemplar.shape[0]) // 2
    first[top : top + exemplar.shape[0], : exemplar.shape[1]] = exemplar
    names = "exemplar", "search: x true, o peak", "score over search", "score map"
    named = [_under_name(each, name) for each, name in zip((first, shown, over, tile), names, strict=True)]
    gap = np.full((_NAMES_PX + side, _GAP_PX, 3), SHADE, dtype=np.uint8)
    return np.hstack([part for each in named for part in (each, gap)] + [_under_name(bar, "")])


def _under_name(tile: Image, name: str) -> Image:
    """The tile with a strip above it that holds its name."""
    strip = np.full((_NAMES_PX, tile.shape[1], 3), SHADE, dtype=np.uint8)
    return np.vstack([titled(strip, name), tile])
