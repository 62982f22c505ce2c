from __future__ import annotations

import json
from pathlib import Path

import pytest

from siamfc.data import open_dataset
from siamfc.data.lasot import TEST_SET
from siamfc.errors import SourceError
from tests.data.trees import got10k_datasets, moving_boxes, numbered, write_images, write_rows, write_text


def write_sequence(folder: Path, count: int = 4) -> None:
    write_images(folder / "img", numbered("%08d.jpg", 1, count))
    write_rows(folder / "groundtruth.txt", moving_boxes(count))
    write_text(folder / "full_occlusion.txt", ",".join("0" * (count - 2) + "10"))
    write_text(folder / "out_of_view.txt", ",".join("0" * (count - 1) + "1"))
    write_text(folder / "nlp.txt", "white airplane landing on ground\n")


def test_boxes_are_zero_based_and_nan_where_the_target_is_hidden_or_away(tmp_path: Path) -> None:
    write_sequence(tmp_path / "airplane/airplane-1")
    sequence = open_dataset(f"lasot:{tmp_path}")[0]
    assert sequence.boxes[:2].tolist() == [[x - 1, y - 1, w, h] for x, y, w, h in moving_boxes(2)]
    assert sequence.in_view.tolist() == [True, True, False, False]
    assert sequence.flags["occluded"].tolist() == [False, False, True, False]
    assert sequence.flags["out_of_view"].tolist() == [False, False, False, True]
    assert sequence.meta["description"] == "white airplane landing on ground"


def test_sequences_come_by_class_and_number_with_class_folders_or_without(tmp_path: Path) -> None:
    for name in ("bear-2", "bear-10", "airplane-9"):
        write_sequence(tmp_path / "nested" / name.split("-")[0] / name)
        write_sequence(tmp_path / "flat" / name)
    assert open_dataset(f"lasot:{tmp_path / 'nested'}").names == ("airplane-9", "bear-2", "bear-10")
    assert open_dataset(f"lasot:{tmp_path / 'flat'}").names == ("airplane-9", "bear-2", "bear-10")


def test_train_is_what_the_test_list_does_not_name(tmp_path: Path) -> None:
    for name in ("airplane-1", "airplane-2"):
        write_sequence(tmp_path / "airplane" / name)
    assert open_dataset(f"lasot-train:{tmp_path}").names == ("airplane-2",)
    with pytest.raises(SourceError, match=r"test set of LaSOT has 280 sequences; .* lacks 279 of them: airplane-9,"):
        open_dataset(f"lasot-test:{tmp_path}")


def test_the_test_list_is_that_of_got10k() -> None:
    # All that can be compared: got10k's LaSOT class cannot be constructed, its check takes one argument and gets two.
    datasets = got10k_datasets()
    split = json.loads((Path(datasets.__file__).parent / "lasot.json").read_text())
    assert set(TEST_SET) == set(split["test"])
    assert len(TEST_SET) == 280
    with pytest.raises(TypeError):
        datasets.LaSOT("anywhere")
