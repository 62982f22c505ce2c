"""How sure a mean over sequences is, and whether two trackers differ by more than the choice of sequences explains."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_CELLS_AT_ONCE = 1_000_000


class ConfidenceInterval(NamedTuple):
    """A mean over sequences and the range in which it falls when the sequences are drawn anew."""

    mean: float
    low: float
    high: float


def bootstrap_mean(
    values: ArrayLike, *, rng: np.random.Generator, confidence: float = 0.95, resamples: int = 10_000
) -> ConfidenceInterval:
    """Percentile bootstrap interval of a mean over sequences (Efron, Tibshirani 1993, chapter 13).

    Sequences are what is drawn, not frames: the frames of one sequence are far from independent. One sequence gives
    an interval of no width, which says nothing.

    Args:
        values: (N,) one figure a sequence.
        rng: Where the draws come from; the same state gives the same interval.
        confidence: Share of the draws inside the interval.
        resamples: How often N sequences are drawn with replacement.

    Raises:
        ValueError: No values, another shape, or one that is not finite.

    Example:
        >>> interval = bootstrap_mean([0.4, 0.5, 0.6, 0.7], rng=np.random.default_rng(0))
        >>> [round(value, 3) for value in interval]
        [0.55, 0.45, 0.65]
    """
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1 or numbers.size == 0 or not np.isfinite(numbers).all():
        raise ValueError(f"a bootstrap takes finite numbers, one a sequence, not {values!r}")
    if not 0 < confidence < 1 or resamples < 1:
        raise ValueError(f"confidence lies between 0 and 1 and resamples above 0, not {confidence} and {resamples}")
    means = resample(lambda counts: counts @ numbers / numbers.size, numbers.size, rng=rng, resamples=resamples)
    low, high = percentile_interval(means, confidence)
    return ConfidenceInterval(float(numbers.mean()), float(low), float(high))


def resample(
    statistic: Callable[[Floats], Floats], num_sequences: int, *, rng: np.random.Generator, resamples: int = 10_000
) -> Floats:
    """The values of a statistic when the sequences are drawn anew, with replacement.

    Args:
        statistic: Takes (R, num_sequences), how often each sequence is drawn in each of R draws, and gives (R, ...).
            What several trackers or figures share is best computed at once: their draws are then the same.
        num_sequences: How many there are.
        rng: Where the draws come from.
        resamples: How many.

    Returns:
        (resamples, ...).
    """
    shares = np.full(num_sequences, 1 / num_sequences)
    rows = max(1, _CELLS_AT_ONCE // num_sequences)
    return np.concatenate(
        [
            # How often each sequence is drawn: no statistic over sequences needs more.
            statistic(rng.multinomial(num_sequences, shares, size=min(rows, resamples - done)).astype(np.float64))
            for done in range(0, resamples, rows)
        ]
    )


def percentile_interval(draws: Floats, confidence: float) -> Floats:
    """(2, ...) the range that holds this share of the draws (R, ...), as much being left out below as above."""
    return np.asarray(np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0))


def bootstrap_difference(
    values: ArrayLike,
    others: ArrayLike,
    *,
    rng: np.random.Generator,
    confidence: float = 0.95,
    resamples: int = 10_000,
) -> ConfidenceInterval:
    """Interval of the mean difference ``values - others`` of two trackers on the same sequences, in the same order.

    Paired: both are taken on the sequences drawn, so what makes a sequence hard for both cancels. An interval that
    does not hold 0 speaks for a difference.

    Raises:
        ValueError: Two lengths, or as `bootstrap_mean`.

    Example:
        >>> better, worse = [0.5, 0.9, 0.2], [0.4, 0.7, 0.1]
        >>> bootstrap_difference(better, worse, rng=np.random.default_rng(0)).low > 0
        True
    """
    first, second = np.asarray(values, dtype=np.float64), np.asarray(others, dtype=np.float64)
    if first.shape != second.shape:
        raise ValueError(f"a paired bootstrap takes two lists of one length, not {first.shape} and {second.shape}")
    return bootstrap_mean(first - second, rng=rng, confidence=confidence, resamples=resamples)
