"""Files are written whole or not at all, and never over another unasked."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path

import pytest

from siamfc.errors import OutputError
from siamfc.files import sha256_of, write_text, write_whole


def test_text_is_written_as_utf8_with_plain_line_ends(tmp_path):
    path = tmp_path / "größe und name.txt"
    write_text(path, "eins\nzwei é\n")
    assert path.read_bytes() == "eins\nzwei é\n".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_of_another_encoding_is_written_as_json_escapes_it(tmp_path):
    name = os.fsdecode(b"caf\xe9.mp4")
    write_text(tmp_path / "boxes.json", json.dumps({"source": name}, ensure_ascii=False))
    assert json.loads((tmp_path / "boxes.json").read_text(encoding="utf-8"))["source"] == name


def test_missing_folders_are_made(tmp_path):
    write_text(tmp_path / "a" / "b" / "c.txt", "text")
    assert (tmp_path / "a" / "b" / "c.txt").read_text() == "text"


def test_an_existing_file_is_kept_unless_overwriting_is_allowed(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(OutputError, match="exists already"):
        write_text(path, "new")
    assert path.read_text() == "old"
    write_text(path, "new", overwrite=True)
    assert path.read_text() == "new"


def test_a_failure_while_writing_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")

    def fail():
        with write_whole(path, overwrite=True) as temporary:
            temporary.write_text("half of the n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path, monkeypatch):
    def write(self, text, **_options):
        self.write_bytes(text.encode()[:5])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", write)
    with pytest.raises(OutputError, match="No space left on device") as caught:
        write_text(tmp_path / "file.txt", "a longer text")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_the_file_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "file.txt"
    with write_whole(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        assert temporary.parent == path.parent  # a rename between disks would not be one step
    assert path.read_text() == "half"


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot write"):
        write_text(tmp_path / "file" / "sub" / "name.txt", "text")


def test_a_file_in_the_place_of_the_folder_is_one_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot write"):
        write_text(tmp_path / "file" / "name.txt", "text")


def test_a_folder_in_the_place_of_the_file_is_one_line(tmp_path):
    (tmp_path / "name.txt").mkdir()
    with pytest.raises(OutputError):
        write_text(tmp_path / "name.txt", "text", overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["name.txt"]


def test_the_hash_is_that_of_the_bytes(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"some bytes")
    assert sha256_of(path) == hashlib.sha256(b"some bytes").hexdigest()
