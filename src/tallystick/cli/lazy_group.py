"""The commands of `commands.py` as a group of typer's, each loaded when it is asked for."""

from importlib import import_module
from typing import Any

import typer
import typer.core
import typer.main

from tallystick.cli import first_page
from tallystick.cli.commands import BY_USER, Command
from tallystick.cli.help_pages import Page


class LazyGroup(typer.core.TyperGroup):
    """The commands of `BY_USER`, each loaded when it is asked for."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - as typer has it
        """Take what typer gives, and the names, which it suggests where one is mistyped."""
        super().__init__(**settings)
        self._listed = {command.name: command for commands in BY_USER.values() for command in commands}
        self.commands = {
            name: typer.core.TyperCommand(name=name, short_help=command.help) for name, command in self._listed.items()
        }

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401
        """Return the names, in the order of `--help`."""
        return [*self._listed]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401
        """Return a command, None if there is none of that name.

        Raises:
            ImportError: it can't be loaded here.
        """
        listed = self._listed.get(cmd_name)
        return None if listed is None else _loaded(listed)

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
        """Write the page of `tallystick --help`, which is the same without typer."""
        formatter.write(first_page.page(formatter.width))


def _loaded(listed: Command) -> Any:  # noqa: ANN401
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.callback()(lambda: None)  # a group, also of one command
    import_module(f"tallystick.cli.{listed.module}").add_commands(app)
    _with_pages(app)
    return typer.main.get_group(app).commands[listed.name]


def _with_pages(app: typer.Typer) -> None:
    """Have the pages of all commands of an app written in one style."""
    for command in app.registered_commands:
        command.cls = Page
    for group in app.registered_groups:
        if group.typer_instance is not None:
            _with_pages(group.typer_instance)
