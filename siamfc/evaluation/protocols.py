"""Runs of a tracker over a sequence, frame by frame: uninterrupted, or started again after a failure as VOT does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import isfinite, nan
from time import perf_counter
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siamfc.boxes import Box, as_box
from siamfc.errors import BoxError
from siamfc.evaluation.metrics import has_truth
from siamfc.evaluation.polygons import polygon_overlap, regions_with_area
from siamfc.evaluation.records import NO_BOX, FrameRecord, FrameState
from siamfc.evaluation.starts import RunStart
from siamfc.frames import Image

VOT_SKIP = 5
"""A tracker that failed in frame n is started again in frame n + 5: VOT's ``skip_initialize``."""


class AnyTracker(Protocol):
    """What a protocol asks of a tracker; `siamfc.Tracker` is one."""

    def init(self, frame: Image, box: Box) -> object:
        """Take the target from a frame (H, W, 3) uint8 RGB; what it returns is not looked at."""

    def update(self, frame: Image) -> object:
        """Find it in the next: x, y, width, height, or an object with such a ``box``; None where it is lost."""


class Frames(Protocol):
    """The frames of a sequence, (H, W, 3) uint8 RGB; asked for in rising order, each at most once a run."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, index: int, /) -> Image:
        """One of them."""


def run_one_pass(tracker: AnyTracker, frames: Frames, start: RunStart) -> Iterator[FrameRecord]:
    """Start the tracker once and follow it to the sequence's end, whatever it does.

    The run of OTB's three evaluations, LaSOT, UAV123, NfS, TrackingNet and GOT-10k; they differ in the start
    (`siamfc.evaluation.starts`) and in the figures. Frames before the start are not read and get no record. What
    the tracker raises goes to the caller.

    Yields:
        A record a frame, as soon as the frame is done, the first with the box that was given.

    Raises:
        BoxError: A box that is not four numbers.

    Example:
        >>> class Still:
        ...     def init(self, frame, box): self.box = box
        ...     def update(self, frame): return self.box
        >>> frames = np.zeros((3, 8, 8, 3), np.uint8)
        >>> for record in run_one_pass(Still(), frames, RunStart("ope", 1, Box(1, 2, 3, 4))):
        ...     print(record.frame, record.state.name, tuple(record.box))
        1 STARTED (1, 2, 3, 4)
        2 TRACKED (1.0, 2.0, 3.0, 4.0)
    """
    yield _init(tracker, frames[start.frame], start.frame, start.box)
    for index in range(start.frame + 1, len(frames)):
        yield _update(tracker, frames[index], index)


def run_vot_supervised(
    tracker: AnyTracker,
    frames: Frames,
    boxes: ArrayLike,
    *,
    regions: ArrayLike | None = None,
    skip: int = VOT_SKIP,
    failure_overlap: float = 0.0,
) -> Iterator[FrameRecord]:
    """VOT's baseline experiment: where the tracker loses the target it is started again a few frames later.

    As ``SupervisedExperiment`` of the VOT toolkit 0.9.0: a failure is an overlap with the truth, inside the frame,
    of ``failure_overlap`` or less; exact areas are taken where the toolkit counts pixels (`polygon_overlap`). The
    frames between failure and start are skipped unread. A frame without truth, or whose truth has no area, cannot
    fail, and the tracker is started in the next one that has it. What the tracker raises goes to the caller.

    Args:
        tracker: Anything with ``init`` and ``update``.
        frames: The sequence.
        boxes: (N, 4) true boxes, frame pixels, with which the tracker is started.
        regions: (N, 8) corners of the true polygons, with which it is compared; None compares with ``boxes``.
        skip: Frames from a failure to the next start, at least 1.
        failure_overlap: Overlap that counts as a failure.

    Yields:
        A record for every frame of the sequence, as soon as it is done. Where the tracker failed the record has its
        box, which VOT's files do not keep.

    Raises:
        BoxError: Not one box and region a frame, or a box of the tracker that is not four numbers.

    Example:
        >>> class Still:
        ...     def init(self, frame, box): self.box = box
        ...     def update(self, frame): return self.box
        >>> truth = [[0, 0, 4, 4]] * 2 + [[8, 8, 4, 4]] * 7
        >>> records = run_vot_supervised(Still(), np.zeros((9, 16, 16, 3), np.uint8), truth)
        >>> [int(record.state) for record in records]
        [1, 3, 2, 0, 0, 0, 0, 1, 3]
    """
    if skip < 1:
        raise ValueError(f"skip is at least 1 frame, not {skip}")
    given, truth = _as_truth(boxes, regions, len(frames))
    known = has_truth(given)
    start: int | None = 0  # the next frame in which the tracker may be started; None while it runs
    for index in range(len(frames)):
        if start is not None and (index < start or not known[index]):
            yield FrameRecord(index, FrameState.SKIPPED, NO_BOX, nan)
        elif start is not None:
            yield _init(tracker, frames[index], index, as_box(given[index]))
            start = None
        else:
            frame = frames[index]
            record = _update(tracker, frame, index)
            if _overlap(record.box, truth[index], frame.shape[:2]) <= failure_overlap:
                record = record._replace(state=FrameState.FAILED)
                start = index + skip
            yield record


def _init(tracker: AnyTracker, frame: Image, index: int, box: Box) -> FrameRecord:
    started = perf_counter()
    tracker.init(frame, box)
    return FrameRecord(index, FrameState.STARTED, box, perf_counter() - started)


def _update(tracker: AnyTracker, frame: Image, index: int) -> FrameRecord:
    started = perf_counter()
    result = tracker.update(frame)
    seconds = perf_counter() - started
    return FrameRecord(index, FrameState.TRACKED, box_of(result), seconds)


def box_of(result: object) -> Box:
    """The box in whatever a tracker's ``update`` gave, `NO_BOX` for None or numbers that are not finite.

    Raises:
        BoxError: Neither four numbers nor an object with such a ``box``.
    """
    values = getattr(result, "box", result)
    if values is None:
        return NO_BOX
    try:
        numbers = [float(value) for value in values] if isinstance(values, Iterable) else []
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != 4:
        raise BoxError(
            f"a tracker's update gives x, y, width, height, an object with such a box, or None, not {result!r}"
        )
    return Box(*numbers) if all(isfinite(number) for number in numbers) else NO_BOX


def _overlap(box: Box, truth: NDArray[np.float64], frame_size: tuple[int, ...]) -> float:
    """Overlap with the truth inside the frame; 0 for no box, NaN (which is no failure) for no truth."""
    lost = not all(isfinite(value) for value in box) or box.width <= 0 or box.height <= 0
    found = (0.0, 0.0, 0.0, 0.0) if lost else box
    return float(polygon_overlap(truth[None], [found], frame_size=(frame_size[0], frame_size[1]))[0])


def _as_truth(
    boxes: ArrayLike, regions: ArrayLike | None, num_frames: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    given = np.asarray(boxes, dtype=np.float64)
    truth = given if regions is None else np.asarray(regions, dtype=np.float64)
    if given.shape != (num_frames, 4) or truth.ndim != 2 or len(truth) != num_frames:
        raise BoxError(
            f"a sequence has one true box (x, y, width, height) and region a frame: for {num_frames} frames came "
            f"{given.shape} and {truth.shape}"
        )
    return given, regions_with_area(truth)
