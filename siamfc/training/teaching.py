"""Learning from a finished model: its score maps, of any exemplars in any searches, show what no label can tell."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from siamfc.config import TrainConfig
from siamfc.errors import TrainingError
from siamfc.folding import fold
from siamfc.model import SiamFC
from siamfc.runtimes.embedding import Embedding
from siamfc.training.scoring_pairs import PairScorer, PairScores

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
        self._scorer = PairScorer(
            fold(model).to(device), config.labels.group_size, context_weight=config.tracker.context_weight
        )
        self.digest = Embedding(model).digest

    @torch.no_grad()
    def score_maps(self, exemplars: Tensor, searches: Tensor, windows: int, sizes: Tensor | None = None) -> Tensor:
        """The maps that `PairScorer` gives with the teacher's weights, (B, E, cells, cells)."""
        scores: PairScores = self._scorer(exemplars, searches, windows, sizes=sizes)
        return scores.maps.float()


def teaching_loss(score_maps: Tensor, taught: Tensor, group_size: int) -> Tensor:
    """How far each exemplar's score maps are from those of the teacher: 1 less their correlation, 0 to 2.

    It is taken over all cells of all searches of the exemplar's group together, so both where in a map and in which
    map the exemplar is found count; height and offset, which change no peak, do not.

    Args:
        score_maps: (B, E, h, w), as `PairScorer` gives them.
        taught: The teacher's, of the same shape.
        group_size: Searches, and pairs' own exemplars, of a group.

    Returns:
        (B,), for each pair that of its exemplar plus, where windows were slid too, the mean over those of its search.

    Example:
        >>> maps = torch.arange(18.0).reshape(2, 1, 3, 3)
        >>> teaching_loss(maps, 5 * maps - 3, 1).abs().max().item() < 1e-6
        True
    """
    learned, wanted = (_directions(maps, group_size) for maps in (score_maps, taught))
    apart = 1 - (learned * wanted).sum(dim=2)
    own, windows = apart[:, :group_size].flatten(), apart[:, group_size:]
    return own + windows.reshape(len(own), -1).mean(dim=1) if windows.numel() else own


def _directions(score_maps: Tensor, group_size: int) -> Tensor:
    """(B, E, h, w) -> (groups, E, G h w): what each exemplar gives everywhere, less its mean, of length 1."""
    B, E, h, w = score_maps.shape
    by_exemplar = score_maps.reshape(B // group_size, group_size, E, h * w).transpose(1, 2).flatten(2)
    return F.normalize(by_exemplar - by_exemplar.mean(dim=2, keepdim=True), dim=2, eps=_SHORTEST)
