"""MOTChallenge: ``NAME/img1/000001.jpg`` and ``NAME/gt/gt.txt``; each track becomes a sequence.

Layout: Leal-Taixe et al., "MOTChallenge 2015", and Milan et al., "MOT16"; DanceTrack, SportsMOT and others borrow it.
Rows are ``frame,id,left,top,width,height,consider,class,visibility``, all 1-based; 2015 has three world coordinates in
place of the last two. Rows whose ``consider`` is 0 (cars, reflections, people behind glass) are left out, as the
benchmark's scorer does. A track runs from its first frame to its last. MOT17 lies there three times, once a detector
(``-DPM``, ``-FRCNN``, ``-SDP``), with the same ground truth. From memory of the format; not verified against real data.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from siamfc.data.annotation_text import read_lines, read_rows
from siamfc.data.dataset import Dataset
from siamfc.data.folders import folders_holding, numbered_images
from siamfc.data.sequence import Array, Sequence
from siamfc.data.tracks import sequence_of_track
from siamfc.errors import BoxError

_CLASSES = (
    "pedestrian,person on vehicle,car,bicycle,motorbike,non motorized vehicle,static person,distractor,"
    "occluder,occluder on the ground,occluder full,reflection"
)
_DETECTOR = re.compile(r"-(DPM|FRCNN|SDP)$")  # after which MOT17 names its three copies of a video
_EXPECTED = "frame,id,left,top,width,height,consider,class,visibility"


class Track(NamedTuple):
    """A track of a video: the video's folder and the track's number in ``gt.txt``."""

    video: Path
    number: int


def open_mot(root: Path) -> Dataset:
    """The tracks of all videos in ``root`` or its folders (``train``), as ``MOT17-02-DPM-1`` and so on.

    Reads every ``gt.txt``, since the tracks' numbers stand there.
    """
    videos = folders_holding(root, "gt/gt.txt")
    tracks = (Track(video, number) for video in videos for number in read_tracks(video / "gt" / "gt.txt"))
    return Dataset("mot", root, ((f"{video.name}-{number}", Track(video, number)) for video, number in tracks), _load)


@lru_cache(maxsize=8)
def read_tracks(path: Path) -> dict[int, Array]:
    """The rows of each track, by its number; (K, 9) each, by frame, NaN where the file has no such column.

    Raises:
        BoxError: A line is not of the layout, or a track has two rows for one frame.
    """
    rows = read_rows(path, (6, 7, 8, 9, 10), _EXPECTED)
    table = np.full((len(rows), 9), np.nan)
    width = min(rows.shape[1], 9 if rows.shape[1] == 9 else 7)  # 10 columns: MOT15, no class, no visibility
    table[:, :width] = rows[:, :width]
    table = table[table[:, 6] != 0]
    tracks = {}
    for number in np.unique(table[:, 1]).astype(int).tolist():
        track = table[table[:, 1] == number]
        track = track[np.argsort(track[:, 0], kind="stable")]
        twice = np.flatnonzero(np.diff(track[:, 0]) == 0)
        if twice.size:
            raise BoxError(f"{path}: track {number} has two boxes in frame {track[twice[0], 0]:g}")
        tracks[number] = track
    return tracks


def _load(name: str, track: Track) -> Sequence:
    rows = read_tracks(track.video / "gt" / "gt.txt")[track.number]
    first, last = int(rows[0, 0]), int(rows[-1, 0])
    return sequence_of_track(
        name,
        numbered_images(track.video / _image_folder(track.video), first, last, digits=6),
        (rows[:, 0] - first).astype(np.int64),
        rows[:, 2:6] - (1, 1, 0, 0),
        levels={} if np.isnan(rows[:, 8]).all() else {"visibility": rows[:, 8]},
        meta=_class_name(rows[0, 7]),
        origin=_DETECTOR.sub("", str(track.video)),
    )


def _image_folder(video: Path) -> str:
    info = video / "seqinfo.ini"
    pairs = [line.text.partition("=") for line in read_lines(info)] if info.is_file() else []
    return next((value.strip() for key, _, value in pairs if key.strip() == "imDir"), "img1")


def _class_name(number: float) -> dict[str, str]:
    names = _CLASSES.split(",")
    return {"class": names[int(number) - 1]} if 1 <= number <= len(names) else {}
