"""What an evaluation gives: for each tracker, each sequence's figures beside the boxes they were computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from siamfc.data import Sequence
from siamfc.evaluation.got10k_metrics import Got10kScore
from siamfc.evaluation.metrics import OnePassScore
from siamfc.evaluation.records import Trajectory
from siamfc.evaluation.vot_metrics import VotScore, VotSequenceScore


@dataclass(frozen=True, eq=False)
class SequenceScore:
    """One tracker on one sequence.

    Attributes:
        sequence: The frames, true boxes and attributes.
        runs: What the tracker left, by the name of the run: one in one-pass protocols, more in TRE and SRE.
        score: Figures of the protocol, averaged over the runs; None where the sequence's truth is not public.
        frames_per_second: Frames tracked over time inside the tracker; None where no times are known.
    """

    sequence: Sequence
    runs: Mapping[str, Trajectory]
    score: OnePassScore | Got10kScore | VotSequenceScore | None
    frames_per_second: float | None


@dataclass(frozen=True, eq=False)
class TrackerScore:
    """One tracker on a data set.

    Attributes:
        tracker: Its name in tables.
        sequences: In the data set's order; those of ``problems`` are missing.
        score: Mean over the sequences, as the protocol takes it; None where there is no figure.
        problems: Why sequences have no result, by name.
        provenance: Where its boxes come from: weights' hash, settings and versions, or the folder of results and the
            pixel base that was assumed.
    """

    tracker: str
    sequences: tuple[SequenceScore, ...] = field(repr=False)
    score: OnePassScore | Got10kScore | VotScore | None
    problems: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Trackers side by side on one data set, by one protocol.

    Attributes:
        dataset: The layout's name, such as ``"otb2013"``.
        split: The names of the sequences that were asked for, in order: what makes figures comparable.
        protocol: ``"ope"``, ``"tre"``, ``"sre"``, ``"got10k"`` or ``"vot"``.
        trackers: In the order in which they were named.
        provenance: What all share: versions, the data set's folder name, counts of frames with and without truth.
    """

    dataset: str
    split: tuple[str, ...]
    protocol: str
    trackers: tuple[TrackerScore, ...]
    provenance: Mapping[str, Any] = field(default_factory=dict, repr=False)
