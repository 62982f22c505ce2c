"""Colours, blur and occlusion of a batch, on the device that trains."""

from __future__ import annotations

import torch

from siamfc.data.augmentation import Photometry
from siamfc.training.photometry import BatchPhotometry


def spots(count: int) -> torch.Tensor:
    """A white pixel in the middle of black crops."""
    images = torch.zeros(count, 3, 31, 31)
    images[..., 15, 15] = 255
    return images


def lit(image: torch.Tensor) -> set[tuple[int, int]]:
    """(row, column) of what is not black, from the middle."""
    return {(row - 15, column - 15) for row, column in (image[0] > 1).nonzero().tolist()}


def test_each_crop_is_blurred_along_its_own_line_and_keeps_its_light() -> None:
    looks = [
        Photometry(motion_px=9, motion_deg=0),
        Photometry(motion_px=9, motion_deg=90),
        Photometry(motion_px=5, motion_deg=90),
        Photometry(),
    ]
    blurred = BatchPhotometry(looks).apply(spots(4))
    assert lit(blurred[0]) == {(0, step) for step in range(-4, 5)}
    assert lit(blurred[1]) == {(step, 0) for step in range(-4, 5)}
    assert lit(blurred[2]) == {(step, 0) for step in range(-2, 3)}
    assert lit(blurred[3]) == {(0, 0)}
    torch.testing.assert_close(blurred.sum(dim=(2, 3)), torch.full((4, 3), 255.0), rtol=1e-4, atol=0)


def test_a_slanted_line_is_slanted() -> None:
    (blurred,) = BatchPhotometry([Photometry(motion_px=9, motion_deg=45)]).apply(spots(1))
    places = lit(blurred)
    assert len({row for row, _ in places}) > 3
    assert {row * column >= 0 for row, column in places} == {True} or {row * column <= 0 for row, column in places} == {
        True
    }


def test_without_changes_crops_stay_as_they_are() -> None:
    images = torch.rand(2, 3, 16, 16) * 255
    torch.testing.assert_close(BatchPhotometry([Photometry(), Photometry()]).apply(images), images)
