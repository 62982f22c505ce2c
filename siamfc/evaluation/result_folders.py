"""Folders of results that are there already, whoever made them: which file holds which run, how pixels are counted.

Known layouts: OTB's, one ``NAME.txt`` a sequence (``Jogging-1`` also as ``Jogging.1`` and ``Jogging_1``), times in
``times/NAME_time.txt``; that of the package got10k and of the VOT toolkit, ``NAME/NAME_001.txt`` with one file a
repetition, the latter in ``baseline``; our own (`siamfc.evaluation.run_folder`). Each may lie one folder deeper, under
the tracker's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siamfc.data.folders import list_folders
from siamfc.data.sequence import Sequence as FrameSequence
from siamfc.errors import SiamfcError, SourceError
from siamfc.evaluation.plans import PlannedRun
from siamfc.evaluation.records import Trajectory
from siamfc.evaluation.result_files import Floats, read_times
from siamfc.evaluation.run_folder import RECORD_FILE, read_record, read_trajectory, with_times

FLAT, FOLDERS, VOT = "NAME.txt", "NAME/NAME_001.txt", "baseline/NAME/NAME_001.txt"

# Layouts of results that settle where pixels count from, by the data: the toolkits compare raw numbers, so trackers
# that run in them answer in the annotations' own pixels.
_CONVENTIONS = {
    (FLAT, "otb"): (1, "OTB's toolkits"),
    (FOLDERS, "got10k"): (1, "GOT-10k's toolkit"),
    (VOT, "vot"): (0, "the VOT toolkit"),
}


@dataclass(frozen=True)
class ResultFolder:
    """Results of one tracker.

    Attributes:
        tracker: What it is called in tables.
        root: The folder of the files.
        layout: ``NAME.txt``, ``NAME/NAME_001.txt`` or ``baseline/NAME/NAME_001.txt``.
        protocol: The protocol they are scored by.
        base: What the files call the top left pixel, 0 or 1.
        base_from: Who says so.
        record: The content of ``run.json``, where this program made them.
    """

    tracker: str
    root: Path
    layout: str
    protocol: str
    base: int
    base_from: str
    record: Mapping[str, Any] | None = None

    @property
    def provenance(self) -> dict[str, Any]:
        """What a report says of them."""
        origin = {"results": str(self.root), "layout": self.layout}
        return {**origin, "pixel_base": self.base, "pixel_base_from": self.base_from, **(self.record or {})}

    def read(self, sequence: FrameSequence, planned: Sequence[PlannedRun]) -> dict[str, Trajectory]:
        """The tracker's runs on a sequence, by name; all repetitions that are there.

        Raises:
            BoxError: A file that is not as expected.
            SourceError: A file is missing or cannot be read.
        """
        runs = {}
        for place, (run, path) in enumerate(self._files(sequence.name, planned)):
            found = read_trajectory(path, sequence, run, base=self.base)
            runs[run.name] = with_times(found, self._times(sequence.name, path, len(found), place))
        return runs

    def _files(self, sequence: str, planned: Sequence[PlannedRun]) -> Iterator[tuple[PlannedRun, Path]]:
        if self.protocol in ("tre", "sre"):
            for run in planned:
                yield run, _existing(self.root / sequence / f"{sequence}_{run.name}.txt", sequence)
        elif self.layout == FLAT:
            found = _flat_file(self.root, sequence)
            yield planned[0], found or _existing(self.root / f"{sequence}.txt", sequence)
        else:
            repetitions = _repetitions(self.root / sequence, sequence)
            if not repetitions:
                _existing(self.root / sequence / f"{sequence}_001.txt", sequence)
            for path in repetitions:
                yield planned[0]._replace(name=path.stem.removeprefix(f"{sequence}_")), path

    def _times(self, sequence: str, path: Path, num_frames: int, place: int) -> Floats | None:
        """Times beside a file of boxes, where one of the toolkits would have put them."""
        inside = path.parent.relative_to(self.root)
        for candidate in (
            self.root / "times" / inside / f"{path.stem}_time.txt",
            path.with_name(f"{path.stem}_time.value"),
            path.with_name(f"{path.stem}_time.txt"),
        ):
            if candidate.is_file():
                return read_times(candidate, num_frames=num_frames)
        # got10k: one file for all repetitions, each a column.
        return read_times(path.with_name(f"{sequence}_time.txt"), num_frames=num_frames, column=place)


def open_results(
    source: str | Path,
    *,
    tracker: str | None,
    sequences: Sequence[str],
    dataset: str,
    protocol: str,
    base: int | None,
) -> ResultFolder:
    """The results in a folder, with their layout and pixel base made out.

    Args:
        source: The folder.
        tracker: What to call the tracker; None takes the name in ``run.json``, else the folder's.
        sequences: The names that are looked for.
        dataset: The dataset's layout, such as ``"otb"``.
        protocol: The protocol they are to be scored by.
        base: What the user says of the pixels; needed where neither ``run.json`` nor the layout settles it.

    Raises:
        SourceError: Nothing that fits is there, or results of several trackers.
        SiamfcError: The pixel base is open.
    """
    folder = Path(source).expanduser()
    if not folder.is_dir():
        raise SourceError(f"{folder} is not a folder of results")
    own = _one_of(_own_folders(folder, protocol), folder)
    if own is not None:
        return _own_results(own, tracker, protocol)
    root = _one_of(list(_roots_with_results(folder, sequences, protocol)), folder)
    if root is None:
        raise SourceError(
            f"{folder} holds no results on {_some(sequences)}: expected {_expected_files(sequences[0], protocol)}, "
            "or those in a folder named after the tracker"
        )
    layout = _layout_of(root, sequences)
    number, said_by = _settle_base(layout, dataset, base, root)
    name = tracker or (root.parent if root.name == "baseline" else root).resolve().name
    return ResultFolder(name, root, layout, protocol, number, said_by)


def _own_results(folder: Path, tracker: str | None, protocol: str) -> ResultFolder:
    record = read_record(folder)
    assert record is not None
    try:
        made_by, name, base = record["protocol"]["name"], record["tracker"]["name"], int(record["pixel_base"])
    except (KeyError, TypeError, ValueError):
        raise SourceError(f"{folder / RECORD_FILE} does not say protocol, tracker and pixel_base") from None
    if made_by != protocol:
        raise SourceError(f"{folder} holds runs of the protocol {made_by}, not {protocol}")
    layout = {"ope": FLAT, "vot": VOT}.get(protocol, FOLDERS)
    root = folder / "baseline" if protocol == "vot" else folder
    return ResultFolder(tracker or str(name), root, layout, protocol, base, RECORD_FILE, record)


def _own_folders(folder: Path, protocol: str) -> list[Path]:
    """Folders with a ``run.json``: this one, the tracker's in it, or those of an --output folder."""
    if (folder / RECORD_FILE).is_file():
        return [folder]
    patterns = (f"{protocol}/{RECORD_FILE}", f"results/*/{protocol}/{RECORD_FILE}", f"*/{protocol}/{RECORD_FILE}")
    found = (sorted(path.parent for path in folder.glob(pattern)) for pattern in patterns)
    return next((folders for folders in found if folders), [])


def _roots_with_results(folder: Path, sequences: Sequence[str], protocol: str) -> Iterator[Path]:
    for root in (folder, folder / "baseline"):
        if _holds_any(root, sequences, protocol):
            yield root
            return
    for tracker in list_folders(folder):
        for root in (tracker, tracker / "baseline"):
            if _holds_any(root, sequences, protocol):
                yield root
                break


def _holds_any(root: Path, sequences: Iterable[str], protocol: str) -> bool:
    if protocol in ("tre", "sre"):
        return any(next((root / name).glob(f"{name}_{protocol}-*.txt"), None) for name in sequences)
    return any(_flat_file(root, name) or _repetitions(root / name, name) for name in sequences)


def _layout_of(root: Path, sequences: Iterable[str]) -> str:
    if any(_flat_file(root, name) for name in sequences):
        return FLAT
    return VOT if root.name == "baseline" else FOLDERS


def _flat_file(root: Path, sequence: str) -> Path | None:
    """``Jogging-1.txt``, ``Jogging.1.txt`` or ``Jogging_1.txt``, whichever is there."""
    target = re.fullmatch(r"(.+)-(\d+)", sequence)
    names = [sequence] + ([f"{target[1]}.{target[2]}", f"{target[1]}_{target[2]}"] if target else [])
    return next((path for name in names if (path := root / f"{name}.txt").is_file()), None)


def _repetitions(folder: Path, sequence: str) -> list[Path]:
    files = {path.name: path for path in folder.glob("*.txt")} if folder.is_dir() else {}
    numbered = re.compile(re.escape(sequence) + r"_\d+\.txt")
    return [files[name] for name in sorted(files) if numbered.fullmatch(name)]


def _settle_base(layout: str, dataset: str, given: int | None, root: Path) -> tuple[int, str]:
    if given is not None:
        return given, "--results-base"
    for (known_layout, family), (base, toolkit) in _CONVENTIONS.items():
        if layout == known_layout and dataset.startswith(family):
            return base, f"the convention of {toolkit}"
    raise SiamfcError(
        f"say with --results-base 0 or --results-base 1 what the files in {root} call the top left pixel: neither "
        f"their layout ({layout}) nor the dataset ({dataset}) settles it"
    )


def _one_of(folders: Sequence[Path], given: Path) -> Path | None:
    if len(folders) > 1:
        raise SourceError(
            f"{given} holds results of {len(folders)} trackers: give each its own --results, "
            + " ".join(f"--results {path}" for path in folders[:4])
            + (" ..." if len(folders) > 4 else "")
        )
    return folders[0] if folders else None


def _existing(path: Path, sequence: str) -> Path:
    if not path.is_file():
        raise SourceError(f"there is no result on {sequence}: {path} is missing")
    return path


def _expected_files(sequence: str, protocol: str) -> str:
    if protocol in ("tre", "sre"):
        return f"{sequence}/{sequence}_{protocol}-01..."
    return f"{sequence}.txt or {sequence}/{sequence}_001.txt"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
