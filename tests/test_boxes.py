"""Boxes: conversions, checks, overlap and distance."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from siamfc.boxes import Box, as_box, center_distance, clip_box, intersection_over_union
from siamfc.errors import BoxError
from tests.reference.pixels import iou_by_counting


def test_center_and_size_give_the_box_back():
    box = Box(12.25, -3.5, 7.5, 2.25)
    assert Box.from_center(*box.center, box.width, box.height) == box


def test_corners_are_edges_and_not_last_pixels():
    assert Box.from_corners(0, 0, 10, 5) == Box(0, 0, 10, 5)
    assert Box.from_corners(0, 0, 10, 5).area == 50


def test_one_based_files_differ_by_one_pixel_in_place_and_none_in_size():
    assert Box.from_one_based(1, 1, 10, 5) == Box(0, 0, 10, 5)
    box = Box(3.5, 4.25, 10, 5)
    assert Box.from_one_based(*box.to_one_based()) == box


@pytest.mark.parametrize("angle_deg", [0, 10, 45, 90, 133])
def test_the_box_of_a_turned_rectangle_has_its_center_and_its_area(angle_deg):
    angle = math.radians(angle_deg)
    corners = [
        (100 + x * math.cos(angle) - y * math.sin(angle), 50 + x * math.sin(angle) + y * math.cos(angle))
        for x, y in ((-20, -10), (20, -10), (20, 10), (-20, 10))
    ]
    box = Box.from_polygon(np.ravel(corners))
    assert box.center == pytest.approx((100, 50))
    assert box.area == pytest.approx(800)


def test_the_box_of_an_upright_rectangle_is_that_rectangle_in_both_turning_directions():
    corners = [3, 4, 3, 10, 8, 10, 8, 4]
    assert Box.from_polygon(corners) == pytest.approx((3, 4, 5, 6))
    assert Box.from_polygon(np.reshape(corners, (4, 2))[::-1].ravel()) == pytest.approx((3, 4, 5, 6))


@pytest.mark.parametrize("corners", [[0, 0, 1, 1], [0, 0, 1, 0, 1], [0, 0, 1, 0, math.nan, 1]])
def test_a_polygon_of_too_few_or_broken_corners_is_refused(corners):
    with pytest.raises(BoxError, match="three finite corners"):
        Box.from_polygon(corners)


@pytest.mark.parametrize(
    "four",
    [
        Box(1, 2, 3, 4),
        [1, 2, 3, 4],
        (1.0, 2.0, 3.0, 4.0),
        ("1", "2", "3", "4"),
        np.array([1, 2, 3, 4]),
        np.array([1, 2, 3, 4], dtype=np.float32),
        torch.tensor([1, 2, 3, 4]),
        iter([1, 2, 3, 4]),
    ],
    ids=lambda four: type(four).__name__,
)
def test_any_four_numbers_are_a_box(four):
    box = as_box(four)
    assert box == Box(1.0, 2.0, 3.0, 4.0)
    assert all(type(number) is float for number in box)


@pytest.mark.parametrize("values", [[], [1, 2, 3], [1, 2, 3, 4, 5], "1234", "abcd", 5, None, [[1, 2, 3, 4]]])
def test_anything_but_four_numbers_is_refused(values):
    with pytest.raises(BoxError, match="four numbers"):
        as_box(values)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", range(4))
def test_a_number_that_is_not_finite_is_refused(place, bad):
    values = [10.0, 10.0, 10.0, 10.0]
    values[place] = bad
    with pytest.raises(BoxError, match="finite"):
        as_box(values)


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (-1, 5), (5, -1)])
def test_a_box_without_area_is_refused(size):
    with pytest.raises(BoxError, match="above zero"):
        as_box((10, 10, *size))


@pytest.mark.parametrize("values", [(0, 0, 1e300, 1e300), (-1e12, 0, 2e12, 5)])
def test_a_box_larger_than_any_picture_is_refused(values):
    with pytest.raises(BoxError, match="no picture"):
        as_box(values)


def test_clipping_leaves_an_inner_box_alone():
    assert clip_box(Box(1, 2, 3, 4), width=10, height=10) == Box(1, 2, 3, 4)


def test_clipping_keeps_the_shared_part():
    assert clip_box(Box(-5, -5, 30, 30), width=10, height=20) == Box(0, 0, 10, 20)


@pytest.mark.parametrize("box", [Box(-4, 0, 4, 4), Box(10, 0, 4, 4), Box(0, -4, 4, 4), Box(0, 20, 4, 4)])
def test_a_box_that_only_touches_the_frame_from_outside_shares_nothing(box):
    assert clip_box(box, width=10, height=20) is None


def test_overlap_equals_counting_pixels():
    rng = np.random.default_rng(0)
    boxes, others = (np.hstack([rng.integers(0, 12, (200, 2)), rng.integers(1, 9, (200, 2))]) for _ in range(2))
    counted = [iou_by_counting(box, other, side=24) for box, other in zip(boxes, others, strict=True)]
    assert 0 < np.mean(np.array(counted) > 0) < 1  # both kinds are there
    np.testing.assert_allclose(intersection_over_union(boxes, others), counted, rtol=1e-15)


def test_overlap_is_symmetric_and_one_with_itself():
    rng = np.random.default_rng(1)
    boxes, others = (rng.uniform(1, 20, (50, 4)) for _ in range(2))
    np.testing.assert_array_equal(intersection_over_union(boxes, others), intersection_over_union(others, boxes))
    with_itself = intersection_over_union(boxes, boxes)
    np.testing.assert_allclose(with_itself, np.ones(50), rtol=1e-12)
    assert with_itself.max() <= 1


def test_overlap_broadcasts_one_box_over_many():
    boxes = np.array([[0, 0, 2, 2], [1, 0, 2, 2], [5, 5, 1, 1]])
    np.testing.assert_allclose(intersection_over_union(boxes, [0, 0, 2, 2]), [1, 1 / 3, 0])
    assert intersection_over_union(boxes[:, None], boxes[None]).shape == (3, 3)


def test_boxes_that_touch_or_have_no_area_share_nothing():
    assert intersection_over_union([0, 0, 2, 2], [2, 0, 2, 2]) == 0
    assert intersection_over_union([1, 1, 0, 0], [1, 1, 0, 0]) == 0


def test_overlap_with_an_unknown_box_is_unknown():
    overlap = intersection_over_union([[math.nan] * 4, [0, 0, 1, 1]], [0, 0, 1, 1])
    assert np.isnan(overlap[0])
    assert overlap[1] == 1


def test_distance_is_that_of_the_centers():
    assert center_distance([0, 0, 10, 10], [0, 0, 10, 10]) == 0
    assert center_distance([0, 0, 10, 10], [3 - 1, 4 - 2, 12, 14]) == pytest.approx(5)
    assert center_distance(np.zeros((3, 4)), [0, 0, 6, 8]).tolist() == [5, 5, 5]


@pytest.mark.parametrize("measure", [intersection_over_union, center_distance])
@pytest.mark.parametrize("boxes", [[0, 0, 2], [[0, 0, 2, 2, 2]], 5])
def test_rows_that_are_no_boxes_are_refused(measure, boxes):
    with pytest.raises(BoxError, match="x, y, width, height"):
        measure(boxes, [0, 0, 2, 2])
