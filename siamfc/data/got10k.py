"""GOT-10k: ``SPLIT/list.txt``, ``SPLIT/NAME/00000001.jpg``, ``groundtruth.txt`` (1-based), labels a frame.

Layout: Huang, Zhao, Huang, "GOT-10k" (TPAMI 2019) and its toolkit, whose author states that boxes are 1-based
(got-10k/toolkit, issue 6). In ``test`` only the first box is public. ``cover.label`` counts eighths of the target that
are visible, 0 to 8. Not verified against the real data; compared with the package got10k on a small tree of the layout.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from siamfc.data.annotation_text import read_boxes, read_column, read_lines
from siamfc.data.dataset import Dataset
from siamfc.data.folders import list_folders, list_images, read_names
from siamfc.data.sequence import Sequence
from siamfc.errors import SourceError

SPLITS = ("train", "val", "test")


def open_got10k(root: Path, *, split: str | None = None) -> Dataset:
    """The sequences of a split, in the order of its ``list.txt`` (by name, where there is none).

    Args:
        root: The folder that holds ``train``, ``val`` and ``test``, or one of them.
        split: Which; None where ``root`` is the folder of one.

    Raises:
        SourceError: ``root`` holds several splits and none is asked for, or nothing is found.
    """
    inner = [name for name in SPLITS if (root / name).is_dir()]
    if split is None and inner:
        raise SourceError(f"{root} holds {', '.join(inner)}: say got10k-{inner[-1]}:{root}, or give one's own folder")
    folder = root / split if split in inner else root
    listed = folder / "list.txt"
    names = read_names(listed) if listed.is_file() else [path.name for path in list_folders(folder)]
    name = f"got10k-{split}" if split else "got10k"
    return Dataset(name, root, ((sequence, folder / sequence) for sequence in names), _load)


def _load(name: str, folder: Path) -> Sequence:
    frames = list_images(folder)
    boxes = read_boxes(folder / "groundtruth.txt", one_based=True)
    labels = {
        label: read_column(folder / f"{label}.label")
        for label in ("absence", "cover", "cut_by_image")
        if (folder / f"{label}.label").is_file()
    }
    levels = {"cover": labels.pop("cover")} if "cover" in labels else {}
    flags = {label: marks != 0 for label, marks in labels.items()}
    if "absence" in flags:
        flags["absent"] = flags.pop("absence")
        if len(flags["absent"]) == len(boxes):  # else Sequence says so
            boxes[flags["absent"]] = np.nan
    return Sequence(name, frames, boxes, flags=flags, levels=levels, meta=_read_meta(folder / "meta_info.ini"))


def _read_meta(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    pairs = (line.text.partition(":") for line in read_lines(path) if ":" in line.text)
    return {key.strip(): value.strip() for key, _, value in pairs}
