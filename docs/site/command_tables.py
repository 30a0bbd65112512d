"""Write the tables of commands in docs/ from the rulebook: `make docs-tables`.

A table stands between `<!-- from the rulebook: NAME -->` and `<!-- end -->`, and what is there is replaced. The rest
of a page is written by hand. With `--check` nothing is written, and status 1 says that a page differs.
"""

import re
import sys
from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from tallystick.vouchers.refusals import Reason
from tallystick.vouchers.rulebook import described
from tallystick.vouchers.rules.rule import ANY_ROLE

PAGES: Final = ("rules.md", "formats.md")
_TABLE: Final = re.compile(r"(<!-- from the rulebook: (\w+) -->\n)(.*?)(<!-- end -->\n)", re.DOTALL)


def written(page: str) -> str:
    """Return a page with its tables as the rulebook has them.

    Raises:
        KeyError: the page asks for a table that there isn't.
    """
    return _TABLE.sub(lambda match: match[1] + _TABLES[match[2]]() + match[4], page)


def _table(head: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [_row(head), re.sub(r"[^|]+", "---", _row(head)), *map(_row, rows)]
    return "".join(f"{line}\n" for line in lines)


def _row(cells: Iterable[str]) -> str:
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)


def _joined(rows: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return rows with those in a row that differ in their first cell alone as one."""
    groups = groupby(rows, key=lambda row: row[1:])
    return [(", ".join(row[0] for row in group), *rest) for rest, group in groups]


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _commands() -> Iterable[dict[str, Any]]:
    commands: list[dict[str, Any]] = described()["commands"]
    return commands


def _phrase(sentence: str) -> str:
    """Return a docstring's one sentence as a cell."""
    text = sentence.strip().removesuffix(".")
    return text[0].lower() + text[1:]


def _forms() -> str:
    rows = []
    for one in _commands():
        fields = ", ".join(f"`{field['name']}`" + "?" * (not field["required"]) for field in one["fields"])
        rows.append((_codes([one["kind"]]), _codes([one["event"]]), fields, _codes(one["outcome"])))
    return _table(("command", "event", "fields", "outcome"), rows)


def _signers() -> str:
    rows = []
    for one in _commands():
        roles = "any" if set(one["roles"]) == ANY_ROLE else ", ".join(one["roles"])
        rows.append((_codes([one["kind"]]), roles, _phrase(one["signers"])))
    return _table(("command", "role of `party`", "signatures"), _joined(rows))


def _touches() -> str:
    rows = [(_codes([one["kind"]]), _phrase(one["touches"])) for one in _commands()]
    return _table(("command", "accounts that its entry touches"), _joined(rows))


def _reasons() -> str:
    rows = [(_codes([one.value]), "yes" if one.transient else "no", one.meaning) for one in Reason]
    return _table(("reason", "transient", "when"), rows)


def _refusals() -> str:
    rows = [("every command", _codes(described()["every_command"]["refusals"]))]
    rows += [(_codes([one["kind"]]), _codes(one["refusals"])) for one in _commands()]
    return _table(("command", "reasons"), rows)


_TABLES: Final[dict[str, Callable[[], str]]] = {
    "forms": _forms,
    "signers": _signers,
    "touches": _touches,
    "reasons": _reasons,
    "refusals": _refusals,
}


def main(folder: Path, *, check: bool) -> int:
    """Write the pages of a folder, or compare them, and return the exit status."""
    status = 0
    for name in PAGES:
        page = folder / name
        before = page.read_text("utf-8")
        after = written(before)
        if check and after != before:
            print(f"{page}: a table isn't what the rulebook says; run `make docs-tables`", file=sys.stderr)
            status = 1
        elif after != before:
            page.write_text(after, "utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parents[1], check="--check" in sys.argv[1:]))
