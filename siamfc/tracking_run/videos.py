"""The videos of a run: boxes over the frames, and a target's score maps."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from siamfc.config import TrackerConfig
from siamfc.target_id import TargetId
from siamfc.tracker.track_result import TrackResult
from siamfc.tracking_run.starts import RunTargets
from siamfc.video import Frame
from siamfc.visualize.overlays import BoxPainter, PaintedVideo, Painter, ScorePainter, TargetsPainter

if TYPE_CHECKING:
    from typing_extensions import Self

OVERLAY_FILE = "overlay.mp4"
_IMAGES_PER_SECOND = 25.0  # of image folders, which have no time of their own
_Seen = TypeVar("_Seen")


def video_files(targets: RunTargets, *, overlay: bool, scores: bool) -> list[str]:
    """Names of the videos that a run writes."""
    names = [OVERLAY_FILE] if overlay else []
    if scores:
        names += map(scores_file, targets.ids if len(targets.ids) > 1 else [None])
    return names


def scores_file(id: TargetId | None) -> str:  # noqa: A002 - what it is called everywhere
    """Name of the score video of one of several targets; None: of the only one."""
    return "scores.mp4" if id is None else f"scores-{id}.mp4"


class RunVideos:
    """Writes a run's videos frame by frame; each begins with the first frame that shows something.

    Args:
        folder: Where to; None writes nothing.
        targets: Of the run.
        config: The tracker's settings.
        stride: The network's, search pixels a cell.
        frame_rate: The source's; None for images.
        overlay: Write the frames with the boxes.
        scores: Write the frames with the score maps, a video a target.
        overwrite: Replace videos of an earlier run.
    """

    def __init__(
        self,
        folder: Path | None,
        targets: RunTargets,
        config: TrackerConfig,
        *,
        stride: int,
        frame_rate: float | None,
        overlay: bool,
        scores: bool,
        overwrite: bool,
    ) -> None:
        self.files: list[Path] = []
        self._folder = folder
        self._config = config
        self._stride = stride
        self._frame_rate = frame_rate or _IMAGES_PER_SECOND
        self._overlay = overlay and folder is not None
        self._scores = scores and folder is not None
        self._overwrite = overwrite
        self._stack = ExitStack()
        self._targets = targets
        self._box_video: PaintedVideo[TrackResult] | None = None
        self._targets_video: PaintedVideo[Mapping[TargetId, TrackResult]] | None = None
        self._score_videos: dict[TargetId, PaintedVideo[TrackResult]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def write(self, frame: Frame, results: Mapping[TargetId, TrackResult]) -> None:
        """Add a frame; the results belong to it."""
        if self._overlay and self._targets.several:
            self._targets_video = self._targets_video or self._open(OVERLAY_FILE, TargetsPainter())
            self._targets_video.write(frame, results)
        elif self._overlay:
            self._box_video = self._box_video or self._open(OVERLAY_FILE, BoxPainter())
            self._box_video.write(frame, results[0])
        for name, result in results.items() if self._scores else ():
            if name not in self._score_videos:
                painter = ScorePainter(self._config, self._stride)
                self._score_videos[name] = self._open(
                    scores_file(name if len(self._targets.ids) > 1 else None), painter
                )
            self._score_videos[name].write(frame, result)

    def _open(self, name: str, painter: Painter[_Seen]) -> PaintedVideo[_Seen]:
        assert self._folder is not None
        self.files.append(self._folder / name)
        video = PaintedVideo(self.files[-1], painter, frame_rate=self._frame_rate, overwrite=self._overwrite)
        return self._stack.enter_context(video)
