from __future__ import annotations

from pathlib import Path

import pytest

from siamfc.data import open_dataset
from siamfc.errors import BoxError
from tests.data.trees import moving_boxes, numbered, write_images, write_rows


def write_sequence(root: Path, rows: list[tuple[object, ...]]) -> None:
    write_images(root / "Bike/img", numbered("%05d.jpg", 1, 4))
    write_rows(root / "Bike/groundtruth_rect.txt", rows)


def test_boxes_are_taken_as_they_stand_and_lost_targets_are_nan(tmp_path: Path) -> None:
    write_sequence(tmp_path, [(place + 1, *box, int(place == 2)) for place, box in enumerate(moving_boxes(4))])
    sequence = open_dataset(f"tlp:{tmp_path}")[0]
    assert sequence.boxes[[0, 1, 3]].tolist() == [list(moving_boxes(4)[place]) for place in (0, 1, 3)]
    assert sequence.flags["absent"].tolist() == [False, False, True, False]
    assert sequence.numbers.tolist() == [1, 2, 3, 4]


def test_rows_with_a_gap_in_their_numbers_are_an_error(tmp_path: Path) -> None:
    write_sequence(tmp_path, [(1, 1, 1, 5, 5, 0), (3, 1, 1, 5, 5, 0)])
    with pytest.raises(BoxError, match=r"groundtruth_rect\.txt: expected a row a frame, numbered without a gap"):
        open_dataset(f"tlp:{tmp_path}")[0]


def test_a_row_without_the_mark_is_named(tmp_path: Path) -> None:
    write_sequence(tmp_path, [(1, 1, 1, 5, 5, 0), (2, 1, 1, 5, 5)])
    with pytest.raises(BoxError, match=r"line 2: expected frame,x,y,width,height,isLost"):
        open_dataset(f"tlp:{tmp_path}")[0]
