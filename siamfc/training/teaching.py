"""Learning from a finished model: its score maps, of any exemplars in any searches, show what no label can tell."""

from __future__ import annotations

import hashlib
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from siamfc.config import TrainConfig
from siamfc.errors import TrainingError
from siamfc.folding import fold
from siamfc.model import SiamFC
from siamfc.score_map import score_map_cells
from siamfc.training.scoring_pairs import PairScorer

_SHORTEST = 1e-4  # logits; maps as even as this have no direction worth a steep gradient


class Teacher:
    """A model whose score maps another is to give too; it does not change.

    Args:
        model: Of any architecture with the stride of the one that learns.
        config: Of the run.
        stride: Of the model that learns.
        device: Where the run computes.

    Raises:
        TrainingError: Another stride, or crops too small for the teacher.
    """

    def __init__(self, model: SiamFC, config: TrainConfig, *, stride: int, device: torch.device) -> None:
        if model.stride != stride:
            raise TrainingError(f"the teacher has a cell every {model.stride} px, the model to train every {stride} px")
        if model.backbone.receptive_field > config.training.exemplar_size:
            raise TrainingError(
                f"the teacher needs exemplars of {model.backbone.receptive_field} px at least, and "
                f"training.exemplar_size is {config.training.exemplar_size}"
            )
        self._scorer = PairScorer(fold(model).to(device), config.labels.group_size)
        self.digest = _digest(model)

    @torch.no_grad()
    def score_maps(self, exemplars: Tensor, searches: Tensor) -> Tensor:
        """As `PairScorer` of the teacher gives them, (B, G, cells, cells)."""
        cells = score_map_cells(searches.shape[-1], exemplars.shape[-1], self._scorer.model.stride)
        return cast(Tensor, self._scorer(exemplars, searches)).float()[..., :cells, :cells]


def teaching_loss(score_maps: Tensor, taught: Tensor) -> Tensor:
    """How far each exemplar's score maps are from those of the teacher: 1 less their correlation, 0 to 2.

    It is taken over all cells of all searches of the exemplar's group together, so both where in a map and in which
    map the exemplar is found count; height and offset, which change no peak, do not.

    Args:
        score_maps: (B, G, h, w), as `siamfc.training.loss.pair_losses` takes them.
        taught: The teacher's, of the same shape.

    Returns:
        (B,), for the exemplars in the order of the pairs.

    Example:
        >>> maps = torch.arange(18.0).reshape(2, 1, 3, 3)
        >>> teaching_loss(maps, 5 * maps - 3).abs().max().item() < 1e-6
        True
    """
    learned, wanted = (_directions(maps) for maps in (score_maps, taught))
    return 1 - (learned * wanted).sum(dim=1)


def _directions(score_maps: Tensor) -> Tensor:
    """(B, G, h, w) -> (B, G h w): what each exemplar gives everywhere, less its mean, of length 1."""
    B, G, h, w = score_maps.shape
    by_exemplar = score_maps.reshape(B // G, G, G, h * w).transpose(1, 2).reshape(B, -1)
    return F.normalize(by_exemplar - by_exemplar.mean(dim=1, keepdim=True), dim=1, eps=_SHORTEST)


def _digest(model: SiamFC) -> str:
    content = hashlib.blake2b(digest_size=8)
    for name, tensor in model.state_dict().items():
        content.update(name.encode())
        content.update(tensor.detach().cpu().numpy().tobytes())
    return content.hexdigest()
