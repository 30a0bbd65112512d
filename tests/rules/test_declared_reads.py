"""What `signers`, `decide` and `evolve` read is declared by the rule.

Tested on all stories of the tables. A view of the state notes which entry wrote what, and what a rule reads. The
entries that wrote what a command was decided by must be among those that the rule's declarations bring along; so a part
of the log that was gathered by them decides the command in the same way.
"""

import pickle
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Final, Literal, NamedTuple, cast

import pytest

from properties.test_against_naive_ledger import walked
from support.actors import ORIGIN
from support.scenario import TABLES, Ledger, Story, read_sentences, read_table
from support.traced_state import Entries, Trace, TracedEntry, Way, traced
from tallystick.dossiers.gathering import Gathering
from tallystick.publishing.reader import Reader
from tallystick.signing.note import Note
from tallystick.vouchers import editions
from tallystick.vouchers.admit import SignedCommand, admit, read_note
from tallystick.vouchers.entry import Entry, split_entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.outcomes import Burned, Claimed, Expired
from tallystick.vouchers.refusals import Reason
from tallystick.vouchers.rulebook import RULES
from tallystick.vouchers.rules import (
    accreditations,
    applications,
    contracts,
    endings,
    keys,
    mandates,
    network,
    programmes,
    recovery,
    reservations,
    settlement,
    vouchers,
    withdrawals,
)
from tallystick.vouchers.rules import editions as rules_editions
from tallystick.vouchers.rules.books import BookSeal
from tallystick.vouchers.rules.burning import BurnReverse, TimeBurn
from tallystick.vouchers.rules.claiming import RedemptionClaim
from tallystick.vouchers.rules.endings import BookExpire
from tallystick.vouchers.rules.log_keys import LogRekey
from tallystick.vouchers.rules.rule import EDITIONS, SEALS, Rule
from tallystick.vouchers.rules.service_burning import ServiceBurn
from tallystick.vouchers.state import State

Method = Literal["follows", "asks", "concerns", "touches"]

METHODS: Final[tuple[Method, ...]] = ("follows", "asks", "concerns")
OF_EVERY_ENTRY: Final = {"origin", "size", "at", "references", "reference_order", "statement_order", "touches"}
"""What is kept of every command, whatever its rule."""
OF_ROWS: Final = ("reservations", "vouchers", "contracts", "programmes")
"""Where an expiry reads what each of its rows is about."""
OF_CLAIMS: Final = ("contracts", "unclaimed", "vouchers")
"""Where a claim looks for what is burned under whichever contract."""
JOB_TIMES: Final = "job_times"
"""A line that was accepted found nothing there; what a line was refused for is looked for by the gathering itself."""


class Dropped(NamedTuple):
    """A declaration that is left out: names that begin with a word, of one method of one rule."""

    rule: type[Rule]
    method: Method
    word: str


class Miss(NamedTuple):
    """What a command read, and the entries that wrote it and that nothing declared brings along."""

    rule: type[Rule]
    read: Way
    entries: Entries


@dataclass
class Declarations:
    """What the commands of a log declare, less what is dropped."""

    log: "Log"
    dropped: Dropped | None = None

    def of(self, number: int, method: Method) -> set[str]:
        """The names that an entry's command declares in one of the ways."""
        rule, names = type(self.log.entries[number].event.command), self.log.declared[number][method]
        if self.dropped is None or self.dropped[:2] != (rule, method):
            return names
        return {name for name in names if name.split()[0] != self.dropped.word}

    @cached_property
    def index(self) -> dict[str, list[int]]:
        """By name, the entries that concern it."""
        index: dict[str, list[int]] = {}
        for number in self.log.entries:
            for name in self.of(number, "concerns") | self.of(number, "touches"):
                index.setdefault(name, []).append(number)
        return index

    def brought(self, names: Iterable[str], before: int) -> set[int]:
        """The entries that some names bring along, and those on which these depend."""
        found, seen, todo = {0}, set[str](), [*names, SEALS, EDITIONS]
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                new = {number for number in self.index.get(name, ()) if number < before} - found
                found |= new
                todo += [one for number in new for one in self.of(number, "follows")]
        return found

    def misses(self, number: int) -> Iterator[Miss]:
        """What the declarations of an entry leave out."""
        entry = self.log.entries[number]
        rule = type(entry.event.command)
        if rule is BookExpire:
            yield from self._misses_of_rows(number)
        elif rule is not BookSeal:  # is decided by every account; it touches none, so no dossier decides it anew
            names = {f"party {party}" for party in self.log.parties(number)}
            names |= self.of(number, "follows") | self.of(number, "asks")
            part = self.brought(names, number)
            for way, wrote in entry.decided_by.items():
                if not wrote <= part and not _is_inexact(entry, way) and not self._is_skipped(number, way, names):
                    yield Miss(rule, way, wrote - part)
        # As one of the entries that another depends on, it is there by one of its names, and only followed.
        for name in self.of(number, "concerns"):
            part = self.brought({name} | self.of(number, "follows"), number)
            rows = self._known_rows(number, part)
            for way, wrote in entry.looked_up.items():
                is_of_rows = rows is None or _is_of(way, rows)
                if is_of_rows and not wrote <= part and not _is_passed_over(entry, way):
                    yield Miss(rule, way, wrote - part)

    def _misses_of_rows(self, number: int) -> Iterator[Miss]:
        """What is left out of each row of an expiry: a part of the log has those of what is there, and no others."""
        entry = self.log.entries[number]
        for row, ids in self._rows(number):
            part = self.brought({row} | {f"party {party}" for party in self.log.parties(number)}, number)
            for way, wrote in entry.decided_by.items():
                if _is_of(way, ids) and not wrote <= part and not _is_inexact(entry, way):
                    yield Miss(BookExpire, way, wrote - part)

    def _rows(self, number: int) -> Iterator[tuple[str, set[Way]]]:
        """By the name that made a row's reservation or voucher, all that the row is about."""
        outcome = self.log.entries[number].event.outcome
        for kind, name, _, _ in outcome.rows if isinstance(outcome, Expired) else ():
            if kind == "lot":
                voucher, contract = name.split(" ")
                yield f"life {contract}", {("vouchers", voucher), ("contracts", contract)}
            elif kind == "voucher":
                yield f"terms {name}", {("vouchers", name)}
            else:
                held = self.log.whole.reservations[name]
                of_it = {("reservations", name), ("vouchers", held.voucher), ("contracts", held.contract)}
                yield f"reservation {name}", of_it

    def _known_rows(self, number: int, part: set[int]) -> set[Way] | None:
        """All that those of an expiry's rows are about which are in a part of the log; None: it is no expiry."""
        if not isinstance(self.log.entries[number].event.outcome, Expired):
            return None
        rows = self._rows(number)
        return {one for row, ids in rows if min(self.index[row]) in part for one in ids}

    def _is_skipped(self, number: int, way: Way, names: set[str]) -> bool:
        """Whether a value is of another contract than those that a command is about, which it only skips."""
        entry = self.log.entries[number]
        command = entry.event.command
        if isinstance(command, RedemptionClaim) and (way[0] in OF_CLAIMS or way[2:3] in (("burned",), ("withheld",))):
            outcome = entry.event.outcome
            assert isinstance(outcome, Claimed)
            return not {contract for contract, _ in outcome.rows} & {*self._contracts_of(way)}
        if isinstance(command, BurnReverse) and way[0] == "statements":
            made = [self.log.entries[one].event.command for one in entry.decided_by[way]]
            return all(isinstance(one, TimeBurn | ServiceBurn) and f"life {one.contract}" not in names for one in made)
        return False

    def _contracts_of(self, way: Way) -> Iterable[str]:
        """The contracts that a value is of, or under which something of it was burned."""
        if way[0] == "vouchers":
            held = self.log.whole.reservations.values()
            return {reservation.contract for reservation in held if reservation.voucher == way[1]}
        if way[0] == "book":  # of a contract of which rounding leaves all, too
            return (way[3].split(" ")[1],)
        return way[3:4] if way[0] == "unclaimed" else way[1:2]


def _is_of(way: Way, ids: set[Way]) -> bool:
    """Whether a value may be of some of an expiry's rows, of which all is given that they are about."""
    if way[0] == "unclaimed":
        return ("contracts", *way[3:4]) in ids
    return way[0] not in OF_ROWS or way[:2] in ids


def _is_inexact(entry: TracedEntry, way: Way) -> bool:
    """Whether a part of the log needn't give a value as it was, of those that a command was decided by."""
    outcome = entry.event.outcome
    if way[0] in OF_EVERY_ENTRY or way[0] == JOB_TIMES or "mandated" in way:
        return True
    if way[0] == "log_keys" and not isinstance(entry.event.command, LogRekey):  # a key that was the log's is refused
        return True
    if not any("_fen" in one.name for one in fields(outcome)):  # a part may hold more than there was: replaying.py
        return _is_amount(way)
    if isinstance(outcome, Burned) and way[0] == "statements":  # what is unfounded is so without the statement too
        return Reason.CORRECTION_UNFOUNDED in dict(outcome.refused).values()
    return False


def _is_passed_over(entry: TracedEntry, way: Way) -> bool:
    """Whether an entry that is only followed does without what it looks up."""
    if _is_amount(way) or way[0] == JOB_TIMES:  # made by whichever entry moves the first
        return True
    # A claim takes what it finds under the contracts that are there.
    return isinstance(entry.event.command, RedemptionClaim) and way[0] in OF_CLAIMS


def _is_amount(way: Way) -> bool:
    return any(step == "book" or str(step).endswith("_fen") for step in way)


@dataclass
class Log:
    """A traced log; the entries before `start` are another log's too."""

    ledger: Ledger = field(default_factory=Ledger)
    trace: Trace = field(default_factory=Trace)
    start: int = 0

    @property
    def entries(self) -> dict[int, TracedEntry]:
        return self.trace.entries

    def play(self, story: Story) -> None:
        self.ledger.checked = False
        with traced(self.trace):
            self.ledger.play(story)
        assert len(self.entries) == len(self.ledger.entries)

    def replay(self, entries: Iterable[Entry]) -> None:
        """Decide and follow the entries of another log."""
        with traced(self.trace):
            for entry in entries:
                signed = read_note(split_entry(entry.data)[1], ORIGIN)
                assert isinstance(signed, SignedCommand)
                assert admit(self.ledger.state, signed, entry.event.at) == entry
                evolve(self.ledger.state, entry.event)
                self.ledger.entries.append(entry)

    @cached_property
    def whole(self) -> State:
        """A state of all its entries in which what has ended stays."""
        state = State.empty(ORIGIN)
        for entry in self.ledger.entries:
            evolve(state, entry.event, is_part=True)
        return state

    def parties(self, number: int) -> set[str]:
        """Who gave an entry's command, and who signed it."""
        note = Note.from_bytes(split_entry(self.entry(number))[1])
        return {self.entries[number].event.command.party} | {one.name.partition("/")[0] for one in note.signatures}

    @cached_property
    def declared(self) -> dict[int, dict[Method, set[str]]]:
        """By entry and method, what its command declares."""
        history = Gathering(cast(Reader, self), self, "no account", 0, len(self.entries))
        return {
            number: {
                "follows": set(one.event.command.follows()),
                "asks": set(one.event.command.asks(one.event, history)),
                "concerns": one.concerns,
                "touches": one.touches,
            }
            for number, one in self.entries.items()
        }

    @cached_property
    def droppable(self) -> set[Dropped]:
        """Every declaration of its entries but what they touch, kind by kind."""
        return {
            Dropped(type(self.entries[number].event.command), method, name.split()[0])
            for number, declared in self.declared.items()
            for method in METHODS
            for name in declared[method]
        }

    # -- as a reader and an index of itself, for what rules look up

    def entry(self, number: int) -> bytes:
        return self.ledger.entries[number].data

    @cached_property
    def _index(self) -> dict[str, list[int]]:
        index: dict[str, list[int]] = {}
        for number, one in self.entries.items():
            for name in one.concerns | one.touches:
                index.setdefault(name, []).append(number)
        return index

    def entries_concerning(self, name: str) -> list[int]:
        return self._index.get(name, [])

    def statement_entry(self, provider: str, ref: str, before: int) -> int | None:
        of_ref = [
            number
            for number, one in self.entries.items()
            if isinstance(one.event.outcome, Burned)
            and (one.event.command.party, one.event.command.ref) == (provider, ref)
        ]
        return max((number for number in of_ref if number < before), default=None)


@pytest.fixture(scope="module")
def logs() -> Iterator[list[Log]]:
    """Every story's log, traced; and one by a version that knows more editions, and adopts them."""
    (start,) = read_sentences((TABLES / "standard.txt").read_text("utf-8"))
    standard = Log()
    standard.play(start)
    played, pickled = [standard], pickle.dumps(standard)

    def play(story: Story) -> None:
        log = Log() if story.from_nothing else replace(pickle.loads(pickled), start=len(standard.entries))
        log.play(story)
        played.append(log)

    for table in sorted(TABLES.glob("*.txt")):
        for story in read_sentences(table.read_text("utf-8")) if table.stem != "standard" else ():
            play(story)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(editions, "EDITIONS", (1, 2, 3))
        (story,) = read_table("network adopt 2 -> adopted\nnetwork adopt 3 -> adopted")
        play(story)
        yield [log for log in played if log.entries]


def misses(logs: Iterable[Log], dropped: Dropped | None = None) -> Iterator[Miss]:
    """What the declarations leave out."""
    for log in logs:
        if dropped is not None and dropped not in log.droppable:
            continue  # nothing is missing there, as without it
        declarations = Declarations(log, dropped)
        for number in range(log.start, len(log.entries)):
            yield from declarations.misses(number)


def test_every_command_is_traced(logs: list[Log]) -> None:
    """With all that is declared of it."""
    assert {type(one.event.command) for log in logs for one in log.entries.values()} == set(RULES)


def test_every_command_concerns_something(logs: list[Log]) -> None:
    """Also one that no other reads: what it is about, or it would be found by its accounts alone, and maybe by none."""
    found = {
        type(one.event.command)
        for log in logs
        for number, one in log.entries.items()
        if log.declared[number]["concerns"]
    }
    assert found == set(RULES)


def test_what_a_rule_reads_is_declared(logs: list[Log]) -> None:
    assert list(misses(logs)) == []


def test_what_a_rule_reads_in_a_long_log_is_declared() -> None:
    """By chance, so in an order that no table has."""
    log = Log()
    log.replay(walked(4, 250).entries)
    assert len({type(one.event.command) for one in log.entries.values()}) > len(RULES) // 2
    assert list(misses([log])) == []


NOT_READ: Final = {
    Dropped(network.NetworkFound, "concerns", "party"): "entry 0 is always there",
    Dropped(rules_editions.RulesAdopt, "follows", "party"): "who doesn't know the edition verifies it by these keys",
    Dropped(keys.KeyAdd, "asks", "party"): "the new key signs, so its party is there",
    Dropped(LogRekey, "follows", "party"): "its party signs it, and is asked for as that",
    Dropped(programmes.ProgrammeAmend, "asks", "programme"): "for what is issued of it: an amount",
    Dropped(mandates.MandateEnd, "concerns", "mandate"): "all that asks whether a mandate is ended is refused",
    Dropped(accreditations.ProviderDelist, "follows", "rules"): "it asks for the accreditation, which follows them",
    Dropped(withdrawals.RecordWithdraw, "concerns", "accreditation"): "nothing is left where it was to be read",
    Dropped(withdrawals.RecordWithdraw, "concerns", "capacity"): "the same",
    Dropped(withdrawals.RecordWithdraw, "concerns", "party"): "all that asks whether a party is withdrawn is refused",
    Dropped(applications.ApplicationWithdraw, "concerns", "application"): "all that asks whether it is so is refused",
    Dropped(vouchers.VoucherIssue, "concerns", "application"): "for what was issued for it alone: an amount",
    Dropped(endings.VoucherRevoke, "follows", "terms"): "it asks for all of the voucher",
    Dropped(contracts.ContractSign, "concerns", "document"): "all that asks whether a document is used is refused",
    Dropped(contracts.ContractSign, "asks", "document"): "the same",
    Dropped(contracts.ContractAmend, "concerns", "attestations"): "who asks for these asks for the contract",
    Dropped(ServiceBurn, "concerns", "document"): "as of a contract's document",
    Dropped(ServiceBurn, "asks", "document"): "the same; a correction asks for what it corrects",
    Dropped(endings.BookExpire, "concerns", "reservation"): "it concerns the contract too",
    Dropped(reservations.ReservationExtend, "concerns", "reservation"): "it concerns the contract too",
    Dropped(reservations.ReservationExtend, "follows", "reservation"): "it asks for the contract",
    Dropped(reservations.ReservationExtend, "asks", "life"): "it follows the reservation, which follows it",
    Dropped(reservations.ReservationRelease, "concerns", "reservation"): "it concerns the contract too",
    Dropped(reservations.ReservationRelease, "follows", "reservation"): "it asks for the contract",
    Dropped(reservations.ReservationRelease, "asks", "life"): "it follows the reservation, which follows it",
    Dropped(settlement.RedemptionSettle, "asks", "life"): "for what is claimed: amounts, and the claim says them",
    Dropped(settlement.RedemptionSettle, "concerns", "claim"): "all that asks whether a claim is settled is refused",
    Dropped(settlement.RedemptionSettle, "concerns", "demand"): "for what is left of it: an amount",
    Dropped(settlement.RedemptionDisallow, "follows", "rules"): "what was burned under the contract follows them",
    Dropped(recovery.RecoveryDemand, "concerns", "paid"): "for what is left of it: an amount",
    Dropped(recovery.RecoveryDemand, "follows", "party"): "what was paid follows a claim, which follows it",
    Dropped(recovery.RecoveryDemand, "follows", "rules"): "the same",
    Dropped(recovery.RecoveryReceive, "concerns", "demand"): "for what is left of it: an amount",
    Dropped(recovery.RecoveryCancel, "concerns", "demand"): "the same",
    Dropped(recovery.RecoveryCancel, "concerns", "paid"): "the same",
}
"""Declarations without which no decision changes, and why they stand."""


def test_a_declaration_that_is_left_out_is_missed(logs: list[Log]) -> None:
    """Each in turn, and each kind of name for itself. Of touches a decision reads few; the oracle computes them all."""
    all_of_them = set[Dropped]().union(*[log.droppable for log in logs])
    assert {one.rule for one in all_of_them} == set(RULES)
    assert {one for one in all_of_them if next(misses(logs, one), None) is None} == set(NOT_READ)
