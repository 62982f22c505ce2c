from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from siamfc.data import open_dataset
from siamfc.data.davis import boxes_of_mask, labels_of_colors
from siamfc.errors import SourceError
from siamfc.opencv import cv2
from tests.data.trees import HEIGHT, WIDTH, numbered, write_images, write_text

Labels = NDArray[np.uint8]


def palette() -> Labels:
    """PASCAL VOC's palette (256, 3), as its devkit defines it: bits of the index spread over the three colours."""
    colors = np.zeros((256, 3), np.uint8)
    for index in range(256):
        rest = index
        for shift in range(7, -1, -1):
            for channel in range(3):
                colors[index, channel] |= (rest >> channel & 1) << shift
            rest >>= 3
    return colors


def write_indexed_png(path: Path, labels: Labels) -> None:
    """A PNG of 8-bit palette indices, as DAVIS ships its masks; OpenCV cannot write one."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    height, width = labels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in labels)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
        + chunk(b"PLTE", palette().tobytes())
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def mask(*rectangles: tuple[int, int, int, int, int]) -> Labels:
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    for number, x, y, width, height in rectangles:
        labels[y : y + height, x : x + width] = number
    return labels


def write_video(root: Path, name: str, masks: list[Labels], *, frames: int | None = None) -> None:
    write_images(root / "JPEGImages/480p" / name, numbered("%05d.jpg", 0, (frames or len(masks)) - 1))
    for place, labels in enumerate(masks):
        write_indexed_png(root / "Annotations/480p" / name / f"{place:05d}.png", labels)


def test_each_object_becomes_a_sequence_of_its_masks_bounds(tmp_path: Path) -> None:
    write_video(
        tmp_path,
        "horsejump",
        [mask((1, 2, 3, 4, 5), (2, 10, 11, 6, 7)), mask((1, 3, 3, 4, 5)), mask((2, 12, 11, 6, 7))],
    )
    rider, horse = open_dataset(f"davis:{tmp_path}")
    assert (rider.name, horse.name) == ("horsejump-1", "horsejump-2")
    assert rider.boxes[:2].tolist() == [[2, 3, 4, 5], [3, 3, 4, 5]]
    assert rider.flags["absent"].tolist() == [False, False, True]
    assert horse.boxes[[0, 2]].tolist() == [[10, 11, 6, 7], [12, 11, 6, 7]]
    assert horse.in_view.tolist() == [True, False, True]


def test_in_2016_all_objects_are_one(tmp_path: Path) -> None:
    write_video(tmp_path, "horsejump", [mask((1, 2, 3, 4, 5), (2, 10, 11, 6, 7))] * 2)
    sequence = open_dataset(f"davis2016:{tmp_path}")[0]
    assert sequence.name == "horsejump"
    assert sequence.boxes.tolist() == [[2, 3, 14, 15]] * 2


def test_white_masks_of_2016_are_one_object(tmp_path: Path) -> None:
    write_video(tmp_path, "bear", [mask((1, 2, 3, 4, 5))] * 2)
    for path in (tmp_path / "Annotations/480p/bear").iterdir():
        cv2.imwrite(str(path), mask((255, 5, 6, 7, 8)))
    assert open_dataset(f"davis:{tmp_path}").names == ("bear-1",)
    assert open_dataset(f"davis2016:{tmp_path}")[0].boxes.tolist() == [[5, 6, 7, 8]] * 2


def test_a_split_takes_the_videos_its_list_names(tmp_path: Path) -> None:
    for name in ("bear", "camel"):
        write_video(tmp_path, name, [mask((1, 2, 3, 4, 5))])
    write_text(tmp_path / "ImageSets/2017/val.txt", "camel\n")
    assert open_dataset(f"davis-val:{tmp_path}").names == ("camel-1",)
    with pytest.raises(SourceError, match=r"train\.txt: No such file"):
        open_dataset(f"davis-train:{tmp_path}")


def test_a_test_set_has_its_first_box_alone(tmp_path: Path) -> None:
    write_video(tmp_path, "aerobatics", [mask((1, 2, 3, 4, 5))], frames=3)
    sequence = open_dataset(f"davis:{tmp_path}")[0]
    assert len(sequence) == 3
    assert sequence.boxes.tolist() == [[2, 3, 4, 5]]


def test_frames_between_masks_are_not_annotated(tmp_path: Path) -> None:
    write_video(tmp_path, "a", [mask((1, 2, 3, 4, 5))] * 3)
    (tmp_path / "Annotations/480p/a/00001.png").unlink()
    sequence = open_dataset(f"davis:{tmp_path}")[0]
    assert sequence.in_view.tolist() == [True, False, True]
    assert not sequence.flags["absent"].any()


def test_every_index_of_the_palette_is_found_again() -> None:
    labels = labels_of_colors(palette()[None])[0]
    assert labels[:255].tolist() == list(range(255))
    assert labels[255] == 0  # void


def test_greys_are_object_numbers_or_the_one_white_object() -> None:
    greys = np.repeat(np.array([0, 1, 5, 63, 255], np.uint8)[None, :, None], 3, axis=2)
    assert labels_of_colors(greys)[0].tolist() == [0, 1, 5, 63, 1]


def test_a_box_is_the_bounds_of_pixels_counted_one_by_one() -> None:
    labels = np.random.default_rng(0).integers(0, 40, (9, 11)).astype(np.uint8)
    for number, box in boxes_of_mask(labels).items():
        places = [(x, y) for y in range(9) for x in range(11) if labels[y, x] and number in (None, int(labels[y, x]))]
        left, top = min(x for x, _ in places), min(y for _, y in places)
        right, bottom = max(x for x, _ in places) + 1, max(y for _, y in places) + 1
        assert box.tolist() == [left, top, right - left, bottom - top]


def test_a_mask_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    write_video(tmp_path, "bear", [mask((1, 2, 3, 4, 5))] * 2)
    (tmp_path / "Annotations/480p/bear/00001.png").write_bytes(b"no picture")
    with pytest.raises(SourceError, match=r"the mask .*00001\.png cannot be read"):
        open_dataset(f"davis:{tmp_path}")[0]
