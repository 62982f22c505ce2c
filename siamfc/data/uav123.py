"""UAV123, UAV20L and UAV123_10fps: several sequences cut from one folder of frames, 1-based boxes.

Layout: Mueller, Smith, Ghanem, "A Benchmark and Simulator for UAV Tracking" (ECCV 2016): ``data_seq/UAV123/FOLDER/
000001.jpg``, ``anno/UAV123/NAME.txt``, ``anno/UAV20L/NAME.txt``; the 10 fps version has ``data_seq/UAV123_10fps`` and
``anno/UAV123_10fps``. A row of NaN is a frame in which the target is not in view. The starts are those of the authors'
``configSeqs.m`` (as the package got10k holds them); every third frame was kept for 10 fps, and ``(start - 1) / 3 + 1``
is what that version's own ``configSeqs.m`` says for each that shares a folder. That boxes are 1-based is from
memory: the dataset is made for OTB's MATLAB toolkit. Not verified against the real data; compared with got10k on a
small tree.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import NamedTuple

from siamfc.data.annotation_text import read_boxes
from siamfc.data.dataset import Dataset
from siamfc.data.folders import numbered_images, require_folders
from siamfc.data.sequence import Sequence

# First frame of each sequence that shares a folder: bird1_2 begins at frame 775 of the folder bird1.
STARTS = {
    "bird1": (1, 775, 1573),
    "car1": (1, 751, 1627),
    "car6": (1, 487, 1807, 2953, 3925),
    "car8": (1, 1357),
    "car16": (1, 415),
    "group1": (1, 1333, 2515, 3925),
    "group2": (1, 907, 1771),
    "group3": (1, 1567, 2827, 4369),
    "person2": (1, 1189),
    "person4": (1, 1501),
    "person5": (1, 877),
    "person7": (1, 1249),
    "person8": (1, 1075),
    "person12": (1, 601),
    "person14": (1, 847, 1813),
    "person17": (1, 1501),
    "person19": (1, 1243, 2791),
    "truck4": (1, 577),
    "uav1": (1, 1555, 2473),
}


class Place(NamedTuple):
    """Where a sequence's frames begin, at 30 frames a second."""

    folder: str
    start: int


def place_of(name: str) -> Place:
    """The folder and first frame of a sequence; one that is not in `STARTS` has its own folder, from frame 1.

    Example:
        >>> place_of("bird1_2"), place_of("car1_s"), place_of("bird1")
        (Place(folder='bird1', start=775), Place(folder='car1_s', start=1), Place(folder='bird1', start=1))
    """
    folder, _, part = name.rpartition("_")
    if folder in STARTS and part.isdigit() and 1 <= int(part) <= len(STARTS[folder]):
        return Place(folder, STARTS[folder][int(part) - 1])
    return Place(name, 1)


def open_uav123(root: Path, *, version: str = "UAV123") -> Dataset:
    """The sequences that have a file in ``anno/VERSION``, sorted by name.

    Args:
        root: The folder that holds ``data_seq`` and ``anno``.
        version: ``"UAV123"``, ``"UAV20L"`` or ``"UAV123_10fps"``.

    Raises:
        SourceError: A folder is not there, or no annotation.
    """
    images = "UAV123" if version == "UAV20L" else version
    require_folders(root, (f"data_seq/{images}", f"anno/{version}"), version)
    entries = ((path.stem, path) for path in sorted((root / "anno" / version).glob("*.txt")))
    layout = version.lower().replace("_", "-")
    return Dataset(layout, root, entries, partial(_load, root / "data_seq" / images))


def _load(images: Path, name: str, boxes_file: Path) -> Sequence:
    place = place_of(name)
    start = (place.start - 1) // 3 + 1 if images.name.endswith("10fps") else place.start
    boxes = read_boxes(boxes_file, one_based=True)
    frames = numbered_images(images / place.folder, start, start + len(boxes) - 1, digits=6)
    return Sequence(name, frames, boxes)
