"""How many threads embed what a frame is searched by: all or one, whichever takes less time just now."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor

from siamfc.tracker.torch_threads import can_be_changed, torch_threads

_CALLS = 3  # what is compared are the medians of so many
_LEAST_GAIN = 0.05
_HOPELESS = 1.5  # times the time of the number in use; a trial that took longer is not repeated at once
_REST = 60.0  # times what a trial took pass before the next


class ThreadChoice:
    """A function from images to features, run by all of torch's threads or by one.

    The layers of a small network take a tenth of a millisecond each, and at the end of each all threads wait for the
    last one. Where nothing else runs, two threads are faster than one by a third. Where another program holds one of
    their cores, the last is waited for until the scheduler lets it run, and they take many times as long. So both
    numbers are tried from time to time, and the faster one is used. Trials take a sixtieth of the time at most.

    Results do not depend on it: where features of the first images of a shape are not the same to the bit, all threads
    are used for that shape.

    Args:
        embed: The function, on a CPU.
    """

    def __init__(self, embed: Callable[[Tensor], Tensor]) -> None:
        self._embed = embed
        self._choices: dict[tuple[int, torch.Size], _Choice | None] = {}

    def __call__(self, images: Tensor) -> Tensor:
        """What the function gives of images (B, 3, H, W)."""
        threads = torch.get_num_threads()
        if threads == 1 or not can_be_changed():
            return self._embed(images)
        kind = threads, images.shape
        if kind not in self._choices:
            features = self._embed(images)
            with torch_threads(1):
                same = torch.equal(features, self._embed(images))
            self._choices[kind] = _Choice(threads) if same else None
            return features
        choice = self._choices[kind]
        if choice is None:
            return self._embed(images)
        began = time.perf_counter()
        count = choice.next(began)
        with torch_threads(count):
            features = self._embed(images)
        ended = time.perf_counter()
        choice.took(count, ended - began, now=ended)
        return features


class _Choice:
    """Which of two numbers of threads comes next, by how long each took; times in seconds."""

    def __init__(self, threads: int) -> None:
        self._used, self._other = 1, threads
        self._times: dict[int, deque[float]] = {count: deque(maxlen=_CALLS) for count in (1, threads)}
        self._next_trial = 0.0

    def next(self, now: float) -> int:
        return self._other if self._times[self._used] and now >= self._next_trial else self._used

    def took(self, count: int, seconds: float, *, now: float) -> None:
        self._times[count].append(seconds)
        if count == self._used:
            return
        tried, usual = self._times[count], median(self._times[self._used])
        hopeless = seconds > _HOPELESS * usual
        if len(tried) < _CALLS and not hopeless:
            return
        self._next_trial = now + _REST * sum(tried)
        if not hopeless and median(tried) < (1 - _LEAST_GAIN) * usual:
            self._used, self._other = self._other, self._used
        self._times[self._other].clear()
