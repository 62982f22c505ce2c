"""How many threads torch computes with, changed for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import torch


@lru_cache(maxsize=1)
def can_be_changed() -> bool:
    """Whether torch's number of threads can be changed once it has computed.

    It can where torch stands on OpenMP, as on Linux and Windows. Torch's own pool of threads, as on macOS, is made
    once, and from then on a change does nothing but warn.
    """
    return "ATen parallel backend: OpenMP" in torch.__config__.parallel_info()


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Let torch compute with so many threads in this block, called from this thread; nothing where it cannot."""
    before = torch.get_num_threads()
    if count == before or not can_be_changed():
        yield
        return
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
