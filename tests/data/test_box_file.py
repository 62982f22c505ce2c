from __future__ import annotations

from pathlib import Path

import pytest

from siamfc.boxes import Box
from siamfc.data.box_file import read_first_box
from siamfc.errors import BoxError, SourceError
from tests.data.trees import write_text


@pytest.mark.parametrize("separator", [",", "\t", " ", ", ", "  "])
def test_four_numbers_are_a_one_based_box_whatever_lies_between_them(tmp_path: Path, separator: str) -> None:
    path = write_text(tmp_path / "box.txt", separator.join(["269", "75", "34.5", "64"]) + "\n1,1,1,1\n")
    assert read_first_box(path) == (Box(268, 74, 34.5, 64), None)


def test_eight_numbers_are_a_polygon_in_zero_based_pixels(tmp_path: Path) -> None:
    path = write_text(tmp_path / "groundtruth.txt", "10,20,14,20,14,26,10,26\n")
    assert read_first_box(path) == (Box(10, 20, 4, 6), None)


def test_a_header_makes_it_csv_with_zero_based_boxes(tmp_path: Path) -> None:
    path = write_text(tmp_path / "boxes.csv", "frame,x,y,width,height,score\n12,1.5,2,3,4,0.9\n13,9,9,9,9,1\n")
    assert read_first_box(path) == (Box(1.5, 2, 3, 4), 12)


def test_columns_may_stand_in_any_order_and_any_case(tmp_path: Path) -> None:
    path = write_text(tmp_path / "boxes.csv", "Height, Width,Y,X\n4,3,2,1\n")
    assert read_first_box(path) == (Box(1, 2, 3, 4), None)


def test_an_image_name_in_the_frame_column_is_no_number(tmp_path: Path) -> None:
    path = write_text(tmp_path / "boxes.csv", "frame,x,y,width,height\nimg_0004.jpg,1,2,3,4\n")
    assert read_first_box(path).frame is None


def test_a_csv_without_a_header_counts_as_otb(tmp_path: Path) -> None:
    assert read_first_box(write_text(tmp_path / "boxes.csv", "1,1,3,4\n")).box == Box(0, 0, 3, 4)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf5,6,7,8\r\n1,1,1,1\r\n",
        "5,6,7,8\r\n".encode("utf-16"),
        b"\r\n\n  \n5,6,7,8",
        b"5,6,7,8,\n",
        b"5;6;7;8\n",
    ],
    ids=["mark and CRLF", "UTF-16", "blank lines before", "comma at the end", "semicolons"],
)
def test_marks_line_ends_and_blank_lines_do_not_matter(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "box.txt"
    path.write_bytes(content)
    assert read_first_box(path).box == Box(4, 5, 7, 8)


def test_a_header_after_a_mark_is_still_a_header(tmp_path: Path) -> None:
    path = tmp_path / "boxes.csv"
    path.write_bytes(b"\xef\xbb\xbfx,y,width,height\r\n1,2,3,4\r\n")
    assert read_first_box(path).box == Box(1, 2, 3, 4)


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("1,2,3\n", "line 1", "expected a box x,y,width,height"),
        ("\n1,2,3,4,5\n", "line 2", "expected a box x,y,width,height"),
        ("a,b,c,d\n", "line 1", "expected a box x,y,width,height"),
        ("# my box\n1,2,3,4\n", "line 1", "expected a box x,y,width,height"),
        ("1,2,0,4\n", "line 1", "above zero"),
        ("1,2,nan,4\n", "line 1", "finite"),
        ("1,,3,4\n", "line 1", "finite"),
        ("1,1,1,1,1,1,1,1\n", "line 1", "above zero"),
        ("x,y,width\n1,2,3\n", "line 1", "no column height"),
        ("x,y,width,height\n1,2,3,w\n", "line 2", "four numbers"),
        ("x,y,width,height\n,,,\n1,2,3,4\n", "line 2", "not in view in the first row"),
        ("x,y,width,height\n1,2,-3,4\n", "line 2", "above zero"),
        ("x,y,width,height\n1,2,3,4,5\n", "line 2", "4 cells"),
        ("x,y,width,height\n", "box.txt", "no box below"),
        ("", "box.txt", "empty"),
    ],
)
def test_anything_else_is_an_error_that_names_file_and_line(tmp_path: Path, text: str, place: str, reason: str) -> None:
    path = write_text(tmp_path / "box.txt", text)
    with pytest.raises(BoxError) as caught:
        read_first_box(path)
    assert str(path) in str(caught.value)
    assert place in str(caught.value)
    assert reason in str(caught.value)


def test_a_file_that_is_missing_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"cannot read .*nowhere\.txt: No such file"):
        read_first_box(tmp_path / "nowhere.txt")
    (tmp_path / "video.mp4").write_bytes(b"\x00\x01\xff\xfe\x80")
    with pytest.raises(SourceError, match=r"video\.mp4 is not a text file"):
        read_first_box(tmp_path / "video.mp4")


def test_the_shared_files_of_all_three_kinds_are_read(shared_data: Path) -> None:
    assert read_first_box(shared_data / "otb/Bolt2/groundtruth_rect.txt") == (Box(268, 74, 34, 64), None)
    assert read_first_box(shared_data / "val/Biker_SPBACF/boxes.csv") == (Box(237, 134, 46, 49), 0)
    polygon = read_first_box(shared_data / "vot/bag/groundtruth.txt").box
    assert polygon.center == pytest.approx((367.0, 194.5), abs=0.01)
