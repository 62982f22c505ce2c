"""The loop: pairs in, weights out; stopped at any moment, it goes on as if nothing had happened."""

from __future__ import annotations

import copy
import itertools
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from siamfc.checkpoint import save_checkpoint
from siamfc.config import TrainConfig
from siamfc.data.mixture import Mixture
from siamfc.data.pair_crops import PairReader
from siamfc.data.pairs import PairSampler
from siamfc.errors import TrainingError
from siamfc.folding import fold_batch_norms, unfold_batch_norms
from siamfc.model import SiamFC
from siamfc.provenance import Provenance
from siamfc.runtimes.embedding import Embedding
from siamfc.training.bad_batch import keep_bad_batch
from siamfc.training.held_out import HeldOutPairs
from siamfc.training.loading import PairBatch, Share, batches_per_epoch, read_batches
from siamfc.training.loss import PairLosses
from siamfc.training.objective import Objective
from siamfc.training.optimisation import (
    WeightAverage,
    begun_in_backbone,
    build_optimiser,
    choose_trained,
    learning_rate,
    parameter_groups,
    set_learning_rate,
)
from siamfc.training.reports import EpochReport, Observer, StepReport
from siamfc.training.run_checks import check_frozen, check_settings, fingerprint, require_same_run
from siamfc.training.run_state import RunState, load_state, save_state
from siamfc.training.scoring_pairs import PairScorer
from siamfc.training.start import build_start, fit_head, measure_channel_statistics
from siamfc.training.stopping import StopRequest

if TYPE_CHECKING:
    from lightning_fabric import Fabric

STATE_FILE = "state.safetensors"
MODEL_FILE = "model.safetensors"
_START_BATCHES = 8  # from which channel statistics, gain and bias are measured


class Trainer:
    """A run in a folder.

    Args:
        config: All settings.
        mixture: What to learn from.
        output: Folder of the run.
        init: The model to begin with; None: fresh weights.
        teacher: A model whose score maps are learned from too, ``labels.teacher_weight`` as strong as the labels.
        fabric: Device, precision and processes.
        workers: Processes that read pairs, for each process that trains.
        track: Measures a model by tracking, every ``training.track_every`` epochs; None: not at all.
        provenance: What the checkpoint says of itself.

    Raises:
        TrainingError: Settings that do not go together.
    """

    def __init__(
        self,
        config: TrainConfig,
        mixture: Mixture,
        output: Path,
        *,
        init: SiamFC | None,
        teacher: SiamFC | None = None,
        fabric: Fabric,
        workers: int = 0,
        track: Callable[[SiamFC], Mapping[str, float]] | None = None,
        provenance: Provenance | None = None,
    ) -> None:
        self.config = config
        self.output = output
        self._fabric = fabric
        self._workers = workers
        self._track = track
        self._provenance = provenance or Provenance()
        self._mixture = mixture
        self._share = Share(fabric.global_rank, fabric.world_size)
        check_settings(config, fabric.world_size)
        self._reader = PairReader(PairSampler(mixture.sources, config.pairs), config)
        self._steps_per_epoch = batches_per_epoch(self._reader)
        start = build_start(config.model, init, seed=config.training.seed)
        check_frozen(start, config)
        self._model = start.model
        self._objective = Objective(config, stride=start.model.stride, teacher=teacher, device=fabric.device)
        self._identity = {
            "config": config.model_dump(mode="json"),
            "data": fingerprint(mixture),
            "teacher": self._objective.teacher_digest,
            "init": {"digest": Embedding(init).digest if init else None, "fresh": sorted(start.fresh)},
        }
        self._prepare_model(start.fresh)
        scorer = PairScorer(
            self._model,
            config.labels.group_size,
            context_weight=config.tracker.context_weight,
            border_px=config.exemplar_border_px,
        )
        scorer.to(fabric.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._average = WeightAverage(
            self._model,
            config.optimiser.average_decay,
            start=begun_in_backbone(self._model, start.fresh),
            start_share=config.optimiser.start_share,
        )
        groups = parameter_groups(self._model, start.fresh, config.optimiser)
        self._scorer, self._optimiser = fabric.setup(scorer, build_optimiser(groups, config.optimiser))
        self.step = 0
        self._seconds = 0.0
        self._losses: list[float] = []
        self.epochs: list[dict[str, Any]] = []
        self._finished_epochs = 0  # in every process; with the one before the first step

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self._steps_per_epoch * self.config.training.epochs

    def describe_data(self) -> dict[str, Any]:
        """What the run learns from and is measured on, for its record."""
        return {
            "fingerprint": fingerprint(self._mixture),
            "sources": {
                source.name: {"weight": source.weight, "tracks": len(source.tracks)} for source in self._mixture.sources
            },
            "held_out": [track.name for track in self._mixture.held_out],
        }

    def resume(self) -> None:
        """Go on from the state in the run's folder.

        Raises:
            CheckpointError: It cannot be read.
            TrainingError: It is of other settings, other data, another teacher, or began with other weights.
        """
        state = load_state(self.output / STATE_FILE)
        require_same_run(state.notes, self._identity, self.output)
        self._model.load_state_dict(state.model)
        for name, value in state.average.items():
            self._average.weights[name].copy_(value)
        blank = self._optimiser.state_dict()
        self._optimiser.load_state_dict({"state": state.optimiser, "param_groups": blank["param_groups"]})
        self.step = state.step
        self._seconds = state.notes["seconds"]
        self._losses = state.notes["losses"]
        self.epochs = state.notes["epochs"]
        self._finished_epochs = self.epochs[-1]["epoch"] + 1 if self.epochs else 0

    def run(self, observer: Observer) -> bool:
        """Train to the end; True where it was reached, False where Ctrl-C ended it before.

        Either way the state and the weights as they are then are written.

        Raises:
            TrainingError: The loss is not finite; the batch is written beside the state.
            OutputError: Something cannot be written; the state before stays.
        """
        measures = bool(self._mixture.held_out) and self._share.rank == 0
        held_out = HeldOutPairs(self._mixture.held_out, self.config) if measures else None
        with StopRequest() as stop:
            self._finish_due_epoch(observer, held_out)
            while self.step < self.steps:
                self._run_epoch(observer, stop)
                stopping = self._is_stopping(stop)
                self._finish_due_epoch(observer, held_out)  # its barrier is the last that processes share
                if stopping and self.step < self.steps:
                    self._save_model(self.model())
                    self.save()
                    return False
        return True

    def model(self) -> SiamFC:
        """The model as it would be written: with averaged weights, plain norms, in evaluation mode."""
        model = copy.deepcopy(self._model)
        model.load_state_dict(self._average.averaged_state())
        model = model.to("cpu", memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        if self.config.optimiser.batch_norm == "folded":
            model = unfold_batch_norms(model, self.config.model)
        return model.eval().requires_grad_(requires_grad=False)

    def save(self) -> None:
        """Write the state from which `resume` goes on; the first process does."""
        if self._share.rank != 0:
            return
        notes = {
            **self._identity,
            "seconds": self._seconds,
            "losses": self._losses,
            "epochs": self.epochs,
        }
        state = self._optimiser.state_dict()["state"]
        save_state(
            self.output / STATE_FILE,
            RunState(self.step, self._model.state_dict(), self._average.weights, state, notes),
        )

    def _prepare_model(self, fresh: frozenset[str]) -> None:
        """Measure what a start needs from the data, fold the norms where asked, choose what is trained."""
        model, config = self._model, self.config
        wants_statistics = config.model.standardisation == "fixed" and not bool((model.channel_mean != 0).any())
        wants_head = "bias" in fresh and config.optimiser.train_gain
        batches: list[PairBatch] = []
        if wants_statistics or wants_head:
            batches = list(itertools.islice(read_batches(self._reader, 0), _START_BATCHES))
        if wants_statistics:
            measure_channel_statistics(model, [batch.searches.float() for batch in batches])
        if wants_head:
            self._set_mode()  # with batch norm in training mode the features are others
            fit_head(model, batches, config)
        if config.optimiser.batch_norm == "folded":
            fold_batch_norms(model)
        choose_trained(model, config.optimiser)

    def _run_epoch(self, observer: Observer, stop: StopRequest) -> None:
        epoch, first = divmod(self.step, self._steps_per_epoch)
        saved = time.monotonic()
        batches = read_batches(self._reader, epoch, first=first, workers=self._workers, share=self._share)
        self._set_mode()
        waiting = time.monotonic()
        for batch in batches:
            began = time.monotonic()
            report = self._step(batch, epoch, data_s=began - waiting)
            observer.on_step(report)
            if self._is_stopping(stop):
                return
            if time.monotonic() - saved > self.config.training.save_every_s:
                self.save()
                saved = time.monotonic()
            waiting = time.monotonic()

    def _step(self, batch: PairBatch, epoch: int, *, data_s: float) -> StepReport:
        began = time.monotonic()
        config = self.config
        rate = learning_rate(
            config.optimiser, step=self.step, steps_per_epoch=self._steps_per_epoch, epochs=config.training.epochs
        )
        set_learning_rate(self._optimiser, rate)
        losses = self._objective.losses(self._scorer, batch)
        loss = losses.total.mean()
        if not torch.isfinite(loss):
            raise self._not_finite(batch, losses)
        self._optimiser.zero_grad()
        self._fabric.backward(loss)
        # The gain is tiny and its gradient huge: it would drown the others.
        trained = [
            value for value in self._model.parameters() if value.grad is not None and value is not self._model.gain
        ]
        norm = torch.nn.utils.clip_grad_norm_(trained, config.optimiser.clip_norm or math.inf)
        if not torch.isfinite(norm):
            raise self._not_finite(batch, losses)
        self._optimiser.step()
        self._average.update(self.step)
        self.step += 1
        loss_everywhere, logistic = self._mean_everywhere(loss.detach(), losses.logistic.mean())
        self._losses.append(loss_everywhere)
        step_s = time.monotonic() - began
        self._seconds += step_s + data_s
        return StepReport(
            step=self.step - 1,
            steps=self.steps,
            epoch=epoch,
            loss=loss_everywhere,
            logistic=logistic,
            gradient_norm=float(norm),
            learning_rate=rate,
            step_s=step_s,
            data_s=data_s,
            skipped=batch.skipped,
        )

    def _mean_everywhere(self, *values: Tensor) -> list[float]:
        """Means over all processes."""
        together = torch.stack(values)
        if self._share.processes > 1:
            reduced = self._fabric.all_reduce(together, reduce_op="mean")
            assert isinstance(reduced, Tensor)
            together = reduced
        numbers: list[float] = together.tolist()
        return numbers

    def _is_stopping(self, stop: StopRequest) -> bool:
        """Whether any process was asked to stop: all do so after the same step."""
        if self._share.processes > 1:
            stop.wanted = self._mean_everywhere(torch.tensor(float(stop.wanted)).to(self._fabric.device))[0] > 0
        return stop.wanted

    def _set_mode(self) -> None:
        self._model.train(self.config.optimiser.batch_norm == "train")

    def _finish_due_epoch(self, observer: Observer, held_out: HeldOutPairs | None) -> None:
        """Where an epoch's last step is done: measure, tell, and write model and state, once."""
        epoch, further_steps = divmod(self.step, self._steps_per_epoch)
        if further_steps or self._finished_epochs > epoch:
            return
        self._finished_epochs = epoch + 1
        if self._share.rank == 0:
            model = self.model()
            tracking: Mapping[str, float] = {}
            if self._track is not None and epoch % self.config.training.track_every == 0:
                tracking = self._track(model)
            report = EpochReport(
                epoch=epoch,
                step=self.step,
                loss=sum(self._losses) / len(self._losses) if self._losses else math.nan,
                held_out=held_out.measure(model) if held_out else None,
                tracking=dict(tracking),
                seconds=self._seconds,
            )
            self.epochs.append(report.as_json())
            self._losses = []
            if epoch:
                self._save_model(model)
            self.save()
            observer.on_epoch(report, model, held_out)
        self._fabric.barrier()

    def _save_model(self, model: SiamFC) -> None:
        """Write weights that anyone can use; the first process does."""
        if self._share.rank != 0:
            return
        save_checkpoint(
            self.output / MODEL_FILE,
            model,
            provenance=self._provenance,
            settings={"tracker": self.config.tracker.model_dump(exclude_unset=True)},
            overwrite=True,
        )

    def _not_finite(self, batch: PairBatch, losses: PairLosses) -> TrainingError:
        """The error, once the batch is on disk."""
        kept = keep_bad_batch(self.output, self.step, batch, losses)
        return TrainingError(
            f"{kept}, the last good state in {self.output / STATE_FILE}. A lower optimiser.learning_rate usually helps"
        )
