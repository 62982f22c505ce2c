from __future__ import annotations

from pathlib import Path

import pytest

from siamfc.data import open_dataset
from siamfc.errors import SourceError
from tests.data.trees import moving_boxes, numbered, write_images, write_rows


def write_chunk(root: Path, chunk: str, names: list[str], *, count: int = 12) -> None:
    for name in names:
        write_images(root / chunk / "frames" / name, numbered("%d.jpg", 0, count - 1))
        write_rows(root / chunk / "anno" / f"{name}.txt", moving_boxes(1 if chunk == "TEST" else count))


def test_frames_without_leading_zeros_come_in_natural_order(tmp_path: Path) -> None:
    write_chunk(tmp_path, "TRAIN_0", ["a_0"])
    sequence = open_dataset(f"trackingnet:{tmp_path}")[0]
    assert sequence.numbers.tolist() == list(range(12))
    assert sequence.boxes.tolist() == [list(box) for box in moving_boxes(12)]


def test_the_test_set_has_its_first_boxes_alone(tmp_path: Path) -> None:
    write_chunk(tmp_path, "TEST", ["z", "a"])
    dataset = open_dataset(f"trackingnet-test:{tmp_path}")
    assert dataset.names == ("a", "z")
    assert dataset[0].boxes.shape == (1, 4)
    assert len(dataset[0]) == 12


def test_chunks_come_in_order_and_one_can_be_opened_alone(tmp_path: Path) -> None:
    for chunk, name in (("TRAIN_10", "c"), ("TRAIN_2", "b"), ("TEST", "a")):
        write_chunk(tmp_path, chunk, [name], count=2)
    assert open_dataset(f"trackingnet-train:{tmp_path}").names == ("b", "c")
    assert open_dataset(f"trackingnet:{tmp_path}").names == ("a", "b", "c")
    assert open_dataset(f"trackingnet:{tmp_path / 'TRAIN_2'}").names == ("b",)


def test_a_chunk_that_was_not_unpacked_is_named(tmp_path: Path) -> None:
    write_rows(tmp_path / "TEST/anno/a.txt", moving_boxes(1))
    with pytest.raises(SourceError, match=r"TEST is not laid out as trackingnet: it has no folder frames"):
        open_dataset(f"trackingnet:{tmp_path}")
