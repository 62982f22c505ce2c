"""The folder of a run: empty for a new one, holding a state for one to go on with."""

from __future__ import annotations

import shutil
from pathlib import Path

from siamfc.errors import OutputError, TrainingError
from siamfc.training.journal import METRICS_FILE, SETTINGS_FILE, STEPS_FILE
from siamfc.training.running import MODEL_FILE, STATE_FILE


def open_run_folder(folder: Path, *, resume: bool, overwrite: bool) -> None:
    """See that the folder is fit, before the data are read.

    Args:
        folder: Of the run.
        resume: A state must be there.
        overwrite: An earlier run's files, and nothing else, are removed.

    Raises:
        TrainingError: There is no run to resume; both are asked for.
        OutputError: There is one, and neither is asked for; the folder cannot be made.
    """
    state = folder / STATE_FILE
    if resume and overwrite:
        raise TrainingError("--resume goes on with the run in the folder, --overwrite throws it away: give one of them")
    if resume and not state.is_file():
        raise TrainingError(f"{folder} holds no run to go on with ({STATE_FILE} is not there)")
    if state.is_file() and not (resume or overwrite):
        raise OutputError(f"{folder} holds a run: --resume (resume=True) goes on with it, --overwrite throws it away")
    try:
        if overwrite:
            for name in (STATE_FILE, MODEL_FILE, METRICS_FILE, SETTINGS_FILE, STEPS_FILE):
                (folder / name).unlink(missing_ok=True)
            for name in ("pictures", "tensorboard"):
                shutil.rmtree(folder / name, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write to {folder}: {error.strerror or error}") from error
