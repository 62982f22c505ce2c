"""What a tracker found, as open files: ``boxes.csv``, ``boxes.json`` and, a target, ``boxes.txt`` (OTB)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siamfc.boxes import Box
from siamfc.errors import OutputError
from siamfc.files import write_text
from siamfc.target_id import TargetId, checked_id


@dataclass(frozen=True)
class TrackedFrame:
    """One row of a result.

    Attributes:
        number: The frame's number in its source, from 0.
        name: Image file name, None for videos.
        time_s: Presentation time in seconds, None for images.
        box: Frame pixels, 0-based.
        score: As `siamfc.tracker.track_result.TrackResult.score`.
        scale: Size as a share of the first size.
        id: Which of several targets it is; None where one was followed.
    """

    number: int
    name: str | None
    time_s: float | None
    box: Box
    score: float
    scale: float
    id: TargetId | None = None


def result_files(ids: Collection[TargetId]) -> list[str]:
    """Names of the files that `write_results` makes of these targets.

    Example:
        >>> result_files([]), result_files(["dog", 7])
        (['boxes.csv', 'boxes.json', 'boxes.txt'], ['boxes.csv', 'boxes.json', 'boxes-dog.txt', 'boxes-7.txt'])
    """
    return ["boxes.csv", "boxes.json", *map(list_file, ids if len(ids) > 1 else [None])]


def list_file(id: TargetId | None) -> str:  # noqa: A002 - what it is called everywhere
    """Name of the OTB file of one of several targets; None: of the only one."""
    return "boxes.txt" if id is None else f"boxes-{id}.txt"


def read_ids(folder: Path) -> set[TargetId] | None:
    """What the rows of a folder's ``boxes.json`` call their targets, nothing for a single one; None: it holds none."""
    try:
        frames = json.loads((folder / "boxes.json").read_text(encoding="utf-8"))["frames"]
        return {checked_id(frame["id"]) for frame in frames if "id" in frame}
    except (OSError, ValueError, LookupError, TypeError):  # what is no result of a run is nobody's
        return None


def refuse_existing(paths: Sequence[Path]) -> None:
    """Stop before hours of work if a result would overwrite a file.

    Raises:
        OutputError: One of the paths exists.
    """
    present = [path for path in paths if path.exists()]
    if present:
        names = ", ".join(path.name for path in present)
        raise OutputError(
            f"{present[0].parent} holds {names} already: "
            "allow overwriting (--overwrite, overwrite=True), or name another folder (--output)"
        )


def write_results(
    folder: Path,
    rows: Sequence[TrackedFrame],
    *,
    ids: Collection[TargetId],
    header: Mapping[str, Any],
    overwrite: bool = False,
) -> list[Path]:
    """Write the files of `result_files`, each whole or not at all.

    ``boxes.csv`` has 0-based pixels and the image's name or the frame's number, so that it can be read back as
    ground truth; ``boxes.txt`` has one line ``x,y,width,height`` a frame, 1-based, as OTB's files; ``boxes.json``
    holds ``header`` (settings, weights, versions) and all numbers. Where ``ids`` names several targets, the first two
    say in each row whose it is, and each that has a row has an OTB file of its own, from its first frame on.

    Returns:
        The paths written.
    """
    several = len(ids) > 1
    texts = {"boxes.csv": _csv(rows, several), "boxes.json": _json(rows, header, several)}
    for id in dict.fromkeys(row.id for row in rows) if several else [None]:  # noqa: A001
        texts[list_file(id)] = _otb([row for row in rows if not several or row.id == id])
    paths = [folder / name for name in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        write_text(path, text, overwrite=overwrite)
    return paths


def _csv(rows: Sequence[TrackedFrame], several: bool) -> str:
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(("frame", "time", *(["id"] if several else []), "x", "y", "width", "height", "score", "scale"))
    for row in rows:
        frame = row.number if row.name is None else row.name
        time_s = "" if row.time_s is None else f"{row.time_s:.6f}"
        numbers = (*(f"{value:.4f}" for value in row.box), f"{row.score:.6g}", f"{row.scale:.6f}")
        writer.writerow((frame, time_s, *([row.id] if several else []), *numbers))
    return lines.getvalue()


def _json(rows: Sequence[TrackedFrame], header: Mapping[str, Any], several: bool) -> str:
    frames = [
        {
            "frame": row.number,
            "name": row.name,
            "time_s": row.time_s,
            **({"id": row.id} if several else {}),
            "box": [round(value, 4) for value in row.box],
            "score": row.score,
            "scale": row.scale,
        }
        for row in rows
    ]
    lines = ",\n    ".join(json.dumps(frame, ensure_ascii=False) for frame in frames)
    head = json.dumps({**header, "frames": []}, indent=2, ensure_ascii=False)
    return head.removesuffix("[]\n}") + f"[\n    {lines}\n  ]\n}}\n"


def _otb(rows: Sequence[TrackedFrame]) -> str:
    return "".join(",".join(f"{value:.4f}" for value in row.box.to_one_based()) + "\n" for row in rows)
