"""Work on a Ray cluster through joblib's Ray backend, with the results as they come.

joblib cannot hand on results of that backend one by one, and a run that is stopped must keep what is finished: so the
workers put them into a queue of the cluster, and joblib's own list of results stays empty.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Thread
from typing import Any, TypeVar

from siamfc.errors import EnvironmentProblem, SiamfcError

TaskT = TypeVar("TaskT")
ResultT = TypeVar("ResultT")

_LOOK_AGAIN_S = 0.2
_ANSWERS_WITHIN_S = 10.0


def results_from_cluster(
    function: Callable[[TaskT], ResultT], tasks: Iterable[TaskT], *, address: str, count: int | None, threads: int
) -> Generator[ResultT, None, None]:
    """``function`` of every task, in the order in which they are done; what it raises ends the work.

    Args:
        function: Can be pickled, as can tasks and results; its modules are installed on every machine.
        tasks: What to do.
        address: ``HOST:PORT``, ``auto`` for the cluster this machine is part of, ``local`` to start one here.
        count: Processes; None takes as many as there is room for.
        threads: CPUs that each is given.

    Raises:
        EnvironmentProblem: Ray is not installed, no cluster answers, or it has no room for so many processes.
    """
    with _connected(address) as ray:
        from ray.util.queue import Queue

        count = _room(int(ray.cluster_resources().get("CPU", 0)), count, threads)
        waiting = list(tasks)
        queue = Queue(actor_options={"num_cpus": 0})
        work = _Work(partial(_put_result, function, queue), waiting, count, threads)
        work.start()
        for _ in waiting:
            while queue.empty():
                work.join(_LOOK_AGAIN_S)
                work.raise_its_error()
            yield queue.get()
        work.join()


class _Work(Thread):
    """joblib at work beside the thread that takes the results."""

    def __init__(self, function: Callable[[Any], None], tasks: list[Any], count: int, threads: int) -> None:
        super().__init__(daemon=True)  # Ctrl-C does not wait for it
        self._function, self._tasks, self._count, self._threads = function, tasks, count, threads
        self._error: BaseException | None = None

    def run(self) -> None:
        import joblib

        options = {"num_cpus": self._threads}
        try:
            with joblib.parallel_config(backend="ray", n_jobs=self._count, ray_remote_args=options):
                joblib.Parallel(batch_size=1)(joblib.delayed(self._function)(task) for task in self._tasks)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            self._error = error

    def raise_its_error(self) -> None:
        """Raise what ended the work; nothing while it goes on."""
        if self._error is None:
            return
        known = self._error if isinstance(self._error, SiamfcError) else getattr(self._error, "cause", None)
        if isinstance(known, SiamfcError):
            raise known
        raise EnvironmentProblem(f"the cluster gave up: {_first_line(self._error)}") from self._error


def _put_result(function: Callable[[TaskT], ResultT], queue: Any, task: TaskT) -> None:
    queue.put(function(task))


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    try:
        import ray
        from ray.util.joblib import register_ray
    except ImportError:
        raise EnvironmentProblem(
            "a cluster needs Ray, here and on its machines: pip install 'siamfc[cluster]'"
        ) from None
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        _check_answers(address)
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        raise EnvironmentProblem(f"no Ray cluster answers at {address!r}: {_first_line(error)}") from None
    register_ray()
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_answers(address: str) -> None:
    """Raises OSError where nothing listens at ``HOST:PORT``; Ray itself would try for many minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWERS_WITHIN_S).close()


def _room(cpus: int, count: int | None, threads: int) -> int:
    """How many processes to start.

    Example:
        >>> _room(16, None, threads=2)
        8
    """
    room = cpus // threads
    if room < (count or 1):
        raise EnvironmentProblem(f"the cluster has {cpus} CPUs: too few for {count or 1} workers with {threads} each")
    return count or room


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
