"""A tracker run over a video from its first frame to its last, with the results on disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from siamfc.boxes import Box
from siamfc.checkpoint import DEFAULT_MODEL, load_model
from siamfc.config import Config, load_config
from siamfc.devices import device_label
from siamfc.errors import SiamfcError
from siamfc.model import SiamFC
from siamfc.overlays import BoxPainter, PaintedVideo, ScorePainter
from siamfc.results import RESULT_FILES, TrackedFrame, refuse_existing, write_results
from siamfc.tracker import Tracker, TrackResult
from siamfc.versions import library_versions
from siamfc.video import Frame, FrameSource, open_source

BoxOrChooser = Box | Iterable[float] | Callable[[Frame], Box]
Observer = Callable[[Frame, TrackResult], "Box | Literal['stop'] | None"]

_OVERLAY, _SCORES = "overlay.mp4", "scores.mp4"
_IMAGES_PER_SECOND = 25.0  # overlay videos of image folders, which have no time of their own


@dataclass(frozen=True)
class TrackRun:
    """What a run gave.

    Attributes:
        frames: One row a frame, in order.
        complete: Whether the source was followed to its end.
        files: What was written.
        seconds: Wall-clock time by stage: decode, crop, embed, correlate, post-process, write.
        total_seconds: Of the whole run, loading the model left out.
    """

    frames: list[TrackedFrame]
    complete: bool
    files: list[Path] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    total_seconds: float = 0.0

    @property
    def frames_per_second(self) -> float:
        """Frames over the whole run's time."""
        return len(self.frames) / self.total_seconds if self.total_seconds > 0 else 0.0


class StoppedEarly(SiamfcError):  # noqa: N818 - the run is not lost, only shorter
    """A run that ended before its source did; what it found until then is in ``run``, and on disk."""

    def __init__(self, reason: str, run: TrackRun) -> None:
        super().__init__(reason)
        self.run = run


def track_video(
    source: FrameSource | str | Path | int,
    box: BoxOrChooser,
    *,
    output: str | Path | None = None,
    model: SiamFC | str | Path = DEFAULT_MODEL,
    config: Config | str | Path | None = None,
    device: str = "auto",
    start: int = 0,
    stop: int | None = None,
    every: int = 1,
    overlay: bool = False,
    scores: bool = False,
    overwrite: bool = False,
    observe: Observer | None = None,
) -> TrackRun:
    """Follow an object through a video and write down where it was.

    Args:
        source: What `siamfc.video.open_source` takes: a file, a folder or glob of images, a camera's number, a
            stream's address; or an open source, which stays open.
        box: The target in the first frame, x, y, width, height in frame pixels; or a function that is shown the
            first frame and gives the box.
        output: Folder for ``boxes.csv``, ``boxes.json``, ``boxes.txt`` and the videos; None writes nothing.
        model: A model, a shipped one's name, or a checkpoint's path.
        config: Settings, a published setting's name, or a YAML file; None takes the model's.
        device: Where to load a model that is given by name or path.
        start: First frame, counted from 0; the box is the target's in this frame.
        stop: Frame to end before.
        every: Take each n-th frame only.
        overlay: Write ``overlay.mp4``, the frames with the box.
        scores: Write ``scores.mp4``, the frames with the score map over them, beside exemplar and score map.
        overwrite: Replace results of an earlier run.
        observe: Called after each frame; may return a new box, which starts the target anew in this frame, or
            ``"stop"``.

    Raises:
        BoxError: The box is no box, or lies outside the first frame.
        SourceError: The source cannot be opened.
        OutputError: Results are there already, or cannot be written.
        StoppedEarly: The source broke off, or a frame could not be read; results so far are written.
        KeyboardInterrupt: As it came, with results so far written.
    """
    folder = None if output is None else Path(output).expanduser()
    videos = [name for name, wanted in ((_OVERLAY, overlay), (_SCORES, scores)) if wanted]
    if folder is not None and not overwrite:
        refuse_existing([folder / name for name in (*RESULT_FILES, *videos)])
    network = model if isinstance(model, SiamFC) else load_model(model, device=device)
    if config is None or isinstance(config, str | Path):
        config = load_config(config, checkpoint=network.info.settings if network.info else None)
    tracker = Tracker(network, config, keep_maps=scores)
    with ExitStack() as stack:
        if isinstance(source, str | Path | int):
            source = stack.enter_context(open_source(source, start=start, stop=stop, every=every))
        run = _Run(tracker, source, folder, overwrite)
        try:
            run.follow(box, videos if folder else [], observe)
        except KeyboardInterrupt:
            run.finish(_header(network, tracker, source, stopped="interrupted"))
            raise
        except SiamfcError as error:
            if not run.rows:
                raise
            done = run.finish(_header(network, tracker, source, stopped=str(error)))
            raise StoppedEarly(str(error), done) from error
        return run.finish(_header(network, tracker, source, stopped=run.stopped))


class _Run:
    """The state of one run: rows so far, clock, and the videos being written."""

    def __init__(self, tracker: Tracker, source: FrameSource, folder: Path | None, overwrite: bool) -> None:
        self.tracker = tracker
        self.source = source
        self.folder = folder
        self.overwrite = overwrite
        self.rows: list[TrackedFrame] = []
        self.files: list[Path] = []
        self.stopped: str | None = None
        self.clock = tracker.clock
        self.started = time.perf_counter()

    def follow(self, box: BoxOrChooser, videos: list[str], observe: Observer | None) -> None:
        with ExitStack() as stack:
            writers: list[PaintedVideo] = []
            for frame in self._timed_frames():
                if not self.rows:
                    target = box(frame) if callable(box) else box
                    self.started = time.perf_counter() if callable(box) else self.started
                    result = self.tracker.init(frame.image, target)
                    writers = [stack.enter_context(self._open_video(name, frame, result)) for name in videos]
                else:
                    result = self.tracker.update(frame.image)
                self.rows.append(
                    TrackedFrame(frame.number, frame.name, frame.time_s, result.box, result.score, result.scale)
                )
                with self.clock.stage("write"):
                    for writer in writers:
                        writer.write(frame, result)
                said = observe(frame, result) if observe else None
                if said == "stop":
                    self.stopped = "stopped by the user"
                    return
                if said is not None:
                    self.tracker.init(frame.image, said)

    def finish(self, header: dict[str, Any]) -> TrackRun:
        with self.clock.stage("write"):
            if self.folder is not None and self.rows:
                written = write_results(self.folder, self.rows, header=header, overwrite=self.overwrite)
                self.files = [*written, *(path for path in self.files if path.exists())]
        return TrackRun(
            self.rows,
            complete=header["complete"],
            files=self.files,
            seconds=dict(self.clock.seconds),
            total_seconds=time.perf_counter() - self.started,
        )

    def _timed_frames(self) -> Iterator[Frame]:
        frames = iter(self.source)
        while True:
            with self.clock.stage("decode"):
                frame = next(frames, None)
            if frame is None:
                return
            yield frame

    def _open_video(self, name: str, frame: Frame, first: TrackResult) -> PaintedVideo:
        assert self.folder is not None
        painter: BoxPainter | ScorePainter = BoxPainter()
        if name == _SCORES:
            painter = ScorePainter(self.tracker.config, self.tracker.stride, frame.image, first.box)
        self.files.append(self.folder / name)
        rate = self.source.frame_rate or _IMAGES_PER_SECOND
        return PaintedVideo(self.files[-1], painter, frame_rate=rate, overwrite=self.overwrite)


def _header(network: SiamFC, tracker: Tracker, source: FrameSource, *, stopped: str | None) -> dict[str, Any]:
    """What ``boxes.json`` says before its frames."""
    info = network.info
    return {
        "source": source.name,
        "complete": stopped is None,
        "stopped": stopped,
        "coordinates": "pixels, 0-based, x and y of the left top corner",
        "model": {
            "name": info.name if info else None,
            "sha256": info.sha256 if info else None,
            "settings": network.config.model_dump(),
        },
        "tracker": tracker.config.model_dump(),
        "device": device_label(network.device),
        "versions": library_versions(),
    }
