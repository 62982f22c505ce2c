"""How many threads embed what a frame is searched by: all or one, whichever takes less time just now."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from siamfc.tracker.torch_threads import one_thread, one_thread_works

_TRIAL_CALLS = 8
_WINDOW = 32  # calls of the number in use that a trial is compared with
_LEAST_GAIN = 0.05
_HOPELESS = 3.0  # times the usual time; a trial ends with a call that took longer
_REST = 16.0, 64.0  # times what a trial took pass before the next: of the first, and at most
_LONGEST_REST_S = 30.0


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
    """

    def __init__(self, embed: Callable[[Tensor], Tensor]) -> None:
        self._embed = embed
        self._choices: dict[tuple[int, torch.Size], _Choice | None] = {}

    def __call__(self, images: Tensor) -> Tensor:
        """What the function gives of images (B, 3, H, W)."""
        threads = torch.get_num_threads()
        if threads == 1:
            return self._embed(images)
        kind = threads, images.shape
        if kind not in self._choices:
            features = self._embed(images)
            self._choices[kind] = self._choice_of(images, features)
            return features
        choice = self._choices[kind]
        if choice is None:
            return self._embed(images)
        began = time.perf_counter()
        by_all = choice.is_all_next(began)
        features = self._embed(images) if by_all else self._by_one(images)
        ended = time.perf_counter()
        choice.took(ended - began, by_all=by_all, now=ended)
        return features

    def _choice_of(self, images: Tensor, features: Tensor) -> _Choice | None:
        """A choice that knows how long one thread takes; None where there is none."""
        if not one_thread_works():
            return None
        began = time.perf_counter()
        by_one = self._by_one(images)
        ended = time.perf_counter()
        if not torch.equal(by_one, features):
            return None
        choice = _Choice()
        choice.took(ended - began, by_all=False, now=ended)
        return choice

    def _by_one(self, images: Tensor) -> Tensor:
        with one_thread():
            return self._embed(images)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_choices": {}}  # of this process, this machine and its clock


class _Choice:
    """Whether all threads or one come next, by how long each took; times in seconds."""

    def __init__(self) -> None:
        self._uses_all = False
        self._usual: deque[float] = deque(maxlen=_WINDOW)  # of what is used
        self._tried: list[float] = []
        self._next_trial = 0.0
        self._rest = _REST[0]

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
        self._next_trial = now + min(self._rest * sum(self._tried), _LONGEST_REST_S)
        self._rest = min(2 * self._rest, _REST[1])  # the first may mistake a stall for the usual time
        if not hopeless and fmean(self._tried) < (1 - _LEAST_GAIN) * usual:
            self._uses_all = by_all
            self._usual = deque(self._tried, maxlen=_WINDOW)
        self._tried = []
