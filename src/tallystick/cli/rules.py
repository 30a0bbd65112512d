"""What commands there are, as this version decides them.

    rules            every command with its event, the roles that may give it, and its fields
    rules --json     also outcomes, signatures, touches and refusals

docs/rules.md says the same in words, docs/formats.md to the byte.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import typer

from tallystick.cli import output, parameters


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(rules)


def rules(
    as_json: parameters.AsJson = False,
    wide: parameters.Wide = False,
) -> None:
    """List every command with its event, the roles that may give it, and its fields."""
    from tallystick.vouchers.rulebook import described

    told = described()
    if as_json:
        output.print_json(told)
        return
    rows = [
        (
            one["kind"],
            one["event"],
            ", ".join(one["roles"]),
            ", ".join(field["name"] + "?" * (not field["required"]) for field in one["fields"]),
        )
        for one in told["commands"]
    ]
    title = f"Commands, each also with {', '.join(told['every_command']['fields'])}; ? may be left out"
    output.table(title, ("command", "event", "roles", "fields"), rows, wide=wide)
