"""What commands read from their command line: boxes, frames, limits, and names made of sources."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from siamfc.boxes import Box
    from siamfc.visualize.heat import ColorScale


def parse_box(text: str) -> Box:
    """The box of ``X,Y,W,H``, pixels counted from 0; raises BoxError for anything else.

    Example:
        >>> parse_box("120,80,64,48")
        Box(x=120.0, y=80.0, width=64.0, height=48.0)
    """
    from siamfc.boxes import as_box
    from siamfc.errors import BoxError

    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise BoxError(f"a box is four numbers X,Y,W,H between commas, not {text!r}") from None
    return as_box(numbers)


def parse_frames(text: str) -> list[int]:
    """The numbers of ``10,50,100``, ``10-50`` and ``0-200:10``, sorted; a range holds its last number.

    Raises SourceError for anything else.

    Example:
        >>> parse_frames("10, 3,5-7"), parse_frames("0-20:10")
        ([3, 5, 6, 7, 10], [0, 10, 20])
    """
    from siamfc.errors import SourceError

    numbers: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*(?::\s*(\d+)\s*)?)?", part)
        if match is None or match[3] == "0":
            raise SourceError(f"--frames is a list such as 10,50,100 or 10-50 or 0-200:10, not {text!r}")
        first, last, step = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
        if last < first:
            raise SourceError(f"--frames {part.strip()} ends before it begins")
        numbers.update(range(first, last + 1, step))
    return sorted(numbers)


def parse_limits(text: str) -> ColorScale:
    """The colours from one score to another, ``LOW,HIGH``; raises ConfigError for anything else."""
    from siamfc.errors import ConfigError
    from siamfc.visualize.heat import ColorScale

    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(f"--limits is two scores LOW,HIGH, not {text!r}") from None
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ConfigError(f"--limits is a lower and a higher score, both finite, not {text!r}")
    return ColorScale(low, high)


def source_stem(source: str) -> str:
    """What the source is called, for naming the folder of its results.

    Example:
        >>> source_stem("otb/David/img"), source_stem("clip.mp4"), source_stem("0")
        ('David', 'clip', 'camera0')
    """
    if source.isdigit():
        return f"camera{source}"
    path = Path(source)
    # Data sets keep a sequence's frames in a folder of one of these names.
    named_by_parent = path.name in ("img", "color", "frames", "images") and path.parent.name
    stem = (path.parent.name if named_by_parent else path.stem).strip("*?[]. ")
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in stem) or "video"
