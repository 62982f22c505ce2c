"""A picture at another scale: the same pixels however it is read."""

from __future__ import annotations

import numpy as np
import pytest

from siamfc.matching.scaled_picture import ScaledPicture, halved


def _view(photograph, factor, margin=(5, 7)):
    return ScaledPicture(photograph, factor, margin=margin, fill=(1, 2, 3))


@pytest.mark.parametrize("factor", [0.13, 0.3, 0.5, 0.77, 1.0, 1.6, 2.0])
def test_parts_are_the_parts_of_the_whole_to_the_bit(photograph, factor):
    view = _view(photograph, factor)
    height, width, _ = view.shape
    whole = view[0:height, 0:width]
    for rows, columns in [
        (slice(3, height // 2), slice(0, width // 3)),
        (slice(height // 3, height), slice(width - 30, width)),
        (slice(height // 2 + 1, height // 2 + 8), slice(11, width - 2)),
        (slice(0, 4), slice(0, width)),
    ]:
        np.testing.assert_array_equal(view[rows, columns], whole[rows, columns])


def test_the_margin_shows_the_fill_and_the_middle_the_picture(photograph):
    view = _view(photograph, 1.0)
    whole = view[0 : view.shape[0], 0 : view.shape[1]]
    np.testing.assert_array_equal(whole[5:-5, 7:-7], photograph)
    assert (whole[:5] == (1, 2, 3)).all()
    assert (whole[:, -7:] == (1, 2, 3)).all()


@pytest.mark.parametrize("factor", [0.21, 0.4, 0.8, 1.7])
def test_a_ramp_stays_a_ramp_at_the_right_place(factor):
    ramp = np.repeat(np.arange(0, 240, 2, dtype=np.uint8)[None, :, None], 60, axis=0).repeat(3, axis=2)
    view = ScaledPicture(ramp, factor, margin=(0, 4), fill=(0, 0, 0))
    row = view[3:4, 0 : view.shape[1]][0, :, 0].astype(float)
    columns = np.arange(view.shape[1])[8:-8]
    expected = np.array([2 * (view.to_picture(column + 0.5, 0)[0] - 0.5) for column in columns])
    assert np.abs(row[8:-8] - expected).max() <= 0.7  # grey levels are whole, and places 32nds of a pixel


def test_a_reduction_averages_what_a_pixel_covers():
    noise = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    means = noise.reshape(16, 4, 24, 4, 3).mean(axis=(1, 3))
    assert np.abs(halved(noise, 2) - means).max() <= 0.5  # grey levels are whole
    view = ScaledPicture(noise, 0.25, fill=(0, 0, 0))
    np.testing.assert_array_equal(view[0:16, 0:24], halved(noise, 2))


def test_blocks_that_the_border_cuts_repeat_the_last_pixels():
    assert halved(np.full((5, 3, 3), 9, np.uint8), 2).tolist() == [[[9] * 3], [[9] * 3]]
