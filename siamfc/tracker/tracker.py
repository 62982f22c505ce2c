"""The tracker: an exemplar embedded once, searched for around its last place in every frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from siamfc.boxes import Box, as_box
from siamfc.checkpoint import as_model
from siamfc.config import AnySettings, TrackerConfig
from siamfc.frames import ColorOrder, as_rgb_frame, checked_color_order
from siamfc.model import SiamFC
from siamfc.runtimes.runtime import Runtime
from siamfc.timing import StageClock
from siamfc.tracker.target import Target
from siamfc.tracker.target_search import TargetSearch
from siamfc.tracker.track_result import TrackResult


class Tracker:
    """Follows one target through frames, given its box in the first.

    The model is taken as it is now, folded for inference; training it further does not change the tracker.

    Args:
        model: Any `SiamFC`, on any device; or a shipped one's name, or a checkpoint's path.
        config: Settings as `siamfc.load_config` takes them: a published name, a YAML file, a `TrackerConfig` or
            sections by name. What they do not set the checkpoint does, else the default.
        color_order: ``"bgr"`` for frames as OpenCV gives them.
        keep_maps: Put the score maps into every result.
        runtime: What embeds in every frame, or its name; `siamfc.runtimes.choosing.choose_runtime` makes
            one in another precision. None takes torch in full precision.

    Raises:
        CheckpointError: No such model.
        ConfigError: Settings that are none, a runtime that is not known, crop sizes that this network cannot use.
        EnvironmentProblem: The runtime is not installed.
        FrameError: A colour order that is not known.

    Example:
        >>> import numpy as np
        >>> from siamfc.checkpoint import load_model
        >>> tracker = Tracker(load_model("mobilenetv2-imagenet", device="cpu"))
        >>> frame = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
        >>> tracker.init(frame, (140, 100, 40, 40)).scale
        1.0
        >>> [round(value) for value in tracker.update(frame).box]
        [140, 100, 40, 40]
    """

    def __init__(
        self,
        model: SiamFC | str | Path,
        config: AnySettings = None,
        *,
        color_order: ColorOrder = "rgb",
        keep_maps: bool = False,
        runtime: Runtime | str | None = None,
    ) -> None:
        self.color_order = checked_color_order(color_order)
        self._search = TargetSearch(as_model(model), config, keep_maps=keep_maps, runtime=runtime)
        self._target: Target | None = None

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

    def init(self, frame: NDArray[Any], box: Box | Iterable[float]) -> TrackResult:
        """Take the target from the first frame.

        Args:
            frame: (H, W, 3) uint8, or what `siamfc.frames.as_rgb_frame` takes.
            box: The target, x, y, width, height in frame pixels; may reach over the edge, must touch the frame.

        Returns:
            The box as given, with the exemplar's score at its own place.

        Raises:
            BoxError: Not four finite numbers, no area, or wholly outside the frame.
            FrameError: Not a picture.
        """
        self._target, result = self._search.start(as_rgb_frame(frame, self.color_order), as_box(box))
        return result

    def update(self, frame: NDArray[Any]) -> TrackResult:
        """Find the target in the next frame.

        The centre is kept inside the frame, so a target that left is looked for at the edge where it went; with
        ``lost_score``, which the default weights set, in the frame around, too, and the box may leap. A frame
        of another size than the last is taken as the same view at another resolution: place and size are scaled.

        Raises:
            RuntimeError: `init` was not called.
            FrameError: Not a picture.
        """
        if self._target is None:
            raise RuntimeError("call init(frame, box) before update(frame)")
        return self._search.find(as_rgb_frame(frame, self.color_order), [self._target])[0]

    def track(self, frames: Iterable[NDArray[Any]], box: Box | Iterable[float]) -> Iterator[TrackResult]:
        """Results for all frames, the first included; ``box`` is the target in the first."""
        for index, frame in enumerate(frames):
            yield self.update(frame) if index else self.init(frame, box)
