"""Overlap of regions by counting the points of a fine grid that lie in each; slow, and exact only in the limit."""

from __future__ import annotations

Corner = tuple[float, float]


def overlap_by_counting(
    corners: list[Corner], others: list[Corner], *, frame_size: tuple[int, int], points_per_px: int
) -> float:
    """Intersection over union inside a frame (height, width) on a grid of ``points_per_px`` points a pixel side."""
    height, width = frame_size
    shared = joint = 0
    for row in range(height * points_per_px):
        for column in range(width * points_per_px):
            point = (column + 0.5) / points_per_px, (row + 0.5) / points_per_px
            first, second = is_inside(point, corners), is_inside(point, others)
            shared += first and second
            joint += first or second
    return shared / joint if joint else 0.0


def is_inside(point: Corner, corners: list[Corner]) -> bool:
    """Whether a ray from the point to the right meets the polygon's sides an odd number of times."""
    x, y = point
    inside = False
    for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1], strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
            inside = not inside
    return inside
