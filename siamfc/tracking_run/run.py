"""Targets followed through a video from its first frame to its last, with the results on disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from siamfc.boxes import Box
from siamfc.checkpoint import DEFAULT_MODEL, as_model
from siamfc.config import AnySettings, load_config
from siamfc.data.target_file import TargetStart
from siamfc.devices import device_label
from siamfc.errors import BoxError, SiamfcError, SourceError
from siamfc.model import SiamFC
from siamfc.results import TrackedFrame, refuse_existing, result_files, write_results
from siamfc.runtimes.choosing import choose_runtime
from siamfc.runtimes.runtime import Runtime
from siamfc.target_id import TargetId
from siamfc.tracker.multi_tracker import MultiTracker
from siamfc.tracker.track_result import TrackResult
from siamfc.tracking_run.leftovers import earlier_files, remove_leftovers
from siamfc.tracking_run.starts import BoxOrChooser, RunTargets, Targets
from siamfc.tracking_run.videos import RunVideos, video_files
from siamfc.versions import library_versions
from siamfc.video import Frame, FrameSource, open_source
from siamfc.video.ahead import read_ahead

Observer = Callable[[Frame, TrackResult], "Box | Literal['stop'] | None"]
TargetsObserver = Callable[[Frame, Mapping[TargetId, TrackResult]], "Literal['stop'] | None"]


@dataclass(frozen=True)
class TrackRun:
    """What a run gave.

    Attributes:
        frames: One row a frame, in order; of several targets, one a frame and target.
        complete: Whether the source was followed to its end.
        files: What was written.
        seconds: Wall-clock time by stage: decode, crop, embed, correlate, post-process, write. Files are decoded ahead,
            in a thread of its own, so decode is the time that was waited for a frame.
        total_seconds: Of the whole run, loading the model left out.
        num_frames: How many frames were tracked.
    """

    frames: list[TrackedFrame] = field(repr=False)
    complete: bool
    files: list[Path] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    total_seconds: float = 0.0
    num_frames: int = 0

    @property
    def frames_per_second(self) -> float:
        """Frames over the whole run's time."""
        return self.num_frames / self.total_seconds if self.total_seconds > 0 else 0.0


class StoppedEarly(SiamfcError):  # noqa: N818 - the run is not lost, only shorter
    """A run that ended before its source did; what it found until then is in ``run``, and on disk."""

    def __init__(self, reason: str, run: TrackRun) -> None:
        super().__init__(reason)
        self.run = run


def track_video(
    source: FrameSource | str | Path | int,
    box: BoxOrChooser | Targets,
    *,
    output: str | Path | None = None,
    model: SiamFC | str | Path = DEFAULT_MODEL,
    config: AnySettings = None,
    device: str = "auto",
    runtime: Runtime | str | None = None,
    precision: str = "fp32",
    start: int = 0,
    stop: int | None = None,
    every: int = 1,
    overlay: bool = False,
    scores: bool = False,
    overwrite: bool = False,
    batch_targets: int | None = None,
    observe: Observer | TargetsObserver | None = None,
) -> TrackRun:
    """Follow one object or several through a video and write down where they were.

    Args:
        source: What `siamfc.video.open_source` takes: a file, a folder or glob of images, a camera's number, a
            stream's address; or an open source, which stays open.
        box: The target in the first frame, x, y, width, height in frame pixels; or a function that is shown the
            first frame and gives the box. Several targets: a list of boxes, boxes by id, or a list of
            `siamfc.TargetStart`, each with the frame in which it begins.
        output: Folder for ``boxes.csv``, ``boxes.json``, ``boxes.txt`` and the videos; None writes nothing. Of several
            targets, the first two have ids, and each target has its ``boxes-ID.txt``.
        model: A model, a shipped one's name, or a checkpoint's path.
        config: As `siamfc.Tracker` takes it.
        device: Where to load a model that is given by name or path.
        runtime: What computes, or its name, as `siamfc.runtimes.choosing.choose_runtime` takes it; None takes torch.
        precision: Of a runtime that is given by name, or of torch.
        start: First frame, counted from 0, of a source that is opened here; a box without a frame of its own is the
            target's in this frame.
        stop: Frame to end before.
        every: Take each n-th frame only.
        overlay: Write ``overlay.mp4``, the frames with the boxes.
        scores: Write ``scores.mp4``, the frames with the score map over them, beside exemplar and score map; of
            several targets ``scores-ID.mp4`` each.
        overwrite: Replace results of an earlier run; those of its files that this run does not write, such as an
            overlay or another target's boxes, are removed when this run's results are written.
        batch_targets: As `siamfc.MultiTracker`.
        observe: Called after each frame with what was found; may return ``"stop"``, or, of one target, a new box, which
            starts it anew in this frame, whose row and pictures then have that box. Of several targets it is given
            results by id.

    Returns:
        The run: a row a frame, or a frame and target, and what was written.

    Raises:
        BoxError: The box is no box, or lies outside the frame; an id twice; a target begins in a frame that is not
            read, or that did not come and no target was followed.
        SourceError: The source cannot be opened.
        OutputError: Results are there already, or cannot be written.
        StoppedEarly: The source broke off, a frame could not be read, or the source ended before the frame in which a
            target begins, which is found late where it does not say how long it is; results so far are written.
        KeyboardInterrupt: As it came, with results so far written.
    """
    targets = RunTargets.of(box)
    folder = None if output is None else Path(output).expanduser()
    if folder is not None and not overwrite:
        names = [*result_files(targets.ids), *video_files(targets, overlay=overlay, scores=scores)]
        refuse_existing([folder / name for name in names])
    network = as_model(model, device=device)
    config = load_config(config, checkpoint=network.settings)
    if runtime is None or isinstance(runtime, str):
        runtime = choose_runtime(network, runtime or "torch", precision)
    tracker = MultiTracker(network, config, keep_maps=scores, runtime=runtime, batch_targets=batch_targets)
    with ExitStack() as stack:
        if not isinstance(source, FrameSource):
            source = stack.enter_context(open_source(source, start=start, stop=stop, every=every))
        elif (start, stop, every) != (0, None, 1):
            raise SourceError("start, stop and every are given where a source is opened, and this one is open already")
        targets.check_frames(source)
        run = _Run(tracker, source, targets, folder, overwrite)

        def header(stopped: str | None) -> dict[str, Any]:
            return _header(network, tracker, runtime, source, stopped=stopped)

        try:
            run.follow(observe, overlay=overlay, scores=scores)
        except KeyboardInterrupt:
            run.finish(header("interrupted"))
            raise
        except SiamfcError as error:
            if not run.rows:
                raise
            raise StoppedEarly(str(error), run.finish(header(str(error)))) from error
        return run.finish(header(run.stopped))


class _Run:
    """The state of one run: rows so far, clock, and the videos being written."""

    def __init__(
        self,
        tracker: MultiTracker,
        source: FrameSource,
        targets: RunTargets,
        folder: Path | None,
        overwrite: bool,
    ) -> None:
        self.tracker = tracker
        self.source = source
        self.targets = targets
        self.folder = folder
        self.overwrite = overwrite
        self.rows: list[TrackedFrame] = []
        self.num_frames = 0
        self.last: int | None = None
        self.begun: set[TargetId] = set()
        self.files: list[Path] = []
        self.stopped: str | None = None
        self.clock = tracker.clock
        self.started = time.perf_counter()

    def follow(self, observe: Observer | TargetsObserver | None, *, overlay: bool, scores: bool) -> None:
        videos = RunVideos(
            self.folder,
            self.targets,
            self.tracker.config,
            stride=self.tracker.stride,
            frame_rate=self.source.frame_rate,
            overlay=overlay,
            scores=scores,
            overwrite=self.overwrite,
        )
        self.files = videos.files
        with videos, closing(self._timed_frames()) as frames:
            for frame in frames:
                results = self._step(frame)
                try:
                    if observe is not None:
                        results = self._observed(observe, frame, results)
                finally:  # what was found in this frame is kept, also where the observer is interrupted
                    self._keep(frame, results)
                    with self.clock.stage("write"):
                        videos.write(frame, results)
                if self.stopped:
                    return
        self.targets.check_begun(self.begun, self.last)

    def finish(self, header: dict[str, Any]) -> TrackRun:
        with self.clock.stage("write"):
            if self.folder is not None and self.rows:
                # Not before: a run that cannot start leaves an earlier one's results as they were.
                earlier = earlier_files(self.folder) if self.overwrite else []
                written = write_results(
                    self.folder, self.rows, ids=self.targets.ids, header=header, overwrite=self.overwrite
                )
                self.files = [*written, *(path for path in self.files if path.exists())]
                remove_leftovers(earlier, kept=[*self.files, Path(self.source.name).expanduser()])
        return TrackRun(
            self.rows,
            complete=header["complete"],
            files=self.files,
            seconds=dict(self.clock.seconds),
            total_seconds=time.perf_counter() - self.started,
            num_frames=self.num_frames,
        )

    def _step(self, frame: Frame) -> dict[TargetId, TrackResult]:
        """Find the targets that there are, then take those that begin in this frame."""
        self.tracker.update(frame.image)
        beginning = self.targets.beginning(frame, is_first=self.num_frames == 0)
        if self.targets.chooser is not None and self.num_frames == 0:
            beginning = [TargetStart(0, self.targets.chooser(frame))]
            self.started = time.perf_counter()
        for start in beginning:
            self.tracker.add(frame.image, start.box, id=start.id)
            self.begun.add(start.id)
        self.num_frames += 1
        self.last = frame.number
        return self.tracker.results

    def _observed(
        self, observe: Observer | TargetsObserver, frame: Frame, results: dict[TargetId, TrackResult]
    ) -> dict[TargetId, TrackResult]:
        """The results after the observer has seen them: where it gives a new box, those of the target taken anew."""
        several = self.targets.several
        said = observe(frame, results if several else results[0])  # type: ignore[arg-type]
        if said == "stop":
            self.stopped = "stopped by the user"
        elif said is not None and not several:
            if isinstance(said, bool | str):
                raise BoxError(f'an observer returns None, "stop" or a new box, not {said!r}')
            self.tracker.drop(0)
            self.tracker.add(frame.image, said, id=0)
            return self.tracker.results
        return results

    def _keep(self, frame: Frame, results: Mapping[TargetId, TrackResult]) -> None:
        for name, found in results.items():
            row = TrackedFrame(frame.number, frame.name, frame.time_s, found.box, found.score, found.scale)
            self.rows.append(replace(row, id=name) if self.targets.several else row)

    def _timed_frames(self) -> Generator[Frame]:
        with closing(read_ahead(self.source)) as frames:
            while True:
                with self.clock.stage("decode"):
                    frame = next(frames, None)
                if frame is None:
                    return
                yield frame


def _header(
    network: SiamFC, tracker: MultiTracker, runtime: Runtime, source: FrameSource, *, stopped: str | None
) -> dict[str, Any]:
    """What ``boxes.json`` says before its frames."""
    return {
        "source": source.name,
        "complete": stopped is None,
        "stopped": stopped,
        "coordinates": "pixels, 0-based, x and y of the left top corner",
        "model": network.describe(),
        "tracker": tracker.config.model_dump(),
        "runtime": {"name": runtime.name, "precision": runtime.precision},
        "device": device_label(network.device),
        "versions": library_versions(),
    }
