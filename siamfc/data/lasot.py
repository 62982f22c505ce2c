"""LaSOT: ``CLASS/CLASS-N/img/00000001.jpg``, ``groundtruth.txt`` (1-based), and files that mark the absent frames.

Layout: Fan et al., "LaSOT" (CVPR 2019), with ``full_occlusion.txt`` and ``out_of_view.txt``. Its author states that
boxes are 1-based (LaSOT_Evaluation_Toolkit, issue 14; the 150 sequences of the 2021 extension hold zeros all the same).
The 280 test sequences of protocol II are the list that the package got10k holds. The class folders may be left out.
Where the target is fully occluded or out of view its row is NaN here, whatever the file has. Not verified against the
real data; got10k's own reader of it cannot be constructed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from siamfc.data.annotation_text import read_boxes, read_column, read_text
from siamfc.data.dataset import Dataset
from siamfc.data.folders import folders_holding, list_images
from siamfc.data.sequence import Flags, Sequence
from siamfc.errors import SourceError

# Of each class of 20, those in the test set.
_TEST = """
    airplane:1,9,13,15 basketball:1,6,7,11 bear:2,4,6,17 bicycle:2,7,9,18 bird:2,3,15,17 boat:3,4,12,17
    book:3,10,11,19 bottle:1,12,14,18 bus:2,5,17,19 car:2,6,9,17 cat:1,3,18,20 cattle:2,7,12,13
    chameleon:3,6,11,20 coin:3,6,7,18 crab:3,6,12,18 crocodile:3,4,10,14 cup:1,4,7,17 deer:4,8,10,14
    dog:1,7,15,19 drone:2,7,13,15 electricfan:1,10,18,20 elephant:1,12,16,18 flag:2,3,5,9 fox:2,3,5,20
    frog:3,4,9,20 gametarget:1,2,7,13 gecko:1,5,16,19 giraffe:2,10,13,15 goldfish:3,7,8,10 gorilla:4,6,9,13
    guitar:3,8,10,16 hand:2,3,9,16 hat:1,2,5,18 helmet:5,11,13,19 hippo:1,7,9,20 horse:1,4,12,15
    kangaroo:2,5,11,14 kite:4,6,10,15 leopard:1,7,16,20 licenseplate:6,12,13,15 lion:1,5,12,20
    lizard:1,3,6,13 microphone:2,6,14,16 monkey:3,4,9,17 motorcycle:1,3,9,18 mouse:1,8,9,17 person:1,5,10,12
    pig:2,10,13,18 pool:3,7,12,15 rabbit:10,13,17,19 racing:10,15,16,20 robot:1,5,8,19 rubicCube:1,6,14,19
    sepia:6,8,13,16 shark:2,3,5,6 sheep:3,5,7,9 skateboard:3,8,16,19 spider:14,16,18,20 squirrel:8,11,13,19
    surfboard:4,5,8,12 swing:10,14,17,20 tank:6,9,14,16 tiger:4,6,12,18 train:1,7,11,20 truck:3,6,7,16
    turtle:5,8,9,16 umbrella:2,9,17,19 volleyball:1,13,18,19 yoyo:7,15,17,19 zebra:10,14,16,17
"""
TEST_SET = tuple(
    f"{kind}-{number}"
    for kind, _, numbers in (entry.partition(":") for entry in _TEST.split())
    for number in numbers.split(",")
)


def open_lasot(root: Path, *, split: str | None = None) -> Dataset:
    """The sequences in ``root``, by class and number.

    Args:
        root: The folder of classes, or of sequences.
        split: ``"test"`` for the 280 of protocol II, ``"train"`` for all others, None for all.

    Raises:
        SourceError: There is none, or sequences of the test set are missing.
    """
    from siamfc.video.images import natural_order

    found = {folder.name: folder for folder in natural_order(folders_holding(root, "groundtruth.txt"))}
    if split == "test":
        missing = [name for name in TEST_SET if name not in found]
        if missing:
            raise SourceError(
                f"the test set of LaSOT has {len(TEST_SET)} sequences; {root} lacks {len(missing)} of them: "
                f"{', '.join(missing[:10])}{' ...' if missing[10:] else ''} (lasot:{root} takes all that are there)"
            )
    if split is not None:
        found = {name: folder for name, folder in found.items() if (name in TEST_SET) == (split == "test")}
    return Dataset(f"lasot-{split}" if split else "lasot", root, found.items(), _load)


def _load(name: str, folder: Path) -> Sequence:
    frames = list_images(folder / "img")
    boxes = read_boxes(folder / "groundtruth.txt", one_based=True)
    flags: dict[str, Flags] = {}
    for file, flag in (("full_occlusion", "occluded"), ("out_of_view", "out_of_view")):
        if (folder / f"{file}.txt").is_file():
            flags[flag] = read_column(folder / f"{file}.txt") != 0
    for marks in flags.values():
        if len(marks) == len(boxes):  # else Sequence says so
            boxes[marks] = np.nan
    words = folder / "nlp.txt"
    meta = {"description": read_text(words).strip()} if words.is_file() else {}
    return Sequence(name, frames, boxes, flags=flags, meta=meta)
