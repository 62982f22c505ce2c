"""Fixtures that several tests share: a photograph, the networks, the folder of real sequences."""

from __future__ import annotations

import copy
import os

# Before torch is imported: the tests' tensors are small, threads cost more than they give, and on a machine with other
# work OpenMP's idle ones would spin the tests to a crawl.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from siamfc.checkpoint import load_model
from siamfc.config import ModelConfig
from siamfc.joining import join_levels
from siamfc.model import SiamFC, build_model
from siamfc.opencv import cv2

REPOSITORY = Path(__file__).parent.parent
SHARED_DATA = REPOSITORY.parent / "shared" / "data"


@pytest.fixture(scope="session")
def photograph() -> NDArray[np.uint8]:
    """Grace Hopper, (600, 512, 3) uint8 RGB, public domain; read-only, since all tests share it."""
    path = Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    picture = np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])
    picture.setflags(write=False)
    return picture


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real pictures beside the repository; tests that want it are skipped where it is not there."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no real sequences here: {SHARED_DATA} is missing")
    return SHARED_DATA


@pytest.fixture(scope="session")
def mobilenetv2() -> SiamFC:
    """The shipped weights. Shared: copy it before changing it."""
    return load_model("mobilenetv2-imagenet", device="cpu")


@pytest.fixture(scope="session")
def alexnet(photograph: NDArray[np.uint8]) -> SiamFC:
    """Random weights, and batch norm's statistics as a photograph makes them. Shared: copy it before changing it."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = build_model(ModelConfig(backbone="alexnet"))
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the mean over what is seen
    corners = [(0, 0), (100, 120), (250, 200), (340, 20)]
    pictures = [image_tensor(photograph[top : top + 255, left : left + 255]) for top, left in corners]
    with torch.no_grad():
        model.train().embed(torch.stack(pictures).float())
    return model.eval()


@pytest.fixture(scope="session")
def two_levels() -> SiamFC:
    """Two MobileNetV2 in one, cut at blocks 7 and 9, with shipped weights. Shared: copy it before changing it."""
    return join_levels(*(load_model(name, device="cpu") for name in ("mobilenetv2", "mobilenetv2-deep")))


@pytest.fixture(scope="session", params=["mobilenetv2", "two_levels", "alexnet"])
def either_model(request: pytest.FixtureRequest) -> SiamFC:
    """Each of the networks in turn, float32."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def either_model64(either_model: SiamFC) -> SiamFC:
    """Each of the networks in turn, float64."""
    return copy.deepcopy(either_model).double()


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """The name of an X display under Xvfb, with nothing on it."""
    for program in ("Xvfb", "xdotool"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: no window can be driven")
    number_from, number_to = os.pipe()
    command = ["Xvfb", "-displayfd", str(number_to), "-screen", "0", "1600x1000x24", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[number_to], stderr=subprocess.DEVNULL)
    os.close(number_to)
    with os.fdopen(number_from) as answer:
        number = answer.readline().strip()
    try:
        assert number, f"Xvfb ended with {server.wait(30)}"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(30)


def image_tensor(picture: NDArray[np.uint8]) -> torch.Tensor:
    """(H, W, 3) uint8 -> (3, H, W) float64 of 0..255."""
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1).double()
