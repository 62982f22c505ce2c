"""The one pass over all scales gives what the steps give one by one, to the last bit."""

from __future__ import annotations

import pytest
import torch

from siamfc.config import TrackerConfig, load_config
from siamfc.score_map import apply_window, find_peak, penalise_scales, upsample
from siamfc.tracker.response_peak import PeakFinder

CONFIGS = {
    "default": TrackerConfig(),
    "paper-5s": load_config("track-paper-5s").tracker,
    "compat": load_config("track-compat").tracker,
    "one scale": TrackerConfig(num_scales=1),
    "no window": TrackerConfig(window_influence=0),
    "window alone": TrackerConfig(window_influence=1),
    "not upsampled": TrackerConfig(response_upsampling=1),
    "no penalty": TrackerConfig(scale_penalty=1),
}


def step_by_step(score_maps, config, full_contrast=0.0):
    """One target's score maps (scales, h, w) -> the peak's five numbers, response: written to be read."""
    upsampled = upsample(score_maps, config.response_upsampling, config.response_alignment)
    responses = penalise_scales(upsampled, config.scale_penalty)
    highest, middle = responses.amax(dim=(1, 2)), len(responses) // 2
    scale = middle if highest[middle] == highest.max() else int(highest.argmax())
    response = apply_window(responses[scale], config.window_influence, full_contrast=full_contrast)
    row, column = find_peak(response)
    contrast = float((responses[scale] - responses[scale].min()).max())
    return (scale, row, column, float(upsampled[scale, round(row), round(column)]), contrast), response


def maps_of(seed, config, cells=17):
    generator = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(config.num_scales, cells, cells, generator=generator) - 20


@pytest.fixture(params=[False, True], ids=["one by one", "together"])
def find(request):
    """Peaks and responses of score maps (N, scales, h, w), in each of the two ways."""
    return lambda score_maps, config, *full: PeakFinder(config, together=request.param).find(score_maps, *full)


@pytest.mark.parametrize("name", CONFIGS)
def test_peaks_are_those_of_the_steps_to_the_last_bit(find, name):
    config = CONFIGS[name]
    scales = set()
    for seed in range(40):
        score_maps = maps_of(seed, config, cells=17 if seed % 2 else 6)
        (peak,), (response,) = find(score_maps[None], config)
        expected, expected_response = step_by_step(score_maps, config)
        assert tuple(peak) == expected
        assert torch.equal(response, expected_response)
        scales.add(peak.scale_index)
    assert len(scales) == config.num_scales


@pytest.mark.parametrize("alignment", ["corners", "edges"])
@pytest.mark.parametrize("value", [0.0, -7.5, 3e4])
def test_maps_of_one_value_give_the_middle_as_the_steps_do(find, alignment, value):
    config = TrackerConfig(response_alignment=alignment)
    score_maps = torch.full((3, 17, 17), value)
    (peak,), _ = find(score_maps[None], config)
    assert tuple(peak) == step_by_step(score_maps, config)[0]
    assert (peak.scale_index, peak.row) == (1, peak.column)


@pytest.mark.parametrize("place", [(0, 0), (0, 8), (16, 16), (3, 0), (8, 8)])
@pytest.mark.parametrize("alignment", ["corners", "edges"])
def test_peaks_at_the_border_and_between_cells_are_found_too(find, place, alignment):
    config = TrackerConfig(response_alignment=alignment, window_influence=0)
    score_maps = torch.zeros(3, 17, 17)
    score_maps[2][place] = 5
    (peak,), _ = find(score_maps[None], config)
    assert tuple(peak) == step_by_step(score_maps, config)[0]
    assert peak.scale_index == 2


def test_scales_that_are_equally_high_leave_the_present_one(find):
    score_maps = maps_of(0, TrackerConfig(num_scales=1)).repeat(3, 1, 1)
    (peak,), _ = find(score_maps[None], TrackerConfig(scale_penalty=1))
    assert peak.scale_index == 1


@pytest.mark.parametrize("name", CONFIGS)
def test_many_targets_are_found_as_each_alone(find, name):
    config = CONFIGS[name]
    score_maps = torch.stack([maps_of(seed, config) for seed in range(5)])
    peaks, responses = find(score_maps, config)
    assert len(peaks) == len(responses) == 5
    for alone, peak, response in zip(score_maps, peaks, responses, strict=True):
        expected, expected_response = step_by_step(alone, config)
        assert tuple(peak)[:3] == expected[:3]
        # Sums of another batch are rounded in another order.
        assert (peak.logit, peak.contrast) == pytest.approx(expected[3:], abs=1e-4)
        torch.testing.assert_close(response, expected_response, rtol=0, atol=1e-9)


def test_a_map_of_less_contrast_counts_as_much_less_beside_the_window(find):
    config = TrackerConfig()
    score_maps = torch.stack([maps_of(seed, config) for seed in range(3)])
    contrasts = [peak.contrast for peak in find(score_maps, config)[0]]
    full = [0.8 * contrasts[0], 2 * contrasts[1], 50 * contrasts[2]]
    peaks, responses = find(score_maps, config, full)
    for alone, own, peak, response in zip(score_maps, full, peaks, responses, strict=True):
        expected, expected_response = step_by_step(alone, config, own)
        assert tuple(peak) == pytest.approx(expected, abs=1e-4)
        torch.testing.assert_close(response, expected_response, rtol=0, atol=1e-9)
    shares = responses.sum(dim=(1, 2)) - config.window_influence  # the window's sum is 1
    assert (shares / (1 - config.window_influence)).tolist() == pytest.approx([1, 0.5, 0.02], rel=1e-4)
    middle = responses.shape[-1] // 2
    assert peaks[2][1:3] == pytest.approx((middle, middle), abs=8)  # hardly any map: the window's middle


def test_a_map_of_one_value_leaves_the_middle_whatever_contrast_is_full(find):
    config = TrackerConfig()
    (peak,), (response,) = find(torch.zeros(1, 3, 17, 17), config, [3.0])
    assert tuple(peak) == (1, 128, 128, 0, 0)
    assert float(response.sum()) == pytest.approx(config.window_influence)


@pytest.mark.parametrize("together", [False, True])
def test_one_finder_may_be_given_any_number_of_targets_and_scales_in_turn(together):
    config = TrackerConfig(num_scales=3)
    finder = PeakFinder(config, together=together)
    for count, scales in ((1, 3), (4, 3), (2, 1), (1, 3), (1, 1)):
        score_maps = torch.stack([maps_of(seed, config)[:scales] for seed in range(count)])
        for alone, peak in zip(score_maps, finder.find(score_maps)[0], strict=True):
            assert tuple(peak)[:3] == step_by_step(alone, config)[0][:3]
