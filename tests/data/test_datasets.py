from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from siamfc.data import open_dataset
from siamfc.data.datasets import LAYOUTS
from siamfc.errors import SourceError


def test_an_unknown_layout_is_an_error_that_names_the_known_ones_and_the_nearest() -> None:
    with pytest.raises(SourceError) as caught:
        open_dataset("lasott:/data")
    assert "no layout 'lasott' (did you mean lasot?)" in str(caught.value)
    assert all(name in str(caught.value) for name in LAYOUTS)


@pytest.mark.parametrize("source", ["otb", "otb:", "/data/OTB", ""])
def test_a_source_without_layout_or_path_is_an_error_that_shows_the_form(source: str) -> None:
    with pytest.raises(SourceError, match=r"LAYOUT:PATH, for example otb:/data/OTB"):
        open_dataset(source)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_path_that_is_not_there_is_an_error_that_says_what_is_expected(tmp_path: Path, layout: str) -> None:
    with pytest.raises(SourceError, match=rf"{layout} expects there: "):
        open_dataset(f"{layout}:{tmp_path / 'nowhere'}")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_empty_folder_is_a_source_error_in_every_layout(tmp_path: Path, layout: str) -> None:
    with pytest.raises(SourceError):
        open_dataset(f"{layout}:{tmp_path}")


@pytest.mark.parametrize("layout", sorted(set(LAYOUTS) - {"coco"}))
def test_a_file_in_place_of_the_folder_is_a_source_error(tmp_path: Path, layout: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SourceError):
        open_dataset(f"{layout}:{tmp_path / 'file'}")


def test_layouts_are_sorted_and_say_what_they_expect() -> None:
    assert list(LAYOUTS) == sorted(LAYOUTS)
    assert all(layout.expects for layout in LAYOUTS.values())


def test_datasets_are_opened_and_checked_with_torch_blocked(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from siamfc.data import check_dataset, open_dataset\n"
        "from tests.data.trees import *\n"
        "from pathlib import Path\n"
        f"root = Path({str(tmp_path)!r})\n"
        "write_images(root / 'a', ['1.png', '2.png'])\n"
        "write_text(root / 'a/boxes.csv', 'frame,x,y,width,height\\n1,1,2,3,4\\n')\n"
        "print(check_dataset(open_dataset(f'plain:{root}'), read_all=True).breaks_run)\n"
    )
    repository = Path(__file__).parents[2]
    run = subprocess.run([sys.executable, "-c", program], cwd=repository, capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
