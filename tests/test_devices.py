"""Devices by name; one that the user names and that is not there is an error."""

from __future__ import annotations

import pytest
import torch

from siamfc.devices import choose_device, device_label, device_names
from siamfc.errors import EnvironmentProblem


@pytest.fixture
def no_accelerator(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def two_gpus(monkeypatch, no_accelerator):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


def test_auto_takes_the_cpu_where_there_is_nothing_else(no_accelerator):
    assert choose_device() == torch.device("cpu")
    assert device_names() == ["cpu"]


def test_auto_takes_the_first_gpu(two_gpus):
    assert choose_device("auto") == torch.device("cuda:0")
    assert device_names() == ["cpu", "cuda:0", "cuda:1"]


def test_auto_takes_apples_mps_before_the_cpu(no_accelerator, monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("auto") == torch.device("mps")
    assert device_names() == ["cpu", "mps"]


def test_a_named_device_that_is_there_is_taken(two_gpus):
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("cuda:1") == torch.device("cuda:1")
    assert choose_device("cuda") == torch.device("cuda")


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps", "meta", "xpu"])
def test_a_named_device_that_is_not_there_is_an_error_that_names_those_that_are(no_accelerator, name):
    with pytest.raises(EnvironmentProblem, match=f"'{name}' cannot be used here.*sees cpu"):
        choose_device(name)


def test_a_gpu_beyond_the_last_is_an_error(two_gpus):
    with pytest.raises(EnvironmentProblem, match="cuda:1"):
        choose_device("cuda:2")


@pytest.mark.parametrize("name", ["gpu", "", "cuda:x", "cuda:-1", "0", "CPU"])
def test_a_name_of_no_device_is_an_error_with_the_possible_names(no_accelerator, name):
    with pytest.raises(EnvironmentProblem, match="one of auto, cpu, cuda:0"):
        choose_device(name)


def test_a_cpu_is_labelled_by_its_name():
    assert device_label(torch.device("cpu")) == "cpu"
