"""``siamfc calibrate``: make a model's score tell whether the target is in view, on one scale for all videos."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from siamfc.cli import options
from siamfc.cli.console import messages, output, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from siamfc.calibration.regions import TargetRegions
    from siamfc.calibration.separation import Separation
    from siamfc.config import TrackerConfig
    from siamfc.data.usable import Track
    from siamfc.model import SiamFC
    from siamfc.provenance import Provenance

_SHOWN = 8
_FROM, _RESULTS, _HOW = "What it is calibrated and measured on", "Results", "How"


def calibrate(
    data: Annotated[
        list[str],
        typer.Option(
            metavar="LAYOUT:PATH",
            help="Labelled videos to calibrate on; may be repeated. 'siamfc data layouts' lists the layouts.",
            show_default=False,
            rich_help_panel=_FROM,
        ),
    ],
    held_out: Annotated[
        Path | None,
        typer.Option(
            help="File of names of sequences to measure on instead, one pattern a line, as for 'siamfc train'.",
            rich_help_panel=_FROM,
        ),
    ] = None,
    measure: Annotated[
        list[str] | None,
        typer.Option(metavar="LAYOUT:PATH", help="More videos to measure on; may be repeated.", rich_help_panel=_FROM),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The calibrated checkpoint to write.", rich_help_panel=_RESULTS),
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--json", help="Write the measured figures, too.", rich_help_panel=_RESULTS)
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that are there.", rich_help_panel=_RESULTS)
    ] = False,
    half: Annotated[
        bool, typer.Option("--half", help="Store convolutions in half precision.", rich_help_panel=_RESULTS)
    ] = False,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A setting that the checkpoint shall bring along, such as match.threshold=0.7; may be repeated.",
            rich_help_panel=_RESULTS,
        ),
    ] = None,
    regions: Annotated[
        int, typer.Option(min=10, help="Regions a kind and target to measure on.", rich_help_panel=_HOW)
    ] = 200,
    fit_regions: Annotated[
        int, typer.Option(min=10, help="Regions a kind and target to calibrate on.", rich_help_panel=_HOW)
    ] = 30,
    targets: Annotated[
        int, typer.Option(min=2, help="Targets to calibrate on, at most; drawn evenly.", rich_help_panel=_HOW)
    ] = 200,
    weights: Annotated[str | None, options.weights(_HOW)] = None,
    device: Annotated[str, options.device(_HOW)] = "auto",
) -> None:
    """Calibrate the score that says how sure it is that the target is in view, and measure how well it tells.

    Exemplars are searched for in regions that show their target, another video's, and the same video's at the same
    scale without the target. From the cosines at the places found come the channel statistics and the logistic curve
    that 'siamfc track' scores with; the weights themselves stay as they are. The table gives the area under the ROC
    curve, 0.5 by chance, on videos that were held out.

    Example: siamfc calibrate --weights run/model.safetensors --data otb:videos -o scored.safetensors
    """
    from siamfc.calibration.fitting import calibrate_score
    from siamfc.calibration.regions import RegionKind
    from siamfc.checkpoint import DEFAULT_MODEL, load_model, save_checkpoint
    from siamfc.config import load_config
    from siamfc.results import refuse_existing

    if not overwrite:
        refuse_existing([path for path in (out, report) if path])
    model = load_model(weights or DEFAULT_MODEL, device=device)
    assert model.info is not None
    settings = load_config(overrides=setting or [], checkpoint=model.info.settings)
    tracker = settings.tracker
    learned, apart = _tracks(data, held_out)
    learned = [learned[int(at * len(learned) / min(targets, len(learned)))] for at in range(min(targets, len(learned)))]
    with messages.status("") as status:
        observe = _told(status.update)
        drawn = _draw(learned, tracker, fit_regions, observe("reading what to calibrate on"))
        beside = sum(RegionKind.ELSEWHERE in target.regions for target in drawn)
        calibrated = calibrate_score(model, drawn, tracker, observe("calibrating"))
        sets = {"held out": apart, **{name: _tracks([name], None)[0] for name in measure or []}}
        figures = {
            name: _separations(calibrated, tracks, tracker, regions, observe(f"measuring {name}"))
            for name, tracks in sets.items()
            if tracks
        }
    slope, offset = calibrated.score_curve.tolist()
    say(f"calibrated on {len(drawn)} targets: score 0.5 at a cosine of {-offset / slope:.3f}, slope {slope:.1f}")
    if not beside:
        say("no frame was large enough for a region beside its target: calibrated against other videos alone")
    _show(figures)
    if not figures:
        say("how well the score tells was not measured: give --held-out FILE, or --measure LAYOUT:PATH")
    if report:
        from siamfc.files import write_text

        rows = {name: [each._asdict() for each in found] for name, found in figures.items()}
        text = {"model": model.info.name, "sha256": model.info.sha256, "roc_area": rows}
        write_text(report, json.dumps(text, indent=1) + "\n", overwrite=overwrite)
        say(f"wrote {report}")
    if out:
        info = save_checkpoint(
            out,
            calibrated,
            provenance=_with_calibration(model.info.provenance, data),
            settings=settings.model_dump(exclude_unset=True),
            half_precision=half,
            overwrite=overwrite,
        )
        output.print(f"wrote {info.path}, sha256 {info.short_hash}", markup=False, soft_wrap=True)


def _with_calibration(before: Provenance, data: list[str]) -> Provenance:
    from siamfc.data.mixture import short_name
    from siamfc.provenance import CALIBRATED_ON
    from siamfc.versions import package_version

    calibrated = f"; siamfc {package_version()} calibrate"
    names = ", ".join(short_name(name) for name in data)
    return before.model_copy(
        update={
            "trained_on": f"{before.learned_from}{CALIBRATED_ON}{names}",  # an earlier one counts no more
            "made_with": before.made_with.replace(calibrated, "") + calibrated,
        }
    )


def _tracks(data: list[str], held_out: Path | None) -> tuple[list[Track], list[Track]]:
    """What to learn from and what was held out; a dataset to measure on is taken whole."""
    from siamfc.config import FilterConfig
    from siamfc.data.mixture import HeldOut, open_mixture

    mixture = open_mixture(data, FilterConfig(), HeldOut.from_file(held_out) if held_out else HeldOut())
    for text in mixture.broken:
        say(f"left out: {text}")
    return [track for source in mixture.sources for track in source.tracks], list(mixture.held_out)


def _draw(
    tracks: Sequence[Track], tracker: TrackerConfig, count: int, observe: Callable[[int, int], None]
) -> list[TargetRegions]:
    from siamfc.calibration.regions import draw_regions

    return draw_regions(tracks, tracker, count=count, observe=observe)


def _separations(
    model: SiamFC, tracks: Sequence[Track], tracker: TrackerConfig, count: int, observe: Callable[[int, int], None]
) -> list[Separation]:
    from siamfc.calibration.separation import separation
    from siamfc.calibration.similarities import measure_cosines

    drawn = _draw(tracks, tracker, count, observe)
    return separation([target.name for target in drawn], measure_cosines(model, drawn, tracker, observe))


def _told(update: Callable[[str], None]) -> Callable[[str], Callable[[int, int], None]]:
    return lambda what: lambda done, of: update(f"{what}: {done} of {of} targets")


def _show(figures: dict[str, list[Separation]]) -> None:
    from rich.table import Table

    for name, rows in figures.items():
        table = Table(title=f"{name}: area under the ROC curve", box=None, pad_edge=False)
        for title in ("target", "against other videos", "against the same video"):
            table.add_column(title, justify="left" if title == "target" else "right")
        pooled, *by_target = rows
        hardest = sorted(by_target, key=lambda row: min(area for area in row[1:] if area is not None))[:_SHOWN]
        for row in [pooled, *hardest]:
            areas = ("" if area is None else f"{area:.3f}" for area in (row.strangers, row.elsewhere))
            table.add_row(row.name, *areas)
        output.print(table)
        if len(by_target) > _SHOWN:
            output.print(f"the {_SHOWN} hardest of {len(by_target)} targets; --json has all")
