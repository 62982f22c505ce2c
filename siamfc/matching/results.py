"""What a search found, as open files: ``matches.csv`` and ``matches.json``."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siamfc.files import write_text
from siamfc.matching.matcher import Match

RESULT_FILES = ("matches.csv", "matches.json")
_COLUMNS = ("picture", "frame", "time", "exemplar", "x", "y", "width", "height", "score", "scale", "rotation")


@dataclass(frozen=True)
class SearchedPicture:
    """One picture, or frame of a video, and what was found in it.

    Attributes:
        picture: The file's name, or that of the video.
        frame: The frame's number in its source, from 0.
        time_s: Presentation time in seconds, None for images.
        size: (height, width), pixels.
        matches: Best first.
        seconds: What the search took.
    """

    picture: str
    frame: int
    time_s: float | None
    size: tuple[int, int]
    matches: list[Match]
    seconds: float


def write_matches(
    folder: Path,
    pictures: Sequence[SearchedPicture],
    *,
    exemplars: Sequence[str],
    header: Mapping[str, Any],
    overwrite: bool = False,
) -> list[Path]:
    """Write the files of `RESULT_FILES`, each whole or not at all.

    The CSV file has a row a match: boxes in 0-based pixels, exemplars by name. The JSON file has an entry a picture,
    also where nothing was found, after ``header`` (settings, weights, versions).

    Returns:
        The paths written.
    """
    paths = [folder / name for name in RESULT_FILES]
    for path, text in zip(paths, (_csv(pictures, exemplars), _json(pictures, exemplars, header)), strict=True):
        write_text(path, text, overwrite=overwrite)
    return paths


def _csv(pictures: Sequence[SearchedPicture], exemplars: Sequence[str]) -> str:
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for picture in pictures:
        time_s = "" if picture.time_s is None else f"{picture.time_s:.6f}"
        for match in picture.matches:
            box = (f"{value:.2f}" for value in match.box)
            numbers = (*box, f"{match.score:.4f}", f"{match.scale:.4f}", f"{match.rotation:g}")
            writer.writerow((picture.picture, picture.frame, time_s, exemplars[match.exemplar], *numbers))
    return lines.getvalue()


def _json(pictures: Sequence[SearchedPicture], exemplars: Sequence[str], header: Mapping[str, Any]) -> str:
    entries = [
        {
            "picture": picture.picture,
            "frame": picture.frame,
            "time_s": picture.time_s,
            "height": picture.size[0],
            "width": picture.size[1],
            "seconds": round(picture.seconds, 3),
            "matches": [
                {
                    "box": [round(value, 3) for value in match.box],
                    "score": round(match.score, 5),
                    "scale": round(match.scale, 5),
                    "rotation": match.rotation,
                    "exemplar": exemplars[match.exemplar],
                }
                for match in picture.matches
            ],
        }
        for picture in pictures
    ]
    lines = ",\n    ".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    head = json.dumps({**header, "pictures": []}, indent=2, ensure_ascii=False)
    return head.removesuffix("[]\n}") + (f"[\n    {lines}\n  ]\n}}\n" if lines else "[]\n}\n")
