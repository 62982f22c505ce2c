"""Filters drop the frames that they say they drop, and count each once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from siamfc.config import FilterConfig
from siamfc.data.sequence import Sequence
from siamfc.data.usable import FilterCounts, usable_track
from siamfc.errors import SourceError
from tests.data.pictures import Pictures

NAN = [np.nan] * 4
LENIENT = {"min_side_px": 0, "max_aspect": 100, "min_visibility": 0, "min_share_in_frame": 0}


def sequence(boxes: list[list[float]], **more: Any) -> Sequence:
    """Frames of 60 x 80 with these boxes."""
    frames = Pictures([np.zeros((60, 80, 3), np.uint8)] * len(boxes), [10 * place for place in range(len(boxes))])
    return Sequence("clip", frames, np.array(boxes, dtype=np.float64), **more)


def kept(
    boxes: list[list[float]], more: dict[str, Any] | None = None, **filters: float
) -> tuple[list[int], dict[str, int]]:
    track, counts = usable_track(sequence(boxes, **(more or {})), FilterConfig(**{**LENIENT, **filters}), source="here")
    places = [] if track is None else track.places.tolist()
    assert counts.kept == len(places)
    assert counts.kept + sum(counts.dropped.values()) == len(boxes)
    return places, dict(counts.dropped)


def test_frames_without_a_target_are_dropped_always() -> None:
    assert kept([[5, 5, 10, 10], NAN, [5, 5, 0, 10]]) == ([0], {"not in view": 2})
    absent = {"flags": {"absent": np.array([False, True])}}
    assert kept([[5, 5, 10, 10]] * 2, absent) == ([0], {"not in view": 1})


def test_small_and_elongated_boxes_are_dropped() -> None:
    assert kept([[5, 5, 10, 9], [5, 5, 10, 10]], min_side_px=10) == ([1], {"too small": 1})
    assert kept([[5, 5, 41, 10], [5, 5, 10, 41], [5, 5, 40, 10]], max_aspect=4) == ([2], {"too elongated": 2})


@pytest.mark.parametrize(("name", "levels"), [("visibility", [0.2, 0.3, np.nan]), ("cover", [2.0, 3.0, np.nan])])
def test_hidden_targets_are_dropped_where_the_data_tell_of_them(name: str, levels: list[float]) -> None:
    told = {"levels": {name: np.array(levels)}}
    assert kept([[5, 5, 10, 10]] * 3, told, min_visibility=0.3) == ([1, 2], {"hidden": 1})
    assert kept([[5, 5, 10, 10]], min_visibility=1) == ([0], {})


def test_boxes_that_leave_the_frame_or_near_its_border_are_dropped() -> None:
    half, less = [75.0, 5, 10, 10], [76.0, 5, 10, 10]
    assert kept([half, less], min_share_in_frame=0.5) == ([0], {"mostly outside the frame": 1})
    near = [[4.0, 20, 10, 10], [20, 4, 10, 10], [66.1, 20, 10, 10], [20, 46.1, 10, 10], [5, 5, 10, 10]]
    assert kept(near, min_border_px=5) == ([4], {"near the border": 4})


def test_a_frame_counts_for_the_first_reason_only() -> None:
    assert kept([[76, 5, 2, 40]], min_side_px=6, max_aspect=8, min_share_in_frame=0.9) == ([], {"too small": 1})


def test_a_track_keeps_boxes_numbers_and_source() -> None:
    track, _ = usable_track(sequence([NAN, [1, 2, 30, 40], [3, 4, 30, 40]]), FilterConfig(), source="plain:here")
    assert track is not None
    assert (track.name, track.source, len(track)) == ("clip", "plain:here", 2)
    assert track.boxes.tolist() == [[1, 2, 30, 40], [3, 4, 30, 40]]
    assert track.numbers.tolist() == [10, 20]


def test_no_frame_is_read_where_no_filter_wants_its_size() -> None:
    class Unreadable(Pictures):
        def __getitem__(self, index: int) -> Any:
            raise SourceError("cannot be read")

    frames = Unreadable([np.zeros((60, 80, 3), np.uint8)])
    clip = Sequence("clip", frames, np.array([[5.0, 5, 10, 10]]))
    assert usable_track(clip, FilterConfig(**LENIENT), source="")[1].kept == 1
    with pytest.raises(SourceError, match="cannot be read"):
        usable_track(clip, FilterConfig(), source="")


def test_counts_add_up() -> None:
    counts = FilterCounts()
    for number in (1, 2):
        other = FilterCounts(kept=number)
        other.dropped["hidden"] = 2
        counts.add(other)
    assert (counts.kept, counts.dropped["hidden"]) == (3, 4)
