"""Runs as text: what is written comes back, and the toolkits can read it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siamfc.boxes import Box
from siamfc.errors import BoxError
from siamfc.evaluation.records import NO_BOX, FrameRecord, FrameState, Trajectory
from siamfc.evaluation.result_files import (
    one_pass_text,
    pixel_base,
    read_one_pass,
    read_times,
    read_vot,
    times_text,
    vot_text,
)

nan = float("nan")


@pytest.fixture
def run() -> Trajectory:
    """Started in frame 1 of 5, lost in frame 3."""
    records = [
        FrameRecord(1, FrameState.STARTED, Box(10, 20, 30, 40), 0.5),
        FrameRecord(2, FrameState.TRACKED, Box(10.123456, 20.5, 30.25, 40), 0.25),
        FrameRecord(3, FrameState.TRACKED, NO_BOX, 0.125),
        FrameRecord(4, FrameState.TRACKED, Box(-3, 1 / 3, 5, 6), 0.0625),
    ]
    return Trajectory.from_records(records, num_frames=5)


@pytest.mark.parametrize("base", [0, 1])
def test_a_run_comes_back_to_four_places(run: Trajectory, base: int, tmp_path: Path) -> None:
    path = tmp_path / "run.txt"
    path.write_text(one_pass_text(run, base=base))
    back = read_one_pass(path, base=base, num_frames=5, start=1)
    np.testing.assert_array_equal(back.states, run.states)
    np.testing.assert_allclose(back.boxes, run.boxes, atol=5e-5)
    assert np.isnan(back.seconds).all()


def test_a_one_based_file_calls_the_top_left_pixel_1_1(run: Trajectory) -> None:
    lines = one_pass_text(run, base=1).splitlines()
    assert lines[0] == lines[3] == "nan,nan,nan,nan"
    assert lines[1] == "11.0000,21.0000,30.0000,40.0000"


def test_the_toolkits_way_of_reading_reads_it(run: Trajectory, tmp_path: Path) -> None:
    (tmp_path / "run.txt").write_text(one_pass_text(run, base=0))
    np.testing.assert_allclose(np.loadtxt(tmp_path / "run.txt", delimiter=","), run.boxes, atol=5e-5)
    (tmp_path / "times.txt").write_text(times_text(run))
    np.testing.assert_allclose(np.loadtxt(tmp_path / "times.txt"), run.seconds)


@pytest.mark.parametrize("layout", ["otb", "otb2013", "got10k-val", "lasot-test", "uav123", "uav20l", "tcolor128"])
def test_files_for_one_based_datasets_are_one_based(layout: str) -> None:
    assert pixel_base(layout) == 1


@pytest.mark.parametrize("layout", ["plain", "vot", "trackingnet-test", "nfs30", "davis"])
def test_files_for_other_datasets_are_zero_based(layout: str) -> None:
    assert pixel_base(layout) == 0


@pytest.mark.parametrize(
    "text",
    ["2,3,4,5\n6,7,8,9\n", "2\t3\t4\t5\r\n6\t7\t8\t9\r\n", "\ufeff2 3 4 5\n\n 6  7 8 9", "2, 3, 4, 5,\n6;7;8;9\n"],
)
def test_any_separator_line_end_and_mark_is_read(text: str, tmp_path: Path) -> None:
    (tmp_path / "run.txt").write_text(text, encoding="utf-8", newline="")
    back = read_one_pass(tmp_path / "run.txt", base=1, num_frames=2, start=0)
    assert back.boxes.tolist() == [[1, 2, 4, 5], [5, 6, 8, 9]]


def test_lines_before_the_start_are_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "run.txt").write_text("9,9,9,9\n2,3,4,5\n6,7,8,9\n")
    back = read_one_pass(tmp_path / "run.txt", base=0, num_frames=3, start=1)
    assert back.states.tolist() == [0, 1, 3]
    assert np.isnan(back.boxes[0]).all()


def test_another_count_of_lines_says_how_many_came_and_how_many_were_expected(tmp_path: Path) -> None:
    path = tmp_path / "Freeman3.txt"
    path.write_text("1,2,3,4\n" * 7)
    with pytest.raises(BoxError, match=r"Freeman3\.txt has 7 lines, and 9 were expected"):
        read_one_pass(path, base=1, num_frames=9, start=0)
    with pytest.raises(BoxError, match="7 lines, and 9 were expected"):
        read_vot(path, base=0, truth=np.zeros((9, 4)))


def test_a_line_that_is_no_box_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.txt").write_text("1,2,3,4\n1,2,3\n")
    with pytest.raises(BoxError, match="line 2: expected a box"):
        read_one_pass(tmp_path / "run.txt", base=1, num_frames=2, start=0)


def test_a_supervised_run_has_the_codes_of_the_vot_toolkit_and_comes_back(tmp_path: Path) -> None:
    states = [FrameState.STARTED, FrameState.TRACKED, FrameState.FAILED, FrameState.SKIPPED, FrameState.STARTED]
    boxes = [Box(1, 2, 3, 4), Box(1.5, 2, 3, 4), Box(90, 90, 3, 4), NO_BOX, Box(5, 6, 7, 8)]
    records = [FrameRecord(i, state, box, 0.1) for i, (state, box) in enumerate(zip(states, boxes, strict=True))]
    run = Trajectory.from_records(records, num_frames=5)
    assert vot_text(run, base=0).splitlines() == ["1", "1.5000,2.0000,3.0000,4.0000", "2", "0", "1"]
    (tmp_path / "run.txt").write_text(vot_text(run, base=0))
    back = read_vot(tmp_path / "run.txt", base=0, truth=np.array(boxes))
    np.testing.assert_array_equal(back.states, run.states)
    assert np.isnan(back.boxes[2]).all()  # what the toolkit's files do not keep
    np.testing.assert_array_equal(back.boxes[[0, 1, 4]], run.boxes[[0, 1, 4]])


def test_polygons_are_refused_not_taken_for_something_else(tmp_path: Path) -> None:
    (tmp_path / "run.txt").write_text("1\n1,2,3,4,5,6,7,8\n")
    with pytest.raises(BoxError, match="polygons and masks are not scored"):
        read_vot(tmp_path / "run.txt", base=0, truth=np.ones((2, 4)))


def test_times_are_a_line_a_frame_or_a_column_a_repetition(tmp_path: Path) -> None:
    path = tmp_path / "times.txt"
    path.write_text("0.1,0.2\n0.3,nan\n0.5,0.6\n")
    assert read_times(path, num_frames=3, column=0).tolist() == [0.1, 0.3, 0.5]  # type: ignore[union-attr]
    np.testing.assert_array_equal(read_times(path, num_frames=3, column=1), [0.2, nan, 0.6])  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["0.1\n0.2\n", "no number", ""])
def test_times_that_do_not_fit_are_no_times(text: str, tmp_path: Path) -> None:
    (tmp_path / "times.txt").write_text(text)
    assert read_times(tmp_path / "times.txt", num_frames=3) is None
    assert read_times(tmp_path / "nothing.txt", num_frames=3) is None
