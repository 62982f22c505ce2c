from __future__ import annotations

import math

import pytest
import torch

from siamfc.config import LabelConfig
from siamfc.training.loss import logistic_loss, pair_losses


def _by_hand(scores: torch.Tensor, positive: torch.Tensor) -> float:
    sides = []
    for sign, cells in ((1, positive), (-1, ~positive)):
        values = [math.log1p(math.exp(-sign * float(score))) for score in scores[cells]]
        sides.append(sum(values) / len(values))
    return sum(sides) / 2


def test_the_loss_is_the_papers_with_half_the_weight_on_each_side() -> None:
    rng = torch.Generator().manual_seed(0)
    scores = torch.randn(3, 5, 5, generator=rng, dtype=torch.float64)
    positive = torch.rand(3, 5, 5, generator=rng) < 0.3
    expected = [_by_hand(scores[index], positive[index]) for index in range(3)]
    assert logistic_loss(scores, positive).tolist() == pytest.approx(expected, rel=1e-12)


def test_a_negative_pair_counts_with_its_negative_half_alone() -> None:
    scores = torch.full((1, 3, 3), 2.0)
    loss = logistic_loss(scores, torch.zeros(1, 3, 3, dtype=torch.bool))
    assert loss.item() == pytest.approx(math.log1p(math.exp(2)) / 2)


def test_large_scores_give_no_infinity() -> None:
    scores = torch.tensor([[[1e4, -1e4]]], requires_grad=True)
    loss = logistic_loss(scores, torch.tensor([[[False, True]]]))
    loss.backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(scores.grad).all()


def _group(seed: int = 0, pairs: int = 4, group: int = 2):
    rng = torch.Generator().manual_seed(seed)
    scores = torch.randn(pairs, group, 3, 3, generator=rng, dtype=torch.float64)
    positive = torch.zeros(pairs, 3, 3, dtype=torch.bool)
    positive[:, 1, 1] = True
    own = torch.arange(pairs) % group
    strangers = torch.ones(pairs, group, dtype=torch.bool)
    strangers[torch.arange(pairs), own] = False
    return scores, positive, strangers


def test_without_additions_the_loss_is_the_papers_on_each_searchs_own_exemplar() -> None:
    scores, positive, strangers = _group()
    losses = pair_losses(
        scores, positive, positive.double(), strangers, LabelConfig(group_size=2, group_weight=0, ranking_weight=0)
    )
    own = torch.stack([scores[index, index % 2] for index in range(4)])
    assert torch.equal(losses.total, logistic_loss(own, positive))


def test_group_negatives_push_down_what_strangers_score() -> None:
    scores, positive, strangers = _group()
    settings = LabelConfig(group_size=2, group_weight=1, ranking_weight=0)
    plain = pair_losses(scores, positive, positive.double(), strangers, settings).total
    scores[0, 1] += 5  # search 0 with the exemplar of pair 1
    raised = pair_losses(scores, positive, positive.double(), strangers, settings).total
    assert raised[0] > plain[0]
    assert torch.equal(raised[1:], plain[1:])


def test_a_pair_of_the_same_track_is_no_negative() -> None:
    scores, positive, strangers = _group()
    strangers[0] = False
    settings = LabelConfig(group_size=2, group_weight=1, ranking_weight=1)
    before = pair_losses(scores, positive, positive.double(), strangers, settings).total
    scores[0, 1] += 5
    assert torch.equal(pair_losses(scores, positive, positive.double(), strangers, settings).total, before)


def test_ranking_is_the_softmax_over_the_own_map_and_the_exemplars_other_searches() -> None:
    scores, positive, strangers = _group()
    place = torch.zeros(4, 3, 3, dtype=torch.float64)
    place[:, 1, 1], place[:, 1, 2] = 0.75, 0.25
    settings = LabelConfig(group_size=2, group_weight=0, ranking_weight=1)
    losses = pair_losses(scores, positive, place, strangers, settings)
    # Exemplar 0 sees its own search (0) and, as a stranger, search 1.
    candidates = torch.cat([scores[0, 0].flatten(), scores[1, 0].flatten()])
    expected = torch.logsumexp(candidates, 0) - 0.75 * scores[0, 0, 1, 1] - 0.25 * scores[0, 0, 1, 2]
    assert (losses.total - losses.logistic)[0].item() == pytest.approx(expected.item(), rel=1e-12)


def test_ranking_leaves_negative_pairs_alone_and_gradients_finite() -> None:
    scores, positive, strangers = _group()
    positive[2] = False
    strangers[2] = False
    scores.requires_grad_()
    losses = pair_losses(scores, positive, positive.double(), strangers, LabelConfig(group_size=2, ranking_weight=1))
    losses.total.sum().backward()
    assert torch.isfinite(scores.grad).all()
    assert losses.total[2] == losses.logistic[2]
