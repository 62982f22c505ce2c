"""Matches and score maps drawn over the picture that was searched."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from siamfc.drawing import FONT, LEAST_TEXT, SHADE, TRACKED, TRUE, Rgb, draw_box, draw_text, text_size
from siamfc.frames import Image
from siamfc.matching.maps import Map
from siamfc.matching.matcher import Match
from siamfc.opencv import cv2
from siamfc.visualize.heat import ColorScale, Placement, color_bar, lay_over

_COLORS: tuple[Rgb, ...] = (TRACKED, TRUE, (90, 170, 255), (255, 110, 160), (190, 140, 255), (240, 240, 110))
_SCALE = ColorScale(0.0, 1.0, "score")
# Rows and columns coloured at a time: a large picture needs little memory, and OpenCV takes no side above 32,766 px.
_BLOCK = 512, 16_384


def draw_matches(image: Image, matches: Sequence[Match], names: Sequence[str]) -> Image:
    """A copy of the picture (H, W, 3) with a box a match: its rank and score, a colour an exemplar.

    Args:
        image: The picture.
        matches: Best first; the best is drawn last, over the others.
        names: Of the exemplars; shown where there are several.
    """
    canvas = image.copy()
    for match in reversed(matches):
        draw_box(canvas, match.box, color=_color(match))
    for rank, match in reversed(list(enumerate(matches, start=1))):  # over all boxes, so that they can be read
        turned = f" {match.rotation:g} deg" if match.rotation else ""
        name = f" {names[match.exemplar]}" if len(names) > 1 else ""
        _label(canvas, f"{rank}: {match.score:.2f}{turned}{name}", match)
    if not matches:
        draw_text(canvas, "no match", (8, 24))
    return canvas


def _color(match: Match) -> Rgb:
    return _COLORS[match.exemplar % len(_COLORS)]


def _label(canvas: Image, text: str, match: Match) -> None:
    """Dark text on a plate of the match's colour, on the box's upper edge, or under it at the picture's."""
    scale = max(LEAST_TEXT, min(canvas.shape[:2]) / 1200)
    size, pad = text_size(text, scale), max(3, round(5 * scale))
    plate = size.width + 2 * pad, size.height + size.below + 2 * pad
    x = int(np.clip(match.box.x - 1, 0, max(canvas.shape[1] - plate[0], 0)))
    above = match.box.y - plate[1]
    y = int(np.clip(above if above >= 0 else match.box.y, 0, max(canvas.shape[0] - plate[1], 0)))
    cv2.rectangle(canvas, (x, y), (x + plate[0], y + plate[1]), _color(match), cv2.FILLED)
    cv2.putText(canvas, text, (x + pad, y + pad + size.height), FONT, scale, SHADE, size.stroke, cv2.LINE_AA)


def heat_over_picture(image: Image, scores: Map, matches: Sequence[Match]) -> Image:
    """The picture with its score map over it, the matches outlined, and beside it a bar that tells the colours' scores.

    Colours begin at 0, the background, and end at 1, the exemplar itself, so pictures can be compared. The map shows
    the windows that were compared; a match, which lies between them, scores higher than the map where it lies.

    Args:
        image: (H, W, 3).
        scores: (H, W), not a number where no box fits: there the picture is as it was.
        matches: Drawn as outlines in the colours of `draw_matches`.

    Returns:
        (H, W + bar, 3).
    """
    shown = np.empty_like(image)
    for top, left in product(range(0, image.shape[0], _BLOCK[0]), range(0, image.shape[1], _BLOCK[1])):
        block = slice(top, top + _BLOCK[0]), slice(left, left + _BLOCK[1])
        shown[block] = lay_over(image[block], scores[block], Placement(0.5, 0.5, 1.0), _SCALE)
    for match in matches:
        draw_box(shown, match.box, color=_color(match))
    return np.concatenate([shown, color_bar(_SCALE, len(image))], axis=1)
