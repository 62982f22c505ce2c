from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siamfc.errors import SourceError
from siamfc.opencv import cv2
from siamfc.video import open_source, read_image


def save(path: Path, image: np.ndarray, suffix: str = ".png") -> Path:
    """Writes an RGB or grey image under any name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = image[..., ::-1] if image.ndim == 3 and image.shape[2] == 3 else image
    path.write_bytes(cv2.imencode(suffix, pixels)[1].tobytes())
    return path


@pytest.fixture
def folder(tmp_path, scenes):
    """Images 1, 2, 9, 10, 11, whose names sort otherwise as text."""
    for number in (1, 2, 9, 10, 11):
        save(tmp_path / "seq" / f"img{number}.png", scenes(12)[number])
    return tmp_path / "seq"


def test_a_folder_gives_its_images_in_natural_order(folder, scenes):
    with open_source(folder) as source:
        frames = list(source)
    assert [frame.name for frame in frames] == [f"img{number}.png" for number in (1, 2, 9, 10, 11)]
    assert [frame.number for frame in frames] == [0, 1, 2, 3, 4]
    assert {frame.time_s for frame in frames} == {None}
    assert (source.frame_count, source.frame_rate, source.is_live, source.name) == (5, None, False, str(folder))
    for frame, number in zip(frames, (1, 2, 9, 10, 11), strict=True):
        assert np.array_equal(frame.image, scenes(12)[number])


def test_images_can_be_iterated_again(folder):
    source = open_source(folder)
    assert [frame.name for frame in source] == [frame.name for frame in source]


def test_files_that_are_no_images_and_hidden_ones_are_left_out(folder):
    for name in ("notes.txt", "img3.json", "._img1.png", ".DS_Store"):
        (folder / name).write_bytes(b"x")
    (folder / "img5.png").mkdir()
    assert open_source(folder).frame_count == 5


@pytest.mark.parametrize(
    ("span", "names"),
    [
        ({"start": 3}, ["img10.png", "img11.png"]),
        ({"stop": 2}, ["img1.png", "img2.png"]),
        ({"every": 2}, ["img1.png", "img9.png", "img11.png"]),
        ({"start": 1, "stop": 100, "every": 3}, ["img2.png", "img11.png"]),
    ],
)
def test_start_stop_and_every_choose_like_a_slice(folder, span, names):
    source = open_source(folder, **span)
    assert [frame.name for frame in source] == names
    assert source.frame_count == len(names)


def test_a_pattern_gives_the_images_that_match_it(folder):
    assert [frame.name for frame in open_source(f"{folder}/img1*")] == ["img1.png", "img10.png", "img11.png"]
    assert [frame.name for frame in open_source(folder / "img?.png")] == ["img1.png", "img2.png", "img9.png"]
    assert [frame.name for frame in open_source(f"{folder}/img[29].*")] == ["img2.png", "img9.png"]
    assert open_source(f"{folder.parent}/**/*.png").frame_count == 5


def test_brackets_spaces_and_foreign_letters_in_names_are_only_letters(tmp_path, scenes):
    scene = scenes(1)[0]
    for name in ("a [1].png", "Bild größe 3.png", "图片.png", "x;y%03d.png", "wh*t?.png"):
        path = save(tmp_path / "set [a] é" / name, scene)
        assert np.array_equal(next(iter(open_source(str(path)))).image, scene)
    assert open_source(tmp_path / "set [a] é").frame_count == 5
    assert open_source(f"{tmp_path}/set [a] é/*.png").frame_count == 5


def test_a_single_image_is_a_source_of_one_frame(tmp_path, scenes):
    save(tmp_path / "one.PNG", scenes(1)[0])
    (frame,) = open_source(tmp_path / "one.PNG")
    assert (frame.number, frame.time_s, frame.name) == (0, None, "one.PNG")


def test_the_home_folder_may_be_written_as_a_tilde(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    assert open_source("~/seq").frame_count == 5
    assert open_source("~/seq/*.png").frame_count == 5


@pytest.mark.parametrize(
    ("orientation", "seen"),
    [
        (1, lambda image: image),
        (2, lambda image: image[:, ::-1]),
        (3, lambda image: image[::-1, ::-1]),
        (4, lambda image: image[::-1]),
        (5, lambda image: image.transpose(1, 0, 2)),
        (6, lambda image: np.rot90(image, -1)),
        (7, lambda image: image[::-1, ::-1].transpose(1, 0, 2)),
        (8, lambda image: np.rot90(image)),
    ],
)
def test_a_photo_is_turned_upright_as_its_exif_orientation_says(tmp_path, scenes, orientation, seen):
    jpeg = cv2.imencode(".jpg", scenes(1)[0])[1].tobytes()
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0" + bytes([orientation]) + bytes(6)
    path = tmp_path / "photo.jpg"
    path.write_bytes(jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:])
    plain = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert np.array_equal(read_image(path), seen(plain))


def test_sixteen_bits_are_reduced_to_eight(tmp_path, scenes):
    deep = scenes(1)[0].astype(np.uint16) * 256 + 99
    assert np.array_equal(read_image(save(tmp_path / "deep.png", deep)), scenes(1)[0])
    assert np.array_equal(read_image(save(tmp_path / "deep.tif", deep, ".tif")), scenes(1)[0])


def test_grey_is_repeated_over_the_colours_and_alpha_is_dropped(tmp_path, scenes):
    scene = scenes(1)[0]
    grey = read_image(save(tmp_path / "grey.png", scene[..., 0]))
    assert grey.shape == scene.shape
    assert np.array_equal(grey[..., 2], scene[..., 0])
    rgba = cv2.cvtColor(scene, cv2.COLOR_RGB2BGRA)
    rgba[..., 3] = 100
    assert np.array_equal(read_image(save(tmp_path / "alpha.png", rgba)), scene)


def test_a_palette_gives_its_colours(tmp_path, png):
    palette = bytes([9, 8, 7, 200, 100, 50])
    (tmp_path / "p.png").write_bytes(png(2, 1, 8, 3, b"\0\x01\0", (b"PLTE", palette)))
    assert read_image(tmp_path / "p.png").tolist() == [[[200, 100, 50], [9, 8, 7]]]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif", ".webp", ".ppm"])
@pytest.mark.parametrize("kept", [0.9, 0.5, 0.0])
def test_a_truncated_image_is_an_error_when_its_turn_comes(folder, scenes, suffix, kept, capfd):
    noisy = np.random.default_rng(1).integers(0, 255, (40, 40, 3), dtype=np.uint8)
    path = save(folder / f"img7{suffix}", noisy, suffix)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    frames = []
    with pytest.raises(SourceError, match=f"img7{suffix} cannot be read as an image"):
        frames.extend(open_source(folder))  # which keeps what came before the error
    assert [frame.name for frame in frames] == ["img1.png", "img2.png"]
    assert capfd.readouterr() == ("", "")


def test_a_png_with_a_flipped_bit_is_an_error(tmp_path, scenes, capfd):
    path = save(tmp_path / "a.png", scenes(1)[0])
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(SourceError, match="damaged"):
        read_image(path)
    assert capfd.readouterr() == ("", "")


def test_a_png_with_a_colour_profile_that_libpng_dislikes_is_read_in_silence(tmp_path, png, capfd):
    chunks = [(b"iCCP", b"icc\0\0bad"), (b"gAMA", b"\0"), (b"eXIf", b"bad")]
    (tmp_path / "p.png").write_bytes(png(1, 1, 8, 2, b"\0\x01\x02\x03", *chunks))
    assert read_image(tmp_path / "p.png").tolist() == [[[1, 2, 3]]]
    assert capfd.readouterr() == ("", "")


def test_a_file_that_is_no_image_is_an_error_that_names_it(tmp_path):
    (tmp_path / "no.jpg").write_text("hello")
    with pytest.raises(SourceError, match=r"no\.jpg cannot be read as an image: its 5 bytes"):
        list(open_source(tmp_path / "no.jpg"))
    with pytest.raises(SourceError, match=r"gone\.jpg cannot be read: No such file"):
        read_image(tmp_path / "gone.jpg")


def test_an_image_of_floats_is_an_error_that_names_the_file(tmp_path):
    path = save(tmp_path / "f.tif", np.ones((4, 4, 3), np.float32), ".tif")
    with pytest.raises(SourceError, match=r"f\.tif cannot be used as a frame: .*float32"):
        read_image(path)


def test_a_folder_without_images_is_an_error(tmp_path):
    with pytest.raises(SourceError, match="holds no image; names of images end in avif, bmp"):
        open_source(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(SourceError, match="holds no image"):
        open_source(tmp_path)
    with pytest.raises(SourceError, match=r"of the 1 matches, .*\*\.txt holds no image"):
        open_source(f"{tmp_path}/*.txt")


def test_a_pattern_without_a_match_is_an_error(tmp_path):
    with pytest.raises(SourceError, match=r"no file matches .*\*\.png"):
        open_source(f"{tmp_path}/*.png")


def test_a_heic_photo_is_an_error_that_says_what_to_do(tmp_path):
    (tmp_path / "a.HEIC").write_bytes(b"x")
    with pytest.raises(SourceError, match="convert it to JPEG or PNG"):
        open_source(tmp_path / "a.HEIC")
