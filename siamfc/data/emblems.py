"""Emblems: flat patterned shapes that a seed tells apart, for pictures in which something is to be found."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from siamfc.data.cutouts import Cutout
from siamfc.frames import Image
from siamfc.opencv import cv2

Array = NDArray[np.float64]

EMBLEM_PX = 192  # side of the square that an emblem fills at scale 1
_MARGIN_PX = 8  # transparent border of a cutout
_OUTLINES = ("disc", "hexagon", "square", "star", "triangle", "cross")
_PATTERNS = ("stripes", "checks", "dots", "rings", "wedges", "halves")
_BORDER = 0.84  # of the outline's size: the rim lies outside


@dataclass(frozen=True, eq=False)
class Emblem:
    """What one looks like.

    Attributes:
        outline: Its shape.
        pattern: What fills it.
        turn_deg: How the pattern lies in it.
        repeats: Stripes, checks, rings or wedges of the pattern.
        palette: (4, 3) RGB in 0..255: rim, the pattern's two colours, the sign in the middle.
    """

    outline: str
    pattern: str
    turn_deg: float
    repeats: int
    palette: Image


def random_palette(rng: np.random.Generator) -> Image:
    """(4, 3) RGB: hues apart from each other, dark and light in turn."""
    hues = (rng.uniform(0, 180) + np.array([0, 50, 110, 80]) + rng.uniform(-12, 12, 4)) % 180
    values = rng.permutation([70, 150, 225, 245])
    hsv = np.stack([hues, rng.uniform(90, 230, 4), values], axis=1)[None]
    return np.asarray(cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB)[0], dtype=np.uint8)


def random_emblem(rng: np.random.Generator, *, palette: Image | None = None, unlike: Emblem | None = None) -> Emblem:
    """Any emblem; with a palette of that; unlike another in outline and pattern both."""
    while True:
        outline, pattern = str(rng.choice(_OUTLINES)), str(rng.choice(_PATTERNS))
        if unlike is None or (outline != unlike.outline and pattern != unlike.pattern):
            break
    return Emblem(
        outline,
        pattern,
        turn_deg=float(rng.uniform(0, 180)),
        repeats=int(rng.integers(3, 6)),
        palette=random_palette(rng) if palette is None else palette,
    )


def draw_emblem(emblem: Emblem) -> Cutout:
    """The emblem as a cutout of `EMBLEM_PX` and its transparent border."""
    side = EMBLEM_PX + 2 * _MARGIN_PX
    y, x = (np.mgrid[:side, :side] + 0.5 - side / 2) / (EMBLEM_PX / 2)  # -1..1 over the emblem
    shape, soft_px = _OUTLINE_OF[emblem.outline], EMBLEM_PX / 2
    size = shape(x, y)
    pattern = _smooth_step(_pattern(emblem, x, y) * soft_px)
    middle = _smooth_step((0.3 - shape(x, y)) * soft_px * 0.8)
    rim = _smooth_step((size - _BORDER) * soft_px)
    colors = _mix(emblem.palette[1], emblem.palette[2], pattern)
    colors = _mix(colors, emblem.palette[3], middle)
    colors = _mix(colors, emblem.palette[0], rim)
    return Cutout.from_layers(colors.astype(np.float32), _smooth_step((1 - size) * soft_px).astype(np.float32))


def emblem_bounds(emblem: Emblem, scale: float, angle_deg: float) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the emblem around its centre, pixels, at a scale and an angle."""
    side = EMBLEM_PX
    y, x = (np.mgrid[:side, :side] + 0.5 - side / 2) / (side / 2)
    inside = _OUTLINE_OF[emblem.outline](x, y) <= 1
    cos, sin = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    half = scale * side / 2
    across, down = half * (cos * x - sin * y)[inside], half * (sin * x + cos * y)[inside]
    return float(across.min()), float(down.min()), float(across.max()), float(down.max())


def _polygon(corners: int, turn: float, star: float = 1.0) -> Callable[[Array, Array], Array]:
    """Distance from the middle over that of the outline: a regular polygon, or with ``star`` below 1 a star."""

    def size(x: Array, y: Array) -> Array:
        part = 2 * np.pi / corners
        angle = np.abs((np.arctan2(y, x) - turn + part / 2) % part - part / 2)
        # The edge runs from a corner, at angle 0 and distance 1, to the next valley, at half a part.
        valley = star * math.cos(part / 2)
        edge_x, edge_y = valley * math.cos(part / 2) - 1, valley * math.sin(part / 2)
        radius = np.hypot(x, y)
        return np.asarray((radius * (np.cos(angle) * edge_y - np.sin(angle) * edge_x)) / edge_y)

    return size


def _cross(x: Array, y: Array) -> Array:
    across, down = np.abs(x), np.abs(y)
    arms = np.minimum(np.maximum(across, down / 0.42), np.maximum(down, across / 0.42))
    return np.asarray(arms)


_OUTLINE_OF: dict[str, Callable[[Array, Array], Array]] = {
    "disc": lambda x, y: np.hypot(x, y),
    "hexagon": _polygon(6, 0.0),
    "square": _polygon(4, np.pi / 4),
    "star": _polygon(5, -np.pi / 2, star=0.62),
    "triangle": _polygon(3, -np.pi / 2),
    "cross": _cross,
}


def _pattern(emblem: Emblem, x: Array, y: Array) -> Array:
    """Above zero in the pattern's second colour, below in its first; about pixels from the border over the side."""
    turn, n = math.radians(emblem.turn_deg), emblem.repeats
    u, v = math.cos(turn) * x + math.sin(turn) * y, math.cos(turn) * y - math.sin(turn) * x
    waves_u, waves_v = np.sin(np.pi * n * u), np.sin(np.pi * n * v)
    by_name: dict[str, Callable[[], Array]] = {
        "stripes": lambda: waves_u,
        "checks": lambda: waves_u * waves_v,
        "dots": lambda: waves_u**2 * waves_v**2 - 0.4,
        "rings": lambda: np.sin(np.pi * n * np.hypot(x, y)),
        "wedges": lambda: np.sin(n * np.arctan2(v, u)) * np.hypot(x, y),
        "halves": lambda: u,
    }
    return np.asarray(by_name[emblem.pattern]() / (np.pi * n))


def _smooth_step(distance_px: Array) -> Array:
    return np.asarray(np.clip(distance_px + 0.5, 0, 1))


def _mix(under: Array | Image, over: Image, share: Array) -> Array:
    return np.asarray(under * (1 - share[..., None]) + over * share[..., None])
