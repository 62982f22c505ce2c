"""Learning from a finished model's score maps."""

from __future__ import annotations

import pytest
import torch

from siamfc.checkpoint import load_model
from siamfc.config import ModelConfig
from siamfc.errors import TrainingError
from siamfc.model import build_model
from siamfc.training.scoring_pairs import PairScorer
from siamfc.training.teaching import Teacher, teaching_loss
from tests.training.runs import Silent, tiny_config, tiny_trainer


def _slow(score_maps, taught):
    """The definition, exemplar by exemplar."""
    losses = []
    B, G = score_maps.shape[:2]
    for pair in range(B):
        group, own = pair // G * G, pair % G
        rows = [
            torch.cat([maps[search, own].flatten() for search in range(group, group + G)])
            for maps in (score_maps, taught)
        ]
        losses.append(1 - torch.corrcoef(torch.stack(rows))[0, 1])
    return torch.stack(losses)


def test_the_loss_is_one_less_the_correlation_over_all_maps_of_an_exemplar() -> None:
    rng = torch.Generator().manual_seed(0)
    score_maps, taught = (torch.randn(6, 3, 4, 5, generator=rng, dtype=torch.float64) for _ in range(2))
    assert torch.allclose(teaching_loss(score_maps, taught), _slow(score_maps, taught), atol=1e-12)


def test_a_constant_map_costs_one_and_gives_finite_gradients() -> None:
    score_maps = torch.zeros(2, 1, 3, 3, requires_grad=True)
    loss = teaching_loss(score_maps, torch.rand(2, 1, 3, 3))
    assert loss.tolist() == [1, 1]
    torch.autograd.backward(loss.sum())
    assert torch.isfinite(score_maps.grad).all()


def test_a_teacher_of_another_architecture_gives_maps_of_the_same_cells() -> None:
    teacher = load_model("mobilenetv2-imagenet", device="cpu")
    config = tiny_config("labels.group_size=2", "training.exemplar_size=127", "training.search_size=159")
    student = build_model(ModelConfig(backbone="alexnet")).eval()
    exemplars, searches = torch.rand(2, 3, 127, 127) * 255, torch.rand(2, 3, 159, 159) * 255
    taught = Teacher(teacher, config, stride=8, device=torch.device("cpu")).score_maps(exemplars, searches)
    assert taught.shape == PairScorer(student, 2)(exemplars, searches).shape == (2, 2, 5, 5)
    assert not taught.requires_grad


def test_a_student_comes_nearer_to_its_teacher(tmp_path) -> None:
    settings = ("labels.teacher_weight=10", "optimiser.learning_rate=0.001", "training.epochs=6")
    observer = Silent()
    assert tiny_trainer(tmp_path, *settings, teacher="mobilenetv2-imagenet").run(observer)
    untaught, without = Silent(), tmp_path / "without"
    without.mkdir()
    assert tiny_trainer(without, *settings).run(untaught)
    extra = [taught - plain for taught, plain in zip(observer.losses, untaught.losses, strict=True)]
    assert extra[0] > 1
    assert sum(extra[-8:]) < 0.7 * sum(extra[:8])


def test_a_run_goes_on_with_its_own_teacher_alone(tmp_path) -> None:
    first = tiny_trainer(tmp_path, teacher="mobilenetv2-imagenet")
    first.save()
    tiny_trainer(tmp_path, teacher="mobilenetv2-imagenet").resume()
    with pytest.raises(TrainingError, match="--teacher"):
        tiny_trainer(tmp_path).resume()


def test_a_teacher_that_cannot_see_the_exemplars_is_refused() -> None:
    with pytest.raises(TrainingError, match="exemplars of 87 px"):
        Teacher(build_model(ModelConfig(backbone="alexnet")), tiny_config(), stride=8, device=torch.device("cpu"))


def test_a_teacher_of_another_stride_is_refused() -> None:
    with pytest.raises(TrainingError, match="every 8 px, the model to train every 4 px"):
        Teacher(load_model("mobilenetv2-imagenet"), tiny_config(), stride=4, device=torch.device("cpu"))
