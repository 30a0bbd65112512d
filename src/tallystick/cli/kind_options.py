"""A kind of command on the command line: its form's options, their help, and an example, made from the form."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final

import typer
import typer.main

from tallystick.cli.help_pages import Page
from tallystick.forms.building import Option
from tallystick.forms.form import Form
from tallystick.forms.leaves import Leaf
from tallystick.forms.records import Part

_PREFIX: Final = "of_form_"
_SETTINGS: Final = {"help_option_names": ["-h", "--help"]}
Filled = Mapping[str, Sequence[str]]


def command_of(form: Form, run: Callable[..., Any]) -> Any:  # noqa: ANN401 - typer's
    """Return the command of a kind.

    Args:
        form: the kind's.
        run: is called with the form, what was filled in by option, and its own options, which are its further
            parameters.
    """
    own = [*inspect.signature(run).parameters.values()][2:]
    options = sorted(form.options, key=lambda option: not option.is_required)
    parameters = [_parameter(option) for option in options]

    def command(**given: Any) -> Any:  # noqa: ANN401 - whatever typer reads
        words = {}
        for option in form.options:
            value = given.pop(_PREFIX + option.name.replace("-", "_"))
            if value:
                words[option.name] = ["yes"] if value is True else [value] if isinstance(value, str) else value
        return run(form, words, **given)

    command.__doc__ = page(form)
    command.__signature__ = inspect.Signature([*parameters, *own])  # type: ignore[attr-defined] # typer reads it
    command.__annotations__ = {one.name: one.annotation for one in (*parameters, *own)}
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(name_of(form), cls=Page, context_settings=_SETTINGS)(command)
    return typer.main.get_command(app)


def name_of(form: Form) -> str:
    """Return what a kind is called on the command line: without its version."""
    return form.kind.partition("/")[0]


def page(form: Form) -> str:
    """Return the page about a kind: what it does, who gives it, and an example."""
    roles = ", ".join(sorted(form.rule.roles))
    return f"{form.meaning}\n\nGiven by: {roles}.\n\n\b\nExample:\n{_example(form)}\n"


def _example(form: Form) -> str:
    lines = [f"  tallystick do {name_of(form)}"]
    for option in in_example(form):
        word = f"--{option.name} {_quoted(example_of(option, form))}"
        if len(lines[-1]) + len(word) > 76:
            lines[-1] += " \\"
            lines.append("      " + word)
        else:
            lines[-1] += f" {word}"
    return "\n".join(lines)


def in_example(form: Form) -> list[Option]:
    """Return the options that an example says: those that are required, or where one of several is, the first."""
    said = [option for option in form.options if option.is_required and not option.filled_in]
    more = _ONE_OF_SEVERAL.get(name_of(form))
    several = {more, "uscc"} if more == "name" else {more}
    return said + [option for option in form.options if option.name in several]


def example_of(option: Option, form: Form) -> str:
    """Return what could be filled in."""
    mine = _BY_KIND.get((name_of(form), option.name))
    if mine is not None:
        return mine
    if isinstance(option.shape, Leaf):
        return _of_leaf(option.name, option.shape)
    return ",".join(f"{part.name}={_of_leaf(part.name, part.leaf)}" for part in option.shape.needed_parts())


def _of_leaf(name: str, leaf: Leaf) -> str:
    if leaf.choices:
        return leaf.choices[0]
    if name == "to" and leaf.metavar == "PARTY":
        return "acme-labs"
    return _BY_NAME.get(name.rpartition(".")[2]) or _BY_METAVAR.get(leaf.metavar, "as decided")


_BY_KIND: Final = {
    ("item.register", "name"): "Ascend 910B",
    ("network.found", "name"): "National network",
    ("party.admit", "admitted"): "acme",
    ("party.admit", "name"): "Acme AI",
    ("party.admit", "role"): "holder",
}
_ONE_OF_SEVERAL: Final = {
    "party.admit": "name",
    "contract.amend": "amount",
    "programme.amend": "envelope",
    "reservation.extend": "amount",
    "service.burn": "quantity",
}
_KEY: Final = "acme/officer-3+61c07ac6+AQnwGxfPpGGucmCc7bOJOspvpUT1hVo+okpftdeoqvii"
_LOG_KEY: Final = "tallystick.example/national+cc961fc4+ATI5l+oHZ6+gnJ05Vs24LrsVsxbjDqxSWhgyaAtvRogY"
_NEXT_LOG_KEY: Final = "tallystick.example/national+d333a9ed+AR5fe0gr2kw9uMzEXCpfcHvzt4mrSXj7yBuhbs4IDIWc"
_BY_NAME: Final = {
    "admitted": "acme-ai",
    "application": "acme-ai/a-1",
    "attester": "expert-panel",
    "clock-skew": "5m",
    "claim": "guian-cluster/c-1",
    "closes-at": "2026-12-31",
    "contract": "acme-ai/k-1",
    "demand": "shanghai-treasury/d-1",
    "duration": "1h",
    "edition": "1",
    "fiscal-year": "2026",
    "from": "2026-01-05T09:00:00",
    "group": "compute",
    "into": "acme-ai/v-8",
    "last-day": "2026-03-31",
    "line": "0",
    "log-vkey": _LOG_KEY,
    "old-vkey": _LOG_KEY,
    "mandate": "shanghai-treasury/m-1",
    "name": "Compute vouchers 2026",
    "new-vkey": _NEXT_LOG_KEY,
    "operator": "platform-operator",
    "passes": "1",
    "payee": "guian-cluster",
    "price": "6.00",
    "price-limit": "8.00",
    "provider": "guian-cluster",
    "quorum": "2",
    "reference": "payment 17",
    "required": "2",
    "root-quorum": "1",
    "reservation": "acme-ai/r-1",
    "rounding": "0.01",
    "seal": "platform-operator/2026-q1",
    "share": "50%",
    "statement": "2026-01",
    "subject": "acme-ai",
    "subject-id": "acme-ai/a-1",
    "to": "2026-01-05T10:00:00",
    "topic": "review",
    "until": "2026-06-30",
    "voucher": "shanghai-treasury/v-7",
    "uscc": "91310000932MFKDWFD",
    "valid-until": "2026-12-31",
    "validity-days": "365",
}
_BY_METAVAR: Final = {
    "DAY": "2026-01-05",
    "DURATION": "7d",
    "FILE": "checkpoint",
    "FILE|HASH": "paper.pdf",
    "GPUS": "8",
    "ID": "shanghai-treasury/compute-2026",
    "ITEM": "ascend-910b",
    "JOB": "job-17",
    "KEY": "acme/officer-3+61c07ac6",
    "NUMBER": "30",
    "OFFSET": "+08:00",
    "PARTY": "acme-ai",
    "PERCENT": "60%",
    "TIME": "2026-01-05",
    "VKEY": _KEY,
    "WORD": "review",
    "YUAN": "1,500,000.00",
    "yes": "yes",
}


def _quoted(text: str) -> str:
    return f"'{text}'" if any(letter in text for letter in " '\";&|*") else text


def _parameter(option: Option) -> inspect.Parameter:
    metavar: str | None = option.shape.metavar if isinstance(option.shape, Leaf) else "name=value,…"
    text = _help(option)
    type_: Any
    default: Any = None
    if option.is_flag:
        type_, metavar, default = bool, None, False
    else:
        type_ = list[str] | None if option.is_list else str | None
    choices = list(option.shape.choices) if isinstance(option.shape, Leaf) else []
    complete = (lambda incomplete: [one for one in choices if one.startswith(incomplete)]) if choices else None
    annotation = Annotated[type_, typer.Option(f"--{option.name}", metavar=metavar, help=text, autocompletion=complete)]
    return inspect.Parameter(
        _PREFIX + option.name.replace("-", "_"), inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def _help(option: Option) -> str:
    meaning = option.meaning[:1].upper() + option.meaning[1:]
    shape = option.shape
    if isinstance(shape, Leaf):
        rest = f"; {shape.bounds}" if shape.is_measured else ""
    else:
        rest = f": {'; '.join(_part(part) for part in shape.all_parts())}"
    least, most = option.lengths
    repeated = f" Repeated, {least} to {most} times." if option.is_list else ""
    required = "  [required]" if option.is_required and not option.filled_in else ""
    return f"{meaning}{rest}.{repeated}{required}"


def _part(part: Part) -> str:
    marks = "".join(["" if part.is_required else "?", "*" if part.is_list else ""])
    bounds = f" ({part.leaf.bounds})" if part.leaf.is_measured else ""
    return f"{part.name}{marks}={part.leaf.metavar} {part.meaning}{bounds}"
