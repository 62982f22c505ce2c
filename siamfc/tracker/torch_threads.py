"""One thread for torch, in the thread that asks for it and in no other."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute with one thread in this block, in this thread.

    `torch.set_num_threads` would do the same here, and give its number to all threads that first use torch meanwhile,
    for good. So the numbers are set by OpenMP's function and MKL's, which are of a thread. Where torch computes without
    OpenMP, or it is not found, nothing is changed.
    """
    before = torch.get_num_threads()  # and with it a thread that never used torch takes its number, which it may keep
    library = _torch_with_openmp()
    if before == 1 or library is None:
        yield
        return
    # MKL follows OpenMP until torch.set_num_threads gives it a number of its own.
    set_mkl = getattr(library, "MKL_Set_Num_Threads_Local", None)
    mkl_before = set_mkl(1) if set_mkl else 0
    library.omp_set_num_threads(1)
    try:
        yield
    finally:
        library.omp_set_num_threads(before)
        if set_mkl:
            set_mkl(mkl_before)


def one_thread_works() -> bool:
    """Whether `one_thread` does anything here."""
    with one_thread():
        return _torch_with_openmp() is not None and torch.get_num_threads() == 1


@lru_cache(maxsize=1)
def _torch_with_openmp() -> ctypes.CDLL | None:
    """Torch's library, through which those that it was linked with are found: on Linux and macOS, not on Windows."""
    if "ATen parallel backend: OpenMP" not in torch.__config__.parallel_info():
        return None
    for path in (Path(torch.__file__).parent / "lib").glob("libtorch_cpu.*"):
        library = ctypes.CDLL(str(path))
        if hasattr(library, "omp_set_num_threads"):
            return library
    return None
