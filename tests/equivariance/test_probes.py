"""Pictures come from where the user says, and nothing of them is resampled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from siamfc.drawing import save_picture
from siamfc.equivariance.probes import Picture, build_probes, read_pictures, rendered_pictures, target_probes
from siamfc.errors import SourceError


def test_a_probe_is_the_pictures_own_pixels_and_shifts_by_whole_ones() -> None:
    image = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    (probe,) = build_probes([Picture(image, (115.0, 5.0))], exemplar_px=21, search_px=41)
    assert probe.canvas.shape == (3, 73, 73)
    assert np.array_equal(probe.canvas.permute(1, 2, 0).numpy(), image[:73, 47:120])
    assert torch.equal(probe.exemplar, probe.canvas[:, 26:47, 26:47])
    assert torch.equal(probe.search(5)[:, :, :-5], probe.search()[:, :, 5:])


def test_rendered_pictures_are_the_same_each_time() -> None:
    first, second = rendered_pictures(1)[0], rendered_pictures(1)[0]
    assert np.array_equal(first.image, second.image)
    assert target_probes(1, exemplar_px=63, search_px=127)[0].canvas.shape == (3, 159, 159)


def test_pictures_of_a_folder_are_drawn_evenly_and_small_ones_left_out(tmp_path: Path) -> None:
    for number, side in enumerate((40, 40, 10, 40, 40, 40)):
        save_picture(tmp_path / f"{number}.png", np.full((side, side, 3), number, np.uint8))
    read = read_pictures(tmp_path, 3, least_px=40)
    assert [int(picture.image[0, 0, 0]) for picture in read] == [0, 3, 5]
    assert read[0].center == (20, 20)
    with pytest.raises(SourceError, match="at least 50 px"):
        read_pictures(tmp_path, 3, least_px=50)
