"""From runs to figures: a sequence's, averaged over its runs, and a tracker's, averaged over sequences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from siamfc.data.frame_reader import frame_size
from siamfc.data.sequence import Sequence as FrameSequence
from siamfc.evaluation.got10k_metrics import Got10kScore, got10k_score, pooled_got10k
from siamfc.evaluation.metrics import OnePassScore, mean_score, one_pass_score, pooled_score
from siamfc.evaluation.plans import PlannedRun, is_truth_hidden
from siamfc.evaluation.records import Trajectory
from siamfc.evaluation.scores import SequenceScore, TrackerScore
from siamfc.evaluation.vot_metrics import VotScore, VotSequenceScore, vot_score, vot_sequence_score

AnySequenceScore = OnePassScore | Got10kScore | VotSequenceScore


def score_sequence(
    protocol: str, sequence: FrameSequence, runs: Mapping[str, Trajectory], planned: Sequence[PlannedRun]
) -> SequenceScore:
    """Figures of a tracker on a sequence, from its runs.

    Args:
        protocol: Which protocol made them.
        sequence: The truth.
        runs: By name, at least one.
        planned: The protocol's runs on the sequence; those of TRE count from their start on.

    Raises:
        BoxError: No frame counts, or a run is of another length.
        SourceError: The first frame, whose size GOT-10k and VOT need, cannot be read.
    """
    score = None if is_truth_hidden(sequence) else _score(protocol, sequence, runs, planned)
    return SequenceScore(sequence, runs, score, frames_per_second(runs.values()))


def score_tracker(
    tracker: str,
    protocol: str,
    sequences: Sequence[SequenceScore],
    *,
    eao_interval: tuple[int, int],
    problems: Mapping[str, str],
    provenance: Mapping[str, Any],
) -> TrackerScore:
    """Figures of a tracker on a dataset: the mean that the protocol takes over the sequences that have figures.

    OTB and its kin weigh sequences alike; GOT-10k's toolkit weighs them by their frames, and so does VOT's.
    """
    return TrackerScore(
        tracker, tuple(sequences), _mean(protocol, sequences, eao_interval), dict(problems), dict(provenance)
    )


def frames_per_second(runs: Iterable[Trajectory]) -> float | None:
    """Frames over time inside the tracker, all runs together; None where no time is known.

    Example:
        >>> run = Trajectory(np.array([1, 3]), np.zeros((2, 4)), np.array([0.75, 0.25]))
        >>> frames_per_second([run, run])
        2.0
    """
    seconds = np.concatenate([run.seconds for run in runs])
    known = seconds[np.isfinite(seconds)]
    return float(known.size / known.sum()) if known.size and known.sum() > 0 else None


def _score(
    protocol: str, sequence: FrameSequence, runs: Mapping[str, Trajectory], planned: Sequence[PlannedRun]
) -> AnySequenceScore:
    if protocol == "vot":
        truth = sequence.boxes if sequence.polygons is None else sequence.polygons
        return vot_sequence_score(list(runs.values()), truth, frame_size=frame_size(sequence))
    if protocol == "got10k":
        size, cover = frame_size(sequence), sequence.levels.get("cover")
        return pooled_got10k(
            [got10k_score(run.boxes, sequence.boxes, frame_size=size, cover=cover) for run in runs.values()]
        )
    # What lies before a temporal start is not part of the run.
    starts = {run.name: run.start.frame for run in planned if run.start is not None and protocol == "tre"}
    return pooled_score(
        [
            one_pass_score(run.boxes[starts.get(name, 0) :], sequence.boxes[starts.get(name, 0) :])
            for name, run in runs.items()
        ]
    )


def _mean(
    protocol: str, sequences: Sequence[SequenceScore], eao_interval: tuple[int, int]
) -> OnePassScore | Got10kScore | VotScore | None:
    scores = [sequence.score for sequence in sequences if sequence.score is not None]
    if not scores:
        return None
    if protocol == "vot":
        return vot_score([score for score in scores if isinstance(score, VotSequenceScore)], interval=eao_interval)
    if protocol == "got10k":
        return pooled_got10k([score for score in scores if isinstance(score, Got10kScore)])
    return mean_score([score for score in scores if isinstance(score, OnePassScore)])
