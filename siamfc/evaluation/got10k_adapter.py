"""Our trackers inside the PyPI package got10k, whose experiments run whatever has its ``Tracker``'s methods.

Without importing it::

    from got10k.experiments import ExperimentGOT10k
    from siamfc import Tracker, load_model
    from siamfc.evaluation import Got10kTracker

    tracker = Got10kTracker(Tracker(load_model()), name="SiamFC")
    experiment = ExperimentGOT10k("data/GOT-10k", subset="val")
    experiment.run(tracker)
    experiment.report([tracker.name])
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from math import isnan
from pathlib import Path
from time import perf_counter
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siamfc.boxes import Box, as_box
from siamfc.errors import TrackerError
from siamfc.evaluation.protocols import AnyTracker, box_of
from siamfc.frames import Image, as_rgb_frame


class PillowImage(Protocol):
    """What got10k hands over: a ``PIL.Image.Image``."""

    def convert(self, mode: str) -> Any:
        """The same picture in another mode."""


class Got10kTracker:
    """A tracker as got10k's experiments want one.

    got10k hands on boxes as they stand in a dataset's files and compares with them what comes back.

    Args:
        tracker: Anything with ``init`` and ``update``; where it gives no box, got10k gets one of no size.
        name: Names the folder of results.
        is_deterministic: Whether one run a sequence is enough.
        base: How the dataset counts pixels: 1 for OTB, GOT-10k, LaSOT, UAV123, TColor-128; 0 for VOT, TrackingNet, NfS.

    Example:
        >>> class Still:
        ...     def init(self, frame, box): self.box = box
        ...     def update(self, frame): return self.box
        >>> tracker = Got10kTracker(Still(), name="still")
        >>> tracker.init(np.zeros((8, 8, 3), np.uint8), [1, 1, 4, 4])
        >>> tracker.update(np.zeros((8, 8, 3), np.uint8)).tolist()
        [1.0, 1.0, 4.0, 4.0]
    """

    def __init__(
        self, tracker: AnyTracker, *, name: str, is_deterministic: bool = True, base: Literal[0, 1] = 1
    ) -> None:
        if base not in (0, 1):
            raise ValueError(f"base is 0 or 1, not {base!r}")
        if not hasattr(tracker, "init"):
            raise TrackerError(
                f"a tracker has init and update, a {type(tracker).__name__} has not: siamfc.Tracker(model)"
            )
        self.name = name
        self.is_deterministic = is_deterministic
        self._tracker = tracker
        self._base = base

    def init(self, image: PillowImage | Image, box: ArrayLike) -> None:
        """Take the target from a PIL image or an array (H, W, 3) uint8 RGB; ``box`` in the dataset's counting."""
        given = as_box(np.asarray(box, dtype=np.float64).tolist())
        self._tracker.init(_as_frame(image), Box.from_one_based(*given) if self._base else given)

    def update(self, image: PillowImage | Image) -> NDArray[np.float64]:
        """Find it in the next: (4,) x, y, width, height in the dataset's counting."""
        box = box_of(self._tracker.update(_as_frame(image)))
        if isnan(box.x):  # `NO_BOX`; a NaN would make got10k's mean one
            return np.zeros(4)
        return np.array(box.to_one_based() if self._base else box, dtype=np.float64)

    def track(
        self, img_files: Sequence[str | Path], box: ArrayLike, visualize: bool = False
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Follow the target through image files.

        Args:
            img_files: N paths, in order.
            box: The target in the first, in the dataset's counting.
            visualize: Show each frame in got10k's window.

        Returns:
            Boxes (N, 4), the first as given, and seconds inside the tracker (N,): got10k's pair.

        Raises:
            SourceError: An image that cannot be read.
        """
        from siamfc.video import read_image

        boxes, seconds = np.empty((len(img_files), 4)), np.empty(len(img_files))
        for index, path in enumerate(img_files):
            image = read_image(path)
            started = perf_counter()
            if index == 0:
                self.init(image, box)
                boxes[0] = box
            else:
                boxes[index] = self.update(image)
            seconds[index] = perf_counter() - started
            if visualize:
                # It takes arrays for OpenCV's blue, green, red.
                import_module("got10k.utils.viz").show_frame(image[..., ::-1], boxes[index])
        return boxes, seconds


def _as_frame(image: PillowImage | Image) -> Image:
    return as_rgb_frame(image if isinstance(image, np.ndarray) else np.asarray(image.convert("RGB")))
