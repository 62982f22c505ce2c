"""Threads: the faster number is found and found again, and what is found in frames does not depend on it."""

from __future__ import annotations

import copy
import pickle
import random
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
import torch

from siamfc.checkpoint import load_model, model_names
from siamfc.errors import BoxError
from siamfc.runtimes.torch_runtime import TorchRuntime
from siamfc.tracker import thread_choice, torch_threads
from siamfc.tracker.multi_tracker import MultiTracker
from siamfc.tracker.thread_choice import ThreadChoice, _Choice
from siamfc.tracker.torch_threads import one_thread, one_thread_works
from siamfc.tracker.tracker import Tracker
from tests.clips import short_clip

ALL = 4

needs_openmp = pytest.mark.skipif(not one_thread_works(), reason="this torch computes without OpenMP")


@pytest.fixture
def threads():
    """Sets torch's number of threads for the test's time."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


# Which is faster


def _run(choice: _Choice, one: float, every: float, *, calls: int, now: float = 0.0) -> tuple[list[bool], float]:
    """Whether all threads were used in so many calls, which take ``every`` seconds by all, and when they end."""
    used = []
    for _ in range(calls):
        by_all = choice.is_all_next(now)
        seconds = every if by_all else one
        now += seconds
        choice.took(seconds, by_all=by_all, now=now)
        used.append(by_all)
    return used, now


@pytest.mark.parametrize(("one", "every"), [(5e-3, 3e-3), (5e-3, 50e-3)])
def test_the_faster_number_of_threads_is_used_and_trials_take_little_time(one, every):
    used, passed = _run(_Choice(), one, every, calls=4000)
    faster = every < one
    slower = len(used) - used.count(faster)
    assert used.count(faster) / len(used) > 0.97
    assert 0 < slower * max(one, every) < 0.04 * passed


def test_a_number_that_is_hardly_faster_is_not_changed_to():
    used, _ = _run(_Choice(), 5e-3, 4.9e-3, calls=1000)
    assert used.count(False) > 0.95 * len(used)


def test_it_changes_when_another_program_comes_and_back_when_it_goes():
    choice = _Choice()
    before, now = _run(choice, 5e-3, 3e-3, calls=300)
    during, now = _run(choice, 6e-3, 60e-3, calls=500, now=now)
    after, _ = _run(choice, 5e-3, 3e-3, calls=4000, now=now)
    assert before[-1]
    assert during.count(True) < 60
    assert during[-200:].count(True) < 5
    assert after[1000:].count(True) > 2900


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1, 0.2])
def test_a_program_that_comes_and_goes_between_frames_costs_a_tenth_at_most(share):
    one, quick, slow = 5.5e-3, 4e-3, 40e-3
    best = max(1 / one, 1 / (share * slow + (1 - share) * quick))
    for seed in range(5):
        draw, choice, now, calls = random.Random(seed), _Choice(), 0.0, 0
        while now < 60:
            by_all = choice.is_all_next(now)
            seconds = (slow if draw.random() < share else quick) if by_all else one
            now += seconds
            choice.took(seconds, by_all=by_all, now=now)
            calls += 1
        assert calls / now > 0.89 * best


def test_a_stall_in_a_trial_puts_the_next_off_by_half_a_minute_at_most():
    choice = _Choice()
    _, now = _run(choice, 5e-3, 3e-3, calls=300)
    while choice.is_all_next(now):  # all threads are in use
        now += 0.1
    choice.took(100.0, by_all=False, now=now + 100)
    assert choice.is_all_next(now + 100)
    assert not choice.is_all_next(now + 131)


# What is run


@needs_openmp
def test_features_that_depend_on_the_number_keep_all_threads(threads):
    threads(ALL)
    counts = []

    def embed(images):
        counts.append(torch.get_num_threads())
        return images + counts[-1]

    images = torch.zeros(1, 3, 8, 8)
    chosen = ThreadChoice(embed)
    assert all(torch.equal(chosen(images), images + ALL) for _ in range(20))
    assert counts.count(1) == 1  # the one that was compared


@needs_openmp
@pytest.mark.parametrize("faster", [1, ALL])
def test_features_that_do_not_are_computed_by_the_faster_and_each_shape_is_timed_apart(faster, monkeypatch, threads):
    threads(ALL)
    counts, now = [], [0.0]
    monkeypatch.setattr(thread_choice, "time", SimpleNamespace(perf_counter=lambda: now[0]))

    def embed(images):
        counts.append(torch.get_num_threads())
        now[0] += 0.002 if counts[-1] == faster else 0.02
        return 2 * images

    chosen = ThreadChoice(embed)
    for images in (torch.ones(1, 3, 8, 8), torch.ones(3, 3, 8, 8)):
        counts.clear()
        assert all(torch.equal(chosen(images), 2 * images) for _ in range(16))
        assert counts[:3] == [ALL, 1, ALL]  # both are compared, then all threads are on trial
        assert counts[3:] == 14 * [faster]
    assert len(chosen._choices) == 2
    assert torch.get_num_threads() == ALL


def test_where_one_thread_is_asked_for_nothing_else_is_used(threads):
    threads(1)
    seen = []

    def embed(images):
        seen.append(torch.get_num_threads())
        return images

    chosen = ThreadChoice(embed)
    for _ in range(20):
        chosen(torch.zeros(1, 3, 8, 8))
    assert seen == 20 * [1]


def test_what_was_learned_about_this_machine_stays_here(threads):
    threads(ALL)
    chosen = ThreadChoice(torch.relu)
    chosen(torch.zeros(1, 3, 8, 8))
    assert chosen._choices
    for other in (copy.deepcopy(chosen), pickle.loads(pickle.dumps(chosen))):
        assert not other._choices
        assert torch.equal(other(torch.ones(1, 3, 8, 8)), torch.ones(1, 3, 8, 8))


# What a user sees


@needs_openmp
@pytest.mark.parametrize("name", model_names())
def test_boxes_are_the_same_with_any_number_of_threads(name, threads):
    model, clip = load_model(name, device="cpu"), short_clip(num_frames=6)
    frames = list(clip)

    def results(count):
        threads(count)
        return [(each.box, each.score) for each in Tracker(model).track(frames, clip.boxes[0])]

    expected = results(1)
    assert all(results(count) == expected for count in (2, 3, 7))


@needs_openmp
def test_threads_that_begin_during_a_frame_have_their_number(mobilenetv2, threads):
    threads(ALL)
    clip, seen, tracked = short_clip(num_frames=2), [], threading.Event()
    tracker = Tracker(mobilenetv2)
    tracker.init(clip.render(0), clip.boxes[0])
    tracker.update(clip.render(1))

    def follow():
        for _ in range(20):
            tracker.update(clip.render(1))
        tracked.set()

    following = threading.Thread(target=follow)
    following.start()
    while not tracked.is_set():
        each = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
        each.start()
        each.join()
    following.join()
    assert set(seen) == {ALL}


@pytest.mark.parametrize("targets", [1, 2])
def test_where_torch_computes_without_openmp_all_its_threads_are_used(targets, monkeypatch, threads):
    threads(2)
    model, clip, seen = load_model(device="cpu"), short_clip(num_frames=3), set()
    monkeypatch.setattr(torch_threads, "_torch_with_openmp", lambda: None)
    embed = TorchRuntime.embed
    monkeypatch.setattr(
        TorchRuntime, "embed", lambda own, images: (seen.add(torch.get_num_threads()), embed(own, images))[1]
    )
    others, tracker = threading.active_count(), MultiTracker(model)
    for _ in range(targets):
        tracker.add(clip.render(0), clip.boxes[0])
    for _ in range(3):
        tracker.update(clip.render(1))
    assert seen == {2}
    assert threading.active_count() == others


def in_a_new_thread(work):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def threads_in_and_after_a_block():
    with one_thread():
        within = torch.get_num_threads()
    return within, torch.get_num_threads()


@needs_openmp
@pytest.mark.parametrize("count", [2, ALL])
def test_one_thread_is_of_its_thread_and_of_its_time(count, threads):
    threads(count)
    with one_thread():
        assert torch.get_num_threads() == 1
        assert in_a_new_thread(torch.get_num_threads) == count
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == count
    assert in_a_new_thread(threads_in_and_after_a_block) == (1, count)


@needs_openmp
@pytest.mark.skipif("mkl_get_max_threads" not in torch.__config__.parallel_info(), reason="this torch has no MKL")
def test_mkl_takes_one_thread_too_and_its_own_number_afterwards(threads):
    def mkl_threads():
        return re.search(r"mkl_get_max_threads\(\) : (\d+)", torch.__config__.parallel_info())[1]

    threads(ALL)
    with one_thread():
        assert mkl_threads() == "1"
    assert mkl_threads() == str(ALL)
    threads(3)
    assert mkl_threads() == "3"


@needs_openmp
def test_targets_that_are_searched_at_once_have_a_thread_each(monkeypatch, threads):
    threads(2)
    model, clip, seen = load_model(device="cpu"), short_clip(num_frames=2), []
    embed = TorchRuntime.embed
    monkeypatch.setattr(
        TorchRuntime,
        "embed",
        lambda own, images: (seen.append((threading.get_ident(), torch.get_num_threads())), embed(own, images))[1],
    )
    tracker = MultiTracker(model)
    for _ in range(4):
        tracker.add(clip.render(0), clip.boxes[0])
    tracker.update(clip.render(1))
    of_the_crew = [count for ident, count in seen if ident != threading.get_ident()]
    assert len(of_the_crew) >= 4
    assert set(of_the_crew) == {1}


@needs_openmp
def test_an_error_in_a_frame_leaves_the_number_as_it_was(mobilenetv2, threads):
    threads(ALL)
    clip = short_clip(num_frames=1)
    with pytest.raises(BoxError):
        Tracker(mobilenetv2).init(clip.render(0), (-500, -500, 20, 20))
    assert torch.get_num_threads() == ALL
