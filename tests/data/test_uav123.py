from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from siamfc.data import check_dataset, open_dataset
from siamfc.data.uav123 import STARTS, place_of
from siamfc.errors import SourceError
from tests.data.trees import got10k_datasets, image_paths, moving_boxes, numbered, one_based, write_rows


def write_tree(root: Path, *, version: str = "UAV123", folder: str = "bird1", last: int = 12) -> Path:
    images = root / "data_seq" / version / folder
    images.mkdir(parents=True)
    for name in numbered("%06d.jpg", 1, last):
        (images / name).touch()
    (root / "anno" / version).mkdir(parents=True)
    return root


def test_sequences_are_cut_from_one_folder_where_the_authors_cut_them(tmp_path: Path) -> None:
    write_tree(tmp_path, last=780)
    write_rows(tmp_path / "anno/UAV123/bird1_1.txt", moving_boxes(253))
    write_rows(tmp_path / "anno/UAV123/bird1_2.txt", moving_boxes(6))
    first, second = open_dataset(f"uav123:{tmp_path}")
    assert (first.numbers[0], first.numbers[-1]) == (1, 253)
    assert second.numbers.tolist() == [775, 776, 777, 778, 779, 780]
    assert second.boxes[0].tolist() == [1, 2, 8, 6]


def test_at_10_fps_the_cuts_lie_at_a_third(tmp_path: Path) -> None:
    write_tree(tmp_path, version="UAV123_10fps", last=262)
    write_rows(tmp_path / "anno/UAV123_10fps/bird1_2.txt", moving_boxes(4))
    assert open_dataset(f"uav123-10fps:{tmp_path}")[0].numbers.tolist() == [259, 260, 261, 262]


def test_the_long_version_takes_whole_folders_of_the_short_one(tmp_path: Path) -> None:
    write_tree(tmp_path)
    write_rows(tmp_path / "anno/UAV20L/bird1.txt", moving_boxes(12))
    assert open_dataset(f"uav20l:{tmp_path}")[0].numbers.tolist() == list(range(1, 13))


def test_rows_of_nan_are_frames_without_the_target(tmp_path: Path) -> None:
    write_tree(tmp_path, folder="boat1", last=3)
    write_rows(tmp_path / "anno/UAV123/boat1.txt", [(2, 3, 4, 5), ("NaN",) * 4, (2, 3, 4, 5)])
    assert open_dataset(f"uav123:{tmp_path}")[0].in_view.tolist() == [True, False, True]


def test_an_image_that_is_not_there_keeps_its_place_and_is_found_by_the_check(tmp_path: Path) -> None:
    write_tree(tmp_path, folder="boat1", last=3)
    (tmp_path / "data_seq/UAV123/boat1/000002.jpg").unlink()
    write_rows(tmp_path / "anno/UAV123/boat1.txt", moving_boxes(3))
    dataset = open_dataset(f"uav123:{tmp_path}")
    assert dataset[0].numbers.tolist() == [1, 2, 3]
    missing = check_dataset(dataset).sequences[0].missing_images
    assert missing == (str(tmp_path / "data_seq/UAV123/boat1/000002.jpg"),)


def test_another_layout_is_refused_by_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"not laid out as UAV123: it has no folder data_seq/UAV123"):
        open_dataset(f"uav123:{tmp_path}")


def test_the_table_of_starts_is_that_of_got10k() -> None:
    datasets = got10k_datasets()
    published = json.loads((Path(datasets.__file__).parent / "uav123.json").read_text())
    assert len(published["UAV123"]) == 123
    for name, entry in (*published["UAV123"].items(), *published["UAV20L"].items()):
        assert place_of(name) == (entry["folder_name"], entry["start_frame"])
    assert sum(map(len, STARTS.values())) == sum(
        name != entry["folder_name"] for name, entry in published["UAV123"].items()
    )


def test_got10k_reads_the_same_boxes_and_images_in_the_same_order(tmp_path: Path) -> None:
    datasets = got10k_datasets()
    write_tree(tmp_path, folder="uav2", last=133)
    for extra in ("a", "b"):  # got10k wants more than three things in the folder
        (tmp_path / extra).mkdir()
    write_rows(tmp_path / "anno/UAV123/uav2.txt", moving_boxes(133))
    ours, theirs = open_dataset(f"uav123:{tmp_path}"), datasets.UAV123(str(tmp_path))
    assert list(ours.names) == theirs.seq_names
    images, boxes = theirs[0]
    assert image_paths(ours[0]) == images
    assert np.array_equal(one_based(ours[0].boxes), boxes)
