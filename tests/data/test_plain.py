from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siamfc.data import open_dataset
from siamfc.data.sequence import VideoFrames
from siamfc.errors import BoxError, SourceError
from siamfc.video import VideoWriter
from tests.data.trees import write_images, write_text

HEADER = "frame,x,y,width,height\n"


def write_sequence(
    folder: Path, text: str, images: tuple[str, ...] = ("000010.jpg", "000020.jpg", "000040.jpg")
) -> Path:
    write_images(folder, images)
    write_text(folder / "boxes.csv", text)
    return folder


def write_video(folder: Path, text: str, count: int = 4) -> Path:
    folder.mkdir(parents=True)
    with VideoWriter(folder / "video.mp4", frame_rate=25) as writer:
        for shade in range(count):
            writer.write(np.full((64, 64, 3), 40 * shade, np.uint8))
    write_text(folder / "boxes.csv", text)
    return folder


def test_rows_are_matched_to_images_by_name_with_or_without_its_ending(tmp_path: Path) -> None:
    write_sequence(tmp_path, HEADER + "000040,5,6,7,8\n000010.jpg,1,2,3,4.5\n")
    sequence = open_dataset(f"plain:{tmp_path}")[0]
    assert sequence.name == tmp_path.name
    assert sequence.boxes[[0, 2]].tolist() == [[1, 2, 3, 4.5], [5, 6, 7, 8]]
    assert sequence.in_view.tolist() == [True, False, True]
    assert sequence.numbers.tolist() == [10, 20, 40]


def test_a_number_may_have_lost_its_zeros_but_names_one_image(tmp_path: Path) -> None:
    images = ("0000.jpg", "0001.jpg", "0010.jpg", "1.jpg", "010.jpg", "a1.jpg")
    write_sequence(tmp_path, HEADER + "0,1,1,1,1\n1,2,2,2,2\n0001,3,3,3,3\na1,4,4,4,4\n", images)
    sequence = open_dataset(f"plain:{tmp_path}")[0]
    names = list(sequence.frames.names)
    for value, name in enumerate(("0000.jpg", "1.jpg", "0001.jpg", "a1.jpg"), start=1):
        assert sequence.boxes[names.index(name)].tolist() == [value] * 4
    write_text(tmp_path / "boxes.csv", HEADER + "10,1,1,1,1\n")
    with pytest.raises(SourceError, match=r"frame 10 may be 0010.jpg or 010.jpg: write its name"):
        open_dataset(f"plain:{tmp_path}")[0]


def test_empty_cells_are_a_target_out_of_view_and_a_missing_row_is_not(tmp_path: Path) -> None:
    write_sequence(tmp_path, HEADER + "000010,1,2,3,4\n000020,,,,\n")
    sequence = open_dataset(f"plain:{tmp_path}")[0]
    assert sequence.in_view.tolist() == [True, False, False]
    assert sequence.flags["absent"].tolist() == [False, True, False]


def test_in_a_video_rows_are_matched_by_the_frames_number(tmp_path: Path) -> None:
    write_video(tmp_path / "clip", HEADER + "0,1,2,3,4\n3,5,6,7,8\n")
    sequence = open_dataset(f"plain:{tmp_path}")[0]
    assert isinstance(sequence.frames, VideoFrames)
    assert sequence.name == "clip"
    assert len(sequence) == 4
    assert sequence.in_view.tolist() == [True, False, False, True]
    assert sequence.frame(3).shape == (64, 64, 3)


def test_columns_may_come_in_any_order_and_among_others(tmp_path: Path) -> None:
    write_sequence(tmp_path, "\ufeffscore,height,width,y,x,frame\r\n0.5,4,3,2,1,000010\r\n")
    assert open_dataset(f"plain:{tmp_path}")[0].boxes[0].tolist() == [1, 2, 3, 4]


def test_folders_of_sequences_and_folders_of_those_are_opened(tmp_path: Path) -> None:
    for name in ("B/one", "A/one", "alone"):
        write_sequence(tmp_path / name, HEADER + "000010,1,2,3,4\n")
    assert open_dataset(f"plain:{tmp_path}").names == ("A-one", "B-one", "alone")


@pytest.mark.parametrize(
    ("rows", "error", "reason"),
    [
        ("000011,1,2,3,4\n", SourceError, r"line 2: there is no image '000011' .* are 000010.jpg to 000040.jpg"),
        ("000010,1,2,3,4\n000010.jpg,1,2,3,4\n", BoxError, r"line 3: line 2 is for the same frame"),
        ("000010,1,,3,4\n", BoxError, r"line 2: expected four numbers x, y, width, height, or four empty cells"),
        ("000010,1,2,3,w\n", BoxError, r"line 2: expected four numbers"),
        ("000010,1,2,3,4,5\n", BoxError, r"line 2: expected 5 cells"),
    ],
)
def test_rows_that_are_amiss_are_named(tmp_path: Path, rows: str, error: type, reason: str) -> None:
    write_sequence(tmp_path, HEADER + rows)
    with pytest.raises(error, match=reason):
        open_dataset(f"plain:{tmp_path}")[0]


@pytest.mark.parametrize("cell", ["4", "-1", "a.jpg", "1.5", ""])
def test_a_number_that_the_video_does_not_have_is_named(tmp_path: Path, cell: str) -> None:
    write_video(tmp_path / "clip", HEADER + f"{cell},1,2,3,4\n")
    with pytest.raises(SourceError, match=r"line 2: expected the number of a frame of video\.mp4, 0 to 3, came"):
        open_dataset(f"plain:{tmp_path}")[0]


def test_a_header_without_a_column_and_a_folder_of_two_videos_are_errors(tmp_path: Path) -> None:
    write_sequence(tmp_path / "a", "frame,x,y,width\n")
    with pytest.raises(BoxError, match=r"line 1: no column height \(expected frame, x, y, width, height;"):
        open_dataset(f"plain:{tmp_path / 'a'}")[0]
    folder = write_video(tmp_path / "b", HEADER + "0,1,2,3,4\n")
    (folder / "other.mp4").write_bytes(b"")
    with pytest.raises(SourceError, match=r"holds 2 videos beside boxes\.csv"):
        open_dataset(f"plain:{folder}")[0]


def test_a_folder_with_nothing_of_the_kind_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"holds no sequence in the layout plain"):
        open_dataset(f"plain:{tmp_path}")


def test_the_shared_crops_and_videos_are_read(shared_data: Path) -> None:
    videos = open_dataset(f"plain:{shared_data / 'val'}")
    assert len(videos) == 14
    sequences = list(videos)
    assert sum(map(len, sequences)) == 1818
    out_of_view = {sequence.name: int(sequence.flags["absent"].sum()) for sequence in sequences}
    assert {name: count for name, count in out_of_view.items() if count} == {"pedestrian2": 72, "pedestrian3": 28}
    crops = open_dataset(f"plain:{shared_data / 'train/video'}")
    assert len(crops) == 586
    battery = crops.find("FOD_A-001_Battery")
    assert battery.numbers[:3].tolist() == [0, 48, 100]
    assert sum(map(len, crops)) == 10863
