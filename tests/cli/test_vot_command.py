"""``siamfc vot`` as a program: driven by the reference client of TraX, and by hand."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from math import cos, sin
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from siamfc.boxes import Box
from siamfc.config import load_config
from siamfc.evaluation.trax_messages import parse_message, parse_region
from siamfc.model import SiamFC
from siamfc.tracker.track_result import TrackResult
from siamfc.tracker.tracker import Tracker
from siamfc.video import read_image
from tests.clips import short_clip, write_images

CLIP = short_clip(7)
COMMAND = [sys.executable, "-m", "siamfc", "vot", "--device", "cpu", "--weights", "mobilenetv2-imagenet"]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The clip's frames, in a folder whose name has a space and letters outside of ASCII."""
    folder = write_images(tmp_path_factory.mktemp("vot") / "große Bilder", CLIP)
    return [folder / f"{number}.png" for number in range(1, 8)]


@pytest.fixture
def environment() -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TRAX")}
    return {**inherited, "OMP_NUM_THREADS": "1"}  # beside this process's own threads more would only wait


@pytest.fixture
def server(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*COMMAND, "--set", "tracker.num_scales=1"], stdin=pipe, stdout=pipe, stderr=pipe, env=environment, bufsize=0
    ) as process:
        watchdog = threading.Timer(60, process.kill)  # the client waits without end
        watchdog.start()
        yield process
        watchdog.cancel()
        process.kill()


def turned(box: Box, angle: float) -> list[tuple[float, float]]:
    """The corners of a box, turned around its centre."""
    (x, y), half_width, half_height = box.center, box.width / 2, box.height / 2
    corners = [
        (-half_width, -half_height),
        (half_width, -half_height),
        (half_width, half_height),
        (-half_width, half_height),
    ]
    return [(x + a * cos(angle) - b * sin(angle), y + a * sin(angle) + b * cos(angle)) for a, b in corners]


def assert_same(answer: Any, expected: TrackResult) -> None:
    """The client's regions are float32 with four decimals; another process may share out sums in another order."""
    [(region, properties)], _seconds = answer
    assert region.type == "rectangle"
    np.testing.assert_allclose(region.bounds(), expected.box, atol=2e-3)
    assert float(properties["confidence"]) == pytest.approx(expected.score, abs=2e-3)


def test_the_reference_client_gets_the_boxes_of_the_tracker(
    server: subprocess.Popen[bytes], images: list[Path], mobilenetv2: SiamFC
) -> None:
    trax = pytest.importorskip("trax", reason="vot-trax is not installed (extra dev)")
    from trax.client import Client

    assert server.stdin is not None
    assert server.stdout is not None
    # Its log is not optional: without one, version 4.0.2 fails.
    client = Client(stream=(server.stdin.fileno(), server.stdout.fileno()), log=lambda _: None)
    assert client.tracker_name == "siamfc"
    assert client.image_formats == ["path"]
    assert client.region_formats == ["rectangle", "polygon"]

    def image(number: int) -> dict[str, Any]:
        return {"color": trax.FileImage.create(str(images[number]))}

    tracker = Tracker(mobilenetv2, load_config(overrides=["tracker.num_scales=1"]))
    first, later = Box(*CLIP.boxes[0]), Box(*CLIP.boxes[4])
    answer = client.initialize(image(0), [(trax.Rectangle.create(*first), {})], {})
    assert_same(answer, tracker.init(read_image(images[0]), first))
    for number in (1, 2):
        assert_same(client.frame(image(number), {}, []), tracker.update(read_image(images[number])))

    corners = turned(later, 0.4)  # started again after a failure, by a polygon
    answer = client.initialize(image(4), [(trax.Polygon.create(corners), {})], {})
    box = Box.from_polygon([number for corner in corners for number in corner])
    assert_same(answer, tracker.init(read_image(images[4]), box))
    for number in (5, 6):
        assert_same(client.frame(image(number), {}, []), tracker.update(read_image(images[number])))

    mask = np.zeros((180, 240), np.uint8)  # and by a mask, which the client turns into what we understand
    mask[50:90, 60:120] = 1
    [(region, _)], _ = client.initialize(image(0), [(trax.Mask.create(mask), {})], {})
    np.testing.assert_allclose(region.bounds(), (60, 50, 60, 40), atol=1.01)  # its conversion loses a pixel
    client.quit()
    assert server.wait(timeout=20) == 0


def test_standard_output_is_protocol_alone_and_a_broken_image_ends_it_with_one_clear_line(
    images: list[Path], environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "broken.png").write_bytes(images[1].read_bytes()[:100])
    region = ",".join(str(value) for value in CLIP.boxes[0])
    said = f'@@TRAX:initialize "file://{images[0]}" "{region}"\n@@TRAX:frame "file://{tmp_path}/broken.png"\n'
    done = subprocess.run(COMMAND, input=said.encode(), capture_output=True, env=environment, timeout=60, check=False)
    messages = [parse_message(line) for line in done.stdout.decode("ascii").splitlines()]
    assert [message and message.kind for message in messages] == ["hello", "state", "quit"]
    assert messages[1] is not None
    given: NDArray[np.float64] = np.asarray(CLIP.boxes[0], dtype=np.float64)
    np.testing.assert_allclose(parse_region(messages[1].arguments[0]), given, atol=1e-3)
    lines = done.stderr.decode().splitlines()
    assert lines[0].startswith("mobilenetv2-imagenet")
    assert "broken.png cannot be read as an image" in lines[1]
    assert (len(lines), done.returncode) == (2, 2)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_typed_in_a_terminal_it_says_how_it_is_meant_to_be_used(environment: dict[str, str]) -> None:
    import pty

    leader, terminal = pty.openpty()
    done = subprocess.run(
        COMMAND, stdin=terminal, capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    os.close(leader)
    os.close(terminal)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "trackers.ini" in done.stderr
    assert "siamfc vot --help" in done.stderr


def test_its_help_shows_the_entry_for_the_toolkit(environment: dict[str, str]) -> None:
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, env=environment, timeout=60, check=True)
    for line in ("[siamfc]", "protocol = trax", "command = siamfc vot --device auto", "vot test siamfc"):
        assert line in [text.strip() for text in done.stdout.splitlines()]
