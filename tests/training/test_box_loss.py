"""What box regression learns: its loss by definition, parts of targets in both crops alike, and that it does learn."""

from __future__ import annotations

import math

import pytest
import torch

from siamfc.box_regression import BoxChange
from siamfc.checkpoint import load_model
from siamfc.data.pair_crops import PairReader
from siamfc.data.pairs import PairSampler
from siamfc.errors import TrainingError
from siamfc.training.box_loss import asked_windows, box_losses, overlaps
from siamfc.training.held_out import HeldOutPairs
from siamfc.training.loading import read_batches
from siamfc.training.running import MODEL_FILE
from siamfc.training.scoring_pairs import PairScorer
from siamfc.training.start import build_start
from tests.training.runs import Silent, tiny_config, tiny_mixture, tiny_trainer

BOXES = (
    "model.standardisation=first_search", "model.box_regression=true", "augmentation.part_share=0.5",
    "augmentation.exemplar_shift_px=0", "augmentation.search_scale=0.2", "augmentation.stretch=0.1",
    "augmentation.rotation_deg=0", "training.exemplar_size=127", "training.search_size=159",
    "optimiser.frozen_layers=8", "optimiser.learning_rate=0.001",
)  # fmt: skip


def batch_of(*overrides: str):
    config = tiny_config(*BOXES, "training.batch_size=8", *overrides)
    reader = PairReader(PairSampler(tiny_mixture().sources, config.pairs), config)
    return next(iter(read_batches(reader, 0))), config


def truth(batch, asked) -> BoxChange:
    windows = asked[:, 0].flip(1) * 8.0 + 63.5
    growth = (batch.sizes[:, 1] / batch.sizes[:, 0]).log()
    size = torch.stack([growth.mean(dim=1), (growth[:, 0] - growth[:, 1]) / 2], dim=1)
    return BoxChange(batch.centers - windows, size, torch.full((8, 2), 0.64), torch.full((8, 2), 0.01))


def test_the_truth_has_the_least_loss() -> None:
    batch, config = batch_of()
    asked = asked_windows(batch, config, 8)
    exact = truth(batch, asked)
    least = box_losses(exact, asked, batch, config, 8)
    assert least.tolist() == pytest.approx([0.05 * math.log(0.01)] * 8, abs=1e-3)  # nothing but the surprise is left
    for wrong in (
        exact._replace(shift_px=exact.shift_px + 3),
        exact._replace(log_size=exact.log_size + 0.1),
        exact._replace(log_size_error=torch.full((8, 2), 0.1)),
    ):
        assert (box_losses(wrong, asked, batch, config, 8) > least + 0.01).all()


def test_pairs_without_the_target_teach_no_box() -> None:
    batch, config = batch_of("pairs.negative_share=1")
    asked = asked_windows(batch, config, 8)
    assert not box_losses(truth(batch, asked), asked, batch, config, 8).any()


def test_the_windows_asked_about_lie_near_the_target_and_on_the_map() -> None:
    batch, config = batch_of()
    cells = asked_windows(batch, config, 8)
    assert cells.min() >= 0
    assert cells.max() <= 4  # 159 px hold 5 x 5 windows
    centers = cells.flip(2) * 8.0 + 63.5
    assert (centers - batch.centers[:, None]).abs().max() <= 8 * (1.2 + 0.5)


def test_many_windows_of_a_search_count_as_much_as_one() -> None:
    batch, config = batch_of("labels.box_windows=3")
    model, asked = start_model(config), asked_windows(batch, config, 8)
    assert asked.shape == (8, 3, 2)
    assert (asked[:, 0] != asked[:, 1]).any()
    with torch.no_grad():
        model.box_regression.change.weight.normal_(0, 0.3, generator=torch.Generator().manual_seed(0))
        scorer = PairScorer(model, group_size=1)
        sizes = batch.sizes[:, 0]
        change = scorer(batch.exemplars, batch.searches, sizes=sizes, asked=asked).change
        together = box_losses(change, asked, batch, config, 8)
        alone = []
        for window in range(3):
            one = asked[:, window : window + 1]
            change = scorer(batch.exemplars, batch.searches, sizes=sizes, asked=one).change
            alone.append(box_losses(change, one, batch, config, 8))
    assert torch.allclose(together, torch.stack(alone).mean(dim=0), rtol=1e-4)
    assert not torch.allclose(alone[0], alone[1], rtol=1e-2)


def test_overlap_is_intersection_over_union() -> None:
    boxes = torch.tensor([[0.0, 0.0, 4.0, 4.0], [0.0, 0.0, 4.0, 4.0]])
    others = torch.tensor([[2.0, 2.0, 4.0, 4.0], [9.0, 0.0, 2.0, 2.0]])
    assert overlaps(boxes, others).tolist() == pytest.approx([4 / 28, 0.0])


def test_a_size_says_how_much_larger_the_target_is_in_the_search() -> None:
    batch, _ = batch_of("augmentation.part_share=0", "augmentation.search_scale=0", "augmentation.stretch=0")
    # Cut at their own size, both have the context square at 127 px: areas differ by the aspect's change alone.
    assert batch.sizes[:, 1].prod(dim=1).tolist() == pytest.approx(batch.sizes[:, 0].prod(dim=1).tolist(), rel=0.1)
    scaled, _ = batch_of("augmentation.part_share=0", "augmentation.search_scale=0.4", "augmentation.stretch=0")
    growth = (scaled.sizes[:, 1] / batch.sizes[:, 1]).log()
    assert (growth[:, 0] - growth[:, 1]).abs().max() < 1e-4
    assert 0.05 < growth.abs().max() <= math.log(1.4) + 1e-4


def test_held_out_places_are_the_trackers_between_peak_and_regression() -> None:
    config = tiny_config(*BOXES, "tracker.regression_place=1")
    pairs = HeldOutPairs(tiny_mixture().held_out, config)
    model = start_model(config)
    before = pairs.measure(model).center_error_px
    with torch.no_grad():
        model.box_regression.change.bias[0] = 4 * 20 / 64
    assert pairs.measure(model).center_error_px > before + 5  # 20 px to the right of what was nearly right


def test_the_held_out_overlap_is_of_boxes_of_other_sizes_and_falls_where_they_are_misjudged() -> None:
    config = tiny_config(*BOXES, "training.held_out_pairs=12")
    pairs, model = HeldOutPairs(tiny_mixture().held_out, config), start_model(config)
    unchanged = pairs.measure(model).box_overlap
    assert 0.4 < unchanged < 0.9  # sizes as they were: off by up to a fifth and an eighth
    with torch.no_grad():
        model.box_regression.change.bias[2] = 4 * 0.7
    assert pairs.measure(model).box_overlap < 0.7 * unchanged
    plain = tiny_config(*BOXES, "model.box_regression=false")
    assert HeldOutPairs(tiny_mixture().held_out, plain).measure(start_model(plain)).box_overlap is None


def start_model(config):
    return build_start(config.model, load_model("mobilenetv2-imagenet", device="cpu"), seed=0).model


def test_exemplars_of_another_size_are_refused(tmp_path) -> None:
    with pytest.raises(TrainingError, match="exemplar_size"):
        tiny_trainer(tmp_path, "model.box_regression=true")


def test_layers_that_have_no_weights_yet_are_not_frozen(tmp_path) -> None:
    with pytest.raises(TrainingError, match="--init mobilenetv2-imagenet"):
        tiny_trainer(tmp_path, *BOXES)


def test_a_border_around_exemplars_is_for_the_regression_alone() -> None:
    (batch, _), (wide, config) = (batch_of(f"model.regression_border_px={border}") for border in (0, 16))
    assert wide.exemplars.shape[-1] == 127 + 2 * 16
    inner = wide.exemplars[..., 16:-16, 16:-16].float()
    assert (inner - batch.exemplars).abs().mean() < 1  # OpenCV rounds where it samples
    assert torch.equal(wide.searches, batch.searches)
    model, asked = start_model(config), asked_windows(wide, config, 8)
    with torch.inference_mode():
        whole = PairScorer(model, group_size=2, context_weight=0.2, border_px=16)(
            wide.exemplars, wide.searches, sizes=wide.sizes[:, 0], asked=asked
        )
        alone = PairScorer(model, group_size=2, context_weight=0.2)(inner, wide.searches, sizes=wide.sizes[:, 0])
    assert torch.allclose(whole.maps, alone.maps, rtol=1e-3, atol=1e-3 * alone.maps.abs().max())
    assert whole.change.shift_px.shape == (8, 2)


def test_a_run_with_a_border_and_a_teacher_learns_and_writes_it(tmp_path) -> None:
    settings = (*BOXES, "model.regression_border_px=16", "labels.group_size=2", "pairs.per_epoch=16")
    trainer = tiny_trainer(tmp_path, *settings, init="mobilenetv2-imagenet", teacher="mobilenetv2-imagenet")
    assert trainer.run(Silent())
    model = load_model(tmp_path / MODEL_FILE, device="cpu")
    assert model.border_px == 16
    assert model.box_regression.cells == 13
    assert model.box_regression.change.weight.any()


def test_a_few_steps_on_a_batch_bring_its_boxes_onto_the_targets() -> None:
    batch, config = batch_of("training.search_size=191")
    model, asked = start_model(config), asked_windows(batch, config, 8)
    scorer = PairScorer(model.requires_grad_(requires_grad=False), group_size=1)
    model.box_regression.requires_grad_(requires_grad=True)
    optimiser = torch.optim.Adam(model.box_regression.parameters(), 2e-3)
    found = []
    for _ in range(30):
        change = scorer(batch.exemplars, batch.searches, sizes=batch.sizes[:, 0], asked=asked).change
        boxes = change.boxes(asked[:, 0].flip(1) * 8.0 + 63.5, batch.sizes[:, 0])
        found.append(overlaps(boxes, torch.cat([batch.centers, batch.sizes[:, 1]], dim=1)).mean().item())
        optimiser.zero_grad()
        box_losses(change, asked, batch, config, 8).mean().backward()
        optimiser.step()
    assert found[0] < 0.8
    assert found[-1] > found[0] + 0.1


def test_a_resumed_run_with_boxes_is_the_same(tmp_path) -> None:
    settings = (*BOXES, "training.epochs=2", "pairs.per_epoch=32", "training.batch_size=8")
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for folder in (whole, parts):
        folder.mkdir()
    assert tiny_trainer(whole, *settings, init="mobilenetv2-imagenet").run(Silent())
    with pytest.raises(RuntimeError, match="power cut"):
        tiny_trainer(parts, *settings, "training.save_every_s=0", init="mobilenetv2-imagenet").run(
            Silent(stop_after=6, error=RuntimeError("power cut"))
        )
    again = tiny_trainer(parts, *settings, init="mobilenetv2-imagenet")
    again.resume()
    assert again.run(Silent())
    one, other = (load_model(folder / MODEL_FILE, device="cpu").state_dict() for folder in (whole, parts))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert one["box_regression.change.weight"].any()
