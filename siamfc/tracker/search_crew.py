"""Several targets searched for at once on a CPU: a thread a core, each with a target and one thread inside."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait

from siamfc.frames import Image
from siamfc.tracker.target import Target
from siamfc.tracker.target_search import TargetSearch
from siamfc.tracker.torch_threads import one_thread
from siamfc.tracker.track_result import TrackResult


class SearchCrew:
    """Does what `siamfc.tracker.target_search.TargetSearch.find` does, target beside target.

    A small network's layers are too short for two cores to share each of them well, and between the layers, while
    crops are cut and peaks are taken, one core has nothing to do. A whole target for each core keeps both busy.

    Args:
        search: Whose targets are searched for; its clock is charged with the time that passes, shared out among the
            stages as the threads spent theirs.
        threads: How many; at least 1.

    Raises:
        Exception: What the runtime raises when it is made ready in its threads.
    """

    def __init__(self, search: TargetSearch, threads: int) -> None:
        self.threads = threads
        self._clock = search.clock
        self._searches = [search.twin() for _ in range(threads)]
        self._of_thread = threading.local()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="siamfc-search")
        all_here, one_by_one = threading.Barrier(threads), threading.Lock()
        starts = [self._pool.submit(self._start, own, all_here, one_by_one) for own in self._searches]
        wait(starts)
        for start in starts:
            start.result()

    def find(self, image: Image, targets: Sequence[Target]) -> list[TrackResult]:
        """Find targets in the next frame, and move them there; as `TargetSearch.find`."""
        began = time.perf_counter()
        searched = [self._pool.submit(self._find_one, image, target) for target in targets]
        wait(searched)
        self._charge(time.perf_counter() - began)
        return [one.result() for one in searched]

    def _start(self, search: TargetSearch, all_here: threading.Barrier, one_by_one: threading.Lock) -> None:
        all_here.wait()  # so that each thread takes one of these
        with one_by_one, one_thread():  # recording and compiling networks is not made for several threads
            search.warm_up()
        self._of_thread.search = search

    def _find_one(self, image: Image, target: Target) -> TrackResult:
        search: TargetSearch = self._of_thread.search
        with one_thread():
            return search.find(image, [target])[0]

    def _charge(self, seconds: float) -> None:
        spent: Counter[str] = Counter()
        for search in self._searches:
            spent.update(search.clock.seconds)
            search.clock.seconds.clear()
        total = sum(spent.values())
        for stage, share in spent.items():
            self._clock.add(stage, seconds * share / total)
