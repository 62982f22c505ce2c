"""Looks at the first frame: the target is where they say."""

from __future__ import annotations

import numpy as np

from siamfc.crops import CropRegion, crop
from siamfc.tracker.first_looks import first_looks

MARK = (250, 0, 0)


def _looks():
    frame = np.full((300, 300, 3), 120, dtype=np.uint8)
    frame[147:154, 157:164] = MARK  # around (160.5, 150.5)
    frame[100:110, 130:140, 1:] = 90  # to its left and above; not red
    region = CropRegion(160.5, 150.5, 255.0, 255)
    return frame, region, first_looks(frame, region, (120, 120, 120), stride=8)


def test_the_first_look_is_the_search_and_the_others_differ():
    frame, region, looks = _looks()
    np.testing.assert_array_equal(looks.crops[0], crop(frame, region, (120, 120, 120)))
    assert looks.places[0] == (0, 0)
    assert looks.crops.shape == (len(looks.places), 255, 255, 3)
    assert len(looks.crops) == 13
    for number, look in enumerate(looks.crops):
        assert not any(np.array_equal(look, other) for other in looks.crops[:number]), number
    assert any(np.array_equal(look, looks.crops[0][:, ::-1]) for look in looks.crops)
    shifted = [place for place in looks.places if place != (0, 0)]
    assert len(set(shifted)) == 4


def test_the_target_is_where_each_look_says():
    _, _, looks = _looks()
    for look, place in zip(looks.crops, looks.places, strict=True):
        redness = look[..., 0].astype(float) - 120
        rows, columns = np.indices(redness.shape) + 0.5
        middle = [(redness * cells).sum() / redness.sum() for cells in (columns, rows)]
        np.testing.assert_allclose(middle, 127.5 + 8 * np.array(place), atol=0.6)
