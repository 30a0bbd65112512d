"""The page of each command in one style: what it does, an example, what it takes; no type of Python's.

A parameter is called by its metavar, or else as people say what it is: FILE, DIR, TIME, NUMBER, or its name.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from pathlib import Path
from typing import Any, Final, get_args

import typer.core

_TIMES: Final = {"as_of": "INDEX|TIME", "log_time": "TIME", "signed_at": "TIME"}
_FILES: Final = frozenset({"file", "genesis", "note", "policy", "report"})
_CHOICES_SHOWN: Final = 40
"""Characters; a longer list stands in the text beside it."""


class Page(typer.core.TyperCommand):
    """A command whose page is written here."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ANN401 - typer's
        """Return what is typed after the command's name."""
        return [self.options_metavar or "", *[_in_usage(one) for one in self.get_params(ctx) if _is_argument(one)]]

    def format_options(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - typer's
        """Write what the command takes."""
        shown = [one for one in self.get_params(ctx) if not getattr(one, "hidden", False)]
        for title, is_argument in (("Arguments", True), ("Options", False)):
            listed = [_record(one) for one in shown if _is_argument(one) == is_argument]
            if listed:
                with formatter.section(title):
                    formatter.write_dl(listed)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - typer's
        """Write examples of how the command is given."""
        from tallystick.cli.examples import EXAMPLES

        lines = EXAMPLES.get(ctx.command_path.removeprefix("tallystick "))
        if lines:
            with formatter.section("Examples"):
                for line in lines:
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")


def metavar_of(parameter: Any) -> str:  # noqa: ANN401 - typer's
    """Return what stands for a parameter's value; empty of a flag."""
    if getattr(parameter, "is_flag", False):
        return ""
    if parameter.metavar is not None:
        return str(parameter.metavar).removesuffix("...")
    described = parameter.type_descriptor
    if described.is_choice:
        return (
            "|".join(_choices(described)) if len("|".join(_choices(described))) <= _CHOICES_SHOWN else _name(parameter)
        )
    one = (*get_args(described.annotation), described.annotation)[0]
    if one is Path or parameter.name in _FILES:
        return "FILE"
    if one is int:
        return "NUMBER" if not _is_argument(parameter) else _name(parameter)
    if one is not str and isinstance(one, type) and one.__name__ == "folder":
        return "DIR"
    return _TIMES.get(parameter.name) or _name(parameter)


def _record(parameter: Any) -> tuple[str, str]:  # noqa: ANN401 - typer's
    """Return what a parameter is called, and what it does."""
    text = parameter.help or ""
    described = parameter.type_descriptor if hasattr(parameter, "type_descriptor") else None
    if described is not None and described.is_choice and len("|".join(_choices(described))) > _CHOICES_SHOWN:
        text = f"{text.rstrip('.')}: {', '.join(_choices(described))}."
    default = parameter.default
    if isinstance(default, str | int) and not isinstance(default, bool) and str(default):
        text += f"  [default: {getattr(default, 'value', default)}]"
    if _is_argument(parameter):
        return _in_usage(parameter), text
    if parameter.required:
        text += "  [required]"
    names = ", ".join(sorted([*parameter.opts, *parameter.secondary_opts], key=len))
    return f"{names} {metavar_of(parameter)}".rstrip(), text


def _in_usage(parameter: Any) -> str:  # noqa: ANN401 - typer's
    name = metavar_of(parameter) + ("..." if parameter.nargs != 1 else "")
    return name if parameter.required else f"[{name}]"


def _is_argument(parameter: Any) -> bool:  # noqa: ANN401 - typer's
    return bool(parameter.param_type_name == "argument")


def _name(parameter: Any) -> str:  # noqa: ANN401 - typer's
    longest = max((one for one in parameter.opts if one.startswith("--")), key=len, default=parameter.name)
    return str(longest).lstrip("-").replace("_", "-").upper()


def _choices(described: Any) -> list[str]:  # noqa: ANN401 - typer's
    return [str(getattr(choice, "value", choice)) for choice in described.choices or ()]
