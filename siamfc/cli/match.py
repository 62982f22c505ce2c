"""``siamfc match``: find every place in pictures that looks like an exemplar."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from siamfc.cli import options
from siamfc.cli.arguments import parse_box, source_stem
from siamfc.cli.console import EXIT_BAD_INPUT, EXIT_INTERRUPTED, fail, output, say
from siamfc.cli.progress import ProgressWatcher

if TYPE_CHECKING:
    from siamfc.boxes import Box
    from siamfc.matching.exemplars import Exemplar
    from siamfc.matching.results import SearchedPicture
    from siamfc.matching.run import MatchRun

_WHAT, _WHERE, _FOUND, _RESULTS, _HOW = "What to search for", "Where", "What counts as found", "Results", "How"
_TABLE_ROWS = 40


def match(
    exemplar: Annotated[
        Path,
        typer.Argument(help="Image of the object: all of it, or what --box marks in it.", show_default=False),
    ],
    pictures: Annotated[
        list[str],
        typer.Argument(
            help="Where to search: images, folders or 'glob*' of images, videos. As many as you like.",
            show_default=False,
        ),
    ],
    box: Annotated[
        list[str] | None,
        typer.Option(
            metavar="X,Y,W,H",
            help="The object in EXEMPLAR: left, top, width, height in pixels, counted from 0. Repeat it for several "
            "objects.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    also: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="IMAGE",
            help="One more exemplar, all of an image; may be repeated. All are searched for in one pass, and the best "
            "one is named at each place.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    rotations: Annotated[
        str | None,
        typer.Option(
            metavar="DEG,DEG,...",
            help="Search for the object turned, too, such as -30,0,30 or 0,90,180,270; clockwise. \\[default: 0]",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    start: Annotated[int, typer.Option(min=0, help="First picture of a folder or frame.", rich_help_panel=_WHERE)] = 0,
    stop: Annotated[int | None, typer.Option(min=1, help="The one to end before.", rich_help_panel=_WHERE)] = None,
    every: Annotated[int, typer.Option(min=1, help="Take each n-th only.", rich_help_panel=_WHERE)] = 1,
    scales: Annotated[
        str | None,
        typer.Option(
            metavar="MIN,MAX",
            help="Least and greatest size searched, in times the exemplar's. \\[default: 0.5,2]",
            rich_help_panel=_FOUND,
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            help="Least score: 1 is the exemplar itself, 0 the picture's background. \\[default: the weights' own, "
            "0.68 where they bring none]",
            rich_help_panel=_FOUND,
            show_default=False,
        ),
    ] = None,
    max_matches: Annotated[
        int | None,
        typer.Option(min=1, help="Most matches a picture. \\[default: 100]", rich_help_panel=_FOUND),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder for the results; match-NAME if not given.", rich_help_panel=_RESULTS
        ),
    ] = None,
    scores: Annotated[
        bool,
        typer.Option(
            "--scores",
            help="Write the score map at the picture's resolution, too: as NPY, and as a heat map over the picture.",
            rich_help_panel=_RESULTS,
        ),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace results of an earlier run.", rich_help_panel=_RESULTS)
    ] = False,
    config: Annotated[str | None, options.config(_HOW, "Settings: a YAML file with a section 'match:'.")] = None,
    setting: Annotated[list[str] | None, options.overrides(_HOW, "match.stride=4 for a finer map")] = None,
    weights: Annotated[str | None, options.weights(_HOW)] = None,
    device: Annotated[str, options.device(_HOW)] = "auto",
) -> None:
    """Find every place in pictures that looks like an exemplar, whatever its size.

    Prints a table, and writes matches.csv, matches.json and NAME-matches.png, the picture
    with its boxes (a video: NAME-matches.mp4). Pictures of any size are searched in tiles.

    The object's picture, cut out:  siamfc match logo.png photo.jpg

    Marked in a photograph, in a folder of others:  siamfc match scene.jpg photos/ --box 120,80,64,48

    Things that changed since the exemplar was taken score lower: try --threshold 0.6.
    Small exemplars take longest: the picture is enlarged until they have the network's size.
    """
    from siamfc.checkpoint import DEFAULT_MODEL, load_model
    from siamfc.config import load_config
    from siamfc.devices import device_label
    from siamfc.matching.run import match_pictures

    exemplars = _read_exemplars(exemplar, box or [], also or [])
    model = load_model(weights or DEFAULT_MODEL, device=device)
    assert model.info is not None
    overrides = [*(setting or []), *_overrides(scales, rotations, threshold, max_matches)]
    settings = load_config(config, overrides=overrides, checkpoint=model.info.settings).match
    folder = out or Path(f"match-{source_stem(pictures[0])}")
    say(f"{model.info.name} (sha256 {model.info.short_hash}) on {device_label(model.device)}")
    watcher = _Watcher()
    try:
        with watcher:
            run = match_pictures(
                pictures,
                exemplars,
                output=folder,
                model=model,
                config=settings,
                start=start,
                stop=stop,
                every=every,
                scores=scores,
                overwrite=overwrite,
                observe=watcher.observe,
                observe_tiles=watcher.observe_tiles,
            )
    except KeyboardInterrupt:
        kept = f"; {_counted(watcher.done, 'picture')} searched before, in {folder}"
        fail(f"interrupted{kept if watcher.done else ''}")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    _report(run, [one.name for one in exemplars], folder)


class _Watcher(ProgressWatcher):
    """Progress on standard error: pictures done, and the tiles of the one that is being searched."""

    def __init__(self) -> None:
        self.done = 0
        super().__init__("{task.description}", "bar", "{task.completed:.0f}/{task.total:.0f} tiles", "elapsed")
        self._task = self._progress.add_task("picture 1", total=1)

    def observe_tiles(self, done: int, total: int) -> None:
        self._progress.update(self._task, completed=done, total=total, description=f"picture {self.done + 1}")

    def observe(self, _picture: SearchedPicture) -> None:
        self.done += 1


def _read_exemplars(image: Path, boxes: list[str], others: list[Path]) -> list[Exemplar]:
    from siamfc.matching.exemplars import as_exemplar
    from siamfc.video import read_image

    pixels = read_image(image)
    names = [image.name] if len(boxes) < 2 else [f"{image.name} {number}" for number in range(1, len(boxes) + 1)]
    marked: list[Box | None] = [parse_box(text) for text in boxes]
    marked = marked or [None]
    exemplars = [as_exemplar(pixels, box, name=name) for box, name in zip(marked, names, strict=True)]
    return exemplars + [as_exemplar(read_image(path), name=path.name) for path in others]


def _numbers(text: str, problem: Exception) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise problem from None


def _overrides(
    scales: str | None, rotations: str | None, threshold: float | None, max_matches: int | None
) -> list[str]:
    """The command's own options as settings, which are checked where all settings are."""
    from siamfc.errors import ConfigError

    given = []
    if scales is not None:
        problem = ConfigError(f"--scales is two numbers MIN,MAX, such as 0.5,2, not {scales!r}")
        low_and_high = _numbers(scales, problem)
        if len(low_and_high) != 2:
            raise problem
        given += [f"match.min_scale={low_and_high[0]!r}", f"match.max_scale={low_and_high[1]!r}"]
    if rotations is not None:
        turns = _numbers(rotations, ConfigError(f"--rotations is degrees between commas, not {rotations!r}"))
        given.append(f"match.rotations={turns!r}")
    if threshold is not None:
        given.append(f"match.threshold={threshold!r}")
    if max_matches is not None:
        given.append(f"match.max_matches={max_matches}")
    return given


def _report(run: MatchRun, names: list[str], folder: Path) -> None:
    """The table, where the files are, and what could not be searched: then the exit code is that of bad input."""
    from rich.table import Table

    rows = [(picture, rank, found) for picture in run.pictures for rank, found in enumerate(picture.matches, start=1)]
    table = Table(box=None, pad_edge=False)
    columns = ["picture", "match", "score", "x", "y", "width", "height", "scale", "exemplar"]
    for title in columns:
        table.add_column(title, justify="left" if title in ("picture", "exemplar") else "right")
    for picture, rank, found in rows[:_TABLE_ROWS]:
        time_s = "" if picture.time_s is None else f" {picture.time_s:.2f} s"
        box = (f"{value:.1f}" for value in found.box)
        turned = f" {found.rotation:g} deg" if found.rotation else ""
        name = f"{names[found.exemplar]}{turned}"
        table.add_row(picture.picture + time_s, str(rank), f"{found.score:.2f}", *box, f"{found.scale:.2f}", name)
    if rows:
        output.print(table)
    if len(rows) > _TABLE_ROWS:
        say(f"and {len(rows) - _TABLE_ROWS} more")
    count, searched = _counted(len(rows), "match", "matches"), _counted(len(run.pictures), "picture")
    say(f"{count} in {searched}, {run.total_seconds:.1f} s")
    if run.files:
        listed = [path.name for path in run.files[:6]] + (["..."] if len(run.files) > 6 else [])
        say(f"{folder}: {', '.join(listed)}")
    for name, problem in run.problems.items():
        fail(problem if name in problem else f"{name}: {problem}")
    if run.problems:
        raise typer.Exit(EXIT_BAD_INPUT)


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
