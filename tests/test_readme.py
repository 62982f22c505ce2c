"""What the README shows runs as written, on what the demo wrote."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from siamfc import SiamFC, run_demo

README = Path(__file__).parent.parent / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def demo_folder(tmp_path_factory: pytest.TempPathFactory, mobilenetv2: SiamFC) -> Path:
    folder = tmp_path_factory.mktemp("readme")
    run_demo(folder / "demo", num_frames=12, model=mobilenetv2)
    return folder


@pytest.mark.parametrize("code", BLOCKS, ids=lambda code: code.strip().splitlines()[-1][:50])
def test_the_code_in_the_readme_runs(code: str, demo_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(demo_folder)
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})


def test_the_readme_names_every_setting_and_every_command() -> None:
    from siamfc.cli.main import app
    from siamfc.config import config_names

    text = README.read_text(encoding="utf-8")
    commands = [command.name or command.callback.__name__ for command in app.registered_commands]
    groups = [group.name for group in app.registered_groups]
    for name in (*config_names(), *(f"siamfc {name}" for name in (*commands, *groups))):
        assert name in text, name
