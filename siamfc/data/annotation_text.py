"""Numbers out of annotation files: one row a line, whatever the separator, line ends or byte-order mark."""

from __future__ import annotations

import codecs
import csv
import math
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from siamfc.errors import BoxError, SourceError

_SEPARATOR = re.compile(r"\s*[,;]\s*|\s+")
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Line(NamedTuple):
    """A line of a text file that is not blank; ``number`` counts from 1, as editors do."""

    number: int
    text: str


class Record(NamedTuple):
    """A row of a CSV file: its line, and its cells by the header's names in lower case."""

    line: int
    cells: dict[str, str]


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, or in UTF-16 where it begins with a mark of that, without the mark.

    Raises:
        SourceError: It cannot be opened, or is not text.
    """
    try:
        content = path.read_bytes()
        return content.decode("utf-16" if content.startswith(_UTF16_MARKS) else "utf-8-sig")
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError:
        raise SourceError(f"{path} is not a text file (UTF-8)") from None


def read_lines(path: Path) -> list[Line]:
    """The lines of a file that are not blank, stripped; errors as `read_text`."""
    lines = (Line(number, text.strip()) for number, text in enumerate(read_text(path).splitlines(), start=1))
    return [line for line in lines if line.text]


def parse_number(cell: str) -> float:
    """A cell as a number; an empty one is NaN. Raises ValueError for anything else.

    Example:
        >>> parse_number(" 4.5 "), parse_number("")
        (4.5, nan)
    """
    cell = cell.strip()
    return float(cell) if cell else math.nan


def parse_numbers(text: str) -> list[float]:
    r"""The numbers of a line, between commas, semicolons, tabs or blanks; raises ValueError as `parse_number`.

    Example:
        >>> parse_numbers("1, 2\t3 4,"), parse_numbers("nan,,2")
        ([1.0, 2.0, 3.0, 4.0], [nan, nan, 2.0])
    """
    return [float(cell) if cell else math.nan for cell in _SEPARATOR.split(text.strip().rstrip(",;"))]


def read_rows(path: Path, widths: Collection[int], expected: str) -> NDArray[np.float64]:
    """A file of numbers, one row a line; blank lines are left out.

    Args:
        path: The file.
        widths: How many numbers a row may have; all rows have as many as the first.
        expected: What a row is, for the message: ``"x,y,width,height"``.

    Returns:
        (N, width) float64; (0, smallest width) for an empty file.

    Raises:
        BoxError: A line with another count, or with something that is not a number; names file and line.
        SourceError: As `read_text`.
    """
    rows: list[list[float]] = []
    for line in read_lines(path):
        try:
            row = parse_numbers(line.text)
        except ValueError:
            raise unexpected_line(path, line, expected) from None
        if len(row) not in widths or len(row) != len(rows[0] if rows else row):
            raise unexpected_line(path, line, expected)
        rows.append(row)
    return np.array(rows, dtype=np.float64) if rows else np.empty((0, min(widths)))


def read_boxes(path: Path, *, one_based: bool) -> NDArray[np.float64]:
    """A file with a box ``x,y,width,height`` a line, as (N, 4) 0-based; errors as `read_rows`.

    Args:
        path: The file.
        one_based: Its top left pixel is called (1, 1), as in MATLAB.
    """
    boxes = read_rows(path, (4,), "a box x,y,width,height")
    boxes[:, :2] -= int(one_based)
    return boxes


def read_column(path: Path) -> NDArray[np.float64]:
    """Every number of a file in reading order, one a line or all on one line; errors as `read_rows`."""
    return np.array([number for line in read_lines(path) for number in _numbers(path, line)])


def read_records(path: Path, required: Sequence[str]) -> list[Record]:
    """The rows of a CSV file with a header.

    Raises:
        BoxError: The file is empty, a required column is not in its header, or a row has more cells than it.
        SourceError: As `read_text`.
    """
    lines = read_lines(path)
    if not lines:
        raise BoxError(f"{path} is empty: expected a header with the columns {', '.join(required)}")
    header = [name.strip().lower() for name in _cells(lines[0])]
    missing = [name for name in required if name not in header]
    if missing:
        raise BoxError(
            f"{path}, line {lines[0].number}: no column {', '.join(missing)} "
            f"(expected {', '.join(required)}; the header is {lines[0].text!r})"
        )
    records = []
    for line in lines[1:]:
        row = _cells(line)
        if len(row) > len(header):
            raise unexpected_line(path, line, f"{len(header)} cells, as the header has")
        cells = row + [""] * (len(header) - len(row))
        records.append(Record(line.number, dict(zip(header, cells, strict=True))))
    return records


def _cells(line: Line) -> list[str]:
    return next(csv.reader([line.text]))


def _numbers(path: Path, line: Line) -> list[float]:
    try:
        return parse_numbers(line.text)
    except ValueError:
        raise unexpected_line(path, line, "numbers") from None


def unexpected_line(path: Path, line: Line, expected: str) -> BoxError:
    """The error for a line that is not what its layout wants."""
    return BoxError(f"{path}, line {line.number}: expected {expected}, came {line.text[:80]!r}")
