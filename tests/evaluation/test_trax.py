"""A TraX session in this process: what is said, what is answered, and what is refused."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from siamfc.boxes import Box
from siamfc.errors import BoxError, EnvironmentProblem, SiamfcError, SourceError
from siamfc.evaluation import trax
from siamfc.evaluation.trax import Channel, open_channel, serve
from siamfc.evaluation.trax_messages import Message, format_message, parse_image, parse_message, parse_region
from siamfc.frames import Image
from siamfc.opencv import cv2


class Shifting:
    """A tracker that goes one pixel to the right each frame, and writes down what it was shown."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, float]] = []  # what was called, and the grey of the frame

    def init(self, frame: Image, box: Box) -> SimpleNamespace:
        self.seen.append(("init", float(frame.mean())))
        self.box = box
        return SimpleNamespace(box=box, score=1.0)

    def update(self, frame: Image) -> SimpleNamespace:
        self.seen.append(("update", float(frame.mean())))
        self.box = self.box._replace(x=self.box.x + 1)
        return SimpleNamespace(box=self.box, score=-0.5)


def grey_image(path: Path, grey: int) -> Path:
    data = cv2.imencode(".png", np.full((20, 30, 3), grey, np.uint8))[1]
    path.write_bytes(data.tobytes())
    return path


def talk(lines: Iterable[str | bytes], tracker: Shifting | None = None) -> list[Message]:
    """What the server answers."""
    replies: list[bytes] = []
    requests = [line if isinstance(line, bytes) else line.encode() for line in lines]
    try:
        serve(tracker or Shifting(), Channel(requests, replies.append), name="shifting", description="to the right")
    finally:
        messages = [parse_message(reply.decode("ascii")) for reply in replies]
        talk.last = messages[-1]  # type: ignore[attr-defined]
    return [message for message in messages if message is not None]


def refusal(lines: Iterable[str | bytes]) -> str:
    """The error of a session, which the client hears as the reason of a ``quit``."""
    with pytest.raises(SiamfcError) as caught:
        talk(lines)
    last = talk.last  # type: ignore[attr-defined]
    assert last.kind == "quit"
    assert last.properties["trax.reason"] == str(caught.value)
    return str(caught.value)


def initialize(path: Path, region: str) -> str:
    return f'@@TRAX:initialize "file://{path}" "{region}" \n'


def frame(path: Path) -> str:
    return f'@@TRAX:frame "file://{path}" \n'


def test_each_request_is_answered_by_a_rectangle_with_the_score_as_confidence(tmp_path: Path) -> None:
    first, second = grey_image(tmp_path / "1.png", 10), grey_image(tmp_path / "2.png", 200)
    tracker = Shifting()
    hello, *states = talk([initialize(first, "1,2,3,4"), frame(second), "@@TRAX:quit \n", frame(second)], tracker)
    assert hello.kind == "hello"
    assert hello.properties["trax.region"] == "rectangle;polygon;"
    assert hello.properties["trax.name"] == "shifting"
    assert states == [
        Message("state", ("1.0000,2.0000,3.0000,4.0000",), {"confidence": "1"}),
        Message("state", ("2.0000,2.0000,3.0000,4.0000",), {"confidence": "-0.5"}),
    ]
    assert tracker.seen == [("init", 10), ("update", 200)]


def test_a_session_may_be_started_again_at_any_frame_and_with_a_polygon(tmp_path: Path) -> None:
    path = grey_image(tmp_path / "1.png", 10)
    states = talk(
        [initialize(path, "1,2,3,4"), frame(path), initialize(path, "0,0,4,0,4,2,0,2"), frame(path), "@@TRAX:quit\n"]
    )[1:]
    assert [state.arguments[0].partition(",")[0] for state in states] == ["1.0000", "2.0000", "0.0000", "1.0000"]
    assert states[2].arguments == ("0.0000,0.0000,4.0000,2.0000",)


def test_lines_that_are_no_messages_are_passed_over(tmp_path: Path) -> None:
    path = grey_image(tmp_path / "1.png", 10)
    lines = ["starting\n", initialize(path, "1,2,3,4"), "\n", "50 % @@TRAX:quit\n", frame(path), "@@TRAX:quit\n"]
    assert [message.kind for message in talk(lines)] == ["hello", "state", "state"]


@pytest.mark.parametrize("name", ["a b.png", 'quote".png', "back\\slash.png", "größe-図.png", "a=b.png", "50%20.png"])
def test_an_image_may_have_any_name(tmp_path: Path, name: str) -> None:
    path = grey_image(tmp_path / name, 77)
    tracker = Shifting()
    # As clients write it: in UTF-8, with backslashes before quotes and backslashes.
    told = f"file://{path}".replace("\\", "\\\\").replace('"', '\\"')
    talk([f'@@TRAX:initialize "{told}" "1,2,3,4" \n', "@@TRAX:quit\n"], tracker)
    assert tracker.seen == [("init", 77)]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems want names in Unicode")
def test_an_image_may_have_a_name_that_is_no_utf8(tmp_path: Path) -> None:
    told = bytes(tmp_path) + b"/\xff\xfe.png"
    Path(os.fsdecode(told)).write_bytes(grey_image(tmp_path / "1.png", 5).read_bytes())
    tracker = Shifting()
    talk([b'@@TRAX:initialize "file://' + told + b'" "1,2,3,4"\n', b"@@TRAX:quit\n"], tracker)
    assert tracker.seen == [("init", 5)]


def test_a_url_with_percent_signs_names_the_file_it_is_the_url_of(tmp_path: Path) -> None:
    path = grey_image(tmp_path / "größe 1.png", 5)
    assert parse_image(path.as_uri()) == path
    assert parse_image(str(path)) == path


def test_a_refusal_is_told_to_the_client_and_raised(tmp_path: Path) -> None:
    path = grey_image(tmp_path / "1.png", 10)
    start = initialize(path, "1,2,3,4")
    assert "none.png cannot be read" in refusal([start, frame(tmp_path / "none.png")])
    (tmp_path / "broken.png").write_bytes(path.read_bytes()[:40])
    assert "broken.png cannot be read as an image" in refusal([start, frame(tmp_path / "broken.png")])
    assert "out of place came frame with 1 arguments" in refusal([frame(path)])
    assert "out of place came initialize with 1 arguments" in refusal(['@@TRAX:initialize "1,2,3,4"\n'])
    assert "out of place came hello" in refusal([start, "@@TRAX:hello\n"])
    assert "not as 'http://host/1.png'" in refusal(['@@TRAX:initialize "http://host/1.png" "1,2,3,4"\n'])
    assert "a region is a rectangle" in refusal([initialize(path, "mask:0,0,2,2")])
    assert "above zero" in refusal([initialize(path, "1,2,0,4")])


def test_a_client_that_leaves_without_a_word_or_without_quit_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="VOT toolkit"):
        talk([])
    with pytest.raises(SourceError, match="without saying quit"):
        talk([initialize(grey_image(tmp_path / "1.png", 10), "1,2,3,4")])


def test_a_client_that_no_longer_listens_is_an_error() -> None:
    def send(data: bytes) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    with pytest.raises(SourceError, match="connection to the TraX client broke: Broken pipe"):
        serve(Shifting(), Channel([], send), name="", description="")


def test_messages_survive_being_written_and_read() -> None:
    message = Message("state", ('a "b" \\ c\nd', "1,2", ""), {"trax.reason": "x = \\n", "empty": ""})
    text = format_message(message)
    assert text.endswith("\n")
    assert text.count("\n") == 1
    assert parse_message(text) == message


def test_what_is_written_is_ascii_since_the_c_library_reads_nothing_else() -> None:
    assert format_message(Message("quit", properties={"trax.reason": "größe\udcff"})).isascii()


@pytest.mark.parametrize("text", ["", "nan", "1,2,3", "1,2,3,nan", "1,2,3,4,5,6,7", "0,0,1,1,2,2"])
def test_a_region_that_is_no_box_is_refused(text: str) -> None:
    with pytest.raises(BoxError):
        parse_region(text)


def test_a_client_that_set_a_port_is_spoken_to_over_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = grey_image(tmp_path / "1.png", 10)
    said = (initialize(path, "1,2,3,4") + "@@TRAX:quit\n").encode()
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("TRAX_SOCKET", str(listener.getsockname()[1]))

        def client() -> None:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as lines:
                connection.sendall(said)
                heard.extend(lines)

        thread = threading.Thread(target=client)
        thread.start()
        with open_channel() as channel:
            serve(Shifting(), channel, name="shifting", description="")
        thread.join(timeout=10)
    assert [line.split()[0] for line in heard] == [b"@@TRAX:hello", b"@@TRAX:state"]


def test_a_port_that_is_none_or_where_nobody_listens_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free = listener.getsockname()[1]
    monkeypatch.setattr(trax, "_CONNECT_SECONDS", 0.15)
    for port, complaint in (
        ("host:1", "number of a port"),
        ("70000", "number of a port"),
        (str(free), "nobody listens"),
    ):
        monkeypatch.setenv("TRAX_SOCKET", port)
        with pytest.raises(SourceError, match=complaint), open_channel():
            pass


def test_a_terminal_is_no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRAX_SOCKET", raising=False)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    with pytest.raises(EnvironmentProblem, match=r"trackers\.ini"), open_channel():
        pass


def test_what_others_print_during_a_session_goes_to_standard_error() -> None:
    code = """
import os
from siamfc.evaluation.trax import open_channel
print("before")
with open_channel() as channel:
    print("noise of Python", flush=False)
    os.write(1, b"noise of C\\n")
    channel.send(b"message\\n")
print("after")
"""
    environment = {name: value for name, value in os.environ.items() if name != "TRAX_SOCKET"}
    done = subprocess.run(
        [sys.executable, "-c", code], input="", capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.split("\n") == ["before", "message", "after", ""]
    assert sorted(done.stderr.splitlines()) == ["noise of C", "noise of Python"]
