"""Runs frame by frame, with trackers whose every answer is known."""

from __future__ import annotations

from math import isnan
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from siamfc.boxes import Box
from siamfc.errors import BoxError
from siamfc.evaluation.protocols import run_one_pass, run_vot_supervised
from siamfc.evaluation.records import NO_BOX, FrameState, Trajectory
from siamfc.evaluation.starts import RunStart
from siamfc.evaluation.vot_metrics import vot_sequence_score

TRUTH = Box(10.0, 10.0, 20.0, 20.0)
AWAY = Box(60.0, 60.0, 20.0, 20.0)
SKIPPED, STARTED, FAILED, TRACKED = FrameState


class NumberedFrames:
    """Frames whose first pixel is their number, and the numbers of those that were read."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.read: list[int] = []

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Any:
        self.read.append(index)
        return np.full((90, 120, 3), index, dtype=np.uint8)


class ScriptedTracker:
    """Answers with what stands in a table for each frame, the truth where nothing does."""

    def __init__(self, answers: dict[int, Any] | None = None) -> None:
        self.answers = answers or {}
        self.starts: list[tuple[int, Box]] = []

    def init(self, frame: Any, box: Box) -> None:
        self.starts.append((int(frame[0, 0, 0]), box))

    def update(self, frame: Any) -> Any:
        answer = self.answers.get(int(frame[0, 0, 0]), TRUTH)
        if isinstance(answer, Exception):
            raise answer
        return answer


def states(tracker: ScriptedTracker, truth: list[Box], **options: Any) -> list[int]:
    frames = NumberedFrames(len(truth))
    return [int(record.state) for record in run_vot_supervised(tracker, frames, truth, **options)]


def test_a_one_pass_run_starts_once_and_goes_to_the_end() -> None:
    tracker, frames = ScriptedTracker({4: AWAY}), NumberedFrames(6)
    records = list(run_one_pass(tracker, frames, RunStart("ope", 2, AWAY)))
    assert tracker.starts == [(2, AWAY)]
    assert frames.read == [2, 3, 4, 5]
    assert [(record.frame, record.state) for record in records] == [
        (2, STARTED),
        (3, TRACKED),
        (4, TRACKED),
        (5, TRACKED),
    ]
    assert [record.box for record in records] == [AWAY, TRUTH, AWAY, TRUTH]
    assert all(record.seconds >= 0 for record in records)


def test_a_record_is_given_out_before_the_next_frame_is_read() -> None:
    frames = NumberedFrames(3)
    run = run_one_pass(ScriptedTracker(), frames, RunStart("ope", 0, TRUTH))
    assert [(next(run).frame, list(frames.read)) for _ in range(2)] == [(0, [0]), (1, [0, 1])]


@pytest.mark.parametrize(
    ("answer", "box"),
    [
        (SimpleNamespace(box=AWAY), AWAY),
        ([1, 2, 3, 4], Box(1, 2, 3, 4)),
        (np.array([1, 2, 3, 4], dtype=np.float32), Box(1, 2, 3, 4)),
    ],
)
def test_a_tracker_may_answer_with_a_box_or_with_something_that_has_one(answer: object, box: Box) -> None:
    records = list(run_one_pass(ScriptedTracker({1: answer}), NumberedFrames(2), RunStart("ope", 0, TRUTH)))
    assert records[1].box == box
    assert all(type(value) is float for value in records[1].box)


@pytest.mark.parametrize("answer", [None, NO_BOX, SimpleNamespace(box=None), [1, 2, float("inf"), 4]])
def test_a_tracker_may_say_that_it_lost_the_target(answer: object) -> None:
    records = list(run_one_pass(ScriptedTracker({1: answer}), NumberedFrames(2), RunStart("ope", 0, TRUTH)))
    assert records[1].state == TRACKED
    assert all(isnan(value) for value in records[1].box)


@pytest.mark.parametrize("answer", [(True, (1, 2, 3, 4)), 7, "1,2,3,4", [1, 2, 3]])
def test_an_answer_that_is_no_box_is_refused(answer: object) -> None:
    with pytest.raises(BoxError, match="update gives x, y, width, height"):
        list(run_one_pass(ScriptedTracker({1: answer}), NumberedFrames(2), RunStart("ope", 0, TRUTH)))


def test_what_a_tracker_raises_goes_to_the_caller() -> None:
    tracker = ScriptedTracker({2: ZeroDivisionError("broken")})
    run = run_one_pass(tracker, NumberedFrames(4), RunStart("ope", 0, TRUTH))
    assert [next(run).frame, next(run).frame] == [0, 1]
    with pytest.raises(ZeroDivisionError, match="broken"):
        next(run)
    with pytest.raises(ZeroDivisionError, match="broken"):
        states(tracker, [TRUTH] * 4)


def test_after_a_failure_four_frames_are_skipped_and_the_fifth_starts_anew() -> None:
    tracker, frames = ScriptedTracker({2: AWAY}), NumberedFrames(10)
    records = list(run_vot_supervised(tracker, frames, [TRUTH] * 10))
    assert [record.state for record in records] == [
        STARTED,
        TRACKED,
        FAILED,
        SKIPPED,
        SKIPPED,
        SKIPPED,
        SKIPPED,
        STARTED,
        TRACKED,
        TRACKED,
    ]
    assert tracker.starts == [(0, TRUTH), (7, TRUTH)]
    assert frames.read == [0, 1, 2, 7, 8, 9]
    assert [isnan(record.seconds) for record in records] == [record.state == SKIPPED for record in records]
    assert records[2].box == AWAY


def test_a_failure_near_the_end_leaves_skipped_frames_only() -> None:
    assert states(ScriptedTracker({2: AWAY}), [TRUTH] * 5) == [STARTED, TRACKED, FAILED, SKIPPED, SKIPPED]


@pytest.mark.parametrize("answer", [None, AWAY, [30, 10, 20, 20], [10, 10, 0, 0], [30, 30, -20, -20]])
def test_a_box_that_shares_no_area_with_the_truth_is_a_failure(answer: object) -> None:
    assert states(ScriptedTracker({1: answer}), [TRUTH] * 2) == [STARTED, FAILED]


def test_the_overlap_that_counts_as_a_failure_can_be_raised() -> None:
    half = {1: [10, 10, 20, 10]}
    assert states(ScriptedTracker(half), [TRUTH] * 2, failure_overlap=0.49) == [STARTED, TRACKED]
    assert states(ScriptedTracker(half), [TRUTH] * 2, failure_overlap=0.5) == [STARTED, FAILED]


def test_what_lies_outside_the_frame_saves_nobody() -> None:
    truth, found = Box(100, 10, 40, 20), Box(120, 10, 40, 20)  # they share columns 120 to 140 of a frame of 120
    assert states(ScriptedTracker({1: found}), [truth] * 2) == [STARTED, FAILED]


def test_the_tracker_starts_with_the_box_and_is_compared_with_the_region() -> None:
    diamond = [20.0, 0, 40, 20, 20, 40, 0, 20]
    corner = {1: [0, 0, 9, 9]}  # inside the box 0 to 40, outside of the diamond in it
    box = Box(0, 0, 40, 40)
    assert states(ScriptedTracker(corner), [box] * 2) == [STARTED, TRACKED]
    tracker = ScriptedTracker(corner)
    assert states(tracker, [box] * 2, regions=[diamond] * 2) == [STARTED, FAILED]
    assert tracker.starts == [(0, box)]


@pytest.mark.parametrize("none", [NO_BOX, Box(0, 0, 0, 0), Box(4, 4, -2, 3)])
def test_a_frame_without_truth_neither_fails_nor_starts(none: Box) -> None:
    truth = [none, TRUTH, none, TRUTH, none, TRUTH]
    tracker = ScriptedTracker({2: AWAY, 3: AWAY})
    assert states(tracker, truth, skip=1) == [SKIPPED, STARTED, TRACKED, FAILED, SKIPPED, STARTED]


def test_a_supervised_run_can_be_scored_from_its_records() -> None:
    answers = {frame: [10, 10, 20, 10] for frame in range(1, 40)} | {15: AWAY}
    frames, truth = NumberedFrames(40), [TRUTH] * 40
    records = run_vot_supervised(ScriptedTracker(answers), frames, truth)
    score = vot_sequence_score([Trajectory.from_records(records, num_frames=40)], truth, frame_size=(90, 120))
    assert (score.accuracy, score.failures) == (0.5, 1)
    assert [(fragment.overlaps.size, fragment.failed) for fragment in score.fragments] == [(14, True), (19, False)]
    assert np.count_nonzero(~np.isnan(score.valid_overlaps)) == 5 + 10


def test_input_that_does_not_fit_is_refused() -> None:
    with pytest.raises(BoxError, match="one true box"):
        states(ScriptedTracker(), [TRUTH] * 3, regions=[TRUTH] * 2)
    with pytest.raises(ValueError, match="skip is at least 1"):
        states(ScriptedTracker(), [TRUTH] * 3, skip=0)
