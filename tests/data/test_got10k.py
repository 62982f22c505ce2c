from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siamfc.data import open_dataset
from siamfc.data.sequence import CountError
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


def write_tree(root: Path, split: str, counts: dict[str, int]) -> Path:
    for name, count in counts.items():
        folder = root / split / name
        write_images(folder, numbered("%08d.jpg", 1, count))
        boxes = moving_boxes(1 if split == "test" else count)
        write_rows(folder / "groundtruth.txt", [[f"{number:.4f}" for number in box] for box in boxes])
        if split != "test":
            write_text(folder / "absence.label", "0\n" * (count - 1) + "1\n")
            write_text(folder / "cover.label", "8\n" * (count - 1) + "0\n")
            write_text(folder / "cut_by_image.label", "1\n" + "0\n" * (count - 1))
            write_text(folder / "meta_info.ini", "[METAINFO]\nurl: https://a.b/c\nobject_class: bear\nanno_fps: 10Hz\n")
    write_text(root / split / "list.txt", "\n".join(counts) + "\n")
    return root


def test_boxes_are_zero_based_and_nan_where_the_target_is_absent(tmp_path: Path) -> None:
    sequence = open_dataset(f"got10k-val:{write_tree(tmp_path, 'val', {'GOT-10k_Val_000001': 4})}")[0]
    assert sequence.boxes[:3].tolist() == [[x - 1, y - 1, w, h] for x, y, w, h in moving_boxes(3)]
    assert sequence.in_view.tolist() == [True, True, True, False]
    assert sequence.flags["absent"].tolist() == [False, False, False, True]
    assert sequence.flags["cut_by_image"].tolist() == [True, False, False, False]
    assert sequence.levels["cover"].tolist() == [8, 8, 8, 0]
    assert sequence.meta == {"url": "https://a.b/c", "object_class": "bear", "anno_fps": "10Hz"}


def test_the_test_set_has_its_first_boxes_alone(tmp_path: Path) -> None:
    sequence = open_dataset(f"got10k-test:{write_tree(tmp_path, 'test', {'GOT-10k_Test_000001': 5})}")[0]
    assert len(sequence) == 5
    assert sequence.boxes.tolist() == [[1, 2, 8, 6]]


def test_a_splits_own_folder_will_do_and_a_folder_of_several_asks_which(tmp_path: Path) -> None:
    write_tree(tmp_path, "train", {"GOT-10k_Train_000001": 2})
    write_tree(tmp_path, "val", {"GOT-10k_Val_000001": 2})
    assert open_dataset(f"got10k:{tmp_path / 'val'}").names == ("GOT-10k_Val_000001",)
    with pytest.raises(SourceError, match=rf"holds train, val: say got10k-val:{tmp_path}"):
        open_dataset(f"got10k:{tmp_path}")


def test_without_a_list_the_folders_are_taken_by_name(tmp_path: Path) -> None:
    write_tree(tmp_path, "val", {"b": 2, "a": 2})
    assert open_dataset(f"got10k-val:{tmp_path}").names == ("b", "a")
    (tmp_path / "val/list.txt").unlink()
    assert open_dataset(f"got10k-val:{tmp_path}").names == ("a", "b")


def test_labels_that_are_too_few_are_an_error(tmp_path: Path) -> None:
    write_tree(tmp_path, "val", {"a": 3})
    write_text(tmp_path / "val/a/absence.label", "0\n0\n")
    with pytest.raises(CountError, match=r"2 marks of absent, but 3 frames"):
        open_dataset(f"got10k-val:{tmp_path}")[0]


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_got10k_reads_the_same_in_the_same_order(tmp_path: Path, split: str) -> None:
    datasets = got10k_datasets()
    write_tree(tmp_path, split, {"GOT-10k_000002": 3, "GOT-10k_000001": 4})
    ours = open_dataset(f"got10k-{split}:{tmp_path}")
    theirs = datasets.GOT10k(str(tmp_path), subset=split, return_meta=split != "test")
    assert list(ours.names) == theirs.seq_names
    for index, sequence in enumerate(ours):
        images, boxes, *meta = theirs[index]
        assert image_paths(sequence) == images
        seen = sequence.in_view
        assert np.array_equal(one_based(sequence.boxes[seen]), boxes[seen])
        for labels in meta:
            assert np.array_equal(sequence.levels["cover"], labels["cover"])
            assert np.array_equal(~seen, labels["absence"])
            assert sequence.meta["object_class"] == labels["object_class"]
