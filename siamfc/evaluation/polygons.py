"""Overlap of polygons, by exact clipping; what VOT's rotated boxes need."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siamfc.errors import BoxError

Floats = NDArray[np.float64]


def as_polygons(regions: ArrayLike) -> Floats:
    """Boxes or corner lists as (N, K, 2) corners x, y.

    Args:
        regions: (N, 4) x, y, width, height, or (N, 2 K) corners x1, y1, x2, y2, ... in order around the polygon.

    Raises:
        BoxError: Another shape.

    Example:
        >>> as_polygons([[10, 20, 4, 6]])[0].tolist()
        [[10.0, 20.0], [14.0, 20.0], [14.0, 26.0], [10.0, 26.0]]
    """
    rows = np.asarray(regions, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] < 4 or rows.shape[1] % 2:
        raise BoxError(f"regions are rows of x, y, width, height or of corners x1, y1, x2, y2, ..., not {rows.shape}")
    if rows.shape[1] > 4:
        return rows.reshape(len(rows), rows.shape[1] // 2, 2)
    left, top, right, bottom = rows[:, 0], rows[:, 1], rows[:, 0] + rows[:, 2], rows[:, 1] + rows[:, 3]
    corners = np.stack([left, top, right, top, right, bottom, left, bottom], axis=1)
    return corners.reshape(len(rows), 4, 2)


def polygon_areas(polygons: ArrayLike) -> Floats:
    """(N,) areas of simple polygons (N, K, 2), in square pixels, whichever way round the corners go.

    Example:
        >>> polygon_areas(as_polygons([[0, 0, 4, 6]])).tolist()
        [24.0]
    """
    return np.abs(_signed_areas(np.asarray(polygons, dtype=np.float64)))


def regions_with_area(regions: ArrayLike) -> Floats:
    """Regions, as `as_polygons` takes them, with NaN in the rows that show no target: without area, or not finite.

    Example:
        >>> regions_with_area([[0, 0, 4, 6], [0, 0, 0, 0]])[:, 2].tolist()
        [4.0, nan]
    """
    rows = np.asarray(regions, dtype=np.float64)
    has_area = np.asarray(np.isfinite(rows).all(axis=1))
    has_area &= polygon_areas(np.where(has_area[:, None, None], as_polygons(rows), 0.0)) > 0
    if rows.shape[1] == 4:  # sides below zero make an area, too
        has_area &= (rows[:, 2:] > 0).all(axis=1)
    return np.where(has_area[:, None], rows, np.nan)


def polygon_overlap(regions: ArrayLike, others: ArrayLike, *, frame_size: tuple[int, int] | None = None) -> Floats:
    """Intersection over union, row by row, of what lies inside the frame.

    The VOT toolkit's overlap, with exact areas where the toolkit counts pixels: it rounds the corners and paints
    both regions, so for small targets the two differ by some hundredths. Nothing outside the frame counts, neither
    of the shared nor of the joint area.

    Args:
        regions: (N, 4) boxes or (N, 2 K) corners, frame pixels; `as_polygons`.
        others: (N, 4) or (N, 2 L). In each row one of the two must be convex; neither may cross itself.
        frame_size: (height, width), pixels; None leaves the plane unbounded.

    Returns:
        (N,) 0..1; 0 where the joint area is 0, NaN where a number is not finite.

    Raises:
        BoxError: Another shape, two lengths, or a row of which neither is convex.

    Example:
        >>> diamond = [[2, 0, 4, 2, 2, 4, 0, 2]]
        >>> polygon_overlap(diamond, [[0, 0, 4, 4]]).tolist()
        [0.5]
        >>> polygon_overlap(diamond, [[0, 0, 4, 4]], frame_size=(4, 2)).tolist()
        [0.5]
        >>> polygon_overlap([[-2, 0, 4, 4]], [[0, 0, 4, 4]], frame_size=(4, 4)).tolist()
        [0.5]
    """
    first, second = as_polygons(regions), as_polygons(others)
    if len(first) != len(second):
        raise BoxError(f"overlap is taken row by row: {len(first)} regions do not fit {len(second)}")
    known = np.asarray(np.isfinite(first).all(axis=(1, 2)) & np.isfinite(second).all(axis=(1, 2)))
    known_corners = known[:, None, None]
    subject, clip = _convex_last(np.where(known_corners, first, 0), np.where(known_corners, second, 0))
    sides = [subject, clip]
    if frame_size is not None:
        frame = as_polygons(np.tile([0.0, 0.0, frame_size[1], frame_size[0]], (len(first), 1)))
        sides = [_clip(side, frame) for side in sides]
    shared = polygon_areas(_clip(sides[0], clip))
    joint = polygon_areas(sides[0]) + polygon_areas(sides[1]) - shared
    with np.errstate(invalid="ignore", divide="ignore"):
        overlaps = np.clip(np.where(joint > 0, shared / joint, 0.0), 0, 1)
    return np.where(known, overlaps, np.nan)


def _convex_last(first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """The two, in each row swapped where that puts a convex one second; both padded to one count of corners."""
    corners = max(first.shape[1], second.shape[1])
    first, second = _pad(first, corners), _pad(second, corners)
    swap = ~_is_convex(second)
    broken = np.flatnonzero(swap & ~_is_convex(first))
    if broken.size:
        raise BoxError(f"of two regions one must be convex; in row {broken[0]} neither is")
    swaps = swap[:, None, None]
    return np.where(swaps, second, first), np.where(swaps, first, second)


def _pad(polygons: Floats, corners: int) -> Floats:
    # A corner repeated makes a side of no length: no area, and every point counts as inside of it.
    missing = corners - polygons.shape[1]
    return np.concatenate([polygons, np.repeat(polygons[:, -1:], missing, axis=1)], axis=1) if missing else polygons


def _is_convex(polygons: Floats) -> NDArray[np.bool_]:
    sides = np.roll(polygons, -1, axis=1) - polygons
    # Sides of no length (padding, clipped corners) turn nowhere, but would hide the turn between their neighbours.
    turns = np.stack(
        [_cross(sides, np.roll(polygons, -step, axis=1) - polygons) for step in range(2, polygons.shape[1])], axis=1
    )
    slack = 1e-9 * np.abs(sides).max(axis=(1, 2)) ** 2
    return np.asarray(
        (turns >= -slack[:, None, None]).all(axis=(1, 2)) | (turns <= slack[:, None, None]).all(axis=(1, 2))
    )


def _clip(polygons: Floats, convex: Floats) -> Floats:
    """The part of each polygon inside its convex one (Sutherland, Hodgman 1974), all rows at once."""
    way_round = np.where(_signed_areas(convex) < 0, -1.0, 1.0)[:, None]
    for side in range(convex.shape[1]):
        start, end = convex[:, side, None], convex[:, (side + 1) % convex.shape[1], None]
        polygons = _cut(polygons, _cross(end - start, polygons - start) * way_round)
    return polygons


def _cut(polygons: Floats, distances: Floats) -> Floats:
    """What is left of each polygon where the distances (N, K) of its corners to a line are not negative."""
    following, beyond = np.roll(polygons, -1, axis=1), np.roll(distances, -1, axis=1)
    inside, next_inside = distances >= 0, beyond >= 0
    crosses = inside != next_inside
    share = np.where(crosses, distances, 0) / np.where(crosses, distances - beyond, 1)
    crossing = polygons + share[..., None] * (following - polygons)
    # Each side gives up to two corners: where it meets the line, and its end.
    count = 2 * polygons.shape[1]
    corners = np.stack([crossing, following], axis=2).reshape(len(polygons), count, 2)
    kept = np.stack([crosses, next_inside], axis=2).reshape(len(polygons), count)
    order = np.argsort(~kept, axis=1, kind="stable")
    corners, kept = np.take_along_axis(corners, order[..., None], axis=1), np.take_along_axis(kept, order, axis=1)
    most = max(int(kept.sum(axis=1).max(initial=0)), 1)
    # Rows with fewer corners repeat their first one, which adds no area.
    return np.where(kept[:, :most, None], corners[:, :most], corners[:, :1])


def _signed_areas(polygons: Floats) -> Floats:
    # Taken from the first corner, so that a small polygon far from the origin keeps its digits.
    arms = polygons - polygons[:, :1]
    return np.asarray(_cross(arms, np.roll(arms, -1, axis=1)).sum(axis=1) / 2)


def _cross(first: Floats, second: Floats) -> Floats:
    return np.asarray(first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0])
