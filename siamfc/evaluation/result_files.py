"""One run as a text file, a box or a code a line, as the field's toolkits write and read it; and its times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from siamfc.data.annotation_text import parse_numbers, read_column, read_lines, read_rows, unexpected_line
from siamfc.errors import BoxError, SiamfcError
from siamfc.evaluation.records import FrameState, Trajectory

Floats = NDArray[np.float64]

_ONE_BASED = ("otb", "got10k", "lasot", "tcolor128", "uav")
_BOX = "a box x,y,width,height"


def pixel_base(layout: str) -> int:
    """What a dataset's own files call its top left pixel, 0 or 1: result files follow them.

    So a result file stands beside an annotation file without a shift, and the toolkits read it as it is.

    Example:
        >>> pixel_base("otb2013"), pixel_base("plain")
        (1, 0)
    """
    return int(layout.startswith(_ONE_BASED))


def one_pass_text(trajectory: Trajectory, *, base: int) -> str:
    """A line ``x,y,width,height`` a frame, pixels to four places; ``nan,nan,nan,nan`` where there is no box."""
    return "".join(_box_line(box, base) for box in trajectory.boxes)


def vot_text(trajectory: Trajectory, *, base: int) -> str:
    """As ``baseline/NAME/NAME_001.txt`` of the VOT toolkit: 1 a start, 2 a failure, 0 a frame left out, else a box."""
    return "".join(
        _box_line(box, base) if state == FrameState.TRACKED else f"{state}\n"
        for state, box in zip(trajectory.states.tolist(), trajectory.boxes, strict=True)
    )


def times_text(trajectory: Trajectory) -> str:
    """Seconds inside the tracker, a line a frame, ``nan`` where it was not asked."""
    return "".join(f"{seconds:.8f}\n" for seconds in trajectory.seconds)


def read_one_pass(path: Path, *, base: int, num_frames: int, start: int) -> Trajectory:
    """A run of a one-pass protocol, without its times.

    Args:
        path: Four numbers a line between commas, tabs or blanks.
        base: What the file calls the top left pixel, 0 or 1.
        num_frames: Length of the sequence, and so of the file.
        start: The frame in which the tracker was started; lines before it are not looked at.

    Raises:
        BoxError: A line that is no box, or another count of lines.
        SourceError: The file cannot be read.
    """
    boxes = read_rows(path, (4,), _BOX)
    _check_count(path, len(boxes), num_frames)
    boxes[:, :2] -= base
    boxes[:start] = np.nan
    states = np.full(num_frames, int(FrameState.TRACKED), dtype=np.int64)
    states[:start], states[start] = FrameState.SKIPPED, FrameState.STARTED
    return Trajectory(states, boxes, np.full(num_frames, np.nan))


def read_vot(path: Path, *, base: int, truth: Floats) -> Trajectory:
    """A supervised run, without its times; a started frame has its true box.

    Args:
        path: A line a frame: a box, or 1 for a start, 2 for a failure, 0 for a frame left out.
        base: What the file calls the top left pixel, 0 or 1.
        truth: (N, 4) true boxes.

    Raises:
        BoxError: Another line, or another count of lines.
        SourceError: The file cannot be read.
    """
    lines = read_lines(path)
    _check_count(path, len(lines), len(truth))
    states = np.full(len(lines), int(FrameState.TRACKED), dtype=np.int64)
    boxes = np.full((len(lines), 4), np.nan)
    for index, line in enumerate(lines):
        try:
            numbers = parse_numbers(line.text)
        except ValueError:
            numbers = []
        if len(numbers) == 4:
            boxes[index] = numbers
        elif len(numbers) == 1 and numbers[0] in (FrameState.SKIPPED, FrameState.STARTED, FrameState.FAILED):
            states[index] = int(numbers[0])
        else:
            raise unexpected_line(path, line, f"{_BOX}, or 1, 2 or 0 (polygons and masks are not scored)")
    boxes[:, :2] -= base
    started = states == FrameState.STARTED
    boxes[started] = truth[started]
    return Trajectory(states, boxes, np.full(len(lines), np.nan))


def read_times(path: Path, *, num_frames: int, column: int = 0) -> Floats | None:
    """(num_frames,) seconds, or None where the file is not there or does not fit: no figure but speed needs them.

    Args:
        path: A number a frame, one a line or all on one; or a column for each repetition, as got10k writes them.
        num_frames: Length of the sequence.
        column: Which repetition's.
    """
    if not path.is_file():
        return None
    try:
        numbers = read_column(path)
    except SiamfcError:
        return None
    columns, rest = divmod(len(numbers), num_frames)
    if rest or not 0 <= column < columns:
        return None
    return numbers.reshape(num_frames, columns)[:, column]


def _box_line(box: Floats, base: int) -> str:
    x, y, width, height = box.tolist()
    return f"{x + base:.4f},{y + base:.4f},{width:.4f},{height:.4f}\n"


def _check_count(path: Path, came: int, expected: int) -> None:
    if came != expected:
        raise BoxError(f"{path} has {came} lines, and {expected} were expected, one a frame")
