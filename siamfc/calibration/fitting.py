"""From cosines to a score: the statistics that places are standardised by, and a logistic curve."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from siamfc.calibration.regions import RegionKind, TargetRegions
from siamfc.calibration.similarities import Cosines, measure_cosines, measure_statistics
from siamfc.config import TrackerConfig
from siamfc.model import SiamFC

_STEPS = 100


def calibrate_score(
    model: SiamFC,
    targets: Sequence[TargetRegions],
    config: TrackerConfig,
    observe: Callable[[int, int], None] | None = None,
) -> SiamFC:
    """A copy of a model whose score tells a target in view from one that is not, on one scale for all videos.

    Args:
        model: Calibrated before or not.
        targets: What it is calibrated on.
        config: Of the tracker that is to give the score.
        observe: As `siamfc.calibration.similarities.measure_cosines`.
    """
    statistics = measure_statistics(model, targets)
    calibrated = SiamFC(copy.deepcopy(model.backbone), model.config.model_copy(update={"calibrated": True}))
    weights = model.state_dict() | {
        "score_mean": statistics.mean,
        "score_deviation": statistics.deviation,
        "score_curve": torch.tensor([1.0, 0.0]),
    }
    calibrated.load_state_dict(weights)
    calibrated.eval().to(model.device)
    slope, offset = fit_curve(measure_cosines(calibrated, targets, config, observe))
    calibrated.score_curve.copy_(torch.tensor([slope, offset]))
    return calibrated


def fit_curve(cosines: Sequence[Cosines]) -> tuple[float, float]:
    """Slope and offset of the logistic curve under which cosines of targets and of others are likeliest.

    Regions with the target weigh as much as those without; of these, other videos as much as the same one, where there
    are regions of both; and each target as much as any other.
    """
    values, wanted, weights = (torch.from_numpy(part) for part in _weighed(cosines))
    spread = float(values.std().clamp_min(1e-6))
    line = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([line], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        logits = line[0] * values / spread + line[1]
        loss = (F.binary_cross_entropy_with_logits(logits, wanted, reduction="none") * weights).sum()
        torch.autograd.backward(loss)
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    slope, offset = line.detach().tolist()
    return slope / spread, offset


def _weighed(cosines: Sequence[Cosines]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """All cosines, 1 for a target's and 0 for others', and weights of sum 1."""
    present = {kind: [each[kind] for each in cosines if kind in each] for kind in RegionKind}
    others = sum(bool(present[kind]) for kind in RegionKind if kind is not RegionKind.TARGET)
    values, wanted, weights = [], [], []
    for kind, having in present.items():
        share = 0.5 if kind is RegionKind.TARGET else 0.5 / others
        for found in having:
            values.append(found)
            wanted.append(np.full(len(found), float(kind is RegionKind.TARGET)))
            weights.append(np.full(len(found), share / len(having) / len(found)))
    return np.concatenate(values), np.concatenate(wanted), np.concatenate(weights)
