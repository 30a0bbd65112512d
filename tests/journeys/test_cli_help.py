"""Every page of help is in one style, with an example that can be given; shells complete commands and options."""

import re
import shlex
from typing import Annotated, Any

import pytest
import typer.core

from support.command_line import done
from tallystick.cli import first_page
from tallystick.cli.commands import BY_USER
from tallystick.cli.examples import EXAMPLES
from tallystick.cli.lazy_group import LazyGroup

TYPES = re.compile(r"<(str|int|bool|path|float|list\[|datetime|Path)|list\[|\{[A-Z]|PosixPath")
WRAPPED = re.compile(r" *\\\n +")


def every_command() -> dict[str, Any]:
    """Every command by what is typed; those of `do` have tests of their own."""
    found: dict[str, Any] = {}
    root = LazyGroup(name="tallystick")

    def walk(command: Any, path: str) -> None:
        subcommands = getattr(command, "commands", {})
        if not subcommands or path == "inbox":
            found[path] = command
        for name, inner in subcommands.items():
            walk(inner, f"{path} {name}")

    for commands in BY_USER.values():
        for one in commands:
            if one.name != "do":
                walk(root.get_command(None, one.name), one.name)
    return found


COMMANDS = every_command()


def test_every_command_has_an_example_and_no_other() -> None:
    """An example of a command that was renamed misleads."""
    assert set(EXAMPLES) == set(COMMANDS)


@pytest.mark.parametrize("path", [*COMMANDS])
def test_a_page_shows_what_is_typed_and_no_types(path: str) -> None:
    """By either name of the option for help."""
    page = done(*path.split(), "-h")
    assert page == done(*path.split(), "--help")
    assert page.startswith(f"Usage: tallystick {path}")
    assert TYPES.findall(page) == []
    assert "Examples:" in page or path == "inbox"


@pytest.mark.parametrize("path", [*COMMANDS])
def test_an_example_has_what_the_command_takes(path: str) -> None:
    """Its options are there, and no argument is missing."""
    text = "\n".join(EXAMPLES[path])
    for line in WRAPPED.sub(" ", text).splitlines():
        _, *words = shlex.split(line)
        given = words[len(path.split()) :]
        assert words[: len(path.split())] == path.split()
        command = COMMANDS[path]
        assert isinstance(command, typer.core.TyperCommand | typer.core.TyperGroup)
        known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
        assert {word for word in given if word.startswith("-") and word != "-"} <= known
        required = {one.opts[0] for one in command.params if one.required and one.param_type_name == "option"}
        assert {name for name in required if name not in given} <= {"-o", "--out"}


class TypersPage(typer.core.TyperGroup):
    """The first page as typer formats it, a section for each user."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        for user, commands in BY_USER.items():
            with formatter.section(user):
                longest = max(len(name) for name in LazyGroup(name="tallystick").commands)
                formatter.write_dl([(one.name.ljust(longest), one.help) for one in commands])


@pytest.mark.parametrize("columns", ["20", "52", "60", "66", "67", "79", "80", "200", "0", "wide"])
def test_the_first_page_is_what_typer_would_write(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is written without typer, which takes five times as long to load as Python to start."""
    monkeypatch.setenv("COLUMNS", columns)
    app = typer.Typer(cls=TypersPage, help=first_page.SUMMARY, rich_markup_mode=None)

    @app.callback()
    def tallystick(version: Annotated[bool, typer.Option("--version", help=first_page.VERSION_HELP)] = False) -> None:
        pass

    group = typer.main.get_command(app)
    context = group.make_context("tallystick", [], help_option_names=["-h", "--help"], resilient_parsing=True)
    assert done("--help") == done("-h") == group.get_help(context) + "\n"
    # Of what stands beside it typer's own reading makes nothing, and writes the same page.
    assert done("--help", "balances") == done("--help")


COMPLETED = (
    ("tallystick bal", "balances"),
    ("tallystick do voucher.iss", "voucher.issue"),
    ("tallystick do voucher.issue --fa", "--face"),
    ("tallystick do contract.sign --basis met", "metered"),
    ("tallystick show ledger vouch", "voucher"),
)


@pytest.mark.parametrize(("typed", "completed"), COMPLETED)
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete(shell: str, typed: str, completed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands, kinds, options and values of closed lists."""
    monkeypatch.setenv("_TALLYSTICK_COMPLETE", f"complete_{shell}")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split()) - 1))
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", typed)
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
    assert completed in done()


SCRIPTS = {
    "bash": "complete -o default -F _tallystick_completion tallystick",
    "zsh": "#compdef tallystick",
    "fish": "complete --command tallystick",
}


@pytest.mark.parametrize("shell", [*SCRIPTS])
def test_a_script_for_completion_is_shown(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """To be put where a shell reads it; `--install-completion` does that for the shell that it is typed in."""
    monkeypatch.setenv("_TALLYSTICK_COMPLETE", f"source_{shell}")
    assert SCRIPTS[shell] in done()
