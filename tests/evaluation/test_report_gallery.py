"""The gallery shows where a tracker lost the target for longest, in the right frame, with both boxes in place."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from siamfc.evaluation.reporting.gallery import BOX, TRUTH, Failure, longest_stretch, worst_failures
from siamfc.opencv import cv2
from tests.evaluations import FRAMES, LOST_FROM, got10k, one_pass, vot


def pixels(failure: Failure) -> NDArray[np.uint8]:
    assert failure.picture
    data = np.frombuffer(b64decode(failure.picture.partition(",")[2]), np.uint8)
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1], dtype=np.uint8)


def test_the_longest_failures_come_first_one_a_sequence(tmp_path: Path) -> None:
    failures = worst_failures(one_pass(tmp_path, {"near": 2.0}))
    lengths = {name: FRAMES + 3 * place for place, name in enumerate(LOST_FROM)}
    lost = {name: lengths[name] - LOST_FROM[name] for name in LOST_FROM if lengths[name] > LOST_FROM[name]}
    assert [failure.sequence for failure in failures] == sorted(lost, key=lambda name: -lost[name])
    for failure in failures:
        assert failure.frames == lost[failure.sequence]
        assert failure.first == LOST_FROM[failure.sequence]
        assert failure.frame >= failure.first
        assert failure.overlap == 0


def test_the_frame_shown_is_the_first_with_the_lowest_overlap(tmp_path: Path) -> None:
    evaluation = one_pass(tmp_path, {"near": 2.0})
    row = evaluation.trackers[0].sequences[0]
    boxes = row.sequence.boxes.copy()
    boxes[10:14] += [[18, 0, 0, 0], [19, 0, 0, 0], [40, 0, 0, 0], [40, 0, 0, 0]]
    run = replace(row.runs["ope"], boxes=boxes)
    tracker = replace(evaluation.trackers[0], sequences=(replace(row, runs={"ope": run}),))
    (failure,) = worst_failures(replace(evaluation, trackers=(tracker,)))
    assert (failure.frame, failure.first, failure.last, failure.frames) == (12, 10, 13, 4)


def test_truth_and_box_are_drawn_where_they_are(tmp_path: Path) -> None:
    failure = worst_failures(one_pass(tmp_path, {"near": 2.0}))[0]
    picture = pixels(failure).astype(int)
    zoom = picture.shape[1] / 80
    truth = (5 + failure.frame, 20, 20, 16)
    box = (5 + failure.frame, 44, 20, 10)
    for (x, y, width, height), color in ((truth, TRUTH), (box, BOX)):
        middle_of_edges = [(x + width / 2, y), (x + width / 2, y + height), (x, y + height / 2)]
        for at in middle_of_edges:
            column, row = (round(value * zoom) for value in at)
            seen = picture[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2].reshape(-1, 3)
            assert abs(seen - np.array(color)).sum(axis=1).min() < 120  # JPEG bleeds colour over thin lines


def test_frames_without_truth_neither_end_nor_lengthen_a_failure() -> None:
    overlaps = np.array([0.9, 0.0, np.nan, 0.1, 0.5, 0.0, np.nan, np.nan])
    assert longest_stretch(overlaps) == (1, 3, 2)
    assert longest_stretch(np.array([0.9, np.nan])) is None


def test_a_frame_that_cannot_be_read_leaves_its_failure_in_words(tmp_path: Path) -> None:
    evaluation = one_pass(tmp_path, {"near": 2.0})
    for picture in (tmp_path / "early").iterdir():
        picture.unlink()
    failure = worst_failures(evaluation)[0]
    assert (failure.sequence, failure.picture) == ("early", None)
    assert "early" in failure.obstacle


def test_of_a_supervised_run_the_sequence_with_most_failures_comes_first(tmp_path: Path) -> None:
    failures = worst_failures(vot(tmp_path, {"steady": (), "failing": (5, 14)}))
    assert {failure.tracker for failure in failures} == {"failing"}
    assert [failure.failures for failure in failures] == [2, 2, 2, 1]
    assert all(failure.frame == 5 and failure.overlap == 0 and failure.picture for failure in failures)


def test_a_failure_whose_box_was_not_kept_shows_the_truth_alone(tmp_path: Path) -> None:
    evaluation = vot(tmp_path, {"failing": (5,)})
    for row in evaluation.trackers[0].sequences:
        row.runs["baseline"].boxes[5] = np.nan
    failure = worst_failures(evaluation)[0]
    picture = pixels(failure).astype(int).reshape(-1, 3)
    assert abs(picture - np.array(TRUTH)).sum(axis=1).min() < 120
    assert abs(picture - np.array(BOX)).sum(axis=1).min() > 150


def test_the_worst_of_several_runs_is_shown(tmp_path: Path) -> None:
    evaluation = got10k(tmp_path, {"near": 2.0})
    row = evaluation.trackers[0].sequences[0]
    row.runs["002"].boxes[4:, 1] = 44
    failures = {failure.sequence: failure for failure in worst_failures(evaluation)}
    assert (failures[row.sequence.name].run, failures[row.sequence.name].first) == ("002", 4)


def test_frames_in_which_the_target_is_covered_are_no_failures(tmp_path: Path) -> None:
    evaluation = got10k(tmp_path, {"near": 2.0})
    tracker = evaluation.trackers[0]
    rows = tuple(
        replace(row, sequence=replace(row.sequence, levels={"cover": np.zeros(len(row.sequence))}))
        for row in tracker.sequences
    )
    assert worst_failures(replace(evaluation, trackers=(replace(tracker, sequences=rows),))) == []


@pytest.mark.parametrize("count", [1, 2])
def test_no_more_failures_are_shown_than_asked_for(tmp_path: Path, count: int) -> None:
    assert len(worst_failures(one_pass(tmp_path, {"near": 2.0}), per_tracker=count)) == count
