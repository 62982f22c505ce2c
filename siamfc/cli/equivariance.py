"""``siamfc equivariance``: which feature of a network makes it follow a shift of the picture, measured."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from siamfc.cli.console import output, say
from siamfc.cli.progress import progress_bar

if TYPE_CHECKING:
    from siamfc.equivariance import EquivarianceReport


class PartName(str, Enum):
    """What can be measured by itself; a test holds it against `siamfc.equivariance.PARTS`."""

    small = "small"
    default = "default"
    paper = "paper"
    sharing = "sharing"


def equivariance(
    images: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Measure on these pictures, sides of 223 px or more. \\[default: rendered ones]"
        ),
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=64, help="At most so many pictures.")] = 4,
    part: Annotated[
        list[PartName] | None,
        typer.Option(
            help="small: variants of one small network. default: the shipped weights. paper: AlexNet. sharing: the two "
            "scorers. May be repeated. \\[default: all]"
        ),
    ] = None,
    steps: Annotated[
        int, typer.Option(min=1, help="Training steps of the small network and of the two scorers; 200: a minute each.")
    ] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Of weights and samples.")] = 0,
    weights: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help="A shipped model ('siamfc models') or a checkpoint, as the default."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for equivariance.json and equivariance.png.")
    ] = Path("equivariance"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results of an earlier run.")] = False,
) -> None:
    """Measure what makes a network translation equivariant: convolution, strides, pooling, padding, or its head.

    Errors are in float64, in standard deviations of the score map. One small network is trained for a minute and then
    changed in one thing at a time, its weights staying as they are; the paper's network and the shipped weights are
    measured beside it. Two scorers of equal size are taught on targets in the left half alone and asked about the
    right. docs/equivariance.md explains the figures. All of it takes about ten minutes on one core.

    Example: siamfc equivariance --images photos/ -o eq
    """
    from siamfc.checkpoint import DEFAULT_MODEL
    from siamfc.equivariance import PARTS, measure_equivariance, save_figure
    from siamfc.files import write_text
    from siamfc.results import refuse_existing

    paths = [out / "equivariance.json", out / "equivariance.png"]
    if not overwrite:
        refuse_existing(paths)
    with progress_bar("{task.description}", "bar", "count", "left") as progress:
        tasks: dict[str, int] = {}

        def watch(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
                say(what)
            progress.update(tasks[what], completed=done)  # type: ignore[arg-type]  # a TaskID is an int

        report = measure_equivariance(
            images,
            count=count,
            steps=steps,
            seed=seed,
            model=weights or DEFAULT_MODEL,
            parts=[name.value for name in part] if part else PARTS,
            watch=watch,
        )
    write_text(paths[0], report.to_json(), overwrite=overwrite)
    save_figure(paths[1], report, overwrite=overwrite)
    _print_report(report)
    output.print(f"written to {out}/: {', '.join(path.name for path in paths)}", markup=False, soft_wrap=True)


def _print_report(report: EquivarianceReport) -> None:
    from rich.table import Table

    from siamfc.equivariance import named_figures

    figures = named_figures(report)
    table = Table(box=None, pad_edge=False)
    table.add_column("network", no_wrap=True)
    columns = {
        "stride": "stride",
        "windows": "windows",
        "whole_strides": "strides",
        "between": "between",
        "border_0": "border",
        "invariance_4": "alike",
        "peak_between": "peak",
    }
    for title in columns.values():
        table.add_column(title, justify="right")
    for network in report.networks:
        cells = (figures.get(f"{network.key}.{name}", "cannot be asked") for name in columns)
        table.add_row(
            network.name.removeprefix("small: "), *("-" if cell == "cannot be asked" else cell for cell in cells)
        )
    if report.networks:
        output.print(table)
        output.print(
            "differences in standard deviations of the map. windows: at worst, from every window embedded alone; "
            "strides: at worst, after whole strides; between: mean, after the worst other shift; border: mean, of the "
            "outermost cells. alike: correlation of one place's features after 4 px. peak: how far it did not "
            "follow, px, at the worst shift. -: cannot be asked",
            soft_wrap=True,
        )
    for result in report.sharing:
        output.print(
            f"{result.name}, {result.weights:,} weights, taught on the left half: finds the target there in "
            f"{result.left:.0%}, in the right half in {result.right:.0%} (chance {result.chance:.0%})",
            soft_wrap=True,
        )
    output.print(f"{report.picture_count} pictures, {report.pictures}", markup=False, soft_wrap=True)
