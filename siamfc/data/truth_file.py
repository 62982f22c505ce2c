"""All boxes of a text file, by frame: the truth that is drawn beside what was found."""

from __future__ import annotations

import math
from pathlib import Path

from siamfc.boxes import Box, as_box
from siamfc.data.annotation_text import parse_number, parse_numbers, read_lines, read_records, unexpected_line
from siamfc.data.box_file import BOX_COLUMNS
from siamfc.errors import BoxError
from siamfc.video.source import Frame

Truth = dict[str, Box | None]
"""A box by the frame's name or number; None where the target is not in view."""


def read_truth(path: str | Path) -> Truth:
    """Every box of a file, frame pixels, 0-based; a box of NaN or without area is a target that is not in view.

    Written in any of three ways, told apart by the first line: OTB's, four numbers a line, first pixel (1, 1); VOT's,
    the corners of a polygon a line; or a CSV header with the columns x, y, width, height, 0-based, and perhaps frame,
    a number or an image's name, as ``siamfc track`` writes it.

    Raises:
        BoxError: A line that is none of these; names file and line.
        SourceError: The file cannot be opened or is not text.
    """
    path = Path(path)
    lines = read_lines(path)
    if not lines:
        raise BoxError(f"{path} is empty: expected a box a line")
    if any(name.strip().lower() in BOX_COLUMNS for name in lines[0].text.split(",")):
        return _read_csv(path)
    truth: Truth = {}
    for place, line in enumerate(lines):
        try:
            numbers = parse_numbers(line.text)
        except ValueError:
            numbers = []
        if len(numbers) == 4:
            truth[str(place)] = _box_or_none(Box.from_one_based(*numbers))
        elif len(numbers) >= 6 and len(numbers) % 2 == 0:
            truth[str(place)] = None if any(map(math.isnan, numbers)) else _box_or_none(Box.from_polygon(numbers))
        else:
            raise unexpected_line(path, line, "a box x,y,width,height (1-based) or a polygon x1,y1,...,x4,y4")
    return truth


def true_box(truth: Truth, frame: Frame) -> Box | None:
    """The box of a frame, found by its image's name, with or without ending, or by its number."""
    names = [] if frame.name is None else [frame.name, Path(frame.name).stem]
    return next((truth[name] for name in (*names, str(frame.number)) if name in truth), None)


def _read_csv(path: Path) -> Truth:
    truth: Truth = {}
    for place, (line, cells) in enumerate(read_records(path, BOX_COLUMNS)):
        texts = [cells[name] for name in BOX_COLUMNS]
        try:
            box = Box(*(parse_number(text) for text in texts))
        except ValueError:
            raise BoxError(
                f"{path}, line {line}: expected four numbers {', '.join(BOX_COLUMNS)}, came {texts}"
            ) from None
        truth[cells.get("frame", "").strip() or str(place)] = _box_or_none(box)
    return truth


def _box_or_none(box: Box) -> Box | None:
    try:
        return as_box(box)
    except BoxError:
        return None
