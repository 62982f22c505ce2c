from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from siamfc.cli.data import app
from siamfc.data import DatasetReport, check_dataset, open_dataset
from siamfc.evaluation import one_pass_start
from siamfc.video import VideoWriter
from tests.data.trees import moving_boxes, numbered, write_images, write_rows, write_text


def write_otb(root: Path, name: str, boxes: list[tuple[object, ...]]) -> Path:
    write_images(root / name / "img", numbered("%04d.jpg", 1, len(boxes)))
    write_rows(root / name / "groundtruth_rect.txt", boxes)
    return root / name


def check(root: Path, *, layout: str = "otb", read_all: bool = False) -> DatasetReport:
    return check_dataset(open_dataset(f"{layout}:{root}"), read_all=read_all)


def test_a_dataset_in_order_has_no_findings(tmp_path: Path) -> None:
    write_otb(tmp_path, "A", moving_boxes(3))
    write_otb(tmp_path, "B", moving_boxes(2))
    report = check(tmp_path, read_all=True)
    assert (len(report.sequences), report.frames, report.boxes) == (2, 5, 5)
    assert not report.breaks_run
    assert not any(sequence.findings for sequence in report.sequences)


def test_boxes_that_are_empty_missing_or_outside_are_listed_and_break_nothing(tmp_path: Path) -> None:
    rows = [(2, 3, 8, 6), (2, 3, 0, 6), ("nan",) * 4, (400, 3, 8, 6), (-20, 3, 8, 6), (30, 20, 8, 6)]
    write_otb(tmp_path, "A", rows)
    report = check(tmp_path).sequences[0]
    assert report.empty_boxes == (1,)
    assert report.without_box == 1
    assert report.outside_boxes == (3, 4)  # the last reaches over the edge, which is no fault
    assert report.boxes == 4
    assert not report.breaks_run
    assert report.findings == [
        "A: 1 boxes have no area, first in frame 1",
        "A: 2 boxes lie outside the picture, first in frame 3",
    ]


@pytest.mark.parametrize("rows", [[("nan",) * 4] * 3, [(2, 3, 0, 6)] * 3, [("nan",) * 4, (400, 3, 8, 6), (2, 3, 8, 6)]])
def test_a_first_box_that_no_tracker_can_start_from_breaks_a_run(
    tmp_path: Path, rows: list[tuple[object, ...]]
) -> None:
    write_otb(tmp_path, "A", rows)
    report = check(tmp_path).sequences[0]
    assert report.bad_start is not None
    assert report.breaks_run


@pytest.mark.parametrize("first", [("nan",) * 4, (2, 3, 0, 6)], ids=["missing", "empty"])
def test_a_first_frame_without_a_box_is_reported_and_runs_start_where_evaluation_starts_them(
    tmp_path: Path, first: tuple[object, ...]
) -> None:
    folder = write_otb(tmp_path, "A", [first, *moving_boxes(3)])
    report = check(tmp_path).sequences[0]
    assert report.start == one_pass_start(open_dataset(f"otb:{tmp_path}")[0].boxes).frame == 1
    assert not report.breaks_run
    assert "A: no box in the first frame, runs start in frame 1" in report.findings
    (folder / "img/0002.jpg").write_bytes(b"no picture")
    assert "0002.jpg" in check(tmp_path).sequences[0].unreadable[0]


def test_counts_that_do_not_match_break_a_run_and_the_others_are_still_looked_at(tmp_path: Path) -> None:
    folder = write_otb(tmp_path, "A", moving_boxes(3))
    (folder / "img/0002.jpg").unlink()
    write_otb(tmp_path, "B", moving_boxes(2))
    bad, good = check(tmp_path).sequences
    assert bad.count_mismatch is not None
    assert "3 boxes, but 2 frames" in bad.count_mismatch
    assert bad.breaks_run
    assert good.frames == 2
    assert not good.breaks_run


def test_an_annotation_that_cannot_be_read_breaks_a_run(tmp_path: Path) -> None:
    folder = write_otb(tmp_path, "A", moving_boxes(2))
    write_text(folder / "groundtruth_rect.txt", "1,2,3\n")
    report = check(tmp_path).sequences[0]
    assert "groundtruth_rect.txt, line 1" in report.unreadable[0]
    assert report.breaks_run


def test_a_damaged_frame_is_found_at_the_start_or_by_reading_all(tmp_path: Path) -> None:
    folder = write_otb(tmp_path, "A", moving_boxes(3))
    (folder / "img/0003.jpg").write_bytes(b"no picture")
    assert not check(tmp_path).breaks_run
    assert "0003.jpg" in check(tmp_path, read_all=True).sequences[0].unreadable[0]
    (folder / "img/0001.jpg").write_bytes(b"no picture")
    assert "0001.jpg" in check(tmp_path).sequences[0].unreadable[0]


def test_a_file_of_no_bytes_is_found_without_reading(tmp_path: Path) -> None:
    folder = write_otb(tmp_path, "A", moving_boxes(3))
    (folder / "img/0002.jpg").write_bytes(b"")
    assert check(tmp_path).sequences[0].unreadable == (f"{folder / 'img/0002.jpg'} is empty (0 bytes)",)


def test_a_video_is_checked_too(tmp_path: Path) -> None:
    (tmp_path / "clip").mkdir()
    with VideoWriter(tmp_path / "clip/video.mp4", frame_rate=25) as writer:
        for shade in range(4):
            writer.write(np.full((64, 64, 3), 40 * shade, np.uint8))
    write_text(tmp_path / "clip/boxes.csv", "frame,x,y,width,height\n0,1,2,3,4\n2,90,2,3,4\n")
    report = check(tmp_path, layout="plain", read_all=True).sequences[0]
    assert (report.frames, report.boxes, report.without_box, report.outside_boxes) == (4, 2, 2, (2,))
    assert check(tmp_path, layout="plain").sequences[0] == report


def test_the_command_lists_what_it_found_and_exits_0_where_a_run_would_pass(tmp_path: Path) -> None:
    write_otb(tmp_path, "A", [(2, 3, 8, 6), (2, 3, 0, 6)])
    write_otb(tmp_path, "B", moving_boxes(3))
    result = CliRunner().invoke(app, ["check", f"otb:{tmp_path}"])
    assert result.exit_code == 0
    assert "A: 1 boxes have no area, first in frame 1" in result.stdout
    assert "2 sequences, 5 frames, 4 boxes; nothing that would break a run" in result.stdout
    assert "\nB " not in result.stdout
    assert "\nB " in CliRunner().invoke(app, ["check", "--each", f"otb:{tmp_path}"]).stdout


def test_the_command_exits_1_where_a_run_would_break(tmp_path: Path) -> None:
    folder = write_otb(tmp_path, "A", moving_boxes(3))
    (folder / "img/0001.jpg").write_bytes(b"no picture")
    result = CliRunner().invoke(app, ["check", f"otb:{tmp_path}"])
    assert result.exit_code == 1
    assert "1 sequences would break a run" in result.stdout
    as_json = CliRunner().invoke(app, ["check", "--json", f"otb:{tmp_path}"])
    assert as_json.exit_code == 1
    facts = json.loads(as_json.stdout)
    assert facts["breaks_run"] is True
    assert facts["sequences"][0]["name"] == "A"


def test_the_command_lists_the_layouts() -> None:
    result = CliRunner().invoke(app, ["layouts"])
    assert result.exit_code == 0
    assert "otb2013" in result.stdout
