"""What was measured of a shipped model, read from the card beside its weights."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import yaml

from siamfc.errors import CheckpointError


class Measurement(NamedTuple):
    """One figure of a model card: on which data, what, and the command that prints it."""

    data: str
    success_auc: float
    precision_20px: float
    command: str


def read_measurements(weights: Path) -> list[Measurement]:
    """The measurements in the YAML head of ``NAME.md`` beside ``NAME.safetensors``; none where there is no card.

    Raises:
        CheckpointError: A card without the head, or with other keys than `Measurement`'s.
    """
    card = weights.with_suffix(".md")
    if not card.is_file():
        return []
    _, _, rest = card.read_text(encoding="utf-8").partition("---\n")
    head, _, _ = rest.partition("\n---\n")
    try:
        return [Measurement(**entry) for entry in yaml.safe_load(head)["measured"]]
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise CheckpointError(f"{card} has no readable head with 'measured': {error}") from None
