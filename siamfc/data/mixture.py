"""Several datasets mixed by weight into one pool to learn from, with whole sequences held out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from siamfc.config import FilterConfig
from siamfc.data.annotation_text import read_lines
from siamfc.data.datasets import open_dataset
from siamfc.data.usable import FilterCounts, Track, usable_track
from siamfc.errors import ConfigError, SiamfcError, SourceError


@dataclass(frozen=True)
class Source:
    """The tracks of one dataset, and its weight in the mixture.

    Attributes:
        name: The dataset as the user named it, ``plain:PATH``.
        weight: Its share of the pairs is this, divided by the sum of all weights.
        tracks: What to learn from, each drawn equally often.
    """

    name: str
    weight: float
    tracks: tuple[Track, ...]


@dataclass(frozen=True)
class Mixture:
    """What a run learns from and what it is measured on.

    Attributes:
        sources: To learn from.
        held_out: Tracks that no pair to learn from comes from.
        counts: Frames kept and dropped, by dataset.
        broken: Sequences that could not be read, each with its reason; they are left out.
    """

    sources: tuple[Source, ...]
    held_out: tuple[Track, ...]
    counts: dict[str, FilterCounts] = field(default_factory=dict)
    broken: tuple[str, ...] = ()


@dataclass(frozen=True)
class HeldOut:
    """Which sequences are held out: those whose name matches a pattern; without patterns, a share by their names.

    A share is of whole videos: of several targets of one video, the first decides for all.

    A crop store puts a set before each name (``video/FOD_A-001``); a pattern may be of the name with it or without,
    and the share is drawn without, so that a store and what it was cut from hold out the same.

    Attributes:
        patterns: As the shell's: ``FOD_A-*``, matched with the whole name of a sequence.
        share: Of the videos, where there are no patterns. Which ones depends on nothing but the sequences' names.
    """

    patterns: tuple[str, ...] = ()
    share: float = 0.0

    @classmethod
    def from_file(cls, path: Path) -> HeldOut:
        """Patterns from a text file, one a line; ``#`` starts a comment. Raises SourceError where there is none."""
        patterns = tuple(line.text.partition("#")[0].strip() for line in read_lines(path))
        patterns = tuple(pattern for pattern in patterns if pattern)
        if not patterns:
            raise SourceError(f"{path} names no sequence to hold out")
        return cls(patterns)

    def __contains__(self, name: str) -> bool:
        bare = name.rpartition("/")[2]
        if self.patterns:
            return any(fnmatchcase(each, pattern) for pattern in self.patterns for each in (name, bare))
        number = int.from_bytes(hashlib.sha256(bare.encode()).digest()[:4], "big")
        return number < self.share * 2**32


def parse_weight(text: str) -> tuple[str, float]:
    """``plain:PATH@0.5`` -> the dataset and its weight; 1 where none is given.

    Raises:
        ConfigError: A weight that is not above zero.

    Example:
        >>> parse_weight("otb:videos/otb@0.5"), parse_weight("otb:me@home")
        (('otb:videos/otb', 0.5), ('otb:me@home', 1.0))
    """
    name, _, weight = text.rpartition("@")
    try:
        value = float(weight)
    except ValueError:
        return text, 1.0
    if not name or not 0 < value < float("inf"):
        raise ConfigError(f"a dataset's weight is a number above zero, as in plain:PATH@0.5, not {text!r}")
    return name, value


def short_name(name: str) -> str:
    """A dataset's name without the folders that are nobody's business: the last two of its path."""
    layout, _, place = name.partition(":")
    return f"{layout}:{'/'.join(Path(place).parts[-2:])}" if place else layout


def open_mixture(
    datasets: Iterable[str],
    filters: FilterConfig,
    held_out: HeldOut,
    *,
    on_sequence: Callable[[str], None] | None = None,
) -> Mixture:
    """The pool of these datasets, each ``LAYOUT:PATH`` or ``LAYOUT:PATH@WEIGHT``.

    A sequence that cannot be read is left out and named in ``broken``.

    Args:
        datasets: One or more.
        filters: Which frames are fit.
        held_out: Which sequences are kept apart.
        on_sequence: Called with each sequence's name when it is done: reading many takes a while.

    Raises:
        ConfigError: A weight that is none, or no dataset.
        SourceError: A dataset cannot be opened; nothing is left to learn from.
    """
    sources: list[Source] = []
    kept_apart: list[Track] = []
    broken: list[str] = []
    counts: dict[str, FilterCounts] = {}
    first: dict[str, str] = {}  # name of the first track of each video
    for text in datasets:
        name, weight = parse_weight(text)
        dataset = open_dataset(name)
        tracks: list[Track] = []
        tally = counts.setdefault(name, FilterCounts())
        for index, sequence in enumerate(dataset.names):
            try:
                track, found = usable_track(dataset[index], filters, source=name)
            except SiamfcError as error:
                broken.append(str(error))
                continue
            tally.add(found)
            if track is not None:
                decisive = sequence if held_out.patterns else first.setdefault(track.video, sequence)
                (kept_apart if decisive in held_out else tracks).append(track)
            if on_sequence is not None:
                on_sequence(sequence)
        if tracks:
            sources.append(Source(name, weight, tuple(tracks)))
    if not sources:
        reasons = "; ".join(f"{name}: {_reasons(tally)}" for name, tally in counts.items()) or "no dataset is named"
        raise SourceError(f"nothing is left to learn from ({reasons})")
    return Mixture(tuple(sources), tuple(kept_apart), counts, tuple(broken))


def _reasons(counts: FilterCounts) -> str:
    dropped = ", ".join(f"{number} {reason}" for reason, number in counts.dropped.most_common())
    return f"{counts.kept} frames kept, dropped {dropped or 'none'}"
