"""Track Long and Prosper (TLP, TinyTLP): ``NAME/img/00001.jpg``, ``NAME/groundtruth_rect.txt`` with a lost mark.

Layout: Moudgil, Gandhi, "Long-Term Visual Object Tracking Benchmark" (ACCV 2018): rows of
``frame,x,y,width,height,isLost`` between commas, the frame from 1. Whether pixels count from 0 or 1 is not said; boxes
are taken as they stand. The row of a lost target is NaN here. Not verified against the real data.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from siamfc.data.annotation_text import read_rows
from siamfc.data.dataset import Dataset
from siamfc.data.folders import list_folders, numbered_images
from siamfc.data.sequence import Sequence
from siamfc.errors import BoxError

_BOXES = "groundtruth_rect.txt"


def open_tlp(root: Path) -> Dataset:
    """The sequences in ``root``, sorted by name; SourceError where there is none."""
    folders = (folder for folder in list_folders(root) if (folder / _BOXES).is_file())
    return Dataset("tlp", root, ((folder.name, folder) for folder in folders), _load)


def _load(name: str, folder: Path) -> Sequence:
    rows = read_rows(folder / _BOXES, (6,), "frame,x,y,width,height,isLost")
    if len(rows) == 0 or (np.diff(rows[:, 0]) != 1).any():
        raise BoxError(f"{folder / _BOXES}: expected a row a frame, numbered without a gap")
    frames = numbered_images(folder / "img", int(rows[0, 0]), int(rows[-1, 0]), digits=5)
    boxes, lost = rows[:, 1:5].copy(), rows[:, 5] != 0
    boxes[lost] = np.nan
    return Sequence(name, frames, boxes, flags={"absent": lost})
