from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from siamfc.boxes import Box
from siamfc.data.dataset import Dataset
from siamfc.data.sequence import CountError, ImageFrames, Sequence, VideoFrames
from siamfc.errors import BoxError, SourceError
from siamfc.video import VideoWriter
from tests.data.trees import HEIGHT, WIDTH, numbered, write_images

NAMES = ("1.png", "2.png", "10.png")


def sequence_in(folder: Path, boxes: np.ndarray | None = None) -> Sequence:
    write_images(folder, NAMES)
    return Sequence("clip", ImageFrames(folder, NAMES), np.ones((3, 4)) if boxes is None else boxes)


def video_in(folder: Path, count: int) -> Path:
    with VideoWriter(folder / "clip.mp4", frame_rate=25) as writer:
        for shade in range(count):
            writer.write(np.full((64, 64, 3), 20 * shade, np.uint8))
    return folder / "clip.mp4"


def test_frames_are_read_in_order_as_rgb(tmp_path: Path) -> None:
    sequence = sequence_in(tmp_path)
    frames = list(sequence)
    assert [frame.shape for frame in frames] == [(HEIGHT, WIDTH, 3)] * 3
    assert [int(frame[0, 0, 0]) for frame in frames] == [0, 10, 20]
    assert np.array_equal(sequence.frame(2), frames[2])


def test_no_frame_is_read_before_it_is_asked_for(tmp_path: Path) -> None:
    sequence = Sequence("clip", ImageFrames(tmp_path / "nowhere", NAMES), np.ones((3, 4)))
    assert len(sequence) == 3
    with pytest.raises(SourceError, match=r"nowhere"):
        sequence.frame(0)


def test_a_video_gives_the_same_frame_by_index_as_in_order(tmp_path: Path) -> None:
    frames = VideoFrames.of(video_in(tmp_path, 5))
    assert len(frames) == 5
    in_order = list(frames)
    assert np.array_equal(frames[3], in_order[3])
    assert np.array_equal(frames[-1], in_order[4])
    assert frames.numbers.tolist() == [0, 1, 2, 3, 4]


def test_the_number_in_an_images_name_is_its_time() -> None:
    assert ImageFrames(Path(), ("000012.jpg", "000048.jpg")).numbers.tolist() == [12, 48]
    assert ImageFrames(Path(), ("img3.jpg", "img7.jpg")).numbers.tolist() == [3, 7]


def test_names_without_numbers_of_their_own_are_counted() -> None:
    assert ImageFrames(Path(), ("a.jpg", "b.jpg")).numbers.tolist() == [0, 1]
    assert ImageFrames(Path(), ("a1.jpg", "b1.jpg", "c2.jpg")).numbers.tolist() == [0, 1, 2]


def test_rows_of_nan_and_boxes_without_area_are_not_in_view(tmp_path: Path) -> None:
    boxes = np.array([[1, 2, 3, 4], [np.nan] * 4, [1, 1, 0, 5]])
    assert sequence_in(tmp_path, boxes).in_view.tolist() == [True, False, False]


def test_a_tracker_starts_from_the_first_box_or_hears_why_not(tmp_path: Path) -> None:
    assert sequence_in(tmp_path, np.array([[1, 2, 3, 4.0]] * 3)).first_box == Box(1, 2, 3, 4)
    with pytest.raises(BoxError, match=r"clip has no box in its first frame"):
        _ = sequence_in(tmp_path, np.full((3, 4), np.nan)).first_box


def test_counts_that_do_not_match_are_an_error_that_names_the_gap() -> None:
    frames = ImageFrames(Path("img"), ("0001.jpg", "0002.jpg", "0004.jpg"))
    with pytest.raises(CountError, match=r"4 boxes, but 3 frames .*none between 0002\.jpg and 0004\.jpg"):
        Sequence("clip", frames, np.ones((4, 4)))
    with pytest.raises(CountError, match=r"2 marks of absent, but 3 frames"):
        Sequence("clip", frames, np.ones((3, 4)), flags={"absent": np.zeros(2, bool)})
    with pytest.raises(CountError, match=r"2 polygons, but 3 boxes"):
        Sequence("clip", frames, np.ones((3, 4)), np.ones((2, 8)))


def test_one_box_stands_for_a_dataset_that_keeps_the_rest(tmp_path: Path) -> None:
    assert sequence_in(tmp_path, np.array([[1, 2, 3, 4.0]])).boxes.shape == (1, 4)


def test_boxes_of_another_shape_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BoxError, match=r"shape \(frames, 4\), not \(3, 5\)"):
        sequence_in(tmp_path, np.ones((3, 5)))


def test_a_sequence_survives_pickling(tmp_path: Path) -> None:
    sequence = sequence_in(tmp_path)
    copy = pickle.loads(pickle.dumps(sequence))
    assert copy.name == sequence.name
    assert np.array_equal(copy.boxes, sequence.boxes)
    assert np.array_equal(copy.frame(1), sequence.frame(1))


def load(name: str, count: int) -> Sequence:
    return Sequence(name, ImageFrames(Path(), tuple(numbered("%d.jpg", 1, count))), np.ones((count, 4)))


def test_a_dataset_is_a_list_that_reads_when_asked_and_can_be_sliced_searched_and_pickled() -> None:
    dataset = Dataset("otb", Path("root"), [("a", 1), ("b", 2), ("c", 3)], load)
    assert [len(sequence) for sequence in dataset] == [1, 2, 3]
    assert [sequence.name for sequence in dataset[1:]] == ["b", "c"]
    assert len(dataset.find("c")) == 3
    assert pickle.loads(pickle.dumps(dataset)).names == ("a", "b", "c")
    assert len(dataset[-1]) == 3


def test_an_empty_dataset_a_double_name_and_an_unknown_one_are_errors() -> None:
    with pytest.raises(SourceError, match=r"root holds no sequence in the layout otb"):
        Dataset("otb", Path("root"), [], load)
    with pytest.raises(SourceError, match=r"two sequences are called a"):
        Dataset("otb", Path("root"), [("a", 1), ("a", 2)], load)
    with pytest.raises(SourceError, match=r"no sequence 'Jogging' \(did you mean Jogging-1\?\)"):
        Dataset("otb", Path("root"), [("Jogging-1", 1)], load).find("Jogging")
