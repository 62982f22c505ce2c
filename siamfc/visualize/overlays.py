"""Videos of a run: the frames with the box, and the frames with the score map."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from siamfc.boxes import Box
from siamfc.config import TrackerConfig
from siamfc.crops import CropRegion, context_side, crop, mean_color
from siamfc.drawing import Rgb, draw_box, draw_text, target_color
from siamfc.frames import Image
from siamfc.target_id import TargetId
from siamfc.tracker.track_result import TrackResult
from siamfc.video import Frame, VideoWriter
from siamfc.visualize.heat import ColorScale
from siamfc.visualize.maps import color_limits, draw_scores

if TYPE_CHECKING:
    from typing_extensions import Self


_Seen = TypeVar("_Seen", contravariant=True)


class Painter(Protocol[_Seen]):
    """Draws what was seen in a frame."""

    def paint(self, frame: Frame, seen: _Seen, /) -> Image:
        """(H, W, 3)."""


class BoxPainter:
    """Draws the box, the frame's number and the score onto each frame."""

    def paint(self, frame: Frame, result: TrackResult) -> Image:
        """(H, W, 3) with what the tracker found in this frame."""
        picture = frame.image.copy()
        draw_box(picture, result.box, label=f"{frame.number}  score {result.score:.2f}")
        return picture


class TargetsPainter:
    """Draws every target's box in its own colour, with its id and score, and the frame's number."""

    def __init__(self) -> None:
        self._colors: dict[TargetId, Rgb] = {}

    def paint(self, frame: Frame, results: Mapping[TargetId, TrackResult]) -> Image:
        """(H, W, 3) with what the tracker found in this frame."""
        picture = frame.image.copy()
        for name, result in results.items():
            color = self._colors.setdefault(name, target_color(len(self._colors)))
            draw_box(picture, result.box, color=color, label=f"{name}  {result.score:.2f}")
        draw_text(picture, str(frame.number), (6, picture.shape[0] - 8))
        return picture


class ScorePainter:
    """Draws the score map over each frame, and beside it the exemplar above the map by itself.

    One exemplar and one colour scale from a frame in which the target is given, to the next such frame: from the lowest
    score of the first searched frame to its highest, or to the exemplar's score with its own place where that is
    higher. The tracker keeps maps (``keep_maps=True``), so a result without them is of a target as it was given; the
    first to be painted is one, and the frames come in order.

    Args:
        config: The tracker's settings.
        stride: The network's, search pixels a cell.
    """

    def __init__(self, config: TrackerConfig, stride: int) -> None:
        self._config = config
        self._stride = stride
        self._given: tuple[Image, TrackResult] | None = None
        self._scale: ColorScale | None = None

    def paint(self, frame: Frame, result: TrackResult, *, truth: Box | None = None) -> Image:
        """(H, W + H // 2, 3); a frame in which the target is given is not searched, and has no map.

        The true box, frame pixels, is drawn where it is given.
        """
        if result.maps is None:
            side = context_side(result.box, self._config.context_amount)
            region = CropRegion(*result.box.center, side, self._config.exemplar_size)
            self._given = crop(frame.image, region, mean_color(frame.image)), result
            self._scale = None
        assert self._given is not None, "the first frame to be painted is one in which the target is given"
        if result.maps is not None and self._scale is None:
            self._scale = color_limits(self._given[1], result)
        return draw_scores(
            frame.image,
            result,
            exemplar=self._given[0],
            config=self._config,
            stride=self._stride,
            scale=self._scale,
            truth=truth,
        )


class PaintedVideo(Generic[_Seen]):
    """A video of what a painter draws, written frame by frame."""

    def __init__(self, path: Path, painter: Painter[_Seen], *, frame_rate: float, overwrite: bool) -> None:
        self.path = path
        self._painter = painter
        self._writer = VideoWriter(path, frame_rate=frame_rate, overwrite=overwrite)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def write(self, frame: Frame, seen: _Seen) -> None:
        """Paint and add a frame; what was ``seen`` belongs to it."""
        self._writer.write(self._painter.paint(frame, seen), frame.time_s)
