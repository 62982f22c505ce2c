"""VOT's expected average overlap: what a tracker's mean overlap would be on sequences of a typical length."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siamfc.evaluation.records import FrameState

EAO_INTERVALS = MappingProxyType(
    {2015: (108, 371), 2016: (108, 371), 2017: (100, 356), 2018: (100, 356), 2019: (46, 291)}
)
"""Lowest and highest sequence length of the challenges' EAO, as in the stacks of the VOT toolkit."""


class Fragment(NamedTuple):
    """One stretch of a supervised run.

    Attributes:
        overlaps: (L,) of the frames tracked after the start, which is not among them.
        failed: The tracker lost the target after them; otherwise the sequence ended.
    """

    overlaps: NDArray[np.float64]
    failed: bool


def split_fragments(states: ArrayLike, overlaps: ArrayLike) -> list[Fragment]:
    """A supervised run cut at its failures, one fragment a start.

    Args:
        states: (N,) values of `FrameState`.
        overlaps: (N,) overlap where tracked; frames with NaN, for want of truth, are taken out.

    Example:
        >>> for fragment in split_fragments([1, 3, 3, 2, 0, 1, 3], [0, 0.9, 0.8, 0, 0, 0, 0.7]):
        ...     print(fragment.overlaps.tolist(), fragment.failed)
        [0.9, 0.8] True
        [0.7] False
    """
    codes, values = np.asarray(states), np.asarray(overlaps, dtype=np.float64)
    starts = np.flatnonzero(codes == FrameState.STARTED)
    fragments = []
    for start, end in zip(starts, [*starts[1:], len(codes)], strict=True):
        tracked = values[start:end][codes[start:end] == FrameState.TRACKED]
        failed = bool((codes[start:end] == FrameState.FAILED).any())
        fragments.append(Fragment(tracked[~np.isnan(tracked)], failed))
    return fragments


def expected_overlap_curve(fragments: Sequence[Fragment], *, num_frames: int) -> NDArray[np.float64]:
    """Expected average overlap after 0, 1, 2, ... tracked frames.

    At ``n`` frames: the mean, over the fragments known for so long, of the mean overlap of their first ``n`` frames.
    A fragment that failed is known for ever, with overlaps of 0 from its failure on; one that reached the end of its
    sequence is known up to there. Kristan et al.: The Visual Object Tracking VOT2015 Challenge Results, section 3;
    as in the VOT toolkit 0.9.0, whose curve however ends with the longest fragment, and which has 0 at 0 frames.

    The MATLAB toolkit and PySOT count the start as a frame, so that their curve is ours moved by one, and treat a
    failure in the last five frames as the sequence's end.

    Args:
        fragments: Of all sequences and repetitions, each with the same weight.
        num_frames: Length of the longest sequence.

    Returns:
        (num_frames,) float64; 1 at 0, NaN where no fragment is known.

    Example:
        >>> fragments = [Fragment(np.array([0.8, 0.6]), failed=True), Fragment(np.array([0.4]), failed=False)]
        >>> expected_overlap_curve(fragments, num_frames=5).round(3).tolist()
        [1.0, 0.6, 0.7, 0.467, 0.35]
    """
    totals, counts = mean_overlap_sums(fragments, num_frames=num_frames)
    curve = np.where(counts, totals / np.maximum(counts, 1), np.nan)
    curve[:1] = 1.0
    return curve


def mean_overlap_sums(
    fragments: Sequence[Fragment], *, num_frames: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """What the curve is the quotient of: the fragments' mean overlaps after n frames, summed, and how many are known.

    Both are sums over fragments, so those of several sequences add up.

    Returns:
        Two arrays (num_frames,); the first is 0 at 0.
    """
    totals, counts = np.zeros(num_frames), np.zeros(num_frames, dtype=np.int64)
    for overlaps, failed in fragments:
        padded = np.zeros(num_frames)
        length = min(len(overlaps), num_frames - 1)
        padded[1 : length + 1] = overlaps[:length]
        known = num_frames if failed else length + 1
        totals[:known] += np.cumsum(padded)[:known]
        counts[:known] += 1
    return totals / np.maximum(np.arange(num_frames), 1), counts


def expected_average_overlap(curve: ArrayLike, interval: tuple[int, int]) -> float:
    """EAO: the mean of the curve between two counts of frames, both inside; NaN where it has nothing there.

    Where the curve ends inside the interval, what it has is averaged, as the toolkits do.

    Raises:
        ValueError: An interval that is empty or starts below 1.

    Example:
        >>> expected_average_overlap([1.0, 0.5, 0.25], interval=(1, 2))
        0.375
    """
    low, high = interval
    if not 1 <= low <= high:
        raise ValueError(f"an interval of the expected average overlap is 1 <= low <= high, not {low} to {high}")
    values = np.asarray(curve, dtype=np.float64)[low : high + 1]
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
