"""How many threads embed what a frame is searched by: all or one, whichever takes less time just now."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from functools import partial
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from siamfc.tracker.one_thread import OneThread, threads_can_be_changed

_TRIAL_CALLS = 8
_WINDOW = 32  # calls of the number in use that a trial is compared with
_LEAST_GAIN = 0.05
_HOPELESS = 1.5  # times the usual time; a trial ends with a call that took longer
_REST, _LONGEST_REST_S = 60.0, 30.0  # times what a trial took pass before the next, or so many seconds


class ThreadChoice:
    """A function from images to features, run by all of torch's threads or by one.

    The layers of a small network take a tenth of a millisecond each, and at the end of each all threads wait for the
    last one. Where nothing else runs, two threads are faster than one by a third. Where another program holds one of
    their cores, the last is waited for until the scheduler lets it run, and they take many times as long. So both
    numbers are tried from time to time, and the faster one is used.

    Where the features of the first images of a shape are not the same to the bit by either, all threads are used for
    that shape.

    Args:
        embed: The function, on a CPU.
        by_one: Where it is run by one thread.
    """

    def __init__(self, embed: Callable[[Tensor], Tensor], by_one: OneThread) -> None:
        self._embed = embed
        self._by_one = by_one
        self._choices: dict[tuple[int, torch.Size], _Choice | None] = {}

    def __call__(self, images: Tensor) -> Tensor:
        """What the function gives of images (B, 3, H, W)."""
        threads = torch.get_num_threads()
        if threads == 1 or not threads_can_be_changed():
            return self._embed(images)
        kind = threads, images.shape
        if kind not in self._choices:
            features = self._embed(images)
            same = torch.equal(features, self._by_one(partial(self._embed, images)))
            self._choices[kind] = _Choice() if same else None
            return features
        choice = self._choices[kind]
        if choice is None:
            return self._embed(images)
        began = time.perf_counter()
        by_all = choice.is_all_next(began)
        features = self._embed(images) if by_all else self._by_one(partial(self._embed, images))
        ended = time.perf_counter()
        choice.took(ended - began, by_all=by_all, now=ended)
        return features

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_choices": {}}  # of this process, this machine and its clock


class _Choice:
    """Whether all threads or one come next, by how long each took; times in seconds."""

    def __init__(self) -> None:
        self._uses_all = False
        self._usual: deque[float] = deque(maxlen=_WINDOW)  # of what is used
        self._tried: list[float] = []
        self._next_trial = 0.0

    def is_all_next(self, now: float) -> bool:
        on_trial = bool(self._usual) and now >= self._next_trial
        return self._uses_all != on_trial

    def took(self, seconds: float, *, by_all: bool, now: float) -> None:
        if by_all == self._uses_all:
            self._usual.append(seconds)
            return
        self._tried.append(seconds)
        usual = fmean(self._usual)
        hopeless = seconds > _HOPELESS * usual
        if len(self._tried) < _TRIAL_CALLS and not hopeless:
            return
        self._next_trial = now + min(_REST * sum(self._tried), _LONGEST_REST_S)
        if not hopeless and fmean(self._tried) < (1 - _LEAST_GAIN) * usual:
            self._uses_all = by_all
            self._usual = deque(self._tried, maxlen=_WINDOW)
        self._tried = []
