"""From a cluster's records to statements, and back: each command of the group has a module of its own."""

from importlib import import_module
from typing import Final

import typer

MODULES: Final = ("usage_read", "usage_map", "usage_plan", "usage_burn", "usage_reconcile")
"""In the order of `usage --help`."""


def add_commands(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        help="Read usage records, plan and burn what isn't burned, reconcile.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    for name in MODULES:
        import_module(f"tallystick.cli.{name}").add_commands(group)
    app.add_typer(group, name="usage")
