"""Overlap of polygons against cases worked out by hand, counted points, and shapely."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from siamfc.boxes import intersection_over_union
from siamfc.errors import BoxError
from siamfc.evaluation.polygons import as_polygons, polygon_areas, polygon_overlap
from tests.reference.polygon_reference import overlap_by_counting

Floats = NDArray[np.float64]
SIZE = (24, 32)


def turned_boxes(rng: np.random.Generator, count: int) -> Floats:
    """(count, 8) rotated rectangles, some of which reach over the edge of a frame of `SIZE`."""
    centers = rng.uniform(2, [SIZE[1] - 2, SIZE[0] - 2], size=(count, 1, 2))
    halves = rng.uniform(2, 9, size=(count, 1, 2))
    angles = rng.uniform(0, 2 * np.pi, size=count)
    corners = halves * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    turn = np.stack([np.stack([np.cos(angles), -np.sin(angles)], 1), np.stack([np.sin(angles), np.cos(angles)], 1)], 1)
    corners = np.einsum("nij,nkj->nki", turn, corners) + centers
    backwards = rng.random(count) < 0.5
    return np.where(backwards[:, None, None], corners[:, ::-1], corners).reshape(count, 8)


def boxes(rng: np.random.Generator, count: int) -> Floats:
    return np.concatenate([rng.uniform(-4, [28, 20], size=(count, 2)), rng.uniform(2, 16, size=(count, 2))], axis=1)


def test_the_overlap_is_that_of_counted_points() -> None:
    rng = np.random.default_rng(0)
    first = turned_boxes(rng, 6)
    corners = as_polygons(first)
    second = np.concatenate([corners.min(axis=1) + rng.uniform(-3, 3, size=(6, 2)), np.ptp(corners, axis=1)], axis=1)
    exact = polygon_overlap(first, second, frame_size=SIZE)
    counted = [
        overlap_by_counting(
            [tuple(corner) for corner in one.tolist()],
            [tuple(corner) for corner in other.tolist()],
            frame_size=SIZE,
            points_per_px=5,
        )
        for one, other in zip(as_polygons(first), as_polygons(second), strict=True)
    ]
    # A grid of 5 points a pixel misjudges up to a tenth of a pixel along the border of areas of about 100 px.
    np.testing.assert_allclose(exact, counted, atol=0.02)
    assert (exact > 0.1).all()


@pytest.mark.parametrize("frame_size", [None, SIZE])
@pytest.mark.parametrize("kind", ["turned", "boxes"])
def test_the_overlap_is_that_of_shapely(frame_size: tuple[int, int] | None, kind: str) -> None:
    geometry = pytest.importorskip("shapely.geometry")
    rng = np.random.default_rng(1)
    first = turned_boxes(rng, 300)
    second = turned_boxes(rng, 300) if kind == "turned" else boxes(rng, 300)
    frame = geometry.box(0, 0, SIZE[1], SIZE[0]) if frame_size else geometry.box(-1e4, -1e4, 1e4, 1e4)
    expected = []
    for one, other in zip(as_polygons(first), as_polygons(second), strict=True):
        one_inside, other_inside = (geometry.Polygon(corners).intersection(frame) for corners in (one, other))
        joint = one_inside.union(other_inside).area
        expected.append(one_inside.intersection(other_inside).area / joint if joint else 0.0)
    np.testing.assert_allclose(polygon_overlap(first, second, frame_size=frame_size), expected, atol=1e-9)


def test_upright_boxes_overlap_as_boxes_do() -> None:
    rng = np.random.default_rng(2)
    first, second = boxes(rng, 200), boxes(rng, 200)
    np.testing.assert_allclose(polygon_overlap(first, second), intersection_over_union(first, second), atol=1e-12)


def test_the_overlap_is_symmetric_and_one_with_itself() -> None:
    rng = np.random.default_rng(3)
    first, second = turned_boxes(rng, 100), turned_boxes(rng, 100)
    np.testing.assert_allclose(polygon_overlap(first, second), polygon_overlap(second, first), atol=1e-12)
    np.testing.assert_allclose(polygon_overlap(first, first, frame_size=SIZE), 1, atol=1e-12)


def test_the_overlap_does_not_care_where_the_origin_is() -> None:
    rng = np.random.default_rng(4)
    first, second = turned_boxes(rng, 50), turned_boxes(rng, 50)
    np.testing.assert_allclose(polygon_overlap(first + 5000, second + 5000), polygon_overlap(first, second), atol=1e-9)


def test_one_of_the_two_may_have_a_dent() -> None:
    arrow = [[0.0, 0, 4, 2, 0, 4, 2, 2]]  # area 4, all of it inside the square of 16
    square = [[0.0, 0, 4, 4]]
    assert polygon_areas(as_polygons(arrow)).tolist() == [4]
    assert polygon_overlap(arrow, square).tolist() == polygon_overlap(square, arrow).tolist() == [0.25]
    with pytest.raises(BoxError, match="row 0"):
        polygon_overlap(arrow, arrow)


def test_polygons_of_several_counts_of_corners_can_be_compared() -> None:
    triangle, square = [[0.0, 0, 4, 0, 0, 4]], [[0.0, 0, 4, 4]]
    assert polygon_overlap(triangle, square).tolist() == polygon_overlap(square, triangle).tolist() == [0.5]


def test_regions_that_touch_or_lie_apart_or_outside_do_not_overlap() -> None:
    square = [[0.0, 0, 4, 4]]
    assert polygon_overlap(square, [[4.0, 0, 4, 4]]).tolist() == [0]
    assert polygon_overlap(square, [[10.0, 0, 4, 4]]).tolist() == [0]
    assert polygon_overlap([[-8.0, 0, 4, 4]], [[-8.0, 0, 4, 4]], frame_size=SIZE).tolist() == [0]
    assert polygon_overlap(square, [[1.0, 1, 0, 0]]).tolist() == [0]


def test_an_unknown_region_has_no_overlap_and_leaves_the_others_alone() -> None:
    regions = [[0.0, 0, 4, 4], [np.nan] * 4, [0, 0, np.inf, 4]]
    np.testing.assert_array_equal(polygon_overlap(regions, [[0.0, 0, 4, 4]] * 3), [1, np.nan, np.nan])


def test_no_rows_have_no_overlaps() -> None:
    assert polygon_overlap(np.zeros((0, 8)), np.zeros((0, 4)), frame_size=SIZE).shape == (0,)


@pytest.mark.parametrize("shape", [(4,), (2, 3), (2, 5)])
def test_rows_that_are_no_regions_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(BoxError, match="rows of x, y, width, height"):
        as_polygons(np.zeros(shape))


def test_two_lengths_are_refused() -> None:
    with pytest.raises(BoxError, match="row by row"):
        polygon_overlap(np.zeros((2, 4)), np.zeros((3, 4)))
