"""``siamfc visualize``: score maps of a video, of chosen frames, or of a pair of images."""

from __future__ import annotations

from contextlib import ExitStack
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from siamfc.cli import options
from siamfc.cli.arguments import parse_box, parse_frames, parse_limits, source_stem
from siamfc.cli.console import output
from siamfc.cli.visual_runs import VisualRequest, first_true, look_in_picture, look_through, open_frames

if TYPE_CHECKING:
    from siamfc.boxes import Box
    from siamfc.visualize.map_files import Format
    from siamfc.visualize.runs import VisualRun

_TARGET, _WHAT, _OUTPUT, _HOW = "The target", "What is drawn", "Results", "How"


class ViewName(str, Enum):
    """The views as ``--view`` takes them; a test holds them against `siamfc.visualize.panels.VIEWS`."""

    panel = "panel"
    overlay = "overlay"
    raw = "raw"
    upsampled = "upsampled"
    windowed = "windowed"
    scales = "scales"


def visualize(
    source: Annotated[
        str | None,
        typer.Argument(
            help="A video, a folder or 'glob*' of images; with --search, the picture that shows the exemplar.",
            show_default=False,
        ),
    ] = None,
    box: Annotated[
        str | None,
        typer.Option(
            metavar="X,Y,W,H",
            help="The target in the first frame, pixels counted from 0. \\[default: the truth's]",
            rich_help_panel=_TARGET,
        ),
    ] = None,
    search: Annotated[
        Path | None,
        typer.Option(metavar="IMAGE", help="Look for it in the whole of this picture.", rich_help_panel=_TARGET),
    ] = None,
    truth: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|X,Y,W,H",
            help="True boxes, marked beside what was found: OTB's or VOT's text file, or CSV with a header; with "
            "--search, the box there.",
            rich_help_panel=_TARGET,
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="LAYOUT:PATH",
            help="A dataset, such as otb:/data/OTB, in place of SOURCE; brings the true boxes.",
            rich_help_panel=_TARGET,
        ),
    ] = None,
    sequence: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which of its sequences, if several.", rich_help_panel=_TARGET)
    ] = None,
    frames: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="Frames to draw, counted from 0: 10,50,100 or 10-50 or 0-200:10. \\[default: all, as a video]",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    start: Annotated[
        int, typer.Option(min=0, help="First frame; the box is the target's in it.", rich_help_panel=_WHAT)
    ] = 0,
    view: Annotated[
        list[ViewName] | None,
        typer.Option(
            help="panel: all beside one another. overlay: the map over the frame. raw: the network's cells. "
            "upsampled, windowed: as the peak is found. scales: one map a size. May be repeated. \\[default: panel]",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    limits: Annotated[
        str | None,
        typer.Option(
            metavar="LOW,HIGH",
            help="Scores at the two ends of the colours, to compare runs. \\[default: the lowest score of the first "
            "searched frame, its highest or the exemplar's with itself]",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    png: Annotated[
        bool,
        typer.Option("--png", help="A picture a view and frame; the default with --frames.", rich_help_panel=_OUTPUT),
    ] = False,
    mp4: Annotated[
        bool, typer.Option("--mp4", help="A video a view; the default without.", rich_help_panel=_OUTPUT)
    ] = False,
    npy: Annotated[
        bool,
        typer.Option(
            "--npy", help="The numbers: raw, upsampled and windowed map of every drawn frame.", rich_help_panel=_OUTPUT
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for the results; maps-NAME if not given.", rich_help_panel=_OUTPUT),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace results of an earlier run.", rich_help_panel=_OUTPUT)
    ] = False,
    config: Annotated[str | None, options.config(_HOW)] = None,
    setting: Annotated[list[str] | None, options.overrides(_HOW)] = None,
    weights: Annotated[str | None, options.weights(_HOW)] = None,
    device: Annotated[str, options.device(_HOW)] = "auto",
) -> None:
    """See the score maps: over the frame, beside exemplar and search crop, raw, upsampled, windowed, by scale.

    All maps of a run share one colour scale, whose bar says what the colours mean. A ring marks the peak, a green
    cross the true centre where it is known. Besides pictures, videos or arrays it writes curves.png (score, scale,
    centre error) and frames.json (boxes, scores, and where in the frame the maps lie).

    A video:  siamfc visualize video.mp4 --box 120,80,64,48

    Chosen frames:  siamfc visualize video.mp4 --box 120,80,64,48 --frames 10,50,100 --view overlay --view panel

    A sequence with its true boxes:  siamfc visualize --data otb:/data/OTB --sequence David --frames 0-400:100

    A pair of images:  siamfc visualize a.jpg --box 120,80,64,48 --search b.jpg
    """
    if (source is None) == (data is None):
        raise typer.BadParameter("give either SOURCE, or --data with --sequence")
    if search is not None and (source is None or frames or mp4 or start):
        raise typer.BadParameter("--search is for a pair of images: it goes with SOURCE and --box, not with a video's")
    target = parse_box(box) if box else None
    scale = parse_limits(limits) if limits else None
    chosen = parse_frames(frames) if frames else None
    if search is not None and target is None:
        raise typer.BadParameter("--search needs --box, the object in SOURCE")
    pairs: tuple[tuple[Format, bool], ...] = (("png", png), ("mp4", mp4), ("npy", npy))
    usual: Format = "mp4" if chosen is None and search is None else "png"
    request = VisualRequest(
        folder=out or Path(f"maps-{source_stem(source or sequence or 'sequence')}"),
        views=[name.value for name in view or [ViewName.panel]],
        formats=[name for name, wanted in pairs if wanted] or [usual],
        scale=scale,
        overwrite=overwrite,
        weights=weights,
        config=config,
        setting=setting or [],
        device=device,
    )
    if search is not None and target is not None:
        run = look_in_picture(request, Path(source or ""), target, search, parse_box(truth) if truth else None)
    else:
        with ExitStack() as stack:
            opened, true = open_frames(stack, source, data, sequence, truth, start)
            run = look_through(request, opened, target or first_true(opened, true), true, chosen)
    _report(run, request.folder)


def _report(run: VisualRun, folder: Path) -> None:
    errors = [row.center_error_px for row in run.rows if row.truth is not None]
    if run.scale is not None:
        output.print(f"colours from {run.scale.low:.3g} to {run.scale.high:.3g}, {run.scale.unit}")
    last = run.rows[-1]
    frames = "1 frame; it" if len(run.rows) == 1 else f"{len(run.rows)} frames; the last"
    output.print(f"{frames} has score {last.score:.3f}, box {_numbers(last.box)}")
    if errors:
        output.print(f"centre error: mean {sum(errors) / len(errors):.1f} px, largest {max(errors):.1f} px")
    names = [path.name for path in run.files]
    listed = ", ".join(names if len(names) <= 8 else [*names[:4], "...", *names[-3:]])
    output.print(f"written to {folder}/: {listed}", markup=False, soft_wrap=True)


def _numbers(box: Box) -> str:
    return ",".join(f"{value:.1f}" for value in box)
