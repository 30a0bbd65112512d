"""The rules of each programme, version by version: from which day each is in force, and since which entry it is known.

An amendment's rules take the place of those that were to be in force from the same day or later (docs/rules.md,
`programme.amend/1`): such versions never were, and aren't told.
"""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final

from pydantic import TypeAdapter

from tallystick.forms.rules_in_words import rules_in_words
from tallystick.views.changes import Change, Commands
from tallystick.views.library import SQLiteCursor
from tallystick.views.view_tables import IndexKey, Key, Table
from tallystick.vouchers.programmes import DatedRules, ProgrammeRules
from tallystick.vouchers.quantities import format_day, format_instant
from tallystick.vouchers.rules.programmes import ProgrammeAmend, ProgrammeOpen
from tallystick.vouchers.state import State


@dataclass(frozen=True, slots=True)
class RulesRow:
    """A version of a programme's rules as an entry set them; `rules` is its JSON."""

    programme: Key
    entry_index: IndexKey
    at: int
    valid_from: str
    first_day: str
    reason: str
    rules: str


@dataclass(frozen=True, slots=True)
class RulesVersion:
    """The rules of a programme from a day on, until the next version's.

    Attributes:
        first_day: the network's day on which they come into force.
        valid_from: the instant.
        index, at: of the entry that set them.
        reason: why they were amended; empty of those that the programme was opened with.
        in_words: what they say, rule by rule.
        rules: the same as fields, as docs/rules.md names them; amounts in fen, shares in basis points.
    """

    first_day: str
    valid_from: str
    index: int
    at: str
    reason: str
    in_words: tuple[str, ...]
    rules: dict[str, Any]


RULES_VERSIONS: Final = Table("programme_rules", RulesRow)
_RULES: Final[TypeAdapter[ProgrammeRules]] = TypeAdapter(ProgrammeRules)


class RulesVersions:
    """What a batch of entries adds to programmes' rules."""

    commands: ClassVar[Commands] = (ProgrammeOpen, ProgrammeAmend)

    def __init__(self) -> None:
        self._rows: list[RulesRow] = []

    def add(self, change: Change) -> None:
        """Take in one entry."""
        match change.event.command:
            case ProgrammeOpen() as command:
                self._add(change, command.programme, "")
            case ProgrammeAmend(rules=rules) as command if rules is not None:
                self._add(change, command.programme, command.reason)

    def write(self, c: SQLiteCursor, _: State) -> None:
        """Write the batch."""
        RULES_VERSIONS.insert(c, self._rows)

    def _add(self, change: Change, programme: str, reason: str) -> None:
        event, state = change.event, change.state
        newest: DatedRules = state.programmes[programme].versions[-1]
        self._rows.append(
            RulesRow(
                programme=programme,
                entry_index=event.index,
                at=event.at,
                valid_from=format_instant(newest.valid_from),
                first_day=format_day(state.day_of(newest.valid_from)),
                reason=reason,
                rules=_RULES.dump_json(newest.rules, exclude_none=True).decode(),
            )
        )


# -- questions --------------------------------------------------------------------------------------------------------


def rules_versions(c: SQLiteCursor, programme: str) -> tuple[RulesVersion, ...]:
    """Return the versions of a programme's rules, in the order in which they come into force."""
    return tuple(_version(row) for row in _standing(c, programme))


def rules_at(c: SQLiteCursor, programme: str, instant: str) -> ProgrammeRules:
    """Return the rules of a programme that are in force at an instant, as `format_instant` writes it."""
    first, *later = _standing(c, programme)
    newest = [row for row in later if row.valid_from <= instant]
    return _RULES.validate_json((newest or [first])[-1].rules)


def _standing(c: SQLiteCursor, programme: str) -> list[RulesRow]:
    standing: list[RulesRow] = []
    for row in RULES_VERSIONS.rows(c, programme=programme):
        standing = [*(one for one in standing if one.valid_from < row.valid_from), row]
    return standing


def _version(row: RulesRow) -> RulesVersion:
    rules = _as_said(_RULES.validate_json(row.rules))
    return RulesVersion(
        first_day=row.first_day,
        valid_from=row.valid_from,
        index=row.entry_index,
        at=format_instant(row.at),
        reason=row.reason,
        in_words=rules_in_words(rules),
        rules=rules,
    )


def _as_said(rules: ProgrammeRules) -> dict[str, Any]:
    """Return rules as fields, without those that aren't said, days as texts."""
    said = {name: value for name, value in asdict(rules).items() if value is not None}
    if rules.proration is not None:
        said["proration"] |= {
            "first_day": format_day(rules.proration.first_day),
            "last_day": format_day(rules.proration.last_day),
        }
    return said
