"""VOT's expected average overlap, written as its definition reads; slow."""

from __future__ import annotations

from math import isnan

SKIPPED, STARTED, FAILED, TRACKED = 0, 1, 2, 3


def expected_overlap(runs: list[tuple[list[int], list[float]]], frames: int) -> float:
    """Mean over all stretches known for so many tracked frames of their mean overlap in these frames.

    Args:
        runs: States and overlaps of every run.
        frames: How many frames after the start are looked at.
    """
    means = []
    for states, overlaps in runs:
        for start in range(len(states)):
            if states[start] != STARTED:
                continue
            seen: list[float] = []
            lost = False
            for state, overlap in zip(states[start + 1 :], overlaps[start + 1 :], strict=True):
                if state != TRACKED:
                    lost = state == FAILED
                    break
                seen.append(overlap)
            while lost and len(seen) < frames:
                seen.append(0.0)
            if len(seen) >= frames:
                means.append(sum(seen[:frames]) / frames)
    return sum(means) / len(means) if means else float("nan")


def expected_average_overlap(runs: list[tuple[list[int], list[float]]], low: int, high: int) -> float:
    """Mean of `expected_overlap` from ``low`` to ``high`` frames, as far as the longest run goes."""
    longest = max(len(states) for states, _ in runs) - 1
    values = [expected_overlap(runs, frames) for frames in range(low, min(high, longest) + 1)]
    known = [value for value in values if not isnan(value)]
    return sum(known) / len(known) if known else float("nan")
