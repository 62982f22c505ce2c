"""Work spread over processes of this machine or of a cluster, each with its share of the threads."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from siamfc.errors import EnvironmentProblem, SiamfcError

TaskT = TypeVar("TaskT")
ResultT = TypeVar("ResultT")

_LOOK_AGAIN_S = 1.0


@dataclass(frozen=True)
class Workers:
    """How many processes work, and where.

    Attributes:
        count: Processes; 1 works in this one. None: 1, or in a cluster as many as it has room for.
        threads: Threads of torch, OpenCV and OpenMP in each; None: the cores divided by the processes; in a
            cluster 1; in this process as they are set.
        cluster: Address of a Ray cluster, ``auto`` for the one this machine is part of, ``local`` to start one here.

    Raises:
        SiamfcError: A number below 1.
    """

    count: int | None = None
    threads: int | None = None
    cluster: str | None = None

    def __post_init__(self) -> None:
        for what, number in (("workers", self.count), ("threads", self.threads)):
            if number is not None and number < 1:
                raise SiamfcError(f"{what} is 1 or more, not {number}")

    @property
    def in_this_process(self) -> bool:
        """Whether no other process is needed."""
        return self.cluster is None and (self.count or 1) == 1

    @property
    def threads_each(self) -> int | None:
        """Threads that each process may use; None where they are left as they are."""
        if self.threads is not None or self.in_this_process:
            return self.threads
        return 1 if self.cluster else max(1, _cores() // (self.count or 1))


def results_as_done(
    function: Callable[[TaskT], ResultT], tasks: Iterable[TaskT], workers: Workers
) -> Generator[ResultT, None, None]:
    """``function`` of every task, in the order in which they are done; what it raises ends the work.

    Args:
        function: Can be pickled, as can tasks and results, where there is more than this process.
        tasks: What to do.
        workers: Who does it.

    Raises:
        EnvironmentProblem: The cluster, or the library for it, is not there; a worker died.
    """
    if workers.in_this_process:
        yield from (function(task) for task in tasks)
        return
    if workers.cluster is not None:
        from siamfc.cluster import results_from_cluster

        yield from results_from_cluster(
            function, tasks, address=workers.cluster, count=workers.count, threads=workers.threads_each or 1
        )
        return
    yield from _from_processes(partial(_in_worker, function, parent=os.getpid()), tasks, workers)


@contextmanager
def limited_threads(threads: int | None) -> Iterator[None]:
    """So many threads for OpenCV, and for torch where it is loaded, while the block lasts; None changes nothing."""
    if threads is None:
        yield
        return
    from siamfc.opencv import cv2

    torch = sys.modules.get("torch")
    before = cv2.getNumThreads(), torch.get_num_threads() if torch else None
    cv2.setNumThreads(threads)
    if torch:
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        cv2.setNumThreads(before[0])
        if torch:
            torch.set_num_threads(before[1])


def _in_worker(function: Callable[[TaskT], ResultT], task: TaskT, *, parent: int) -> ResultT:
    if not _settled_in:
        _settled_in.append(parent)
        if threading.current_thread() is threading.main_thread():
            # Ctrl-C reaches every process of the terminal; the first one ends the others.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    return function(task)


_settled_in: list[int] = []  # this process's parent, once it has done its first task


def _end_with(parent: int) -> None:
    """End this process when its parent is gone: one that was killed takes nobody with it."""
    while os.getppid() == parent:
        time.sleep(_LOOK_AGAIN_S)
    os._exit(1)


def _from_processes(
    function: Callable[[TaskT], ResultT], tasks: Iterable[TaskT], workers: Workers
) -> Iterator[ResultT]:
    import joblib

    with joblib.parallel_config(backend="loky", n_jobs=workers.count, inner_max_num_threads=workers.threads_each):
        parallel = joblib.Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch="2*n_jobs")
        results: Iterator[ResultT] = parallel(joblib.delayed(function)(task) for task in tasks)
        try:
            yield from results
        except BrokenProcessPool as error:
            raise EnvironmentProblem(
                "a worker process died, for want of memory or by a fault in a library: what was finished is kept, "
                "and the same command goes on from there"
            ) from error


def _cores() -> int:
    import joblib

    return int(joblib.cpu_count())
