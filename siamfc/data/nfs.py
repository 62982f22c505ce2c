"""Need for Speed at 240 and 30 frames a second: ``NAME/FPS/NAME/00001.jpg`` and ``NAME/FPS/NAME.txt``.

Layout: Galoogahi et al., "Need for Speed" (ICCV 2017). The annotation is that of the tool VATIC, ten columns between
blanks: track, xmin, ymin, xmax, ymax, frame, lost, occluded, generated, "label". The 30 fps folder has one image in
eight, and often a row for each frame at 240 fps all the same: then every eighth row is its. Some sequences have one
row more or less than images; the longer is cut. Coordinates are 0-based edges (others who went through all of them
found 0 the smallest). Not verified against the real data; compared with the package got10k on a small tree.
"""

from __future__ import annotations

import shlex
from functools import partial
from pathlib import Path

import numpy as np

from siamfc.data.annotation_text import parse_numbers, read_lines, unexpected_line
from siamfc.data.dataset import Dataset
from siamfc.data.folders import list_folders, list_images
from siamfc.data.sequence import Array, ImageFrames, Sequence

_EXPECTED = 'track xmin ymin xmax ymax frame lost occluded generated "label"'
_FRAMES_AT_240_PER_FRAME_AT_30 = 8


def open_nfs(root: Path, *, fps: int) -> Dataset:
    """The sequences of one frame rate, sorted by name.

    Args:
        root: The folder of sequences.
        fps: 30 or 240.

    Raises:
        SourceError: There is none.
    """
    entries = []
    for folder in list_folders(root):
        entries += [(path.stem, path) for path in sorted((folder / str(fps)).glob("*.txt"))]
    return Dataset(f"nfs{fps}", root, entries, partial(_load, fps))


def _load(fps: int, name: str, boxes_file: Path) -> Sequence:
    frames = list_images(boxes_file.parent / name)
    rows = read_vatic(boxes_file)
    if fps == 30 and len(rows) > (_FRAMES_AT_240_PER_FRAME_AT_30 - 1) * len(frames):
        rows = rows[::_FRAMES_AT_240_PER_FRAME_AT_30]
    if abs(len(rows) - len(frames)) == 1:
        count = min(len(rows), len(frames))
        rows, frames = rows[:count], ImageFrames(frames.folder, frames.names[:count])
    boxes = np.column_stack([rows[:, :2], rows[:, 2:4] - rows[:, :2]])
    lost, occluded = rows[:, 4] != 0, rows[:, 5] != 0
    boxes[lost] = np.nan
    return Sequence(name, frames, boxes, flags={"absent": lost, "occluded": occluded})


def read_vatic(path: Path) -> Array:
    """(N, 6) xmin, ymin, xmax, ymax, lost, occluded of a file of one track; BoxError names a line that is amiss."""
    rows = []
    for line in read_lines(path):
        try:
            cells = shlex.split(line.text)  # a label may hold blanks
            numbers = parse_numbers(" ".join(cells[1:9]))
        except ValueError:
            raise unexpected_line(path, line, _EXPECTED) from None
        if len(numbers) < 4:
            raise unexpected_line(path, line, _EXPECTED)
        padded = numbers + [0.0] * (8 - len(numbers))
        rows.append([*padded[:4], *padded[5:7]])
    return np.array(rows, dtype=np.float64).reshape(-1, 6)
