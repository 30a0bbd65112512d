"""Every act of the story takes the one way in: a party signs a command, and the ledger is given the note's bytes.

The stage has the clock, which only moves forward, and keeps count of the answers as each client would from its own:
which commands and which lines were refused and why, and what providers burned.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tallystick.demo.keyring import Keyring
from tallystick.demo.narrative import Narrative, parts_of_lines
from tallystick.ledger import Admitted, Ledger, create_ledger, open_ledger
from tallystick.ledger.settings import write_settings
from tallystick.signing import canonical_json
from tallystick.signing.keys import SigningKey
from tallystick.signing.note import sign_text
from tallystick.vouchers.entry import Header, split_entry
from tallystick.vouchers.quantities import format_instant
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.network import NetworkFound
from tallystick.vouchers.state import State

IDLE_DAYS: Final = 3_660
Fields = Mapping[str, Any]
Row = list[Any]
"""A line: job, GPU-thousandths, from, to, seconds, and where wanted an object."""


@dataclass(slots=True)
class Burns:
    """What a provider burned: GPU-time as stated, money net of what it took back; services are counted or invoiced."""

    lines: int = 0
    services: int = 0
    gpu_milliseconds: int = 0
    fee_fen: int = 0
    from_voucher_fen: int = 0


@dataclass(slots=True)
class Tally:
    """What was answered; GPU-milliseconds are `gpu_milli × seconds` of lines.

    Attributes:
        commands_recorded: entries, by the kind of their event.
        narrative: what was played.
        carried_over_fen: what was used of imported vouchers before the log began, by treasury.
    """

    commands_recorded: Counter[str] = field(default_factory=Counter)
    commands_refused: Counter[Reason] = field(default_factory=Counter)
    lines_refused: Counter[Reason] = field(default_factory=Counter)
    lines_accepted: int = 0
    gpu_milliseconds_refused: int = 0
    burns: dict[str, Burns] = field(default_factory=dict)
    carried_over_fen: Counter[str] = field(default_factory=Counter)
    narrative: Narrative = field(default_factory=Narrative)


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as its provider sends it, kept until it is recorded; its lines with their items."""

    provider: str
    ref: str
    contract: str
    lines: tuple[tuple[str, Row], ...]
    note: bytes


@dataclass(frozen=True, slots=True)
class BurnedLine:
    """An accepted line, as a provider finds it to take it back."""

    provider: str
    contract: str
    item: str
    statement: str
    line: int
    fee_fen: int


class Stage:
    """Where parties act: a clock, their keys, and the ledger that they submit to."""

    def __init__(self, origin: str, folder: Path, keys: Keyring, now: int) -> None:
        """Set the clock; there is no ledger in the folder yet."""
        self.origin = origin
        self.folder = folder
        self.keys = keys
        self.now = now
        self.tally = Tally()
        self.newest_lines: dict[str, BurnedLine] = {}
        self.watched_jobs: set[str] = set()
        self.lines_of_watched_jobs: dict[str, BurnedLine] = {}
        self._ledger: Ledger | None = None
        self._documents: Counter[str] = Counter()

    def clock(self) -> int:
        """Return the story's time (microseconds); the ledger asks here."""
        return self.now

    def move_to(self, instant: int) -> None:
        """Let time pass, never back."""
        self.now = max(self.now, instant)

    def found(self, genesis: bytes, log_key: SigningKey) -> None:
        """Make the ledger that everybody submits to, of its entry 0."""
        self._ledger = create_ledger(self.folder, genesis, log_key, clock=self.clock)
        self.tally.commands_recorded[NetworkFound.event_kind] += 1

    def write_settings(self, log_key_file: Path) -> None:
        """Say in the ledger's folder which key is the log's; what is tried on it later is years after the story."""
        write_settings(self.folder, self.origin, log_key_file, self.keys.passphrase_file, idle_days=IDLE_DAYS)

    def reopen_with(self, log_key: SigningKey, next_log_key: SigningKey | None = None) -> None:
        """Let another process write on, with these keys of the log; in `folder`, as before."""
        self.ledger.close()
        self._ledger = open_ledger(self.folder, log_key, next_log_key=next_log_key, clock=self.clock)

    def close(self) -> None:
        """Let go of the ledger, if there is one."""
        if self._ledger is not None:
            self._ledger.close()

    @property
    def ledger(self) -> Ledger:
        """The ledger."""
        assert self._ledger is not None
        return self._ledger

    @property
    def state(self) -> State:
        """What the ledger stands at; a party would read its own part of it."""
        return self.ledger.state

    def note(
        self, party: str, kind: str, fields: Fields, *, ref: str | None = None, keys: Sequence[SigningKey] = ()
    ) -> bytes:
        """Return a command of a party, signed now.

        Args:
            party: who commands.
            kind: without its version.
            fields: what it says beside what every command does, as JSON values.
            ref: the party's document number; the next one, if None.
            keys: which sign; those that the party uses, if none.
        """
        if ref is None:
            self._documents[party] += 1
            ref = f"doc-{self._documents[party]:05d}"
        head = {
            "kind": f"{kind}/1",
            "log": self.origin,
            "party": party,
            "ref": ref,
            "signed_at": format_instant(self.now),
        }
        text = canonical_json.encode({**head, **fields}) + b"\n"
        return sign_text(text, *(keys or self.keys.keys_of(party)))

    def note_of_both(self, party: str, other: str, kind: str, fields: Fields) -> bytes:
        """Return a command of a party that another party signs, too."""
        return self.note(party, kind, fields, keys=(*self.keys.keys_of(party), *self.keys.keys_of(other)))

    def submit(self, *notes: bytes) -> list[Admitted | Refusal]:
        """Submit notes as one batch and count what is recorded and what is refused."""
        answers = self.ledger.submit(notes)
        for answer in answers:
            if isinstance(answer, Admitted):
                data, note = split_entry(answer.entry)
                header = Header.from_bytes(data)
                self.tally.commands_recorded[header.kind] += 1
                self.tally.narrative.take(answer.index, header, note)
        self.tally.commands_refused.update(answer.reason for answer in answers if isinstance(answer, Refusal))
        return answers

    def act(self, party: str, kind: str, **fields: object) -> Admitted | Refusal:
        """Sign and submit one command."""
        return self.submit(self.note(party, kind, fields))[0]

    def statement(
        self, provider: str, contract: str, ref: str, lines: Sequence[tuple[str, Row]], evidence: str | None = None
    ) -> Statement:
        """Return a signed statement, not yet submitted; its lines are put in the order of their items."""
        rows: dict[str, list[Row]] = {}
        for item, row in lines:
            rows.setdefault(item, []).append(row)
        shown = {} if evidence is None else {"evidence_root": evidence}
        groups = [{"item": item, "lines": rows[item], **shown} for item in sorted(rows)]
        in_order = tuple([(item, row) for item in sorted(rows) for row in rows[item]])
        note = self.note(provider, "time.burn", {"contract": contract, "groups": groups}, ref=ref)
        return Statement(provider, ref, contract, in_order, note)

    def submit_statements(self, statements: Sequence[Statement]) -> list[Statement]:
        """Submit statements as one batch, and return those that may be accepted another time."""
        again = []
        answers = self.submit(*[statement.note for statement in statements])
        for statement, answer in zip(statements, answers, strict=True):
            if isinstance(answer, Admitted):
                self._count(statement, answer.index, Header.from_bytes(split_entry(answer.entry)[0]).outcome)
            elif answer.reason.transient:
                again.append(statement)
            else:
                raise AssertionError(f"the statement {statement.ref} of {statement.provider} is lost: {answer}")
        return again

    def burn_service(self, provider: str, fields: Fields) -> Admitted | Refusal:
        """Let a provider state what is counted or invoiced, and count what it came to."""
        answer = self.act(provider, "service.burn", **fields)
        if isinstance(answer, Admitted):
            outcome = Header.from_bytes(split_entry(answer.entry)[0]).outcome
            burns = self.tally.burns.setdefault(provider, Burns())
            burns.services += 1
            burns.fee_fen += sum(outcome["fee_fen"])
            burns.from_voucher_fen += sum(sum(by_line) for _, by_line in outcome["paid"])
        return answer

    def take_back(self, line: BurnedLine, reason: str) -> bool:
        """Let a provider reverse a line; return whether it was recorded."""
        fields = {"statement": line.statement, "line": line.line, "reason": reason}
        answer = self.submit(self.note(line.provider, "burn.reverse", fields))[0]
        if isinstance(answer, Refusal):
            return False
        burns = self.tally.burns[line.provider]
        returned = Header.from_bytes(split_entry(answer.entry)[0]).outcome["returned"]
        burns.from_voucher_fen -= sum(amount_fen for _, amount_fen, _ in returned)
        burns.fee_fen -= line.fee_fen
        return True

    def _count(self, statement: Statement, index: int, outcome: Fields) -> None:
        """Count a statement's lines as its outcome says."""
        refused = dict(outcome["refused"])
        lines = {number: item for number, (item, _) in enumerate(statement.lines) if number not in refused}
        for part in parts_of_lines(lines, outcome["fee_fen"], dict(outcome["paid"]), self._treasury_of):
            self.tally.narrative.add(index, *part)
        self.tally.lines_refused.update(Reason.from_code(reason) for reason in refused.values())
        burns = self.tally.burns.setdefault(statement.provider, Burns())
        for number, (item, (job, gpu_milli, _, _, seconds, *_)) in enumerate(statement.lines):
            gpu_milliseconds = gpu_milli * seconds
            if number in refused:
                self.tally.gpu_milliseconds_refused += gpu_milliseconds
                continue
            fee_fen = outcome["fee_fen"][number]
            burns.lines += 1
            burns.gpu_milliseconds += gpu_milliseconds
            burns.fee_fen += fee_fen
            burns.from_voucher_fen += sum(by_line[number] for _, by_line in outcome["paid"])
            self.tally.lines_accepted += 1
            line = BurnedLine(statement.provider, statement.contract, item, statement.ref, number, fee_fen)
            self.newest_lines[statement.provider] = line
            if job in self.watched_jobs:
                self.lines_of_watched_jobs[job] = line

    def _treasury_of(self, reservation: str) -> str:
        return self.state.programmes[self.state.reservations[reservation].programme].treasury
