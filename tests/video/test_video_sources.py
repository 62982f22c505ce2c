from __future__ import annotations

import http.server
import socket
import subprocess
import sys
import threading
from functools import partial

import numpy as np
import pytest

import siamfc.video
from siamfc.errors import SourceError
from siamfc.opencv import cv2
from siamfc.video import camera, open_source, stream


@pytest.mark.parametrize(
    ("span", "words"),
    [
        ({"start": -1}, "start is the number of a frame, 0 or more, not -1"),
        ({"every": 0}, r"every is 1 \(each frame\) or more, not 0"),
        ({"start": 5, "stop": 5}, "above start 5, not 5"),
        ({"stop": -3}, "above start 0, not -3"),
        ({"start": 1.5}, "whole numbers of frames, not 1.5"),
    ],
)
def test_a_span_that_makes_no_sense_is_an_error_before_anything_is_opened(span, words):
    with pytest.raises(SourceError, match=words):
        open_source("missing.mp4", **span)


def test_numbers_of_numpy_are_numbers(tmp_path, encode, scenes):
    path = encode("a.mp4", scenes(5))
    assert [frame.number for frame in open_source(path, start=np.int64(3))] == [3, 4]


@pytest.mark.parametrize("source", ["", None, 1.5, True, ["a.mp4"]])
def test_what_is_no_source_is_an_error(source):
    with pytest.raises(SourceError, match="a source is a file, a folder, a pattern"):
        open_source(source)


def test_a_name_that_no_file_can_have_is_an_error():
    with pytest.raises(SourceError, match=r"cannot be looked up|does not exist"):
        open_source("x" * 5000)
    with pytest.raises(SourceError, match=r"cannot be looked up|does not exist"):
        open_source("a\0b.mp4")


def test_importing_the_package_loads_neither_opencv_nor_pyav_and_opencv_comes_first():
    code = (
        "import sys, siamfc.video as video\n"
        "assert not {'av', 'cv2', 'numpy'} & set(sys.modules), 'too early'\n"
        "video.open_source, video.VideoWriter\n"
        "order = list(sys.modules)\n"
        "assert order.index('cv2') < order.index('av')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_public_names_are_sorted_and_all_there():
    assert siamfc.video.__all__ == sorted(siamfc.video.__all__)
    assert set(siamfc.video.__all__) <= set(dir(siamfc.video))
    assert all(getattr(siamfc.video, name).__doc__ for name in siamfc.video.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        siamfc.video.nothing  # noqa: B018


# Cameras


class FakeCapture:
    """Gives a few BGR frames, as cv2.VideoCapture does."""

    def __init__(self, frames, rate=30.0):
        self.frames, self.rate, self.given, self.converted, self.is_open = frames, rate, -1, 0, True

    def isOpened(self):  # noqa: N802 - OpenCV's name
        return self.is_open

    def get(self, key):
        assert key == cv2.CAP_PROP_FPS
        return self.rate

    def grab(self):
        self.given += 1
        return self.given < len(self.frames)

    def retrieve(self):
        self.converted += 1
        return True, self.frames[self.given][..., ::-1].copy()

    def release(self):
        self.is_open = False


@pytest.fixture
def fake_camera(monkeypatch, scenes):
    capture = FakeCapture(scenes(6))
    monkeypatch.setattr(camera, "_open_capture", lambda device: capture)
    return capture


def test_a_camera_gives_rgb_frames_with_times_until_it_fails(fake_camera, scenes):
    source = open_source(0)
    assert (source.is_live, source.frame_count, source.frame_rate, source.name) == (True, None, 30.0, "0")
    frames = []
    with pytest.raises(SourceError, match="camera 0 gave no frame after 6; is it still connected"):
        frames.extend(source)  # which keeps what came before the error
    assert all(np.array_equal(frame.image, scene) for frame, scene in zip(frames, scenes(6), strict=True))
    times = [frame.time_s for frame in frames]
    assert times[0] == 0
    assert times == sorted(times)
    assert not fake_camera.is_open


def test_a_camera_skips_without_converting_and_stops_without_reading_on(fake_camera):
    assert [frame.number for frame in open_source("0", start=1, every=2, stop=5)] == [1, 3]
    assert (fake_camera.converted, fake_camera.given) == (2, 4)


def test_breaking_off_releases_the_camera_and_it_is_read_once(fake_camera):
    source = open_source(0)
    for _ in source:
        break
    assert not fake_camera.is_open
    with pytest.raises(SourceError, match="camera 0 is closed"):
        list(source)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="cameras are files on Linux only")
@pytest.mark.parametrize("source", [77, "77"])
def test_a_camera_that_is_not_there_is_an_error_without_noise(source, capfd):
    with pytest.raises(SourceError, match="there is no camera 77: "):
        open_source(source)
    assert capfd.readouterr() == ("", "")


def test_a_negative_camera_is_an_error():
    with pytest.raises(SourceError, match="a camera's number is 0 or more, not -1"):
        open_source(-1)


def test_a_file_called_by_digits_is_no_camera(tmp_path, monkeypatch, encode, scenes):
    encode("a.mp4", scenes(2)).rename(tmp_path / "7")
    monkeypatch.chdir(tmp_path)
    assert len(list(open_source("7"))) == 2


# Streams


@pytest.fixture
def served(tmp_path):
    """The address of ``tmp_path``, served on this machine."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_stream_is_live_and_is_read_once(encode, scenes, served):
    path = encode("a.ts", scenes(10))
    source = open_source(f"{served}/a.ts")
    assert (source.is_live, source.frame_count) == (True, None)
    frames = list(source)
    assert [frame.time_s for frame in frames] == pytest.approx([number / 25 for number in range(10)])
    for frame, same in zip(frames, open_source(path), strict=True):
        assert np.array_equal(frame.image, same.image)
    with pytest.raises(SourceError, match="was read already or is closed"):
        list(source)


def test_a_stream_takes_a_span(encode, scenes, served):
    encode("a.ts", scenes(10))
    address = f"{served}/a.ts"
    assert [frame.number for frame in open_source(address, start=2, stop=8, every=3)] == [2, 5]
    with pytest.raises(SourceError, match=r"start 50 lies past the end of http.*which has 10 frames"):
        list(open_source(address, start=50))


def test_an_address_where_nothing_is_is_an_error(served, capfd):
    with pytest.raises(SourceError, match=r"gone\.ts cannot be opened: .*404"):
        open_source(f"{served}/gone.ts")
    with pytest.raises(SourceError, match="cannot be opened: Protocol not found"):
        open_source("nonsense://x")
    assert capfd.readouterr() == ("", "")


def test_a_server_that_does_not_answer_is_an_error_and_no_hang(monkeypatch, capfd):
    monkeypatch.setattr(stream, "OPEN_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for address in (f"http://u:secret@127.0.0.1:{port}/a", f"rtsp://u:secret@127.0.0.1:{port}/a"):
            with pytest.raises(SourceError, match=r"//u:\*\*\*@.*nothing came for 0\.2 s") as caught:
                open_source(address)
            assert "secret" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_stream_that_falls_silent_is_an_error_after_the_frames_that_came(encode, scenes, monkeypatch):
    monkeypatch.setattr(stream, "READ_TIMEOUT_S", 0.3)
    noise = np.random.default_rng(3).integers(0, 255, (60, 48, 64, 3), dtype=np.uint8)
    data = encode("a.ts", list(noise), options={"g": "5", "bf": "0"}).read_bytes()
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: video/mp2t\r\n\r\n" + data)
                done.wait(20)

        thread = threading.Thread(target=answer)
        thread.start()
        frames = []
        try:
            with pytest.raises(SourceError, match=r"broke off: nothing came for 0\.3 s"):
                frames.extend(open_source(f"http://127.0.0.1:{server.getsockname()[1]}/a.ts"))
        finally:
            done.set()
            thread.join()
    assert len(frames) >= 50
