"""What a run leaves to look at: steps and epochs as CSV and JSON, TensorBoard's curves, a picture an epoch."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import yaml

from siamfc.config import TrainConfig
from siamfc.drawing import save_picture
from siamfc.errors import EnvironmentProblem, OutputError
from siamfc.files import write_text
from siamfc.model import SiamFC
from siamfc.training.held_out import HeldOutPairs
from siamfc.training.pictures import held_out_sheet
from siamfc.training.reports import EpochReport, StepReport

STEPS_FILE = "steps.csv"
METRICS_FILE = "metrics.json"
SETTINGS_FILE = "settings.yaml"
_STEP_COLUMNS = ("step", "epoch", "loss", "logistic", "gradient_norm", "learning_rate", "step_s", "data_s")


class Journal:
    """Writes a run's record into its folder; an observer of `siamfc.training.running.Trainer`.

    Args:
        output: The run's folder.
        config: Its settings, written beside the weights.
        about: What else ``metrics.json`` says: versions, data, command.
        first_step: Steps done before; what an interrupted run noted beyond them is dropped, for it is done again.
        epochs: Reports of epochs done before, as ``metrics.json`` holds them.

    Raises:
        EnvironmentProblem: TensorBoard is not installed.
        OutputError: The folder cannot be written to.
    """

    def __init__(
        self,
        output: Path,
        config: TrainConfig,
        about: Mapping[str, Any],
        *,
        first_step: int = 0,
        epochs: list[dict[str, Any]] | None = None,
    ) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise EnvironmentProblem(
                f'training needs the extra "train": pip install "siamfc[train]" ({error})'
            ) from error
        self._output = output
        self._about = dict(about)
        self._epochs = list(epochs or [])
        settings = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)
        write_text(output / SETTINGS_FILE, settings, overwrite=True)
        self._steps = _open_steps(output / STEPS_FILE, first_step)
        self._rows = csv.writer(self._steps)
        self._board = SummaryWriter(str(output / "tensorboard"), purge_step=first_step or None)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._steps.close()
        self._board.close()

    def on_step(self, report: StepReport) -> None:
        """Note a step."""
        try:
            self._rows.writerow(_cell(getattr(report, name)) for name in _STEP_COLUMNS)
            self._steps.flush()
        except OSError as error:
            raise OutputError(f"cannot write {self._output / STEPS_FILE}: {error.strerror or error}") from error
        for name in ("loss", "logistic", "gradient_norm", "learning_rate", "step_s", "data_s"):
            self._board.add_scalar(f"step/{name}", getattr(report, name), report.step)

    def on_epoch(self, report: EpochReport, model: SiamFC, held_out: HeldOutPairs | None) -> None:
        """Note an epoch, and draw held-out pairs with their score maps."""
        self._epochs.append(report.as_json())
        content = {**self._about, "epochs": self._epochs}
        write_text(self._output / METRICS_FILE, json.dumps(content, indent=1) + "\n", overwrite=True)
        figures = {**(asdict(report.held_out) if report.held_out else {}), **report.tracking}
        for name, value in figures.items():
            if value is not None:
                self._board.add_scalar(f"epoch/{name}", value, report.step)
        if held_out is not None:
            path = self._output / "pictures" / f"epoch-{report.epoch:03d}.png"
            sheet = held_out_sheet(held_out, model)
            save_picture(path, sheet, overwrite=True)
            self._board.add_image("held out", sheet, report.step, dataformats="HWC")


def _open_steps(path: Path, first_step: int) -> IO[str]:
    """The table of steps, opened to add to; without the rows from ``first_step`` on."""
    kept: list[str] = []
    if first_step and path.is_file():
        lines = path.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines[1:] if line.partition(",")[0].isdigit() and int(line.split(",")[0]) < first_step]
    write_text(path, "\n".join([",".join(_STEP_COLUMNS), *kept]) + "\n", overwrite=True)
    return path.open("a", encoding="utf-8", newline="")


def _cell(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.6g}"
