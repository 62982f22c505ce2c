"""An OpenCV that cannot be imported becomes one line that says what to install."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_a_missing_system_library_becomes_an_error_that_names_the_headless_wheel(tmp_path: Path) -> None:
    reason = "libGL.so.1: cannot open shared object file: No such file or directory"
    (tmp_path / "cv2.py").write_text(f"raise ImportError({reason!r})")
    code = (
        "from siamfc.errors import EnvironmentProblem, SiamfcError\n"
        "try:\n"
        "    import siamfc.opencv\n"
        "except EnvironmentProblem as problem:\n"
        "    assert isinstance(problem, SiamfcError)\n"
        "    print(problem)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    for part in (reason, "opencv-python-headless", "apt-get install libgl1"):
        assert part in done.stdout
