"""``siamfc info``: what this machine and installation are, for bug reports."""

from __future__ import annotations

from typing import Annotated

import typer

from siamfc.cli.console import output


def info(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Show versions, builds, devices, whether windows work, runtimes and models. Paste it into bug reports."""
    import json

    from siamfc.environment import describe_environment

    facts = describe_environment()
    if as_json:
        output.print(json.dumps(facts, indent=2), markup=False, soft_wrap=True)
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        lines = value if isinstance(value, list) else [value]
        for index, line in enumerate(lines):
            output.print(f"{name if index == 0 else '':{width}}  {line}", markup=False, soft_wrap=True)
