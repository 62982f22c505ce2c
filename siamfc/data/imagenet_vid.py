"""ImageNet VID 2015: ``Data/VID/train/.../000000.JPEG``, ``Annotations/VID/train/.../000000.xml``, a sequence a track.

Layout: Russakovsky et al., "ImageNet Large Scale Visual Recognition Challenge" (IJCV 2015). Corners are the first and
last pixel inside, counted from 0; the released code of SiamFC and the package got10k take the width as
``xmax - xmin + 1``, too. A track runs from its first frame to its last; tracks of one frame are left out, as got10k
does. Not verified against the real data; compared with got10k on a small tree.

Opening reads every annotation file, for the tracks are named there: minutes for the 1.1 million of the training set.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from siamfc.data.dataset import Dataset
from siamfc.data.folders import list_folders, list_images
from siamfc.data.sequence import Sequence
from siamfc.data.tracks import sequence_of_track
from siamfc.data.xml_objects import XmlObject, read_xml


class Track(NamedTuple):
    """A track of a video: the folders of its images and annotations, and its ``trackid``."""

    images: Path
    annotations: Path
    number: str


class Sighting(NamedTuple):
    """An object in one frame; ``frame`` is the image's name without its ending."""

    frame: str
    shown: XmlObject


def open_imagenet_vid(root: Path, *, split: str | None = None) -> Dataset:
    """The tracks of a split, video by video, as ``ILSVRC2015_val_00000000-0`` and so on.

    Args:
        root: The folder that holds ``Data`` and ``Annotations``.
        split: ``"train"``, ``"val"``, or None for both.

    Raises:
        SourceError: A folder is not there, or no track of two frames.
        BoxError: An annotation file is not of the layout.
    """
    entries = []
    for part in (split,) if split else ("train", "val"):
        parent = root / "Annotations" / "VID" / part
        if split is None and not parent.is_dir():
            continue
        for folder in _videos(parent):
            images = root / "Data" / "VID" / part / folder.relative_to(parent)
            entries += [
                (f"{folder.name}-{number}", Track(images, folder, number))
                for number, sightings in sorted(read_video(folder).items())
                if len(sightings) > 1
            ]
    return Dataset(f"imagenet-vid-{split}" if split else "imagenet-vid", root, entries, _load)


def _videos(parent: Path) -> list[Path]:
    """``val`` holds videos, ``train`` holds folders of videos."""
    folders = list_folders(parent)
    return [video for folder in folders for video in ([folder] if any(folder.glob("*.xml")) else list_folders(folder))]


@lru_cache(maxsize=8)
def read_video(annotations: Path) -> dict[str, list[Sighting]]:
    """Where each track is, by its number, in the order of the frames."""
    tracks: dict[str, list[Sighting]] = {}
    for path in sorted(annotations.glob("*.xml")):
        for shown in read_xml(path).objects:
            tracks.setdefault(shown.marks.get("trackid", ""), []).append(Sighting(path.stem, shown))
    return tracks


def _load(name: str, track: Track) -> Sequence:
    frames = list_images(track.images)
    places = {Path(image).stem: place for place, image in enumerate(frames.names)}
    sightings = [each for each in read_video(track.annotations)[track.number] if each.frame in places]
    corners = np.array([each.shown[1:5] for each in sightings], dtype=np.float64).reshape(-1, 4)
    return sequence_of_track(
        name,
        frames,
        np.array([places[each.frame] for each in sightings], dtype=np.int64),
        np.column_stack([corners[:, :2], corners[:, 2:] - corners[:, :2] + 1]),
        flags={"occluded": np.array([each.shown.marks.get("occluded") == "1" for each in sightings])},
        meta={"class": sightings[0].shown.kind},
    )
