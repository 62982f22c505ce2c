"""A training run as small as one can be: a few rendered clips, crops of 63 in 95 pixels, two pairs a step."""

from __future__ import annotations

from pathlib import Path

from siamfc.checkpoint import load_model
from siamfc.config import TrainConfig, load_train_config
from siamfc.data.mixture import HeldOut, Mixture, open_mixture
from siamfc.training.fabric import build_fabric
from siamfc.training.running import Trainer

TINY = (
    "model.backbone=mobilenetv2",
    "model.last_block=7",
    "model.standardisation=none",
    "model.box_regression=false",
    "pairs.per_epoch=8",
    "pairs.max_frame_gap=24",
    "augmentation.search_shift_px=8",
    "augmentation.exemplar_shift_px=2",
    "augmentation.occlusion_share=0.5",
    "augmentation.search_scale=0.05",
    "augmentation.stretch=0.05",
    "augmentation.rotation_deg=8",
    "augmentation.part_share=0",
    "labels.positive_radius=8",
    "labels.group_size=1",
    "labels.ranking_weight=0",
    "optimiser.warmup_steps=2",
    "optimiser.learning_rate=0.0002",
    "optimiser.frozen_layers=0",
    "optimiser.average_decay=0.9",
    "optimiser.batch_norm=folded",
    "training.exemplar_size=63",
    "training.search_size=95",
    "training.batch_size=2",
    "training.epochs=2",
    "training.held_out_pairs=4",
    "training.held_out_shift_px=8",
)


def tiny_config(*overrides: str) -> TrainConfig:
    return load_train_config(None, overrides=[*TINY, *overrides])


def tiny_mixture(*, held_out: bool = True) -> Mixture:
    apart = HeldOut(("clip-3",)) if held_out else HeldOut()
    return open_mixture(["synthetic:4"], tiny_config().filters, apart)


def tiny_trainer(
    folder: Path,
    *overrides: str,
    workers: int = 0,
    mixture: Mixture | None = None,
    init: str | None = None,
    teacher: str | None = None,
    precision: str = "32-true",
) -> Trainer:
    return Trainer(
        tiny_config(*overrides),
        mixture or tiny_mixture(),
        folder,
        init=load_model(init, device="cpu") if init else None,
        teacher=load_model(teacher, device="cpu") if teacher else None,
        fabric=build_fabric("cpu", precision),
        workers=workers,
    )


class Silent:
    """Watches nothing, and stops the run by the exception it is given, after so many steps."""

    def __init__(self, stop_after: int | None = None, error: BaseException | None = None) -> None:
        self.steps = 0
        self.losses: list[float] = []
        self.epochs: list[object] = []
        self._stop_after, self._error = stop_after, error

    def on_step(self, report):
        self.steps += 1
        self.losses.append(report.loss)
        if self.steps == self._stop_after and self._error is not None:
            raise self._error

    def on_epoch(self, report, model, held_out):
        self.epochs.append(report)
