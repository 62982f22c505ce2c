"""PASCAL VOC detection: ``JPEGImages/NAME.jpg`` and ``Annotations/NAME.xml``; each object a sequence of one frame.

Layout: Everingham et al., "The PASCAL Visual Object Classes Challenge" (IJCV 2010). Corners are the first and last
pixel inside, counted from 1. Stills are for training: one frame, two crops. Not verified against the real data.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from siamfc.data.dataset import Dataset
from siamfc.data.folders import list_folders, read_names, require_folders
from siamfc.data.sequence import ImageFrames, Sequence
from siamfc.data.xml_objects import XmlObject, read_xml

_MARKS = ("difficult", "occluded", "truncated")


class Still(NamedTuple):
    """An object in a picture."""

    image: Path
    shown: XmlObject


def open_voc(root: Path, *, split: str | None = None) -> Dataset:
    """The objects, as ``VOC2007-000005-1`` and so on; reads every annotation file, for the objects stand there.

    Args:
        root: ``VOCdevkit``, with a folder a year, or one of these.
        split: ``"train"``, ``"val"``, ...: the pictures that ``ImageSets/Main/SPLIT.txt`` names; None for all.

    Raises:
        SourceError: A folder is not there, or there is no object.
        BoxError: An annotation file is not of the layout.
    """
    years = [root] if (root / "Annotations").is_dir() else list_folders(root)
    entries = []
    for year in years:
        require_folders(year, ("Annotations", "JPEGImages"), "voc")
        names = [path.stem for path in sorted((year / "Annotations").glob("*.xml"))]
        if split is not None:
            names = read_names(year / "ImageSets" / "Main" / f"{split}.txt")
        for name in names:
            file_name, objects = read_xml(year / "Annotations" / f"{name}.xml")
            image = year / "JPEGImages" / (file_name or f"{name}.jpg")
            entries += [
                (f"{year.name}-{name}-{place}", Still(image, shown)) for place, shown in enumerate(objects, start=1)
            ]
    return Dataset(f"voc-{split}" if split else "voc", root, entries, _load)


def _load(name: str, still: Still) -> Sequence:
    _, left, top, right, bottom, marks = still.shown
    return Sequence(
        name,
        ImageFrames(still.image.parent, (still.image.name,)),
        np.array([[left - 1, top - 1, right - left + 1, bottom - top + 1]]),
        attributes=tuple(mark for mark in _MARKS if marks.get(mark) == "1"),
        meta={"class": still.shown.kind},
        origin=str(still.image),
    )
