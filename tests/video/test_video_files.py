from __future__ import annotations

import contextlib
import gc
import os
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from siamfc.errors import SourceError
from siamfc.video import file as file_module
from siamfc.video import open_source
from siamfc.video.conversion import Clock
from siamfc.video.layout import layout_of
from siamfc.video.pyav import av

FASTSTART = {"movflags": "+faststart"}
LOSSLESS = {"codec": "libx264rgb", "pix_fmt": "rgb24", "options": {"qp": "0"}}


def read_all(path):
    """Frames up to the end or the error, and the error's text."""
    frames = []
    try:
        with open_source(path) as source:
            frames.extend(source)
    except SourceError as error:
        return frames, str(error)
    return frames, ""


def packets_of(path):
    """(position, size) of each video packet in the file, in bytes."""
    with av.open(str(path)) as container:
        return [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]


def images_of(frames):
    return np.stack([frame.image for frame in frames])


# What is seen


@pytest.mark.parametrize("stored", ["bgr0", "gbrp"])
def test_a_lossless_video_gives_the_very_pixels_that_were_written(encode, scenes, stored):
    path = encode("a.mkv", scenes(5), **({"codec": "ffv1", "pix_fmt": "bgr0"} if stored == "bgr0" else LOSSLESS))
    with av.open(str(path)) as container:
        assert container.streams.video[0].pix_fmt == stored
    assert np.array_equal(images_of(open_source(path)), np.stack(scenes(5)))


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_rotated_phone_video_is_shown_upright(encode, scenes, turns, mirrored):
    path = encode("phone.mp4", scenes(2), **LOSSLESS, rotation=(90.0 * turns, mirrored))
    upright = np.rot90(scenes(2)[1], turns)
    frames = list(open_source(path))
    assert np.array_equal(frames[1].image, upright[:, ::-1] if mirrored else upright)
    assert frames[1].image.flags.c_contiguous


# Luma weights of red and blue, as the standards state them.
BT709, BT601 = (0.2126, 0.0722), (0.299, 0.114)


def coded_planes(rgb, weights, *, full_range):
    """Y'CbCr planes (3, H, W) of an RGB image by the standards' equations, and nothing of libav's."""
    red_weight, blue_weight = weights
    red, green, blue = np.moveaxis(rgb / 255.0, -1, 0)
    luma = red_weight * red + (1 - red_weight - blue_weight) * green + blue_weight * blue
    cb, cr = (blue - luma) / (2 - 2 * blue_weight), (red - luma) / (2 - 2 * red_weight)
    if full_range:
        planes = [255 * luma, 255 * cb + 128, 255 * cr + 128]
    else:
        planes = [219 * luma + 16, 224 * cb + 128, 224 * cr + 128]
    return np.round(planes).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("weights", "matrix", "colour_range"),
    [(BT709, 1, 1), (BT709, 1, 2), (BT601, 6, 1), (BT601, 6, 2), (BT601, 5, 1), (BT601, 2, 0)],
)
def test_colours_follow_the_matrix_and_range_that_the_video_states(tmp_path, scenes, weights, matrix, colour_range):
    planes = coded_planes(scenes(1)[0], weights, full_range=colour_range == 2)
    with av.open(str(tmp_path / "c.mp4"), "w") as container:
        stream = container.add_stream("libx264", 25, width=64, height=48, pix_fmt="yuv444p", options={"qp": "0"})
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, colour_range
        frame = av.VideoFrame.from_ndarray(planes, format="yuv444p")
        frame.colorspace, frame.color_range = matrix, colour_range
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    (frame,) = open_source(tmp_path / "c.mp4")
    # Two roundings and 8-bit chroma make up to 2 levels; untagged video (2, 0) is BT.601 to libav.
    assert np.abs(frame.image.astype(int) - scenes(1)[0]).max() <= 3


def test_odd_sizes_and_ten_bits_are_read(encode, scenes):
    odd = scenes(2, height=47, width=63)
    frames = list(open_source(encode("odd.mkv", odd, "ffv1", "yuv444p")))
    assert frames[0].image.shape == (47, 63, 3)
    assert np.abs(images_of(frames).astype(int) - np.stack(odd)).max() <= 4
    frames = list(open_source(encode("odd420.mkv", odd, "ffv1", "yuv420p")))
    assert frames[0].image.shape == (47, 63, 3)
    deep = encode("ten.mp4", scenes(2), pix_fmt="yuv420p10le", options={"qp": "1"})
    # At the moving block's edge the halved chroma is far off, and libav's way back from it is a level or two dark.
    assert np.abs(images_of(open_source(deep)).astype(int) - np.stack(scenes(2))).mean() < 4


def test_an_animated_gif_is_a_video(encode, scenes):
    grey = [np.repeat(image[..., :1] & 0xE0, 3, axis=2) for image in scenes(6)]
    frames, error = read_all(encode("a.gif", grey, "gif", "gray", rate=10))
    assert (len(frames), error) == (6, "")
    assert np.array_equal(images_of(frames), np.stack(grey))
    assert frames[5].time_s == pytest.approx(0.5)


# When


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_video_of_variable_rate_gives_its_true_times(encode, scenes, name):
    times_ms = [5000, 5040, 5100, 5900, 6000, 6033]
    source = open_source(encode(name, scenes(6), times_ms=times_ms))
    assert [frame.time_s for frame in source] == pytest.approx([0, 0.04, 0.1, 0.9, 1.0, 1.033])


def test_the_clock_starts_at_the_first_frame_of_the_source_also_when_that_is_skipped(encode, scenes):
    path = encode("a.mp4", scenes(6), times_ms=[700, 740, 800, 900, 1000, 1700])
    assert [frame.time_s for frame in open_source(path, start=4)] == pytest.approx([0.3, 1.0])


def test_reordered_frames_in_avi_which_states_no_presentation_times_have_rising_times(encode, scenes):
    path = encode("b.avi", scenes(30), options={"bf": "3", "b_strategy": "0"})
    source = open_source(path)
    frames = list(source)
    assert [frame.time_s for frame in frames] == pytest.approx([number / 25 for number in range(30)])
    assert source.frame_rate == pytest.approx(25)


def test_a_picture_without_a_time_gets_its_number_over_the_frame_rate():
    clock = Clock(25.0)
    assert [clock.time_of(number, None) for number in (0, 1, 50)] == [0.0, 0.04, 2.0]
    assert clock.time_of(51, Fraction(100)) == pytest.approx(2.04)
    assert clock.time_of(52, Fraction(101)) == pytest.approx(3.04)
    assert Clock(None).time_of(3, None) is None


def test_the_frame_rate_is_the_average(encode, scenes):
    assert open_source(encode("a.mp4", scenes(10), rate=30)).frame_rate == pytest.approx(30)
    varied = encode("v.mp4", scenes(5), times_ms=[0, 100, 200, 700, 800], options={"bf": "0"})
    # The last frame lasts a 25th of a second here.
    assert open_source(varied).frame_rate == pytest.approx(5 / 0.84)


# Which


SPANS = [
    {"start": 7},
    {"stop": 5},
    {"every": 3},
    {"start": 2, "stop": 17, "every": 4},
    {"start": 19, "stop": 900},
    {"start": 0, "stop": 1},
]


@pytest.mark.parametrize("span", SPANS)
def test_a_span_gives_the_same_frames_as_skipping_the_others(encode, scenes, span):
    path = encode("a.mp4", scenes(20), options={"bf": "2"})
    every_frame = list(open_source(path))
    wanted = every_frame[slice(span.get("start"), span.get("stop"), span.get("every"))]
    source = open_source(path, **span)
    frames = list(source)
    assert [(frame.number, frame.time_s) for frame in frames] == [(frame.number, frame.time_s) for frame in wanted]
    assert np.array_equal(images_of(frames), images_of(wanted))
    assert source.frame_count == len(wanted)


def test_frames_that_are_not_wanted_are_not_converted(encode, scenes, monkeypatch):
    converted = []
    to_rgb = file_module.number_frames.__globals__["RgbConverter"].__call__
    monkeypatch.setattr(
        "siamfc.video.conversion.RgbConverter.__call__",
        lambda self, coded: converted.append(coded) or to_rgb(self, coded),
    )
    assert [frame.number for frame in open_source(encode("a.mp4", scenes(20)), start=3, every=5)] == [3, 8, 13, 18]
    assert len(converted) == 4


def test_the_count_is_stated_where_the_file_is_sure_of_it_and_none_elsewhere(encode, scenes):
    assert open_source(encode("a.mp4", scenes(9))).frame_count == 9
    assert open_source(encode("a.avi", scenes(9), "mjpeg", "yuvj420p")).frame_count == 9
    pauses = encode("p.avi", scenes(4), "mjpeg", "yuvj420p", times_ms=[0, 100, 500, 600])
    assert (open_source(pauses).frame_count, len(list(open_source(pauses)))) == (4, 4)
    assert open_source(encode("a.mkv", scenes(9))).frame_count is None
    fragments = encode("f.mp4", scenes(9), container_options={"movflags": "frag_every_frame+empty_moov"})
    assert open_source(fragments).frame_count is None


def test_a_trimmed_file_counts_and_gives_only_the_frames_that_are_shown(encode, scenes, tmp_path):
    whole = encode("a.mp4", scenes(20), options={"bf": "0"})
    with av.open(str(whole)) as source, av.open(str(tmp_path / "trimmed.mp4"), "w") as trimmed:
        stream = trimmed.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.pts -= 8 * packet.stream.duration // 20
                packet.dts = packet.pts
                packet.stream = stream
                trimmed.mux(packet)
    source = open_source(tmp_path / "trimmed.mp4")
    frames = list(source)
    assert (source.frame_count, len(frames), frames[0].time_s) == (12, 12, 0.0)
    assert np.array_equal(images_of(frames), images_of(open_source(whole))[8:])


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_start_past_the_end_says_how_many_frames_there_are(encode, scenes, name):
    path = encode(name, scenes(6))
    with pytest.raises(SourceError, match=rf"start 6 lies past the end of .*{name}, which has 6 frames"):
        list(open_source(path, start=6))


# What is wrong


HEALTHY = {
    "h264.mp4": {"container_options": FASTSTART},
    "index-last.mp4": {},
    "h264.mkv": {},
    "h264.avi": {},
    "h264.ts": {},
    "h264.flv": {},
    "h264.mov": {},
    "mjpeg.avi": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "mpeg4.avi": {"codec": "mpeg4", "options": {"bf": "2"}},
    "vp9.webm": {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8"}},
    "vp8.webm": {"codec": "libvpx", "options": {"deadline": "realtime", "auto-alt-ref": "1"}},
    "varied.mp4": {"times_ms": [n * n for n in range(30)]},
    "varied.mkv": {"times_ms": [n * n for n in range(30)]},
    "ffv1.mkv": {"codec": "ffv1"},
    "fragments.mp4": {"container_options": {"movflags": "frag_keyframe+empty_moov"}},
}


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_file_gives_all_its_frames_and_no_error(encode, scenes, name, capfd):
    path = encode(name, scenes(30), **HEALTHY[name])
    frames, error = read_all(path)
    assert (len(frames), error) == (30, "")
    assert not layout_of(path).is_cut
    times = [frame.time_s for frame in frames]
    assert times[0] == 0
    assert np.all(np.diff(times) > 0)
    assert len(list(open_source(path, stop=7))) == 7
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "of_stated"),
    [
        ("h264.mp4", " of 30"),
        ("fragments.mp4", ""),
        ("h264.mkv", " of about 30"),
        ("ffv1.mkv", " of about 30"),
        ("vp9.webm", " of about 30"),
        ("h264.avi", ""),
        ("mjpeg.avi", ""),
        ("h264.flv", ""),
    ],
)
def test_a_truncated_video_gives_the_frames_before_the_cut_and_then_an_error(encode, scenes, name, of_stated, capfd):
    path = encode(name, scenes(30), **HEALTHY[name])
    whole, _ = read_all(path)
    position, size = packets_of(path)[17]
    head = 16 if name == "h264.flv" else 0  # FLV's positions are those of the tag, 16 bytes before its data
    cut = position + head + size // 2  # in the middle of the 18th packet
    path.write_bytes(path.read_bytes()[:cut])
    frames, error = read_all(path)
    assert len(frames) == 17
    assert f"{name} ends early: 17{of_stated} frames could be read" in error
    # The last pictures of a cut H.264 video may come out of order, but each is one that was written.
    assert np.array_equal(images_of(frames)[:12], images_of(whole)[:12])
    assert len(list(open_source(path, stop=5))) == 5
    assert open_source(path).frame_count is None
    assert capfd.readouterr() == ("", "")


def test_an_mp4_without_its_index_is_called_cut_off(encode, scenes):
    path = encode("a.mp4", scenes(30))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(SourceError, match=r"a\.mp4 is cut off: its index \(moov\)"):
        open_source(path)


def overwrite_packets(path, numbers):
    """Fills packets with bytes that no decoder accepts."""
    packets = packets_of(path)
    data = bytearray(path.read_bytes())
    for number in numbers:
        position, size = packets[number]
        data[position + 4 : position + size] = b"\xff" * (size - 4)
    path.write_bytes(data)


@pytest.mark.parametrize("numbers", [[10], [5, 20], [29], [27], [0]])
@pytest.mark.parametrize("name", ["mjpeg.avi", "png.mov"])
def test_what_decodes_around_a_corrupt_packet_is_given_and_then_an_error(encode, scenes, name, numbers, capfd):
    codec = {"codec": "png", "pix_fmt": "rgb24"} if name == "png.mov" else HEALTHY[name]
    path = encode(name, scenes(30), **codec)
    whole = images_of(open_source(path))
    overwrite_packets(path, numbers)
    frames, error = read_all(path)
    assert np.array_equal(images_of(frames), np.delete(whole, numbers, axis=0))
    assert f"is damaged: {len(numbers)} of its packets could not be decoded" in error
    assert f"the first where frame {numbers[0]} should be" in error
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("number", [10, 28, 29])
def test_threads_lose_no_more_frames_than_one_thread_does(encode, scenes, number):
    path = encode("a.mp4", scenes(30), options={"bf": "2"})
    overwrite_packets(path, [number])
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_type, stream.codec_context.thread_count = "NONE", 1
        single = 0
        for packet in container.demux(stream):
            with contextlib.suppress(av.FFmpegError):
                single += len(packet.decode())
    frames, error = read_all(path)
    assert len(frames) == single == 29
    assert "is damaged: 1 of its packets" in error


def test_a_video_in_which_nothing_decodes_is_an_error(encode, scenes):
    path = encode("a.avi", scenes(5), **HEALTHY["mjpeg.avi"])
    overwrite_packets(path, range(5))
    assert "holds no frame that can be decoded (Invalid data" in read_all(path)[1]


def sound(path, cover=None):
    """A second of silence, with a cover picture where one is given."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", 44100)
        picture = (
            container.add_stream("mjpeg", 1, width=64, height=48, pix_fmt="yuvj420p") if cover is not None else None
        )
        if picture is not None:
            picture.disposition = av.stream.Disposition.attached_pic
            container.mux(picture.encode(av.VideoFrame.from_ndarray(cover)))
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_what_is_no_video_is_an_error_of_one_line(tmp_path, scenes, capfd):
    (tmp_path / "text.mp4").write_text("hello, this is no video\n" * 50)
    (tmp_path / "notes.txt").write_text("hello, this is no video\n" * 500)
    (tmp_path / "zero.mp4").touch()
    sound(tmp_path / "sound.m4a")
    sound(tmp_path / "cover.mp4", cover=scenes(1)[0])
    expected = {
        "text.mp4": "cannot be read as a video",
        "notes.txt": "cannot be read as a video",
        "zero.mp4": r"is empty \(0 bytes\)",
        "sound.m4a": "holds no video, but sound only",
        "cover.mp4": "holds no video, but sound only",
        "missing.mp4": "does not exist",
    }
    for name, words in expected.items():
        with pytest.raises(SourceError, match=rf"{name} {words}") as caught:
            open_source(tmp_path / name)
        assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_metadata_that_is_no_utf8_does_not_matter(encode, scenes):
    path = encode("a.mkv", scenes(3), metadata={"title": "Größe"}, metadata_encoding="latin-1")
    assert b"Gr\xf6\xdfe" in path.read_bytes()
    assert len(list(open_source(path))) == 3


@pytest.mark.parametrize("name", ["clip 1.mp4", "größe 图.mp4", "a[1]*?.mp4", "clip:1.mp4", "100%d.mp4"])
def test_any_file_name_works(encode, scenes, name, tmp_path, monkeypatch):
    path = encode("plain.mp4", scenes(3)).rename(tmp_path / name)
    assert len(list(open_source(path))) == 3
    monkeypatch.chdir(tmp_path)
    assert [frame.name for frame in open_source(name)] == [None] * 3


# Holding and letting go


def open_files():
    gc.collect()
    return {str(entry.readlink()) for entry in islice(Path("/proc/self/fd").iterdir(), 500) if entry.is_symlink()}


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files by Linux's /proc")
def test_breaking_off_or_closing_releases_the_file(encode, scenes):
    path = encode("a.mp4", scenes(40))
    source = open_source(path)
    assert str(path) in open_files()
    for _ in source:
        break
    assert str(path) not in open_files()
    with open_source(path) as source:
        pass
    assert str(path) not in open_files()


def test_a_file_can_be_iterated_again_and_by_two_at_once(encode, scenes):
    source = open_source(encode("a.mp4", scenes(12)))
    first = images_of(source)
    assert np.array_equal(images_of(source), first)
    assert all(one.number == other.number for one, other in zip(source, source, strict=True))


def test_a_closed_source_gives_no_more_frames(encode, scenes):
    source = open_source(encode("a.mp4", scenes(12)))
    numbers = []
    for frame in source:
        numbers.append(frame.number)
        if frame.number == 3:
            source.close()
    assert numbers == [0, 1, 2, 3]
    with pytest.raises(SourceError, match="is closed"):
        list(source)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads memory from Linux's /proc")
def test_memory_does_not_grow_over_thousands_of_frames(encode, scenes):
    path = encode("a.mkv", scenes(300, height=96, width=96), "mjpeg", "yuvj420p")

    def resident_mib(rounds):
        for _ in range(rounds):
            for _ in open_source(path):
                pass
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20

    before = resident_mib(1)
    # 2100 frames of 27 kB are 55 MiB.
    assert resident_mib(7) - before < 16
