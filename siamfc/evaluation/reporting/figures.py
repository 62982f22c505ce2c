"""Which figures stand for a score in tables and reports, under which names, and how those of sequences are averaged."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from siamfc.evaluation.got10k_metrics import GOT10K_THRESHOLDS, Got10kScore
from siamfc.evaluation.metrics import (
    NORMALIZED_PRECISION_THRESHOLDS,
    PRECISION_THRESHOLDS,
    SUCCESS_THRESHOLDS,
    Floats,
    OnePassScore,
)
from siamfc.evaluation.vot_metrics import VotScore, VotSequenceScore

AnyScore = OnePassScore | Got10kScore | VotScore | VotSequenceScore

EAO = "expected_average_overlap"
"""The one figure that is no mean over sequences."""


class Figure(NamedTuple):
    """A number that a table shows.

    Attributes:
        key: Its name in ``report.json``.
        label: Its name in tables.
        meaning: Its definition, in a line.
        higher_is_better: Whether more is better.
    """

    key: str
    label: str
    meaning: str
    higher_is_better: bool = True


_ONE_PASS = (
    Figure("success_auc", "success AUC", "mean, over the overlaps 0, 0.05, ..., 1, of the share of frames above them"),
    Figure("precision", "precision 20 px", "share of frames whose centre is at most 20 pixels off"),
    Figure(
        "normalized_precision",
        "norm. precision",
        "mean, over errors of 0, 0.01, ..., 0.5 of the target's size, of the share of frames at most that far off",
    ),
)
_GOT10K = (
    Figure("average_overlap", "AO", "average overlap: mean over the frames that count"),
    Figure("success_rate_50", "SR 0.5", "share of frames whose overlap is above 0.5"),
    Figure("success_rate_75", "SR 0.75", "share of frames whose overlap is above 0.75"),
)
_VOT = (
    Figure("accuracy", "A", "accuracy: mean overlap while tracking, ten frames of burn-in after each start left out"),
    Figure("robustness", "R", "failures a sequence, sequences weighing as many frames as they have", False),
    Figure(EAO, "EAO", "expected average overlap on sequences of a typical length"),
)


def headline_figures(protocol: str) -> tuple[Figure, ...]:
    """The figures by which a protocol's trackers are compared, the foremost first.

    Example:
        >>> [figure.label for figure in headline_figures("got10k")]
        ['AO', 'SR 0.5', 'SR 0.75']
    """
    return {"got10k": _GOT10K, "vot": _VOT}.get(protocol, _ONE_PASS)


def figure_values(score: AnyScore) -> dict[str, float]:
    """Every figure of a score, by its key; a sequence's ``robustness`` is its count of failures."""
    if isinstance(score, OnePassScore):
        return {
            "success_auc": score.success_auc,
            "precision": score.precision,
            "normalized_precision": score.normalized_precision,
            "normalized_precision_at_20_percent": score.normalized_precision_at_20_percent,
            "average_overlap": score.average_overlap,
            "success_rate_50": score.success_rate_50,
            "success_rate_75": score.success_rate_75,
        }
    if isinstance(score, Got10kScore):
        return {figure.key: float(getattr(score, figure.key)) for figure in _GOT10K}
    if isinstance(score, VotSequenceScore):
        return {"accuracy": score.accuracy, "robustness": score.failures}
    return {
        "accuracy": score.accuracy,
        "robustness": score.robustness,
        EAO: score.expected_average_overlap,
        "pooled_accuracy": score.pooled_accuracy,
        "failures": score.failures,
        "reliability": score.reliability,
    }


def sequence_weight(score: AnyScore) -> float:
    """What a sequence weighs in its data set's means: its frames in GOT-10k's toolkit and VOT's, else one."""
    return 1.0 if isinstance(score, OnePassScore) else float(score.frames)


class Curve(NamedTuple):
    """A curve of a score.

    Attributes:
        x: (N,) where it is taken.
        y: (N,) its values, NaN where there is none.
    """

    x: Floats
    y: Floats


def curves_of(score: AnyScore) -> dict[str, Curve]:
    """The curves of a data set's score, by name; a VOT sequence has none."""
    if isinstance(score, OnePassScore):
        return {
            "success": Curve(SUCCESS_THRESHOLDS, score.success_curve),
            "precision": Curve(PRECISION_THRESHOLDS, score.precision_curve),
            "normalized_precision": Curve(NORMALIZED_PRECISION_THRESHOLDS, score.normalized_precision_curve),
        }
    if isinstance(score, Got10kScore):
        return {"success": Curve(GOT10K_THRESHOLDS, score.success_curve)}
    if isinstance(score, VotScore):
        y = score.expected_overlap_curve
        return {"expected_overlap": Curve(np.arange(len(y), dtype=np.float64), y)}
    return {}


def frames_of(score: AnyScore) -> tuple[int, int]:
    """How many frames a sequence's figures are made of, over all its runs, and how many are left out of them."""
    if isinstance(score, OnePassScore):
        return score.frames, score.frames_without_truth
    if isinstance(score, Got10kScore):
        return score.frames, score.frames_left_out
    if isinstance(score, VotSequenceScore):
        counted = int(np.count_nonzero(~np.isnan(score.valid_overlaps)))
        return counted, score.frames - counted
    return score.frames, 0
