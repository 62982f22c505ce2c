"""The loss of pairs: the paper's logistic loss, positive and negative cells weighing one half each, and additions."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from siamfc.config import LabelConfig


class PairLosses(NamedTuple):
    """Losses a pair, (B,) each.

    Attributes:
        total: What is learned from.
        logistic: The paper's part of it.
    """

    total: Tensor
    logistic: Tensor


def logistic_loss(score_maps: Tensor, positive: Tensor) -> Tensor:
    """Mean over the map of ``log(1 + exp(-label * score))``, the two labels weighing one half each (section 2.2).

    Args:
        score_maps: (B, h, w), logits.
        positive: (B, h, w) bool; a map without a positive cell counts with its negative half alone.

    Returns:
        (B,).

    Example:
        >>> logistic_loss(torch.zeros(1, 3, 3), torch.eye(3, dtype=torch.bool)[None]).item()  # log 2
        0.6931471824645996
    """
    losses = F.softplus(torch.where(positive, -score_maps, score_maps))
    wanted = positive.to(losses.dtype)
    hits = (losses * wanted).sum(dim=(1, 2)) / wanted.sum(dim=(1, 2)).clamp_min(1)
    misses = (losses * (1 - wanted)).sum(dim=(1, 2)) / (1 - wanted).sum(dim=(1, 2)).clamp_min(1)
    return (hits + misses) / 2


def pair_losses(
    score_maps: Tensor, positive: Tensor, place: Tensor, strangers: Tensor, config: LabelConfig
) -> PairLosses:
    """Losses of pairs whose exemplars were compared with all searches of their group.

    Args:
        score_maps: (B, G, h, w): search b with each exemplar of its group; its own is the ``b % G``-th.
        positive: (B, h, w) bool, of a search's own exemplar; nowhere true for a negative pair.
        place: (B, h, w), sum 1 a map: how the ranking part wants a search's own map shared out; zero for a negative
            pair.
        strangers: (B, G) bool: whether the exemplar's target is for certain not in the search. Its own column is
            false.
        config: What is added to the paper's loss, and how it weighs.

    Returns:
        The losses. The ranking part is the cross entropy of ``place`` with a softmax over all cells of a search's own
        map and those of its exemplar with the strangers' searches; negative pairs have none.
    """
    B, G = score_maps.shape[:2]
    own = torch.arange(B, device=score_maps.device) % G
    own_maps = score_maps[torch.arange(B, device=score_maps.device), own]
    logistic = logistic_loss(own_maps, positive)
    total = logistic
    if G > 1 and config.group_weight > 0:
        losses = F.softplus(score_maps).mean(dim=(2, 3)) * strangers
        total = total + config.group_weight * losses.sum(dim=1) / strangers.sum(dim=1).clamp_min(1) / 2
    if config.ranking_weight > 0:
        total = total + config.ranking_weight * _ranking_loss(score_maps, own_maps, place, strangers)
    return PairLosses(total, logistic.detach())


def _ranking_loss(score_maps: Tensor, own_maps: Tensor, place: Tensor, strangers: Tensor) -> Tensor:
    B, G, h, w = score_maps.shape
    nothing = torch.finfo(own_maps.dtype).min
    # Turned so that row e of a group holds exemplar e with every search of the group.
    by_exemplar = score_maps.view(B // G, G, G, h * w).transpose(1, 2).reshape(B, G, h * w).logsumexp(dim=2)
    elsewhere = strangers.view(B // G, G, G).transpose(1, 2).reshape(B, G)
    others = by_exemplar.masked_fill(~elsewhere, nothing)
    everything = torch.cat([own_maps.flatten(1).logsumexp(dim=1, keepdim=True), others], dim=1).logsumexp(dim=1)
    return everything * place.sum(dim=(1, 2)) - (place * own_maps).sum(dim=(1, 2))
