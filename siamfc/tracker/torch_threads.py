"""One thread for torch, in the thread that asks for it and in no other."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import lru_cache

import threadpoolctl
import torch


def one_thread() -> AbstractContextManager[object]:
    """Let torch compute with one thread here: from this call on, or, used as a context, until the block ends.

    `torch.set_num_threads` would do the same here, and give its number to all threads that first use torch meanwhile,
    for good. Where torch computes without OpenMP, this changes nothing.
    """
    limited: AbstractContextManager[object] = _openmp().limit(limits=1)
    return limited


def can_be_one() -> bool:
    """Whether `one_thread` does anything; it does not where torch has a pool of threads of its own."""
    with one_thread():
        return torch.get_num_threads() == 1


class _MKLOfTorch(threadpoolctl.LibController):  # type: ignore[misc]  # it has no types
    """The MKL inside torch: it asks OpenMP for its number until `torch.set_num_threads` is called, and no more then."""

    user_api = "openmp"
    internal_api = "mkl_of_torch"
    filename_prefixes = ("libtorch_cpu", "torch_cpu")
    check_symbols = ("MKL_Set_Num_Threads_Local",)

    def get_num_threads(self) -> int:
        """Of this thread."""
        count: int = self.dynlib.MKL_Get_Max_Threads()
        return count

    def set_num_threads(self, num_threads: int) -> None:
        """In this thread."""
        self.dynlib.MKL_Set_Num_Threads_Local(num_threads)

    def get_version(self) -> None:
        """Nothing asks for it."""


@lru_cache(maxsize=1)
def _openmp() -> threadpoolctl.ThreadpoolController:
    threadpoolctl.register(_MKLOfTorch)
    return threadpoolctl.ThreadpoolController().select(user_api="openmp")
