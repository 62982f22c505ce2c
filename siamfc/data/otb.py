"""OTB-50, OTB-100 and OTB-2013: ``NAME/img/0001.jpg`` and ``NAME/groundtruth_rect.txt``, 1-based boxes.

Layout: the downloads of the Visual Tracker Benchmark (Wu, Lim, Yang, CVPR 2013 and TPAMI 2015); TColor-128, DTB70 and
others borrow it. Boxes lie between commas, tabs or blanks, sometimes all three in one file. Two targets in one folder
(``groundtruth_rect.1.txt``, ``.2.txt``) become ``Jogging-1`` and ``Jogging-2``; an empty file, as Human4 has one, does
not count. Verified on the twelve sequences of ``../shared/data/otb``; the counts of `CUTS` are from the project's notes
and from lists of others who have the full set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from siamfc.data.annotation_text import read_boxes, read_text
from siamfc.data.dataset import Dataset
from siamfc.data.folders import list_folders, list_images
from siamfc.data.otb_lists import ATTRIBUTES, SUBSETS, attributes_of
from siamfc.data.sequence import ImageFrames, Sequence
from siamfc.errors import SourceError


class Cut(NamedTuple):
    """The images, by the numbers in their names, that a sequence's boxes are for."""

    first: int
    last: int


# Sequences whose downloads hold, or have held, other images than their boxes are for.
CUTS = {
    "BlurCar1": Cut(247, 988),
    "BlurCar3": Cut(3, 359),
    "BlurCar4": Cut(18, 397),
    "Board": Cut(1, 698),
    "David": Cut(300, 770),
    "Diving": Cut(1, 215),
    "Football1": Cut(1, 74),
    "Freeman3": Cut(1, 460),
    "Freeman4": Cut(1, 283),
    "Tiger1": Cut(6, 354),
}


def open_otb(root: Path, *, layout: str = "otb") -> Dataset:
    """The targets in ``root``, sorted by name.

    Args:
        root: The folder of sequences.
        layout: ``"otb"`` for all that are there; ``"otb50"``, ``"otb100"``, ``"otb2013"`` for just these.

    Raises:
        SourceError: There is none, or sequences of the list asked for are missing.
    """
    folders = {folder.name: folder for folder in list_folders(root)}
    if layout in SUBSETS:
        missing = sorted(set(SUBSETS[layout]) - set(folders))
        if missing:
            raise SourceError(
                f"{layout} has {len(SUBSETS[layout])} sequence folders; {root} lacks {len(missing)} of them: "
                f"{', '.join(missing)} (otb:{root} takes those that are there)"
            )
        folders = {name: folders[name] for name in sorted(SUBSETS[layout])}
    targets = (target for folder in folders.values() for target in _targets(folder))
    return Dataset(layout, root, targets, partial(_load, layout))


def _targets(folder: Path) -> Iterator[tuple[str, Path]]:
    files = [path for path in sorted(folder.glob("groundtruth*.txt")) if read_text(path).strip()]
    for place, path in enumerate(files, start=1):
        number = re.search(r"\.(\d+)$", path.stem)
        yield (f"{folder.name}-{number[1] if number else place}" if len(files) > 1 else folder.name), path


def _load(layout: str, name: str, boxes_file: Path) -> Sequence:
    folder = boxes_file.parent
    boxes = read_boxes(boxes_file, one_based=True)
    frames = cut_images(folder.name, list_images(folder / "img"), len(boxes))
    return Sequence(name, frames, boxes, attributes=_attributes(folder, layout))


def cut_images(sequence: str, images: ImageFrames, boxes: int) -> ImageFrames:
    """The images that the boxes are for: all, unless there are more than boxes and `CUTS` makes them even."""
    if len(images) == boxes or sequence not in CUTS:
        return images
    first, last = CUTS[sequence]
    kept = np.flatnonzero((images.numbers >= first) & (images.numbers <= last))
    return ImageFrames(images.folder, tuple(images.names[i] for i in kept)) if len(kept) == boxes else images


def _attributes(folder: Path, layout: str) -> tuple[str, ...]:
    """Those in the folder's ``attrs.txt``, where the authors' later tool left one, else the published ones."""
    listed = folder / "attrs.txt"
    if not listed.is_file():
        return attributes_of(folder.name, layout)
    words = re.findall(r"[A-Z]+", read_text(listed))
    return tuple(attribute for attribute in ATTRIBUTES if attribute in words)
