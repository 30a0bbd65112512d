"""What the log would say to planned lines, asked of it over all statements against one state, before anything is sent.

A statement that is too large is halved. A line that is refused because it crosses an end (of its contract, of a
reservation, of the time before an accreditation) is cut there, and its parts are asked for. What is still refused is
left out of the statements and shown: the log is never sent what it would refuse.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from tallystick.usage.planning import PlannedLine
from tallystick.usage.splitting import Piece, cut_at
from tallystick.usage.standing import ContractDays
from tallystick.usage.statements import PlannedStatement, halves_of, statements_of
from tallystick.vouchers.refusals import Reason
from tallystick.wire import JsonObject

Check = Callable[[Sequence[PlannedStatement]], Sequence[JsonObject]]
"""Returns what the log would answer to statements, one after another, in order."""

_TOO_LARGE: Final = frozenset({Reason.ENTRY_TOO_LARGE.value, Reason.NOTE_TOO_LARGE.value})
_OF_ENDS: Final = frozenset(
    {
        Reason.OUTSIDE_CONTRACT.value,
        Reason.OUTSIDE_RESERVATION.value,
        Reason.OUTSIDE_VOUCHER_VALIDITY.value,
        Reason.PROVIDER_NOT_ACCREDITED.value,
        Reason.NOTHING_RESERVED.value,
    }
)


class Amounts(NamedTuple):
    """What a line would cost, and what programmes would pay of it."""

    fee_fen: int
    paid_fen: int


class RefusedLine(NamedTuple):
    """A line that the log would refuse."""

    line: PlannedLine
    reason: str
    detail: str
    is_transient: bool


@dataclass(slots=True)
class Preview:
    """What would become of planned lines.

    Attributes:
        statements: of the lines that would be accepted, as they would be sent.
        amounts: of each of their lines, in the order of statements and lines.
        refused: the other lines.
    """

    statements: list[PlannedStatement] = field(default_factory=list)
    amounts: list[Amounts] = field(default_factory=list)
    refused: list[RefusedLine] = field(default_factory=list)

    def lines(self) -> list[tuple[PlannedLine, Amounts]]:
        """Return every line that would be accepted, with its amounts."""
        lines = [line for statement in self.statements for line in statement.lines]
        return list(zip(lines, self.amounts, strict=True))


def previewed(lines: Sequence[PlannedLine], contracts: Mapping[str, ContractDays], check: Check) -> Preview:
    """Return what would become of planned lines.

    Args:
        lines: in any order.
        contracts: when what may be spent under each begins and ends.
        check: asks the log.
    """
    statements = list(statements_of(lines))
    refused: list[RefusedLine] = []
    while True:  # each time something is halved or cut, so there is an end
        asked = _Asked(contracts)
        for statement, answer in zip(statements, check(statements), strict=True):
            asked.take(statement, answer)
        refused += asked.refused
        if not asked.is_changed:
            break
        statements = asked.again
    kept = {_key(line): amounts for line, amounts in asked.accepted}
    final = list(statements_of([line for line, _ in asked.accepted])) if asked.refused else statements
    amounts = [kept[_key(line)] for statement in final for line in statement.lines]
    return Preview(final, amounts, refused)


class _Asked:
    """What came of asking once."""

    def __init__(self, contracts: Mapping[str, ContractDays]) -> None:
        self._contracts = contracts
        self.accepted = list[tuple[PlannedLine, Amounts]]()
        self.refused = list[RefusedLine]()
        self.again = list[PlannedStatement]()
        self.is_changed = False

    def take(self, statement: PlannedStatement, answer: JsonObject) -> None:
        """Take in what the log would answer to a statement."""
        if answer["accepted"]:
            self._take_lines(statement, answer["lines"])
        elif answer["reason"] in _TOO_LARGE and len(statement.lines) > 1:
            self.is_changed = True
            self.again += halves_of(statement)
        else:
            self.refused += [_refused(line, answer) for line in statement.lines]

    def _take_lines(self, statement: PlannedStatement, answers: Sequence[JsonObject]) -> None:
        kept = list[PlannedLine]()
        for line, answer in zip(statement.lines, answers, strict=True):
            if answer["accepted"]:
                self.accepted.append((line, Amounts(answer["fee_fen"], answer["paid_fen"])))
                kept.append(line)
                continue
            parts = self._cut(line) if answer["reason"] in _OF_ENDS else []
            if len(parts) > 1:
                self.is_changed = True
                kept += parts
            else:
                self.refused.append(_refused(line, answer))
        self.again += statements_of(kept)

    def _cut(self, line: PlannedLine) -> list[PlannedLine]:
        """Return the parts of a line that crosses an end; the line itself if it crosses none, or can't be cut."""
        days = self._contracts.get(line.usage.contract)
        if days is None:
            return [line]
        parts, _ = cut_at(Piece(line.starts_at, line.ends_at, line.seconds), {days.starts_at, days.ends_at, *days.ends})
        return [replace(line, starts_at=part.starts_at, ends_at=part.ends_at, seconds=part.seconds) for part in parts]


def _key(line: PlannedLine) -> tuple[str, str, int]:
    """Return by what a line is found: of one job and item no two begin at once."""
    return line.usage.job, line.usage.item, line.starts_at


def _refused(line: PlannedLine, answer: JsonObject) -> RefusedLine:
    return RefusedLine(line, answer["reason"], answer.get("detail", ""), answer.get("transient", False))
