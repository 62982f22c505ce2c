"""Peaks between the cells, and the better one of two that overlap."""

from __future__ import annotations

import numpy as np
import pytest

from siamfc.boxes import intersection_over_union
from siamfc.matching.peaks import local_maxima, refine, thin_out


def test_local_maxima_are_the_cells_that_no_neighbour_exceeds():
    values = np.random.default_rng(0).random((30, 40)).astype(np.float32)
    values[10:12, 5:9] = np.nan
    found = set(zip(*(index.tolist() for index in local_maxima(values, 0.7)), strict=True))
    padded = np.pad(np.nan_to_num(values, nan=-1), 1, constant_values=-1)
    expected = {
        (row, column)
        for row in range(30)
        for column in range(40)
        if values[row, column] >= 0.7 and values[row, column] == padded[row : row + 3, column : column + 3].max()
    }
    assert found == expected


@pytest.mark.parametrize("top", [-0.4, -0.1, 0.0, 0.25, 0.5])
def test_the_top_of_a_parabola_is_found_exactly(top):
    below, at, above = (np.array([3.0 - 0.7 * (place - top) ** 2]) for place in (-1, 0, 1))
    offset, rise = refine(below, at, above)
    assert offset[0] == pytest.approx(top, abs=1e-12)
    assert at[0] + rise[0] == pytest.approx(3.0)


def test_where_there_is_no_top_nothing_is_refined():
    nowhere = np.array([np.nan, 1.0, 1.0])
    offset, rise = refine(nowhere, np.array([1.0, 1.0, 1.0]), np.array([0.0, 1.0, 2.0]))
    assert offset.tolist() == [0, 0, 0]
    assert rise.tolist() == [0, 0, 0]


def test_what_stays_does_not_overlap_and_what_goes_overlaps_something_better():
    rng = np.random.default_rng(1)
    boxes = np.concatenate([rng.uniform(0, 100, (200, 2)), rng.uniform(8, 30, (200, 2))], axis=1)
    scores = rng.random(200)
    kept = thin_out(boxes, scores, max_overlap=0.3, at_most=1000)
    assert (np.diff(scores[kept]) <= 0).all()
    for row, number in enumerate(kept):
        assert (intersection_over_union(boxes[number], boxes[kept[row + 1 :]]) <= 0.3).all()
    for number in set(range(200)) - set(kept.tolist()):
        better = kept[scores[kept] > scores[number]]
        centers = boxes[:, :2] + boxes[:, 2:] / 2
        apart = np.abs(centers[better] - centers[number])
        near = (apart < boxes[better, 2:] / 4).all(1) | (apart < boxes[number, 2:] / 4).all(1)
        assert (near | (intersection_over_union(boxes[number], boxes[better]) > 0.3)).any()


def test_a_small_box_in_the_middle_of_a_large_one_is_the_same_find():
    boxes = np.array([[0, 0, 100, 100], [42, 42, 16, 16], [2, 2, 16, 16.0]])
    assert thin_out(boxes, np.array([0.9, 0.8, 0.7]), max_overlap=0.3, at_most=9).tolist() == [0, 2]


def test_a_wide_and_a_tall_box_that_hardly_overlap_are_two_finds():
    boxes = np.array([[0, 45, 100, 10], [65, 20, 10, 100.0]])  # IoU 0.05, neither centre in the other's middle half
    assert thin_out(boxes, np.array([0.9, 0.8]), max_overlap=0.3, at_most=9).tolist() == [0, 1]


def test_no_more_are_kept_than_asked_for():
    boxes = np.array([[20.0 * number, 0, 10, 10] for number in range(9)])
    assert thin_out(boxes, np.arange(9.0), max_overlap=0.3, at_most=2).tolist() == [8, 7]
