"""Rendered pictures in which an object stands at known places and scales, among other things."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from siamfc.boxes import Box, intersection_over_union
from siamfc.data.cutouts import Pose
from siamfc.data.emblems import EMBLEM_PX, Emblem, draw_emblem, emblem_bounds, random_emblem
from siamfc.data.photograph import build_backdrop
from siamfc.errors import ConfigError
from siamfc.frames import Image
from siamfc.opencv import cv2

_SCALES = (0.6, 1.7)  # of the copies, to the exemplar
_EXEMPLAR_PX = (64, 96)  # side of the exemplar's emblem
_TILT_DEG = 4.0
_GAP = 1.08  # between things, to their sizes
_TRIES = 300
_LAYOUTS = 50
_GRAIN = 3.0  # standard deviation, grey levels


@dataclass(frozen=True)
class RenderedPicture:
    """A picture to search, what to search for, and where it is; build one with `render_picture`.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        exemplar: (h, w, 3): the object as it looks on another backdrop, cut out tight.
        boxes: Where it stands in the image: one box a copy.
        others: Where other things stand.
    """

    image: Image
    exemplar: Image
    boxes: tuple[Box, ...]
    others: tuple[Box, ...]


def render_picture(
    seed: int = 0, *, copies: int = 3, others: int = 8, size: tuple[int, int] = (480, 640)
) -> RenderedPicture:
    """The picture of this seed: another object, other places, scales, distractors and backdrop for each.

    Copies are 0.6 to 1.7 times as large as the exemplar and tilted by up to 4 degrees. Every other distractor has the
    object's colours, none its outline or its pattern. Nothing covers anything.

    Args:
        seed: Zero or more.
        copies: How often the object is in it; may be 0.
        others: Distractors.
        size: (height, width), pixels.

    Raises:
        ConfigError: So many things do not fit.

    Example:
        >>> picture = render_picture(seed=1)
        >>> picture.image.shape, len(picture.boxes), len(picture.others)
        ((480, 640, 3), 3, 8)
    """
    rng = np.random.default_rng(seed)
    emblem = random_emblem(rng)
    exemplar_px = rng.uniform(*_EXEMPLAR_PX)
    exemplar = _exemplar(rng, emblem, exemplar_px)
    things = [emblem] * copies
    things += [random_emblem(rng, unlike=emblem, palette=emblem.palette if n % 2 else None) for n in range(others)]
    poses, placed = _arrange(rng, things, exemplar_px, size)
    image = build_backdrop(size, rng)
    for thing, pose in zip(things, poses, strict=True):
        draw_emblem(thing).draw(image, pose)
    return RenderedPicture(_expose(rng, image), exemplar, tuple(placed[:copies]), tuple(placed[copies:]))


def _arrange(
    rng: np.random.Generator, things: list[Emblem], exemplar_px: float, size: tuple[int, int]
) -> tuple[list[Pose], list[Box]]:
    """Poses and boxes of things none of which covers another; begun anew where the last do not fit."""
    for _ in range(_LAYOUTS):
        poses: list[Pose] = []
        boxes: list[Box] = []
        for thing in things:
            scale = float(np.exp(rng.uniform(*np.log(_SCALES)))) * exemplar_px / EMBLEM_PX
            placed = _place(rng, thing, scale, boxes, size)
            if placed is None:
                break
            poses.append(placed[0])
            boxes.append(placed[1])
        if len(boxes) == len(things):
            return poses, boxes
    height, width = size
    raise ConfigError(
        f"a picture of {width} x {height} px has no room for {len(things)} things: give fewer or a larger one"
    )


def _place(
    rng: np.random.Generator, thing: Emblem, scale: float, boxes: list[Box], size: tuple[int, int]
) -> tuple[Pose, Box] | None:
    """A pose inside the picture that covers none of the boxes, and its own box; None where none was found."""
    height, width = size
    angle = float(rng.uniform(-_TILT_DEG, _TILT_DEG))
    left, top, right, bottom = emblem_bounds(thing, scale, angle)
    low, high = np.array([2 - left, 2 - top]), np.array([width - 2 - right, height - 2 - bottom])
    if (low > high).any():
        return None
    for x, y in rng.uniform(low, high, (_TRIES, 2)).tolist():
        box = Box.from_corners(x + left, y + top, x + right, y + bottom)
        around = Box.from_center(*box.center, _GAP * box.width, _GAP * box.height)
        if not boxes or intersection_over_union(around, np.array(boxes)).max() == 0:
            return Pose(x, y, scale, angle), box
    return None


def _exemplar(rng: np.random.Generator, emblem: Emblem, side_px: float) -> Image:
    scale = side_px / EMBLEM_PX
    left, top, right, bottom = emblem_bounds(emblem, scale, 0.0)
    width, height = round(right - left), round(bottom - top)
    canvas = build_backdrop((height, width), rng)
    draw_emblem(emblem).draw(canvas, Pose(width / 2 - (left + right) / 2, height / 2 - (top + bottom) / 2, scale, 0.0))
    return _expose(rng, canvas)


def _expose(rng: np.random.Generator, image: Image) -> Image:
    """The picture as a camera gives it: slightly soft, under some light, with grain."""
    soft = cv2.GaussianBlur(image, (3, 3), 0.6).astype(np.float32)
    lit = soft * rng.uniform(0.85, 1.1) + rng.normal(0, _GRAIN, image.shape)
    return np.asarray(np.clip(np.rint(lit), 0, 255), dtype=np.uint8)
