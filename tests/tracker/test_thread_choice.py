"""Threads: the faster number is found and found again, and what is found in frames does not depend on it."""

from __future__ import annotations

import pytest
import torch

from siamfc.checkpoint import load_model
from siamfc.tracker import multi_tracker, thread_choice
from siamfc.tracker import torch_threads as threads_of_torch
from siamfc.tracker.multi_tracker import MultiTracker
from siamfc.tracker.thread_choice import ThreadChoice, _Choice
from siamfc.tracker.torch_threads import torch_threads
from siamfc.tracker.tracker import Tracker
from tests.clips import short_clip

ALL = 4


def _run(choice: _Choice, seconds: dict[int, float], *, calls: int, now: float = 0.0) -> tuple[list[int], float]:
    """Which numbers were used in so many calls that take so long each, and when they end."""
    used = []
    for _ in range(calls):
        count = choice.next(now)
        now += seconds[count]
        choice.took(count, seconds[count], now=now)
        used.append(count)
    return used, now


@pytest.fixture
def four_threads():
    with torch_threads(ALL):
        yield


@pytest.mark.parametrize(("seconds", "faster"), [({1: 5e-3, ALL: 3e-3}, ALL), ({1: 5e-3, ALL: 50e-3}, 1)])
def test_the_faster_number_of_threads_is_used_and_trials_take_little_time(seconds, faster):
    used, _ = _run(_Choice(ALL), seconds, calls=2000)
    assert used[5:].count(faster) / len(used[5:]) > 0.95
    slower = 1 + ALL - faster
    assert 0 < used.count(slower) * seconds[slower] < 0.03 * sum(seconds[count] for count in used)


def test_a_number_that_is_hardly_faster_is_not_changed_to():
    used, _ = _run(_Choice(ALL), {1: 5e-3, ALL: 4.9e-3}, calls=500)
    assert used.count(1) > 0.95 * len(used)


def test_it_changes_when_another_program_comes_and_back_when_it_goes():
    choice = _Choice(ALL)
    alone, beside = {1: 5e-3, ALL: 3e-3}, {1: 6e-3, ALL: 60e-3}
    before, now = _run(choice, alone, calls=300)
    during, now = _run(choice, beside, calls=300, now=now)
    after, _ = _run(choice, alone, calls=2000, now=now)
    assert before[-1] == ALL
    assert during[-1] == 1
    assert during.count(ALL) < 30
    assert after[-1] == ALL
    assert after[1000:].count(ALL) > 950


def test_one_slow_call_does_not_change_the_number():
    choice = _Choice(ALL)
    seconds = {1: 5e-3, ALL: 3e-3}
    _, now = _run(choice, seconds, calls=300)
    choice.took(ALL, 1.0, now=now + 1)
    used, _ = _run(choice, seconds, calls=100, now=now + 1)
    assert used.count(ALL) > 90


def test_features_that_depend_on_the_number_keep_all_threads(four_threads):
    counts = []

    def embed(images):
        counts.append(torch.get_num_threads())
        return images + counts[-1]

    images = torch.zeros(1, 3, 8, 8)
    chosen = ThreadChoice(embed)
    assert all(torch.equal(chosen(images), images + ALL) for _ in range(20))
    assert counts.count(1) == 1  # the one that was compared


def test_features_that_do_not_are_computed_by_either_and_each_shape_is_timed_apart(four_threads):
    counts = []

    def embed(images):
        counts.append(torch.get_num_threads())
        return 2 * images

    chosen = ThreadChoice(embed)
    for images in (torch.ones(1, 3, 8, 8), torch.ones(3, 3, 8, 8)):
        counts.clear()
        assert all(torch.equal(chosen(images), 2 * images) for _ in range(20))
        assert set(counts) == {1, ALL}
    assert torch.get_num_threads() == ALL


def test_where_one_thread_is_asked_for_nothing_else_is_used():
    counts = []
    with torch_threads(1):
        chosen = ThreadChoice(lambda images: counts.append(torch.get_num_threads()) or images)
        for _ in range(20):
            chosen(torch.zeros(1, 3, 8, 8))
    assert set(counts) == {1}


@pytest.mark.parametrize("name", ["mobilenetv2", "mobilenetv2-deep"])
def test_boxes_are_the_same_with_any_number_of_threads_which_is_left_as_it_was(name):
    model, clip = load_model(name, device="cpu"), short_clip(num_frames=6)
    frames = list(clip)

    def results(threads):
        with torch_threads(threads):
            found = [(each.box, each.score) for each in Tracker(model).track(frames, clip.boxes[0])]
            assert torch.get_num_threads() == threads
        return found

    expected = results(1)
    assert all(results(threads) == expected for threads in (2, 3, 7))


def test_the_number_is_left_as_it_was_where_a_frame_fails(four_threads):
    def break_down(images):
        if torch.get_num_threads() == 1:
            raise RuntimeError("broken")
        return images

    with pytest.raises(RuntimeError, match="broken"):
        ThreadChoice(break_down)(torch.zeros(1, 3, 8, 8))
    assert torch.get_num_threads() == ALL


def test_the_number_is_never_touched_where_torch_has_its_own_pool(monkeypatch):
    def refuse(_):
        raise AssertionError("this would stay so for good")

    model, clip = load_model(device="cpu"), short_clip(num_frames=3)
    with torch_threads(2):
        for module in (threads_of_torch, thread_choice, multi_tracker):
            monkeypatch.setattr(module, "can_be_changed", lambda: False)
        monkeypatch.setattr(torch, "set_num_threads", refuse)
        tracker = MultiTracker(model)
        for name in ("one", "other"):
            tracker.add(clip.render(0), clip.boxes[0], id=name)
        found = tracker.update(clip.render(1))
        monkeypatch.undo()
    assert found["one"] == found["other"]
