"""What a reader of a report must know before taking a figure out of it, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from siamfc.evaluation.reporting.model import Report, TrackerReport

_VOT_CHALLENGE_SEQUENCES = 60  # VOT2015 to VOT2019
_FEW_SEQUENCES = 10


def notes_on(report: Report) -> list[str]:
    """One sentence or two a matter, the gravest first."""
    return [
        *_incomplete(report),
        *_expected_overlap(report),
        *_frames(report),
        *_surety(report),
        *_speed(report),
    ]


def _incomplete(report: Report) -> Iterator[str]:
    total = len(report.split)
    for tracker in report.trackers:
        hidden = [name for name, row in tracker.by_sequence.items() if not row.figures]
        if hidden:
            yield (
                f"{tracker.name}: no figures on {_count(len(hidden), 'sequence')}, whose truth is not public: "
                f"{_some(hidden)}."
            )
        if tracker.problems:
            scored = tracker.sequences_scored
            means = f"; its means are over the {scored} others" if scored else ""
            yield (
                f"{tracker.name}: {_count(len(tracker.problems), 'sequence')} of {total} without a result{means}. "
                + _reasons(tracker)
            )
    group = report.comparison.trackers
    outside = [tracker.name for tracker in report.trackers if tracker.sequences_scored and tracker.name not in group]
    if outside:
        yield (
            f"Curves, attributes and differences compare {_listed(group)}, on the same "
            f"{_count(len(report.comparison.sequences), 'sequence')}. They leave out {_listed(outside)}, scored on "
            "others: a mean over other sequences is another figure."
        )


def _reasons(tracker: TrackerReport) -> str:
    return " ".join(f"{sequence}: {_sentence(reason)}" for sequence, reason in tracker.problems.items())


def eao_is_comparable(report: Report) -> bool:
    """Whether the expected average overlap is over as many sequences as that of a VOT challenge."""
    return all(tracker.sequences_scored in (0, _VOT_CHALLENGE_SEQUENCES) for tracker in report.trackers)


def _expected_overlap(report: Report) -> Iterator[str]:
    if report.eao_interval and not eao_is_comparable(report):
        low, high = report.eao_interval
        yield (
            f"The EAO here is over {_count(len(report.comparison.sequences), 'sequence')}, not a VOT challenge's "
            f"{_VOT_CHALLENGE_SEQUENCES}: it is comparable with nothing that is published. It is the mean of the curve "
            f"from {low} to {high} frames."
        )


def _frames(report: Report) -> Iterator[str]:
    if not report.comparison.trackers:
        return
    first = next(tracker for tracker in report.trackers if tracker.name == report.comparison.trackers[0])
    rows = {name: row for name, row in first.by_sequence.items() if row.figures}
    left_out = {name: row.frames_left_out for name, row in rows.items() if row.frames_left_out}
    if report.protocol == "vot":
        return  # there it depends on the tracker: burn-in, failures
    why = {"got10k": "the first of each run, and those without truth or with the target out of view"}
    reason = why.get(report.protocol, "nobody knows where the target is, or it is not in view")
    if left_out:
        runs = "" if report.protocol == "ope" else ", over all runs"
        named = _some([f"{name} {count:,}" for name, count in left_out.items()])
        yield f"{_count(sum(left_out.values()), 'frame')}{runs}, in no figure: {reason} ({named})."
    for tracker in report.trackers:
        lost = sum(row.frames_lost or 0 for row in tracker.by_sequence.values())
        if lost:
            yield f"{tracker.name} gave no box in {_count(lost, 'frame')}: they count as an overlap of 0."


def _surety(report: Report) -> Iterator[str]:
    sequences = len(report.comparison.sequences)
    if not sequences:
        return
    if sequences == 1:
        yield "One sequence: there are no intervals, and the figures say nothing about others."
        return
    few = " So few sequences give no more than a hint." if sequences < _FEW_SEQUENCES else ""
    yield (
        f"Intervals hold {report.bootstrap.confidence:.0%} of {report.bootstrap.resamples:,} draws of the sequences "
        f"with replacement (percentile bootstrap, seed {report.bootstrap.seed}); differences are taken on the same "
        f"draws. They tell how much the choice of sequences matters, each figure by itself, not how a tracker varies "
        f"from training to training.{few}"
    )


def _speed(report: Report) -> Iterator[str]:
    timed = [name for name, timing in report.timings.items() if timing.frames_per_second]
    if timed:
        untimed = [name for name in report.timings if name not in timed]
        rest = f" No times are known of {_listed(untimed)}." if untimed else ""
        yield (
            "Speeds are frames over time inside the tracker, reading frames left out; they belong to the machine and "
            f"the load under which the boxes were made.{rest}"
        )


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else "".join(names)


def _some(names: list[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else text + "."
