"""The public names, and what importing costs."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys

import pytest

import siamfc


def _loaded_by(statement: str) -> set[str]:
    """Top-level names of the modules that a fresh process has after a statement."""
    code = f"import sys\n{statement}\nprint('|'.join({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return set(done.stdout.strip().split("|"))


def test_the_public_names_are_sorted_and_complete():
    assert siamfc.__all__ == sorted(siamfc.__all__)
    assert set(siamfc.__all__) == set(siamfc._HOME)


@pytest.mark.parametrize("name", siamfc.__all__)
def test_every_public_name_is_there_and_documented(name):
    thing = getattr(siamfc, name)
    assert thing.__doc__
    assert thing.__name__ == name
    assert thing.__module__.startswith(f"siamfc.{siamfc._HOME[name]}")


def test_dir_lists_the_public_names():
    assert dir(siamfc) == siamfc.__all__


@pytest.mark.parametrize("name", ["evaluation", "runtimes", "errors", "video"])
def test_parts_are_there_without_an_import_of_their_own(name):
    code = f"import siamfc; print(siamfc.{name}.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"siamfc.{name}"


def test_the_version_is_the_distributions():
    assert siamfc.__version__ == importlib.metadata.version("siamfc")


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'SiamFc'"):
        siamfc.SiamFc  # noqa: B018
    assert not hasattr(siamfc, "utils")


def test_importing_the_package_loads_neither_torch_nor_opencv_nor_av():
    assert _loaded_by("import siamfc").isdisjoint({"torch", "cv2", "av", "numpy"})


@pytest.mark.parametrize("module", ["boxes", "config", "errors", "files", "frames", "timing", "provenance"])
def test_modules_that_need_no_torch_load_none(module):
    assert "torch" not in _loaded_by(f"import siamfc.{module}")


def test_loading_a_public_name_of_such_a_module_loads_no_torch():
    assert "torch" not in _loaded_by("from siamfc import Box, load_config; load_config('track-default')")
