"""Cutting whole datasets into a crop store, by many processes; stopped at any moment, it goes on where it was."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from siamfc.config import FilterConfig
from siamfc.data.crop_cutting import CutTrack, cut_track
from siamfc.data.crop_database import DATA_FILE, StoreWriter, remove_store
from siamfc.data.crop_records import (
    ABOUT_KEY,
    COMPLETE_KEY,
    FORMAT,
    CropSettings,
    crop_key,
    hash_of,
    pack,
    track_key,
    unpack,
    unpack_track,
)
from siamfc.data.crop_store import check_format
from siamfc.data.crop_verification import StoreCheck, verify_store
from siamfc.data.mixture import HeldOut, Mixture, open_mixture, parse_weight
from siamfc.data.usable import Track
from siamfc.errors import ConfigError, OutputError, SourceError
from siamfc.workers import Workers, limited_threads, results_as_done

_BATCH_BYTES, _BATCH_S = 1 << 23, 5.0  # as much as a kill may cost


class Progress(NamedTuple):
    """How far a store has come.

    Attributes:
        phase: ``"reading"`` annotations, ``"cutting"`` or ``"verifying"``.
        done: Sequences or tracks done.
        total: Of how many; None where that is not known before.
    """

    phase: str
    done: int
    total: int | None


Observer = Callable[[Progress], None]


class _Task(NamedTuple):
    number: int
    name: str
    video: str  # name of the first task of the same video
    track: Track


def prepare_store(
    datasets: Sequence[str],
    folder: Path,
    *,
    settings: CropSettings,
    filters: FilterConfig,
    workers: Workers | None = None,
    overwrite: bool = False,
    observe: Observer | None = None,
) -> StoreCheck:
    """Cut every fit object of these datasets once, and verify what was stored.

    The content depends on nothing but data and settings: not on the number of workers, nor on how often the work was
    stopped. A sequence or frame that cannot be read is named and left out.

    Args:
        datasets: Each ``LAYOUT:PATH``; weights are for training.
        folder: Of the store. One that was begun with the same data and settings is finished.
        settings: How to cut and to store.
        filters: Which frames are fit. They apply here: in the store, boxes are in crop pixels.
        workers: Who works; None: this process.
        overwrite: Throw away a store that is there.
        observe: Is told of the progress.

    Raises:
        ConfigError: A weight is given.
        SourceError: A dataset cannot be opened; nothing can be cut.
        OutputError: The store cannot be written, is one of other data or settings, or what was stored is damaged.
        EnvironmentProblem: LMDB is missing, or a worker died.
    """
    tell = observe or (lambda _: None)
    folder, workers = folder.resolve(), workers or Workers()
    mixture = _open_sources(datasets, filters, tell)
    tasks = _name_tracks(mixture)
    about = {"format": FORMAT, "settings": asdict(settings), "filters": filters.model_dump(), **_fingerprint(tasks)}
    if overwrite:
        remove_store(folder)
    with StoreWriter(_checked(folder)) as writer:
        _begin(writer, about, folder)
        _cut_missing(writer, tasks, settings, workers, tell)
        if writer.get(COMPLETE_KEY) is None:
            writer.put({COMPLETE_KEY: pack(_conclusion(writer, tasks, mixture))})
    check = verify_store(folder, workers=workers, observe=lambda done, total: tell(Progress("verifying", done, total)))
    if check.problems:
        more = f", and {len(check.problems) - 1} more" if len(check.problems) > 1 else ""
        raise OutputError(f"the store does not hold what was cut: {check.problems[0]}{more}; prepare it anew")
    return check


def _open_sources(datasets: Iterable[str], filters: FilterConfig, tell: Observer) -> Mixture:
    for text in datasets:
        if parse_weight(text)[0] != text:
            raise ConfigError(f"{text}: weights are given when training; a store a dataset can be mixed then")
    read = Counter[str]()

    def count(_: str) -> None:
        read["sequences"] += 1
        tell(Progress("reading", read["sequences"], None))

    return open_mixture(datasets, filters, HeldOut(), on_sequence=count)


def _name_tracks(mixture: Mixture) -> list[_Task]:
    """The tracks in order, each named ``SET/NAME``; the set is the last part of the dataset's path."""
    used = Counter[str]()
    tasks: list[_Task] = []
    first: dict[str, str] = {}  # of each video
    for source in mixture.sources:
        layout, _, place = source.name.partition(":")
        label = Path(place).resolve().name if place else layout
        used[label] += 1
        label += f"-{used[label]}" if used[label] > 1 else ""
        for track in source.tracks:
            name = f"{label}/{track.name}"
            tasks.append(_Task(len(tasks), name, first.setdefault(track.video, name), track))
    return tasks


def _fingerprint(tasks: Sequence[_Task]) -> dict[str, Any]:
    """Tells whether a store was begun with the same tracks, frames and boxes."""
    digest = hashlib.sha256()
    for task in tasks:
        digest.update(task.name.encode())
        for array in (task.track.places, task.track.boxes, task.track.numbers):
            digest.update(array.tobytes())
    return {"tracks": len(tasks), "frames": sum(len(task.track) for task in tasks), "data": digest.hexdigest()}


def _checked(folder: Path) -> Path:
    """The folder, where it holds nothing but a store, or nothing; raises OutputError otherwise."""
    if folder.is_dir() and not (folder / DATA_FILE).is_file() and any(folder.iterdir()):
        raise OutputError(f"{folder} holds other things than a crop store: name an empty or a new folder")
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file: name a folder for the store")
    return folder


def _begin(writer: StoreWriter, about: dict[str, Any], folder: Path) -> None:
    """Say what the store will be, or make sure that it is that already."""
    before = writer.get(ABOUT_KEY)
    if before is None:
        if writer.keys(b""):
            raise OutputError(f"{folder} is an LMDB database, but no crop store: name another place")
        writer.put({ABOUT_KEY: pack(about)})
        return
    said = check_format(unpack(before, str(folder)), folder)
    now = unpack(pack(about), str(folder))
    differing = [key for key in ("settings", "filters", "tracks", "frames", "data") if said.get(key) != now[key]]
    if differing:
        what = "the data are others" if differing[0] in ("tracks", "frames", "data") else _differences(said, now)
        raise OutputError(
            f"{folder} was begun otherwise ({what}): name another place, or allow overwriting "
            "(--overwrite, overwrite=True)"
        )


def _differences(said: dict[str, Any], now: dict[str, Any]) -> str:
    sections = [(said.get(section, {}), now[section]) for section in ("settings", "filters")]
    return ", ".join(
        f"{key} was {before.get(key)}, now {value}"
        for before, after in sections
        for key, value in after.items()
        if before.get(key) != value
    )


def _cut_missing(
    writer: StoreWriter, tasks: Sequence[_Task], settings: CropSettings, workers: Workers, tell: Observer
) -> None:
    stored = set(writer.keys(b"track/"))
    missing = [task for task in tasks if track_key(task.number) not in stored]
    tell(Progress("cutting", len(tasks) - len(missing), len(tasks)))
    cut = partial(_cut, settings=settings, threads=workers.threads_each)
    with closing(_Batch(writer)) as batch, closing(results_as_done(cut, missing, workers)) as results:
        for done, (index, result) in enumerate(results, start=len(tasks) - len(missing) + 1):
            batch.add(index, result)
            tell(Progress("cutting", done, len(tasks)))


def _cut(task: _Task, settings: CropSettings, threads: int | None) -> tuple[int, CutTrack]:
    with limited_threads(threads):
        return task.number, cut_track(task.track, task.name, settings, video=task.video)


class _Batch:
    """Tracks on their way into the store, written some megabytes at a time: each writing waits for the disk."""

    def __init__(self, writer: StoreWriter) -> None:
        self._writer = writer
        self._records: dict[bytes, bytes] = {}
        self._bytes, self._since = 0, time.monotonic()

    def add(self, index: int, cut: CutTrack) -> None:
        self._records[track_key(index)] = pack(cut.record)
        self._records.update({crop_key(index, place): data for place, data in enumerate(cut.crops)})
        self._bytes += sum(map(len, cut.crops))
        if self._bytes >= _BATCH_BYTES or time.monotonic() - self._since >= _BATCH_S:
            self.close()

    def close(self) -> None:
        """Write what is left."""
        records, self._records = self._records, {}
        self._bytes, self._since = 0, time.monotonic()
        if records:
            self._writer.put(records)


def _conclusion(writer: StoreWriter, tasks: Sequence[_Task], mixture: Mixture) -> dict[str, Any]:
    """What a finished store says of itself: its tracks, their hash, and what was left out."""
    records = [unpack_track(writer.get(track_key(task.number)) or b"", f"track {task.number}") for task in tasks]
    if not any(record.boxes for record in records):
        first = next((text for record in records for text in record.unreadable), "")
        raise SourceError(f"no frame could be read, so there is nothing to store: {first}")
    return {
        "tracks": [[record.name, len(record.boxes)] for record in records],
        "sha256": hash_of(record.sha256.encode() for record in records),
        "counts": [[name, counts.kept, dict(counts.dropped)] for name, counts in mixture.counts.items()],
        "broken": list(mixture.broken),
        "unreadable": [text for record in records for text in record.unreadable],
    }
