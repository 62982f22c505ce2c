"""Whatever a user calls a frame becomes RGB bytes."""

from __future__ import annotations

import numpy as np
import pytest

from siamfc.errors import FrameError
from siamfc.frames import as_rgb_frame
from siamfc.opencv import cv2


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)


def test_a_frame_that_needs_no_change_is_not_copied(picture):
    assert np.shares_memory(as_rgb_frame(picture), picture)


def test_bgr_is_rgb_with_the_colours_swapped(picture):
    swapped = np.ascontiguousarray(picture[..., ::-1])
    np.testing.assert_array_equal(as_rgb_frame(swapped, "bgr"), picture)


def test_a_picture_read_by_opencv_is_bgr(picture, tmp_path):
    path = tmp_path / "picture.png"
    cv2.imwrite(str(path), picture[..., ::-1])
    np.testing.assert_array_equal(as_rgb_frame(cv2.imread(str(path)), "bgr"), picture)


@pytest.mark.parametrize("color_order", ["rgb", "bgr"])
def test_grey_is_repeated_over_the_colours(picture, color_order):
    grey = picture[..., 0]
    expected = np.stack([grey, grey, grey], axis=2)
    np.testing.assert_array_equal(as_rgb_frame(grey, color_order), expected)
    np.testing.assert_array_equal(as_rgb_frame(grey[..., None], color_order), expected)


@pytest.mark.parametrize("color_order", ["rgb", "bgr"])
def test_alpha_is_dropped_and_stays_behind_the_colours(picture, color_order):
    alpha = np.full((5, 7, 1), 77, dtype=np.uint8)
    with_alpha = np.concatenate([picture, alpha], axis=2)
    np.testing.assert_array_equal(as_rgb_frame(with_alpha, color_order), as_rgb_frame(picture, color_order))


def test_sixteen_bits_are_the_eight_bits_they_were_made_from(picture):
    np.testing.assert_array_equal(as_rgb_frame(picture.astype(np.uint16) * 257), picture)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 4)])
def test_sixteen_bits_may_be_grey_or_have_alpha(shape):
    white = as_rgb_frame(np.full(shape, 65535, dtype=np.uint16))
    assert white.dtype == np.uint8
    assert white.shape == (5, 7, 3)
    assert (white == 255).all()


def test_the_result_is_contiguous_for_views_of_any_stride(picture):
    view = picture[::2, ::-1]
    frame = as_rgb_frame(view)
    assert frame.flags.c_contiguous
    np.testing.assert_array_equal(frame, view)


def test_the_given_frame_is_never_changed(picture):
    for frame in (picture, picture[..., 0], picture.astype(np.uint16) * 257):
        before = frame.copy()
        as_rgb_frame(frame, "bgr")
        np.testing.assert_array_equal(frame, before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.int64, np.bool_, np.int8])
def test_other_types_are_refused_by_name(picture, dtype):
    with pytest.raises(FrameError, match=np.dtype(dtype).name):
        as_rgb_frame(picture.astype(dtype))


@pytest.mark.parametrize(
    "shape", [(), (5,), (5, 7, 2), (5, 7, 5), (1, 5, 7, 3), (3, 5, 7), (0, 7, 3), (5, 0, 3), (0, 0)]
)
def test_other_shapes_are_refused(shape):
    with pytest.raises(FrameError, match="shape"):
        as_rgb_frame(np.zeros(shape, dtype=np.uint8))


@pytest.mark.parametrize("thing", [None, [[1, 2], [3, 4]], "frame.jpg"])
def test_what_is_no_array_is_refused(thing):
    with pytest.raises(FrameError, match=type(thing).__name__):
        as_rgb_frame(thing)


def test_an_unknown_colour_order_is_refused(picture):
    with pytest.raises(FrameError, match="'RGB'"):
        as_rgb_frame(picture, "RGB")
