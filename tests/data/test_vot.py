from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siamfc.boxes import Box
from siamfc.data import open_dataset
from siamfc.data.sequence import CountError
from siamfc.errors import BoxError, SourceError
from tests.data.trees import (
    got10k_datasets,
    image_paths,
    moving_boxes,
    numbered,
    write_images,
    write_rows,
    write_text,
)


def polygons(count: int) -> list[tuple[int, ...]]:
    """Squares that stand on a slant: a corner, and the sides (w, 2) and (-2, w) from it."""
    return [(x, y, x + w, y + 2, x + w - 2, y + 2 + w, x - 2, y + w) for x, y, w, _ in moving_boxes(count)]


def write_sequence(root: Path, name: str, rows: list[tuple[int, ...]], *, images: str = "color") -> Path:
    write_images(root / name / images, numbered("%08d.jpg", 1, len(rows)))
    write_rows(root / name / "groundtruth.txt", rows)
    return root / name


def test_polygons_are_kept_and_stand_as_boxes_too(tmp_path: Path) -> None:
    write_sequence(tmp_path, "bag", polygons(3))
    sequence = open_dataset(f"vot:{tmp_path}")[0]
    assert sequence.polygons is not None
    assert sequence.polygons.tolist() == [list(row) for row in polygons(3)]
    assert [tuple(box) for box in sequence.boxes] == [tuple(Box.from_polygon(row)) for row in polygons(3)]


def test_boxes_of_four_numbers_are_read_as_they_stand(tmp_path: Path) -> None:
    write_sequence(tmp_path, "cup", moving_boxes(3), images=".")
    sequence = open_dataset(f"vot:{tmp_path}")[0]
    assert sequence.polygons is None
    assert sequence.boxes.tolist() == [list(row) for row in moving_boxes(3)]


def test_the_list_file_gives_the_order(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write_sequence(tmp_path, name, moving_boxes(2))
    assert open_dataset(f"vot:{tmp_path}").names == ("a", "b", "c")
    write_text(tmp_path / "list.txt", "c\r\na\r\n")
    assert open_dataset(f"vot:{tmp_path}").names == ("c", "a")
    write_text(tmp_path / "list.txt", "c\nx\n")
    with pytest.raises(SourceError, match=r"list\.txt names 1 sequences that are not there: x"):
        open_dataset(f"vot:{tmp_path}")


def test_tags_are_flags_by_frame_and_attributes_of_the_whole(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path, "bag", polygons(4))
    write_text(folder / "occlusion.tag", "0\n1\n")  # the toolkit takes what is missing at the end as 0
    write_text(folder / "camera_motion.label", "0\n0\n0\n0\n")
    write_text(folder / "practical.value", "0.1\n0.2\n0.3\n0.4\n")
    sequence = open_dataset(f"vot:{tmp_path}")[0]
    assert sequence.flags["occlusion"].tolist() == [False, True, False, False]
    assert sequence.attributes == ("occlusion",)
    assert sequence.levels["practical"].tolist() == [0.1, 0.2, 0.3, 0.4]


def test_more_marks_than_frames_are_an_error(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path, "bag", polygons(2))
    write_text(folder / "occlusion.tag", "0\n1\n0\n")
    with pytest.raises(CountError, match=r"occlusion\.tag has 3 lines, but there are 2 frames"):
        open_dataset(f"vot:{tmp_path}")[0]


def test_the_sequence_file_says_where_the_images_lie(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path, "bag", polygons(2), images="infrared")
    write_text(folder / "sequence", "channels.ir=infrared/%08d.jpg\nchannel.default=ir\nfps=30\n")
    sequence = open_dataset(f"vot:{tmp_path}")[0]
    assert sequence.frame(1).shape == (24, 32, 3)
    assert sequence.meta["fps"] == "30"


def test_a_row_of_nan_is_a_frame_without_the_target(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path, "bag", polygons(3))
    rows = polygons(3)
    write_rows(folder / "groundtruth.txt", [rows[0], ("NaN",) * 8, rows[2]], end="\r\n")
    assert open_dataset(f"vot:{tmp_path}")[0].in_view.tolist() == [True, False, True]


def test_masks_are_refused_by_name(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path, "bag", polygons(1))
    write_text(folder / "groundtruth.txt", "m2,3,4,5,0,7\n")
    with pytest.raises(BoxError, match=r"line 1: .*masks of VOT 2020"):
        open_dataset(f"vot:{tmp_path}")[0]


def test_got10k_reads_the_same_regions_and_tags_in_the_same_order(tmp_path: Path) -> None:
    # got10k knows no colour folders; its own reduction to boxes adds a pixel to each side (got-10k/toolkit, issue 16).
    datasets = got10k_datasets()
    for name, rows in (("b", polygons(4)), ("a", moving_boxes(3))):
        folder = write_sequence(tmp_path, name, rows, images=".")
        write_text(folder / "occlusion.tag", "0\n1\n")
    write_text(tmp_path / "list.txt", "b\na\n")
    ours = open_dataset(f"vot:{tmp_path}")
    theirs = datasets.VOT(str(tmp_path), version=2015, anno_type="default", download=False, return_meta=True)
    reduced = datasets.VOT(str(tmp_path), version=2015, anno_type="rect", download=False)
    assert list(ours.names) == theirs.seq_names
    for index, sequence in enumerate(ours):
        images, regions, meta = theirs[index]
        assert image_paths(sequence) == images
        assert np.array_equal(sequence.boxes if sequence.polygons is None else sequence.polygons, regions)
        assert np.array_equal(sequence.flags["occlusion"], meta["occlusion"])
    assert np.allclose(reduced[0][1] - ours[0].boxes, (-0.5, -0.5, 1, 1))


def test_the_shared_sequences_are_read_with_polygons_and_tags(shared_data: Path) -> None:
    bag, book = open_dataset(f"vot:{shared_data / 'vot'}")
    assert (bag.name, len(bag), book.name, len(book)) == ("bag", 196, "book", 175)
    assert book.polygons is not None
    assert book.polygons.shape == (175, 8)
    assert set(book.flags) == {"camera_motion", "illum_change", "motion_change", "occlusion", "size_change"}
    assert book.meta["fps"] == "30"
    assert bag.in_view.all()
