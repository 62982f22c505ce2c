"""DAVIS 2016 and 2017: ``JPEGImages/480p/NAME/00000.jpg`` and masks ``Annotations/480p/NAME/00000.png``, as boxes.

Layout: Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video Object Segmentation" (CVPR 2016), and
Pont-Tuset et al., "The 2017 DAVIS Challenge". A box is the bounds of a mask's pixels; each object of a mask becomes a
sequence, ``NAME-1`` and so on, and in 2016, where rider and mount are one object, the sequence is ``NAME``. The objects
are those of the first mask: to list those that enter later, every mask would have to be read. YouTube-VOS and others
borrow the layout; frames without a mask are NaN. From memory of the format; not verified against the real data.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from siamfc.data.dataset import Dataset
from siamfc.data.folders import list_folders, list_images, read_names
from siamfc.data.sequence import Array, Sequence
from siamfc.errors import SourceError
from siamfc.frames import Image

_VOID = 255


class Target(NamedTuple):
    """An object of a video: the folders of its images and masks, and its number in the masks; None for all as one."""

    images: Path
    masks: Path
    number: int | None


def open_davis(root: Path, *, year: int = 2017, split: str | None = None) -> Dataset:
    """The objects of all videos, sorted by name.

    Args:
        root: The folder that holds ``JPEGImages`` and ``Annotations``.
        year: 2016 takes all objects of a mask as one.
        split: ``"train"``, ``"val"``, ...: those that ``ImageSets/YEAR/SPLIT.txt`` names; None for all.

    Raises:
        SourceError: A folder is not there, or a first mask cannot be read.
    """
    masks = _resolution(root / "Annotations")
    names = [folder.name for folder in list_folders(masks)]
    if split is not None:
        names = read_names(root / "ImageSets" / str(year) / f"{split}.txt")
    images = root / "JPEGImages" / masks.relative_to(root / "Annotations")
    entries = []
    for name in names:
        numbers = [None] if year == 2016 else _objects(masks / name)
        for number in numbers:
            target = Target(images / name, masks / name, number)
            entries.append((name if number is None else f"{name}-{number}", target))
    layout = "davis2016" if year == 2016 else "davis"
    return Dataset(f"{layout}-{split}" if split else layout, root, entries, _load)


def _resolution(annotations: Path) -> Path:
    inner = [folder.name for folder in list_folders(annotations)]
    named = [name for name in ("480p", "Full-Resolution", "1080p") if name in inner]
    return annotations / named[0] if named else annotations


def _objects(masks: Path) -> list[int | None]:
    labels = read_mask(masks / list_images(masks).names[0])
    return [int(number) for number in np.unique(labels) if number]


def _load(name: str, target: Target) -> Sequence:
    frames = list_images(target.images)
    found = read_video(target.masks)
    boxes = np.full((len(frames), 4), np.nan)
    absent = np.zeros(len(frames), dtype=np.bool_)
    for place, frame in enumerate(frames.names):
        in_frame = found.get(Path(frame).stem)
        if in_frame is not None:
            box = in_frame.get(target.number)
            absent[place] = box is None
            boxes[place] = np.nan if box is None else box
    if len(found) == 1 < len(frames):  # a test set, which keeps all but the first mask to itself
        return Sequence(name, frames, boxes[:1])
    return Sequence(name, frames, boxes, flags={"absent": absent})


@lru_cache(maxsize=2)
def read_video(masks: Path) -> dict[str, dict[int | None, Array]]:
    """The boxes (4,) of each object in each mask, by the mask's name and the object's number; None is all as one."""
    return {Path(name).stem: boxes_of_mask(read_mask(masks / name)) for name in list_images(masks).names}


def boxes_of_mask(labels: NDArray[np.uint8]) -> dict[int | None, Array]:
    """The bounds of each object's pixels, x, y, width, height, by its number; all objects as one under None.

    Example:
        >>> labels = np.zeros((4, 6), np.uint8)
        >>> labels[1:3, 2:5] = 1
        >>> boxes_of_mask(labels)[1].tolist()
        [2.0, 1.0, 3.0, 2.0]
    """
    boxes: dict[int | None, Array] = {}
    for number in (None, *np.unique(labels).tolist()):
        if number == 0:
            continue
        inside = labels != 0 if number is None else labels == number
        columns, rows = np.flatnonzero(inside.any(axis=0)), np.flatnonzero(inside.any(axis=1))
        if columns.size:
            corner = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], dtype=np.float64)
            boxes[number] = np.concatenate([corner[:2], corner[2:] - corner[:2]])
    return boxes


def read_mask(path: Path) -> NDArray[np.uint8]:
    """(H, W) the object's number at each pixel, 0 where there is none; SourceError where the file cannot be read."""
    from siamfc.video import read_image

    try:
        return labels_of_colors(read_image(path))
    except SourceError as error:
        raise SourceError(f"the mask {error}") from error


def labels_of_colors(colors: Image) -> NDArray[np.uint8]:
    """Object numbers of a mask's colours, which are PASCAL VOC's palette, or greys.

    Pictures are read in colour, so a palette's index has to be found again: bits 7, 6, 5 of red hold its bits 0, 3, 6,
    those of green its bits 1, 4, 7, those of blue 2 and 5. Of greys, 255 is the one object of DAVIS 2016, and those
    below 64, which no colour of the palette has, are object numbers themselves. Void (index 255) is no object.

    Args:
        colors: (H, W, 3) RGB.

    Example:
        >>> labels_of_colors(np.array([[[128, 0, 0], [0, 128, 0], [255, 255, 255], [3, 3, 3]]], np.uint8)).tolist()
        [[1, 2, 1, 3]]
    """
    labels = np.zeros(colors.shape[:2], dtype=np.uint8)
    for channel in range(3):
        for step in range(3 if channel < 2 else 2):
            labels |= ((colors[..., channel] >> (7 - step)) & 1) << (3 * step + channel)
    labels[labels == _VOID] = 0
    red = colors[..., 0]
    grey = (red == colors[..., 1]) & (red == colors[..., 2])
    labels[grey & (red == 255)] = 1
    plain = grey & (red < 64)
    labels[plain] = red[plain]
    return labels
