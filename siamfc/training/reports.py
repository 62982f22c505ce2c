"""How a run goes, as it is told to those who watch it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from siamfc.model import SiamFC
    from siamfc.training.held_out import HeldOutFigures, HeldOutPairs


@dataclass(frozen=True)
class StepReport:
    """One step, as it was.

    Attributes:
        step: Steps done before it.
        steps: Of the whole run.
        epoch: Epochs done before it.
        loss: Mean over the batch.
        logistic: The paper's part of the loss.
        gradient_norm: Before clipping.
        learning_rate: Of layers with factor 1.
        step_s: Seconds from batch to updated weights.
        data_s: Seconds that the step waited for its batch.
        skipped: Frames that could not be read.
    """

    step: int
    steps: int
    epoch: int
    loss: float
    logistic: float
    gradient_norm: float
    learning_rate: float
    step_s: float
    data_s: float
    skipped: tuple[str, ...]


@dataclass(frozen=True)
class EpochReport:
    """The state of things after an epoch; epoch 0 is before the first step.

    Attributes:
        epoch: Epochs done.
        step: Steps done.
        loss: Mean over the epoch's steps; NaN before the first.
        held_out: Figures on held-out pairs, None where nothing is held out.
        tracking: Figures of the short tracking evaluation, by name; empty where there was none.
        seconds: Spent on steps so far.
    """

    epoch: int
    step: int
    loss: float
    held_out: HeldOutFigures | None
    tracking: Mapping[str, float]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """All of it for JSON, NaN as None."""
        content = asdict(self)
        content["loss"] = None if math.isnan(self.loss) else self.loss
        return content


class Observer(Protocol):
    """Who is told how a run goes."""

    def on_step(self, report: StepReport) -> None:
        """Called after each step."""

    def on_epoch(self, report: EpochReport, model: SiamFC, held_out: HeldOutPairs | None) -> None:
        """Called before the first epoch and after each, with the model as it would be written."""
