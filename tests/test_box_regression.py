"""Box regression: its cost volume by definition, the arithmetic of its answer, and what a tracker makes of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError

from siamfc import MultiTracker, Tracker, TrackerConfig
from siamfc.box_regression import (
    MARGIN,
    BoxChange,
    BoxRegression,
    cost_volume,
)
from siamfc.boxes import Box
from siamfc.cell_coverage import cell_coverage
from siamfc.checkpoint import load_model, save_checkpoint
from siamfc.config import ModelConfig
from siamfc.crops import context_side
from siamfc.errors import ConfigError
from siamfc.model import build_model
from siamfc.provenance import Provenance
from siamfc.tracker.box_refinement import BoxRefinement, believed_share
from siamfc.tracker.target_state import TargetState
from tests.regressions import saying, with_regression
from tests.scenes import pan

BOX = (140, 100, 40, 40)


@pytest.fixture(scope="module")
def regressing(mobilenetv2):
    return with_regression(mobilenetv2)


@pytest.fixture(scope="module")
def frames(photograph):
    return pan(photograph, [(60 + 3 * step, 50 + 2 * step) for step in range(4)])


def test_the_cost_volume_is_the_cosine_of_each_cell_with_those_around_its_place() -> None:
    torch.manual_seed(0)
    exemplars, windows = torch.randn(2, 5, 4, 4), torch.randn(2, 5, 10, 10)
    volume = cost_volume(exemplars, windows)
    assert volume.shape == (2, 49, 4, 4)
    for b, down, right, row, column in ((0, 0, 0, 0, 0), (1, 6, 2, 3, 1), (0, 3, 3, 2, 2), (1, 1, 6, 0, 3)):
        wanted = F.cosine_similarity(exemplars[b, :, row, column], windows[b, :, row + down, column + right], dim=0)
        assert volume[b, 7 * down + right, row, column].item() == pytest.approx(wanted.item(), abs=1e-6)


@pytest.mark.parametrize("border", [0, 2])
def test_windows_have_their_margin_and_border_and_zeros_beyond_the_features(border) -> None:
    features = torch.arange(2 * 25.0).view(2, 1, 5, 5) + 1
    regression = BoxRegression(torch.zeros(3 + 2 * border), stride=8, border=border)
    windows = regression.windows(features, torch.tensor([[0, 2], [1, 1]]))
    around = MARGIN + border
    assert windows.shape == (2, 1, 3 + 2 * around, 3 + 2 * around)
    inner = windows[..., around:-around, around:-around]
    assert torch.equal(inner[0], features[0, :, 0:3, 2:5])
    assert torch.equal(inner[1], features[1, :, 1:4, 1:4])
    assert not windows[0, 0, :around].any()  # above the first row


@pytest.mark.parametrize("border", [0, 2])
@pytest.mark.parametrize("cell", [(0, 0), (8, 7), (16, 3), (2, 16)])
def test_the_tracker_takes_of_a_search_what_windows_are_of_all_of_it_standardised(two_levels, border, cell):
    model = two_levels if border else load_model("mobilenetv2", device="cpu")
    refinement = BoxRefinement(model, TrackerConfig())
    assert model.box_regression is not None
    assert model.box_regression.border == border
    torch.manual_seed(0)
    features = torch.randn(model.out_channels, 21 if border else 25, 21 if border else 25)
    statistics = model.feature_statistics(features[None])
    likeness = refinement.likeness(torch.zeros(1, model.out_channels, 9, 9), statistics, (60, 60))
    wanted = model.box_regression.windows(model.standardise(features[None], statistics), torch.tensor([cell]))
    assert torch.equal(refinement._window(features, likeness, cell), wanted)


def test_only_the_first_channels_are_compared_where_so_many_are_asked_for() -> None:
    torch.manual_seed(0)
    exemplars, features = torch.randn(2, 5, 9, 9), torch.randn(2, 5, 15, 15)
    few, corners, sizes = 3, torch.tensor([[3, 3], [2, 4]]), torch.full((2, 2), 60.0)
    of_some = BoxRegression(torch.arange(9) * 8.0 - 32, stride=8, compared=few)
    of_all = BoxRegression(torch.arange(9) * 8.0 - 32, stride=8)
    torch.nn.init.normal_(of_all.change.weight)
    of_some.load_state_dict(of_all.state_dict())
    came = of_some(exemplars, of_some.windows(features, corners), sizes)
    wanted = of_all(exemplars[:, :few], of_all.windows(features[:, :few], corners), sizes)
    assert came.log_size.abs().min() > 0
    assert all(torch.equal(*pair) for pair in zip(came, wanted, strict=True))


def test_a_network_of_two_levels_compares_the_shallow_one(two_levels) -> None:
    model = with_regression(two_levels, border_px=16)
    regression = model.box_regression
    assert regression is not None
    assert regression.cells == 9
    torch.nn.init.normal_(regression.change.weight)
    features = torch.randn(1, 576, 21, 21, generator=torch.Generator().manual_seed(0))
    changed = features.clone()
    changed[:, 192:] = 0
    corners, sizes = torch.tensor([[8, 8]]), torch.full((1, 2), 60.0)
    with torch.no_grad():
        first, other = (
            regression(each[..., 6:15, 6:15], regression.windows(each, corners), sizes) for each in (features, changed)
        )
    assert torch.equal(first.log_size, other.log_size)
    assert torch.equal(first.shift_px, other.shift_px)


def test_behind_a_neck_which_mixes_the_levels_all_channels_are_compared(two_levels) -> None:
    mixed = with_regression(build_model(two_levels.config.model_copy(update={"neck_channels": 40})), border_px=16)
    windows = mixed.box_regression.windows(torch.zeros(1, 40, 21, 21), torch.tensor([[8, 8]]))
    assert windows.shape[1] == 40


def test_a_cell_counts_by_the_share_of_it_that_the_target_covers() -> None:
    centers = torch.tensor([-8.0, 0.0, 8.0])
    covered = cell_coverage(torch.tensor([[24.0, 24.0], [8.0, 16.0]]), centers, 8)
    assert torch.equal(covered[0], torch.ones(3, 3))
    assert torch.equal(covered[1], torch.tensor([[0.0, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.5, 0.0]]))


def test_scale_and_aspect_make_width_and_height() -> None:
    change = BoxChange(torch.tensor([[3.0, -2.0]]), torch.tensor([[0.2, 0.1]]), torch.ones(1, 2), torch.ones(1, 2))
    (box,) = change.boxes(torch.tensor([[100.0, 90.0]]), torch.tensor([[50.0, 40.0]])).tolist()
    assert box == pytest.approx([103, 88, 50 * math.exp(0.3), 40 * math.exp(0.1)], rel=1e-6)


def test_what_is_uncertain_is_believed_less() -> None:
    assert believed_share(0.0, trust=0.05, damping=0.6) == 0.6
    assert believed_share(0.05, trust=0.05, damping=0.6) == pytest.approx(0.3)
    assert believed_share(5.0, trust=0.05, damping=0.6) < 1e-4


def test_a_tracker_takes_over_what_the_regression_says(regressing, frames) -> None:
    config = TrackerConfig(regression_damping=0.5, regression_place=1.0)
    model = saying(regressing, shift=(6.0, -3.0), size=(0.1, 0.05))
    tracker = Tracker(model, config, keep_maps=True)
    tracker.init(frames.frames[0], BOX)
    found = tracker.update(frames.frames[0])
    px = context_side(Box(*BOX), 0.5) / 127
    share = believed_share(math.exp(-9), config.regression_trust, 0.5)
    assert found.box.center == pytest.approx((160 + 6 * px, 120 - 3 * px), abs=1e-3)
    assert found.box.width == pytest.approx(40 * math.exp(0.15 * share), rel=1e-4)
    assert found.box.height == pytest.approx(40 * math.exp(0.05 * share), rel=1e-4)
    assert found.scale == pytest.approx(math.exp(0.1 * share), rel=1e-4)
    assert found.maps.score_maps.shape == (1, 17, 17)  # one size is searched, not three


def test_sizes_are_compared_with_the_first_one_so_nothing_builds_up(regressing, frames) -> None:
    tracker = Tracker(saying(regressing, size=(0.0, 0.2)), TrackerConfig(regression_damping=1.0, regression_place=0.0))
    tracker.init(frames.frames[0], BOX)
    boxes = [tracker.update(frames.frames[0]).box for _ in range(6)]
    assert [box.width / box.height for box in boxes] == pytest.approx([math.exp(0.4)] * 6, rel=1e-3)


def test_a_regression_that_expects_to_be_wrong_changes_no_size(regressing, frames) -> None:
    tracker = Tracker(saying(regressing, size=(0.3, 0.3), log_error=-2.0), TrackerConfig(regression_trust=1e-4))
    tracker.init(frames.frames[0], BOX)
    box = tracker.update(frames.frames[1]).box
    assert (box.width, box.height) == pytest.approx((40, 40), rel=1e-3)


@pytest.mark.parametrize("place", [0.0, 0.5])
def test_the_peaks_place_has_the_rest_of_the_weight(regressing, frames, place) -> None:
    plain = Tracker(regressing, TrackerConfig(size_from="scales", num_scales=1))
    tracker = Tracker(saying(regressing, shift=(8.0, 0.0)), TrackerConfig(regression_place=place))
    results = []
    for each in (plain, tracker):
        each.init(frames.frames[0], BOX)
        results.append(each.update(frames.frames[0]).box.center)
    px = context_side(Box(*BOX), 0.5) / 127
    assert results[1][0] - results[0][0] == pytest.approx(place * 8 * px, abs=0.05)


def test_a_border_gives_the_regression_more_cells_and_leaves_the_maps_as_they_are(mobilenetv2, frames) -> None:
    seen, maps = [], []
    for border_px in (0, 16):
        model = with_regression(mobilenetv2, border_px=border_px)
        model.box_regression.register_forward_pre_hook(lambda _, inputs: seen.append(inputs))
        tracker = Tracker(model, keep_maps=True)
        tracker.init(frames.frames[0], BOX)
        maps.append(tracker.update(frames.frames[1]).maps.score_maps)
    np.testing.assert_allclose(maps[0], maps[1], atol=0.02 * np.ptp(maps[0]))  # OpenCV rounds where it samples
    (exemplar, window, size), (wide, wide_window, same_size) = seen
    assert exemplar.shape[-1] == 9
    assert wide.shape[-1] == 13
    assert window.shape[-1] + 4 == wide_window.shape[-1] == 13 + 2 * MARGIN
    assert torch.equal(size, same_size)
    assert F.cosine_similarity(exemplar, wide[..., 2:-2, 2:-2]).min() > 0.99
    assert torch.equal(window, wide_window[..., 2:-2, 2:-2])


@pytest.mark.parametrize("border_px", [12, -8, 72])
def test_a_border_is_whole_cells(border_px) -> None:
    with pytest.raises(ValidationError, match="regression_border_px"):
        ModelConfig(box_regression=True, regression_border_px=border_px)


def test_many_targets_are_regressed_as_each_alone(regressing, frames) -> None:
    model = saying(regressing, shift=(2.0, 1.0), size=(0.02, 0.01))
    boxes = {"face": BOX, 7: (90, 60, 60, 30)}
    several = MultiTracker(model, batch_targets=2)
    for name, box in boxes.items():
        several.add(frames.frames[0], box, name)
    together = [several.update(frame) for frame in frames.frames[1:]]
    for name, box in boxes.items():
        tracker = Tracker(model)
        tracker.init(frames.frames[0], box)
        for frame, results in zip(frames.frames[1:], together, strict=True):
            np.testing.assert_allclose(results[name].box, tracker.update(frame).box, atol=1e-3)


def test_weights_without_regression_search_scales_and_say_so_when_asked(mobilenetv2, frames) -> None:
    tracker = Tracker(mobilenetv2, keep_maps=True)
    tracker.init(frames.frames[0], BOX)
    assert tracker.update(frames.frames[1]).maps.score_maps.shape[0] == 3
    with pytest.raises(ConfigError, match="size_from"):
        Tracker(mobilenetv2, TrackerConfig(size_from="regression"))


def test_an_exemplar_of_another_size_is_refused_with_the_way_out(regressing, frames) -> None:
    with pytest.raises(ConfigError, match="size_from=scales"):
        Tracker(regressing, TrackerConfig(exemplar_size=95, search_size=191))
    Tracker(regressing, TrackerConfig(exemplar_size=95, search_size=191, size_from="scales"))


def test_sides_stay_within_the_limits_and_the_search_region_follows_the_aspect() -> None:
    config = TrackerConfig(min_scale=0.5, max_scale=2.0)
    state = TargetState.of(Box(100, 100, 40, 20), (240, 320), config)
    wide = state.reshaped((1.0, 2.0), scale=1.0, aspect=4.0, config=config)
    assert (wide.box.width, wide.box.height) == pytest.approx((80, 10))
    assert wide.center == pytest.approx((121, 112))
    side = context_side(Box(0, 0, 80, 10), 0.5) * 255 / 127
    assert wide.search_region(1.0, 255).side_px == pytest.approx(side)
    assert wide.fitted_to((480, 640)).box.width == pytest.approx(160)


def test_the_regression_is_part_of_the_checkpoint(regressing, tmp_path) -> None:
    model = saying(regressing, shift=(1.0, 2.0))
    save_checkpoint(tmp_path / "model.safetensors", model, provenance=Provenance(), half_precision=True)
    loaded = load_model(tmp_path / "model.safetensors", device="cpu")
    assert loaded.box_regression.change.bias[:2].tolist() == pytest.approx([4 / 64, 8 / 64], rel=1e-3)


@pytest.mark.parametrize(("backbone", "cells"), [("mobilenetv2", 9), ("alexnet", 6)])
def test_each_backbone_compares_the_cells_of_its_own_exemplar(backbone, cells) -> None:
    model = build_model(ModelConfig(backbone=backbone, box_regression=True))
    assert model.box_regression.cells == cells
    assert model.embed(torch.zeros(1, 3, 127, 127)).shape[-1] == cells
