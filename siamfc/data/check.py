"""What is amiss in a dataset, and whether it would break a run: found before hours of work, not after."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from siamfc.data.dataset import Dataset
from siamfc.data.sequence import Array, CountError, Flags, ImageFrames, Sequence, VideoFrames
from siamfc.errors import SiamfcError, SourceError
from siamfc.frames import Image


@dataclass(frozen=True)
class SequenceReport:
    """What was found in one sequence. Frames are named by their index, from 0.

    Attributes:
        name: The sequence.
        frames: How many it has.
        boxes: How many of them have a box with an area.
        start: The first of those, in which runs start (`siamfc.evaluation.one_pass_start`); None where there is none.
        without_box: Frames whose box is NaN: not in view, or not annotated.
        empty_boxes: Frames whose box has no area.
        outside_boxes: Frames whose box does not meet the picture.
        missing_images: Files that should be there and are not.
        unreadable: What could not be read, each with its reason: frames, annotations.
        count_mismatch: What does not go together, or None.
        bad_start: Why a tracker could not start from the box of ``start``, or None.
    """

    name: str
    frames: int = 0
    boxes: int = 0
    start: int | None = None
    without_box: int = 0
    empty_boxes: tuple[int, ...] = ()
    outside_boxes: tuple[int, ...] = ()
    missing_images: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    count_mismatch: str | None = None
    bad_start: str | None = None

    @property
    def breaks_run(self) -> bool:
        """Whether a tracker could not be run on it from the first frame with a box to the last."""
        return bool(self.missing_images or self.unreadable or self.count_mismatch or self.bad_start)

    @property
    def findings(self) -> list[str]:
        """Everything amiss, a line each, those that break a run first."""
        lines = [line for line in (self.count_mismatch, self.bad_start) if line]
        lines += self.unreadable
        if self.missing_images:
            lines.append(f"{self.name}: {len(self.missing_images)} images are missing, first {self.missing_images[0]}")
        if self.start:
            lines.append(f"{self.name}: no box in the first frame, runs start in frame {self.start}")
        for places, what in ((self.empty_boxes, "have no area"), (self.outside_boxes, "lie outside the picture")):
            if places:
                lines.append(f"{self.name}: {len(places)} boxes {what}, first in frame {places[0]}")
        return lines


@dataclass(frozen=True)
class DatasetReport:
    """What was found in a dataset: a report a sequence, in order."""

    sequences: tuple[SequenceReport, ...]

    @property
    def frames(self) -> int:
        """Frames of all sequences together."""
        return sum(report.frames for report in self.sequences)

    @property
    def boxes(self) -> int:
        """Boxes with an area of all sequences together."""
        return sum(report.boxes for report in self.sequences)

    @property
    def breaks_run(self) -> bool:
        """Whether any sequence would break a run."""
        return any(report.breaks_run for report in self.sequences)


def check_dataset(
    dataset: Dataset, *, read_all: bool = False, on_sequence: Callable[[str], None] | None = None
) -> DatasetReport:
    """Look at every sequence; a bad one is reported and does not stop the others.

    Args:
        dataset: From `siamfc.data.open_dataset`.
        read_all: Decode every frame, not just each sequence's first and the one in which runs start.
        on_sequence: Called with each sequence's name when it is done.
    """
    reports = []
    for index, name in enumerate(dataset.names):
        reports.append(_check_entry(dataset, index, name, read_all))
        if on_sequence is not None:
            on_sequence(name)
    return DatasetReport(tuple(reports))


def _check_entry(dataset: Dataset, index: int, name: str, read_all: bool) -> SequenceReport:
    try:
        return check_sequence(dataset[index], read_all=read_all)
    except CountError as error:
        return SequenceReport(name, count_mismatch=str(error))
    except SiamfcError as error:
        return SequenceReport(name, unreadable=(str(error),))


def check_sequence(sequence: Sequence, *, read_all: bool = False) -> SequenceReport:
    """What is amiss in one sequence; ``read_all`` as in `check_dataset`."""
    missing, unreadable = _check_files(sequence)
    start = int(sequence.in_view.argmax()) if sequence.in_view.any() else None
    size = None
    if not missing and not unreadable:
        size, unreadable = _read_frames(sequence, range(len(sequence)) if read_all else sorted({0, start or 0}))
    finite = np.isfinite(sequence.boxes).all(axis=1)
    empty = np.flatnonzero(finite & ~sequence.in_view)
    outside = np.flatnonzero(sequence.in_view & _is_outside(sequence.boxes, size)) if size else np.array([], int)
    return SequenceReport(
        sequence.name,
        frames=len(sequence),
        boxes=int(sequence.in_view.sum()),
        start=start,
        without_box=int((~finite).sum()),
        empty_boxes=tuple(empty.tolist()),
        outside_boxes=tuple(outside.tolist()),
        missing_images=missing,
        unreadable=unreadable,
        bad_start=_bad_start(sequence.name, start, outside),
    )


def _check_files(sequence: Sequence) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Files that are not there, and files of zero bytes, each as a line."""
    if not isinstance(sequence.frames, ImageFrames):
        return (), ()
    missing, empty = [], []
    for index in range(len(sequence)):
        path = sequence.frames.path(index)
        if not path.is_file():
            missing.append(str(path))
        elif path.stat().st_size == 0:
            empty.append(f"{path} is empty (0 bytes)")
    return tuple(missing), tuple(empty)


def _read_frames(sequence: Sequence, wanted: Collection[int]) -> tuple[tuple[int, int] | None, tuple[str, ...]]:
    """(height, width) of the first that can be read, None where none can; and what cannot be read."""
    if not isinstance(sequence.frames, VideoFrames):
        found = [_read_frame(sequence, index) for index in wanted]
        sizes = [size for size in found if not isinstance(size, str)]
        return next(iter(sizes), None), tuple(error for error in found if isinstance(error, str))
    sizes, last = [], max(wanted)
    try:
        for index, frame in enumerate(sequence):
            sizes.append(_size_of(frame))
            if index == last < len(sequence) - 1:
                return sizes[0], ()
    except SourceError as error:
        return next(iter(sizes), None), (str(error),)
    if len(sizes) != len(sequence):
        return sizes[0], (f"{sequence.frames.path} gave {len(sizes)} frames, not {len(sequence)}",)
    return sizes[0], ()


def _read_frame(sequence: Sequence, index: int) -> tuple[int, int] | str:
    """The frame's size, or why it cannot be read."""
    try:
        return _size_of(sequence.frame(index))
    except SourceError as error:
        return str(error)


def _size_of(frame: Image) -> tuple[int, int]:
    return frame.shape[0], frame.shape[1]


def _is_outside(boxes: Array, size: tuple[int, int]) -> Flags:
    height, width = size
    far = boxes[:, :2] + boxes[:, 2:]
    return np.asarray((boxes[:, 0] >= width) | (boxes[:, 1] >= height) | (far <= 0).any(axis=1))


def _bad_start(name: str, start: int | None, outside: NDArray[np.intp]) -> str | None:
    if start is None:
        return f"{name}: no frame has a box to start from"
    if start in outside:
        return f"{name}: the first box, in frame {start}, lies outside the picture"
    return None
