"""Where and with which box a run starts: one-pass evaluation, and OTB's temporal and spatial robustness."""

from __future__ import annotations

from math import ceil, floor
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from siamfc.boxes import Box, as_box
from siamfc.errors import BoxError
from siamfc.evaluation.metrics import has_truth

NUM_TEMPORAL_STARTS = 20
_FEWEST_FRAMES = 20  # a temporal start leaves at least so many frames to track, itself included


class RunStart(NamedTuple):
    """One run of a protocol on one sequence.

    Attributes:
        name: What tells it from the protocol's other runs on the sequence, fit for a file name.
        frame: Number of the frame in which the tracker is started, from 0.
        box: What it is told there, frame pixels.
    """

    name: str
    frame: int
    box: Box


def one_pass_start(boxes: ArrayLike) -> RunStart:
    """The start of a one-pass run: the first frame with a true box.

    Args:
        boxes: (N, 4) true boxes, NaN where the target is not in view.

    Raises:
        BoxError: Another shape, or no frame with truth.

    Example:
        >>> one_pass_start([[np.nan] * 4, [1, 2, 3, 4]])
        RunStart(name='ope', frame=1, box=Box(x=1.0, y=2.0, width=3.0, height=4.0))
    """
    rows = _as_rows(boxes)
    first = int(has_truth(rows).argmax())
    return RunStart("ope", first, as_box(rows[first]))


def temporal_starts(boxes: ArrayLike, *, omit: ArrayLike | None = None) -> list[RunStart]:
    """Starts of OTB's temporal robustness evaluation (TRE): 20 frames spread evenly over the sequence.

    As ``splitSeqTRE.m`` of OTB's toolkit. Candidates are the frames with truth whose box does not begin outside of
    the frame, and which ``omit`` does not name. The last start is the last candidate that leaves 20 frames; with
    ``e`` candidates up to it, the others are number ``floor(k e / 19)``, k = 0 to 18. Each run goes to the end of
    the sequence. Where the toolkit would start twice in a frame, we start once; where it breaks, because fewer than
    20 frames are left everywhere, there is the one-pass start alone.

    Args:
        boxes: (N, 4) true boxes, 0-based frame pixels, NaN where the target is not in view.
        omit: (N,) bool, frames in which nobody should start: the toolkit's ``initOmit`` (target occluded).

    Raises:
        BoxError: Another shape, or no frame with truth.

    Example:
        >>> starts = temporal_starts(np.tile([0, 0, 4, 4], (100, 1)))
        >>> len(starts), [start.frame for start in starts[:3]], starts[-1].frame
        (20, [0, 4, 8], 80)
    """
    rows = _as_rows(boxes)
    # The toolkit asks for x > 0 and y > 0 in 1-based pixels.
    candidate = has_truth(rows) & (rows[:, 0] > -1) & (rows[:, 1] > -1)
    if omit is not None:
        candidate &= ~np.asarray(omit, dtype=np.bool_)
    frames = np.flatnonzero(candidate[: max(len(rows) - _FEWEST_FRAMES + 1, 0)])
    if not frames.size:
        return [one_pass_start(rows)._replace(name="tre-01")]
    steps = NUM_TEMPORAL_STARTS - 1
    chosen = [*(frames[k * frames.size // steps] for k in range(steps)), frames[-1]]
    return [
        RunStart(f"tre-{number:02}", int(frame), as_box(rows[frame]))
        for number, frame in enumerate(dict.fromkeys(chosen), start=1)
    ]


def spatial_starts(boxes: ArrayLike, *, frame_size: tuple[int, int]) -> list[RunStart]:
    """Starts of OTB's spatial robustness evaluation (SRE): the first box, made wrong in 12 ways.

    As ``shiftInitBB.m`` of OTB's toolkit, in its order: moved by a tenth of the size, rounded up to whole pixels, to
    the left, right, up and down; the same tenth added at one corner while the opposite one stays; scaled by 0.8,
    0.9, 1.1 and 1.2 around the centre. The last eight are rounded to whole pixels. Then the corner is moved into the
    frame and the far sides are cut at its edge. (The Python toolkit widens the box where it should move down.)

    Args:
        boxes: (N, 4) true boxes, 0-based frame pixels; the one of the one-pass start is used.
        frame_size: (height, width), pixels.

    Raises:
        BoxError: Another shape, no frame with truth, or a first box that leaves nothing inside the frame.

    Example:
        >>> for start in spatial_starts([[50, 60, 40, 20]], frame_size=(480, 640))[3:6]:
        ...     print(start.name, start.frame, start.box)
        sre-04-down 0 Box(x=50.0, y=62.0, width=40.0, height=20.0)
        sre-05-top-left 0 Box(x=46.0, y=58.0, width=44.0, height=22.0)
        sre-06-top-right 0 Box(x=50.0, y=58.0, width=44.0, height=22.0)
    """
    given = one_pass_start(boxes)
    variants = [*_moved(given.box), *_stretched(given.box), *_scaled(given.box)]
    return [
        RunStart(f"sre-{number:02}-{name}", given.frame, _fit(box, frame_size))
        for number, (name, box) in enumerate(variants, start=1)
    ]


def _moved(box: Box) -> list[tuple[str, Box]]:
    by_x, by_y = ceil(0.1 * box.width), ceil(0.1 * box.height)
    return [
        ("left", box._replace(x=box.x - by_x)),
        ("right", box._replace(x=box.x + by_x)),
        ("up", box._replace(y=box.y - by_y)),
        ("down", box._replace(y=box.y + by_y)),
    ]


def _stretched(box: Box) -> list[tuple[str, Box]]:
    left, top, right, bottom = box.x, box.y, box.x + box.width, box.y + box.height
    by_x, by_y = 0.1 * box.width, 0.1 * box.height
    nearer_left, nearer_top = _round(left - by_x), _round(top - by_y)
    further_right, further_bottom = _round(right + by_x), _round(bottom + by_y)
    return [
        ("top-left", Box.from_corners(nearer_left, nearer_top, right, bottom)),
        ("top-right", Box.from_corners(left, nearer_top, further_right, bottom)),
        ("bottom-left", Box.from_corners(nearer_left, top, right, further_bottom)),
        ("bottom-right", Box.from_corners(left, top, further_right, further_bottom)),
    ]


def _scaled(box: Box) -> list[tuple[str, Box]]:
    variants = []
    for name, scale in (("scale-08", 0.8), ("scale-09", 0.9), ("scale-11", 1.1), ("scale-12", 1.2)):
        around = Box.from_center(*box.center, scale * box.width, scale * box.height)
        variants.append((name, Box(*(_round(value) for value in around))))
    return variants


def _fit(box: Box, frame_size: tuple[int, int]) -> Box:
    x, y = max(box.x, 0.0), max(box.y, 0.0)
    return as_box((x, y, min(box.width, frame_size[1] - x), min(box.height, frame_size[0] - y)))


def _round(value: float) -> float:
    # Halves go up, as MATLAB's round does with positive numbers; Python's goes to the even neighbour.
    return float(floor(value + 0.5))


def _as_rows(boxes: ArrayLike) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    rows = np.asarray(boxes, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] != 4:
        raise BoxError(f"true boxes are an array (frames, 4) of x, y, width, height, not {rows.shape}")
    if not has_truth(rows).any():
        raise BoxError(f"none of the {len(rows)} frames has a true box: no run can start")
    return rows
