"""Pictures, folders and videos searched from first to last, with the results on disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from siamfc.checkpoint import DEFAULT_MODEL, as_model
from siamfc.config import AnySettings
from siamfc.devices import device_label
from siamfc.drawing import save_picture
from siamfc.errors import MatchError, OutputError, SourceError
from siamfc.files import write_whole
from siamfc.frames import ColorOrder, Image
from siamfc.matching.drawing import draw_matches, heat_over_picture
from siamfc.matching.matcher import Exemplars, Matcher, PictureSimilarity
from siamfc.matching.results import RESULT_FILES, SearchedPicture, write_matches
from siamfc.model import SiamFC
from siamfc.results import refuse_existing
from siamfc.tiles import Observer
from siamfc.versions import library_versions
from siamfc.video import Frame, FrameSource, VideoWriter, open_source
from siamfc.video.images import ImageFiles
from siamfc.video.source import Span

_IMAGES_PER_SECOND = 25.0  # videos of sources that do not tell their rate


@dataclass(frozen=True)
class MatchRun:
    """What a run gave.

    Attributes:
        pictures: One entry a picture or frame that was searched, in order.
        problems: What could not be searched, and why.
        complete: Whether every source was searched to its end.
        files: What was written.
        total_seconds: Of the whole run, loading the model left out.
    """

    pictures: list[SearchedPicture]
    problems: dict[str, str] = field(default_factory=dict)
    complete: bool = True
    files: list[Path] = field(default_factory=list)
    total_seconds: float = 0.0


def match_pictures(
    sources: str | Path | Iterable[str | Path],
    exemplars: Exemplars,
    *,
    output: str | Path | None = None,
    model: SiamFC | str | Path = DEFAULT_MODEL,
    config: AnySettings = None,
    color_order: ColorOrder = "rgb",
    device: str = "auto",
    start: int = 0,
    stop: int | None = None,
    every: int = 1,
    scores: bool = False,
    overwrite: bool = False,
    observe: Callable[[SearchedPicture], None] | None = None,
    observe_tiles: Observer | None = None,
) -> MatchRun:
    """Search pictures, folders of them, and videos for exemplars, and write down what was found.

    Args:
        sources: One or several, each what `siamfc.video.open_source` takes: an image, a folder or glob of images, a
            video.
        exemplars: As `siamfc.matching.one_call.match`.
        output: Folder for ``matches.csv``, ``matches.json`` and ``NAME-matches.png`` (a video: ``NAME-matches.mp4``);
            None writes nothing.
        model: A model, a shipped one's name, or a checkpoint's path.
        config: As there.
        color_order: ``"bgr"`` for exemplars as OpenCV gives them.
        device: Where to load a model that is given by name or path.
        start: First picture or frame of each source, counted from 0.
        stop: The one to end before.
        every: Take each n-th only.
        scores: Write each picture's score map, at its resolution, as ``NAME-scores.npy`` and as a heat map over the
            picture, ``NAME-scores.png`` (a video: ``NAME-scores.mp4`` and a NPY file a frame).
        overwrite: Replace results of an earlier run.
        observe: Called after each picture.
        observe_tiles: Called after each tile of a picture; as `siamfc.matching.one_call.match`.

    Returns:
        The run. A video that breaks off, or a picture that cannot be read or searched, also one in a folder, is among
        its problems; the others are searched all the same.

    Raises:
        BoxError, MatchError: An exemplar that cannot be searched for.
        OutputError: Results are there already, or cannot be written.
        KeyboardInterrupt: As it came, with results so far written.
    """
    folder = None if output is None else Path(output).expanduser()
    if folder is not None and not overwrite:
        refuse_existing([folder / name for name in RESULT_FILES])
    network = as_model(model, device=device)
    matcher = Matcher(network, exemplars, config, color_order=color_order)
    writer = _Writer(folder, matcher, scores=scores, overwrite=overwrite) if folder else None
    run = _Run(matcher, writer, _Observers(observe, observe_tiles))
    try:
        for source in [sources] if isinstance(sources, str | Path) else sources:
            run.search_source(source, Span(start, stop, every))
    except (KeyboardInterrupt, OutputError) as error:
        run.finish(stopped=str(error) or "interrupted")
        raise
    return run.finish(stopped=None)


class _Observers(NamedTuple):
    pictures: Callable[[SearchedPicture], None] | None
    tiles: Observer | None


class _Run:
    """The state of one run: what was found so far, what could not be searched, and what was written."""

    def __init__(self, matcher: Matcher, writer: _Writer | None, observe: _Observers) -> None:
        self._matcher, self._writer, self._observe = matcher, writer, observe
        self._pictures: list[SearchedPicture] = []
        self._problems: dict[str, str] = {}
        self._started = time.perf_counter()

    def search_source(self, source: str | Path, span: Span) -> None:
        """Search all pictures of a source; what cannot be read is written down, and the others are searched."""
        try:
            with open_source(source, start=span.start, stop=span.stop, every=span.every) as frames:
                name = Path(frames.name).name or frames.name
                with self._writer.source(frames) if self._writer else nullcontext():
                    for frame in self._readable(frames):
                        self._search(frame, frame.name or name)
        except SourceError as error:
            self._problems[str(source)] = str(error)

    def _readable(self, source: FrameSource) -> Iterator[Frame]:
        """The frames; of image files each is read on its own, since one that is broken says nothing of the next."""
        if not isinstance(source, ImageFiles):
            yield from source
            return
        for number in source.numbers:
            frame = self._read(source, number)
            if frame is not None:
                yield frame

    def _read(self, source: ImageFiles, number: int) -> Frame | None:
        try:
            return source.read(number)
        except SourceError as error:
            self._problems[str(source.path(number))] = str(error)
            return None

    def _search(self, frame: Frame, name: str) -> None:
        started = time.perf_counter()
        try:
            found = self._matcher.search(frame.image, observe=self._observe.tiles)
            matches = found.matches()
        except MatchError as error:
            self._problems[name] = str(error)
            return
        seconds = time.perf_counter() - started
        height, width = frame.image.shape[:2]
        picture = SearchedPicture(name, frame.number, frame.time_s, (height, width), matches, seconds)
        self._pictures.append(picture)
        if self._writer:
            self._writer.write(frame, picture, found)
        if self._observe.pictures:
            self._observe.pictures(picture)

    def finish(self, *, stopped: str | None) -> MatchRun:
        """Write the tables, but where nothing could be searched: that is no result."""
        files: list[Path] = []
        if self._writer and (self._pictures or not self._problems):
            files = self._writer.finish(self._pictures, _header(self._matcher, stopped, self._problems))
        complete = stopped is None and not self._problems
        total = time.perf_counter() - self._started
        return MatchRun(self._pictures, self._problems, complete=complete, files=files, total_seconds=total)


class _Writer:
    """The files of a run: tables, and for each picture, or each video, what was found drawn over it."""

    def __init__(self, folder: Path, matcher: Matcher, *, scores: bool, overwrite: bool) -> None:
        self._folder, self._scores, self._overwrite = folder, scores, overwrite
        self._names = matcher.names
        self._files: list[Path] = []
        self._taken: set[str] = set()
        self._videos: dict[str, VideoWriter] = {}
        self._video_stem = ""

    @contextmanager
    def source(self, frames: FrameSource) -> Iterator[None]:
        """While the block lasts, frames that are no images of their own become videos, whole also where it fails."""
        self._videos, self._video_stem = {}, ""
        self._frame_rate = frames.frame_rate or _IMAGES_PER_SECOND
        with ExitStack() as self._stack:
            yield

    def write(self, frame: Frame, picture: SearchedPicture, found: PictureSimilarity) -> None:
        """Draw what was found in one picture, and where asked for its score map."""
        if frame.name is None:
            self._video_stem = self._video_stem or self._free_stem(picture.picture)
            stem = f"{self._video_stem}-{frame.number:06d}"
        else:
            stem = self._free_stem(frame.name)
        self._draw(stem, "matches", frame, draw_matches(frame.image, picture.matches, self._names))
        if self._scores:
            scores = found.map()
            path = self._folder / f"{stem}-scores.npy"
            with write_whole(path, overwrite=self._overwrite) as temporary, temporary.open("wb") as file:
                np.save(file, scores)
            self._files.append(path)
            self._draw(stem, "scores", frame, heat_over_picture(frame.image, scores, picture.matches))

    def finish(self, pictures: list[SearchedPicture], header: dict[str, Any]) -> list[Path]:
        """Write the tables; all files of the run."""
        tables = write_matches(self._folder, pictures, exemplars=self._names, header=header, overwrite=self._overwrite)
        return [*tables, *self._files]

    def _draw(self, stem: str, kind: str, frame: Frame, image: Image) -> None:
        if frame.name is not None:
            self._files.append(self._folder / f"{stem}-{kind}.png")
            save_picture(self._files[-1], image, overwrite=self._overwrite)
            return
        if kind not in self._videos:
            self._files.append(self._folder / f"{self._video_stem}-{kind}.mp4")
            writer = VideoWriter(self._files[-1], frame_rate=self._frame_rate, overwrite=self._overwrite)
            self._videos[kind] = self._stack.enter_context(writer)
        self._videos[kind].write(image, frame.time_s)

    def _free_stem(self, name: str) -> str:
        """The name without its ending, safe for a file, and with a number where another picture has it."""
        base = (
            "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in Path(name).stem) or "picture"
        )
        numbered = (base if number == 1 else f"{base}-{number}" for number in count(1))
        stem = next(stem for stem in numbered if stem not in self._taken)
        self._taken.add(stem)
        return stem


def _header(matcher: Matcher, stopped: str | None, problems: dict[str, str]) -> dict[str, Any]:
    """What ``matches.json`` says before its pictures."""
    model = matcher.model
    return {
        "complete": stopped is None and not problems,
        "stopped": stopped,
        "problems": problems,
        "coordinates": "pixels, 0-based, x and y of the left top corner",
        "exemplars": [
            {"name": name, "box": [round(value, 3) for value in exemplar.box]}
            for name, exemplar in zip(matcher.names, matcher.exemplars, strict=True)
        ],
        "model": model.describe(),
        "match": matcher.config.model_dump(),
        "device": device_label(model.device),
        "versions": library_versions(),
    }
