"""Optional libraries, asked for by name: there, or one line that says how to get them."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from siamfc.errors import EnvironmentProblem

EXTRAS = {"onnx": "onnx", "onnxruntime": "onnx", "openvino": "openvino"}
"""Which extra of this package brings each library."""


def is_installed(library: str) -> bool:
    """Whether a library can be found; nothing is imported."""
    return find_spec(library) is not None


def need(library: str, extra: str | None = None) -> Any:
    """The library's module; its parts are not typed.

    Raises:
        EnvironmentProblem: It is not installed, or cannot be loaded.

    Example:
        >>> need("json").dumps([1])
        '[1]'
    """
    wanted = extra or EXTRAS.get(library, library)
    try:
        return import_module(library)
    except ModuleNotFoundError:
        raise EnvironmentProblem(
            f"{library.partition('.')[0]} is not installed: pip install 'siamfc[{wanted}]'"
        ) from None
    except ImportError as error:
        raise EnvironmentProblem(
            f"{library} cannot be loaded ({error}): reinstall it, pip install 'siamfc[{wanted}]'"
        ) from error
