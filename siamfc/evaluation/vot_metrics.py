"""VOT's figures for supervised runs: accuracy, robustness and reliability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siamfc.errors import BoxError
from siamfc.evaluation.expected_overlap import (
    Fragment,
    expected_average_overlap,
    expected_overlap_curve,
    split_fragments,
)
from siamfc.evaluation.polygons import polygon_overlap, regions_with_area
from siamfc.evaluation.records import FrameState, Trajectory

Floats = NDArray[np.float64]

BURN_IN = 10
"""Frames, from a start on and with it, that say nothing about accuracy: the box there is close to the given one."""


@dataclass(frozen=True, eq=False)
class VotSequenceScore:
    """Figures of one sequence, averaged over its repetitions.

    Attributes:
        accuracy: Mean overlap after burn-in; 0 where no frame is left, as in the toolkit.
        failures: How often the tracker had to be started again (or would, had the sequence gone on).
        frames: Length of the sequence: its weight.
        valid_overlaps: (N,) overlap of each frame that counts for accuracy, mean over the repetitions in which it
            does; NaN where it never does.
        fragments: What the expected average overlap is made of.
    """

    accuracy: float
    failures: float
    frames: int
    valid_overlaps: Floats
    fragments: tuple[Fragment, ...]


@dataclass(frozen=True, eq=False)
class VotScore:
    """Figures of a data set.

    Attributes:
        accuracy: A, mean of the sequences' accuracies, each weighing as many frames as it has.
        pooled_accuracy: Mean overlap over the valid frames of all sequences.
        robustness: R, mean of the sequences' failures, weighted like ``accuracy``.
        failures: All failures, the mean over repetitions.
        reliability: Share of runs expected to survive ``sensitivity`` frames: ``exp(-sensitivity failures / frames)``.
        frames: How many frames all sequences have.
        expected_overlap_curve: (longest sequence,) `expected_overlap_curve`.
        expected_average_overlap: EAO, its mean over ``interval``; NaN where the curve does not reach it.
        interval: Lowest and highest count of frames of the EAO, both inside.
    """

    accuracy: float
    pooled_accuracy: float
    robustness: float
    failures: float
    reliability: float
    frames: int
    expected_overlap_curve: Floats = field(repr=False)
    expected_average_overlap: float
    interval: tuple[int, int]


def vot_overlaps(trajectory: Trajectory, truth: ArrayLike, *, frame_size: tuple[int, int]) -> Floats:
    """(N,) overlap with the truth inside the frame, NaN where nothing was tracked or no truth with an area is known.

    A box that is not finite or has no area is an overlap of 0.

    Args:
        trajectory: A supervised run.
        truth: (N, 8) corners of polygons or (N, 4) boxes, frame pixels.
        frame_size: (height, width), pixels.

    Raises:
        BoxError: Two lengths.
    """
    regions = regions_with_area(truth)
    if len(regions) != len(trajectory):
        raise BoxError(f"the run has {len(trajectory)} frames, the truth {len(regions)}: there must be one a frame")
    boxes = trajectory.boxes
    usable = np.isfinite(boxes).all(axis=1) & (boxes[:, 2] > 0) & (boxes[:, 3] > 0)
    found = polygon_overlap(regions, np.where(usable[:, None], boxes, 0.0), frame_size=frame_size)
    return np.where(trajectory.states == FrameState.TRACKED, np.where(usable | np.isnan(found), found, 0.0), np.nan)


def valid_overlaps(states: ArrayLike, overlaps: ArrayLike, *, burn_in: int = BURN_IN) -> Floats:
    """The overlaps with NaN in the ``burn_in`` frames from each start on, the start being the first of them.

    Example:
        >>> valid_overlaps([1, 3, 3, 2, 0, 1, 3], [np.nan, 0.9, 0.8, np.nan, np.nan, np.nan, 0.7], burn_in=2).tolist()
        [nan, nan, 0.8, nan, nan, nan, nan]
    """
    valid = np.array(overlaps, dtype=np.float64)
    for start in np.flatnonzero(np.asarray(states) == FrameState.STARTED):
        valid[start : start + burn_in] = np.nan
    return valid


def vot_sequence_score(
    trajectories: Sequence[Trajectory],
    truth: ArrayLike,
    *,
    frame_size: tuple[int, int],
    burn_in: int = BURN_IN,
) -> VotSequenceScore:
    """Figures of one sequence from one or more repetitions; arguments as `vot_overlaps` and `valid_overlaps`.

    Kristan et al.: A Novel Performance Evaluation Methodology for Single-Target Trackers (2016), and
    ``supervised_ar`` of the VOT toolkit 0.9.0, but for exact areas (`polygon_overlap`).

    Raises:
        BoxError: A run and a truth of two lengths.
        ValueError: No trajectory.
    """
    if not trajectories:
        raise ValueError("there is no trajectory to score")
    overlaps = [vot_overlaps(trajectory, truth, frame_size=frame_size) for trajectory in trajectories]
    valid = np.stack(
        [
            valid_overlaps(trajectory.states, row, burn_in=burn_in)
            for trajectory, row in zip(trajectories, overlaps, strict=True)
        ]
    )
    failures = [np.count_nonzero(trajectory.states == FrameState.FAILED) for trajectory in trajectories]
    return VotSequenceScore(
        accuracy=float(np.mean([_mean_or(row, 0.0) for row in valid])),
        failures=float(np.mean(failures)),
        frames=len(trajectories[0]),
        valid_overlaps=_column_means(valid),
        fragments=tuple(
            fragment
            for trajectory, row in zip(trajectories, overlaps, strict=True)
            for fragment in split_fragments(trajectory.states, row)
        ),
    )


def vot_score(scores: Sequence[VotSequenceScore], *, interval: tuple[int, int], sensitivity: float = 30.0) -> VotScore:
    """Figures of a data set.

    Accuracy and robustness are weighted as ``supervised_average_ar`` of the VOT toolkit 0.9.0 does; the MATLAB
    toolkit of the challenges 2015 to 2019 and PySOT print ``pooled_accuracy`` and ``failures``. Reliability is
    ``exp(-S M / N)`` of the paper, with M failures in N frames; the toolkit weights the failures by length first.

    Args:
        scores: One a sequence.
        interval: Of the expected average overlap; `EAO_INTERVALS` has those of the challenges.
        sensitivity: S of the reliability, frames.

    Raises:
        ValueError: No score, or an interval that is empty or starts below 1.
    """
    if not scores:
        raise ValueError("there is no score to average")
    frames = np.array([score.frames for score in scores])
    failures = sum(score.failures for score in scores)
    fragments = [fragment for score in scores for fragment in score.fragments]
    curve = expected_overlap_curve(fragments, num_frames=int(frames.max()))
    return VotScore(
        accuracy=float(np.average([score.accuracy for score in scores], weights=frames)),
        pooled_accuracy=_mean_or(np.concatenate([score.valid_overlaps for score in scores]), 0.0),
        robustness=float(np.average([score.failures for score in scores], weights=frames)),
        failures=failures,
        reliability=exp(-sensitivity * failures / int(frames.sum())),
        frames=int(frames.sum()),
        expected_overlap_curve=curve,
        expected_average_overlap=expected_average_overlap(curve, interval),
        interval=interval,
    )


def _mean_or(values: Floats, otherwise: float) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else otherwise


def _column_means(rows: Floats) -> Floats:
    known = ~np.isnan(rows)
    counts = known.sum(axis=0)
    return np.where(counts, np.where(known, rows, 0).sum(axis=0) / np.maximum(counts, 1), np.nan)
