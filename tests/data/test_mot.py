from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siamfc.data import check_dataset, open_dataset
from siamfc.errors import BoxError
from tests.data.trees import numbered, write_images, write_rows, write_text

ROWS = [
    # frame, id, left, top, width, height, consider, class, visibility
    (2, 7, 11, 12, 5, 6, 1, 1, 1.0),
    (1, 3, 1, 2, 5, 6, 1, 1, 0.5),
    (3, 3, 3, 2, 5, 6, 1, 1, 0.25),
    (1, 9, 1, 2, 5, 6, 0, 12, 1.0),
    (4, 7, 13, 12, 5, 6, 1, 1, 0.0),
]


def write_video(root: Path, rows: list[tuple[float, ...]], *, images: str = "img1") -> Path:
    write_images(root / images, numbered("%06d.jpg", 1, 5))
    write_rows(root / "gt/gt.txt", rows)
    return root


def test_each_track_is_a_sequence_from_its_first_frame_to_its_last(tmp_path: Path) -> None:
    write_video(tmp_path / "MOT17-02", ROWS)
    first, second = open_dataset(f"mot:{tmp_path}")
    assert (first.name, second.name) == ("MOT17-02-3", "MOT17-02-7")
    assert first.numbers.tolist() == [1, 2, 3]
    assert second.numbers.tolist() == [2, 3, 4]
    assert first.boxes[[0, 2]].tolist() == [[0, 1, 5, 6], [2, 1, 5, 6]]
    assert first.in_view.tolist() == [True, False, True]
    assert first.flags["absent"].tolist() == [False, True, False]
    assert np.array_equal(first.levels["visibility"], [0.5, np.nan, 0.25], equal_nan=True)
    assert first.meta == {"class": "pedestrian"}


def test_rows_that_the_scorer_ignores_are_left_out(tmp_path: Path) -> None:
    write_video(tmp_path / "MOT17-02", ROWS)
    assert not any(name.endswith("-9") for name in open_dataset(f"mot:{tmp_path}").names)


def test_ten_columns_are_those_of_2015_without_class_and_visibility(tmp_path: Path) -> None:
    write_video(tmp_path / "ADL-1", [(1, 1, 5, 6, 7, 8, 1, -1, -1, -1), (2, 1, 5, 6, 7, 8, 1, -1, -1, -1)])
    sequence = open_dataset(f"mot:{tmp_path}")[0]
    assert sequence.levels == {}
    assert sequence.meta == {}


def test_videos_are_found_below_train_and_where_seqinfo_says(tmp_path: Path) -> None:
    folder = write_video(tmp_path / "train/MOT17-02", ROWS, images="frames")
    write_text(folder / "seqinfo.ini", "[Sequence]\r\nname=MOT17-02\r\nimDir=frames\r\n")
    assert open_dataset(f"mot:{tmp_path}")[0].frame(0).shape == (24, 32, 3)


def test_two_boxes_of_a_track_in_one_frame_are_an_error(tmp_path: Path) -> None:
    write_video(tmp_path / "A", [ROWS[1], ROWS[1]])
    with pytest.raises(BoxError, match=r"gt\.txt: track 3 has two boxes in frame 1"):
        open_dataset(f"mot:{tmp_path}")


def test_an_image_missing_within_a_track_is_found_by_the_check(tmp_path: Path) -> None:
    write_video(tmp_path / "A", ROWS)
    (tmp_path / "A/img1/000002.jpg").unlink()
    report = check_dataset(open_dataset(f"mot:{tmp_path}"))
    assert all(len(sequence.missing_images) == 1 for sequence in report.sequences)
