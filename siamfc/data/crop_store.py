"""A crop store as a dataset: tracks whose frames are crops, made by ``siamfc prepare`` (`siamfc.data.preparing`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from siamfc.data.crop_database import reading
from siamfc.data.crop_records import (
    ABOUT_KEY,
    COMPLETE_KEY,
    FORMAT,
    CropSettings,
    TrackRecord,
    crop_key,
    decode,
    track_key,
    unpack,
    unpack_track,
)
from siamfc.data.dataset import Dataset
from siamfc.data.folders import video_of_target
from siamfc.data.sequence import BORDER_LEVEL, Sequence
from siamfc.errors import SourceError
from siamfc.frames import Image


@dataclass(frozen=True)
class CropFrames:
    """The crops of one track; small, and opened anew in every process that it is sent to.

    Attributes:
        store: The store's folder.
        track: Which track of it.
        track_numbers: (K,) the frames' numbers in their video.
        side_px: Side of the crops.
    """

    store: Path
    track: int
    track_numbers: tuple[int, ...]
    side_px: int

    def __len__(self) -> int:
        return len(self.track_numbers)

    def __getitem__(self, index: int) -> Image:
        """The crop at ``index``, (side_px, side_px, 3) ``uint8`` RGB.

        Raises:
            SourceError: The store is not there any more, or the crop is damaged.
        """
        place = range(len(self))[index]
        where = f"{self.store}, track {self.track}, crop {place}"
        with reading(self.store) as transaction:
            data = transaction.get(crop_key(self.track, place))
            if data is None:
                raise SourceError(f"{where} is missing; 'siamfc prepare --verify' tells what else is")
            return decode(data, self.side_px, where)

    def __iter__(self) -> Iterator[Image]:
        return (self[index] for index in range(len(self)))

    @property
    def numbers(self) -> NDArray[np.int64]:
        """(N,) the frames' numbers in their video."""
        return np.array(self.track_numbers, dtype=np.int64)

    @property
    def place(self) -> str:
        """The store, which holds many videos."""
        return str(self.store)


class StoreDescription(NamedTuple):
    """What a finished store says of itself.

    Attributes:
        settings: How its crops are cut.
        tracks: Name and number of crops of each track, in order.
        sha256: Hash over all tracks: equal for stores of equal content.
        about: Everything said when it was begun.
        complete: Everything said when it was finished.
    """

    settings: CropSettings
    tracks: tuple[tuple[str, int], ...]
    sha256: str
    about: dict[str, Any]
    complete: dict[str, Any]


class _Place(NamedTuple):
    """Where a track's record lies."""

    store: Path
    track: int
    side_px: int


def open_crop_store(root: Path) -> Dataset:
    """The tracks of a store, in the order of the datasets that it was cut from; without those that have no crop.

    Boxes are in crop pixels; frame numbers are the videos', so distances in time stay what they were. The level
    ``border_px`` holds the distance from each target's centre to the nearest border of its frame, crop pixels.

    Raises:
        SourceError: There is no store, it is not finished, or it is damaged.
        EnvironmentProblem: LMDB is missing.
    """
    root = root.resolve()
    found = describe_store(root)
    places = ((name, _Place(root, track, found.settings.side_px)) for track, (name, count) in _filled(found))
    return Dataset("crops", root, places, _load)


def _filled(found: StoreDescription) -> list[tuple[int, tuple[str, int]]]:
    return [(track, entry) for track, entry in enumerate(found.tracks) if entry[1]]


def describe_store(root: Path) -> StoreDescription:
    """What a finished store says of itself; errors as `open_crop_store`."""
    with reading(root) as transaction:
        about, complete = (transaction.get(key) for key in (ABOUT_KEY, COMPLETE_KEY))
        if about is None:
            raise SourceError(f"{root} is an LMDB database, but no crop store; 'siamfc prepare' makes one")
        said = check_format(unpack(bytes(about), f"{root}, {ABOUT_KEY.decode()}"), root)
        if complete is None:
            raise SourceError(f"the crop store {root} is not finished: give the command that began it again")
        result = unpack(bytes(complete), f"{root}, {COMPLETE_KEY.decode()}")
    try:
        tracks = tuple((str(name), int(count)) for name, count in result["tracks"])
        return StoreDescription(CropSettings(**said["settings"]), tracks, result["sha256"], said, result)
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(f"{root} is damaged ({error!r}); prepare the store anew") from None


def check_format(about: dict[str, Any], root: Path) -> dict[str, Any]:
    """What a store said when it was begun; raises SourceError where another version of the program wrote it."""
    if about.get("format") != FORMAT:
        raise SourceError(f"{root} is a crop store of format {about.get('format')}, and this siamfc reads {FORMAT}")
    return about


def read_track(store: Path, track: int) -> TrackRecord:
    """The record of one track; raises SourceError where it is missing or damaged."""
    where = f"{store}, track {track}"
    with reading(store) as transaction:
        data = transaction.get(track_key(track))
        if data is None:
            raise SourceError(f"{where} is missing; 'siamfc prepare --verify' tells what else is")
        return unpack_track(bytes(data), where)


def _load(name: str, place: _Place) -> Sequence:
    record = read_track(place.store, place.track)
    levels = {level: np.array(values, dtype=np.float64) for level, values in record.levels.items()}
    levels[BORDER_LEVEL] = np.array(record.borders, dtype=np.float64)
    return Sequence(
        name,
        CropFrames(place.store, place.track, tuple(record.numbers), place.side_px),
        np.array(record.boxes, dtype=np.float64).reshape(-1, 4),
        levels=levels,
        meta={**record.meta, "source": record.source},
        origin=f"{place.store}:{record.video or _video_by_name(record)}",
    )


def _video_by_name(record: TrackRecord) -> str:
    """For a store that does not say which tracks are of one video: as far as names tell."""
    own_folders = record.source.startswith(("plain:", "trackingnet"))
    return video_of_target(record.name) if own_folders else record.name
