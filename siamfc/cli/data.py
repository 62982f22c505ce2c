"""``siamfc data``: what datasets the program reads, whether one is in order, and what is learned from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from siamfc.cli import options
from siamfc.cli.console import fail, output, say
from siamfc.cli.progress import progress_bar

if TYPE_CHECKING:
    from siamfc.data.check import DatasetReport

EXIT_WOULD_BREAK = 1

app = typer.Typer(no_args_is_help=True, help="Look at datasets before a run depends on them.")


@app.command()
def check(
    source: Annotated[str, typer.Argument(metavar="LAYOUT:PATH", help="For example otb:/data/OTB.")],
    read_all: Annotated[
        bool, typer.Option("--read-all", help="Decode every frame, not just those in which sequences and runs start.")
    ] = False,
    each: Annotated[bool, typer.Option("--each", help="List every sequence, not just those with a finding.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List what a dataset holds and what is amiss; exit code 1 when something would break a run.

    A run breaks where images are missing or cannot be read, where images and boxes are not equally many, where no
    frame has a box, and where the first box, from which runs start, lies outside the picture. Boxes elsewhere that are
    empty, missing or outside are listed and break nothing.

    Example: siamfc data check plain:shared/data/val
    """
    import json
    from dataclasses import asdict

    from siamfc.data.check import check_dataset
    from siamfc.data.datasets import open_dataset

    dataset = open_dataset(source)
    with progress_bar("{task.description}", "bar", "count", "left") as progress:
        task = progress.add_task("checking", total=len(dataset))
        report = check_dataset(dataset, read_all=read_all, on_sequence=lambda _: progress.advance(task))
    if as_json:
        facts = {"source": source, "breaks_run": report.breaks_run, **asdict(report)}
        output.print(json.dumps(facts, indent=2), markup=False, soft_wrap=True)
    else:
        _print_report(report, each=each)
    if report.breaks_run:
        raise typer.Exit(EXIT_WOULD_BREAK)


@app.command()
def layouts() -> None:
    """List the layouts that can stand before the colon, and what each expects at the path."""
    from siamfc.data.datasets import LAYOUTS

    width = max(map(len, LAYOUTS))
    for name, layout in LAYOUTS.items():
        output.print(f"{name:{width}}  {layout.expects}", markup=False, soft_wrap=True)


@app.command()
def preview(
    data: Annotated[
        list[str],
        typer.Option(
            metavar="LAYOUT:PATH[@WEIGHT]",
            help="A dataset, and its share of the pairs, as for 'siamfc train'; may be repeated.",
            show_default=False,
        ),
    ],
    config: Annotated[str | None, options.config(text="Settings of the training. \\[default: train-default's]")] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="One setting over those; may be repeated."),
    ] = None,
    pairs: Annotated[int, typer.Option(min=1, max=256, help="How many pairs.")] = 16,
    epoch: Annotated[int, typer.Option(min=0, help="Of which epoch.")] = 0,
    out: Annotated[Path, typer.Option("--output", "-o", help="The picture, a .png file.")] = Path("preview.png"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a picture that is there.")] = False,
) -> None:
    """Draw what the network will see: pairs as training reads them, changed in colour, with their labels drawn in.

    A pair is three pictures side by side: the exemplar; the search crop; the search crop with the target's centre (x),
    the cells that count as the target, and the rim of all cells of the score map. The sheet shows the pairs in lines,
    from left to right, as many in a line as fit.

    Example: siamfc data preview --data otb:/data/OTB --config train-default --output preview.png
    """
    from siamfc.config import load_train_config
    from siamfc.data.mixture import HeldOut, open_mixture
    from siamfc.data.pair_crops import PairReader
    from siamfc.data.pairs import PairSampler
    from siamfc.drawing import save_picture
    from siamfc.model import build_model
    from siamfc.training.preview import preview_sheet

    settings = load_train_config(config, overrides=setting or [])
    mixture = open_mixture(data, settings.filters, HeldOut())
    for line in mixture.broken:
        fail(line)
    reader = PairReader(PairSampler(mixture.sources, settings.pairs), settings)
    sheet = preview_sheet(reader, stride=build_model(settings.model).stride, pairs=pairs, epoch=epoch)
    save_picture(out.expanduser(), sheet, overwrite=overwrite)
    say(f"written: {out}")


def _print_report(report: DatasetReport, *, each: bool) -> None:
    from rich.table import Column, Table

    table = Table(Column("sequence", overflow="fold"), box=None, pad_edge=False)
    for heading in ("frames", "boxes", "no box", "empty", "outside", "missing", "would break a run"):
        table.add_column(heading, justify="right")
    for sequence in report.sequences:
        if each or sequence.findings:
            columns = (sequence.frames, sequence.boxes, sequence.without_box, len(sequence.empty_boxes))
            more = (len(sequence.outside_boxes), len(sequence.missing_images))
            table.add_row(sequence.name, *map(str, columns + more), "yes" if sequence.breaks_run else "")
    if table.row_count:
        output.print(table)
    for line in (line for sequence in report.sequences for line in sequence.findings):
        output.print(line, markup=False, soft_wrap=True)
    breaking = sum(sequence.breaks_run for sequence in report.sequences)
    output.print(
        f"{len(report.sequences)} sequences, {report.frames} frames, {report.boxes} boxes; "
        + (f"{breaking} sequences would break a run" if breaking else "nothing that would break a run"),
        markup=False,
        soft_wrap=True,
    )
