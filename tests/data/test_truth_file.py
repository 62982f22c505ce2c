"""True boxes are found by frame, however the file writes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siamfc.boxes import Box
from siamfc.data.truth_file import read_truth, true_box
from siamfc.errors import BoxError, SourceError
from siamfc.video import Frame
from tests.data.trees import write_text

IMAGE = np.zeros((2, 2, 3), np.uint8)


def frame(number: int, name: str | None = None) -> Frame:
    return Frame(number, None, name, IMAGE)


def test_otbs_lines_count_from_one_and_a_box_of_nan_is_not_in_view(tmp_path: Path) -> None:
    truth = read_truth(write_text(tmp_path / "t.txt", "1,1,4,6\nnan,nan,nan,nan\n0 0 0 0\n"))
    assert true_box(truth, frame(0)) == Box(0, 0, 4, 6)
    assert true_box(truth, frame(1)) is None
    assert true_box(truth, frame(2)) is None
    assert true_box(truth, frame(3)) is None


def test_polygons_are_read_as_vot_writes_them(tmp_path: Path) -> None:
    truth = read_truth(write_text(tmp_path / "t.txt", "0,0,4,0,4,2,0,2\nnan,0,4,0,4,2,0,2\n"))
    assert true_box(truth, frame(0)) == Box(0, 0, 4, 2)
    assert true_box(truth, frame(1)) is None


def test_csv_rows_are_found_by_number_or_by_the_images_name(tmp_path: Path) -> None:
    csv = "frame,x,y,width,height,score\n7,1,2,3,4,.5\na9.jpg,5,6,7,8,.5\nb,1,1,1,1,\nc,,,,,\n"
    truth = read_truth(write_text(tmp_path / "t.csv", csv))
    assert true_box(truth, frame(7)) == Box(1, 2, 3, 4)
    assert true_box(truth, frame(0, "a9.jpg")) == Box(5, 6, 7, 8)
    assert true_box(truth, frame(0, "b.png")) == Box(1, 1, 1, 1)
    assert true_box(truth, frame(0, "c.png")) is None


@pytest.mark.parametrize("text", ["", "1,2,3\n", "a,b\n", "frame,x,y,width,height\n1,x,2,3,4\n", "x,y\n1,2\n"])
def test_anything_else_is_refused_with_the_files_name(text: str, tmp_path: Path) -> None:
    with pytest.raises(BoxError, match=r"t\.txt"):
        read_truth(write_text(tmp_path / "t.txt", text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nowhere"):
        read_truth(tmp_path / "nowhere.txt")
