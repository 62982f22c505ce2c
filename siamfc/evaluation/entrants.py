"""Who takes part in an evaluation: trackers to run, and folders of results that are there already."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from siamfc.errors import SiamfcError
from siamfc.evaluation.protocols import AnyTracker
from siamfc.evaluation.trackers import OWN, OwnSettings, TrackerChoice, choose_tracker, factory_tracker

AnyChoice = str | TrackerChoice | Callable[[], AnyTracker]
AnyResults = Mapping[str, str | Path] | Iterable[str | Path]


def choose_trackers(
    trackers: AnyChoice | Iterable[AnyChoice] | None,
    results: AnyResults,
    name: str | None,
    own: OwnSettings,
    options: Mapping[str, str] | None,
) -> list[TrackerChoice]:
    """The trackers to run; arguments as `siamfc.evaluation.evaluate`.

    Args:
        trackers: As there.
        results: As there; where there are some and ``trackers`` is None, none is run.
        name: As there.
        own: For our own tracker.
        options: As there.

    Raises:
        SiamfcError: Settings that are for no tracker that is run, a name for more than one, or as `choose_tracker`.
    """
    if trackers is None:
        trackers = (OWN,) if own.are_set or not named_folders(results) else ()
    # A class is a tracker's factory, never a list of them.
    several = isinstance(trackers, Iterable) and not isinstance(trackers, str | type)
    wanted: list[Any] = list(trackers) if several else [trackers]  # type: ignore[arg-type]
    if own.are_set and OWN not in [entry for entry in wanted if isinstance(entry, str)]:
        raise SiamfcError(
            f"weights, settings, device and runtime are for the tracker {OWN}, which is not among those to run"
        )
    if name is not None and len(wanted) != 1:
        raise SiamfcError(f"a name is given to one tracker, not to {len(wanted)}")
    choices: list[TrackerChoice] = []
    for entry in wanted:
        if isinstance(entry, str):
            taken = vars(own) if entry == OWN else {}
            given = options if entry.startswith("opencv:Nano") or len(wanted) == 1 else None
            choices.append(choose_tracker(entry, name=name, options=given, **taken))
        elif hasattr(entry, "describe") and hasattr(entry, "build"):
            choices.append(entry)
        else:
            choices.append(factory_tracker(entry, name=name))
    return choices


def named_folders(results: AnyResults) -> list[tuple[str | None, str | Path]]:
    """Each folder with its tracker's name, where one is given: ``NAME=DIR``."""
    if isinstance(results, Mapping):
        return list(results.items())
    places = [results] if isinstance(results, str | Path) else results
    return [_name_and_place(place) for place in places]


def _name_and_place(place: str | Path) -> tuple[str | None, str | Path]:
    name, equals, folder = str(place).partition("=")
    # A folder may have = in its own name.
    return (name, folder) if equals and name and not Path(place).expanduser().exists() else (None, place)
