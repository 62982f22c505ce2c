"""A place where torch computes with one thread, whatever it does elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, TypeVar

import torch

ResultT = TypeVar("ResultT")


@lru_cache(maxsize=1)
def threads_can_be_changed() -> bool:
    """Whether torch's number of threads can be changed once it has computed: it can where torch stands on OpenMP.

    Torch's own pool of threads, which builds without OpenMP have, is made once; from then on a change does nothing but
    warn.
    """
    return "ATen parallel backend: OpenMP" in torch.__config__.parallel_info()


class OneThread:
    """Does work in a thread of its own, in which torch uses one; where the caller's torch does so already, in place.

    The number could be changed in the caller's thread instead, for as long as the work takes. But torch also keeps the
    last number that any thread was given, and whatever thread first uses torch in that time stays with it for good.

    Args:
        device: Where the work computes; what does not on a CPU is done in place, too.
    """

    def __init__(self, device: torch.device) -> None:
        self._on_cpu = device.type == "cpu"
        self._pool: ThreadPoolExecutor | None = None

    def __call__(self, work: Callable[[], ResultT]) -> ResultT:
        """What the work gives, or raises; torch's modes, such as inference mode, are not the caller's."""
        threads = torch.get_num_threads()
        if threads == 1 or not self._on_cpu or not threads_can_be_changed():
            return work()
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="siamfc-one")
            self._pool.submit(_take_one).result()
            torch.set_num_threads(threads)  # what threads that are started later take
        return self._pool.submit(work).result()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_pool": None}  # threads cannot be copied or sent, and are started anew


def _take_one() -> None:
    torch.get_num_threads()  # a thread takes the last number that any was given when it first asks, and not again
    torch.set_num_threads(1)
