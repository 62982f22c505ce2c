"""``siamfc evaluate``: how accurately trackers localise, by the field's protocols."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from siamfc.cli import options
from siamfc.cli.console import EXIT_BAD_INPUT, EXIT_INTERRUPTED, fail, output, say
from siamfc.cli.progress import ProgressWatcher

if TYPE_CHECKING:
    from siamfc.evaluation.runs import Progress
    from siamfc.evaluation.scores import Evaluation

_WHAT, _WHO, _OWN, _RESULTS, _HOW = "What is measured", "Which trackers", "Our own tracker", "Results", "How it is run"


class ProtocolName(str, Enum):
    """The protocols as ``--protocol`` takes them; a test holds them against `siamfc.evaluation.plans.PROTOCOLS`."""

    ope = "ope"
    tre = "tre"
    sre = "sre"
    got10k = "got10k"
    vot = "vot"


class PixelBase(str, Enum):
    """What a file calls the top left pixel."""

    zero = "0"
    one = "1"


def evaluate(
    data: Annotated[
        str,
        typer.Option(
            metavar="LAYOUT:PATH",
            help="The dataset, for example otb:/data/OTB; 'siamfc data layouts' lists the layouts.",
            show_default=False,
            rich_help_panel=_WHAT,
        ),
    ],
    protocol: Annotated[
        ProtocolName | None,
        typer.Option(
            help="ope: one pass. tre, sre: OTB's 20 starts, and 12 first boxes a little wrong. got10k. vot: started "
            "again after failures. \\[default: the one the dataset is for]",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    sequences: Annotated[
        str | None, typer.Option(metavar="A,B", help="Only these sequences.", rich_help_panel=_WHAT)
    ] = None,
    vot_year: Annotated[
        int | None,
        typer.Option(
            metavar="YEAR",
            help="The challenge, 2015 to 2019, whose sequence lengths VOT's EAO is taken over. \\[default: 2016]",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    tracker: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="siamfc; opencv:CSRT, KCF, MIL or Nano; python:MODULE:FACTORY, which gives anything with "
            "init(frame, box) and update(frame), frames being RGB. May be repeated. "
            "\\[default: siamfc, where no --results are given]",
            rich_help_panel=_WHO,
        ),
    ] = None,
    results: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]DIR",
            help="Score the files of another tracker: NAME.txt a sequence, or NAME/NAME_001.txt. May be repeated.",
            rich_help_panel=_WHO,
        ),
    ] = None,
    results_base: Annotated[
        PixelBase | None,
        typer.Option(
            help="What those files call the top left pixel, where layout and dataset do not settle it.",
            rich_help_panel=_WHO,
        ),
    ] = None,
    tracker_option: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="opencv:Nano's model files: backbone=FILE, and again neckhead=FILE.",
            rich_help_panel=_WHO,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="What to call the tracker that is run, in tables and folders.", rich_help_panel=_WHO),
    ] = None,
    weights: Annotated[str | None, options.weights(_OWN)] = None,
    config: Annotated[str | None, options.config(_OWN)] = None,
    setting: Annotated[list[str] | None, options.overrides(_OWN)] = None,
    device: Annotated[str, options.device(_OWN)] = "auto",
    runtime: Annotated[str, options.runtime(_OWN)] = "torch",
    precision: Annotated[str, options.precision(_OWN)] = "fp32",
    out: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder for results, report.json and report.html. Finished runs in it are not made again. "
            "\\[default: evaluate-LAYOUT, where a tracker is run]",
            rich_help_panel=_RESULTS,
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite", help="Throw away what earlier runs of these trackers left in it.", rich_help_panel=_RESULTS
        ),
    ] = False,
    by_sequence: Annotated[
        bool, typer.Option("--by-sequence", help="Print each sequence's figure, too.", rich_help_panel=_RESULTS)
    ] = False,
    submission: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.zip",
            help="Write the archive that GOT-10k's or TrackingNet's server takes.",
            rich_help_panel=_RESULTS,
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Processes. \\[default: 1; in a cluster, all it has]", rich_help_panel=_HOW),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            min=1, help="Threads in each. \\[default: the cores divided by the workers]", rich_help_panel=_HOW
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Work on a Ray cluster, whose machines see the dataset under the same path: HOST:PORT, auto, or "
            "local to start one here. Needs siamfc\\[cluster].",
            rich_help_panel=_HOW,
        ),
    ] = None,
    repetitions: Annotated[
        int,
        typer.Option(min=1, help="Runs a sequence (got10k, vot), for trackers that use chance.", rich_help_panel=_HOW),
    ] = 1,
) -> None:
    """Measure how accurately trackers localise, and compare them.

    Boxes and times lie on disk as text, one file a sequence, as the field's toolkits write them; figures are computed
    from those files. A run that was stopped goes on where it was: give the same command again. A sequence that fails
    is named and does not stop the others; the exit code is then 2.

    Example: siamfc evaluate --data otb:/data/OTB --output eval

    Side by side: siamfc evaluate --data otb:/data/OTB --tracker siamfc --tracker opencv:MIL
    --results SiamFC=results/siamfc-3s --output eval

    Whatever scored it, the files are enough: siamfc evaluate --data otb:/data/OTB --results results/siamfc-3s
    """
    from siamfc.evaluation.evaluating import VOT_YEAR
    from siamfc.evaluation.evaluating import evaluate as run
    from siamfc.evaluation.trackers import OwnSettings
    from siamfc.workers import Workers

    own = OwnSettings(weights, config, tuple(setting or ()), device, runtime, precision)
    runs_a_tracker = not results or bool(tracker) or own.are_set
    layout = data.partition(":")[0]
    folder = out or (Path(f"evaluate-{layout}") if runs_a_tracker else None)
    watcher = _Watcher()
    try:
        with watcher:
            evaluation = run(
                data,
                protocol=protocol.value if protocol else None,
                trackers=tracker,
                results=results or [],
                results_base=int(results_base.value) if results_base else None,
                sequences=[part.strip() for part in sequences.split(",")] if sequences is not None else None,
                output=folder,
                overwrite=overwrite,
                submission=submission,
                name=name,
                **vars(own),
                options=_parse_options(tracker_option or []),
                repetitions=repetitions,
                vot_year=vot_year or VOT_YEAR,
                workers=Workers(workers, threads, cluster),
                observe=watcher.observe,
            )
    except KeyboardInterrupt:
        kept = f"; the {watcher.done} finished runs are in {folder}: the same command goes on" if watcher.done else ""
        fail(f"interrupted{kept}")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    _print_figures(evaluation, by_sequence=by_sequence)
    written = [f"{folder}/{name}" for name in ("report.html", "report.json")] if folder else []
    written += [str(submission)] if submission else []
    if written:
        say(f"written: {', '.join(written)}")
    _name_problems(evaluation)


class _Watcher(ProgressWatcher):
    """Progress over runs on standard error: a bar on a terminal, else a line a tracker."""

    def __init__(self) -> None:
        self.done = 0
        self._frames, self._seconds = 0, 0.0
        super().__init__("{task.description}", "bar", "count", "{task.fields[speed]}", "left", "{task.fields[last]}")

    def observe(self, step: Progress) -> None:
        self.done = step.done
        if step.sequence is None:
            self._frames, self._seconds = 0, 0.0
            before = f", {step.done} of them done before" if step.done else ""
            say(f"{step.tracker}: {step.total} runs{before}")
            for task in self._progress.task_ids:
                self._progress.remove_task(task)
            self._progress.add_task(step.tracker, total=step.total, completed=step.done, speed="", last="")
            return
        if step.problem:
            fail(f"{step.tracker}, {step.sequence}: {step.problem}")
        self._frames += step.frames
        self._seconds += step.seconds
        speed = f"{self._frames / self._seconds:.0f} fps" if self._seconds else ""
        self._progress.update(self._progress.task_ids[-1], completed=step.done, speed=speed, last=step.sequence)


def _parse_options(texts: Iterable[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    for key, equals, value in pairs:
        if not (key and equals and value):
            raise typer.BadParameter(f"--tracker-option looks like backbone=FILE, not {key!r}")
    return {key.strip(): value for key, _, value in pairs}


def _print_figures(evaluation: Evaluation, *, by_sequence: bool) -> None:
    from siamfc.evaluation.reporting.report import build_report
    from siamfc.evaluation.reporting.tables import sequence_table, summary_table

    report = build_report(evaluation)
    if by_sequence:
        output.print(sequence_table(report))
        output.print()
    output.print(summary_table(report))
    for score in evaluation.trackers:
        given = score.provenance
        if "results" in given:
            pixels = f"pixels from {given['pixel_base']} ({given['pixel_base_from']})"
            say(f"{score.tracker}: files in {given['results']}, {pixels}")
    for note in report.notes:
        say(note)


def _name_problems(evaluation: Evaluation) -> None:
    """Name the sequences without a result, and leave with the exit code of bad input."""
    failed = {score.tracker: score.problems for score in evaluation.trackers if score.problems}
    for tracker, problems in failed.items():
        fail(f"{tracker}: {len(problems)} of {len(evaluation.split)} sequences have no result: {', '.join(problems)}")
    if failed:
        raise typer.Exit(EXIT_BAD_INPUT)
