"""Planned lines fill statements, contract by contract; a statement's reference follows from what it says.

So the same lines against the same log make the same statement, and the log refuses its reference a second time. Lines
that were taken back or refused before count in it too, or what replaces them would have a reference that is used.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

from tallystick.signing.algorithms import SHA256
from tallystick.usage.evidence import evidence_root
from tallystick.usage.planning import PlannedLine, Reversal, order
from tallystick.vouchers.fields import ITEMS_MAX, LINES_MAX
from tallystick.vouchers.quantities import format_second

TEXT_SIZE_MAX: Final = 62_000
"""Bytes of a statement's lines, with what each adds to its entry; where that isn't enough, it is halved."""
ANSWER_SIZE: Final = 24
"""Bytes that a line's fee and payments take in its entry, where one or two programmes pay."""
_ROW_SIZE: Final = 70
"""Bytes of a row without its job's name: two times, GPUs and seconds of eight digits, and marks."""
_LATE_SIZE: Final = 22
_CORRECTS_SIZE: Final = 42
_REF_DIGITS: Final = 24
_REASON_MAX: Final = 200


class PlannedStatement(NamedTuple):
    """A statement to be signed.

    Attributes:
        ref: its reference.
        contract: under which it is.
        lines: in the order in which the log counts them.
    """

    ref: str
    contract: str
    lines: tuple[PlannedLine, ...]

    def groups(self, evidence_key: bytes | None) -> list[dict[str, Any]]:
        """Return its groups as the command has them."""
        groups = []
        for item, of_item in groupby(self.lines, key=lambda line: line.usage.item):
            lines = list(of_item)
            group: dict[str, Any] = {"item": item, "lines": [row_of(line) for line in lines]}
            root = None if evidence_key is None else evidence_root([line.usage.record for line in lines], evidence_key)
            groups.append(group if root is None else group | {"evidence_root": root})
        return groups

    def fields(self, common: dict[str, str], evidence_key: bytes | None) -> dict[str, Any]:
        """Return its command's fields.

        Args:
            common: the log, the party and when it is signed.
            evidence_key: of which the salts are made; None: no evidence.
        """
        return {
            "kind": "time.burn/1",
            "contract": self.contract,
            "groups": self.groups(evidence_key),
            **common,
            "ref": self.ref,
        }


def statements_of(lines: Iterable[PlannedLine], *, size_max: int = TEXT_SIZE_MAX) -> Iterator[PlannedStatement]:
    """Yield statements of lines, as few as hold them.

    Args:
        lines: in any order.
        size_max: bytes of a statement's lines.
    """
    for contract, of_contract in groupby(sorted(lines, key=order), key=lambda line: line.usage.contract):
        for chunk in _chunks(of_contract, size_max):
            yield statement_of(contract, chunk)


def statement_of(contract: str, lines: Sequence[PlannedLine]) -> PlannedStatement:
    """Return the statement that lines make, which are in order and fit."""
    said = [contract, [[line.usage.item, row_of(line), line.earlier] for line in lines]]
    digest = SHA256.digest(json.dumps(said, separators=(",", ":")).encode()).hex()
    return PlannedStatement(f"usage/{digest[:_REF_DIGITS]}", contract, tuple(lines))


def halves_of(statement: PlannedStatement) -> list[PlannedStatement]:
    """Return two statements of one that is too large; that one itself where it has but one line."""
    middle = len(statement.lines) // 2
    parts = [statement.lines[:middle], statement.lines[middle:]]
    return [statement_of(statement.contract, part) for part in parts if part]


def row_of(line: PlannedLine) -> list[Any]:
    """Return a line as the command has it."""
    usage = line.usage
    row: list[Any] = [
        usage.job,
        usage.gpu_milli,
        format_second(line.starts_at),
        format_second(line.ends_at),
        line.seconds,
    ]
    if line.corrects is not None:
        statement, number = line.corrects
        row.append({"corrects": {"statement": statement, "line": number}})
    elif line.is_late:
        row.append({"prior_period": True})
    return row


def reversal_fields(reversal: Reversal, common: dict[str, str]) -> dict[str, Any]:
    """Return the fields of the command that takes a line back, to be signed by a person apart.

    Args:
        reversal: what and why.
        common: the log and the party.
    """
    line = reversal.line
    digest = SHA256.digest(json.dumps([line.entry, line.statement, line.number]).encode()).hex()
    return {
        "kind": "burn.reverse/1",
        "statement": line.statement,
        "line": line.number,
        "reason": reversal.why.meaning[:_REASON_MAX],
        **common,
        "ref": f"usage/reverse-{digest[:_REF_DIGITS]}",
    }


def _size_of(line: PlannedLine) -> int:
    """Return how many bytes a line takes in its entry, at most: row, separator and answer."""
    size = len(line.usage.job) + _ROW_SIZE + ANSWER_SIZE
    if line.corrects is not None:
        return size + len(line.corrects[0]) + _CORRECTS_SIZE
    return size + _LATE_SIZE if line.is_late else size


def _chunks(lines: Iterable[PlannedLine], size_max: int) -> Iterator[list[PlannedLine]]:
    chunk: list[PlannedLine] = []
    items: set[str] = set()
    size = 0
    for line in lines:
        of_line = _size_of(line)
        is_full = size + of_line > size_max or len(chunk) == LINES_MAX
        if chunk and (is_full or len(items | {line.usage.item}) > ITEMS_MAX):
            yield chunk
            chunk, items, size = [], set(), 0
        chunk.append(line)
        items.add(line.usage.item)
        size += of_line
    if chunk:
        yield chunk
