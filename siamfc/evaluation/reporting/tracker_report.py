"""A tracker's score as the report keeps it: figures, curves, sequences, attributes, speed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from siamfc.errors import SiamfcError
from siamfc.evaluation.metrics import OnePassScore
from siamfc.evaluation.reporting.figures import EAO, curves_of, figure_values, frames_of, sequence_weight
from siamfc.evaluation.reporting.intervals import Sums, expected_overlap_sums, mean_sums
from siamfc.evaluation.reporting.model import AttributeReport, CurveReport, SequenceReport, Timing, TrackerReport
from siamfc.evaluation.scores import Evaluation, SequenceScore, TrackerScore
from siamfc.evaluation.vot_metrics import VotScore, VotSequenceScore


def tracker_report(tracker: TrackerScore, attributes: Mapping[str, Sequence[str]]) -> TrackerReport:
    """A tracker without intervals, which need the other trackers.

    Args:
        tracker: With sequences in the order of the split.
        attributes: Names of the sequences with each attribute.
    """
    by_sequence = {row.sequence.name: _sequence_report(row) for row in tracker.sequences}
    scored = {name: row for name, row in by_sequence.items() if row.figures}
    curves = curves_of(tracker.score) if tracker.score else {}
    figures = figure_values(tracker.score) if tracker.score else {}
    _check_means(tracker.tracker, figures, list(scored.values()))
    marked = {mark: [scored[name] for name in names if name in scored] for mark, names in attributes.items()}
    return TrackerReport(
        name=tracker.tracker,
        sequences_scored=len(scored),
        figures=figures,
        intervals={},
        curves={name: CurveReport(x=curve.x.tolist(), y=curve.y.tolist()) for name, curve in curves.items()},
        by_sequence=by_sequence,
        by_attribute={
            mark: AttributeReport(sequences=len(rows), figures=_means(rows)) for mark, rows in marked.items() if rows
        },
        problems=dict(tracker.problems),
        provenance=dict(tracker.provenance),
    )


def attributes_of(evaluation: Evaluation) -> dict[str, list[str]]:
    """Names of the sequences with each attribute, in the split's order; attributes as sequences first name them."""
    sequences = {row.sequence.name: row.sequence for tracker in evaluation.trackers for row in tracker.sequences}
    found: dict[str, list[str]] = {}
    for name in (name for name in evaluation.split if name in sequences):
        for attribute in sequences[name].attributes:
            found.setdefault(attribute, []).append(name)
    return found


def eao_sums(tracker: TrackerScore) -> Sums | None:
    """What a tracker's expected average overlap is made of; None where it has none."""
    rows = [row.score for row in tracker.sequences if isinstance(row.score, VotSequenceScore)]
    if not isinstance(tracker.score, VotScore) or not rows:
        return None
    longest = max(row.frames for row in rows)
    return expected_overlap_sums([row.fragments for row in rows], num_frames=longest, interval=tracker.score.interval)


def timing_of(tracker: TrackerScore) -> Timing:
    """A tracker's speed; that of all sequences together weighs each by its frames."""
    speeds = {row.sequence.name: row.frames_per_second for row in tracker.sequences}
    timed = [(len(row.sequence), row.frames_per_second) for row in tracker.sequences if row.frames_per_second]
    seconds = sum(frames / speed for frames, speed in timed)
    overall = sum(frames for frames, _ in timed) / seconds if timed else None
    return Timing(frames_per_second=overall, by_sequence=speeds)


def _sequence_report(row: SequenceScore) -> SequenceReport:
    score = row.score
    counted, left_out = frames_of(score) if score else (0, len(row.sequence))
    return SequenceReport(
        frames=len(row.sequence),
        frames_counted=counted,
        frames_left_out=left_out,
        frames_lost=score.frames_lost if isinstance(score, OnePassScore) else None,
        weight=sequence_weight(score) if score else 0.0,
        figures=figure_values(score) if score else {},
    )


def _means(rows: Sequence[SequenceReport]) -> dict[str, float]:
    weights = [row.weight for row in rows]
    return {
        figure: float(
            mean_sums([row.figures[figure] or 0.0 for row in rows], weights).of_draws(np.ones((1, len(rows))))[0]
        )
        for figure in rows[0].figures
    }


def _check_means(tracker: str, figures: Mapping[str, float], rows: Sequence[SequenceReport]) -> None:
    """Stop where the figures of the whole are not those of the sequences: the intervals would belong to others."""
    for figure, mean in (_means(rows) if rows else {}).items():
        if figure != EAO and abs(mean - figures.get(figure, np.nan)) > 1e-5:
            raise SiamfcError(
                f"{tracker}: its {figure} is {figures[figure]:.6f}, but {mean:.6f} is the mean of its sequences'"
            )
