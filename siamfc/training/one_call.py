"""Training in one call: from datasets to weights on disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from siamfc.checkpoint import as_model
from siamfc.config import TrainConfig, load_train_config
from siamfc.data.mixture import HeldOut, Mixture, open_mixture, short_name
from siamfc.model import SiamFC
from siamfc.provenance import Provenance
from siamfc.training.fabric import build_fabric
from siamfc.training.held_out import HeldOutPairs
from siamfc.training.journal import Journal
from siamfc.training.reports import EpochReport, Observer, StepReport
from siamfc.training.run_folder import open_run_folder
from siamfc.training.running import MODEL_FILE, Trainer
from siamfc.training.tracking_check import tracking_check
from siamfc.versions import package_version

if TYPE_CHECKING:
    from lightning_fabric import Fabric


@dataclass(frozen=True)
class TrainRun:
    """What a run gave.

    Attributes:
        weights: The checkpoint it wrote, for `siamfc.load_model`.
        complete: Whether it came to its end; False where Ctrl-C ended it, and ``resume=True`` goes on.
        steps: Done so far, in all.
        epochs: Figures by epoch, those before a resumption too, as ``metrics.json`` holds them.
    """

    weights: Path
    complete: bool
    steps: int
    epochs: list[dict[str, Any]] = field(repr=False)


def train(
    data: str | Iterable[str],
    *,
    output: str | Path,
    config: TrainConfig | Mapping[str, Any] | str | Path | None = None,
    overrides: Iterable[str] = (),
    init: SiamFC | str | Path | None = None,
    teacher: SiamFC | str | Path | None = None,
    held_out: str | Path | Iterable[str] = (),
    track_data: str | None = None,
    workers: int = 0,
    device: str = "auto",
    precision: str = "32-true",
    resume: bool = False,
    overwrite: bool = False,
    description: str = "",
    licence: str = "not stated",
    observers: Iterable[Observer] = (),
) -> TrainRun:
    """Learn an embedding from labelled video; it prints nothing. What ``siamfc train`` does, by the same names.

    Needs the extra ``train``. Ctrl-C ends the run after the step in hand, with weights and state on disk.

    Args:
        data: ``"LAYOUT:PATH"`` or ``"LAYOUT:PATH@WEIGHT"``, one or several.
        output: Folder of the run: weights, settings, figures, pictures and the state to go on from.
        config: Settings, a published setting's name such as ``"train-joint"``, or a YAML file; None: ``train-default``.
        overrides: Settings over those, such as ``"training.epochs=5"``.
        init: The model to begin with, its name or path; None: fresh weights.
        teacher: A model whose score maps are learned from too, its name or path.
        held_out: A file of patterns of names of sequences to measure on, or the patterns; without, a share of the
            videos (``training.held_out_share``).
        track_data: A dataset whose sequences are tracked every ``training.track_every`` epochs.
        workers: Processes that read pairs ahead; 0 reads them in this one. A script that asks for some is guarded by
            ``if __name__ == "__main__"``.
        device: Where to train.
        precision: ``"32-true"`` or ``"bf16-mixed"``.
        resume: Go on with the run in the folder.
        overwrite: Throw away the run in the folder.
        description: One sentence for the checkpoint.
        licence: What binds those who use the weights.
        observers: Are told after each step and epoch.

    Returns:
        The run.

    Raises:
        ConfigError, TrainingError: Settings that are none, or do not go together; a loss that is not finite.
        SourceError: A dataset cannot be opened, or nothing is left to learn from.
        OutputError: The folder holds a run, and neither ``resume`` nor ``overwrite`` is set; or cannot be written.
        EnvironmentProblem: The extra ``train`` or the device is missing.

    Example:
        >>> import siamfc
        >>> run = siamfc.train("otb:videos", output="run", init="mobilenetv2-imagenet")  # doctest: +SKIP
        >>> tracker = siamfc.Tracker(run.weights)  # doctest: +SKIP
    """
    settings = load_train_config(config, overrides=overrides)
    folder = Path(output).expanduser()
    open_run_folder(folder, resume=resume, overwrite=overwrite)
    fabric = build_fabric(device, precision)
    mixture = open_mixture([data] if isinstance(data, str) else data, settings.filters, _held_out(held_out, settings))
    return run_training(
        settings,
        mixture,
        folder,
        fabric=fabric,
        init=init,
        teacher=teacher,
        track_data=track_data,
        workers=workers,
        resume=resume,
        provenance=Provenance(description=description, licence=licence),
        command="siamfc.train",
        observers=observers,
    )


def run_training(
    settings: TrainConfig,
    mixture: Mixture,
    folder: Path,
    *,
    fabric: Fabric,
    init: SiamFC | str | Path | None,
    teacher: SiamFC | str | Path | None,
    track_data: str | None,
    workers: int,
    resume: bool,
    provenance: Provenance,
    command: str,
    observers: Iterable[Observer],
) -> TrainRun:
    """A run over data that are open, in a folder that `siamfc.training.run_folder.open_run_folder` found fit.

    Args:
        settings: All of them.
        mixture: What to learn from.
        folder: Of the run.
        fabric: Device, precision and processes.
        init: As `train`.
        teacher: As there.
        track_data: As there.
        workers: As there.
        resume: As there.
        provenance: What the checkpoint says beside where it comes from.
        command: What made it, for ``metrics.json``.
        observers: As `train`; of several processes, the first one's are told.
    """
    made_with = f"siamfc {package_version()} train"
    begun = f"begun with {_called(init)}" if init else "begun from nothing"
    trainer = Trainer(
        settings,
        mixture,
        folder,
        init=as_model(init, device="cpu") if init else None,
        teacher=as_model(teacher, device="cpu") if teacher else None,
        fabric=fabric,
        workers=workers,
        track=tracking_check(track_data, settings.tracker) if track_data else None,
        provenance=provenance.model_copy(
            update={
                "source": begun + (f", taught by {_called(teacher)}" if teacher else ""),
                "trained_on": ", ".join(short_name(source.name) for source in mixture.sources),
                "made_with": made_with,
            }
        ),
    )
    if resume:
        trainer.resume()
    with ExitStack() as stack:
        told: list[Observer] = []
        if fabric.global_rank == 0:
            about = {"command": command, "made_with": made_with, "data": trainer.describe_data()}
            journal = Journal(folder, settings, about, first_step=trainer.step, epochs=trainer.epochs)
            told = [stack.enter_context(journal), *observers]
        complete = trainer.run(_Told(told))
    return TrainRun(folder / MODEL_FILE, complete, trainer.step, trainer.epochs)


class _Told:
    """Passes on to each observer."""

    def __init__(self, observers: list[Observer]) -> None:
        self._observers = observers

    def on_step(self, report: StepReport) -> None:
        for observer in self._observers:
            observer.on_step(report)

    def on_epoch(self, report: EpochReport, model: SiamFC, held_out: HeldOutPairs | None) -> None:
        for observer in self._observers:
            observer.on_epoch(report, model, held_out)


def _held_out(given: str | Path | Iterable[str], settings: TrainConfig) -> HeldOut:
    if isinstance(given, str | Path):
        return HeldOut.from_file(Path(given).expanduser())
    patterns = tuple(given)
    return HeldOut(patterns) if patterns else HeldOut(share=settings.training.held_out_share)


def _called(model: SiamFC | str | Path) -> str:
    if isinstance(model, SiamFC):
        return model.info.name if model.info else "a model"
    return Path(model).stem
