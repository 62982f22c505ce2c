"""What a target is called among several."""

from __future__ import annotations

import re

from siamfc.errors import BoxError

TargetId = str | int


def checked_id(name: TargetId) -> TargetId:
    """A name for a target, if files can be called so, as those of its results are.

    Raises:
        BoxError: It is empty, or has other signs than letters, digits, ``-``, ``_`` and ``.``.

    Example:
        >>> checked_id("dog-2")
        'dog-2'
    """
    if not re.fullmatch(r"[\w-][\w.-]*", str(name)):
        raise BoxError(f"a target's id names its files: letters, digits, '-', '_' and '.', not {name!r}")
    return name
