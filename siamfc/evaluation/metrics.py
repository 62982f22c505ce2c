"""How well the boxes of one uninterrupted run fit the truth: the figures of OTB, LaSOT, UAV123, NfS and TrackingNet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siamfc.boxes import center_distance, intersection_over_union
from siamfc.errors import BoxError

Floats = NDArray[np.float64]

SUCCESS_THRESHOLDS: Floats = np.linspace(0, 1, 21)
"""Overlaps at which the success curve is taken: 0, 0.05, ..., 1."""

PRECISION_THRESHOLDS: Floats = np.arange(51, dtype=np.float64)
"""Centre errors, in pixels, at which the precision curve is taken: 0, 1, ..., 50."""

NORMALIZED_PRECISION_THRESHOLDS: Floats = np.arange(51) / 100
"""Centre errors, in shares of the true box, at which the normalised curve is taken: 0, 0.01, ..., 0.5."""


class FrameErrors(NamedTuple):
    """What a run got wrong, frame by frame; NaN where the frame has no true box.

    Attributes:
        overlaps: (N,) intersection over union, 0..1; 0 where the tracker gave no box.
        center_errors: (N,) distance of the centres, pixels; infinite where the tracker gave no box.
        normalized_errors: (N,) the same with x in widths and y in heights of the true box.
    """

    overlaps: Floats
    center_errors: Floats
    normalized_errors: Floats


@dataclass(frozen=True, eq=False)
class OnePassScore:
    """Figures of one run, or their average over runs or sequences.

    Attributes:
        success_curve: (21,) share of frames whose overlap is strictly greater than `SUCCESS_THRESHOLDS`.
        precision_curve: (51,) share of frames whose centre error is at most `PRECISION_THRESHOLDS` pixels.
        normalized_precision_curve: (51,) the same for `NORMALIZED_PRECISION_THRESHOLDS`.
        average_overlap: Mean overlap.
        frames: How many frames count.
        frames_without_truth: How many do not, because nobody knows where the target is, or it is not in view.
        frames_lost: In how many of those that count the tracker gave no box.
    """

    success_curve: Floats = field(repr=False)
    precision_curve: Floats = field(repr=False)
    normalized_precision_curve: Floats = field(repr=False)
    average_overlap: float
    frames: int
    frames_without_truth: int
    frames_lost: int

    @property
    def success_auc(self) -> float:
        """Mean of the success curve, OTB's and LaSOT's main figure; TrackingNet's integral differs a little."""
        return float(self.success_curve.mean())

    @property
    def precision(self) -> float:
        """Share of frames whose centre error is at most 20 px: OTB's precision."""
        return float(self.precision_curve[20])

    @property
    def normalized_precision(self) -> float:
        """Mean of the normalised precision curve: its area over errors of 0 to 0.5 of the target's size."""
        return float(self.normalized_precision_curve.mean())

    @property
    def normalized_precision_at_20_percent(self) -> float:
        """The normalised curve at 0.2, which LaSOT's toolkit and PyTracking print as "normalized precision"."""
        return float(self.normalized_precision_curve[20])

    @property
    def success_rate_50(self) -> float:
        """Share of frames whose overlap is above 0.5."""
        return float(self.success_curve[10])

    @property
    def success_rate_75(self) -> float:
        """Share of frames whose overlap is above 0.75."""
        return float(self.success_curve[15])


def frame_errors(predicted: ArrayLike, truth: ArrayLike) -> FrameErrors:
    """Overlap and centre error of every frame.

    A frame has truth where the true box is four finite numbers with sides above zero. A prediction with a number
    that is not finite is no box: overlap 0, infinite error. (The toolkits of OTB and LaSOT put the last box in its
    place, which hides a failure; got10k counts it as we do.)

    The normalised error divides the offset of the centres by the true width and height, as TrackingNet (Mueller et
    al. 2018, section 4) and LaSOT's ``calc_seq_err_robust.m`` do.

    Args:
        predicted: (N, 4) x, y, width, height.
        truth: (N, 4), in the same pixels.

    Raises:
        BoxError: Another shape, or two lengths.

    Example:
        >>> errors = frame_errors([[0, 0, 4, 4], [0, 0, 4, 4]], [[0, 2, 4, 4], [np.nan] * 4])
        >>> errors.overlaps.round(3).tolist(), errors.center_errors.tolist(), errors.normalized_errors.tolist()
        ([0.333, nan], [2.0, nan], [0.5, nan])
    """
    found, true = as_box_rows(predicted, truth)
    known, lost = has_truth(true), ~has_box(found)
    found, true = np.where(lost[:, None], np.nan, found), np.where(known[:, None], true, np.nan)
    # x + width - x is not exactly width, so the overlap of equal boxes can pass 1 by a rounding error and with it
    # the threshold at 1, which nothing may pass.
    overlaps = intersection_over_union(found, true)
    units = np.tile(true[:, 2:], 2)
    distances = center_distance(found, true), center_distance(found / units, true / units)
    center_errors, normalized_errors = (np.where(known, np.where(lost, np.inf, far), np.nan) for far in distances)
    return FrameErrors(np.where(known, np.where(lost, 0.0, overlaps), np.nan), center_errors, normalized_errors)


def success_curve(overlaps: ArrayLike, thresholds: ArrayLike = SUCCESS_THRESHOLDS) -> Floats:
    """Share of frames whose overlap is strictly greater than each threshold; NaN frames are left out.

    Wu, Lim, Yang: Object Tracking Benchmark (2013, 2015). With "greater or equal" every frame passes the threshold
    at 0, and the area grows.

    Raises:
        BoxError: No frame is left.

    Example:
        >>> success_curve([0.0, 0.5, 1.0, np.nan], thresholds=[0, 0.5, 0.75, 1]).round(3).tolist()
        [0.667, 0.333, 0.333, 0.0]
    """
    return np.asarray((_counted(overlaps)[:, None] > np.asarray(thresholds)).mean(axis=0))


def precision_curve(center_errors: ArrayLike, thresholds: ArrayLike = PRECISION_THRESHOLDS) -> Floats:
    """Share of frames whose centre error is at most each threshold; NaN frames are left out.

    Raises:
        BoxError: No frame is left.

    Example:
        >>> precision_curve([0.0, 20.0, 20.5, np.inf], thresholds=[0, 20, 50]).tolist()
        [0.25, 0.5, 0.75]
    """
    return np.asarray((_counted(center_errors)[:, None] <= np.asarray(thresholds)).mean(axis=0))


def one_pass_score(predicted: ArrayLike, truth: ArrayLike) -> OnePassScore:
    """Figures of one run over one sequence, by OTB's definition.

    The first frame with truth counts, and counts as found: its box was given. What a result file says there is not
    looked at (``rectMat(1,:) = rect_anno(1,:)`` in OTB's toolkit, ``boxes[0] = anno[0]`` in got10k). Frames without
    truth are left out and counted; OTB, UAV123 and LaSOT divide by all frames instead, and OTB takes them as precise.

    Args:
        predicted: (N, 4) x, y, width, height; NaN where the tracker gave no box.
        truth: (N, 4), NaN where the target is not in view.

    Raises:
        BoxError: Another shape, two lengths, or no frame with truth.

    Example:
        >>> score = one_pass_score([[0, 0, 4, 4], [0, 2, 4, 4], [1, 1, 2, 2]], [[0, 0, 4, 4]] * 2 + [[np.nan] * 4])
        >>> round(score.average_overlap, 4), score.success_rate_50, score.frames, score.frames_without_truth
        (0.6667, 0.5, 2, 1)
    """
    found, true = as_box_rows(predicted, truth)
    known = has_truth(true)
    if not known.any():
        raise BoxError(f"none of the {len(true)} frames has a true box: there is nothing to score")
    given = found.copy()
    given[known.argmax()] = true[known.argmax()]
    errors = frame_errors(given, true)
    return OnePassScore(
        success_curve=success_curve(errors.overlaps),
        precision_curve=precision_curve(errors.center_errors),
        normalized_precision_curve=precision_curve(errors.normalized_errors, NORMALIZED_PRECISION_THRESHOLDS),
        average_overlap=float(errors.overlaps[known].mean()),
        frames=int(known.sum()),
        frames_without_truth=int((~known).sum()),
        frames_lost=int((known & ~has_box(given)).sum()),
    )


def mean_score(scores: Sequence[OnePassScore]) -> OnePassScore:
    """Mean over sequences, each with the same weight, as OTB, LaSOT, UAV123, NfS and TrackingNet report."""
    return _average(scores, np.ones(len(scores)))


def pooled_score(scores: Sequence[OnePassScore]) -> OnePassScore:
    """Average of several runs on one sequence, each weighing as many frames as it has.

    As OTB's toolkit (``genPerfMat.m``) joins the 20 runs of temporal and the 12 of spatial robustness; the mean
    over sequences follows.
    """
    return _average(scores, np.array([score.frames for score in scores], dtype=np.float64))


def _average(scores: Sequence[OnePassScore], weights: Floats) -> OnePassScore:
    if not scores:
        raise ValueError("there is no score to average")
    return OnePassScore(
        success_curve=np.average([score.success_curve for score in scores], axis=0, weights=weights),
        precision_curve=np.average([score.precision_curve for score in scores], axis=0, weights=weights),
        normalized_precision_curve=np.average(
            [score.normalized_precision_curve for score in scores], axis=0, weights=weights
        ),
        average_overlap=float(np.average([score.average_overlap for score in scores], weights=weights)),
        frames=sum(score.frames for score in scores),
        frames_without_truth=sum(score.frames_without_truth for score in scores),
        frames_lost=sum(score.frames_lost for score in scores),
    )


def as_box_rows(predicted: ArrayLike, truth: ArrayLike) -> tuple[Floats, Floats]:
    """Both as (N, 4) float64, checked to be of one length.

    Raises:
        BoxError: Another shape, or two lengths.
    """
    found, true = np.asarray(predicted, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    for boxes, role in ((found, "predicted"), (true, "true")):
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise BoxError(f"{role} boxes are an array (frames, 4) of x, y, width, height, not {boxes.shape}")
    if len(found) != len(true):
        raise BoxError(f"{len(found)} boxes were predicted for {len(true)} frames: there must be one a frame")
    return found, true


def has_box(predicted: Floats) -> NDArray[np.bool_]:
    """(N,) whether each predicted box is four finite numbers; its sides may be anything."""
    return np.asarray(np.isfinite(predicted).all(axis=1))


def has_truth(truth: Floats) -> NDArray[np.bool_]:
    """(N,) whether each true box is four finite numbers with sides above zero."""
    return np.asarray(np.isfinite(truth).all(axis=1) & (truth[:, 2] > 0) & (truth[:, 3] > 0))


def _counted(values: ArrayLike) -> Floats:
    numbers = np.asarray(values, dtype=np.float64)
    counted = numbers[~np.isnan(numbers)]
    if counted.size == 0:
        raise BoxError(f"none of the {numbers.size} frames has a true box: there is nothing to score")
    return counted
