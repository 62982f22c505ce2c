"""``siamfc prepare`` and ``siamfc data preview``, end to end on little data."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from siamfc.cli.main import app
from siamfc.data import open_dataset
from siamfc.data.crop_database import DATA_FILE, StoreWriter
from siamfc.data.crop_records import crop_key
from siamfc.data.crop_store import describe_store
from siamfc.video import read_image
from tests.data.pictures import Picture, write_all, write_plain


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, photograph: Picture) -> list[str]:
    return write_all(tmp_path_factory.mktemp("data"), photograph)


def siamfc(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


GENTLE = (
    "--set", "augmentation.rotation_deg=0", "--set", "augmentation.search_scale=0.1",
    "--set", "augmentation.stretch=0.05", "--set", "augmentation.search_shift_px=32",
    "--set", "training.search_size=255",
)  # fmt: skip


def test_a_store_is_made_summarised_verified_and_read(data: list[str], tmp_path: Path) -> None:
    store = tmp_path / "store"
    made = siamfc(
        "prepare", "--data", data[0], "--data", data[2], "--output", store, "--set", "filters.min_side_px=60", *GENTLE
    )
    assert made.exit_code == 0, made.output
    assert f"{data[0]}: 0 of 13 frames kept; dropped: 13 too small" in made.stdout
    assert f"{data[2]}: 1 of 3 frames kept; dropped: 2 too small" in made.stdout
    assert "1 tracks, 1 crops of 376 px (JPEG 90)" in made.stdout
    assert f"train from it with --data crops:{store}" in made.stderr
    assert open_dataset(f"crops:{store}").names == ("stills/1-12",)
    checked = siamfc("prepare", "--verify", store)
    assert checked.exit_code == 0
    assert describe_store(store).sha256 in checked.stdout


def test_the_side_follows_the_settings_unless_it_is_given(data: list[str], tmp_path: Path) -> None:
    for place, options, side in (
        ("near", ["--set", "augmentation.search_shift_px=4", "--set", "augmentation.search_scale=0"], 328),
        ("far", ["--set", "augmentation.search_shift_px=60"], 440),
        ("given", ["--side", "320"], 320),
    ):
        assert (
            siamfc("prepare", "--data", data[2], "-o", tmp_path / place, *GENTLE, *options, "--lossless").exit_code == 0
        )
        settings = describe_store(tmp_path / place).settings
        assert (settings.side_px, settings.quality) == (side, None)


def test_verify_names_what_is_wrong_and_leaves_with_2(data: list[str], tmp_path: Path) -> None:
    store = tmp_path / "store"
    assert siamfc("prepare", "--data", data[2], "--output", store).exit_code == 0
    with StoreWriter(store) as writer:
        writer.put({crop_key(0, 0): b"no picture"})
    result = siamfc("prepare", "--verify", store)
    assert result.exit_code == 2
    assert "crop 0 is damaged" in result.stderr
    assert "problems in all; prepare the store anew" in result.stderr
    again = siamfc("prepare", "--data", data[2], "--output", store)
    assert again.exit_code == 2
    assert "the store does not hold what was cut" in again.stderr
    assert siamfc("prepare", "--data", data[2], "--output", store, "--overwrite").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", "plain:/nowhere", "--output", "store"], "/nowhere does not exist"),
        (["--data", "synthetic@0.5", "--output", "store"], "weights are given when training"),
        (["--verify", "/nowhere"], "holds no data.mdb"),
        (["--data", "synthetic", "--output", "store", "--side", "20"], "a crop's side is 127"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = siamfc("prepare", *arguments)
    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert said in result.stderr
    assert not (tmp_path / "store" / DATA_FILE).exists()


@pytest.mark.parametrize("arguments", [[], ["--data", "synthetic"], ["--verify", "store", "--data", "synthetic"]])
def test_what_goes_together_is_told(arguments: list[str]) -> None:
    result = siamfc("prepare", *arguments)
    assert result.exit_code == 2
    assert "--verify STORE" in result.stderr


def test_unreadable_frames_are_named(tmp_path: Path, photograph: Picture) -> None:
    folder = write_plain(tmp_path / "clips" / "pan", photograph)
    (folder / "0035.png").write_bytes(b"no picture")
    result = siamfc("prepare", "--data", f"plain:{tmp_path / 'clips'}", "--output", tmp_path / "store")
    assert result.exit_code == 0
    assert "0035.png cannot be read as an image" in result.stderr
    assert "frames that could not be read and are left out: 1" in result.stderr


def test_a_preview_shows_the_pairs_in_columns_and_is_not_written_over(data: list[str], tmp_path: Path) -> None:
    sheet = tmp_path / "preview.png"
    arguments = ["data", "preview", "--data", data[0], "--data", f"{data[2]}@0.5", "--pairs", 5, "--output", sheet]
    shares = ["--set", "pairs.negative_share=0.3", "--set", "pairs.hard_negative_share=0.3"]
    result = siamfc(*arguments, *shares)
    assert result.exit_code == 0, result.output
    width, height = 127 + 2 * 191 + 3 * 4, 191 + 4
    assert read_image(sheet).shape == (3 * height, 2 * width, 3)
    refused = siamfc(*arguments)
    assert refused.exit_code == 2
    assert "exists already" in refused.stderr
    other = siamfc(*arguments[:-1], tmp_path / "preview.jpg")
    assert other.exit_code == 2
    assert "name it preview.png" in other.stderr
