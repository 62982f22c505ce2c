from __future__ import annotations

import os
import resource
import signal
import stat
from concurrent.futures import Future
from fractions import Fraction

import numpy as np
import pytest

from siamfc.errors import FrameError, OutputError, SourceError
from siamfc.opencv import cv2
from siamfc.video import VideoWriter, encoder, open_source
from siamfc.video.encoder import Timeline
from siamfc.video.layout import layout_of
from siamfc.video.pyav import av


@pytest.fixture
def write(tmp_path):
    """Writes frames, with their times where given, and returns the path."""

    def write(images, times_s=None, *, frame_rate=25.0):
        path = tmp_path / "out.mp4"
        with VideoWriter(path, frame_rate=frame_rate, overwrite=True) as writer:
            for number, image in enumerate(images):
                writer.write(image, times_s[number] if times_s else None)
        return path

    return write


def files_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_video_is_one_that_browsers_play(write, scenes):
    path = write(scenes(30))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert context.profile in ("High", "Main", "Constrained Baseline")
        tags = (context.colorspace, context.color_primaries, context.color_trc, context.color_range)
        assert tags == (1, 1, 1, 1)  # BT.709 three times, limited range
        assert stream.codec_tag == "avc1"
    kinds = layout_of(path).kinds
    assert kinds.index("moov") < kinds.index("mdat")


def test_colours_survive_within_a_few_levels(write):
    patches = np.random.default_rng(7).integers(30, 220, (2, 3, 3), dtype=np.uint8)
    scene = cv2.resize(patches, (192, 128), interpolation=cv2.INTER_LINEAR)
    moving = [scene[:96, 4 * number : 4 * number + 128] for number in range(12)]
    seen = np.stack([frame.image for frame in open_source(write(moving))]).astype(int)
    # With the matrix of BT.601 in the place of BT.709's, the mean is 5.
    assert np.abs(seen - np.stack(moving)).mean() < 2
    assert np.abs(seen - np.stack(moving)).max() <= 12


@pytest.mark.parametrize("level", [0, 17, 128, 240, 255])
def test_even_areas_keep_their_level(write, level):
    (frame,) = open_source(write([np.full((32, 32, 3), level, np.uint8)]))
    assert np.abs(frame.image.astype(int) - level).max() <= 2


@pytest.mark.parametrize("frame_rate", [25, 29.97, 30000 / 1001, 60000 / 1001, 12.5, 1, 0.5, 240])
def test_a_constant_rate_is_kept(write, scenes, frame_rate):
    source = open_source(write(scenes(40), frame_rate=frame_rate))
    times = [frame.time_s for frame in source]
    assert times == pytest.approx([number / frame_rate for number in range(40)], abs=1e-6)
    assert source.frame_rate == pytest.approx(frame_rate, rel=1e-4)
    assert source.frame_count == 40


def test_true_times_are_kept_from_the_first_frame_on(write, scenes):
    times_s = [70.0, 70.04, 70.1, 70.9, 71.0, 71.033, 75.5, 75.51]
    seen = [frame.time_s for frame in open_source(write(scenes(8), times_s))]
    assert seen == pytest.approx([time_s - 70 for time_s in times_s], abs=2e-5)


def test_times_always_rise(write, scenes):
    times_s = [10, 10.04, 10.5, 10.5, 10.3, 11.7, 3.0, 3.04, None]
    seen = [frame.time_s for frame in open_source(write(scenes(9), times_s))]
    # Equal or a little back: just behind. Far back, as when a camera starts again: one frame period on.
    assert seen == pytest.approx([0, 0.04, 0.5, 0.5, 0.5, 1.7, 1.74, 1.78, 1.82], abs=1e-4)
    assert np.all(np.diff(seen) > 0)


def test_a_frame_period_is_a_whole_number_of_ticks():
    for frame_rate, rate in ((29.97002997, Fraction(30000, 1001)), (25, 25), (29.97, Fraction(2997, 100))):
        timeline = Timeline(frame_rate)
        assert timeline.rate == rate
        assert timeline.period * timeline.unit_s == 1 / timeline.rate
        assert timeline.unit_s <= Fraction(1, 90_000)


@pytest.mark.parametrize("frame_rate", [0, -25, float("nan"), float("inf"), 1e9])
def test_a_rate_that_makes_no_video_is_an_error(tmp_path, frame_rate):
    with pytest.raises(OutputError, match=r"0\.01 to 10000 frames per second"):
        VideoWriter(tmp_path / "a.mp4", frame_rate=frame_rate)


def test_a_time_that_is_no_number_is_an_error_and_what_came_before_is_kept(tmp_path, scenes):
    with VideoWriter(tmp_path / "a.mp4", frame_rate=25) as writer:
        writer.write(scenes(1)[0], 0.0)
        with pytest.raises(OutputError, match="a finite number of seconds, not nan"):
            writer.write(scenes(1)[0], float("nan"))
    assert open_source(tmp_path / "a.mp4").frame_count == 1


def test_an_odd_size_is_evened_by_repeating_the_edge(write, scenes):
    (frame,) = open_source(write(scenes(1, height=47, width=63)))
    assert frame.image.shape == (48, 64, 3)
    assert np.abs(frame.image[:47, :63].astype(int) - scenes(1, height=47, width=63)[0]).mean() < 6
    assert np.abs(frame.image[47].astype(int) - frame.image[46]).mean() < 3


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (1, 200), (16, 16)])
def test_the_smallest_sizes_can_be_written(write, size):
    image = np.full((*size, 3), 90, np.uint8)
    (frame,) = open_source(write([image]))
    assert frame.image.shape == (size[0] + size[0] % 2, size[1] + size[1] % 2, 3)


def test_other_sizes_are_fitted_into_the_first_with_black_bars(write):
    grey = np.full((64, 64, 3), 200, np.uint8)
    wide = np.full((20, 40, 3), 200, np.uint8)
    frames = [frame.image.astype(int) for frame in open_source(write([grey, wide, grey[:30, :30]]))]
    assert [frame.shape for frame in frames] == [(64, 64, 3)] * 3
    assert abs(frames[1][32].mean() - 200) < 4
    assert frames[1][:12].mean() < 8
    assert frames[1][-12:].mean() < 8
    assert abs(frames[2].mean() - 200) < 4


def test_what_is_no_picture_is_an_error_and_spoils_nothing(tmp_path, scenes):
    with VideoWriter(tmp_path / "a.mp4", frame_rate=25) as writer:
        writer.write(scenes(1)[0])
        with pytest.raises(FrameError):
            writer.write(np.zeros((4, 4, 3)))
        writer.write(scenes(1)[0])
    assert [frame.time_s for frame in open_source(tmp_path / "a.mp4")] == pytest.approx([0, 0.04])


# Whole or not at all


def test_a_file_that_is_there_is_not_overwritten_unasked(tmp_path, scenes):
    path = tmp_path / "a.mp4"
    path.write_text("mine")
    with pytest.raises(OutputError, match=r"a\.mp4 exists already"):
        VideoWriter(path, frame_rate=25)
    assert path.read_text() == "mine"
    with VideoWriter(path, frame_rate=25, overwrite=True) as writer:
        writer.write(scenes(1)[0])
        assert path.read_text() == "mine"
    assert open_source(path).frame_count == 1
    assert files_in(tmp_path) == ["a.mp4"]


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path, scenes):
    path = tmp_path / "a.mp4"
    writer = VideoWriter(path, frame_rate=25)
    writer.write(scenes(1)[0])
    path.write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        writer.close()
    assert path.read_text() == "mine"
    assert files_in(tmp_path) == ["a.mp4"]


def test_no_frame_makes_no_file(tmp_path):
    with VideoWriter(tmp_path / "sub" / "a.mp4", frame_rate=25):
        pass
    assert files_in(tmp_path) == []


def test_the_folder_is_made_and_the_file_is_readable_like_any_other(tmp_path, scenes):
    path = tmp_path / "new" / "deep er" / "größe:1.mp4"
    with VideoWriter(path, frame_rate=25) as writer:
        writer.write(scenes(1)[0])
    (tmp_path / "plain").touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SourceError("the video ends early"), RuntimeError])
def test_leaving_by_an_exception_keeps_what_was_written_as_a_whole_video(tmp_path, scenes, error):
    def work():
        with VideoWriter(tmp_path / "a.mp4", frame_rate=25) as writer:
            for scene in scenes(7):
                writer.write(scene)
            raise error

    with pytest.raises(error if isinstance(error, type) else SourceError):
        work()
    assert len(list(open_source(tmp_path / "a.mp4"))) == 7
    assert files_in(tmp_path) == ["a.mp4"]


def test_aborting_leaves_no_file(tmp_path, scenes):
    with VideoWriter(tmp_path / "a.mp4", frame_rate=25) as writer:
        for scene in scenes(7):
            writer.write(scene)
        assert len(files_in(tmp_path)) == 1
        writer.abort()
        assert files_in(tmp_path) == []
    assert files_in(tmp_path) == []


def test_closing_twice_is_fine_and_writing_after_it_is_an_error(tmp_path, scenes):
    writer = VideoWriter(tmp_path / "a.mp4", frame_rate=25)
    writer.write(scenes(1)[0])
    writer.close()
    writer.close()
    with pytest.raises(OutputError, match="is closed, no frame can be added"):
        writer.write(scenes(1)[0])
    assert open_source(tmp_path / "a.mp4").frame_count == 1


@pytest.fixture
def small_disk():
    """A limit of 60 kB on any file, which fails as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("count", [3, 60])
def test_a_full_disk_is_an_error_and_leaves_no_file(tmp_path, small_disk, count, capfd):
    rng = np.random.default_rng(5)

    def work():
        with VideoWriter(tmp_path / "a.mp4", frame_rate=25) as writer:
            for _ in range(count):
                writer.write(rng.integers(0, 255, (200, 320, 3), dtype=np.uint8))

    with pytest.raises(OutputError, match=r"cannot write .*a\.mp4: File too large"):
        work()
    assert files_in(tmp_path) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_an_error(tmp_path, scenes):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        VideoWriter(tmp_path / "a.mp4", frame_rate=25).write(scenes(1)[0])


def test_a_folder_that_is_a_file_is_an_error(tmp_path, scenes):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        VideoWriter(tmp_path / "file" / "a.mp4", frame_rate=25).write(scenes(1)[0])


@pytest.mark.parametrize("name", ["a.avi", "a", "a.mp4.txt"])
def test_another_kind_of_file_is_an_error(tmp_path, name):
    with pytest.raises(OutputError, match=r"a video is written as \.mp4"):
        VideoWriter(tmp_path / name, frame_rate=25)


def test_a_folder_in_the_place_of_the_file_is_an_error(tmp_path):
    (tmp_path / "a.mp4").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        VideoWriter(tmp_path / "a.mp4", frame_rate=25, overwrite=True)


# Encoders


def test_the_next_encoder_stands_in_for_a_missing_one_or_one_without_its_device(tmp_path, scenes, monkeypatch):
    monkeypatch.setattr(encoder, "H264_ENCODERS", ("no_such_encoder", "h264_v4l2m2m", "libx264"))
    with VideoWriter(tmp_path / "a.mp4", frame_rate=25) as writer:
        writer.write(scenes(1)[0])
    assert open_source(tmp_path / "a.mp4").frame_count == 1


def test_an_encoder_without_constant_quality_gets_a_bit_rate(tmp_path, scenes, monkeypatch):
    monkeypatch.setattr(encoder, "H264_ENCODERS", ("libvpx-vp9",))  # stands for libopenh264
    with VideoWriter(tmp_path / "a.mp4", frame_rate=25) as writer:
        for scene in scenes(10):
            writer.write(scene)
    seen = np.stack([frame.image for frame in open_source(tmp_path / "a.mp4")]).astype(int)
    assert np.abs(seen - np.stack(scenes(10))).mean() < 10


def test_no_encoder_at_all_is_an_error_that_says_what_to_install(tmp_path, scenes, monkeypatch):
    monkeypatch.setattr(encoder, "H264_ENCODERS", ("no_such_encoder",))
    with pytest.raises(OutputError, match=r"no H\.264 encoder takes frames of 64 x 48 pixels.*pip install"):
        VideoWriter(tmp_path / "a.mp4", frame_rate=25).write(scenes(1)[0])
    assert files_in(tmp_path) == []


def test_a_frame_at_which_ctrl_c_comes_is_written_with_all_of_its_packets(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    frame = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    with VideoWriter(tmp_path / "clip.mp4", frame_rate=25) as writer:
        for number in range(60):
            if number == 40:
                monkeypatch.setattr(Future, "result", interrupted)
                with pytest.raises(KeyboardInterrupt):
                    writer.write(frame)
                monkeypatch.undo()
            else:
                writer.write(frame)
    with open_source(tmp_path / "clip.mp4") as frames:
        assert len(list(frames)) == 60
