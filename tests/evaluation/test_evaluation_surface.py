"""What the package offers, and what it must not need for that."""

from __future__ import annotations

import subprocess
import sys

import siamfc.evaluation


def test_the_public_names_are_sorted_and_can_be_fetched() -> None:
    names = siamfc.evaluation.__all__
    assert sorted(names) == sorted(siamfc.evaluation._HOME)
    assert names == sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    assert all(hasattr(siamfc.evaluation, name) for name in names)


def test_figures_and_protocols_need_neither_torch_nor_opencv() -> None:
    program = (
        "import sys\n"
        "sys.modules.update({name: None for name in ('torch', 'cv2', 'matplotlib', 'pydantic')})\n"
        "import siamfc.evaluation as evaluation\n"
        "for name in evaluation.__all__: getattr(evaluation, name)\n"
        "print(evaluation.one_pass_score([[0, 0, 4, 4]], [[0, 0, 4, 4]]).precision)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr, result.returncode) == ("1.0\n", "", 0)
