"""The targets of a video in a CSV file: what each is called, its box, and the frame in which it has that box."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from siamfc.boxes import Box, as_box
from siamfc.data.annotation_text import parse_number, read_lines, read_records
from siamfc.data.box_file import BOX_COLUMNS
from siamfc.errors import BoxError
from siamfc.target_id import TargetId, checked_id


class TargetStart(NamedTuple):
    """Where following a target begins.

    Attributes:
        id: What it is called; its files are named by it.
        box: In frame pixels, 0-based.
        frame: The frame in which it has that box, by its number in the source; None for the first.
    """

    id: TargetId
    box: Box
    frame: int | None = None


def holds_targets(path: str | Path) -> bool:
    """Whether a file of boxes is a CSV file with an ``id`` column; raises SourceError where it is no text."""
    lines = read_lines(Path(path))
    return bool(lines) and "id" in [name.strip().lower() for name in lines[0].text.split(",")]


def read_targets(path: str | Path) -> list[TargetStart]:
    """The targets of a CSV file with the columns id, x, y, width, height, and perhaps frame and others.

    Boxes are in frame pixels, 0-based. Where an id has several rows, as in the ``boxes.csv`` of a run, the first one
    counts.

    Raises:
        BoxError: A column is missing, there is no row, or one has no box or no frame; names file and line.
        SourceError: The file cannot be opened or is not text.
    """
    path = Path(path)
    starts: dict[str, TargetStart] = {}
    for line, cells in read_records(path, ("id", *BOX_COLUMNS)):
        name = cells["id"].strip()
        if name in starts:
            continue
        try:
            box = as_box([parse_number(cells[column]) for column in BOX_COLUMNS])
            starts[name] = TargetStart(checked_id(name), box, _frame(cells.get("frame", "")))
        except ValueError as error:  # a BoxError is one, too
            texts = [cells[column] for column in BOX_COLUMNS]
            reason = error if isinstance(error, BoxError) else f"expected four numbers, came {texts}"
            raise BoxError(f"{path}, line {line}: {reason}") from None
    if not starts:
        raise BoxError(f"{path} has a header and no target below it")
    return list(starts.values())


def _frame(text: str) -> int | None:
    if not text.strip():
        return None
    if not re.fullmatch(r"[0-9]+", text.strip()):
        raise BoxError(f"frame is a number, counted from 0, not {text!r}")
    return int(text)
