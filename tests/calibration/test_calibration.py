from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from siamfc.boxes import Box
from siamfc.calibration import regions as regions_module
from siamfc.calibration.fitting import calibrate_score, fit_curve
from siamfc.calibration.regions import RegionKind, draw_regions
from siamfc.calibration.separation import roc_area, separation
from siamfc.calibration.similarities import measure_cosines
from siamfc.checkpoint import load_model
from siamfc.cli.main import app
from siamfc.config import FilterConfig, TrackerConfig
from siamfc.crops import CropRegion
from siamfc.data.mixture import HeldOut, open_mixture
from siamfc.errors import CalibrationError


@pytest.fixture(scope="module")
def tracks():
    mixture = open_mixture(["synthetic:3"], FilterConfig(), HeldOut())
    return [track for source in mixture.sources for track in source.tracks]


@pytest.fixture(scope="module")
def targets(tracks):
    return draw_regions(tracks, TrackerConfig(), count=6)


def test_regions_are_the_same_for_the_same_seed_and_of_each_kind(tracks, targets):
    again = draw_regions(tracks, TrackerConfig(), count=6)
    for target, other in zip(targets, again, strict=True):
        assert len(target.regions[RegionKind.TARGET]) == len(target.regions[RegionKind.STRANGER]) == 6
        for kind, found in target.regions.items():
            for (at, image), (other_at, other_image) in zip(found, other.regions[kind], strict=True):
                assert at == other_at
                assert image.shape == (255, 255, 3)
                np.testing.assert_array_equal(image, other_image)


def test_no_window_beside_the_target_touches_it(tracks, monkeypatch):
    cut: list[CropRegion] = []
    real = regions_module.crop

    def remember(frame, region, fill):
        cut.append(region)
        return real(frame, region, fill)

    monkeypatch.setattr(regions_module, "crop", remember)
    frame, rng = np.zeros((400, 600, 3), np.uint8), np.random.default_rng(0)
    box = Box(100, 150, 40, 30)
    for _ in range(30):
        assert regions_module._beside(frame, box, TrackerConfig(), rng) is not None
    assert len(cut) == 30
    for region in cut:
        half = region.side_px / 2
        across = min(region.center_x + half, box.x + box.width) - max(region.center_x - half, box.x)
        down = min(region.center_y + half, box.y + box.height) - max(region.center_y - half, box.y)
        assert min(across, down) <= 0


def test_a_target_that_fills_its_frames_has_no_region_beside_it():
    frame, rng = np.zeros((100, 100, 3), np.uint8), np.random.default_rng(0)
    assert regions_module._beside(frame, Box(10, 10, 80, 80), TrackerConfig(), rng) is None


def test_one_video_is_too_few(tracks):
    with pytest.raises(CalibrationError, match="at least two videos"):
        draw_regions(tracks[:1], TrackerConfig(), count=4)


def test_the_roc_area_is_the_share_of_pairs_in_order():
    rng = np.random.default_rng(0)
    positive, negative = rng.integers(0, 6, 20).astype(float), rng.integers(0, 5, 30).astype(float)
    weights = rng.random(20), rng.random(30)
    pairs = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    shares = weights[0][:, None] * weights[1]
    assert roc_area(positive, negative, *weights) == pytest.approx((pairs * shares).sum() / shares.sum())


def test_pooled_targets_weigh_the_same():
    few = {RegionKind.TARGET: np.array([0.9]), RegionKind.STRANGER: np.array([0.1])}
    many = {RegionKind.TARGET: np.full(99, 0.05), RegionKind.STRANGER: np.full(99, 0.2)}
    pooled, first, second = separation(["few", "many"], [few, many])
    assert pooled.strangers == pytest.approx(0.5)
    assert (first.strangers, second.strangers) == (1, 0)
    assert pooled.elsewhere is None


@pytest.mark.parametrize("others", [(RegionKind.STRANGER,), (RegionKind.ELSEWHERE,), tuple(RegionKind)[1:]])
def test_the_curve_is_half_where_both_are_as_likely(others):
    rng = np.random.default_rng(0)
    cosines = [
        {RegionKind.TARGET: rng.normal(0.6, 0.2, 20000), **{kind: rng.normal(0.2, 0.2, 20000) for kind in others}}
    ]
    slope, offset = fit_curve(cosines)
    # Two normal curves of one deviation s, d apart: logistic with slope d / s ** 2, half way between.
    assert slope == pytest.approx(0.4 / 0.04, rel=0.05)
    assert -offset / slope == pytest.approx(0.4, abs=0.005)


def test_a_calibrated_model_tells_targets_from_other_videos(mobilenetv2, targets):
    model = calibrate_score(mobilenetv2, targets, TrackerConfig())
    assert model.config.calibrated
    assert model.score_curve[0] > 0
    pooled = separation([target.name for target in targets], measure_cosines(model, targets, TrackerConfig()))[0]
    assert pooled.strangers > 0.6  # all rendered clips have backgrounds of one photograph
    assert pooled.elsewhere > 0.9
    for name, value in mobilenetv2.state_dict().items():
        if not name.startswith("score_"):
            assert (model.state_dict()[name] == value).all()


def test_targets_are_searched_for_with_the_trackers_settings(mobilenetv2, targets):
    first, other = (
        measure_cosines(mobilenetv2, targets[:1], TrackerConfig(**settings))[0]
        for settings in ({}, {"context_weight": 0, "motion_blur": 1})
    )
    assert list(first) == list(other)
    assert any(not np.array_equal(first[kind], other[kind]) for kind in first)


def test_the_command_writes_a_checkpoint_and_its_figures(tmp_path):
    out, report = tmp_path / "scored.safetensors", tmp_path / "figures.json"
    options = ["--data", "synthetic:3", "--measure", "synthetic:2", "--regions", "10", "--fit-regions", "10"]
    options += ["--set", "match.threshold=0.71"]
    result = CliRunner().invoke(app, ["calibrate", *options, "-o", str(out), "--json", str(report)])
    assert result.exit_code == 0, result.output
    assert "pooled" in result.output
    model = load_model(out, device="cpu")
    assert model.config.calibrated
    brought = load_model(device="cpu").settings
    assert model.settings == {**brought, "match": {**brought.get("match", {}), "threshold": 0.71}}
    figures = json.loads(report.read_text())["roc_area"]["synthetic:2"]
    assert figures[0]["name"] == "pooled"
    assert 0 <= figures[0]["strangers"] <= 1
    again = CliRunner().invoke(app, ["calibrate", *options, "-o", str(out)])
    assert again.exit_code == 2
