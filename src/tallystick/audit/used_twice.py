"""What may be used once in one log may be used once in all of them: a document, a job's time, a payment reference.

A party has other ids in another log. It is the same by its unified social credit code, or by a key that both have.
What is compared, and why nothing else is: docs/many-logs.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, repeat
from operator import itemgetter
from typing import Any, Final, NamedTuple

from tallystick.audit.network_report import FindingsTogether, PlaceInLog
from tallystick.audit.uses import Uses
from tallystick.findings import FINDINGS_MAX, FindingCode
from tallystick.vouchers.burns import Group
from tallystick.vouchers.quantities import format_second

_STANDS: Final = (
    "NOT EXISTS (SELECT 1 FROM taken_back WHERE taken_back.log = {0}.log AND taken_back.entry = {0}.entry "
    "AND taken_back.line = {1})"
)
_DOCUMENTS: Final = (
    "SELECT document, log, min(entry) FROM documents WHERE document IN (SELECT document FROM documents "  # noqa: S608
    f"WHERE {_STANDS.format('documents', 0)} GROUP BY document HAVING count(DISTINCT log) > 1) "
    f"AND {_STANDS.format('documents', 0)} GROUP BY document, log ORDER BY document, log"
)
_PAYMENTS: Final = (
    "SELECT identity, reference, payments.log, min(payments.entry) FROM payments JOIN shared USING (log, party) "
    "GROUP BY identity, reference, payments.log ORDER BY identity, reference, payments.log"
)
_IMPORTS: Final = (
    "SELECT identity, voucher, imports.log, min(imports.entry) FROM imports JOIN shared USING (log, party) "
    "GROUP BY identity, voucher, imports.log ORDER BY identity, voucher, imports.log"
)
_GRANTED: Final = (
    "SELECT treasuries.identity, holders.identity, granted.cap, granted.log, granted.fen, granted.entry, "
    "(SELECT max(caps.fen) FROM caps WHERE caps.log = granted.log AND caps.treasury = granted.treasury "
    "AND caps.cap = granted.cap) FROM granted "
    "JOIN shared AS treasuries ON treasuries.log = granted.log AND treasuries.party = granted.treasury "
    "JOIN shared AS holders ON holders.log = granted.log AND holders.party = granted.holder "
    "ORDER BY 1, 2, 3, 4"
)
_PARTIES: Final = (
    "SELECT identity, shared.log, entry, role, code FROM shared JOIN parties USING (log, party) "
    "ORDER BY identity, shared.log"
)
_OF_SHARED_PROVIDERS: Final = (
    "provider IN (SELECT provider FROM (SELECT DISTINCT provider, log FROM groups) "
    "GROUP BY provider HAVING count(*) > 1)"
)
_GROUPS: Final = f"SELECT provider, item, log, entry, jobs, packed FROM groups WHERE {_OF_SHARED_PROVIDERS}"  # noqa: S608
_SHARED_JOBS: Final = (
    "CREATE TABLE shared_jobs AS SELECT provider, item, job FROM jobs GROUP BY provider, item, job "
    "HAVING min(log) < max(log)"
)
_GROUPS_WITH_SHARED_JOBS: Final = (
    "SELECT provider, item, log, entry, jobs, packed FROM groups "
    "WHERE (provider, item) IN (SELECT provider, item FROM shared_jobs)"
)
_LINES: Final = (
    "SELECT provider, item, job, starts, ends, log, entry FROM lines JOIN shared_jobs USING (provider, item, job) "  # noqa: S608
    f"WHERE {_STANDS.format('lines', 'lines.line')} ORDER BY provider, item, job, starts, ends, log, entry"
)


def compare(uses: Uses, origins: Sequence[str], findings: FindingsTogether) -> None:
    """Note what was used in more than one log, and may be used once.

    Args:
        uses: of all logs.
        origins: of the logs, by their place.
        findings: where it goes.

    Raises:
        SourceUnreadableError: there is no room to sort what was used.
    """
    for statement in _PREPARATION:
        list(uses.ask(statement))
    found = _Comparison(uses, origins, findings)
    found.documents()
    found.job_times()
    found.references(_PAYMENTS, FindingCode.PAYMENT_IN_TWO_LOGS, "the reference {}")
    found.references(_IMPORTS, FindingCode.VOUCHER_IN_TWO_LOGS, "evidence, face and dates (in microseconds) {}")
    found.caps()
    found.parties()


_PREPARATION: Final = (
    "CREATE INDEX groups_provider ON groups (provider, log)",
    "CREATE INDEX taken_back_line ON taken_back (log, entry, line)",
    "CREATE TABLE shared AS SELECT * FROM identities WHERE identity IN "
    "(SELECT identity FROM identities GROUP BY identity HAVING count(DISTINCT log) > 1)",
    "CREATE INDEX shared_party ON shared (log, party)",
    "CREATE INDEX parties_party ON parties (log, party)",
    "CREATE INDEX caps_cap ON caps (log, treasury, cap)",
)
"""`shared` are the identities of parties that are in more than one log."""


class _Line(NamedTuple):
    """An accepted line that nobody took back: times in microseconds, its log by place, its entry."""

    starts: int
    ends: int
    log: int
    entry: int


@dataclass(slots=True)
class _Pair:
    """Lines of two statements that have moments of the same jobs in common: how many, and one of them."""

    count: int
    example: str


class _Comparison:
    def __init__(self, uses: Uses, origins: Sequence[str], findings: FindingsTogether) -> None:
        self._uses = uses
        self._origins = origins
        self._findings = findings

    def _places(self, rows: Sequence[tuple[int, int]]) -> tuple[PlaceInLog, ...]:
        return tuple([PlaceInLog(log=self._origins[log], index=entry) for log, entry in rows])

    def documents(self) -> None:
        """Contracts and invoices of one document; one that was reversed is none."""
        for document, rows in _groups(self._uses.ask(_DOCUMENTS), 1):
            detail = f"the document {document[0]}"
            self._findings.add(FindingCode.DOCUMENT_IN_TWO_LOGS, self._places([row[1:] for row in rows]), detail)

    def references(self, question: str, code: FindingCode, words: str) -> None:
        """What one party used in more than one log, by the text under which it may be used once."""
        for (identity, used), rows in _groups(self._uses.ask(question), 2):
            if len(rows) > 1:
                detail = f"{words.format(used)}, of {_named(identity)}"
                self._findings.add(code, self._places([row[2:] for row in rows]), detail)

    def caps(self) -> None:
        """What one treasury granted one holder in a fiscal year and group, against the widest of its caps."""
        for (treasury, holder, cap), rows in _groups(self._uses.ask(_GRANTED), 3):
            granted_fen, cap_fen = sum(row[4] for row in rows), max(row[6] or 0 for row in rows)
            if len(rows) > 1 and granted_fen > cap_fen:
                detail = f"{granted_fen} fen to {_named(holder)} for {cap} by {_named(treasury)}: the cap is {cap_fen}"
                places = self._places([(row[3], row[5]) for row in rows])
                self._findings.add(FindingCode.CAP_EXCEEDED_TOGETHER, places, detail)

    def parties(self) -> None:
        """Who is a provider here and a holder there; and keys of parties with two codes."""
        for (identity,), rows in _groups(self._uses.ask(_PARTIES), 1):
            places = self._places([row[1:3] for row in rows])
            codes = sorted({row[4] for row in rows if row[4] is not None})
            roles = [row[3] for row in rows]
            if len(codes) > 1:
                detail = f"{_named(identity)} is of {' and '.join(codes)}"
                self._findings.add(FindingCode.KEY_OF_TWO_PARTIES, places, detail)
            elif {"provider", "holder"} <= set(roles):
                detail = f"{_named(codes[0] if codes else identity)} is there a {' and a '.join(roles)}"
                self._findings.add(FindingCode.PARTY_IN_TWO_ROLES, places, detail)

    def job_times(self) -> None:
        """Moments of one job on one item, of a provider with one code, that two logs have."""
        self._uses.add("jobs", self._jobs())
        list(self._uses.ask(_SHARED_JOBS))
        self._uses.add("lines", self._lines())
        pairs: dict[tuple[tuple[int, int], tuple[int, int]], _Pair] = {}
        more = 0
        for (provider, item, job), rows in groupby(self._uses.ask(_LINES), key=itemgetter(0, 1, 2)):
            for one, other in _overlaps(map(_Line._make, map(itemgetter(3, 4, 5, 6), rows))):
                first, second = sorted([(one.log, one.entry), (other.log, other.entry)])
                pair = pairs.get((first, second))
                if pair is not None:
                    pair.count += 1
                elif len(pairs) == FINDINGS_MAX:
                    more += 1
                else:
                    span = _span(max(one.starts, other.starts), min(one.ends, other.ends))
                    pairs[first, second] = _Pair(1, f"job {job} on {item} of {provider}, {span}")
        for both, pair in pairs.items():
            detail = pair.example if pair.count == 1 else f"{pair.count} times, for example {pair.example}"
            self._findings.add(FindingCode.JOB_TIME_IN_TWO_LOGS, self._places(both), detail)
        if more:
            self._findings.add(FindingCode.JOB_TIME_IN_TWO_LOGS, (), f"{more} times in other entries")

    def _jobs(self) -> Iterator[tuple[object, ...]]:
        """Yield the jobs of providers that are in more than one log: few of them are in more than one themselves."""
        for provider, item, log, _, jobs, _ in self._uses.ask(_GROUPS):
            yield from zip(repeat(provider), repeat(item), jobs.split(), repeat(log), strict=False)

    def _lines(self) -> Iterator[tuple[object, ...]]:
        """Yield the lines of the items of which a job is in more than one log."""
        for provider, item, log, entry, jobs, packed in self._uses.ask(_GROUPS_WITH_SHARED_JOBS):
            for line, job, starts, ends in Group(entry, item, 0, jobs, packed, []).intervals():
                yield provider, item, job, starts, ends, log, entry, line


def _overlaps(lines: Iterator[_Line]) -> Iterator[tuple[_Line, _Line]]:
    """Yield pairs of lines of different logs that overlap, of one job on one item, sorted by their beginning.

    Within one log they don't, so of each log the one that began last is the one that ends last.
    """
    newest: dict[int, _Line] = {}
    for line in lines:
        for log, other in newest.items():
            if log != line.log and other.ends > line.starts:
                yield other, line
        last = newest.get(line.log)
        if last is None or line.ends > last.ends:  # in a log with findings they may overlap all the same
            newest[line.log] = line


def _groups(rows: Iterator[tuple[Any, ...]], width: int) -> Iterator[tuple[tuple[Any, ...], list[tuple[Any, ...]]]]:
    """Yield sorted rows that begin with the same values, with these values; no rows are held but one group's."""
    for key, group in groupby(rows, key=lambda row: row[:width]):
        yield key, list(group)


def _named(identity: str) -> str:
    """Return what a party is called by which it was found to be the same: its code, or a key of 64 hex digits."""
    return f"key {identity}" if len(identity) == _KEY_DIGITS else identity


_KEY_DIGITS: Final = 64


def _span(starts: int, ends: int) -> str:
    return f"from {format_second(starts)} to {format_second(ends)}"
