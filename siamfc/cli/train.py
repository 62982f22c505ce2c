"""``siamfc train``: learn an embedding from pairs of crops of the same object."""

from __future__ import annotations

import shlex
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from siamfc.cli import options
from siamfc.cli.console import EXIT_INTERRUPTED, fail, messages, output, say
from siamfc.cli.progress import ProgressWatcher

if TYPE_CHECKING:
    from siamfc.data.mixture import Mixture
    from siamfc.model import SiamFC
    from siamfc.training.held_out import HeldOutPairs
    from siamfc.training.reports import EpochReport, StepReport

_FROM, _RESULTS, _HOW = "What it learns from", "Results", "How"


def train(
    data: Annotated[
        list[str],
        typer.Option(
            metavar="LAYOUT:PATH[@WEIGHT]",
            help="A dataset, and its share of the pairs; may be repeated. 'siamfc data layouts' lists the layouts; "
            "synthetic needs no files; crops:PATH is what 'siamfc prepare' made.",
            show_default=False,
            rich_help_panel=_FROM,
        ),
    ],
    init: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="Begin with these weights, where layers have the same name and shape; without it from nothing.",
            rich_help_panel=_FROM,
        ),
    ] = None,
    teacher: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="Learn from this model's score maps too, labels.teacher_weight as strong as from the labels: how a "
            "network that begins with nothing gets the most out of little data.",
            rich_help_panel=_FROM,
        ),
    ] = None,
    held_out: Annotated[
        Path | None,
        typer.Option(
            help="File of names of sequences to measure on instead of learning from, one pattern such as 'FOD_A-04*' "
            "a line. \\[default: training.held_out_share of them]",
            rich_help_panel=_FROM,
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--output", "-o", help="Folder of the run.", rich_help_panel=_RESULTS)] = Path(
        "train"
    ),
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in the folder.", rich_help_panel=_RESULTS)
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Throw away the run in the folder.", rich_help_panel=_RESULTS)
    ] = False,
    track_data: Annotated[
        str | None,
        typer.Option(
            metavar="LAYOUT:PATH",
            help="Track these sequences after every training.track_every epochs, too.",
            rich_help_panel=_RESULTS,
        ),
    ] = None,
    description: Annotated[
        str, typer.Option(help="One sentence for 'siamfc models' and the checkpoint.", rich_help_panel=_RESULTS)
    ] = "",
    licence: Annotated[
        str, typer.Option(help="What binds those who use or pass on the weights.", rich_help_panel=_RESULTS)
    ] = "not stated",
    config: Annotated[
        str | None,
        options.config(
            _HOW, "Settings: train-default, train-joint, train-deep, train-taught, train-paper, smoke, or a YAML file."
        ),
    ] = None,
    setting: Annotated[list[str] | None, options.overrides(_HOW, "training.epochs=5")] = None,
    workers: Annotated[
        int, typer.Option(min=0, help="Processes that read pairs ahead; 0: the one that trains.", rich_help_panel=_HOW)
    ] = 1,
    device: Annotated[str, options.device(_HOW)] = "auto",
    precision: Annotated[
        str,
        typer.Option(metavar="32-true|bf16-mixed", help="Arithmetic of the network.", rich_help_panel=_HOW),
    ] = "32-true",
) -> None:
    """Train on labelled video: pairs of crops of one object, of which the second is searched.

    Writes model.safetensors (for 'siamfc track --weights'), settings.yaml, metrics.json, steps.csv, TensorBoard's
    curves and a picture of held-out pairs an epoch, and state.safetensors, from which --resume goes on exactly as if
    it had never stopped. Ctrl-C saves first. Several GPUs or machines: torchrun tools/train.py with the same options.

    Example: siamfc train --data otb:videos --init mobilenetv2-imagenet --config train-default -o run

    In a minute, without files: siamfc train --data synthetic --config smoke
    """
    from siamfc.config import load_train_config
    from siamfc.provenance import Provenance
    from siamfc.training.fabric import build_fabric
    from siamfc.training.one_call import run_training
    from siamfc.training.run_folder import open_run_folder

    settings = load_train_config(config, overrides=setting or [])
    open_run_folder(out, resume=resume, overwrite=overwrite)
    fabric = build_fabric(device, precision)
    mixture = _open(data, held_out, settings.training.held_out_share, settings.filters)
    # Of several processes the first one shows how it goes.
    with _Watcher(resumed=resume) if fabric.global_rank == 0 else nullcontext() as watcher:
        run = run_training(
            settings,
            mixture,
            out,
            fabric=fabric,
            init=init,
            teacher=teacher,
            track_data=track_data,
            workers=workers,
            resume=resume,
            provenance=Provenance(description=description, licence=licence),
            command=_command(),
            observers=[watcher] if watcher else [],
        )
    if not run.complete:
        fail(f"interrupted after step {run.steps}; the same command with --resume goes on")
        raise typer.Exit(EXIT_INTERRUPTED)
    if fabric.global_rank == 0:
        output.print(f"{out}: model.safetensors, metrics.json, pictures, tensorboard", markup=False, soft_wrap=True)
        weights = out / "model.safetensors"
        output.print(f"next: siamfc track VIDEO --weights {weights}", markup=False, soft_wrap=True)
        scored = f"siamfc calibrate --weights {weights} --data LAYOUT:PATH -o scored.safetensors"
        output.print(f"for a score that is the same scale in all videos: {scored}", markup=False, soft_wrap=True)


class _Watcher(ProgressWatcher):
    """Progress on standard error: loss, step and data time; a line an epoch."""

    def __init__(self, *, resumed: bool) -> None:
        super().__init__("training", "bar", "count", "{task.fields[now]}", "left")
        self._task = self._progress.add_task("training", total=None, now="")
        self._resumed = resumed
        self._smooth: dict[str, float] = {}

    def on_step(self, report: StepReport) -> None:
        for name in ("loss", "step_s", "data_s"):
            value = getattr(report, name)
            self._smooth[name] = 0.95 * self._smooth.get(name, value) + 0.05 * value
        loss, step_s, data_s = self._smooth.values()
        if self._resumed:
            say(f"going on after step {report.step}")
            self._resumed = False
        now = f"loss {loss:.3f}  step {1000 * step_s:.0f} ms  data {1000 * data_s:.0f} ms"
        self._progress.update(self._task, completed=report.step + 1, total=report.steps, now=now)
        for text in report.skipped:
            say(f"skipped: {text}")

    def on_epoch(self, report: EpochReport, _model: SiamFC, _held_out: HeldOutPairs | None) -> None:
        parts = [f"epoch {report.epoch}", f"step {report.step}"]
        if report.epoch:
            parts.append(f"loss {report.loss:.3f}")
        if report.held_out:
            held_out = report.held_out
            parts.append(
                f"held out: centre error {held_out.center_error_px:.1f} px (always the centre "
                f"{held_out.always_center_px:.1f}, a stranger's exemplar {held_out.stranger_error_px:.1f}), "
                f"AUC {held_out.center_auc:.3f}"
            )
            if held_out.box_overlap is not None:
                parts.append(f"overlap of boxes {held_out.box_overlap:.3f}")
        parts += [f"{name.replace('_', ' ')} {value:.3f}" for name, value in report.tracking.items()]
        say(", ".join(parts))


def _open(data: list[str], held_out: Path | None, share: float, filters: object) -> Mixture:
    """The datasets, with progress, and a table of what was kept and dropped."""
    from rich.table import Table

    from siamfc.config import FilterConfig
    from siamfc.data.mixture import HeldOut, open_mixture

    assert isinstance(filters, FilterConfig)
    apart = HeldOut.from_file(held_out) if held_out else HeldOut(share=share)
    with messages.status("reading annotations") as status:
        mixture = open_mixture(
            data, filters, apart, on_sequence=lambda name: status.update(f"reading annotations: {name}")
        )
    table = Table(box=None, pad_edge=False)
    for title in ("dataset", "tracks", "videos", "frames kept", "dropped"):
        table.add_column(title, justify="left" if title in ("dataset", "dropped") else "right", overflow="fold")
    tracks = {source.name: source.tracks for source in mixture.sources}
    for name, counts in mixture.counts.items():
        dropped = ", ".join(f"{number} {reason}" for reason, number in counts.dropped.most_common())
        learned = tracks.get(name, ())
        videos = len({track.video for track in learned})
        table.add_row(name, str(len(learned)), str(videos), str(counts.kept), dropped)
    messages.print(table)
    for text in mixture.broken:
        say(f"left out: {text}")
    if not mixture.held_out:
        say("no sequence is held out: there will be no held-out figures (--held-out, training.held_out_share)")
    return mixture


def _command() -> str:
    return " ".join(["siamfc", *(shlex.quote(part) for part in sys.argv[1:])])
