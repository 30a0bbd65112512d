"""What several commands take is said once, in `cli/parameters.py`."""

import ast
from collections import Counter
from pathlib import Path

from tallystick import cli

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
