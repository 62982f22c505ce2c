"""Files of several targets: ids, boxes, and the frames in which they begin."""

from __future__ import annotations

import pytest

from siamfc.boxes import Box
from siamfc.data.target_file import TargetStart, holds_targets, read_targets
from siamfc.errors import BoxError, SourceError


def write(tmp_path, text):
    path = tmp_path / "targets.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "id,x,y,width,height\ndog,1,2,30,40\n7,5.5,6,70,80\n",
        "\ufeffID, X, Y, Width, Height\r\ndog, 1, 2, 30, 40\r\n\r\n7, 5.5, 6, 70, 80\r\n",
        "note,height,width,y,x,id\nold,40,30,2,1,dog\n,80,70,6,5.5,7\n",
        "frame,id,x,y,width,height\n,dog,1,2,30,40\n,7,5.5,6,70,80\n",
    ],
)
def test_targets_are_read_whatever_the_order_of_columns(tmp_path, text):
    path = write(tmp_path, text)
    assert holds_targets(path)
    assert read_targets(path) == [TargetStart("dog", Box(1, 2, 30, 40)), TargetStart("7", Box(5.5, 6, 70, 80))]


def test_a_frame_says_where_a_target_begins(tmp_path):
    path = write(tmp_path, "frame,id,x,y,width,height\n3,a,1,2,30,40\n0,b,1,2,30,40\n")
    assert [start.frame for start in read_targets(path)] == [3, 0]


def test_of_several_rows_of_a_target_the_first_counts(tmp_path):
    path = write(tmp_path, "frame,id,x,y,width,height\n2,a,1,2,3,4\n3,a,9,9,9,9\n3,b,5,6,7,8\n4,a,,,,\n")
    assert read_targets(path) == [TargetStart("a", Box(1, 2, 3, 4), 2), TargetStart("b", Box(5, 6, 7, 8), 3)]


@pytest.mark.parametrize(
    "text", ["", "1,2,3,4\n", "x,y,width,height\n1,2,3,4\n", "frame,x,y,width,height\n0,1,2,3,4\n"]
)
def test_other_files_of_boxes_hold_no_targets(tmp_path, text):
    assert not holds_targets(write(tmp_path, text))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("", "no target below"),
        ("dog,1,2,3\n", "line 2: .*finite"),
        ("dog,1,2,x,4\n", "line 2: expected four numbers"),
        ("dog,1,2,0,4\n", "line 2: .*above zero"),
        (",1,2,3,4\n", "line 2: .*id"),
        ("a/b,1,2,3,4\n", "line 2: .*'a/b'"),
        ("..,1,2,3,4\n", "line 2: .*'..'"),
        ("ok,1,2,3,4\nbad,,,,\n", "line 3"),
    ],
)
def test_bad_rows_are_named_with_file_and_line(tmp_path, rows, expected):
    with pytest.raises(BoxError, match=rf"targets\.csv.*{expected}"):
        read_targets(write(tmp_path, f"id,x,y,width,height\n{rows}"))


@pytest.mark.parametrize("frame", ["0001.jpg", "-1", "1.5"])
def test_a_frame_is_a_whole_number(tmp_path, frame):
    with pytest.raises(BoxError, match="frame is a number"):
        read_targets(write(tmp_path, f"frame,id,x,y,width,height\n{frame},a,1,2,3,4\n"))


def test_a_missing_column_and_a_missing_file_are_named(tmp_path):
    with pytest.raises(BoxError, match="no column height"):
        read_targets(write(tmp_path, "id,x,y,width\na,1,2,3\n"))
    with pytest.raises(SourceError, match="none"):
        holds_targets(tmp_path / "none.csv")
