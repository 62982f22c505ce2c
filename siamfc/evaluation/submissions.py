"""Archives for the servers that keep the truth to themselves: GOT-10k's and TrackingNet's test sets.

GOT-10k: what ``ExperimentGOT10k.report`` of the package got10k 0.1.3 zips: ``NAME/NAME_001.txt``, a line
``x,y,width,height`` a frame, 1-based, to three places, a file a repetition; and ``NAME/NAME_time.txt``, seconds a
frame, a column a repetition. TrackingNet: ``metrics.py`` of the devkit reads ``NAME.txt``, four numbers between commas
a line, in the pixels of the annotations. A frame without a box becomes ``0,0,0,0``, an overlap of 0 in both.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from siamfc.errors import OutputError, SiamfcError
from siamfc.evaluation.records import Trajectory
from siamfc.evaluation.result_files import Floats, pixel_base
from siamfc.evaluation.scores import Evaluation, SequenceScore
from siamfc.files import write_whole

_OLDEST = (1980, 1, 1, 0, 0, 0)  # a date that is always the same: equal results give equal archives


def check_submission(dataset: str, protocol: str, num_trackers: int) -> None:
    """Stop before hours of work where no archive could come of it.

    Raises:
        SiamfcError: The dataset has no server whose layout is known, the protocol is another, or the trackers are
            not one.
    """
    expected = {"got10k": "got10k", "trackingnet": "ope"}.get(dataset.partition("-")[0])
    if expected is None:
        raise SiamfcError(f"archives are known for got10k-test and trackingnet-test, not for {dataset}")
    if protocol != expected:
        raise SiamfcError(f"an archive for {dataset} is made from the protocol {expected}, not {protocol}")
    if num_trackers != 1:
        raise SiamfcError(f"an archive holds the results of one tracker, not of {num_trackers}")


def write_submission(evaluation: Evaluation, path: Path, *, overwrite: bool = False) -> None:
    """Write the archive of an evaluation's tracker, whole or not at all.

    Args:
        evaluation: On a dataset that `check_submission` lets pass.
        path: Ends in ``.zip``.
        overwrite: Replace a file that is there.

    Raises:
        SiamfcError: As `check_submission`, or sequences have no result.
        OutputError: The file is there already, or cannot be written.
    """
    check_submission(evaluation.dataset, evaluation.protocol, len(evaluation.trackers))
    tracker = evaluation.trackers[0]
    if tracker.problems:
        missing = ", ".join(list(tracker.problems)[:5])
        raise SiamfcError(f"no archive: {len(tracker.problems)} sequences have no result ({missing})")
    if path.suffix != ".zip":
        raise OutputError(f"an archive's name ends in .zip, not {path.name!r}")
    members = _got10k if evaluation.dataset.startswith("got10k") else _trackingnet
    with write_whole(path, overwrite=overwrite) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for row in tracker.sequences:
            for name, text in members(row, pixel_base(evaluation.dataset)):
                entry = zipfile.ZipInfo(name, _OLDEST)
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, text, zipfile.ZIP_DEFLATED)


def _got10k(row: SequenceScore, base: int) -> Iterator[tuple[str, str]]:
    name, runs = row.sequence.name, list(row.runs.values())
    for number, run in enumerate(runs, start=1):
        yield f"{name}/{name}_{number:03}.txt", _lines(_boxes(run, base), "%.3f")
    times = np.stack([np.nan_to_num(run.seconds) for run in runs], axis=1)
    yield f"{name}/{name}_time.txt", _lines(times, "%.8f")


def _trackingnet(row: SequenceScore, base: int) -> Iterator[tuple[str, str]]:
    yield f"{row.sequence.name}.txt", _lines(_boxes(next(iter(row.runs.values())), base), "%.3f")


def _boxes(run: Trajectory, base: int) -> Floats:
    return np.asarray(np.nan_to_num(run.boxes + np.array([base, base, 0, 0])))


def _lines(rows: Floats, pattern: str) -> str:
    return "".join(",".join(pattern % value for value in row) + "\n" for row in rows.tolist())
