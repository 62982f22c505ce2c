"""``siamfc prepare``: every object of the training data cut once, into a store that is quick to read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from siamfc.cli import options
from siamfc.cli.console import EXIT_BAD_INPUT, EXIT_INTERRUPTED, fail, output, say
from siamfc.cli.progress import ProgressWatcher

if TYPE_CHECKING:
    from siamfc.data.crop_verification import StoreCheck
    from siamfc.data.preparing import Progress

_SHOWN_PROBLEMS = 10
_WHAT, _HOW, _WORK = "What is cut", "How it is cut", "How it is run"


def prepare(
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LAYOUT:PATH",
            help="A dataset, for example got10k:/data/GOT-10k/train; may be repeated. 'siamfc data layouts' lists all.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="STORE", help="Folder of the store.", rich_help_panel=_WHAT),
    ] = None,
    verify: Annotated[
        Path | None,
        typer.Option(metavar="STORE", help="Cut nothing: look whether a store is sound.", rich_help_panel=_WHAT),
    ] = None,
    config: Annotated[
        str | None,
        options.config(
            _HOW,
            "Settings of the training that the store is for: crop sizes, filters, room for shifts. "
            "\\[default: train-default's]",
        ),
    ] = None,
    setting: Annotated[list[str] | None, options.overrides(_HOW, "filters.min_side_px=10")] = None,
    side: Annotated[
        int | None,
        typer.Option(
            metavar="PX",
            help="Side of the stored squares; the exemplar's context square has 127 px in them. \\[default: what the "
            "settings' search crop with its greatest shift and scale needs]",
            rich_help_panel=_HOW,
        ),
    ] = None,
    quality: Annotated[
        int, typer.Option(min=1, max=100, help="Of JPEG, with full colour resolution.", rich_help_panel=_HOW)
    ] = 90,
    lossless: Annotated[
        bool, typer.Option("--lossless", help="PNG in place of JPEG: about six times the size.", rich_help_panel=_HOW)
    ] = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes.", rich_help_panel=_WORK)] = 1,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Throw away a store that is there.", rich_help_panel=_WORK)
    ] = False,
) -> None:
    """Cut every fit object of training data once, into a crop store (LMDB) that is trained from as crops:STORE.

    What was stopped goes on: give the same command again; the store is the same as if nothing had happened. At the
    end every crop is decoded and every hash compared. Filters apply here, since boxes are in crop pixels afterwards.
    Datasets that are to be mixed by weight each want a store of their own.

    Example: siamfc prepare --data otb:/data/OTB --data coco:/data/coco/stills --output crops

    Then: siamfc train --data crops:crops ...; and at any time: siamfc prepare --verify crops
    """
    if verify is not None:
        if data or out:
            raise typer.BadParameter("--verify STORE goes alone")
        _verify(verify, workers)
        return
    if not data or out is None:
        raise typer.BadParameter("prepare needs --data LAYOUT:PATH and --output STORE, or --verify STORE")
    from siamfc.config import load_train_config
    from siamfc.data.crop_records import CropSettings, side_for
    from siamfc.data.preparing import prepare_store
    from siamfc.workers import Workers

    settings = load_train_config(config, overrides=setting or [])
    sizes = settings.training
    watcher = _Watcher()
    try:
        with watcher:
            check = prepare_store(
                data,
                out.expanduser(),
                settings=CropSettings(
                    side if side is not None else side_for(settings),
                    sizes.exemplar_size,
                    sizes.context_amount,
                    None if lossless else quality,
                ),
                filters=settings.filters,
                workers=Workers(workers),
                overwrite=overwrite,
                observe=watcher.observe,
            )
    except KeyboardInterrupt:
        fail(f"interrupted; the {watcher.done} finished tracks are in {out}: the same command goes on")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    _print_summary(check)
    _print_size(check)
    say(f"train from it with --data crops:{out}")


def _verify(store: Path, workers: int) -> None:
    from siamfc.data.crop_verification import verify_store
    from siamfc.data.preparing import Progress
    from siamfc.workers import Workers

    with _Watcher() as watcher:
        check = verify_store(
            store.expanduser(),
            workers=Workers(workers),
            observe=lambda done, total: watcher.observe(Progress("verifying", done, total)),
        )
    for line in check.problems[:_SHOWN_PROBLEMS]:
        fail(line)
    if check.problems:
        fail(f"{len(check.problems)} problems in all; prepare the store anew")
        raise typer.Exit(EXIT_BAD_INPUT)
    _print_size(check)


class _Watcher(ProgressWatcher):
    """Progress on standard error: a bar on a terminal, else a line a phase."""

    def __init__(self) -> None:
        self.done = 0
        self._phase = ""
        super().__init__("{task.description}", "bar", "count", "left")

    def observe(self, step: Progress) -> None:
        if step.phase != self._phase:
            self._phase = step.phase
            for task in self._progress.task_ids:
                self._progress.remove_task(task)
            self._progress.add_task(step.phase, total=step.total)
            if step.phase == "cutting":
                say(f"cutting {step.total} tracks" + (f", {step.done} of them done before" if step.done else ""))
        if step.phase == "cutting":
            self.done = step.done
        self._progress.update(self._progress.task_ids[-1], completed=step.done)


def _print_summary(check: StoreCheck) -> None:
    """What was kept and what was dropped for what, a line a dataset, and what could not be read."""
    for name, kept, dropped in check.store.complete["counts"]:
        reasons = ", ".join(f"{number} {reason}" for reason, number in sorted(dropped.items()))
        line = f"{name}: {kept} of {kept + sum(dropped.values())} frames kept; dropped: {reasons or 'none'}"
        output.print(line, markup=False, soft_wrap=True)
    for kind, what in (("broken", "sequences"), ("unreadable", "frames")):
        lines = check.store.complete[kind]
        for line in lines[:_SHOWN_PROBLEMS]:
            fail(line)
        if lines:
            say(f"{what} that could not be read and are left out: {len(lines)}")


def _print_size(check: StoreCheck) -> None:
    store = check.store
    tracks = sum(1 for _, count in store.tracks if count)
    kind = "PNG" if store.settings.quality is None else f"JPEG {store.settings.quality}"
    output.print(
        f"{tracks} tracks, {check.crops} crops of {store.settings.side_px} px ({kind}), "
        f"{check.disk_bytes / 1e6:.1f} MB; all decode, and the hashes are right: {store.sha256}",
        markup=False,
        soft_wrap=True,
    )
