"""Our own plain layout: a folder with frames, or one video file, beside ``boxes.csv``; or a folder of such folders.

``boxes.csv`` has a header with the columns ``frame, x, y, width, height``, in any order and among others. ``frame`` is
the name of an image, with or without its ending (and without the zeros before a number, which spreadsheets drop), or in
a video the frame's number, from 0. Boxes are 0-based frame pixels. Empty cells mean that the target is not in view; a
frame without a row was not annotated. Both are NaN, and left out of every figure. The number that ends an image's name
is its time. Folders ``NAME_1``, ``NAME_2`` are taken for targets of one video: none is another video's to the other.
Verified on ``../shared/data``.
"""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np

from siamfc.data.annotation_text import Record, parse_number, read_records
from siamfc.data.box_file import BOX_COLUMNS
from siamfc.data.dataset import Dataset
from siamfc.data.folders import folders_holding, list_images, video_of_target
from siamfc.data.sequence import ImageFrames, Sequence, VideoFrames
from siamfc.errors import BoxError, SourceError

BOXES_FILE = "boxes.csv"
_VIDEO_SUFFIXES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ts", ".webm", ".wmv"})


def open_plain(root: Path) -> Dataset:
    """The sequence in ``root``, or those in its folders, or in theirs (``SET-NAME``), sorted by name.

    Raises:
        SourceError: There is none.
    """
    if (root / BOXES_FILE).is_file():
        return Dataset("plain", root, [(root.resolve().name, root)], _load)
    folders = folders_holding(root, BOXES_FILE)
    return Dataset("plain", root, (("-".join(path.relative_to(root).parts), path) for path in folders), _load)


def _load(name: str, folder: Path) -> Sequence:
    path = folder / BOXES_FILE
    frames = _find_frames(folder)
    boxes = np.full((len(frames), 4), np.nan)
    absent = np.zeros(len(frames), dtype=np.bool_)
    places = _places(frames.names) if isinstance(frames, ImageFrames) else {}
    seen: dict[int, int] = {}
    for record in read_records(path, ("frame", *BOX_COLUMNS)):
        place = _place(path, record, places, frames)
        if place in seen:
            raise BoxError(f"{path}, line {record.line}: line {seen[place]} is for the same frame")
        seen[place] = record.line
        box = _read_box(path, record)
        absent[place] = box is None
        boxes[place] = np.nan if box is None else box
    return Sequence(name, frames, boxes, flags={"absent": absent}, origin=video_of_target(str(folder)))


def _places(names: tuple[str, ...]) -> dict[str, int]:
    """Where each image stands, by all that it may be called; a number that two have is neither's, unless a name."""
    stems = [Path(name).stem for name in names]
    numbers = [_number(stem) for stem in stems]
    counts = Counter(numbers)
    return {
        **{number: place for place, number in enumerate(numbers) if counts[number] == 1},
        **{stem: place for place, stem in enumerate(stems)},
        **{name: place for place, name in enumerate(names)},
    }


def _number(stem: str) -> str:
    """The number that a name is, without the zeros before it; of other names the name."""
    return (stem.lstrip("0") or "0") if stem.isdecimal() else stem


def _find_frames(folder: Path) -> ImageFrames | VideoFrames:
    videos = sorted(path for path in folder.iterdir() if path.suffix.lower() in _VIDEO_SUFFIXES)
    if not videos:
        return list_images(folder)
    if len(videos) > 1:
        raise SourceError(f"{folder} holds {len(videos)} videos beside {BOXES_FILE}: expected one, or images")
    return VideoFrames.of(videos[0])


def _place(path: Path, record: Record, places: dict[str, int], frames: ImageFrames | VideoFrames) -> int:
    cell = record.cells["frame"].strip()
    if isinstance(frames, ImageFrames):
        if cell in places:
            return places[cell]
        alike = [name for name in frames.names if _number(Path(name).stem) == cell]
        if alike:
            raise SourceError(f"{path}, line {record.line}: frame {cell} may be {' or '.join(alike)}: write its name")
        raise SourceError(
            f"{path}, line {record.line}: there is no image {cell!r} in {frames.folder}, "
            f"whose images are {frames.names[0]} to {frames.names[-1]}"
        )
    if not cell.isdigit() or int(cell) >= len(frames):
        raise SourceError(
            f"{path}, line {record.line}: expected the number of a frame of {frames.path.name}, "
            f"0 to {len(frames) - 1}, came {cell!r}"
        )
    return int(cell)


def _read_box(path: Path, record: Record) -> list[float] | None:
    """The row's box, None where its cells are empty."""
    cells = [record.cells[name] for name in BOX_COLUMNS]
    try:
        box = [parse_number(cell) for cell in cells]
    except ValueError:
        box = []
    if not box or len({math.isnan(number) for number in box}) > 1:
        raise BoxError(
            f"{path}, line {record.line}: expected four numbers {', '.join(BOX_COLUMNS)}, or four empty cells, "
            f"came {cells}"
        )
    return None if math.isnan(box[0]) else box
