"""The detection layouts, COCO and VOC: each object is a sequence of one frame."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from siamfc.data import open_dataset
from siamfc.errors import BoxError, SourceError
from tests.data.trees import write_image, write_text


def coco() -> dict[str, Any]:
    return {
        "images": [{"id": 5, "file_name": "000005.jpg"}, {"id": 3, "file_name": "000003.jpg"}],
        "categories": [{"id": 1, "name": "bowl"}],
        "annotations": [
            {"id": 11, "image_id": 3, "bbox": [1.5, 2, 6, 7], "category_id": 1, "iscrowd": 0},
            {"id": 12, "image_id": 5, "bbox": [3, 4, 5, 6], "category_id": 1},
            {"id": 13, "image_id": 5, "bbox": [0, 0, 9, 9], "category_id": 1, "iscrowd": 1},
            {"id": 14, "image_id": 5, "bbox": [7, 8, 5, 6], "category_id": 9},
        ],
    }


def write_coco(path: Path, content: dict[str, Any], images: Path) -> Path:
    for name in ("000003.jpg", "000005.jpg"):
        write_image(images / name)
    return write_text(path, json.dumps(content))


def test_cocos_objects_come_picture_by_picture_without_its_groups(tmp_path: Path) -> None:
    write_coco(tmp_path / "annotations.json", coco(), tmp_path / "images")
    dataset = open_dataset(f"coco:{tmp_path}")
    assert dataset.names == ("000005-12", "000005-14", "000003-11")
    first, second, third = dataset
    assert first.boxes.tolist() == [[3, 4, 5, 6]]
    assert third.boxes.tolist() == [[1.5, 2, 6, 7]]
    assert (first.meta["class"], second.meta["class"]) == ("bowl", "")
    assert third.frame(0).shape == (24, 32, 3)


def test_cocos_own_folders_are_found_from_its_json(tmp_path: Path) -> None:
    path = write_coco(tmp_path / "annotations/instances_val2017.json", coco(), tmp_path / "val2017")
    assert open_dataset(f"coco:{path}")[0].frame(0).shape == (24, 32, 3)


@pytest.mark.parametrize(
    ("change", "error", "reason"),
    [
        ({"images": None}, SourceError, "not laid out as COCO"),
        ({"annotations": [{"id": 1, "image_id": 99, "bbox": [1, 2, 3, 4]}]}, SourceError, "does not list: 99"),
        ({"annotations": [{"id": 1, "image_id": 3, "bbox": [1, 2, 3]}]}, BoxError, "annotation 1: expected a bbox"),
    ],
)
def test_cocos_faults_are_named(tmp_path: Path, change: dict[str, Any], error: type, reason: str) -> None:
    write_coco(tmp_path / "annotations.json", coco() | change, tmp_path / "images")
    with pytest.raises(error, match=reason):
        open_dataset(f"coco:{tmp_path}")


def test_cocos_pictures_that_are_nowhere_are_an_error_that_says_where_it_looked(tmp_path: Path) -> None:
    write_text(tmp_path / "annotations.json", json.dumps(coco()))
    with pytest.raises(SourceError, match=r"000005\.jpg, the first image of .* is in none of .*images"):
        open_dataset(f"coco:{tmp_path}")


def write_voc(year: Path) -> None:
    write_image(year / "JPEGImages/000005.jpg")
    box = "<bndbox><xmin>1</xmin><ymin>3</ymin><xmax>10</xmax><ymax>8</ymax></bndbox>"
    part = "<part><name>head</name><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>4</xmax><ymax>5</ymax></bndbox></part>"
    objects = (
        f"<object><name>chair</name><difficult>0</difficult><truncated>1</truncated>{box}</object>"
        f"<object><name>person</name><difficult>1</difficult>{part}{box}</object>"
    )
    write_text(year / "Annotations/000005.xml", f"<annotation><filename>000005.jpg</filename>{objects}</annotation>")
    write_text(year / "ImageSets/Main/train.txt", "000005\n")


def test_vocs_corners_are_the_first_and_last_pixel_counted_from_one(tmp_path: Path) -> None:
    write_voc(tmp_path / "VOC2007")
    chair, person = open_dataset(f"voc:{tmp_path}")
    assert (chair.name, person.name) == ("VOC2007-000005-1", "VOC2007-000005-2")
    assert chair.boxes.tolist() == person.boxes.tolist() == [[0, 2, 10, 6]]
    assert (chair.attributes, person.attributes) == (("truncated",), ("difficult",))
    assert chair.meta == {"class": "chair"}
    assert chair.frame(0).shape == (24, 32, 3)


def test_a_year_of_voc_and_a_split_can_be_opened_alone(tmp_path: Path) -> None:
    write_voc(tmp_path / "VOC2007")
    assert len(open_dataset(f"voc-train:{tmp_path / 'VOC2007'}")) == 2
    with pytest.raises(SourceError, match=r"val\.txt: No such file"):
        open_dataset(f"voc-val:{tmp_path / 'VOC2007'}")


def test_the_shared_stills_are_read(shared_data: Path) -> None:
    dataset = open_dataset(f"coco:{shared_data / 'train/stills'}")
    assert len(dataset) == 4027
    assert dataset[0].boxes.tolist() == [[115.99, 139.38, 88.0, 41.12]]
    assert dataset[0].frame(0).shape == (320, 320, 3)
