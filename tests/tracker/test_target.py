"""What is remembered of a target."""

from __future__ import annotations

import numpy as np
import pytest

from siamfc.config import TrackerConfig
from siamfc.tracker.response_peak import PeakFinder
from siamfc.tracker.target_search import TargetSearch
from siamfc.tracker.tracker import Tracker
from tests.scenes import EYE


def test_contrast_is_held_against_an_average_that_follows_a_slow_fall(mobilenetv2, photograph, monkeypatch):
    tracker = Tracker(mobilenetv2, TrackerConfig(full_contrast=0.8))
    tracker.init(photograph, EYE)
    find, seen = PeakFinder.find, []

    def watched(finder, score_maps, full_contrasts=None):
        peaks, responses = find(finder, score_maps, full_contrasts)
        seen.append((full_contrasts[0], peaks[0].contrast))
        return peaks, responses

    monkeypatch.setattr(PeakFinder, "find", watched)
    for number in range(12):  # ever darker
        tracker.update((photograph * 0.7**number).astype(np.uint8))
    usual = 0.0
    for number, (full, contrast) in enumerate(seen):
        assert full == pytest.approx(0.8 * usual)
        usual += (0.05 if number else 1) * (contrast - usual)
    assert seen[-1][1] < 0.8 * seen[0][1]
    assert 0.8 * seen[-1][1] < seen[-1][0] < 0.8 * seen[0][1]


def test_a_contrast_that_is_no_number_is_not_remembered(mobilenetv2, photograph):
    target, _ = TargetSearch(mobilenetv2).start(photograph, EYE)
    for contrast in (4.0, float("nan"), float("inf"), 5.0):
        target.searched(contrast)
    assert target.usual_contrast == pytest.approx(4.05)
    assert target.searches == 4
