"""COCO detection: one JSON file of images and annotations; each annotated object a sequence of one frame.

Layout: Lin et al., "Microsoft COCO" (ECCV 2014), cocodataset.org/#format-data: ``bbox`` is x, y, width, height,
0-based. Groups (``iscrowd``) are left out. Stills are for training: one frame, two crops. Verified on the annotations
of ``../shared/data/train/stills``, not on COCO itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from siamfc.data.annotation_text import read_text
from siamfc.data.dataset import Dataset
from siamfc.data.sequence import ImageFrames, Sequence
from siamfc.errors import BoxError, SourceError


class Still(NamedTuple):
    """An object in a picture; ``box`` as x, y, width, height."""

    image: Path
    box: tuple[float, float, float, float]
    kind: str


def open_coco(root: Path) -> Dataset:
    """The objects, picture by picture in the file's order, named by picture and annotation: ``000001-17``.

    Args:
        root: The JSON file, with its pictures beside it, in ``images/`` beside it, or in the folder ``train2017`` for
            ``annotations/instances_train2017.json``; or a folder with ``annotations.json``.

    Raises:
        SourceError: The file is not there or is not of the layout, or the pictures are not found.
        BoxError: A ``bbox`` is not four numbers.
    """
    path = root / "annotations.json" if root.is_dir() else root
    try:
        content = json.loads(read_text(path))
        kinds = {entry["id"]: str(entry["name"]) for entry in content.get("categories", [])}
        files = {entry["id"]: str(entry["file_name"]) for entry in content["images"]}
        marked = [(entry["image_id"], entry) for entry in content["annotations"] if not entry.get("iscrowd")]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SourceError(f"{path} is not laid out as COCO's detection files: {error!r}") from None
    order = {number: place for place, number in enumerate(files)}
    unknown = [number for number, _ in marked if number not in order]
    if unknown:
        raise SourceError(f"{path}: {len(unknown)} annotations are for images that it does not list: {unknown[0]}")
    folder = _picture_folder(path, next(iter(files.values()), ""))
    marked.sort(key=lambda each: order[each[0]])
    entries = (
        (
            f"{Path(files[number]).stem}-{entry.get('id')}",
            Still(folder / files[number], _box(path, entry), kinds.get(entry.get("category_id"), "")),
        )
        for number, entry in marked
    )
    return Dataset("coco", root, entries, _load)


def _picture_folder(path: Path, example: str) -> Path:
    tried = [path.parent, path.parent / "images", path.parent.parent / path.stem.rpartition("_")[2]]
    for folder in tried:
        if (folder / example).is_file():
            return folder
    raise SourceError(f"{example}, the first image of {path}, is in none of {', '.join(map(str, tried))}")


def _box(path: Path, entry: Mapping[str, Any]) -> tuple[float, float, float, float]:
    try:
        x, y, width, height = (float(value) for value in entry["bbox"])
    except (KeyError, TypeError, ValueError):
        raise BoxError(
            f"{path}, annotation {entry.get('id')}: expected a bbox of four numbers, came {entry.get('bbox')!r}"
        ) from None
    return x, y, width, height


def _load(name: str, still: Still) -> Sequence:
    frames = ImageFrames(still.image.parent, (still.image.name,))
    return Sequence(name, frames, np.array([still.box]), meta={"class": still.kind}, origin=str(still.image))
