"""What ``report.json`` holds; read and written with every key checked."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from siamfc.errors import SourceError

FORMAT: Final = "siamfc evaluation report 1"
_DIGITS = 6  # more than any figure is good for, fewer than the order of a sum moves


def _rounded(value: object) -> object:
    """A number as the file keeps it; None where there is none."""
    if isinstance(value, float):
        return round(value, _DIGITS) + 0.0 if math.isfinite(value) else None  # + 0.0: no negative zero
    return value


def _plain(value: object) -> object:
    """Anything as JSON knows it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, set | frozenset):
        return sorted(str(inner) for inner in value)
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str | int | float) or value is None:
        return value
    item = getattr(value, "item", None)  # NumPy's scalars
    return item() if callable(item) else str(value)


Number = Annotated[float | None, BeforeValidator(_rounded)]
Plain = Annotated[dict[str, Any], BeforeValidator(_plain)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FigureInfo(_Part):
    """One headline figure: its key in the file, its name in tables, what it is."""

    key: str
    label: str
    meaning: str
    higher_is_better: bool


class CurveReport(_Part):
    """A curve; values are missing where there are none."""

    x: list[Number]
    y: list[Number]


class SequenceReport(_Part):
    """A tracker on one sequence.

    Attributes:
        frames: Length of the sequence.
        frames_counted: How many frames its figures are made of, over all runs.
        frames_left_out: How many are not, for want of truth or because the protocol leaves them out.
        frames_lost: In how many of those that count the tracker gave no box; None where that is not kept.
        weight: What it weighs in the tracker's means.
        figures: By key; empty where the sequence's truth is not public.
    """

    frames: int
    frames_counted: int
    frames_left_out: int
    frames_lost: int | None
    weight: float
    figures: dict[str, Number]


class AttributeReport(_Part):
    """A tracker's means over the sequences with an attribute, and how many they are."""

    sequences: int
    figures: dict[str, Number]


class TrackerReport(_Part):
    """One tracker.

    Attributes:
        name: In tables.
        sequences_scored: How many of the split's sequences its means are over.
        figures: Means over them.
        intervals: (low, high) of the headline figures.
        curves: By name.
        by_sequence: In the split's order.
        by_attribute: In the order in which sequences name them.
        problems: Why sequences have no result.
        provenance: Where its boxes come from.
    """

    name: str
    sequences_scored: int
    figures: dict[str, Number]
    intervals: dict[str, tuple[Number, Number]]
    curves: dict[str, CurveReport]
    by_sequence: dict[str, SequenceReport]
    by_attribute: dict[str, AttributeReport]
    problems: dict[str, str]
    provenance: Plain


class Difference(_Part):
    """How far a tracker's figure lies from the baseline's, with the interval of that; both on the same sequences.

    ``better_on`` and ``worse_on`` count sequences; None where the figure is no mean over sequences.
    """

    tracker: str
    figure: str
    difference: Number
    low: Number
    high: Number
    better_on: int | None
    worse_on: int | None


class Comparison(_Part):
    """What may be compared: trackers scored on the same sequences. The first of them is the baseline."""

    trackers: list[str]
    sequences: list[str]
    differences: list[Difference]


class Bootstrap(_Part):
    """How the intervals were made."""

    confidence: float
    resamples: int
    seed: int


class Timing(_Part):
    """A tracker's speed, frames over time inside the tracker: of all sequences together, and of each."""

    frames_per_second: Number
    by_sequence: dict[str, Number]


class Report(_Part):
    """An evaluation in figures. All that depends on the clock is in ``timings``."""

    format: Literal["siamfc evaluation report 1"] = FORMAT
    dataset: str
    protocol: str
    split: list[str]
    figures: list[FigureInfo]
    eao_interval: tuple[int, int] | None
    trackers: list[TrackerReport]
    comparison: Comparison
    attributes: dict[str, list[str]]
    bootstrap: Bootstrap
    notes: list[str]
    provenance: Plain
    timings: dict[str, Timing] = Field(default_factory=dict)

    def to_json(self) -> str:
        """The text of ``report.json``: two spaces a level, lists of numbers in one line, always the same order."""
        text = json.dumps(self.model_dump(mode="json"), indent=2, ensure_ascii=False)
        # A line break outside of a string ends with blanks, so no text can be mistaken for a list.
        flat = re.sub(r"\[\n\s+([-+\d.eE,\snul]+?)\n\s+\]", lambda match: "[" + _one_line(match[1]) + "]", text)
        return flat + "\n"


def _one_line(numbers: str) -> str:
    return re.sub(r",\s+", ", ", numbers)


def read_report(path: Path) -> Report:
    """The report in a ``report.json``.

    Raises:
        SourceError: The file cannot be read, or is no such report.
    """
    try:
        return Report.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"cannot read {path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise SourceError(f"{path} is no {FORMAT}: {place}: {first['msg']}") from error
