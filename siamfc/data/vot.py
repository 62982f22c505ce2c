"""VOT challenges: ``NAME/groundtruth.txt`` of polygons or boxes, tags a frame, ``list.txt`` naming the sequences.

Layout: the VOT toolkit (Kristan et al., votchallenge.net), 2013 to 2019. Images lie in the sequence's folder (to 2016),
in ``color/``, or where the ``sequence`` file says. Coordinates are read as 0-based frame coordinates, as the toolkit
does. The masks of VOT 2020 and later are not read. Verified on the two sequences of ``../shared/data/vot``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from siamfc.boxes import Box
from siamfc.data.annotation_text import read_column, read_lines, read_rows, unexpected_line
from siamfc.data.dataset import Dataset
from siamfc.data.folders import list_folders, list_images, read_names
from siamfc.data.sequence import Array, CountError, ImageFrames, Sequence
from siamfc.errors import SourceError


def open_vot(root: Path) -> Dataset:
    """The sequences that ``list.txt`` names, in its order; without that file, all folders with a ground truth.

    Raises:
        SourceError: There is none, or a folder that ``list.txt`` names is not there.
    """
    listed = root / "list.txt"
    if listed.is_file():
        folders = [root / name for name in read_names(listed)]
        missing = [folder.name for folder in folders if not folder.is_dir()]
        if missing:
            raise SourceError(f"{listed} names {len(missing)} sequences that are not there: {', '.join(missing)}")
    else:
        folders = [folder for folder in list_folders(root) if (folder / "groundtruth.txt").is_file()]
    return Dataset("vot", root, ((folder.name, folder) for folder in folders), _load)


def _load(name: str, folder: Path) -> Sequence:
    meta = _read_meta(folder / "sequence")
    frames = list_images(_image_folder(folder, meta))
    regions = read_regions(folder / "groundtruth.txt")
    polygons = regions if regions.shape[1] == 8 else None
    tags = sorted((*folder.glob("*.tag"), *folder.glob("*.label")))
    marks = {path.stem: _padded(path, frames) != 0 for path in tags}
    return Sequence(
        name,
        frames,
        regions if polygons is None else boxes_of_polygons(polygons),
        polygons,
        flags=marks,
        levels={path.stem: _padded(path, frames) for path in sorted(folder.glob("*.value"))},
        attributes=tuple(tag for tag, frames_marked in marks.items() if frames_marked.any()),
        meta=meta,
    )


def read_regions(path: Path) -> Array:
    """(N, 4) boxes or (N, 8) polygons of a ground-truth file, 0-based; NaN where the target is not in view."""
    lines = read_lines(path)
    if lines and lines[0].text.startswith("m"):
        raise unexpected_line(path, lines[0], "a box or a polygon (the masks of VOT 2020 and later are not read)")
    return read_rows(path, (4, 8), "a box x,y,width,height or a polygon x1,y1,...,x4,y4")


def boxes_of_polygons(polygons: Array) -> Array:
    """`Box.from_polygon` of each row, (N, 8) to (N, 4); a row with a NaN stays NaN."""
    boxes = np.full((len(polygons), 4), np.nan)
    for row in np.flatnonzero(np.isfinite(polygons).all(axis=1)):
        boxes[row] = Box.from_polygon(polygons[row])
    return boxes


def _image_folder(folder: Path, meta: dict[str, str]) -> Path:
    channel = meta.get("channels." + meta.get("channel.default", "color"))
    if channel:
        return (folder / channel).parent
    return folder / "color" if (folder / "color").is_dir() else folder


def _read_meta(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    pairs = (line.text.partition("=") for line in read_lines(path) if "=" in line.text)
    return {key.strip(): value.strip() for key, _, value in pairs}


def _padded(path: Path, frames: ImageFrames) -> NDArray[np.float64]:
    """One number a frame; the toolkit takes the frames after a file's end as not marked."""
    marks = read_column(path)
    if len(marks) > len(frames):
        raise CountError(f"{path} has {len(marks)} lines, but there are {len(frames)} frames")
    return np.pad(marks, (0, len(frames) - len(marks)))
