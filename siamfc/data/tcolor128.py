"""Temple Color 128: ``NAME/img/0001.jpg``, ``NAME/NAME_gt.txt`` (1-based) and ``NAME/NAME_frames.txt``.

Layout: Liang, Blasch, Ling, "Encoding Color Information for Visual Tracking" (TIP 2015). ``NAME_frames.txt`` holds the
numbers of the first and last image that the boxes are for. That boxes are 1-based is from memory: most of the sequences
are OTB's or were made for its MATLAB toolkit. Not verified against the real data; compared with the package got10k on
a small tree.
"""

from __future__ import annotations

from pathlib import Path

from siamfc.data.annotation_text import read_boxes, read_column
from siamfc.data.dataset import Dataset
from siamfc.data.folders import list_folders, list_images, numbered_images
from siamfc.data.sequence import Sequence
from siamfc.errors import SourceError


def open_tcolor128(root: Path) -> Dataset:
    """The sequences in ``root``, sorted by name; SourceError where there is none."""
    entries = []
    for folder in list_folders(root):
        entries += [(folder.name, path) for path in sorted(folder.glob("*_gt.txt"))]
    return Dataset("tcolor128", root, entries, _load)


def _load(name: str, boxes_file: Path) -> Sequence:
    boxes = read_boxes(boxes_file, one_based=True)
    span = next(iter(sorted(boxes_file.parent.glob("*_frames.txt"))), None)
    images = boxes_file.parent / "img"
    if span is None:
        return Sequence(name, list_images(images), boxes)
    numbers = read_column(span)
    if len(numbers) != 2 or not numbers[0] <= numbers[1]:
        raise SourceError(f"{span}: expected the numbers of the first and last frame, came {numbers.tolist()}")
    return Sequence(name, numbered_images(images, int(numbers[0]), int(numbers[1]), digits=4), boxes)
