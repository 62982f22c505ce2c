"""The first box of a text file, in any of the three ways people write one down."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import NamedTuple

from siamfc.boxes import Box, as_box
from siamfc.data.annotation_text import (
    Line,
    parse_number,
    parse_numbers,
    read_lines,
    read_records,
    unexpected_line,
)
from siamfc.errors import BoxError

BOX_COLUMNS = ("x", "y", "width", "height")
_EXPECTED = (
    "a box x,y,width,height (1-based, as OTB writes it), a polygon x1,y1,...,x4,y4 (as VOT writes it), "
    "or a header line with the columns x,y,width,height"
)


class FirstBox(NamedTuple):
    """The box that a file begins with, and the whole number in that row's ``frame`` column, if it has one."""

    box: Box
    frame: int | None


def read_first_box(path: str | Path) -> FirstBox:
    """The box in the first line of a file, in frame pixels, 0-based.

    Three ways to write it, told apart by that line:

    - four numbers x, y, width, height between commas, tabs or blanks: OTB's way, first pixel (1, 1);
    - eight numbers, the corners of a polygon: VOT's way, 0-based; reduced by `Box.from_polygon`;
    - a header with the columns x, y, width, height, perhaps frame and others: 0-based, in the next line.

    Raises:
        BoxError: The line is none of these, or its box is not finite or has no area; names file and line.
        SourceError: The file cannot be opened or is not text.
    """
    path = Path(path)
    lines = read_lines(path)
    if not lines:
        raise BoxError(f"{path} is empty: expected {_EXPECTED}")
    try:
        numbers = parse_numbers(lines[0].text)
    except ValueError:
        return _first_record(path, lines[0])
    try:
        if len(numbers) == 4:
            return FirstBox(as_box(Box.from_one_based(*numbers)), None)
        if len(numbers) == 8:
            return FirstBox(as_box(Box.from_polygon(numbers)), None)
    except BoxError as error:
        raise BoxError(f"{path}, line {lines[0].number}: {error}") from None
    raise unexpected_line(path, lines[0], _EXPECTED)


def _first_record(path: Path, header: Line) -> FirstBox:
    if not any(name.strip().lower() in BOX_COLUMNS for name in header.text.split(",")):
        raise unexpected_line(path, header, _EXPECTED)
    records = read_records(path, BOX_COLUMNS)
    if not records:
        raise BoxError(f"{path} has a header and no box below it: expected a row with {', '.join(BOX_COLUMNS)}")
    line, cells = records[0]
    texts = [cells[name] for name in BOX_COLUMNS]
    if not any(text.strip() for text in texts):
        raise BoxError(f"{path}, line {line}: the cells are empty, so the target is not in view in the first row")
    try:
        box = as_box([parse_number(text) for text in texts])
    except ValueError as error:  # a BoxError is one, too
        reason = error if isinstance(error, BoxError) else f"expected four numbers, came {texts}"
        raise BoxError(f"{path}, line {line}: {reason}") from None
    frame = None
    with contextlib.suppress(ValueError):  # an image's name stands there, or there is no such column
        frame = int(cells.get("frame", ""))
    return FirstBox(box, frame)
