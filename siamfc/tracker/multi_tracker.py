"""Many targets in one video: each with an identity, added and dropped while the video runs."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from siamfc.boxes import Box, as_box
from siamfc.checkpoint import as_model
from siamfc.config import AnySettings, TrackerConfig
from siamfc.errors import BoxError
from siamfc.frames import ColorOrder, as_rgb_frame, checked_color_order
from siamfc.model import SiamFC
from siamfc.runtimes.runtime import Runtime
from siamfc.target_id import TargetId
from siamfc.timing import StageClock
from siamfc.tracker.search_crew import SearchCrew
from siamfc.tracker.target import Target
from siamfc.tracker.target_search import TargetSearch
from siamfc.tracker.torch_threads import one_thread_works
from siamfc.tracker.track_result import TrackResult


class MultiTracker:
    """Follows any number of targets through the frames of one video.

    Targets do not influence each other: with ``batch_targets=1`` each one's boxes are, to the last bit, those of a
    `siamfc.Tracker` that follows it alone; in larger batches, and by another number of threads, libraries may
    round sums in another order. A single target's boxes are always those to the last bit.

    Args:
        model: As `siamfc.Tracker`.
        config: As there.
        color_order: As there.
        keep_maps: As there.
        runtime: As there.
        batch_targets: How many targets' crops are embedded together, at most, one batch after the other; None takes
            what measures fastest: on a CPU each target alone, as many at once as torch has threads
            (`siamfc.tracker.search_crew`); on other devices all together.

    Raises:
        ConfigError: Crop sizes that this network cannot use, or a batch below 1.

    Example:
        >>> import numpy as np
        >>> from siamfc.checkpoint import load_model
        >>> tracker = MultiTracker(load_model("mobilenetv2-imagenet", device="cpu"))
        >>> frame = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
        >>> tracker.add(frame, (140, 100, 40, 40), id="dog"), tracker.add(frame, (20, 30, 50, 40))
        ('dog', 0)
        >>> {id: round(result.box.x) for id, result in tracker.update(frame).items()}
        {'dog': 140, 0: 20}
        >>> tracker.drop("dog")
        >>> tracker.ids
        [0]
    """

    def __init__(
        self,
        model: SiamFC | str | Path,
        config: AnySettings = None,
        *,
        color_order: ColorOrder = "rgb",
        keep_maps: bool = False,
        runtime: Runtime | str | None = None,
        batch_targets: int | None = None,
    ) -> None:
        self.color_order = checked_color_order(color_order)
        model = as_model(model)
        self._search = TargetSearch(model, config, keep_maps=keep_maps, runtime=runtime, batch_targets=batch_targets)
        self._at_once = batch_targets is None and model.device.type == "cpu"
        self._crew: SearchCrew | None = None
        self._targets: dict[TargetId, Target] = {}
        self._results: dict[TargetId, TrackResult] = {}
        self._had: set[TargetId] = set()
        self._numbers = count()

    @property
    def config(self) -> TrackerConfig:
        """The settings in use."""
        return self._search.config

    @property
    def clock(self) -> StageClock:
        """Time spent so far: crop, embed, correlate, post-process (regressing boxes and learning are part of it)."""
        return self._search.clock

    @property
    def stride(self) -> int:
        """Search pixels per score-map cell."""
        return self._search.stride

    @property
    def ids(self) -> list[TargetId]:
        """The targets being followed, in the order in which they were added."""
        return list(self._targets)

    @property
    def results(self) -> dict[TargetId, TrackResult]:
        """Each target's last result: of `update`, or, where it was added since, the box as given."""
        return dict(self._results)

    def add(
        self,
        frame: NDArray[Any],
        box: Box | Iterable[float],
        id: TargetId | None = None,  # noqa: A002 - what it is called everywhere
    ) -> TargetId:
        """Take a target from a frame; it is looked for from the next `update` on.

        Args:
            frame: As `siamfc.Tracker.init`.
            box: As there.
            id: What to call it; None takes the next number, from 0, that no target had.

        Returns:
            What it is called.

        Raises:
            BoxError: As there, or a target of this name is followed already.
            FrameError: Not a picture.
        """
        if id in self._targets:
            raise BoxError(f"a target {id!r} is followed already: drop it first, or give another id")
        target, result = self._search.start(as_rgb_frame(frame, self.color_order), as_box(box))
        if id is None:
            id = next(number for number in self._numbers if number not in self._had)  # noqa: A001
        self._had.add(id)
        self._targets[id], self._results[id] = target, result
        return id

    def drop(self, id: TargetId) -> None:  # noqa: A002
        """Follow a target no longer.

        Raises:
            KeyError: There is no such target.
        """
        if id not in self._targets:
            raise KeyError(f"no target {id!r}; followed are {self.ids}")
        del self._targets[id], self._results[id]

    def update(self, frame: NDArray[Any]) -> dict[TargetId, TrackResult]:
        """Find all targets in the next frame; as `siamfc.Tracker.update`, without targets nothing.

        Raises:
            FrameError: Not a picture.
        """
        image = as_rgb_frame(frame, self.color_order)
        found = self._searcher().find(image, [*self._targets.values()])
        self._results = dict(zip(self._targets, found, strict=True))
        return dict(self._results)

    def _searcher(self) -> TargetSearch | SearchCrew:
        threads = torch.get_num_threads()
        if not self._at_once or threads < 2 or len(self._targets) < 2 or not one_thread_works():
            return self._search
        if self._crew is None or self._crew.threads != threads:
            self._crew = SearchCrew(self._search, threads)
        return self._crew

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_crew": None}  # threads cannot be copied or sent, and are started anew
