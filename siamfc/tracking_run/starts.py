"""Which targets a run follows: one or several, all from its first frame or each from a frame of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from siamfc.boxes import Box, as_box
from siamfc.data.target_file import TargetStart
from siamfc.errors import BoxError
from siamfc.target_id import TargetId, checked_id
from siamfc.video import Frame, FrameSource

BoxOrChooser = Box | Iterable[float] | Callable[[Frame], Box]
Targets = Mapping[TargetId, Box | Iterable[float]] | Sequence[TargetStart] | Sequence[Box | Sequence[float]]


class RunTargets(NamedTuple):
    """What a run follows.

    Attributes:
        several: Given as several, even if it is one: results and observers speak of ids.
        starts: Them; empty for one whose box is chosen when the first frame is seen.
        chooser: What chooses it.
    """

    several: bool
    starts: list[TargetStart]
    chooser: Callable[[Frame], Box] | None = None

    @classmethod
    def of(cls, given: BoxOrChooser | Targets) -> RunTargets:
        """What the user gave, sorted out.

        Raises:
            BoxError: A box that is none, an id twice, or one that no file can be called by.

        Example:
            >>> RunTargets.of((1, 2, 3, 4)).several, RunTargets.of([(1, 2, 3, 4), (5, 6, 7, 8)]).starts[1].id
            (False, 1)
        """
        if callable(given):
            return cls(False, [], given)
        if isinstance(given, Mapping):
            return cls(True, _checked([TargetStart(name, as_box(box)) for name, box in given.items()]))
        items = _items(given)
        if items and all(isinstance(item, TargetStart) for item in items):
            return cls(True, _checked(items))
        if items and all(isinstance(item, tuple | list | np.ndarray) for item in items):
            return cls(True, _checked([TargetStart(number, as_box(item)) for number, item in enumerate(items)]))
        return cls(False, [TargetStart(0, as_box(items))])

    @property
    def ids(self) -> list[TargetId]:
        """Of all targets."""
        return [start.id for start in self.starts]

    def beginning(self, frame: Frame, *, is_first: bool) -> list[TargetStart]:
        """Those that begin in this frame."""
        wanted = (None, frame.number) if is_first else (frame.number,)
        return [start for start in self.starts if start.frame in wanted]

    def check_frames(self, source: FrameSource) -> None:
        """Raises BoxError where a target begins in a frame that will not be read."""
        for start in self.starts:
            if start.frame is not None and not source.may_give(start.frame):
                raise BoxError(
                    f"target {start.id} begins in frame {start.frame}, which is not among those that are read: "
                    f"{source.wanted}"
                )

    def check_begun(self, begun: Collection[TargetId], last: int | None) -> None:
        """Raises BoxError where a target did not begin in a source that ended after frame ``last``."""
        for start in self.starts:
            if start.id not in begun:
                raise BoxError(
                    f"target {start.id} begins in frame {start.frame}, which did not come: "
                    + ("there was no frame" if last is None else f"the last was frame {last}")
                )


def _items(given: object) -> list[Any]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise BoxError(f"a box is four numbers x, y, width, height, not {given!r}")
    return list(given)


def _checked(starts: list[TargetStart]) -> list[TargetStart]:
    if not starts:
        raise BoxError("no target is given")
    seen: set[str] = set()
    for start in starts:
        as_box(start.box)
        # In files the number 1 and the text "1" are the same, and on some disks so are "a" and "A".
        name = str(checked_id(start.id)).casefold()
        if name in seen:
            raise BoxError(f"two targets are called {start.id}")
        seen.add(name)
    return starts
