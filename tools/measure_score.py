"""How well the tracker's score tells frames in which it follows the target from those in which it does not.

    python tools/measure_score.py plain:VAL [--weights NAME|FILE] [--json FILE]

One pass over each sequence. *Followed*: the target is in view, and the box overlaps it by more than half. *Not*: the
target is out of view, or the box does not overlap it at all. Frames between the two, where an edge is followed, count
as neither. Printed are, by sequence, the mean score of both kinds, and the area under the ROC curve of the score over
all frames of all sequences.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from siamfc import Tracker, load_model
from siamfc.boxes import intersection_over_union
from siamfc.calibration.separation import roc_area
from siamfc.checkpoint import DEFAULT_MODEL
from siamfc.data import open_dataset
from siamfc.errors import SiamfcError
from siamfc.model import SiamFC

Numbers = NDArray[np.float64]


def main() -> None:
    """Track every sequence, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="LAYOUT:PATH")
    parser.add_argument("--weights", default=DEFAULT_MODEL)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    try:
        model = load_model(given.weights)
        dataset = open_dataset(given.data)
        rows = {
            sequence.name: scores(model, sequence)
            for sequence in track(dataset, "tracking", total=len(dataset), console=Console(stderr=True))
        }
    except SiamfcError as error:
        raise SystemExit(str(error)) from None
    summary = summarise(rows)
    show(summary)
    if given.json:
        given.json.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")


def scores(model: SiamFC, sequence: Any) -> tuple[Numbers, Numbers]:
    """Scores of the frames in which the target was followed, and of those in which it was not."""
    first = int(np.flatnonzero(sequence.in_view)[0])
    tracker = Tracker(model)
    followed, lost = [], []
    truth = zip(sequence.frames, sequence.boxes, sequence.in_view, strict=True)
    for number, (frame, box, shown) in enumerate(truth):
        if number <= first:
            if number == first:
                tracker.init(frame, box)
            continue
        found = tracker.update(frame)
        overlap = float(intersection_over_union([found.box], [box])[0]) if shown else 0.0
        if overlap > 0.5:
            followed.append(found.score)
        elif overlap == 0:
            lost.append(found.score)
    return np.array(followed), np.array(lost)


def summarise(rows: dict[str, tuple[Numbers, Numbers]]) -> dict[str, Any]:
    """The pooled area, and counts and means by sequence."""
    followed, lost = (np.concatenate(kind) for kind in zip(*rows.values(), strict=True))
    area = roc_area(followed, lost) if len(followed) and len(lost) else None
    return {
        "roc_area": area,
        "sequences": {
            name: {
                kind: {"frames": len(values), "mean_score": float(values.mean()) if len(values) else None}
                for kind, values in zip(("followed", "lost"), pair, strict=True)
            }
            for name, pair in rows.items()
        },
    }


def show(summary: dict[str, Any]) -> None:
    """The summary as a table."""
    table = Table("sequence", "followed", "mean score", "out of view or lost", "mean score")
    for name, kinds in summary["sequences"].items():
        cells = []
        for kind in ("followed", "lost"):
            mean = kinds[kind]["mean_score"]
            cells += [str(kinds[kind]["frames"]), "" if mean is None else f"{mean:.3f}"]
        table.add_row(name, *cells)
    console = Console()
    console.print(table)
    area = summary["roc_area"]
    console.print("no frame of one of the two kinds" if area is None else f"area under the ROC curve {area:.3f}")


if __name__ == "__main__":
    main()
