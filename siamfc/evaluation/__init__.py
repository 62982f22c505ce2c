"""How accurately a tracker localises, by the field's own protocols; names are resolved when first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from siamfc.evaluation.bootstrap import ConfidenceInterval, bootstrap_difference, bootstrap_mean
    from siamfc.evaluation.evaluating import evaluate
    from siamfc.evaluation.expected_overlap import EAO_INTERVALS, expected_average_overlap, expected_overlap_curve
    from siamfc.evaluation.got10k_adapter import Got10kTracker
    from siamfc.evaluation.got10k_metrics import (
        Got10kScore,
        class_balanced_got10k,
        got10k_score,
        mean_got10k,
        pooled_got10k,
    )
    from siamfc.evaluation.metrics import (
        FrameErrors,
        OnePassScore,
        frame_errors,
        mean_score,
        one_pass_score,
        pooled_score,
    )
    from siamfc.evaluation.polygons import polygon_overlap
    from siamfc.evaluation.protocols import run_one_pass, run_vot_supervised
    from siamfc.evaluation.records import FrameRecord, FrameState, Trajectory
    from siamfc.evaluation.scores import Evaluation, SequenceScore, TrackerScore
    from siamfc.evaluation.starts import RunStart, one_pass_start, spatial_starts, temporal_starts
    from siamfc.evaluation.vot_metrics import VotScore, VotSequenceScore, vot_score, vot_sequence_score
    from siamfc.workers import Workers

_HOME = {
    "ConfidenceInterval": "bootstrap",
    "EAO_INTERVALS": "expected_overlap",
    "Evaluation": "scores",
    "FrameErrors": "metrics",
    "FrameRecord": "records",
    "FrameState": "records",
    "Got10kScore": "got10k_metrics",
    "Got10kTracker": "got10k_adapter",
    "OnePassScore": "metrics",
    "RunStart": "starts",
    "SequenceScore": "scores",
    "TrackerScore": "scores",
    "Trajectory": "records",
    "VotScore": "vot_metrics",
    "VotSequenceScore": "vot_metrics",
    "Workers": ".workers",  # a level up
    "bootstrap_difference": "bootstrap",
    "bootstrap_mean": "bootstrap",
    "class_balanced_got10k": "got10k_metrics",
    "evaluate": "evaluating",
    "expected_average_overlap": "expected_overlap",
    "expected_overlap_curve": "expected_overlap",
    "frame_errors": "metrics",
    "got10k_score": "got10k_metrics",
    "mean_got10k": "got10k_metrics",
    "mean_score": "metrics",
    "one_pass_score": "metrics",
    "one_pass_start": "starts",
    "polygon_overlap": "polygons",
    "pooled_got10k": "got10k_metrics",
    "pooled_score": "metrics",
    "run_one_pass": "protocols",
    "run_vot_supervised": "protocols",
    "spatial_starts": "starts",
    "temporal_starts": "starts",
    "vot_score": "vot_metrics",
    "vot_sequence_score": "vot_metrics",
}

__all__ = [
    "EAO_INTERVALS",
    "ConfidenceInterval",
    "Evaluation",
    "FrameErrors",
    "FrameRecord",
    "FrameState",
    "Got10kScore",
    "Got10kTracker",
    "OnePassScore",
    "RunStart",
    "SequenceScore",
    "TrackerScore",
    "Trajectory",
    "VotScore",
    "VotSequenceScore",
    "Workers",
    "bootstrap_difference",
    "bootstrap_mean",
    "class_balanced_got10k",
    "evaluate",
    "expected_average_overlap",
    "expected_overlap_curve",
    "frame_errors",
    "got10k_score",
    "mean_got10k",
    "mean_score",
    "one_pass_score",
    "one_pass_start",
    "polygon_overlap",
    "pooled_got10k",
    "pooled_score",
    "run_one_pass",
    "run_vot_supervised",
    "spatial_starts",
    "temporal_starts",
    "vot_score",
    "vot_sequence_score",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
