"""What a run leaves behind: for every frame a state, a box and the time spent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from math import nan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from siamfc.boxes import Box
from siamfc.errors import BoxError

NO_BOX = Box(nan, nan, nan, nan)
"""Stands where a tracker gave no box."""


class FrameState(IntEnum):
    """What happened in a frame; 0, 1 and 2 are the numbers that VOT's result files hold instead of a box."""

    SKIPPED = 0
    STARTED = 1
    FAILED = 2
    TRACKED = 3


class FrameRecord(NamedTuple):
    """One frame of a run.

    Attributes:
        frame: Number of the frame in its sequence, from 0.
        state: What happened.
        box: Frame pixels; the given one where the tracker was started, `NO_BOX` where there is none.
        seconds: Time inside the tracker; NaN where it was not asked.
    """

    frame: int
    state: FrameState
    box: Box
    seconds: float


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A finished run, one row a frame of the sequence.

    Attributes:
        states: (N,) values of `FrameState`.
        boxes: (N, 4) float64 x, y, width, height, frame pixels; NaN where there is none.
        seconds: (N,) float64, NaN where the tracker was not asked.

    Raises:
        BoxError: Shapes that do not fit each other.
    """

    states: NDArray[np.int64]
    boxes: NDArray[np.float64]
    seconds: NDArray[np.float64]

    def __post_init__(self) -> None:
        frames = len(self.states)
        if self.boxes.shape != (frames, 4) or self.seconds.shape != (frames,):
            raise BoxError(
                f"a trajectory has one state, box and time a frame, not the shapes {self.states.shape}, "
                f"{self.boxes.shape} and {self.seconds.shape}"
            )

    def __len__(self) -> int:
        return len(self.states)

    @classmethod
    def from_records(cls, records: Iterable[FrameRecord], *, num_frames: int) -> Trajectory:
        """The records of a run in rows; frames that no record speaks of are skipped ones.

        Example:
            >>> record = FrameRecord(1, FrameState.STARTED, Box(1, 2, 3, 4), seconds=0.5)
            >>> Trajectory.from_records([record], num_frames=3).states.tolist()
            [0, 1, 0]
        """
        states = np.full(num_frames, int(FrameState.SKIPPED), dtype=np.int64)
        boxes, seconds = np.full((num_frames, 4), np.nan), np.full(num_frames, np.nan)
        for record in records:
            states[record.frame], seconds[record.frame] = record.state, record.seconds
            boxes[record.frame] = record.box
        return cls(states, boxes, seconds)
