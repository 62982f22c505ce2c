"""Score maps of a video or of a pair of images, written as pictures, videos, arrays and curves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from siamfc.boxes import Box, as_box
from siamfc.checkpoint import DEFAULT_MODEL, as_model
from siamfc.config import AnySettings, Config, load_config
from siamfc.crops import CropRegion, context_side, crop, mean_color
from siamfc.errors import SourceError
from siamfc.frames import ColorOrder, Image, as_rgb_frame
from siamfc.model import SiamFC
from siamfc.tracker.track_result import TrackResult
from siamfc.tracker.tracker import Tracker
from siamfc.video import Frame, FrameSource, open_source
from siamfc.visualize.curves import CurveRow
from siamfc.visualize.heat import ColorScale
from siamfc.visualize.map_files import Format, MapWriter, Wanted
from siamfc.visualize.maps import color_limits
from siamfc.visualize.pair_search import search_picture
from siamfc.visualize.panels import SeenFrame, View

_VIEWS: tuple[View, ...] = ("panel",)
_FORMATS: tuple[Format, ...] = ("png",)


@dataclass(frozen=True)
class VisualRun:
    """What was seen.

    Attributes:
        rows: Box, score, scale and truth of every tracked frame, in order; of a pair, one.
        scale: The colours, None where nothing was searched.
        files: What was written.
    """

    rows: list[CurveRow]
    scale: ColorScale | None
    files: list[Path] = field(default_factory=list)


def visualize_video(
    source: FrameSource | str | Path | int,
    box: Box | Iterable[float],
    *,
    output: str | Path,
    frames: Collection[int] | None = None,
    views: Collection[View] = _VIEWS,
    formats: Collection[Format] = _FORMATS,
    truth: Callable[[Frame], Box | None] | None = None,
    model: SiamFC | str | Path = DEFAULT_MODEL,
    config: AnySettings = None,
    device: str = "auto",
    scale: ColorScale | None = None,
    overwrite: bool = False,
    observe: Callable[[Frame], None] | None = None,
) -> VisualRun:
    """Track an object and draw what the tracker saw.

    Writes a picture (``panel-000050.png``) and arrays (``raw-000050.npy`` (num_scales, h, w),
    ``upsampled-000050.npy`` and ``response-000050.npy`` (h', w')) for every chosen frame, a video a view
    (``panel.mp4``), ``curves.png``, and ``frames.json``, which says where in the frame the maps lie.

    Args:
        source: What `siamfc.video.open_source` takes, or an open source, which stays open. It begins with the frame in
            which the target is given, and is followed until the last chosen frame.
        box: The target in that frame, frame pixels.
        output: Folder for the files.
        frames: Numbers of the frames to draw; None for all.
        views: What to draw of each: ``panel``, ``overlay``, ``raw``, ``upsampled``, ``windowed``, ``scales``.
        formats: As what: ``png``, ``mp4``, ``npy`` (the arrays, whatever the views).
        truth: The true box of a frame, None where it is not known.
        model: A model, a shipped one's name, or a checkpoint's path.
        config: As `siamfc.Tracker` takes it.
        device: Where to load a model that is given by name or path.
        scale: The colours; None takes those of `siamfc.visualize.maps.color_limits`.
        overwrite: Replace files of an earlier run.
        observe: Called after each frame.

    Returns:
        What was seen: box, score and truth of every tracked frame, the colours, and the files.

    Raises:
        BoxError: The box is no box, or lies outside the first frame.
        ConfigError: A view or a format that is not known, or none.
        SourceError: A chosen frame is not in the source, or one cannot be read.
        OutputError: Files of an earlier run are there, or one cannot be written.
    """
    wanted = Wanted(Path(output).expanduser(), views, formats, overwrite)
    box = as_box(box)
    with ExitStack() as stack:
        if not isinstance(source, FrameSource):
            source = stack.enter_context(open_source(source))
        _check_frames(frames, source)
        network = as_model(model, device=device)
        settings = load_config(config, checkpoint=network.settings)
        tracker = Tracker(network, settings, keep_maps=True)
        rows: list[CurveRow] = []
        tracked = _tracked(tracker, source, box, last=max(frames) if frames else None)
        first, second = next(tracked, None), next(tracked, None)
        if first is None:
            raise SourceError(f"{source.name} holds no frame")
        colors = scale or (color_limits(first[1], second[1]) if second else None)
        writer = stack.enter_context(MapWriter(wanted, settings.tracker, tracker.stride, colors))
        look = _Look(first[0].image, box, settings)
        for frame, result in chain([first], [second] if second else [], tracked):
            true = truth(frame) if truth else None
            rows.append(CurveRow(frame.number, result.box, result.score, result.scale, true))
            if frames is None or frame.number in frames:
                writer.add(frame, look.at(frame, result, true), rate=source.frame_rate)
            if observe:
                observe(frame)
    _refuse_missing(frames, rows, source)
    writer.finish(rows, header=_header(source.name, network, settings, colors), marked=frames or ())
    return VisualRun(rows, colors, writer.files)


def visualize_pair(
    image: NDArray[Any],
    box: Box | Iterable[float],
    search_image: NDArray[Any],
    *,
    output: str | Path,
    views: Collection[View] = _VIEWS,
    formats: Collection[Format] = _FORMATS,
    truth: Box | None = None,
    model: SiamFC | str | Path = DEFAULT_MODEL,
    config: AnySettings = None,
    device: str = "auto",
    scale: ColorScale | None = None,
    color_order: ColorOrder = "rgb",
    overwrite: bool = False,
) -> VisualRun:
    """Look for the object of one picture in the whole of another, and draw what was seen.

    Files as `visualize_video`, for frame 0; there is no window, since there is no earlier place.

    Args:
        image: (H, W, 3) uint8, or what `siamfc.frames.as_rgb_frame` takes; shows the object.
        box: Where, pixels of ``image``.
        search_image: (H', W', 3), likewise.
        output: As there.
        views: As there.
        formats: ``png`` and ``npy``.
        truth: Where the object is in ``search_image``.
        model: As there.
        config: As there.
        device: As there.
        scale: As there; None goes from the lowest logit to that of the place found.
        color_order: ``"bgr"`` for images as OpenCV gives them.
        overwrite: As there.

    Raises:
        BoxError: The box is no box, or lies outside ``image``.
        ConfigError: A view or a format that is not known, or none.
        FrameError: No picture, or the search picture is too large beside the exemplar.
        OutputError: Files of an earlier run are there, or one cannot be written.
    """
    wanted = Wanted(Path(output).expanduser(), views, formats, overwrite)
    box = as_box(box)
    image, search_image = (as_rgb_frame(one, color_order) for one in (image, search_image))
    network = as_model(model, device=device)
    settings = load_config(config, checkpoint=network.settings)
    found = search_picture(network, settings.tracker, image, box, search_image)
    colors = scale or ColorScale(float(found.maps.score_maps.min()), found.logit)
    frame = Frame(0, None, None, search_image)
    seen = SeenFrame(
        search_image, "search", found.exemplar, found.search, found.maps, found.box, found.score, truth, False
    )
    row = CurveRow(0, found.box, found.score, found.box.width / box.width, truth)
    with MapWriter(wanted, settings.tracker, network.stride, colors) as writer:
        writer.add(frame, seen, rate=None)
    writer.finish([row], header=_header("pair of images", network, settings, colors), marked=())
    return VisualRun([row], colors, writer.files)


def _tracked(
    tracker: Tracker, source: FrameSource, box: Box, *, last: int | None
) -> Iterator[tuple[Frame, TrackResult]]:
    for place, frame in enumerate(source):
        yield frame, tracker.update(frame.image) if place else tracker.init(frame.image, box)
        if last is not None and frame.number >= last:
            return


class _Look:
    """What is drawn of a frame beside its maps: the exemplar, and the search crop as the tracker cut it."""

    def __init__(self, first: Image, box: Box, settings: Config) -> None:
        self._fill = mean_color(first)
        side = context_side(box, settings.tracker.context_amount)
        self._exemplar = crop(first, CropRegion(*box.center, side, settings.tracker.exemplar_size), self._fill)

    def at(self, frame: Frame, result: TrackResult, truth: Box | None) -> SeenFrame:
        search = None if result.maps is None else crop(frame.image, result.maps.region, self._fill)
        label = f"{frame.number}"
        return SeenFrame(frame.image, label, self._exemplar, search, result.maps, result.box, result.score, truth)


def _check_frames(frames: Collection[int] | None, source: FrameSource) -> None:
    if frames is None:
        return
    if not frames or min(frames) < source.span.start:
        raise SourceError(
            f"the target is given in frame {source.span.start}, and those before it cannot be shown: {sorted(frames)}"
        )
    missing = [number for number in sorted(frames) if not source.may_give(number)]
    if missing:
        raise SourceError(f"there is no frame {missing[0]} among those of {source.name} that are read: {source.wanted}")


def _refuse_missing(frames: Collection[int] | None, rows: list[CurveRow], source: FrameSource) -> None:
    missing = sorted(set(frames or ()) - {row.frame for row in rows})
    if missing:
        raise SourceError(f"there is no frame {missing[0]} in {source.name}: its last is {rows[-1].frame}")


def _header(source: str, network: SiamFC, settings: Config, scale: ColorScale | None) -> dict[str, Any]:
    """What ``frames.json`` says before its frames."""
    return {
        "source": source,
        "model": network.describe(),
        "tracker": settings.tracker.model_dump(),
        "stride_px": network.stride,
        "color_scale": None if scale is None else scale._asdict(),
        "coordinates": "frame pixels, 0-based; a map's cell (i, j) has its window's centre at (x + j step, y + i step)",
    }
