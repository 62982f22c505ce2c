"""The demo: a clip rendered around a real photograph, tracked from its frames and the first box alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from siamfc.boxes import Box, intersection_over_union
from siamfc.checkpoint import DEFAULT_MODEL, as_model
from siamfc.config import AnySettings, load_config
from siamfc.data import RenderedClip, render_clip
from siamfc.drawing import save_picture
from siamfc.frames import Image
from siamfc.model import SiamFC
from siamfc.tracker.track_result import TrackResult
from siamfc.tracking_run.run import TrackRun, track_video
from siamfc.video import Frame, FrameSource, VideoWriter
from siamfc.video.source import Span
from siamfc.visualize.overlays import ScorePainter

PICTURE = "demo.png"
CLIP = "clip.mp4"
_PICTURE_AT = 0.62  # of the clip: the target has moved and grown, and nothing covers it
_FRAME_RATE = 30.0


@dataclass(frozen=True)
class DemoReport:
    """What the demo measured on its clip; overlaps are means over all frames.

    Attributes:
        run: The tracker's run: boxes, times, files.
        first_box: The target in the first frame.
        mean_iou: Of the tracker.
        mean_iou_not_moving: Of the first box, never moved.
        mean_iou_not_scaling: Of the tracker's centres with the first box's size.
    """

    run: TrackRun
    first_box: Box
    mean_iou: float
    mean_iou_not_moving: float
    mean_iou_not_scaling: float


class ClipSource(FrameSource):
    """A rendered clip as a source of frames: the pixels, and nothing of what is known about them."""

    def __init__(self, clip: RenderedClip, name: str) -> None:
        super().__init__(name, Span())
        self._clip = clip
        self.frame_rate = _FRAME_RATE
        self.frame_count = len(clip)

    def __iter__(self) -> Iterator[Frame]:
        """Yields every frame, thirty a second."""
        for number, image in enumerate(self._clip):
            yield Frame(number, number / _FRAME_RATE, None, image)

    def close(self) -> None:
        """Nothing is held open."""


def run_demo(
    output: str | Path | None = "demo",
    *,
    seed: int = 0,
    num_frames: int = 120,
    model: SiamFC | str | Path = DEFAULT_MODEL,
    config: AnySettings = None,
) -> DemoReport:
    """Render a clip, track it, and compare with the truth.

    Args:
        output: Folder for boxes, ``overlay.mp4``, ``scores.mp4``, ``demo.png`` (frame, box and score map) and
            ``clip.mp4``, the clip itself; an earlier demo's or run's files in it are replaced, nothing else is touched.
            None writes nothing.
        seed: Which clip.
        num_frames: Its length.
        model: As `siamfc.tracking_run.run.track_video`.
        config: As there.
    """
    clip = render_clip(seed, num_frames=num_frames)
    network = as_model(model)
    config = load_config(config, checkpoint=network.settings)
    painter = ScorePainter(config.tracker, network.stride)
    pictures: list[Image] = []

    folder = None if output is None else Path(output).expanduser()

    def observe(frame: Frame, result: TrackResult) -> None:
        # The painter takes exemplar and colour scale from the first two frames.
        if folder is not None and frame.number in (0, 1, round(_PICTURE_AT * (num_frames - 1))):
            pictures.append(painter.paint(frame, result, truth=clip.boxes[frame.number]))

    if folder is not None:
        with VideoWriter(folder / CLIP, frame_rate=_FRAME_RATE, overwrite=True) as writer:
            for image in clip:
                writer.write(image)
    run = track_video(
        ClipSource(clip, f"rendered clip, seed {seed}"),
        clip.boxes[0],
        output=folder,
        model=network,
        config=config,
        overlay=folder is not None,
        scores=folder is not None,
        overwrite=True,
        observe=observe,
    )
    if folder is not None:
        save_picture(folder / PICTURE, pictures[-1], overwrite=True)
        run.files.extend([folder / PICTURE, folder / CLIP])
    boxes = np.array([row.box for row in run.frames])
    truth = np.array(clip.boxes)
    first_size = boxes[:, :2] + boxes[:, 2:] / 2 - truth[0, 2:] / 2
    unscaled = np.concatenate([first_size, np.broadcast_to(truth[0, 2:], (len(boxes), 2))], axis=1)
    return DemoReport(
        run,
        first_box=clip.boxes[0],
        mean_iou=float(intersection_over_union(truth, boxes).mean()),
        mean_iou_not_moving=float(intersection_over_union(truth, truth[:1]).mean()),
        mean_iou_not_scaling=float(intersection_over_union(truth, unscaled).mean()),
    )
