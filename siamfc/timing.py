"""Where the time of a frame goes, stage by stage."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class StageClock:
    """Adds up wall-clock seconds by stage.

    On a GPU, work is queued: the stage that waits for a result is charged for what it waits for.

    Example:
        >>> clock = StageClock()
        >>> with clock.stage("crop"):
        ...     pass
        >>> list(clock.seconds)
        ['crop']
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Charge the block's time to a stage, also where the block fails."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - started)

    def add(self, name: str, seconds: float) -> None:
        """Charge a stage with time that was measured elsewhere."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds
