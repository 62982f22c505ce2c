"""Learning from a finished model's score maps."""

from __future__ import annotations

import pytest
import torch

from siamfc.checkpoint import load_model
from siamfc.config import ModelConfig
from siamfc.data.pair_crops import PairReader
from siamfc.data.pairs import PairSampler
from siamfc.errors import TrainingError
from siamfc.model import build_model
from siamfc.training.loading import read_batches
from siamfc.training.scoring_pairs import PairScorer
from siamfc.training.teaching import Teacher, teaching_loss
from tests.training.runs import Silent, tiny_config, tiny_mixture, tiny_trainer


def _slow(score_maps, taught, size):
    """The definition, exemplar by exemplar: the pairs' own, and of each search's windows the mean."""
    B, E = score_maps.shape[:2]

    def apart(group, exemplar):
        rows = [
            torch.cat([maps[search, exemplar].flatten() for search in range(group, group + size)])
            for maps in (score_maps, taught)
        ]
        return 1 - torch.corrcoef(torch.stack(rows))[0, 1]

    losses, windows = [], E // size - 1
    for pair in range(B):
        group, own = pair // size * size, pair % size
        loss = apart(group, own)
        if windows:
            first = size + own * windows
            loss = loss + torch.stack([apart(group, first + each) for each in range(windows)]).mean()
        losses.append(loss)
    return torch.stack(losses)


@pytest.mark.parametrize("windows", [0, 2])
def test_the_loss_is_one_less_the_correlation_over_all_maps_of_an_exemplar(windows) -> None:
    rng = torch.Generator().manual_seed(0)
    shape = (6, 3 * (1 + windows**2), 4, 5)
    score_maps, taught = (torch.randn(shape, generator=rng, dtype=torch.float64) for _ in range(2))
    assert torch.allclose(teaching_loss(score_maps, taught, 3), _slow(score_maps, taught, 3), atol=1e-12)


def test_a_constant_map_costs_one_and_gives_finite_gradients() -> None:
    score_maps = torch.zeros(2, 1, 3, 3, requires_grad=True)
    loss = teaching_loss(score_maps, torch.rand(2, 1, 3, 3), 1)
    assert loss.tolist() == [1, 1]
    torch.autograd.backward(loss.sum())
    assert torch.isfinite(score_maps.grad).all()


def test_a_teacher_of_another_architecture_gives_maps_of_the_same_cells() -> None:
    teacher = load_model("mobilenetv2-imagenet", device="cpu")
    config = tiny_config("labels.group_size=2", "training.exemplar_size=127", "training.search_size=159")
    student = build_model(ModelConfig(backbone="alexnet")).eval()
    exemplars, searches = torch.rand(2, 3, 127, 127) * 255, torch.rand(2, 3, 159, 159) * 255
    taught = Teacher(teacher, config, stride=8, device=torch.device("cpu")).score_maps(exemplars, searches, 3)
    assert taught.shape == PairScorer(student, 2)(exemplars, searches, 3).maps.shape == (2, 20, 5, 5)
    assert not taught.requires_grad


@pytest.mark.parametrize("windows", [1, 2, 3])
def test_a_window_of_a_search_is_that_part_of_it_taken_as_an_exemplar(windows) -> None:
    model = build_model(ModelConfig(backbone="alexnet")).eval().double()
    searches = torch.rand(2, 3, 159, 159, generator=torch.Generator().manual_seed(0)) * 255
    places = {1: [2], 2: [0, 4], 3: [0, 2, 4]}[windows]  # cells of the 5 x 5 map
    parts = [
        search[:, 8 * row : 8 * row + 127, 8 * column : 8 * column + 127]
        for search in searches
        for row in places
        for column in places
    ]
    with torch.inference_mode():
        maps = PairScorer(model, 2)(searches[..., :127, :127], searches, windows).maps
        embedded = model.embed(searches)
        for number, part in enumerate(parts, start=2):
            expected = model.score(model.embed(part[None]), embedded)
            assert torch.allclose(maps[:, number], expected, rtol=1e-9)


def test_searches_that_are_no_whole_number_of_strides_give_the_windows_inside_alone() -> None:
    model = load_model("mobilenetv2-imagenet", device="cpu")  # whose grid has a cell more at 252 px
    maps = PairScorer(model, 1)(torch.zeros(1, 3, 127, 127), torch.zeros(1, 3, 252, 252)).maps
    assert maps.shape == (1, 1, 16, 16)


def test_a_student_comes_nearer_to_its_teacher(tmp_path) -> None:
    settings = ("labels.teacher_weight=20", "optimiser.learning_rate=0.001", "training.epochs=6")
    trainer = tiny_trainer(tmp_path, *settings, teacher="mobilenetv2-imagenet")
    config = trainer.config
    teacher = Teacher(load_model("mobilenetv2-imagenet"), config, stride=8, device=torch.device("cpu"))
    [batch, *_] = read_batches(PairReader(PairSampler(tiny_mixture().sources, config.pairs), config), epoch=9)

    @torch.inference_mode()
    def apart():
        maps = PairScorer(trainer.model(), 1)(batch.exemplars, batch.searches, 3).maps
        return teaching_loss(maps, teacher.score_maps(batch.exemplars, batch.searches, 3), 1).mean().item()

    before = apart()
    assert before > 0.2
    assert trainer.run(Silent())
    assert apart() < 0.7 * before


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
