"""The clock adds up by stage. How long anything takes is not tested."""

from __future__ import annotations

import pytest

from siamfc.timing import StageClock


@pytest.fixture
def clock(monkeypatch):
    """A clock by which each look at the time is a second later."""
    seconds = iter(range(100))
    monkeypatch.setattr("time.perf_counter", lambda: next(seconds))
    return StageClock()


def test_each_stage_is_charged_for_its_blocks(clock):
    for stage in ("crop", "embed", "crop"):
        with clock.stage(stage):
            pass
    assert clock.seconds == {"crop": 2, "embed": 1}


def test_a_block_that_fails_is_charged_too(clock):
    with pytest.raises(KeyError), clock.stage("embed"):
        raise KeyError
    assert clock.seconds == {"embed": 1}
