"""VOT's figures against cases worked out by hand and the slow definition."""

from __future__ import annotations

from math import exp

import numpy as np
import pytest
from numpy.typing import NDArray

from siamfc.errors import BoxError
from siamfc.evaluation.expected_overlap import (
    EAO_INTERVALS,
    expected_average_overlap,
    expected_overlap_curve,
    split_fragments,
)
from siamfc.evaluation.records import FrameState, Trajectory
from siamfc.evaluation.vot_metrics import vot_overlaps, vot_score, vot_sequence_score
from tests.reference import expected_overlap_reference as reference

SIZE = (100, 100)
WHOLE, HALF = [10.0, 10, 20, 20], [10.0, 10, 20, 10]  # overlaps 1 and 0.5 with the truth
SKIPPED, STARTED, FAILED, TRACKED = FrameState


def trajectory(states: list[int], boxes: list[list[float]] | None = None) -> Trajectory:
    rows = np.array(boxes if boxes else [WHOLE] * len(states), dtype=np.float64)
    return Trajectory(np.array(states), rows, np.full(len(states), np.nan))


def random_run(rng: np.random.Generator, frames: int) -> tuple[list[int], NDArray[np.float64]]:
    """States and overlaps of a supervised run that fails now and then."""
    states: list[int] = []
    while len(states) < frames:
        stretch = int(rng.integers(0, 25))
        states += [STARTED, *[TRACKED] * stretch, FAILED, *[SKIPPED] * 4]
    return states[:frames], rng.uniform(0.01, 1, size=frames)


def test_only_tracked_frames_have_an_overlap() -> None:
    run = trajectory([STARTED, TRACKED, TRACKED, FAILED, SKIPPED], [WHOLE, WHOLE, HALF, WHOLE, WHOLE])
    overlaps = vot_overlaps(run, [WHOLE] * 5, frame_size=SIZE)
    np.testing.assert_array_equal(overlaps, [np.nan, 1, 0.5, np.nan, np.nan])


def test_a_tracked_box_that_is_none_overlaps_nothing_and_a_frame_without_truth_is_left_out() -> None:
    run = trajectory([TRACKED] * 3, [[np.nan] * 4, [30.0, 30, -20, -20], WHOLE])
    for none in ([np.nan] * 4, [3.0, 3, 0, 0]):
        np.testing.assert_array_equal(vot_overlaps(run, [WHOLE, WHOLE, none], frame_size=SIZE), [0, 0, np.nan])


def test_the_truth_may_be_polygons_and_ends_at_the_frame() -> None:
    diamond = [2.0, 0, 4, 2, 2, 4, 0, 2]
    run = trajectory([TRACKED, TRACKED], [[0, 0, 4, 4], [96, 96, 40, 40]])
    overlaps = vot_overlaps(run, [diamond, [96, 96, 100, 96, 100, 100, 96, 100]], frame_size=SIZE)
    np.testing.assert_allclose(overlaps, [0.5, 1])


def test_the_ten_frames_from_a_start_on_say_nothing_about_accuracy() -> None:
    run = trajectory([STARTED, *[TRACKED] * 11], [WHOLE] * 10 + [HALF, WHOLE])
    score = vot_sequence_score([run], [WHOLE] * 12, frame_size=SIZE)
    assert score.accuracy == 0.75
    assert np.flatnonzero(~np.isnan(score.valid_overlaps)).tolist() == [10, 11]


def test_a_sequence_without_a_valid_frame_has_accuracy_zero() -> None:
    score = vot_sequence_score([trajectory([STARTED, TRACKED, FAILED])], [WHOLE] * 3, frame_size=SIZE)
    assert (score.accuracy, score.failures) == (0, 1)


def test_repetitions_are_averaged() -> None:
    calm = trajectory([STARTED, TRACKED, TRACKED], [WHOLE, WHOLE, HALF])
    lost = trajectory([STARTED, TRACKED, FAILED], [WHOLE, HALF, WHOLE])
    score = vot_sequence_score([calm, lost], [WHOLE] * 3, frame_size=SIZE, burn_in=1)
    assert (score.accuracy, score.failures, score.frames) == (0.625, 0.5, 3)
    np.testing.assert_array_equal(score.valid_overlaps, [np.nan, 0.75, 0.5])
    assert [fragment.failed for fragment in score.fragments] == [False, True]


def test_a_data_set_worked_out_by_hand() -> None:
    short = vot_sequence_score(
        [trajectory([STARTED, TRACKED, FAILED], [WHOLE, HALF, WHOLE])], [WHOLE] * 3, frame_size=SIZE, burn_in=1
    )
    long = vot_sequence_score([trajectory([STARTED, *[TRACKED] * 6])], [WHOLE] * 7, frame_size=SIZE, burn_in=1)
    score = vot_score([short, long], interval=(1, 3), sensitivity=30)
    assert score.accuracy == pytest.approx((3 * 0.5 + 7 * 1) / 10)
    assert score.pooled_accuracy == pytest.approx((0.5 + 6) / 7)
    assert score.robustness == pytest.approx(3 / 10)
    assert score.failures == 1
    assert score.reliability == pytest.approx(exp(-30 * 1 / 10))
    # One frame: 0.5 and 1; two: 0.25 and 1; three: 1/6 and 1.
    np.testing.assert_allclose(score.expected_overlap_curve[:4], [1, 0.75, 0.625, 7 / 12])
    assert score.expected_average_overlap == pytest.approx((0.75 + 0.625 + 7 / 12) / 3)


@pytest.mark.parametrize("seed", range(5))
def test_the_expected_average_overlap_is_that_of_the_slow_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    runs = [random_run(rng, int(frames)) for frames in rng.integers(5, 120, size=8)]
    fragments = [fragment for states, overlaps in runs for fragment in split_fragments(states, overlaps)]
    curve = expected_overlap_curve(fragments, num_frames=max(len(states) for states, _ in runs))
    plain = [([int(state) for state in states], overlaps.tolist()) for states, overlaps in runs]
    slow = [reference.expected_overlap(plain, frames) for frames in range(1, len(curve))]
    np.testing.assert_allclose(curve[1:], slow, atol=1e-12)
    for interval in ((1, 1), (10, 50), (20, 1000)):
        assert expected_average_overlap(curve, interval) == pytest.approx(
            reference.expected_average_overlap(plain, *interval), abs=1e-12
        )


def test_a_tracker_that_always_fails_is_still_expected_to_do_badly_on_long_sequences() -> None:
    fragments = split_fragments([STARTED, TRACKED, FAILED, *[SKIPPED] * 7], np.ones(10))
    curve = expected_overlap_curve(fragments, num_frames=10)
    np.testing.assert_allclose(curve[1:], 1 / np.arange(1, 10))


def test_a_start_in_the_last_frame_is_a_fragment_of_nothing() -> None:
    fragments = split_fragments([STARTED, FAILED, STARTED], [np.nan] * 3)
    assert [(fragment.overlaps.size, fragment.failed) for fragment in fragments] == [(0, True), (0, False)]
    np.testing.assert_array_equal(expected_overlap_curve(fragments, num_frames=3), [1, 0, 0])


def test_a_length_that_no_fragment_reaches_has_no_expected_overlap() -> None:
    curve = expected_overlap_curve(split_fragments([STARTED, TRACKED], [0, 0.5]), num_frames=4)
    np.testing.assert_array_equal(curve, [1, 0.5, np.nan, np.nan])
    assert expected_average_overlap(curve, (1, 3)) == 0.5
    assert np.isnan(expected_average_overlap(curve, (2, 3)))


def test_the_intervals_are_those_of_the_challenges() -> None:
    assert EAO_INTERVALS[2016] == (108, 371)
    assert all(low < high for low, high in EAO_INTERVALS.values())


@pytest.mark.parametrize("interval", [(0, 5), (6, 5)])
def test_an_interval_that_is_none_is_refused(interval: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="1 <= low <= high"):
        expected_average_overlap([1.0], interval)


def test_input_that_does_not_fit_is_refused() -> None:
    with pytest.raises(BoxError, match="3 frames, the truth 2"):
        vot_overlaps(trajectory([STARTED] * 3), [WHOLE] * 2, frame_size=SIZE)
    with pytest.raises(BoxError, match="one state, box and time a frame"):
        Trajectory(np.zeros(3, dtype=np.int64), np.zeros((2, 4)), np.zeros(3))
    with pytest.raises(ValueError, match="no trajectory"):
        vot_sequence_score([], [WHOLE], frame_size=SIZE)
    with pytest.raises(ValueError, match="no score"):
        vot_score([], interval=(1, 2))
