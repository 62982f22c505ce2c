"""How far figures of several trackers, and the differences between them, move with the choice of sequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from siamfc.evaluation.bootstrap import percentile_interval, resample
from siamfc.evaluation.expected_overlap import Fragment, mean_overlap_sums
from siamfc.evaluation.metrics import Floats

SEED = 0
CONFIDENCE = 0.95
RESAMPLES = 10_000


class Sums(NamedTuple):
    """A figure as a quotient of sums over sequences, so that it can be computed anew for any draw of them.

    The figure is the mean over K of numerator over denominator, where the denominator is not 0. A weighted mean has
    K = 1; the expected average overlap has a quotient for each count of frames.

    Attributes:
        numerators: (S, K), a row a sequence.
        denominators: (S, K).
    """

    numerators: Floats
    denominators: Floats

    def of_draws(self, counts: Floats) -> Floats:
        """(R,) the figure for each of R draws, ``counts`` (R, S) being how often each sequence is drawn."""
        totals, shares = counts @ self.numerators, counts @ self.denominators
        known = shares > 0
        quotients = np.where(known, totals / np.where(known, shares, 1), 0)
        found = known.sum(axis=1)
        return np.where(found, quotients.sum(axis=1) / np.maximum(found, 1), np.nan)


def mean_sums(values: Sequence[float], weights: Sequence[float]) -> Sums:
    """A weighted mean over sequences.

    Example:
        >>> float(mean_sums([0.5, 0.8], [1, 2]).of_draws(np.ones((1, 2)))[0].round(3))
        0.7
    """
    shares = np.asarray(weights, dtype=np.float64)[:, None]
    return Sums(np.asarray(values, dtype=np.float64)[:, None] * shares, shares)


def expected_overlap_sums(
    fragments: Sequence[Sequence[Fragment]], *, num_frames: int, interval: tuple[int, int]
) -> Sums:
    """The expected average overlap of sequences with these fragments; arguments as `expected_overlap_curve`."""
    columns = slice(interval[0], interval[1] + 1)
    sums = [mean_overlap_sums(of_sequence, num_frames=num_frames) for of_sequence in fragments]
    return Sums(
        np.array([totals[columns] for totals, _ in sums]),
        np.array([counts[columns] for _, counts in sums], dtype=np.float64),
    )


class Spread(NamedTuple):
    """How far each tracker's figure, and its difference to the first tracker's, moves with the choice of sequences.

    Attributes:
        intervals: (low, high) by tracker.
        differences: (difference, low, high) to the first tracker, by tracker; the first has none.
    """

    intervals: Mapping[str, tuple[float, float]]
    differences: Mapping[str, tuple[float, float, float]]


def spread_of(figure: Mapping[str, Sums]) -> Spread:
    """Bootstrap intervals of one figure of several trackers, all on the same sequences in the same order.

    Sequences are drawn, the same for all trackers, and the figure is computed anew from each draw; `bootstrap_mean`
    has the reference. The generator starts from `SEED` each time. One sequence gives no interval.
    """
    sums = list(figure.values())
    num_sequences = len(sums[0].numerators)
    if num_sequences < 2:
        return Spread({}, {})
    rng = np.random.default_rng(SEED)
    draws = resample(
        lambda counts: np.stack([part.of_draws(counts) for part in sums], axis=1),
        num_sequences,
        rng=rng,
        resamples=RESAMPLES,
    )
    whole = np.array([part.of_draws(np.ones((1, num_sequences)))[0] for part in sums])
    intervals, differences = {}, {}
    for column, tracker in enumerate(figure):
        known = draws[~np.isnan(draws[:, column])]
        if not len(known):
            continue
        low, high = percentile_interval(known[:, column], CONFIDENCE)
        intervals[tracker] = (float(low), float(high))
        apart = known[:, column] - known[:, 0]
        apart = apart[~np.isnan(apart)]
        if column and len(apart):
            low, high = percentile_interval(apart, CONFIDENCE)
            differences[tracker] = (float(whole[column] - whole[0]), float(low), float(high))
    return Spread(intervals, differences)
