from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siamfc.data import open_dataset
from siamfc.errors import BoxError, SourceError
from tests.data.trees import got10k_datasets, image_paths, numbered, write_images, write_text


def xml(*objects: tuple[int, int, int, int, int, int]) -> str:
    nodes = "".join(
        f"<object><trackid>{track}</trackid><name>n02510455</name><bndbox><xmax>{right}</xmax><xmin>{left}</xmin>"
        f"<ymax>{bottom}</ymax><ymin>{top}</ymin></bndbox><occluded>{hidden}</occluded><generated>0</generated></object>"
        for track, left, top, right, bottom, hidden in objects
    )
    return f"<annotation><folder>a</folder><filename>000000</filename>{nodes}</annotation>"


def write_video(root: Path, place: str, frames: list[str]) -> None:
    write_images(root / "Data/VID" / place, numbered("%06d.JPEG", 0, len(frames) - 1))
    for number, text in enumerate(frames):
        write_text(root / "Annotations/VID" / place / f"{number:06d}.xml", text)


# Track 0 leaves and comes back, track 1 comes later, track 2 has one frame.
FRAMES = [
    xml((0, 1, 2, 10, 11, 0), (2, 1, 1, 5, 5, 0)),
    xml((1, 4, 5, 8, 9, 1)),
    xml((0, 3, 2, 12, 11, 1), (1, 5, 5, 9, 9, 0)),
    xml(),
]


def test_each_track_is_a_sequence_from_its_first_frame_to_its_last(tmp_path: Path) -> None:
    write_video(tmp_path, "val/ILSVRC2015_val_00000000", FRAMES)
    first, second = open_dataset(f"imagenet-vid:{tmp_path}")
    assert (first.name, second.name) == ("ILSVRC2015_val_00000000-0", "ILSVRC2015_val_00000000-1")
    assert first.numbers.tolist() == [0, 1, 2]
    assert second.numbers.tolist() == [1, 2]
    assert first.boxes[[0, 2]].tolist() == [[1, 2, 10, 10], [3, 2, 10, 10]]
    assert first.in_view.tolist() == [True, False, True]
    assert first.flags["occluded"].tolist() == [False, False, True]
    assert first.meta == {"class": "n02510455"}


def test_training_videos_lie_one_folder_deeper(tmp_path: Path) -> None:
    write_video(tmp_path, "train/ILSVRC2015_VID_train_0000/ILSVRC2015_train_00000000", FRAMES)
    write_video(tmp_path, "val/ILSVRC2015_val_00000000", FRAMES)
    assert open_dataset(f"imagenet-vid-train:{tmp_path}").names[0] == "ILSVRC2015_train_00000000-0"
    assert len(open_dataset(f"imagenet-vid:{tmp_path}")) == 4


def test_annotations_that_are_amiss_are_named(tmp_path: Path) -> None:
    write_video(tmp_path, "val/a", [xml((0, 1, 2, 3, 4, 0)).replace("<xmax>3</xmax>", "")])
    with pytest.raises(BoxError, match=r"000000\.xml, object 1: expected the numbers xmin, ymin, xmax, ymax"):
        open_dataset(f"imagenet-vid-val:{tmp_path}")
    write_text(tmp_path / "Annotations/VID/val/b/000000.xml", "<annotation>")
    write_images(tmp_path / "Data/VID/val/b", ["000000.JPEG"])
    (tmp_path / "Annotations/VID/val/a/000000.xml").unlink()
    with pytest.raises(SourceError, match=r"b/000000\.xml is not XML"):
        open_dataset(f"imagenet-vid-val:{tmp_path}")


def test_got10k_reads_the_same_boxes_in_the_same_order(tmp_path: Path) -> None:
    # got10k leaves out the frames without the target where we keep them, as NaN, so rows are compared where it is.
    datasets = got10k_datasets()
    write_video(tmp_path, "train/ILSVRC2015_VID_train_0000/ILSVRC2015_train_00000000", FRAMES)
    write_video(tmp_path, "val/ILSVRC2015_val_00000000", FRAMES)
    ours = open_dataset(f"imagenet-vid:{tmp_path}")
    theirs = datasets.ImageNetVID(str(tmp_path), cache_dir=str(tmp_path / "cache"))
    assert [name[::-1].replace("-", ".", 1)[::-1] for name in ours.names] == list(theirs.seq_names)
    for index, sequence in enumerate(ours):
        images, boxes = theirs[index]
        seen = np.flatnonzero(sequence.in_view)
        assert [image_paths(sequence)[place] for place in seen] == images
        assert np.array_equal(sequence.boxes[seen], boxes)
