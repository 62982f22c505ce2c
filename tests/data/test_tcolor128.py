from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siamfc.data import open_dataset
from siamfc.errors import SourceError
from tests.data.trees import (
    got10k_datasets,
    image_paths,
    moving_boxes,
    numbered,
    one_based,
    write_images,
    write_rows,
    write_text,
)


def write_sequence(root: Path, name: str, *, first: int = 1, count: int = 4) -> Path:
    write_images(root / name / "img", numbered("%04d.jpg", 1, first + count + 1))
    write_rows(root / name / f"{name}_gt.txt", moving_boxes(count))
    write_text(root / name / f"{name}_frames.txt", f"{first},{first + count - 1}\r\n")
    return root / name


def test_the_frames_file_says_which_images_the_boxes_are_for(tmp_path: Path) -> None:
    write_sequence(tmp_path, "Ball_ce1", first=3)
    sequence = open_dataset(f"tcolor128:{tmp_path}")[0]
    assert sequence.numbers.tolist() == [3, 4, 5, 6]
    assert sequence.boxes[0].tolist() == [1, 2, 8, 6]


def test_a_frames_file_that_is_amiss_is_named(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path, "Ball_ce1")
    write_text(folder / "Ball_ce1_frames.txt", "4\n")
    with pytest.raises(SourceError, match=r"Ball_ce1_frames\.txt: expected the numbers of the first and last frame"):
        open_dataset(f"tcolor128:{tmp_path}")[0]


def test_got10k_reads_the_same_boxes_and_images_in_the_same_order(tmp_path: Path) -> None:
    datasets = got10k_datasets()
    write_sequence(tmp_path, "Boat_ce2", first=2)
    write_sequence(tmp_path, "Ball_ce1")
    ours, theirs = open_dataset(f"tcolor128:{tmp_path}"), datasets.TColor128(str(tmp_path), download=False)
    assert list(ours.names) == theirs.seq_names
    for index, sequence in enumerate(ours):
        images, boxes = theirs[index]
        assert image_paths(sequence) == images
        assert np.array_equal(one_based(sequence.boxes), boxes)
