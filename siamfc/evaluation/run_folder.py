"""Where the results of one tracker by one protocol lie, and what they were made with and on.

::

    OUTPUT/results/TRACKER/PROTOCOL/run.json         tracker, settings, versions
                                    sequences.json   what tells other data of the same names
    ope           NAME.txt                     times/NAME_time.txt
    tre and sre   NAME/NAME_tre-01.txt         times/NAME/NAME_tre-01_time.txt
    got10k        NAME/NAME_001.txt            times/NAME/NAME_001_time.txt
    vot           baseline/NAME/NAME_001.txt   baseline/NAME/NAME_001_time.value
"""

from __future__ import annotations

import glob
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from siamfc.data.sequence import Sequence
from siamfc.errors import OutputError
from siamfc.evaluation.plans import PlannedRun
from siamfc.evaluation.records import Trajectory
from siamfc.evaluation.result_files import (
    Floats,
    one_pass_text,
    read_one_pass,
    read_times,
    read_vot,
    times_text,
    vot_text,
)
from siamfc.files import write_text

RECORD_FILE = "run.json"
SEQUENCES_FILE = "sequences.json"
FORMAT = "siamfc run 1"
_NOT_COMPARED = ("machine",)


@dataclass(frozen=True)
class RunFolder:
    """The files of one tracker's runs by one protocol.

    A run is finished when its file of boxes is there: it is written last, and whole.

    Attributes:
        path: The folder.
        protocol: Which protocol.
        base: What the files call the top left pixel, 0 or 1.
    """

    path: Path
    protocol: str
    base: int

    def boxes_file(self, sequence: str, run: str) -> Path:
        """The file of a run's boxes."""
        return self.path / self._relative(sequence, run, ".txt")

    def times_file(self, sequence: str, run: str) -> Path:
        """The file of a run's times."""
        if self.protocol == "vot":
            return self.path / self._relative(sequence, run, "_time.value")
        return self.path / "times" / self._relative(sequence, run, "_time.txt")

    def holds(self, sequence: str, run: str) -> bool:
        """Whether a run is finished."""
        return self.boxes_file(sequence, run).is_file()

    def write(self, sequence: str, run: str, trajectory: Trajectory) -> None:
        """Both files of a run, each whole; raises OutputError where they cannot be written."""
        as_text = vot_text if self.protocol == "vot" else one_pass_text
        # Times left by a run that was stopped between the two files are replaced.
        write_text(self.times_file(sequence, run), times_text(trajectory), overwrite=True)
        write_text(self.boxes_file(sequence, run), as_text(trajectory, base=self.base), overwrite=True)

    def read(self, sequence: Sequence, run: PlannedRun) -> Trajectory:
        """A finished run; errors as `read_one_pass` and `read_vot`."""
        path = self.boxes_file(sequence.name, run.name)
        found = read_trajectory(path, sequence, run, base=self.base)
        return with_times(found, read_times(self.times_file(sequence.name, run.name), num_frames=len(found)))

    def _relative(self, sequence: str, run: str, ending: str) -> Path:
        if Path(sequence).name != sequence:
            raise OutputError(f"a sequence called {sequence!r} cannot be the name of a file")
        if self.protocol == "ope":
            return Path(f"{sequence}{ending}")
        return Path("baseline" if self.protocol == "vot" else "", sequence, f"{sequence}_{run}{ending}")


def read_trajectory(path: Path, sequence: Sequence, run: PlannedRun, *, base: int) -> Trajectory:
    """A run's boxes, whoever wrote them; errors as `read_one_pass` and `read_vot`."""
    if run.start is None:
        return read_vot(path, base=base, truth=sequence.boxes)
    return read_one_pass(path, base=base, num_frames=len(sequence), start=run.start.frame)


def with_times(trajectory: Trajectory, seconds: Floats | None) -> Trajectory:
    """The trajectory with its times, where there are any."""
    return trajectory if seconds is None else Trajectory(trajectory.states, trajectory.boxes, seconds)


def prepare_run_folder(path: Path, record: Mapping[str, Any], sequences: Mapping[str, str], *, overwrite: bool) -> None:
    """Make a folder ready for runs of what ``record`` describes: empty, or with finished runs of the very same.

    Leftovers of a run that was stopped while it wrote are removed.

    Args:
        path: The folder; made where it is not there.
        record: For ``run.json``: tracker, protocol, dataset, versions. ``machine`` is kept but not compared.
        sequences: For ``sequences.json``: digests of what runs depend on, by name. Others that it holds stay.
        overwrite: Put away what an earlier run left.

    Raises:
        OutputError: The folder holds runs of something else, or files that no ``run.json`` speaks of.
    """
    if overwrite:
        _put_away(path)
    for leftover in path.rglob(".*.part"):
        leftover.unlink(missing_ok=True)
    present = read_record(path)
    if present is None:
        if path.is_dir() and any(path.iterdir()):
            raise OutputError(
                f"{path} holds files, but no {RECORD_FILE}: name another --output, or give --overwrite (overwrite=True)"
            )
        text = json.dumps({"format": FORMAT, **record}, indent=2, ensure_ascii=False) + "\n"
        write_text(path / RECORD_FILE, text)
    else:
        _require_same_record(path, present, record)
    _note_sequences(path / SEQUENCES_FILE, sequences)


def _put_away(path: Path) -> None:
    """Remove a folder, and what earlier removals left of it; raises OutputError where that is not allowed."""
    try:
        if path.exists():
            # At once, so that a kill cannot leave half of the old runs.
            os.replace(path, path.with_name(f".{path.name}.{uuid4().hex[:8]}.old"))  # noqa: PTH105
        for doomed in path.parent.glob(f".{glob.escape(path.name)}.*.old"):
            shutil.rmtree(doomed)
    except OSError as error:
        raise OutputError(f"cannot remove {path}: {error.strerror or error}") from error


def _require_same_record(path: Path, present: Mapping[str, Any], record: Mapping[str, Any]) -> None:
    wanted = json.loads(json.dumps({"format": FORMAT, **record}))
    changes = [_change(key, old, new) for key, old, new in _differences(present, wanted)]
    if changes:
        more = f" (and {len(changes) - 3} more)" if len(changes) > 3 else ""
        raise OutputError(
            f"{path} holds results of another run: {'; '.join(changes[:3])}{more}. Results are not mixed: give this "
            "run another --name or --output, or replace the old one with --overwrite (overwrite=True)"
        )


def _note_sequences(file: Path, sequences: Mapping[str, str]) -> None:
    """Add sequences to those that a folder's runs were made on; raises OutputError for another of the same name."""
    known: dict[str, str] = {}
    if file.is_file():
        known = _read_json(file)
    others = [name for name, digest in sequences.items() if known.get(name, digest) != digest]
    if others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        raise OutputError(
            f"{file.parent} holds runs on other data: {', '.join(others[:3])}{more} had another number of frames, or "
            "runs started with other boxes. Give this run another --output, or replace the old one with --overwrite "
            "(overwrite=True)"
        )
    if any(name not in known for name in sequences):
        text = json.dumps({**known, **sequences}, indent=2, ensure_ascii=False) + "\n"
        write_text(file, text, overwrite=True)


def read_record(path: Path) -> dict[str, Any] | None:
    """What ``run.json`` in this folder says; None where there is none.

    Raises:
        OutputError: It cannot be read, or is not ours.
    """
    file = path / RECORD_FILE
    if not file.is_file():
        return None
    record = _read_json(file)
    if record.get("format") != FORMAT:
        raise OutputError(f"{file} is not the record of a run of this program (expected the format {FORMAT!r})")
    return record


def _read_json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OutputError(f"{file} cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise OutputError(f"{file} was not written by this program, or was changed since")
    return content


def _differences(old: object, new: object, key: str = "") -> Iterator[tuple[str, object, object]]:
    """The places at which two JSON values differ, with dots between the keys."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in (*old, *(name for name in new if name not in old)):
            if key or name not in _NOT_COMPARED:
                yield from _differences(old.get(name), new.get(name), f"{key}.{name}" if key else name)
    elif old != new:
        yield key, old, new


def _change(key: str, old: object, new: object) -> str:
    return f"{key} was {_short(old)} and is now {_short(new)}"


def _short(value: object) -> str:
    text = "not there" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
