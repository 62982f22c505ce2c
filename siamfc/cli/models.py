"""``siamfc models``: the weights that ship with the package."""

from __future__ import annotations

from typing import Annotated

import typer

from siamfc.cli.console import output


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """List the shipped models: size, hash, what they learned from, licences, measured accuracy.

    The first is the default. Give a name, or any checkpoint's path, to --weights.
    """
    import json

    from rich.table import Table

    from siamfc.checkpoint import model_names, read_info
    from siamfc.model_cards import read_measurements

    infos = [read_info(name) for name in model_names()]
    measured = {info.name: read_measurements(info.path) for info in infos}
    if as_json:
        entries = [
            {
                "name": info.name,
                "path": str(info.path),
                "size_bytes": info.size_bytes,
                "sha256": info.sha256,
                "model": info.model.model_dump(),
                "provenance": info.provenance.model_dump(),
                "measured": [measurement._asdict() for measurement in measured[info.name]],
            }
            for info in infos
        ]
        output.print(json.dumps(entries, indent=2), markup=False, soft_wrap=True)
        return
    for info in infos:
        table = Table(show_header=False, box=None, pad_edge=False, title_justify="left")
        table.add_column(style="bold", no_wrap=True)
        table.add_column()
        table.add_row("name", info.name)
        table.add_row("network", f"{info.model.backbone}, standardisation {info.model.standardisation}")
        table.add_row("size", f"{info.size_bytes / 1e6:.2f} MB")
        table.add_row("sha256", info.short_hash)
        table.add_row("about", info.provenance.description)
        table.add_row("trained on", info.provenance.trained_on)
        table.add_row("licence", info.provenance.licence)
        for figure in measured[info.name]:
            table.add_row(
                "measured",
                f"{figure.data}: success AUC {figure.success_auc:.3f}, precision at 20 px {figure.precision_20px:.3f} "
                f"({figure.command})",
            )
        output.print(table)
        output.print()
