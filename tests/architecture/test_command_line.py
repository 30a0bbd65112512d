"""What several commands take is said once, in `cli/parameters.py`."""

import ast
from collections import Counter
from importlib import import_module
from pathlib import Path

import typer

from tallystick import cli
from tallystick.cli import usage
from tallystick.cli.commands import BY_USER

CLI = Path(cli.__file__).parent


def _helps(path: Path) -> list[str]:
    """Return the text of every `help=` in a module; those of commands' own pages are docstrings."""
    texts = []
    for node in ast.walk(ast.parse(path.read_text())):
        for keyword in node.keywords if isinstance(node, ast.Call) else ():
            if keyword.arg == "help" and isinstance(keyword.value, ast.Constant):
                texts.append(str(keyword.value.value))
    return texts


def test_no_two_commands_explain_the_same_parameter() -> None:
    """Two explanations of one thing differ soon."""
    counts = Counter(text for path in CLI.glob("*.py") for text in _helps(path))
    assert len(counts) > 50
    assert [text for text, count in counts.items() if count > 1] == []


def test_a_source_is_parsed_where_the_command_starts() -> None:
    """A parameter called `source` is one of those of `cli/parameters.py`, and never plain text."""
    sources = [
        (path.name, function.name, ast.unparse(argument.annotation))
        for path in CLI.glob("*.py")
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef)
        for argument in function.args.args
        if argument.arg == "source" and argument.annotation is not None
    ]
    assert len(sources) > 15
    assert [one for one in sources if "str" in one[2].split()] == []


LOGIN = {"key": "LoginKey", "passphrase_file": "LoginPassphrase", "passphrase_command": "PassphraseCommand"}


def test_what_reads_a_log_logs_in_by_the_same_options() -> None:
    """A service shows a party what is its own: each command that reads takes `--key`, in the same words."""
    readers = {
        (path.stem, function.name): {
            one.arg: ast.unparse(one.annotation) for one in function.args.args if one.annotation
        }
        for path in CLI.glob("*.py")
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef)
    }
    takes = {
        name: {argument: taken.get(argument) for argument in LOGIN}
        for name, taken in readers.items()
        if taken.get("source") == "parameters.ReadSource"
    }
    assert {("showing", "show"), ("listing", "list_"), ("operator", "export"), ("provider", "check")} <= {*takes}
    wanted = {name: f"parameters.{kind}" for name, kind in LOGIN.items()}
    assert {name: taken for name, taken in takes.items() if taken != wanted} == {}


def test_every_command_is_listed_for_one_user_and_is_where_the_list_says() -> None:
    """A module that is in no list could never be called; a command in two would be two commands."""
    listed = [command for commands in BY_USER.values() for command in commands]
    modules = {path.stem for path in CLI.glob("*.py") if "\ndef add_commands(" in path.read_text()}
    in_a_group = {*usage.MODULES}
    assert {command.module for command in listed} | in_a_group == modules
    app = typer.Typer()
    for module in modules - in_a_group:
        import_module(f"tallystick.cli.{module}").add_commands(app)
    assert sorted(typer.main.get_group(app).commands) == sorted(command.name for command in listed)
