"""Calibration, and maps brought to the picture's resolution."""

from __future__ import annotations

import numpy as np
import pytest

from siamfc.matching.maps import LevelMap, Pattern, calibrate, full_map


def _level(values, origin=(10.0, 20.0), step=4.0):
    return LevelMap(np.asarray(values, dtype=np.float32), origin, step)


def _patterns(count=1, levels=1, size=(1.0, 1.0)):
    return [Pattern(0, 0.0, size, size, range(levels), (1.0,) * levels)] * count


def test_calibration_brings_the_usual_window_to_0_and_leaves_1():
    rng = np.random.default_rng(0)
    values = rng.normal(0.3, 0.05, (1, 40, 50))
    values[0, 3, 4] = 1.0
    values[0, :, -5:] = np.nan
    level = _level(values)
    usual = calibrate([level], 1)
    assert usual[0] == pytest.approx(0.3, abs=0.01)
    assert np.nanmedian(level.values) == pytest.approx(0, abs=1e-6)
    assert level.values[0, 3, 4] == pytest.approx(1)


def test_each_pattern_is_calibrated_by_its_own_usual_window():
    level = _level(np.stack([np.full((4, 4), 0.2), np.full((4, 4), -0.4)]))
    np.testing.assert_allclose(calibrate([level], 2), [0.2, -0.4], atol=1e-7)
    assert np.abs(level.values).max() < 1e-6


def test_the_full_map_has_each_cell_at_the_centre_of_its_window():
    ramp = np.add.outer(100 * np.arange(6.0), np.arange(9.0))
    came = full_map([_level(ramp[None])], _patterns(), (60, 70))
    assert came.shape == (60, 70)
    for row, column in ((20, 10), (31, 40), (39, 41)):
        y, x = (row + 0.5 - 20) / 4, (column + 0.5 - 10) / 4
        assert came[row, column] == pytest.approx(100 * y + x, rel=1e-5)
    assert np.isnan(came[:17]).all()
    assert np.isnan(came[:, 46:]).all()


def test_the_full_map_takes_the_best_of_all_levels_and_patterns():
    low, high = np.full((2, 5, 5), 0.1), np.full((2, 3, 3), np.nan)
    high[1] = 0.7
    came = full_map([_level(low), _level(high)], _patterns(2, 2), (45, 35))
    assert came[24, 14] == pytest.approx(0.7)
    assert came[36, 26] == pytest.approx(0.1)


def test_the_full_map_is_known_exactly_where_a_box_fits():
    level = _level(np.zeros((1, 30, 30)), origin=(-4.0, -4.0))
    known = ~np.isnan(full_map([level], _patterns(size=(13.0, 20.0)), (70, 60)))
    rows, columns = np.nonzero(known.any(axis=1))[0], np.nonzero(known.any(axis=0))[0]
    assert (rows[0] + 0.5 - 10, rows[-1] + 0.5 + 10) == (0.5, 69.5)
    assert (columns[0] + 0.5 - 6.5, columns[-1] + 0.5 + 6.5) == (0, 60)
    assert known[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()


def test_places_whose_box_leaves_the_picture_are_forgotten():
    level = _level(np.zeros((1, 10, 10)), origin=(0.0, 0.0), step=10.0)
    level.cut(0, (40.0, 20.0), (100, 100))
    assert np.isnan(level.values[0, :, 0]).all()
    assert np.isfinite(level.values[0, 1:, 1:9]).all()
    assert np.isnan(level.values[0, 0]).sum() == 1
