"""GOT-10k's figures: average overlap and success rates over the frames in which the target is visible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from siamfc.boxes import intersection_over_union
from siamfc.errors import BoxError
from siamfc.evaluation.metrics import Floats, as_box_rows, has_box, has_truth, success_curve

GOT10K_THRESHOLDS: Floats = np.linspace(0, 1, 101)
"""Overlaps at which GOT-10k's success curve is taken: 0, 0.01, ..., 1."""


@dataclass(frozen=True, eq=False)
class Got10kScore:
    """Figures of one sequence, or their average.

    Attributes:
        average_overlap: AO, the mean overlap.
        success_rate_50: SR 0.5, share of frames whose overlap is above 0.5.
        success_rate_75: SR 0.75, share above 0.75.
        success_curve: (101,) share of frames above each of `GOT10K_THRESHOLDS`.
        frames: How many frames count, over all repetitions.
        frames_left_out: How many do not: the first, those in which the target is covered or absent.
    """

    average_overlap: float
    success_rate_50: float
    success_rate_75: float
    success_curve: Floats = field(repr=False)
    frames: int
    frames_left_out: int


def got10k_overlaps(
    predicted: ArrayLike, truth: ArrayLike, *, frame_size: tuple[int, int], cover: ArrayLike | None = None
) -> Floats:
    """Overlap of every frame that GOT-10k counts, NaN elsewhere.

    Counted is every frame but the first, whose box was given, that has a true box and, where ``cover`` is known, a
    cover above 0 (0 also marks absence). Both boxes are first fitted into the frame as the toolkit (got10k 0.1.3,
    ``rect_iou``) does: the corner is moved into the frame with width and height unchanged, then the sides are cut
    at the far edges. A box that reaches over the left or top edge is moved, not cut. The toolkit does so with the
    numbers of GOT-10k's files, which call the top left pixel (1, 1): its frame reaches a pixel farther to the left and
    the top, a pixel less to the right and the bottom.

    Args:
        predicted: (N, 4) x, y, width, height, frame pixels; NaN, where the tracker gave no box, is an overlap of 0.
        truth: (N, 4), NaN where the target is not in view.
        frame_size: (height, width), pixels: ``resolution`` of the sequence's ``meta_info.ini``, turned round.
        cover: (N,) levels 0 to 8 of ``cover.label``.

    Raises:
        BoxError: Another shape, or lengths that differ.

    Example:
        >>> boxes = [[0, 0, 4, 4], [-2, 0, 4, 4], [0, 2, 4, 4]]
        >>> got10k_overlaps(boxes, [[0, 0, 4, 4]] * 3, frame_size=(8, 8)).round(3).tolist()
        [nan, 0.6, 0.333]
    """
    found, true = as_box_rows(predicted, truth)
    counted = has_truth(true)
    counted[:1] = False
    if cover is not None:
        levels = np.asarray(cover)
        if levels.shape != (len(true),):
            raise BoxError(f"cover has one level a frame: {len(true)} were expected, not the shape {levels.shape}")
        counted &= levels > 0
    lost = ~has_box(found)
    found, true = np.where(lost[:, None], np.nan, found), np.where(counted[:, None], true, np.nan)
    overlaps = np.minimum(intersection_over_union(_fit(found, frame_size), _fit(true, frame_size)), 1.0)
    return np.where(counted, np.where(lost, 0.0, overlaps), np.nan)


def got10k_score(
    predicted: ArrayLike, truth: ArrayLike, *, frame_size: tuple[int, int], cover: ArrayLike | None = None
) -> Got10kScore:
    """Figures of one run over one sequence; arguments as `got10k_overlaps`.

    Huang, Zhao, Huang: GOT-10k (2019), section 4, and the toolkit's ``ExperimentGOT10k._evaluate``. Repetitions of
    a tracker that depends on chance are joined with `pooled_got10k`.

    Raises:
        BoxError: Another shape, lengths that differ, or no frame that counts.

    Example:
        >>> score = got10k_score([[0, 0, 4, 4], [0, 2, 4, 4]], [[0, 0, 4, 4]] * 2, frame_size=(8, 8))
        >>> round(score.average_overlap, 4), score.frames, score.frames_left_out
        (0.3333, 1, 1)
    """
    overlaps = got10k_overlaps(predicted, truth, frame_size=frame_size, cover=cover)
    curve = success_curve(overlaps, GOT10K_THRESHOLDS)
    counted = overlaps[~np.isnan(overlaps)]
    return Got10kScore(
        average_overlap=float(counted.mean()),
        success_rate_50=float((counted > 0.5).mean()),
        success_rate_75=float((counted > 0.75).mean()),
        success_curve=curve,
        frames=counted.size,
        frames_left_out=overlaps.size - counted.size,
    )


def pooled_got10k(scores: Sequence[Got10kScore]) -> Got10kScore:
    """Average in which every frame weighs the same: repetitions of a sequence, and the toolkit's "overall".

    got10k 0.1.3 strings the frames of all sequences together, so long sequences weigh more.
    """
    return _average(scores, [score.frames for score in scores])


def mean_got10k(scores: Sequence[Got10kScore]) -> Got10kScore:
    """Average in which every sequence weighs the same, as other benchmarks and PyTracking do."""
    return _average(scores, [1.0] * len(scores))


def class_balanced_got10k(scores: Sequence[Got10kScore], classes: Sequence[str]) -> Got10kScore:
    """Average in which every object class weighs the same: mAO and mSR of GOT-10k's paper, section 4.

    Example:
        >>> runs = [got10k_score([[0, 0, 4, 4], box], [[0, 0, 4, 4]] * 2, frame_size=(8, 8))
        ...         for box in ([0, 0, 4, 4], [0, 2, 4, 4], [0, 2, 4, 4])]
        >>> round(class_balanced_got10k(runs, ["dog", "dog", "dog"]).average_overlap, 4)
        0.5556
        >>> round(class_balanced_got10k(runs, ["dog", "cat", "cat"]).average_overlap, 4)
        0.6667
    """
    if len(classes) != len(scores):
        raise ValueError(f"there must be one class a score: {len(scores)} were expected, not {len(classes)}")
    return _average(scores, [1.0 / classes.count(name) for name in classes])


def _average(scores: Sequence[Got10kScore], weights: Sequence[float]) -> Got10kScore:
    if not scores:
        raise ValueError("there is no score to average")

    def average(values: Sequence[float]) -> float:
        return float(np.average(values, weights=weights))

    return Got10kScore(
        average_overlap=average([score.average_overlap for score in scores]),
        success_rate_50=average([score.success_rate_50 for score in scores]),
        success_rate_75=average([score.success_rate_75 for score in scores]),
        success_curve=np.average([score.success_curve for score in scores], axis=0, weights=weights),
        frames=sum(score.frames for score in scores),
        frames_left_out=sum(score.frames_left_out for score in scores),
    )


def _fit(boxes: Floats, frame_size: tuple[int, int]) -> Floats:
    far = np.array([frame_size[1], frame_size[0]], dtype=np.float64)
    corners = np.clip(boxes[:, :2] + 1, 0, far)
    return np.concatenate([corners, np.clip(boxes[:, 2:], 0, far - corners)], axis=1)
