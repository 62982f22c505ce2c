"""Score maps drawn over frames, and beside them."""

from __future__ import annotations

import numpy as np
import torch

from siamfc.config import TrackerConfig
from siamfc.crops import CropRegion
from siamfc.drawing import FONT, INK, SHADE, SUBPIXEL_BITS, draw_box, draw_text, subpixels
from siamfc.frames import Image
from siamfc.opencv import cv2
from siamfc.score_map import displacement_px, score_map_position, upsample
from siamfc.tracker import ScoreMaps, TrackResult


def heat_over_frame(
    image: Image, maps: ScoreMaps, config: TrackerConfig, *, stride: int, limits: tuple[float, float]
) -> Image:
    """The frame with the chosen scale's score map laid over it: each cell at the centre of its window, to the pixel.

    Args:
        image: (H, W, 3).
        maps: What the tracker saw in this frame.
        config: The tracker's settings.
        stride: The network's, search pixels a cell.
        limits: Scores that are drawn transparent and fully coloured.
    """
    heat = _upsampled(maps, config)
    share = np.clip((heat - limits[0]) / max(limits[1] - limits[0], 1e-9), 0, 1)
    colors = _colorize(share)
    origin, step = _first_cell_in_frame(maps.region, config, stride)
    map_to_frame = np.array([[step, 0, origin[0] - 0.5], [0, step, origin[1] - 0.5]])
    size = (image.shape[1], image.shape[0])
    layer = cv2.warpAffine(colors, map_to_frame, size, flags=cv2.INTER_LINEAR)
    alpha = cv2.warpAffine((0.8 * share**1.5).astype(np.float32), map_to_frame, size, flags=cv2.INTER_LINEAR)
    blended = image + alpha[..., None] * (layer.astype(np.float32) - image)
    return np.asarray(np.rint(blended), dtype=np.uint8)


def score_panel(maps: ScoreMaps, config: TrackerConfig, *, side_px: int, limits: tuple[float, float]) -> Image:
    """The chosen scale's score map as a heat map with its peak marked and a bar that tells the colours' scores.

    Returns:
        (side_px, side_px, 3).
    """
    heat = _upsampled(maps, config)
    share = np.clip((heat - limits[0]) / max(limits[1] - limits[0], 1e-9), 0, 1)
    bar_px = max(10, side_px // 16)
    inner = side_px - bar_px - 4
    panel = np.full((side_px, side_px, 3), SHADE, dtype=np.uint8)
    panel[:, :inner] = cv2.resize(_colorize(share), (inner, side_px), interpolation=cv2.INTER_LINEAR)
    ramp = np.linspace(1, 0, side_px, dtype=np.float32)[:, None].repeat(bar_px, axis=1)
    panel[:, -bar_px:] = _colorize(ramp)
    row, column = maps.peak
    cells = heat.shape[0]
    peak = subpixels((column + 0.5) * inner / cells - 0.5, (row + 0.5) * side_px / cells - 0.5)
    radius = round(side_px / 28) << SUBPIXEL_BITS
    cv2.circle(panel, peak, radius, SHADE, 3, cv2.LINE_AA, SUBPIXEL_BITS)
    cv2.circle(panel, peak, radius, INK, 1, cv2.LINE_AA, SUBPIXEL_BITS)
    for value, y in ((limits[1], 16), (limits[0], side_px - 8)):
        text = f"{value:.2f}"
        (width, _), _ = cv2.getTextSize(text, FONT, 0.42, 1)
        draw_text(panel, text, (side_px - bar_px - 8 - width, y))
    return panel


def draw_scores(
    image: Image,
    result: TrackResult,
    *,
    exemplar: Image,
    config: TrackerConfig,
    stride: int,
    limits: tuple[float, float] | None,
) -> Image:
    """Frame with box and score map, and beside it the exemplar above the score map by itself.

    Args:
        image: (H, W, 3) frame.
        result: The tracker's, with maps; without (a first frame), the map's place stays empty.
        exemplar: (e, e, 3) crop.
        config: The tracker's settings.
        stride: The network's.
        limits: Scores at the two ends of the colour scale.

    Returns:
        (H, W + H // 2, 3).
    """
    height, width = image.shape[:2]
    side = max(height // 2, 1)
    canvas = np.full((height, width + side, 3), SHADE, dtype=np.uint8)
    canvas[:side, width:] = cv2.resize(exemplar, (side, side), interpolation=cv2.INTER_LINEAR)
    draw_text(canvas[:side, width:], "exemplar", (6, 18))
    shown = image
    if result.maps is not None and limits is not None:
        shown = heat_over_frame(image, result.maps, config, stride=stride, limits=limits)
        panel = score_panel(result.maps, config, side_px=side, limits=limits)
        if side >= 160:  # else it would run into the bar's numbers
            draw_text(panel, "score map", (6, 18))
        canvas[side : 2 * side, width:] = panel
    canvas[:, :width] = draw_box(shown, result.box, label=f"score {result.score:.2f}")
    return canvas


def _upsampled(maps: ScoreMaps, config: TrackerConfig) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    chosen = torch.from_numpy(maps.score_maps[maps.scale_index : maps.scale_index + 1])
    return np.asarray(upsample(chosen, config.response_upsampling, config.response_alignment)[0].numpy())


def _first_cell_in_frame(region: CropRegion, config: TrackerConfig, stride: int) -> tuple[tuple[float, float], float]:
    """Frame position (x, y) of the first response cell's centre, and frame pixels a response cell."""
    cell = score_map_position(0, config.response_upsampling, config.response_alignment)
    offset = displacement_px(cell, search_px=config.search_size, exemplar_px=config.exemplar_size, stride=stride)
    in_crop = config.search_size / 2 + offset
    step = stride / config.response_upsampling * region.frame_px_per_crop_px
    return region.to_frame(in_crop, in_crop), step


def _colorize(share: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Image:
    levels = np.rint(share * 255).astype(np.uint8)
    return np.asarray(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[..., ::-1], dtype=np.uint8)
