"""Which frames of a sequence are fit to learn from, and why the others are not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from siamfc.config import FilterConfig
from siamfc.data.sequence import Array, Flags, Sequence


@dataclass(frozen=True, eq=False)
class Track:
    """The frames of one object that are fit to learn from.

    Attributes:
        source: The dataset it is from, as the user named it.
        sequence: All its frames; they are read when asked for.
        places: (K,) indices of the fit frames in ``sequence``, ascending, K >= 1.
        boxes: (K, 4) the object's box in each, frame pixels.
        numbers: (K,) each frame's place in its video, which is its time.
    """

    source: str
    sequence: Sequence
    places: NDArray[np.int64]
    boxes: Array
    numbers: NDArray[np.int64]

    @property
    def name(self) -> str:
        """The sequence's name."""
        return self.sequence.name

    @property
    def video(self) -> str:
        """Which video it is of; see `Sequence.video`."""
        return self.sequence.video

    def __len__(self) -> int:
        return len(self.places)


@dataclass
class FilterCounts:
    """How many annotated frames were kept, and how many were dropped for what; a frame counts once."""

    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    def add(self, other: FilterCounts) -> None:
        """Count another's frames too."""
        self.kept += other.kept
        self.dropped.update(other.dropped)


def usable_track(sequence: Sequence, filters: FilterConfig, *, source: str) -> tuple[Track | None, FilterCounts]:
    """The part of a sequence that passes the filters, None where nothing does, and the counts.

    The frame's size is needed for some filters only, and then read from the sequence's first fit frame.

    Raises:
        SourceError: That frame cannot be read.
    """
    count = len(sequence.boxes)
    counts, alive = FilterCounts(), np.ones(count, dtype=np.bool_)
    for reason, passes in _checks(sequence, filters):
        counts.dropped.update({reason: int((alive & ~passes).sum())})
        alive &= passes
    if alive.any() and (filters.min_share_in_frame > 0 or filters.min_border_px > 0):
        first = sequence.frame(int(np.flatnonzero(alive)[0]))
        for reason, passes in _border_checks(sequence.boxes, first.shape[:2], filters):
            counts.dropped.update({reason: int((alive & ~passes).sum())})
            alive &= passes
    counts.dropped = +counts.dropped  # no zeros
    counts.kept = int(alive.sum())
    places = np.flatnonzero(alive)
    if not places.size:
        return None, counts
    return Track(source, sequence, places, sequence.boxes[places], sequence.numbers[places]), counts


def _checks(sequence: Sequence, filters: FilterConfig) -> list[tuple[str, Flags]]:
    count = len(sequence.boxes)
    sides = np.nan_to_num(sequence.boxes[:, 2:], nan=0.0)
    short, long = sides.min(axis=1), sides.max(axis=1)
    absent = sequence.flags.get("absent", np.zeros(count, dtype=np.bool_))[:count]
    visibility = np.ones(count)
    for name, whole in (("visibility", 1), ("cover", 8)):  # GOT-10k's cover counts eighths of the target
        if name in sequence.levels:
            visibility = np.nan_to_num(sequence.levels[name][:count] / whole, nan=1.0)
    return [
        ("not in view", sequence.in_view & ~absent),
        ("too small", short >= filters.min_side_px),
        ("too elongated", long <= filters.max_aspect * np.maximum(short, 1e-9)),
        ("hidden", visibility >= filters.min_visibility),
    ]


def _border_checks(boxes: Array, frame_size: tuple[int, ...], filters: FilterConfig) -> list[tuple[str, Flags]]:
    height, width = frame_size[:2]
    left, top = boxes[:, 0], boxes[:, 1]
    right, bottom = left + boxes[:, 2], top + boxes[:, 3]
    inside = np.clip(np.minimum(right, width) - np.maximum(left, 0), 0, None)
    inside = inside * np.clip(np.minimum(bottom, height) - np.maximum(top, 0), 0, None)
    share = inside / np.maximum(boxes[:, 2] * boxes[:, 3], 1e-9)
    border = np.minimum.reduce([left, top, width - right, height - bottom])
    enough = share >= filters.min_share_in_frame
    checks = [("mostly outside the frame", np.asarray(enough))]
    if filters.min_border_px > 0:
        checks.append(("near the border", np.asarray(border >= filters.min_border_px)))
    return checks
