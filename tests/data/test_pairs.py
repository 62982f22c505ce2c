"""Pairs as the paper samples them, each determined by seed, epoch and number alone."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from siamfc.boxes import Box
from siamfc.config import PairConfig
from siamfc.data.mixture import Source
from siamfc.data.pairs import Pair, PairKind, PairSampler, pair_generator
from siamfc.data.usable import Track
from siamfc.errors import SourceError
from tests.data.pictures import source_of, track_of

PICTURE = np.zeros((60, 80, 3), np.uint8)


def track(frames: int, name: str = "track", numbers: list[int] | None = None) -> Track:
    return track_of([PICTURE] * frames, [Box(20, 20, 20, 20)] * frames, name, numbers)


def draw(sources: tuple[Source, ...], count: int, **config: float) -> list[Pair]:
    sampler = PairSampler(sources, PairConfig(**config))
    return [sampler.draw(pair_generator(0, 0, number)) for number in range(count)]


def key(pair: Pair) -> tuple[str, int, str, int, PairKind]:
    return pair.exemplar.track.name, pair.exemplar.place, pair.search.track.name, pair.search.place, pair.kind


def test_a_pair_is_the_same_in_whatever_order_pairs_are_asked_for() -> None:
    sampler = PairSampler((source_of(track(50, "a"), track(9, "b")),), PairConfig(negative_share=0.3))
    order = np.random.default_rng(0).permutation(40)
    forwards = {number: key(sampler.draw(pair_generator(3, 2, number))) for number in range(40)}
    shuffled = {number: key(sampler.draw(pair_generator(3, 2, int(number)))) for number in order}
    assert forwards == shuffled


def test_seed_epoch_number_and_attempt_all_matter() -> None:
    base = pair_generator(0, 0, 0).random(4).tolist()
    for other in ((1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 0, 1)):
        assert pair_generator(*other).random(4).tolist() != base


def test_two_frames_are_at_most_max_frame_gap_apart_by_their_numbers_in_either_order() -> None:
    numbers = [1, 2, 3, 40, 41, 90, 200, 201, 230, 231]
    pairs = draw((source_of(track(10, numbers=numbers)),), 800, max_frame_gap=50)
    steps = [numbers[pair.search.place] - numbers[pair.exemplar.place] for pair in pairs]
    assert max(map(abs, steps)) == 50
    assert 0 not in steps
    assert abs(sum(step > 0 for step in steps) - 400) < 60


def test_a_frame_with_no_other_near_and_a_still_make_a_pair_with_themselves() -> None:
    pairs = draw((source_of(track(2, numbers=[0, 500])),), 20, max_frame_gap=100) + draw((source_of(track(1)),), 5)
    assert all(pair.exemplar == pair.search and pair.kind is PairKind.POSITIVE for pair in pairs)


def test_datasets_are_drawn_by_weight_and_their_videos_evenly_whatever_their_length() -> None:
    few = source_of(track(4, "short"), track(200, "long"), weight=3)
    many = source_of(*(track(2, f"other-{number}") for number in range(4)), weight=1)
    counts = Counter(pair.exemplar.track.name for pair in draw((few, many), 4000))
    for name, share in [("short", 3 / 8), ("long", 3 / 8), *((f"other-{number}", 1 / 16) for number in range(4))]:
        deviation = (4000 * share * (1 - share)) ** 0.5
        assert abs(counts[name] - 4000 * share) < 4 * deviation, name


def test_negative_pairs_show_another_video_and_hard_ones_the_same() -> None:
    pairs = draw((source_of(*(track(5, name) for name in "abc")),), 2000, negative_share=0.25, hard_negative_share=0.1)
    counts = Counter(pair.kind for pair in pairs)
    for kind, share in ((PairKind.NEGATIVE, 0.25), (PairKind.HARD_NEGATIVE, 0.1), (PairKind.POSITIVE, 0.65)):
        assert abs(counts[kind] - 2000 * share) < 4 * (2000 * share * (1 - share)) ** 0.5
    assert all((pair.exemplar.track is pair.search.track) == (pair.kind is not PairKind.NEGATIVE) for pair in pairs)


def test_negative_pairs_of_a_single_video_are_refused() -> None:
    with pytest.raises(SourceError, match="negative pairs need tracks of two videos or more, and all are of one"):
        PairSampler((source_of(track(5)),), PairConfig(negative_share=0.1))
