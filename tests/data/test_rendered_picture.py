"""Rendered pictures: what is said to be in them is in them."""

from __future__ import annotations

import numpy as np
import pytest

from siamfc.boxes import intersection_over_union
from siamfc.data.rendered_picture import render_picture
from siamfc.errors import ConfigError


def test_a_seed_gives_the_same_picture_and_another_seed_another():
    one, again, other = render_picture(3), render_picture(3), render_picture(4)
    np.testing.assert_array_equal(one.image, again.image)
    assert one.boxes == again.boxes
    assert one.boxes != other.boxes


def test_copies_lie_inside_at_different_scales_and_nothing_covers_them():
    scales = []
    for seed in range(4):
        picture = render_picture(seed)
        every = np.array([*picture.boxes, *picture.others])
        assert (every[:, :2] >= 0).all()
        assert (every[:, :2] + every[:, 2:] <= (640, 480)).all()
        overlap = intersection_over_union(every[:, None], every[None])
        assert (overlap[~np.eye(len(every), dtype=bool)] == 0).all()
        scales += [box.width / picture.exemplar.shape[1] for box in picture.boxes]
    assert min(scales) < 0.8
    assert max(scales) > 1.3
    assert all(0.55 < scale < 1.85 for scale in scales)


def test_without_copies_only_the_others_are_there():
    picture = render_picture(2, copies=0, others=3)
    assert picture.boxes == ()
    assert len(picture.others) == 3


def test_what_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match="no room"):
        render_picture(0, copies=30, size=(120, 160))
