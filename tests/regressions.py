"""Models whose box regression says what a test wants it to say."""

from __future__ import annotations

import copy

import torch

from siamfc.model import SiamFC, build_model


def with_regression(features: SiamFC, *, border_px: int = 0) -> SiamFC:
    """These features with a regression that has learned nothing: it says that nothing changed."""
    settings = {"box_regression": True, "regression_border_px": border_px}
    model = build_model(features.config.model_copy(update=settings)).eval()
    model.load_state_dict({**model.state_dict(), **features.state_dict()})
    return model


def saying(
    model: SiamFC,
    *,
    shift: tuple[float, float] = (0.0, 0.0),
    size: tuple[float, float] = (0.0, 0.0),
    log_error: float = -9.0,
) -> SiamFC:
    """A copy whose regression always gives this answer."""
    model = copy.deepcopy(model)
    assert model.box_regression is not None
    with torch.no_grad():
        numbers = [4 * each / 64 for each in shift] + [4 * each for each in size] + [log_error + 3] * 4
        model.box_regression.change.bias.copy_(torch.tensor(numbers))
    return model
