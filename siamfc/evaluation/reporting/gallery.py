"""The worst failures of every tracker: where it lost the target for longest, and the frame in which it did."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from siamfc.boxes import intersection_over_union
from siamfc.data.sequence import Sequence
from siamfc.drawing import SHADE, SUBPIXEL_BITS, TRACKED, Rgb, subpixels
from siamfc.errors import SiamfcError
from siamfc.evaluation.metrics import Floats
from siamfc.evaluation.polygons import as_polygons, polygon_overlap
from siamfc.evaluation.records import FrameState, Trajectory
from siamfc.evaluation.scores import Evaluation, SequenceScore, TrackerScore
from siamfc.frames import Image, as_bgr
from siamfc.opencv import cv2

LOST_BELOW = 0.2
"""Overlap under which the target counts as lost: the box no longer holds enough of it to find back by."""

BOX: Rgb = TRACKED
TRUTH: Rgb = (64, 200, 255)  # sky blue: told from amber by all eyes, where green is not

_PER_TRACKER = 4
_WIDTH_PX, _HEIGHT_PX = 360, 270
_JPEG_QUALITY = 82


class Failure(NamedTuple):
    """A stretch of frames in which a tracker had lost the target.

    Attributes:
        tracker: Its name.
        sequence: The sequence's name.
        run: Name of the run.
        frame: Number of the frame shown, from 0: the first with the lowest overlap.
        overlap: Intersection over union in it.
        first: Where the stretch begins.
        last: Where it ends.
        frames: In how many of its frames the target is known to be lost.
        frames_in_sequence: How many there are.
        failures: How often the tracker had to be started again in the run; None where it never is.
        picture: The frame with truth and box, a JPEG in a data URI; None where it cannot be read.
        obstacle: Why it cannot.
    """

    tracker: str
    sequence: str
    run: str
    frame: int
    overlap: float
    first: int
    last: int
    frames: int
    frames_in_sequence: int
    failures: int | None
    picture: str | None
    obstacle: str = ""


class _Stretch(NamedTuple):
    row: SequenceScore
    run: str
    overlaps: Floats
    first: int
    last: int
    frames: int
    failures: int | None


def worst_failures(evaluation: Evaluation, *, per_tracker: int = _PER_TRACKER) -> list[Failure]:
    """The longest failures of each tracker, on different sequences, each with a picture; frames are read for that.

    A failure is a stretch of frames with an overlap below `LOST_BELOW`; frames without truth neither end nor lengthen
    it. Of a supervised run it is a frame in which the tracker failed, of the sequences in which it did most often.
    """
    return [
        _picture(tracker.tracker, stretch)
        for tracker in evaluation.trackers
        for stretch in _worst(tracker, supervised=evaluation.protocol == "vot")[:per_tracker]
    ]


def longest_stretch(overlaps: Floats, below: float = LOST_BELOW) -> tuple[int, int, int] | None:
    """First frame, last frame and count of the longest stretch under a threshold; NaN frames are passed over.

    Example:
        >>> longest_stretch(np.array([0.9, 0.1, 0.8, 0.0, np.nan, 0.1, 0.7]))
        (3, 5, 2)
    """
    known = np.flatnonzero(~np.isnan(overlaps))
    lost = np.concatenate([[False], overlaps[known] < below, [False]]).astype(np.int8)
    begins, ends = np.flatnonzero(np.diff(lost) == 1), np.flatnonzero(np.diff(lost) == -1)
    if not begins.size:
        return None
    longest = int((ends - begins).argmax())
    first, last = known[begins[longest]], known[ends[longest] - 1]
    return int(first), int(last), int(ends[longest] - begins[longest])


def _worst(tracker: TrackerScore, *, supervised: bool) -> list[_Stretch]:
    """A stretch a sequence, the worst first; equally bad ones stay in the data set's order."""
    found = [stretch for row in tracker.sequences if row.score for stretch in [_worst_of(row, supervised)] if stretch]
    return sorted(found, key=lambda stretch: (stretch.failures or 0, stretch.frames), reverse=True)


def _worst_of(row: SequenceScore, supervised: bool) -> _Stretch | None:
    stretches = list(_failed(row) if supervised else _lost(row))
    return max(stretches, key=lambda stretch: (stretch.failures or 0, stretch.frames), default=None)


def _lost(row: SequenceScore) -> Iterator[_Stretch]:
    for run, trajectory in row.runs.items():
        overlaps = _overlaps(row.sequence, trajectory)
        stretch = longest_stretch(overlaps)
        if stretch:
            yield _Stretch(row, run, overlaps, *stretch, failures=None)


def _failed(row: SequenceScore) -> Iterator[_Stretch]:
    for run, trajectory in row.runs.items():
        failed = np.flatnonzero(trajectory.states == FrameState.FAILED)
        if failed.size:
            overlaps = _overlaps(row.sequence, trajectory)
            yield _Stretch(row, run, overlaps, int(failed[0]), int(failed[0]), 1, failures=int(failed.size))


def _overlaps(sequence: Sequence, trajectory: Trajectory) -> Floats:
    """(N,) overlap of each frame that was tracked and counts, NaN elsewhere; 0 where there is no box."""
    asked = np.isin(trajectory.states, (FrameState.TRACKED, FrameState.FAILED))
    boxes = np.where(np.asarray(np.isfinite(trajectory.boxes).all(axis=1))[:, None], trajectory.boxes, 0.0)
    if sequence.polygons is None:
        overlaps = intersection_over_union(boxes, sequence.boxes)
    else:
        overlaps = polygon_overlap(sequence.polygons, boxes)
    counted = asked & sequence.in_view
    if "cover" in sequence.levels:  # GOT-10k: 0 is a target that is covered
        counted &= sequence.levels["cover"] > 0
    return np.where(counted, overlaps, np.nan)


def _picture(tracker: str, stretch: _Stretch) -> Failure:
    row, inside = stretch.row, stretch.overlaps[stretch.first : stretch.last + 1]
    frame = stretch.first + int(np.nanargmin(inside))
    picture, obstacle = None, ""
    try:
        picture = _draw(row.sequence, frame, row.runs[stretch.run].boxes[frame])
    except SiamfcError as error:
        obstacle = str(error)
    return Failure(
        tracker=tracker,
        sequence=row.sequence.name,
        run=stretch.run,
        frame=frame,
        overlap=float(stretch.overlaps[frame]),
        first=stretch.first,
        last=stretch.last,
        frames=stretch.frames,
        frames_in_sequence=len(row.sequence),
        failures=stretch.failures,
        picture=picture,
        obstacle=obstacle,
    )


def _draw(sequence: Sequence, frame: int, box: NDArray[np.float64]) -> str:
    """The frame, made small, with truth and box, as a data URI."""
    image = sequence.frame(frame)
    scale = min(_WIDTH_PX / image.shape[1], _HEIGHT_PX / image.shape[0])
    size = (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    canvas: Image = np.asarray(cv2.resize(image, size, interpolation=method), dtype=np.uint8)
    truth = sequence.boxes if sequence.polygons is None else sequence.polygons
    for region, color in ((truth[frame], TRUTH), (box, BOX)):
        if np.isfinite(region).all():
            _outline(canvas, as_polygons(region[None])[0] * scale, color)
    _, data = cv2.imencode(".jpg", as_bgr(canvas), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return "data:image/jpeg;base64," + b64encode(data.tobytes()).decode("ascii")


def _outline(canvas: Image, corners: Floats, color: Rgb) -> None:
    # A box far outside would overflow cv2's numbers; what lies there is not seen anyway.
    near = np.clip(corners, -1e4, 1e4)
    points = np.array([[subpixels(x - 0.5, y - 0.5) for x, y in near]], dtype=np.int32)  # cv2 names pixel centres
    for ink, thickness in ((SHADE, 4), (color, 2)):
        cv2.polylines(canvas, list(points), True, ink, thickness, cv2.LINE_AA, SUBPIXEL_BITS)
