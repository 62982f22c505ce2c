"""``siamfc track``: follow one object or several through a video, a folder of images, a camera or a stream."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from siamfc.cli import options
from siamfc.cli.arguments import parse_box, source_stem
from siamfc.cli.console import EXIT_BAD_INPUT, EXIT_INTERRUPTED, fail, messages, say
from siamfc.cli.progress import ProgressWatcher

if TYPE_CHECKING:
    from collections.abc import Mapping

    from siamfc.boxes import Box
    from siamfc.data.target_file import TargetStart
    from siamfc.frames import Image
    from siamfc.target_id import TargetId
    from siamfc.tracker.track_result import TrackResult
    from siamfc.tracking_run.run import TrackRun
    from siamfc.video import Frame, FrameSource
    from siamfc.visualize.overlays import TargetsPainter
    from siamfc.window import Window

_TARGET, _PART, _OUTPUT, _HOW = "The target", "Which frames", "Results", "How"


def track(
    source: Annotated[
        str,
        typer.Argument(
            help="A video file, a folder or 'glob*' of images, a camera's number, or a stream's address.",
            show_default=False,
        ),
    ],
    box: Annotated[
        list[str] | None,
        typer.Option(
            metavar="X,Y,W,H",
            help="The target in the first frame: left, top, width, height in pixels, counted from 0. Several targets: "
            "give it several times; they are called 0, 1, ...",
            rich_help_panel=_TARGET,
        ),
    ] = None,
    box_file: Annotated[
        Path | None,
        typer.Option(
            help="Take the box from the first line of a file: OTB (x,y,w,h counted from 1), VOT (polygon), or CSV "
            "with a header (x, y, width, height counted from 0). CSV with an id column, and perhaps frame (where "
            "each begins), gives several targets.",
            rich_help_panel=_TARGET,
        ),
    ] = None,
    select: Annotated[
        bool, typer.Option("--select", help="Draw the box in a window.", rich_help_panel=_TARGET)
    ] = False,
    start: Annotated[
        int, typer.Option(min=0, help="First frame; the box is the target's in it.", rich_help_panel=_PART)
    ] = 0,
    stop: Annotated[int | None, typer.Option(min=1, help="Frame to end before.", rich_help_panel=_PART)] = None,
    every: Annotated[int, typer.Option(min=1, help="Take each n-th frame only.", rich_help_panel=_PART)] = 1,
    out: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder for the results; track-NAME if not given.", rich_help_panel=_OUTPUT
        ),
    ] = None,
    overlay: Annotated[
        bool,
        typer.Option("--overlay", help="Write overlay.mp4: the frames with the boxes.", rich_help_panel=_OUTPUT),
    ] = False,
    scores: Annotated[
        bool,
        typer.Option(
            "--scores",
            help="Write scores.mp4: the frames with the score map over them; of several targets one video each.",
            rich_help_panel=_OUTPUT,
        ),
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace results of an earlier run, all of them.", rich_help_panel=_OUTPUT),
    ] = False,
    show: Annotated[
        bool,
        typer.Option(
            "--show",
            help="Watch in a window: q quits, space pauses, r draws the box (of a single target) anew.",
            rich_help_panel=_OUTPUT,
        ),
    ] = False,
    config: Annotated[
        str | None,
        options.config(
            _HOW,
            "Settings: track-default, track-fast, track-paper-3s, track-paper-5s, track-compat, or a YAML file.",
        ),
    ] = None,
    setting: Annotated[list[str] | None, options.overrides(_HOW)] = None,
    weights: Annotated[str | None, options.weights(_HOW)] = None,
    device: Annotated[str, options.device(_HOW)] = "auto",
    runtime: Annotated[str, options.runtime(_HOW)] = "torch",
    precision: Annotated[str, options.precision(_HOW)] = "fp32",
) -> None:
    """Follow one object or several through a video, given their boxes in the first frame.

    Writes boxes.csv (frame, time, box, score), boxes.json (with settings, weights and versions) and boxes.txt (as
    OTB's files), and on request videos that a browser plays; of several targets, rows have ids, and each target has a
    boxes-ID.txt. Without a box, it opens a window to draw one; where
    there is no display, it writes the first frame with pixel rulers, to read the box off.

    Example: siamfc track video.mp4 --box 120,80,64,48 --overlay
    """
    given = [name for name, value in (("--box", box), ("--box-file", box_file), ("--select", select)) if value]
    if len(given) > 1:
        raise typer.BadParameter(f"{' and '.join(given)} exclude each other")
    from siamfc.checkpoint import DEFAULT_MODEL, load_model
    from siamfc.config import load_config
    from siamfc.devices import device_label
    from siamfc.runtimes.choosing import choose_runtime
    from siamfc.tracking_run.run import StoppedEarly, track_video
    from siamfc.video import open_source
    from siamfc.window import Window

    folder = out or Path(f"track-{source_stem(source)}")
    targets = _read_targets(box or [], box_file, start)
    with ExitStack() as stack:
        frames = stack.enter_context(open_source(source, start=start, stop=stop, every=every))
        window = stack.enter_context(Window(f"siamfc  {frames.name}")) if show or select else None
        model = load_model(weights or DEFAULT_MODEL, device=device)
        settings = load_config(config, overrides=setting or [], checkpoint=model.settings)
        assert model.info is not None
        computing = choose_runtime(model, runtime, precision)
        where = f"{device_label(model.device)}, {computing.name} {computing.precision}"
        say(f"{model.info.name} (sha256 {model.info.short_hash}) on {where}")
        watcher = stack.enter_context(_Watcher(frames, window if show else None))
        try:
            run = track_video(
                frames,
                targets or (lambda frame: _choose_box(frame, window, folder)),
                output=folder,
                model=model,
                config=settings,
                runtime=computing,
                overlay=overlay,
                scores=scores,
                overwrite=overwrite,
                observe=watcher.observe,
            )
        except StoppedEarly as error:
            watcher.close()
            _report(error.run, folder)
            fail(f"{error}; the {error.run.num_frames} frames before are in {folder}")
            raise typer.Exit(EXIT_BAD_INPUT) from None
        except KeyboardInterrupt:
            watcher.close()
            fail(f"interrupted; the frames before are in {folder}" if watcher.frames else "interrupted")
            raise typer.Exit(EXIT_INTERRUPTED) from None
    _report(run, folder)


class _Watcher(ProgressWatcher):
    """Progress on standard error and, where asked for, the window with its keys."""

    def __init__(self, source: FrameSource, window: Window | None) -> None:
        self.frames = 0
        self._window = window
        self._painter: TargetsPainter | None = None
        super().__init__("tracking", "bar", "count", "{task.fields[speed]}", "left")
        self._task = self._progress.add_task("tracking", total=source.frame_count, speed="")

    def observe(
        self, frame: Frame, found: TrackResult | Mapping[TargetId, TrackResult]
    ) -> Box | Literal["stop"] | None:
        self.frames += 1
        speed = self._progress.tasks[0].speed
        self._progress.update(self._task, advance=1, speed=f"{speed:.0f} fps" if speed else "")
        return self._show(frame, found) if self._window else None

    def _show(self, frame: Frame, found: TrackResult | Mapping[TargetId, TrackResult]) -> Box | Literal["stop"] | None:
        from siamfc.tracker.track_result import TrackResult

        assert self._window is not None
        single = isinstance(found, TrackResult)
        key = self._window.show(self._painted(frame, found))
        if key == " ":
            key = self._window.wait_key()
        if key == "q":
            return "stop"
        return self._window.select_box(frame.image) if key == "r" and single else None

    def _painted(self, frame: Frame, found: TrackResult | Mapping[TargetId, TrackResult]) -> Image:
        from siamfc.drawing import draw_box
        from siamfc.tracker.track_result import TrackResult
        from siamfc.visualize.overlays import TargetsPainter

        if isinstance(found, TrackResult):
            picture = frame.image.copy()
            draw_box(picture, found.box, label=f"score {found.score:.2f}")
            return picture
        self._painter = self._painter or TargetsPainter()
        return self._painter.paint(frame, found)


def _read_targets(boxes: list[str], box_file: Path | None, start: int) -> Box | list[Box] | list[TargetStart] | None:
    from siamfc.data.target_file import holds_targets, read_targets

    if len(boxes) > 1:
        return [parse_box(box) for box in boxes]
    if boxes:
        return parse_box(boxes[0])
    if box_file is None:
        return None
    return read_targets(box_file) if holds_targets(box_file) else _read_box(box_file, start)


def _read_box(path: Path, start: int) -> Box:
    from siamfc.data.box_file import read_first_box
    from siamfc.errors import BoxError

    first = read_first_box(path)
    if first.frame is not None and first.frame != start:
        raise BoxError(f"the first row of {path} is for frame {first.frame}: give --start {first.frame}, or --box")
    return first.box


def _choose_box(frame: Frame, window: Window | None, folder: Path) -> Box:
    """The box that the user draws; where no window can be opened, a picture to read it off and an error."""
    from siamfc.display import why_no_window
    from siamfc.drawing import draw_rulers, save_picture
    from siamfc.errors import BoxError
    from siamfc.window import Window

    obstacle = None if window else why_no_window()
    if obstacle:
        path = folder / "first-frame.png"
        save_picture(path, draw_rulers(frame.image), overwrite=True)
        raise BoxError(
            f"no box given, and {obstacle[0].lower()}{obstacle[1:]}. Wrote {path}: read the target off its rulers and "
            "give --box X,Y,WIDTH,HEIGHT"
        )
    with ExitStack() as stack:
        selected = (window or stack.enter_context(Window("siamfc  draw the target's box"))).select_box(frame.image)
    if selected is None:
        raise BoxError("no box was drawn")
    return selected


def _report(run: TrackRun, folder: Path) -> None:
    """The table at the end: frames, speed, time by stage, files."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("stage", "ms a frame", "share"):
        table.add_column(title, justify="left" if title == "stage" else "right")
    count, total = max(run.num_frames, 1), max(run.total_seconds, 1e-9)
    known = sum(run.seconds.values())
    for stage, seconds in [*run.seconds.items(), ("the rest", max(total - known, 0.0))]:
        table.add_row(stage, f"{1000 * seconds / count:.2f}", f"{seconds / total:.0%}")
    messages.print(table)
    say(f"{run.num_frames} frames in {run.total_seconds:.1f} s, {run.frames_per_second:.1f} frames a second")
    say(f"{folder}: {', '.join(path.name for path in run.files)}")
