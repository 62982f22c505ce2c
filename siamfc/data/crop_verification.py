"""Whether a crop store holds what it says: every crop decodes, counts and hashes are right, nothing is left over."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from siamfc.data.crop_database import DATA_FILE, reading
from siamfc.data.crop_records import crop_key, decode, hash_of
from siamfc.data.crop_store import StoreDescription, describe_store, read_track
from siamfc.errors import SiamfcError
from siamfc.workers import Workers, limited_threads, results_as_done

_RECORDS_BESIDE_TRACKS = 2  # what is said at the beginning and at the end


@dataclass(frozen=True)
class StoreCheck:
    """What was found in a finished store.

    Attributes:
        store: What it says of itself.
        crops: How many it holds.
        disk_bytes: Size of its file.
        problems: What is amiss, a line each.
    """

    store: StoreDescription
    crops: int
    disk_bytes: int
    problems: tuple[str, ...]


class _TrackCheck(NamedTuple):
    track: int
    sha256: str
    problems: list[str]


def verify_store(
    folder: Path, *, workers: Workers | None = None, observe: Callable[[int, int], None] | None = None
) -> StoreCheck:
    """Decode every crop of a store, count, and compare hashes.

    Args:
        folder: Of a finished store.
        workers: Who works; None: this process.
        observe: Called with the tracks done and their number.

    Raises:
        SourceError: It is no store, it is not finished, or it cannot be read at all.
        EnvironmentProblem: LMDB is missing, or a worker died.
    """
    folder, workers = folder.resolve(), workers or Workers()
    store = describe_store(folder)
    checks: list[_TrackCheck] = []
    check = partial(_check_track, folder=folder, store=store, threads=workers.threads_each)
    with closing(results_as_done(check, range(len(store.tracks)), workers)) as results:
        for found in results:
            checks.append(found)
            if observe is not None:
                observe(len(checks), len(store.tracks))
    checks.sort()
    problems = [line for found in checks for line in found.problems]
    crops = sum(count for _, count in store.tracks)
    if not problems:
        problems = _check_whole(folder, store, crops, [found.sha256 for found in checks])
    return StoreCheck(store, crops, (folder / DATA_FILE).stat().st_size, tuple(problems))


def _check_whole(folder: Path, store: StoreDescription, crops: int, hashes: list[str]) -> list[str]:
    with reading(folder) as transaction:
        entries = transaction.stat()["entries"]
    expected = crops + len(store.tracks) + _RECORDS_BESIDE_TRACKS
    problems = [] if entries == expected else [f"{folder} has {entries} records, not {expected}"]
    if hash_of(text.encode() for text in hashes) != store.sha256:
        problems.append(f"the hash over the tracks of {folder} is not the one it says")
    return problems


def _check_track(track: int, folder: Path, store: StoreDescription, threads: int | None) -> _TrackCheck:
    """What is amiss in one track."""
    where = f"{folder}, track {track}"
    name, count = store.tracks[track]
    try:
        record = read_track(folder, track)
        lengths = {len(record.numbers), len(record.boxes), len(record.borders), count}
        problems = [] if record.name == name and len(lengths) == 1 else [f"{where} is not {name} of {count} crops"]
        with limited_threads(threads), reading(folder) as transaction:
            crops = [transaction.get(crop_key(track, place), b"") for place in range(count)]
            if hash_of(crops) != record.sha256:
                problems.append(f"{where} ({name}): the hash of its crops is not the one it says")
            for place, data in enumerate(crops):
                problems += _undecodable(data, store.settings.side_px, f"{where} ({name}), crop {place}")
    except SiamfcError as error:
        return _TrackCheck(track, "", [str(error)])
    return _TrackCheck(track, record.sha256, problems)


def _undecodable(data: bytes | memoryview, side_px: int, where: str) -> list[str]:
    try:
        decode(data, side_px, where)
    except SiamfcError as error:
        return [str(error)]
    return []
