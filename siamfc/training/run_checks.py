"""Whether a run can be made with these settings, and whether it is the run that was begun."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from siamfc.config import TrainConfig
from siamfc.data.mixture import Mixture
from siamfc.errors import TrainingError
from siamfc.model import EXEMPLAR_PX
from siamfc.training.optimisation import backbone_layers
from siamfc.training.start import Start

_MAY_CHANGE = {("training", "save_every_s"), ("training", "track_every")}
_OTHERS = {
    "data": "the data are not those",
    "teacher": "the teacher (--teacher) is not that",
    "init": "the weights to start from (--init) are not those",
}


def fingerprint(mixture: Mixture) -> str:
    """Names what a mixture holds: datasets, weights, tracks and how many frames of each; 16 hexadecimal digits."""
    text = [
        f"{source.name}@{source.weight}:" + ",".join(f"{track.name}={len(track)}" for track in source.tracks)
        for source in mixture.sources
    ]
    text.append("held out:" + ",".join(track.name for track in mixture.held_out))
    return hashlib.sha256("\n".join(text).encode()).hexdigest()[:16]


def check_settings(config: TrainConfig, processes: int) -> None:
    """Raises TrainingError where settings do not go together."""
    if config.model.calibrated:
        raise TrainingError("scores are calibrated after training, by 'siamfc calibrate': set model.calibrated=false")
    if config.model.box_regression and config.training.exemplar_size != EXEMPLAR_PX:
        raise TrainingError(
            f"box regression compares exemplars of {EXEMPLAR_PX} px: set training.exemplar_size={EXEMPLAR_PX}, or "
            "model.box_regression=false"
        )
    if config.optimiser.start_share and config.optimiser.batch_norm == "train":
        raise TrainingError(
            "statistics of batch norms cannot be mixed with the start's: set optimiser.batch_norm=folded, or "
            "optimiser.start_share=0"
        )
    whole = processes * config.labels.group_size
    if config.training.batch_size % whole:
        raise TrainingError(
            f"training.batch_size {config.training.batch_size} is no multiple of {whole} "
            f"({processes} processes, groups of {config.labels.group_size})"
        )


def check_frozen(start: Start, config: TrainConfig) -> None:
    """Raises TrainingError where layers are to stay as they are that have no weights to stay at."""
    frozen = {
        id(value)
        for layer in backbone_layers(start.model)[: config.optimiser.frozen_layers]
        for value in layer.parameters()
    }
    empty = [name for name, value in start.model.named_parameters() if id(value) in frozen and name in start.fresh]
    if empty:
        raise TrainingError(
            f"optimiser.frozen_layers={config.optimiser.frozen_layers} keeps layers that begin with random numbers "
            f"({empty[0]}, ...): start from weights that have them (--init mobilenetv2-imagenet), or set "
            "optimiser.frozen_layers=0"
        )


def require_same_run(before: Mapping[str, Any], now: Mapping[str, Any], folder: Path) -> None:
    """Raises TrainingError where a run is to go on with something else than it began with.

    Args:
        before: What its state says: ``config``, ``data``, ``teacher``, and, but in earlier versions' states, ``init``.
        now: The same of the run that is to go on.
        folder: Where the state lies.
    """
    defaults = TrainConfig().model_dump(mode="json")
    for section, values in now["config"].items():
        for key, value in values.items():
            # A setting that came after the run began had its default.
            old = before["config"].get(section, {}).get(key, defaults[section][key])
            if old != value and (section, key) not in _MAY_CHANGE:
                raise TrainingError(
                    f"the run in {folder} has {section}.{key}={old}, and is asked to go on with {value}: "
                    "resume it with its own settings, or start another folder"
                )
    for key, text in _OTHERS.items():
        if before.get(key, now[key] if key == "init" else None) != now[key]:
            raise TrainingError(f"{text} of the run in {folder}")
