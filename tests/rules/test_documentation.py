"""docs/rules.md says what the code does: its tables of refusals, signers and postings are compared with it."""

from pathlib import Path

from tallystick.vouchers import rulebook
from tallystick.vouchers.refusals import Reason

RULES = (Path(__file__).resolve().parents[2] / "docs" / "rules.md").read_text("utf-8")
EVERY_ROLE = {"network", "treasury", "provider", "auditor", "operator", "attester", "holder"}


def table(head: str) -> list[list[str]]:
    """The rows of the table whose head row begins so, cell by cell."""
    lines = iter(RULES.splitlines())
    assert any(line.startswith(head) for line in lines)
    assert next(lines).startswith("|---")
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def test_the_refusals_are_those_of_the_code() -> None:
    """Same names, same order, same words, and whether it is transient."""
    documented = [tuple(row) for row in table("| reason | transient | when |")]
    assert documented == [(f"`{one.value}`", "yes" if one.transient else "no", one.meaning) for one in Reason]


def test_who_may_give_each_command() -> None:
    """Every command has a row, with the roles that the code lets."""
    documented = {}
    for commands, roles, _ in table("| command | role of `party` | signatures |"):
        for command in commands.split(", "):
            words = EVERY_ROLE if roles == "any" else set(roles.split(", "))
            documented[command.strip("`")] = words
    built = {kind: set(rule.roles) for kind, rule in rulebook.RULEBOOK.rules.items()}
    assert documented == built
    assert set(documented) == set(rulebook.RULEBOOK.rules)


def test_every_command_is_described() -> None:
    """With what else it holds."""
    described = RULES.partition("## Commands")[2].partition("## The law of conservation")[0]
    missing = {kind for kind in rulebook.RULEBOOK.rules if f"`{kind}`" not in described}
    assert missing == set()
