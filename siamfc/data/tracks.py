"""One object among several in a video: the part of the video in which it is annotated, as a sequence."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from siamfc.data.sequence import Array, Flags, ImageFrames, Sequence


def sequence_of_track(
    name: str,
    frames: ImageFrames,
    places: NDArray[np.int64],
    boxes: Array,
    *,
    flags: Mapping[str, Flags] | None = None,
    levels: Mapping[str, Array] | None = None,
    meta: Mapping[str, str] | None = None,
    origin: str = "",
) -> Sequence:
    """The frames from the first in which the object is annotated to the last; NaN between, where it is not.

    Args:
        name: The sequence's.
        frames: The whole video's.
        places: (K,) indices into ``frames`` of the annotated ones, ascending.
        boxes: (K, 4) the object's boxes there, 0-based.
        flags: (K,) each; false where the object is not annotated. ``absent`` is added, true there.
        levels: (K,) each; NaN where the object is not annotated.
        meta: As `Sequence.meta`.
        origin: As `Sequence.origin`.
    """
    first, last = int(places[0]), int(places[-1])
    count, inside = last - first + 1, places - first
    absent = np.ones(count, dtype=np.bool_)
    absent[inside] = False
    spread_boxes = np.full((count, 4), np.nan)
    spread_boxes[inside] = boxes
    spread_flags = {"absent": absent}
    for flag, marks in (flags or {}).items():
        spread_flags[flag] = np.zeros(count, dtype=np.bool_)
        spread_flags[flag][inside] = marks
    spread_levels = {}
    for level, values in (levels or {}).items():
        spread_levels[level] = np.full(count, np.nan)
        spread_levels[level][inside] = values
    shown = ImageFrames(frames.folder, frames.names[first : last + 1])
    return Sequence(name, shown, spread_boxes, flags=spread_flags, levels=spread_levels, meta=meta or {}, origin=origin)
