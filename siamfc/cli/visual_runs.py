"""What ``siamfc visualize`` runs once its command line is read: through a video, or in a second picture."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from siamfc.cli.console import say
from siamfc.cli.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable

    from siamfc.boxes import Box
    from siamfc.config import Config
    from siamfc.model import SiamFC
    from siamfc.video import Frame, FrameSource
    from siamfc.visualize.heat import ColorScale
    from siamfc.visualize.map_files import Format
    from siamfc.visualize.panels import View
    from siamfc.visualize.runs import VisualRun

    TrueBox = Callable[[Frame], Box | None]


@dataclass(frozen=True)
class VisualRequest:
    """What both kinds of run are asked for in the same words."""

    folder: Path
    views: list[View]
    formats: list[Format]
    scale: ColorScale | None
    overwrite: bool
    weights: str | None
    config: str | None
    setting: list[str]
    device: str

    def load(self) -> tuple[SiamFC, Config]:
        """The model and its settings, after a line that names it."""
        from siamfc.checkpoint import DEFAULT_MODEL, load_model
        from siamfc.config import load_config
        from siamfc.devices import device_label

        model = load_model(self.weights or DEFAULT_MODEL, device=self.device)
        assert model.info is not None
        settings = load_config(self.config, overrides=self.setting, checkpoint=model.info.settings)
        say(f"{model.info.name} (sha256 {model.info.short_hash}) on {device_label(model.device)}")
        return model, settings


def look_in_picture(request: VisualRequest, source: Path, box: Box, search: Path, truth: Box | None) -> VisualRun:
    """Find the object of one picture in the whole of another, and draw its maps there."""
    from siamfc.video import read_image
    from siamfc.visualize.runs import visualize_pair

    image, search_image = read_image(source), read_image(search)
    model, settings = request.load()
    return visualize_pair(
        image,
        box,
        search_image,
        output=request.folder,
        views=request.views,
        formats=request.formats,
        truth=truth,
        model=model,
        config=settings,
        scale=request.scale,
        overwrite=request.overwrite,
    )


def look_through(
    request: VisualRequest, source: FrameSource, box: Box, true: TrueBox | None, chosen: list[int] | None
) -> VisualRun:
    """Track through frames and draw the maps of those that were chosen."""
    from siamfc.visualize.runs import visualize_video

    model, settings = request.load()
    total = (chosen[-1] - source.span.start) // source.span.every + 1 if chosen else source.frame_count
    with progress_bar("{task.description}", "bar", "count", "left") as progress:
        task = progress.add_task("tracking", total=total)
        return visualize_video(
            source,
            box,
            output=request.folder,
            frames=chosen,
            views=request.views,
            formats=request.formats,
            truth=true,
            model=model,
            config=settings,
            scale=request.scale,
            overwrite=request.overwrite,
            observe=lambda _: progress.advance(task),
        )


def open_frames(
    stack: ExitStack, source: str | None, data: str | None, sequence: str | None, truth: str | None, start: int
) -> tuple[FrameSource, TrueBox | None]:
    """The frames of a source, or of a dataset's sequence; and where the truth about them is known, what tells it.

    Raises:
        SourceError: Something cannot be read, or a dataset has several sequences and none was chosen.
    """
    from siamfc.boxes import Box
    from siamfc.data import open_dataset
    from siamfc.data.sequence_source import SequenceSource
    from siamfc.data.truth_file import read_truth, true_box
    from siamfc.errors import SourceError
    from siamfc.video import open_source

    known = read_truth(Path(truth)) if truth else None
    told = None if known is None else lambda frame: true_box(known, frame)
    if data is None:
        return stack.enter_context(open_source(source or "", start=start)), told
    dataset = open_dataset(data)
    if sequence is None and len(dataset.names) > 1:
        some = ", ".join(dataset.names[:3])
        raise SourceError(f"{data} has {len(dataset.names)} sequences: choose one by --sequence ({some}, ...)")
    found = dataset.find(sequence) if sequence else dataset[0]
    in_view = found.in_view

    def of_sequence(frame: Frame) -> Box | None:
        known_here = frame.number < len(in_view) and in_view[frame.number]
        return Box(*found.boxes[frame.number].tolist()) if known_here else None

    return stack.enter_context(SequenceSource(found, start=start)), told or of_sequence


def first_true(source: FrameSource, true: TrueBox | None) -> Box:
    """The known box of the first frame.

    Raises:
        BoxError: There is none.
    """
    from siamfc.errors import BoxError

    box = true(next(iter(source))) if true else None
    if box is None:
        raise BoxError(
            f"frame {source.span.start} of {source.name} has no known box: give --box X,Y,W,H, or a --truth with one"
        )
    return box
