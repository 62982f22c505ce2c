"""What this machine can do at most, measured: arithmetic in float32, and bytes moved in memory."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from siamfc.devices import device_label

# Of the multiplied matrices: small ones fit a core's cache, large ones keep many cores busy.
_SIDES, _SIDES_ON_GPU = (512, 1536), (8192,)
_COPIED_BYTES = 128 * 2**20  # beyond every cache
_SLICE_S = 0.15


@dataclass(frozen=True)
class Machine:
    """A machine and its measured limits.

    Attributes:
        processor: Its name, as the system gives it.
        device: Where the network computes.
        cores: That the system has.
        threads: That torch uses.
        capability: The vector instructions that torch uses.
        peak_gflops: Of a large product of float32 matrices, billions of operations a second; the best seen.
        copy_gb_per_s: Bytes read and bytes written by a large copy, billions a second; the best seen.
    """

    processor: str
    device: str
    cores: int
    threads: int
    capability: str
    peak_gflops: float
    copy_gb_per_s: float


class LimitMeter:
    """Measures both limits in short slices, between other measurements; `read` gives the best of all."""

    def __init__(self, device: torch.device) -> None:
        sides = _SIDES if device.type == "cpu" else _SIDES_ON_GPU
        self._device = device
        self._matrices = [torch.rand(3, side, side, device=device) for side in sides]
        self._bytes = torch.zeros(2, _COPIED_BYTES, dtype=torch.uint8, device=device)
        self._peak_gflops = self._copy_gb_per_s = 0.0

    def measure(self) -> None:
        """A slice of each, half a second in all."""
        for first, second, product in self._matrices:
            operations = 2 * float(len(first)) ** 3
            seconds = _least_seconds(partial(torch.mm, first, second, out=product), self._device)
            self._peak_gflops = max(self._peak_gflops, operations / seconds / 1e9)
        source, target = self._bytes
        seconds = _least_seconds(lambda: target.copy_(source), self._device)
        self._copy_gb_per_s = max(self._copy_gb_per_s, 2 * _COPIED_BYTES / seconds / 1e9)

    def read(self) -> Machine:
        """The machine with the best rates so far."""
        return Machine(
            processor=_processor(),
            device=device_label(self._device),
            cores=os.cpu_count() or 1,
            threads=torch.get_num_threads(),
            capability=torch.backends.cpu.get_cpu_capability(),
            peak_gflops=self._peak_gflops,
            copy_gb_per_s=self._copy_gb_per_s,
        )


def wait_for(device: torch.device) -> None:
    """Return when the device has done what was given to it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _least_seconds(work: Callable[[], object], device: torch.device) -> float:
    work()
    wait_for(device)
    least, ends = float("inf"), time.perf_counter() + _SLICE_S
    while time.perf_counter() < ends:
        began = time.perf_counter()
        work()
        wait_for(device)
        least = min(least, time.perf_counter() - began)
    return least


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
