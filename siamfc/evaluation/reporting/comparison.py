"""Which trackers may stand side by side, and how they differ on the same sequences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from siamfc.evaluation.reporting.figures import EAO, headline_figures
from siamfc.evaluation.reporting.intervals import Spread, Sums, mean_sums, spread_of
from siamfc.evaluation.reporting.model import Comparison, Difference, TrackerReport


class Compared(NamedTuple):
    """The trackers, now with intervals, and what they differ by."""

    trackers: list[TrackerReport]
    comparison: Comparison


def comparable(scored: Mapping[str, Sequence[str]]) -> list[str]:
    """The trackers that may stand side by side: those scored on the same sequences, the most complete of such groups.

    Among equally complete groups, the larger, then the one that begins first.

    Args:
        scored: The sequences with figures, by tracker.

    Example:
        >>> comparable({"a": ["Bolt2"], "b": ["Bolt2", "Man"], "c": ["Man", "Bolt2"]})
        ['b', 'c']
    """
    groups: dict[frozenset[str], list[str]] = {}
    for tracker, sequences in scored.items():
        if sequences:
            groups.setdefault(frozenset(sequences), []).append(tracker)
    return max(groups.items(), key=lambda group: (len(group[0]), len(group[1])), default=(None, []))[1]


def compare(
    trackers: Sequence[TrackerReport], *, protocol: str, split: Iterable[str], eao: Mapping[str, Sums]
) -> Compared:
    """Intervals of every tracker, and the paired differences of those that may be compared.

    Args:
        trackers: In the order in which they were named; intervals that they have stay where none can be computed.
        protocol: Of the evaluation.
        split: The order of the sequences.
        eao: What each tracker's expected average overlap is made of, where that is known.
    """
    order = list(split)
    by_name = {tracker.name: tracker for tracker in trackers}
    scored = {tracker.name: _scored(tracker, order) for tracker in trackers}
    group = comparable(scored)
    alone = [name for name in by_name if scored[name] and name not in group]
    intervals = {tracker.name: dict(tracker.intervals) for tracker in trackers}
    differences: list[Difference] = []
    for figure in headline_figures(protocol):
        sums = {name: _sums(by_name[name], scored[name], figure.key, eao) for name in (*group, *alone)}
        together = _spread({name: sums[name] for name in group})
        for spread in (together, *(_spread({name: sums[name]}) for name in alone)):
            for name, interval in spread.intervals.items():
                intervals[name][figure.key] = interval
        for name, (difference, low, high) in together.differences.items():
            above, below = _above_and_below(by_name[name], by_name[group[0]], figure.key)
            better, worse = (above, below) if figure.higher_is_better else (below, above)
            differences.append(
                Difference(
                    tracker=name,
                    figure=figure.key,
                    difference=difference,
                    low=low,
                    high=high,
                    better_on=better if figure.key != EAO else None,
                    worse_on=worse if figure.key != EAO else None,
                )
            )
    return Compared(
        [TrackerReport(**{**dict(tracker), "intervals": intervals[tracker.name]}) for tracker in trackers],
        Comparison(trackers=group, sequences=scored[group[0]] if group else [], differences=differences),
    )


def _scored(tracker: TrackerReport, order: Sequence[str]) -> list[str]:
    return [name for name in order if name in tracker.by_sequence and tracker.by_sequence[name].figures]


def _sums(tracker: TrackerReport, sequences: Sequence[str], figure: str, eao: Mapping[str, Sums]) -> Sums | None:
    if figure == EAO:
        return eao.get(tracker.name)
    rows = [tracker.by_sequence[name] for name in sequences]
    values = [row.figures[figure] for row in rows]
    return mean_sums([value for value in values if value is not None], [row.weight for row in rows])


def _spread(sums: Mapping[str, Sums | None]) -> Spread:
    known = {name: part for name, part in sums.items() if part is not None}
    return spread_of(known) if known and len(known) == len(sums) else Spread({}, {})


def _above_and_below(tracker: TrackerReport, baseline: TrackerReport, figure: str) -> tuple[int, int]:
    """On how many sequences a tracker's figure lies above the baseline's, and on how many below."""
    pairs = [
        (tracker.by_sequence[name].figures.get(figure), baseline.by_sequence[name].figures.get(figure))
        for name in tracker.by_sequence
        if name in baseline.by_sequence
    ]
    apart = [own - other for own, other in pairs if own is not None and other is not None]
    return sum(value > 0 for value in apart), sum(value < 0 for value in apart)
