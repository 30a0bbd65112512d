"""The package and the oracle are given the same signed commands, and must give the same answers and balances.

`Walk` makes commands that are mostly sensible and often just beyond a limit; `Pair` gives them to both sides and
compares.
Some seeded walks of a thousand steps reach every reason and every kind of event; the state machine lets Hypothesis look
for what they miss, and shorten what it finds. Now and then both sides are asked what the books would be sealed with, so
every account's balances, entries and running hash are compared without a seal in the way of what follows.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import Phase, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from properties.naive_ledger import (
    CLAIM_CONTRACTS_MAX,
    DAY,
    EVENT_KINDS,
    EXPIRED_MAX,
    LEAVING,
    LETS_MONEY_LEAVE,
    MANDATED,
    METERED,
    OFFICERS_SIGN,
    SECOND,
    SUM_MAX,
    NaiveLedger,
    canonical,
    day,
    instant,
    instant_text,
    is_last_of_period,
    leaves_fen,
    second,
    second_text,
    signed_by_quorum,
)
from properties.scenes import SCENES, Scene, leave_some_of_everything, play
from support.actors import (
    ORIGIN,
    brought_by,
    checkpoint_of,
    key_of,
    label_of,
    note_of,
    profile_of,
    text_of,
    uscc_of,
    vkey_of,
)
from support.editions import NEVER_RECORDED
from support.schedules import schedule
from support.terms import rules_of
from tallystick.audit.book_checks import faults
from tallystick.signing.algorithms import SHA256
from tallystick.signing.note import sign_text
from tallystick.vouchers import rulebook
from tallystick.vouchers.admit import admit, read_note
from tallystick.vouchers.book import PROGRAMME_ACCOUNTS, Memorandum
from tallystick.vouchers.entry import Entry, Header, split_entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.state import State

Json = dict[str, Any]
HOUR = 3_600 * SECOND
START = instant("2026-01-05T08:00:00.000000Z")
BEFORE = START - 30 * DAY
"""When the first programmes open: before there is a log, so that vouchers can be imported."""
NETWORK = "national-network"
TREASURIES = ("guiyang-treasury", "shanghai-treasury")
PROVIDERS = ("guian-cluster", "lingang-dc")
HOLDERS = ("acme-ai", "beta-lab", "lin-studio")
AUDITOR = "audit-office"
OPERATOR = "book-office"
ATTESTERS = ("district-bureau", "expert-panel")
PROBE = "probe-office"
"""An operator that nothing happens to: it asks what the books would be sealed with."""
MANY_KEYS = HOLDERS[1]
"""A holder that was admitted with as many keys as a party may have."""
CAREFUL = TREASURIES[1]
"""A treasury that was admitted with a quorum of 2."""
OFFICERS: Json = {"threshold_fen": 6_000, "required": 2, "window_days": 3}
"""Of the careful treasury."""
CITY, PROVIDER, HOLDER = TREASURIES[0], PROVIDERS[0], HOLDERS[2]
CONTRACT = f"{HOLDER}/k-0"
PARTIES = (NETWORK, *TREASURIES, *PROVIDERS, *HOLDERS, AUDITOR, OPERATOR, *ATTESTERS)
EVIDENCE = f"sha256:{'e' * 64}"
TIME_STEPS = (*(0, 1, SECOND, 60 * SECOND, HOUR, 5 * HOUR) * 16, *(DAY,) * 16, 3 * DAY, 3 * DAY, 10 * DAY, 40 * DAY)
SEEDS = range(16)
ALWAYS = 4
"""So many seeds are walked in any case, and more of them until every reason was met."""
ITEMS = ("ascend-910b", "h800", "mlu-590")
COUNTED = ("tokens",)
GOODS = (*ITEMS, *COUNTED)
LIMITS_FEN = (*[10_000_000] * 4, 3_600, 1_999, 1_000)
"""What accreditations allow a unit to cost."""


def _gate(before: str, of_type: str) -> Json:
    """A gate that one of the attesters opens, and either closes."""
    return {"before": before, "subject_type": of_type, "topic": "credit", "attesters": [*ATTESTERS], "passes": 1}


def _side_gate(before: str) -> Json:
    """A gate that the other side of the contract opens."""
    return {"before": before, "subject_type": "contract", "topic": "credit", "other_side": True, "passes": 1}


def _proration(first_day: str, last_day: str, day_count: str, truncate_fen: int) -> Json:
    return {"first_day": first_day, "last_day": last_day, "day_count": day_count, "truncate_fen": truncate_fen}


def _claims(cycle: str, cut_off_days: int) -> Json:
    return {"cycle": cycle, "cut_off_days": cut_off_days}


PRORATIONS = (
    _proration("2026-01-10", "2026-02-28", "end_minus_start", 1),
    _proration("2026-01-01", "2026-12-31", "inclusive", 10),
    _proration("2026-02-01", "2026-02-01", "end_minus_start", 1),
)


SHAPES: tuple[Json, ...] = (
    rules_of(
        shares=[{"share_bp": 10_000}],
        ceiling_bp=10_000,
        rank=10,
        basis="both",
        gates=[_side_gate("settle")],
        claims=_claims("any", 60),
    ),
    rules_of(
        shares=[
            {"items": ["h800"], "origin": "foreign", "share_bp": 3_333},
            {"items": ["ascend-910b", "h800"], "share_bp": 6_000, "ceiling_bp": 7_000},
        ],
        ceiling_bp=8_000,
        rank=10,
        transfer="approved",
        gates=[_gate("issue", "contract")],
        claims=_claims("month", 20),
    ),
    rules_of(
        shares=[{"origin": "domestic", "share_bp": 5_000, "ceiling_bp": 6_000}, {"share_bp": 3_000}],
        rank=5,
        transfer="open",
        payee="holder",
        rounding_fen=100,
        claims=_claims("any", 30),
    ),
    rules_of(
        shares=[
            {"filed": True, "share_bp": 2_000},
            {"items": ["ascend-910b"], "share_bp": 9_999},
        ],
        ceiling_bp=9_999,
        rank=30,
        transfer="open",
        payee="contract",
        rounding_fen=100,
        basis="both",
        gates=[_gate("settle", "contract")],
        claims=_claims("any", 90),
    ),
    rules_of(shares=[{"share_bp": 1_000}], ceiling_bp=8_000, rank=20, payee="contract", claims=_claims("quarter", 90)),
    rules_of(
        shares=[{"share_bp": 10_000}],
        ceiling_bp=10_000,
        basis="invoiced",
        gates=[_gate("settle", "claim")],
        proration=_proration("2026-01-10", "2026-03-31", "inclusive", 100),
    ),
    rules_of(
        shares=[{"holder_class": "university", "share_bp": 10_000}, {"share_bp": 6_000, "ceiling_bp": 7_000}],
        ceiling_bp=10_000,
        rank=15,
        transfer="approved",
        basis="both",
        gates=[_gate("claim", "provider"), _gate("issue", "application"), _gate("settle", "claim")],
        claims=_claims("any", 5),
    ),
)
"""The rules of the walks' programmes; those of a treasury share a group and so a cap."""

AMENDED = {
    "contract.amend/1": ("amount_fen", "last_day", "items_from", "other_support_fen"),
    "programme.amend/1": ("closes_at", "envelope_fen", "rules_from"),
    "reservation.extend/1": ("amount_fen", "until"),
}
"""What these commands change, of which each has some."""
UNKNOWN_OR_USED = {"id_already_used", *(f"{of_type}_unknown" for of_type in LEAVING)}
RECORDS = ("accreditation", "capacity", "party", "tariff")
SHAPES_MET = {
    *(f"{kind} {name}" for kind, names in AMENDED.items() for name in names),
    *(f"expired by {whom}" for whom in ("an operator", "a treasury")),
    *(f"expired to {end}" for end in ("reservation voucher", "reservation programme", "voucher programme")),
    "expired to lot programme",
    *(f"back to a {place}" for place in ("reservation", "voucher", "programme")),
    *(f"withdrawn {record}{by}" for record in RECORDS for by in ("", " by the network")),
    *(f"{subject} attested by a attester" for subject in ("application", "claim", "contract", "holder", "provider")),
    *(f"contract attested by a {side}" for side in ("holder", "provider")),
    *(f"{of_type} asked for that has left" for of_type in LEAVING),
    *(f"imported {state}" for state in ("unused", "used", "used up")),
    *(f"released by {role}" for role in ("holder", "operator", "provider", "treasury")),
    *(f"{kind} by a mandate" for kind in sorted(MANDATED)),
    *(f"{kind} {how}" for kind in ("received", "cancelled") for how in ("in part", "whole")),
    *(f"disallowed of what is {place}" for place in ("withheld", "unclaimed", "withheld and unclaimed")),
    *(f"settled {how}" for how in ("and paid", "and withheld", "and paid in part", "by what is set off alone")),
    *(
        f"settled with {what} set off"
        for what in ("a demand", "demands of two programmes", "another programme's demand")
    ),
    "back out of what is withheld",
    "back out of what is unclaimed and withheld",
    "claimed again",
    "claimed again with what is new",
    "lots past the cut-off that were withheld",
    "a count taken back",
    "absorbed alone",
    "absorbed and paid",
    "all_or_nothing",
    "an invoice taken back",
    "back to several",
    "claimed as the contract says",
    "claimed but for a rest",
    "claimed of several contracts",
    "claimed where either may",
    "corrects",
    "counted",
    "counted absorbed alone",
    "counted absorbed and paid",
    "counted corrects",
    "counted pay_available",
    "counted prior_period",
    "counted several programmes",
    "counted several reservations of a programme",
    "invoiced",
    "invoiced absorbed alone",
    "invoiced absorbed and paid",
    "invoiced corrects",
    "invoiced pay_available",
    "invoiced several programmes",
    "invoiced several reservations of a programme",
    "pay_available",
    "prior_period",
    "several programmes",
    "several reservations of a programme",
    "several treasuries",
}
"""What entries are like that the walks have some of."""


class Pair:
    """The package's state and the oracle, always given the same."""

    def __init__(self) -> None:
        self.state = State.empty(ORIGIN)
        self.oracle = NaiveLedger(ORIGIN)
        self.entries: list[Entry] = []
        self.answers: Counter[tuple[str, str]] = Counter()
        self.line_reasons: Counter[str] = Counter()
        self.shapes: Counter[str] = Counter()
        self.either: set[str] = set()
        self.marked = 0

    def submit(self, command: Json, keys: Sequence[str], at: int, spoiled: Sequence[str] = ()) -> tuple[str, Any]:
        """Sign the command with the keys named, give it to both sides, compare, and return the answer."""
        note = note_of(command, *keys, spoiled=tuple(spoiled))
        books = self.oracle.leaves() if command["kind"] == "book.seal/1" else []
        labels, bad = [label_of(key) for key in keys], [label_of(key) for key in spoiled]
        expected = self.oracle.submit(command, labels, at, invalid=bad, note_size=len(note))
        actual = self._decide(note, at)
        told = f"{instant_text(at)} {command} signed by {labels}, wrongly by {bad}"
        assert actual == expected, f"the package says {actual}, the rules say {expected}: {told} {books}"
        if command["kind"] == "contract.sign/1" and actual[0] == "accepted" and command["claimant"] == "either":
            self.either.add(command["contract"])
        self._count(command, actual)
        return actual

    def _decide(self, note: bytes, at: int) -> tuple[str, Any]:
        signed = read_note(note, ORIGIN)
        entry = signed if isinstance(signed, Refusal) else admit(self.state, signed, at)
        if isinstance(entry, Refusal):
            return "refused", entry.reason.value
        line, kept = split_entry(entry.to_bytes())
        header = Header.from_bytes(line)
        assert kept == note
        assert (header.at, header.index, header.kind) == (at, len(self.entries), entry.event.kind)
        evolve(self.state, entry.event)
        self.entries.append(entry)
        return "accepted", header.outcome

    def _count(self, command: Json, answer: tuple[str, Any]) -> None:
        kind = command["kind"]
        said = answer[1] if answer[0] == "refused" else "accepted"
        self.answers[kind, said] += 1
        if said == "accepted":
            self.shapes.update(self._shapes())
            self.shapes.update(self._places_left())
        elif said in UNKNOWN_OR_USED:
            left = [of_type for of_type, ids in self.oracle.left.items() if command.get(of_type) in ids]
            self.shapes.update([f"{of_type} asked for that has left" for of_type in left])
        if kind == "time.burn/1" and said == "accepted":
            self.line_reasons.update({reason for _, reason in answer[1]["refused"]})

    def _shapes(self) -> Iterator[str]:
        """What the last entry was like, where one kind of it isn't like another."""
        command, outcome = self.oracle.entries[-1]["command"], self.oracle.entries[-1]["outcome"]
        if command["kind"] in MANDATED and "mandate" in command:
            yield f"{command['kind']} by a mandate"
        match command["kind"]:
            case "service.burn/1":
                of_type = "invoiced" if "document_hash" in command else "counted"
                of_line = [shape for shape in self._line_shapes(self.oracle.lines[-1]) if shape != "several treasuries"]
                yield from [of_type, *[f"{of_type} {shape}" for shape in of_line]]
            case "time.burn/1":
                if "all_or_nothing" in command:
                    yield "all_or_nothing"
                for line in self.oracle.lines[::-1]:
                    if line["index"] < len(self.entries) - 1:
                        break
                    yield from self._line_shapes(line)
            case "burn.reverse/1":
                taken_back = self.oracle._line_of(command)
                if taken_back is not None and taken_back["job"] is None:
                    yield "an invoice taken back" if taken_back["document"] else "a count taken back"
                yield from [f"back to a {to}" for _, _, to in outcome["returned"]]
                if len(outcome["returned"]) > 1:
                    yield "back to several"
            case "reservation.release/1":
                yield f"released by {self.oracle.parties[command['party']]['role']}"
            case "redemption.claim/1":
                yield from self._claim_shapes(command)
            case "redemption.settle/1":
                yield from self._settlement_shapes(command)
            case "recovery.receive/1" | "recovery.cancel/1":
                left_fen = self.oracle.balance("receivable", command["demand"])
                kind = "received" if "payment" in command else "cancelled"
                yield f"{kind} in part" if left_fen else f"{kind} whole"
            case "record.withdraw/1":
                by = " by the network" if command["party"] == NETWORK else ""
                yield f"withdrawn {command['record']['type']}{by}"
            case "attestation.give/1":
                yield f"{command['subject_type']} attested by a {self.oracle.parties[command['party']]['role']}"
            case "voucher.import/1":
                used = command["used_fen"]
                yield f"imported {'unused' if not used else 'used up' if used == command['face_fen'] else 'used'}"
            case "book.expire/1":
                yield "expired by an operator" if command["party"] == OPERATOR else "expired by a treasury"
                yield from [f"expired to {kind} {to}" for kind, _, _, to in outcome["rows"]]
            case kind if kind in AMENDED:
                yield from [f"{kind} {name}" for name in command if name in AMENDED[kind]]

    def _line_shapes(self, line: Json) -> Iterator[str]:
        """As far as who paid a line goes."""
        programmes = {self.oracle.reservations[name]["programme"] for name, _ in line["paid"]}
        treasuries = {self.oracle.programmes[name]["party"] for name in programmes}
        if len(programmes) > 1:
            yield "several programmes"
        if len(treasuries) > 1:
            yield "several treasuries"
        if len(line["paid"]) > len(programmes):
            yield "several reservations of a programme"
        if line["absorbed_fen"]:
            yield "absorbed and paid" if programmes else "absorbed alone"
        yield from line["says"]

    def _places_left(self) -> Iterator[str]:
        """Which of what was burned the last entry moved, and out of which accounts."""
        kind = self.oracle.entries[-1]["kind"]
        moved = [source for source, _, fen in self.oracle.postings[self.marked :] if fen]
        self.marked = len(self.oracle.postings)
        places = {source[0] for source in moved} & {"burned", "withheld"}
        lots = {source[1:3] for source in moved if source[0] == "burned"}
        match kind:
            case "burn.reversed/1" if "withheld" in places:
                both = "burned" in places
                yield f"back out of what is {'unclaimed and withheld' if both else 'withheld'}"
            case "redemption.claimed/1" if "withheld" in places:
                again = [source[1:3] for source in moved if source[0] == "withheld"]
                yield "claimed again with what is new" if lots & {*again} else "claimed again"
            case "redemption.disallowed/1":
                names = {"withheld": "withheld", "burned": "unclaimed"}
                yield f"disallowed of what is {' and '.join(names[one] for one in sorted(places)[::-1])}"
            case "book.expired/1" if "withheld" in places:
                yield "lots past the cut-off that were withheld"

    def _claim_shapes(self, command: Json) -> Iterator[str]:
        outcome, at = self.oracle.entries[-1]["outcome"], self.oracle.entries[-1]["at"]
        contracts = {contract for contract, _ in outcome["rows"]}
        if len(contracts) > 1:
            yield "claimed of several contracts"
        if self.oracle._claimable(command, at) and not outcome["more"]:
            yield "claimed but for a rest"
        programme = self.oracle.programmes[command["programme"]]
        if programme["rules"]["payee"] == "contract":
            signed = contracts & self.either
            yield from ["claimed where either may"] if signed else ["claimed as the contract says"]

    def _settlement_shapes(self, command: Json) -> Iterator[str]:
        paid_fen = leaves_fen(command)
        withheld_fen = sum(row.get("withheld_fen", 0) for row in command["rows"])
        yield (
            "settled and paid in part"
            if paid_fen and withheld_fen
            else ("settled and paid" if paid_fen else "settled and withheld")
        )
        programme = self.oracle.claims[command["claim"]]["programme"]
        demands = {self.oracle.demands[offset["demand"]]["programme"] for offset in command.get("offsets", [])}
        if demands:
            yield "settled with a demand set off"
        if demands - {programme}:
            yield "settled with another programme's demand set off"
        if len(demands) > 1:
            yield "settled with demands of two programmes set off"
        if demands and "payment" not in command:
            yield "settled by what is set off alone"

    def read_only(self, note: bytes) -> str:
        """The reason why a note that is no command at all is refused, where the oracle has no say."""
        refusal = read_note(note, ORIGIN)
        assert isinstance(refusal, Refusal)
        self.answers["", refusal.reason.value] += 1
        return refusal.reason.value

    def check_balances(self) -> None:
        """Every balance is the sum of its postings, none is negative, and every envelope is whole."""
        balances = self.oracle.balances()
        assert all(fen >= 0 for account, fen in balances.items() if account[0] != "envelope")
        assert set(self.state.programmes) == set(self.oracle.programmes)
        for name, rules in self.oracle.programmes.items():
            book = self.oracle.book(name, balances)
            assert self.state.book.totals[name] == book
            assert sum(book.values()) == rules["envelope_fen"]
        for account in PROGRAMME_ACCOUNTS:
            held = {" ".join(map(str, at[1:])): fen for at, fen in balances.items() if at[0] == account and fen}
            assert self.state.book.balances[account] == held
        self._check_memoranda()
        assert set(self.state.vouchers) == set(self.oracle.vouchers)
        reservations = {name: one.closed for name, one in self.state.reservations.items()}
        assert reservations == {name: one["closed"] for name, one in self.oracle.reservations.items()}
        claims = {name: (self.state.claimed_fen(name), claim.status) for name, claim in self.state.claims.items()}
        assert claims == {
            name: (claim["amount_fen"] if claim["status"] == "open" else 0, claim["status"])
            for name, claim in self.oracle.claims.items()
        }
        demands = {name: (one.programme, one.payee, one.amount_fen) for name, one in self.state.demands.items()}
        names = ("programme", "payee", "amount_fen")
        assert demands == {name: tuple(one[of] for of in names) for name, one in self.oracle.demands.items()}
        classes = {name: voucher.holder_class for name, voucher in self.state.vouchers.items()}
        assert classes == {name: voucher["class"] for name, voucher in self.oracle.vouchers.items()}
        issued = {name: application.issued_fen for name, application in self.state.applications.items()}
        expected = self.oracle.issued()
        assert issued == {name: expected[name] for name in self.oracle.applications}
        left = {kind: {*ids} for kind, ids in self.state.left.items()}
        assert left == {kind: {*ids} for kind, ids in self.oracle.left.items()}
        assert [*faults(self.state)] == []

    def _check_memoranda(self) -> None:
        """What is granted by cap, and charged and absorbed by contract; and what else a contract has."""
        granted: Counter[str] = Counter()
        for place, amount_fen in self.oracle.grants:
            granted[" ".join(map(str, place))] += amount_fen
        assert self.state.book.balances["granted"] == {place: fen for place, fen in granted.items() if fen}
        mandated = {name: self.oracle.mandated(name) for name in self.oracle.mandates}
        assert self.state.book.balances["mandated"] == {name: fen for name, fen in mandated.items() if fen}
        of_lots: dict[Memorandum, list[tuple[tuple[str, str], int]]]
        of_lots = {"settled": self.oracle.settled, "forfeited": self.oracle.forfeited}
        for account, rows in of_lots.items():
            left: Counter[str] = Counter()
            for lot, amount_fen in rows:
                left[" ".join(lot)] += amount_fen if lot[0] in self.oracle.vouchers else 0
            assert self.state.book.balances[account] == {lot: fen for lot, fen in left.items() if fen}
        fields: dict[Memorandum, str] = {"charged": "fee_fen", "absorbed": "absorbed_fen"}
        for account, name in fields.items():
            sums: Counter[str] = Counter()
            for line in self.oracle.lines:
                is_there = line["contract"] in self.oracle.contracts and not line["reversed"]
                sums[line["contract"]] += line[name] if is_there else 0
            assert self.state.book.balances[account] == {contract: fen for contract, fen in sums.items() if fen}
        assert set(self.state.contracts) == set(self.oracle.contracts)
        for name, contract in self.state.contracts.items():
            assert contract.programmes == self.oracle.paying_programmes(name)
            assert contract.reservations == self.oracle.open_reservations(name)
            assert contract.claimant == self.oracle.contracts[name]["claimant"]

    def check_books(self) -> None:
        """A seal made in three days would say the same on both sides; it is not recorded."""
        at = max((entry.event.at for entry in self.entries), default=START) + 3 * DAY
        last_day = instant_text(at + self.oracle.network["utc_offset_seconds"] * SECOND - 2 * DAY)[:10]
        head = {"kind": "book.seal/1", "log": ORIGIN, "party": PROBE, "ref": "probe", "signed_at": instant_text(at)}
        note = note_of(head | {"seal": f"{PROBE}/probe", "last_day": last_day}, f"{PROBE}/officer-1")
        signed = read_note(note, ORIGIN)
        assert not isinstance(signed, Refusal)
        entry = admit(self.state, signed, at)
        assert not isinstance(entry, Refusal)
        outcome = Header.from_bytes(split_entry(entry.to_bytes())[0]).outcome
        assert outcome == self.oracle.seal_outcome(), self.oracle.leaves()
        self._check_unclaimed()

    def _check_unclaimed(self) -> None:
        """All that is burned is unclaimed by somebody, but where either side may claim and none has."""
        accounts = self.oracle.account_balances()
        payees = [one for name, one in accounts.items() if name.startswith(("holder ", "provider "))]
        programmes = [one for name, one in accounts.items() if name.startswith("programme ")]
        unclaimed = sum(one["unclaimed_fen"] for one in payees)
        burned = sum(one["burned_fen"] for one in programmes)
        open_to_both = [
            fen
            for lot, fen in self.oracle.balances().items()
            if fen and lot[0] == "burned"
            if self.oracle.payee_of(self.oracle.vouchers[lot[1]]["programme"], lot[2]) is None
        ]
        assert unclaimed + sum(open_to_both) == burned
        for kind in ("withheld_fen", "claimed_fen", "receivable_fen"):
            assert sum(one[kind] for one in payees) == sum(one[kind] for one in programmes)

    def resume_from_snapshot(self) -> None:
        """The state survives its own bytes; what follows is decided by the restored one."""
        data = self.state.to_bytes()
        restored = State.from_bytes(data)
        assert restored == self.state
        assert restored.to_bytes() == data
        self.state = restored

    def check_replay(self) -> None:
        """A second state that decides every note again at its time gives the same entries and is the same."""
        twin = State.empty(ORIGIN)
        for entry in self.entries:
            signed = read_note(split_entry(entry.to_bytes())[1], ORIGIN)
            assert not isinstance(signed, Refusal)
            again = admit(twin, signed, entry.event.at)
            assert not isinstance(again, Refusal)
            assert again.to_bytes() == entry.to_bytes()
            evolve(twin, again.event)
        assert twin == self.state
        assert twin.to_bytes() == self.state.to_bytes()


class Walk:
    """Commands that hit what exists most of the time, made from a source of chance."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.oracle = pair.oracle
        self.at = START
        self.refs = 0
        self.names = 0
        self.chance = random.Random(0)
        self.sent: list[tuple[Json, list[str]]] = []

    @classmethod
    def going_on(cls, pair: Pair) -> "Walk":
        """One that comes after another, with names and references of its own."""
        walk = cls(pair)
        walk.at, walk.refs, walk.names = pair.state.at, 10**6, 10**6
        return walk

    # -- from chance to values ----------------------------------------------------------------------------------------

    def one_in(self, number: int) -> bool:
        return self.chance.randrange(number) == 0

    def pick(self, values: Sequence[Any]) -> Any:
        return values[self.chance.randrange(len(values))]

    def recent(self, values: Sequence[Any], unknown: Any, size: int = 8) -> Any:
        """Mostly one of the newest few; now and then any; seldom one that doesn't exist."""
        if not values or self.one_in(40):
            return unknown
        return self.pick(values if self.one_in(6) else values[-size:])

    def new_id(self, party: str, prefix: str, taken: Sequence[str]) -> str:
        self.names += 1
        if taken and self.one_in(30):
            return str(self.pick(taken[-8:]))
        return f"{self.pick(PARTIES) if self.one_in(30) else party}/{prefix}{self.names}"

    def amount(self, *limits: int) -> int:
        """A small amount, or one at a limit, or one fen beyond."""
        around = self.pick(limits) + self.pick((-1, 0, 0, 0, 1))
        return int(max(1, around if self.one_in(3) else self.pick((1, 60, 100, 250, 600, 1_000))))

    def moment(self, *others: int) -> int:
        """A time about now or about one of the others, to the microsecond."""
        base = self.pick((self.at, self.at, *others))
        return int(base + self.pick((-DAY, -1, 0, 0, 0, 0, 1, HOUR, 2 * DAY)))

    def span(self, name: str) -> int:
        """One of the network's spans of time, in microseconds."""
        return int(self.oracle.network[f"{name}_seconds"] * SECOND)

    def day_of(self, at: int) -> int:
        return (at + self.span("utc_offset")) // DAY

    def day_text(self, days_ago: int) -> str:
        return instant_text(self.at + self.span("utc_offset") - days_ago * DAY)[:10]

    # -- from values to signed commands -------------------------------------------------------------------------------

    def keys(self, party: str, revoked: bool = False, purposes: Sequence[str] = ("sign", "meter", "read")) -> list[str]:
        """Names of the keys of a party that the log knows."""
        found = [label for label, key in self.oracle.keys.items() if (key["party"], key["revoked"]) == (party, revoked)]
        return [label.rsplit("+", 1)[0] for label in found if self.oracle.keys[label]["purpose"] in purposes]

    def signers_for(self, command: Json) -> list[str]:
        """Whose keys a careful party would sign with: sometimes one more than needed."""
        party = command["party"]
        purposes = ("sign", "meter") if command["kind"] in METERED else ("sign",)
        own = self.keys(party, purposes=purposes if not self.one_in(30) else ("sign", "meter", "read"))
        if not self.one_in(6):
            own = [name for name in own if self.at >= self.oracle.keys[label_of(name)]["active_from"]]
        needed = 2 if party == NETWORK else 1
        if party == NETWORK and party in self.oracle.parties:
            needed = self.oracle.parties[party]["quorum"]
        if signed_by_quorum(command) and party in self.oracle.parties and not self.one_in(8):
            needed = self.oracle.parties[party]["quorum"]
        if command["kind"] in LETS_MONEY_LEAVE and party in self.oracle.parties:
            officers = self.oracle.parties[party]["officers"]
            needed = officers["required"] if officers and self.one_in(2) else 1
        if command["kind"] in OFFICERS_SIGN and party in self.oracle.parties and not self.one_in(8):
            officers = self.oracle.parties[party]["officers"]
            needed = officers["required"] if officers else self.oracle.parties[party]["quorum"]
        start = self.chance.randrange(max(1, len(own) - needed + 1))
        signers = own[start : start + needed + self.one_in(10)]
        for other in self.oracle.also_asked(command):
            if other != NETWORK and not self.one_in(8):
                signers += self.keys(other, purposes=("sign",))[:1]
        if self.oracle.acting_for(command) != party and not self.one_in(8):
            for other, number in self.oracle.officers_asked(command, self.at).items():
                signers += self.keys(other, purposes=("sign",))[:number]
        if command["kind"] == "key.rotate/1" and not self.one_in(8):
            old = command["key"].rpartition("+")[0]
            signers = [*(signers if party == NETWORK else ()), old]
        new_keys = brought_by(command) if command["kind"] != "log.rekey/1" else [self.log_key(command["new_vkey"])]
        signers += new_keys[self.one_in(12) :]
        if command["kind"] == "key.add/1" and command["subject"] != party and not self.one_in(8):
            signers += self.keys(NETWORK, purposes=("sign",))[: self.oracle.parties[NETWORK]["quorum"]]
        return list(dict.fromkeys(signers))

    def spoil(self, command: Json, signers: list[str]) -> tuple[list[str], list[str]]:
        """Something wrong about the signatures: the keys that sign well, and the keys that don't."""
        party = command["party"]
        coming = [label for label, key in self.oracle.keys.items() if key["active_from"] > self.at]
        match self.chance.randrange(7 if coming else 6):
            case 6:
                return [*signers, *[label.rpartition("+")[0] for label in coming[:1]]], []
            case 0:
                return signers[1:] or [f"{party}/nobody"], []
            case 1:
                return [*signers, *self.keys(self.pick(PARTIES))[:1]], []
            case 2:
                return [*signers, *self.keys(party, revoked=True)[-1:]], []
            case 3:
                return [*signers, f"{party}/nobody"], []
            case 4:
                return signers[1:], signers[:1] or [f"{party}/nobody"]
            case _:
                return self.keys(party, revoked=True)[:1] or [f"{party}/nobody"], []

    def bend(self, command: Json) -> Json:
        """Something wrong about what every command has."""
        changes: list[Json] = [
            {"log": "tallystick.example/other"},
            {"signed_at": instant_text(self.at + self.span("clock_skew") + self.pick((0, 1)))},
            {"signed_at": instant_text(self.at - self.span("freshness") - self.pick((0, 1)))},
            {"party": self.pick((*PARTIES, "nobody"))},
            {"party": self.pick(TREASURIES)},
            {"party": self.pick(HOLDERS)},
            {"party": self.pick(PROVIDERS)},
        ]
        mine = [sent["ref"] for sent, _ in self.sent if sent["party"] == command["party"]]
        change: Json = self.pick([*changes, {"ref": self.pick(mine)}] if mine else changes)
        changed: Json = self.pick((change, *self.gone(command), *self.gone(command)))
        return command | changed

    def gone(self, command: Json) -> list[Json]:
        """Instead of something that a command names or makes, something of its kind that has left the books."""
        left = {of_type: [*ids] for of_type, ids in self.oracle.left.items() if ids and of_type in command}
        return [{of_type: self.pick(ids)} for of_type, ids in left.items()]

    def send(self, party: str, kind: str, **fields: Any) -> tuple[str, Any]:
        """Complete the command, sign it, now and then spoil it, and give it to both sides."""
        self.refs += 1
        head = {"kind": f"{kind}/1", "log": ORIGIN, "party": party, "ref": f"doc-{self.refs}"}
        command = head | {"signed_at": instant_text(self.at)} | fields
        if command["kind"] in MANDATED:
            command = self.mandated(command)
        if self.one_in(14):
            command = self.bend(command)
        signers, wrong = self.signers_for(command) or [f"{command['party']}/nobody"], list[str]()
        if self.one_in(14):
            signers, wrong = self.spoil(command, signers)
        signers = [key for key in dict.fromkeys(signers) if key not in wrong]
        answer = self.pair.submit(command, signers, self.at, wrong)
        if answer[0] == "accepted":
            self.sent.append((command, signers))
        return answer

    def mandated(self, command: Json) -> Json:
        """Mostly as it is; given by an operator for the treasury, or as if it were."""
        party = command["party"]
        if party not in TREASURIES:
            return command | ({"mandate": f"{TREASURIES[0]}/none"} if self.one_in(30) else {})
        mine = [name for name, one in self.oracle.mandates.items() if one["treasury"] == party or self.one_in(12)]
        live = [name for name in mine if not self.oracle.is_mandate_over(self.oracle.mandates[name], self.at)]
        fitting = [name for name in live if command["kind"] in self.oracle.mandates[name]["kinds"]]
        pool = fitting if not self.one_in(8) else self.pick((live, mine))
        if not pool or not self.one_in(3):
            return command
        name = self.recent(pool, f"{TREASURIES[0]}/none", size=4)
        given = command | {"mandate": name, "party": self.oracle.mandates.get(name, {"operator": OPERATOR})["operator"]}
        if command["kind"] == "voucher.issue/1" and not self.one_in(12):
            given["voucher"] = f"{given['party']}/{command['voucher'].partition('/')[2]}"
        if self.one_in(12):
            given["party"] = self.pick((OPERATOR, PROBE, party))
        if self.one_in(16):
            del given["mandate"]
        return given

    def wait(self) -> None:
        self.at += self.pick(TIME_STEPS) if self.one_in(2) else 0

    # -- set-up -------------------------------------------------------------------------------------------------------

    def exactly(self, party: str, kind: str, *keys: str, wrong: Sequence[str] = (), **fields: Any) -> tuple[str, Any]:
        """This command and no other, signed by the keys named, or by as many of the party's as are usual."""
        self.refs += 1
        head = {"kind": f"{kind}/1", "log": ORIGIN, "party": party, "ref": f"doc-{self.refs}"}
        command = head | {"signed_at": instant_text(self.at)} | fields
        usual = (
            [f"{NETWORK}/root-1", f"{NETWORK}/root-2"] if party == NETWORK else self.keys(party, purposes=("sign",))[:1]
        )
        if party == CAREFUL and (signed_by_quorum(command) or command["kind"] in LETS_MONEY_LEAVE | OFFICERS_SIGN):
            usual = self.keys(party)[:2]
        usual += [self.keys(side, purposes=("sign",))[0] for side in self.oracle.also_asked(command)]
        signers = list(keys) or ([] if wrong else list(dict.fromkeys([*usual, *brought_by(command)])))
        answer = self.pair.submit(command, signers, self.at, wrong)
        if answer[0] == "accepted":
            self.sent.append((command, signers))
        return answer

    def must(self, party: str, kind: str, **fields: Any) -> None:
        """A command that both sides accept."""
        answer = self.exactly(party, kind, **fields)
        assert answer[0] == "accepted", answer

    def found(self, **limits: int) -> None:
        """A network with its parties, items, tariffs, and a programme of each shape."""
        self.must(NETWORK, "network.found", **(self.founding() | limits))
        roles = dict.fromkeys(TREASURIES, "treasury") | dict.fromkeys(PROVIDERS, "provider")
        roles |= {AUDITOR: "auditor", OPERATOR: "operator", PROBE: "operator"} | dict.fromkeys(ATTESTERS, "attester")
        for party, role in roles.items():
            code: Json = {} if party in (AUDITOR, PROBE, *ATTESTERS) else {"uscc": uscc_of(party)}
            if party == CAREFUL:
                code |= {"quorum": 2, "officers": OFFICERS}
            self.must(NETWORK, "party.admit", admitted=party, role=role, name=party, keys=self.vkeys(party), **code)
        for holder in HOLDERS:
            code = {"maker": True} if holder == "lin-studio" else {"uscc": uscc_of(holder)}
            size = 16 if holder == MANY_KEYS else 3
            fields = {"admitted": holder, "role": "holder", "keys": self.vkeys(holder, size)}
            fields |= {"profile_hash": profile_of(holder)} if "maker" in code else {"name": holder}
            self.must(TREASURIES[len(holder) % 2], "party.admit", **fields, **code)
        for item, origin in zip(
            ITEMS, ({"origin": "domestic"}, {"origin": "foreign"}, {"filing": "no. 7"}), strict=True
        ):
            self.must(NETWORK, "item.register", item=item, unit="gpu_time", name="x", **origin)
            for provider in PROVIDERS[: 1 + (item != "mlu-590")]:
                price = 3_600 if provider == PROVIDERS[0] else 1_999
                self.must(provider, "tariff.publish", item=item, price_fen=price, valid_from=instant_text(self.at))
        for item in COUNTED:
            self.must(NETWORK, "item.register", item=item, unit="count", counted="a million tokens", name="x")
            for provider, price in zip(PROVIDERS, (7, 9), strict=True):
                self.must(provider, "tariff.publish", item=item, price_fen=price, valid_from=instant_text(self.at))
        for number, rules in enumerate(SHAPES):
            party = TREASURIES[number % 2]
            self.must(party, "programme.open", **self.programme(f"{party}/p{number}", rules, BEFORE))
            for provider in PROVIDERS:
                place, items = {"programme": f"{party}/p{number}", "provider": provider}, self.limits(*GOODS)
                self.must(party, "provider.accredit", valid_from=instant_text(self.at), items=items, **place)
            given: Json = {"mandate": f"{party}/m{number}", "operator": OPERATOR, "kinds": sorted(MANDATED)}
            given |= {"each_fen": 5_000, "total_fen": 500_000, "until": instant_text(self.at + 366 * DAY)}
            self.must(party, "mandate.give", **given)
        for holder in HOLDERS:
            for number, provider in enumerate(PROVIDERS):
                changes: Json = {"other_support_fen": 300 * number, "claimant": ("provider", "either")[number]}
                self.must(holder, "contract.sign", **self.contract(f"{holder}/k-{number}", holder, provider) | changes)
        for number, holder in enumerate(HOLDERS):
            changes = {"other_support_fen": 300 * number, "basis": "invoiced"}
            terms = self.contract(f"{holder}/i-0", holder, PROVIDERS[number % 2]) | changes
            self.must(holder, "contract.sign", **terms)

    @staticmethod
    def limits(*items: str, limit_fen: int = 10_000_000) -> list[Json]:
        return [{"item": item, "price_limit_fen": limit_fen} for item in sorted(set(items))]

    def contract(self, name: str, holder: str, provider: str) -> Json:
        """A contract of 3,000 days at prices that no tariff is above."""
        return {
            "contract": name,
            "holder": holder,
            "provider": provider,
            "document_hash": SHA256.of(name.encode()),
            "amount_fen": 1_000_000,
            "first_day": self.day_text(0),
            "last_day": self.day_text(-3_000),
            "items": [{"item": item, "price_fen": 7_200} for item in GOODS],
            "basis": "metered",
            "claimant": "provider",
            "related_party": False,
            "other_support_fen": 0,
        }

    def founding(self) -> Json:
        return {
            "edition": 1,
            "name": "National",
            "currency": "CNY",
            "root_keys": [vkey_of(f"{NETWORK}/root-{number}") for number in (1, 2, 3)],
            "root_quorum": 2,
            "clock_skew_seconds": 300,
            "freshness_seconds": 20 * 86_400,
            "burn_window_seconds": 30 * 86_400,
            "release_grace_seconds": 2 * 86_400,
            "tariff_notice_seconds": 86_400,
            "takeover_seconds": 2 * 86_400,
            "sealing_grace_seconds": 6 * 3_600,
            "utc_offset_seconds": 8 * 3_600,
        }

    def programme(self, name: str, rules: Json, opens_at: int | None = None) -> Json:
        opens_at = self.at if opens_at is None else opens_at
        cap = {"group": "compute", "holder_fen": 15_000, "floor_fen": 100}
        return {
            "programme": name,
            "name": "Programme",
            "voucher_kind": "compute",
            "fiscal_year": 2026,
            "envelope_fen": self.pick((60_000, 60_000, 3_000)),
            "opens_at": instant_text(opens_at),
            "closes_at": instant_text(opens_at + 500 * DAY),
            "rules": rules | {"cap": cap},
        }

    def some_gate(self, payee: str) -> Json:
        """A gate that mostly makes sense, or is of nobody."""
        before = self.pick(("issue", "claim", "settle"))
        claimants = ("provider", "holder") if payee == "contract" else (payee,)
        subjects: dict[str, tuple[str, ...]] = {
            "issue": ("application", "holder", "contract"),
            "claim": claimants,
        }
        subjects["settle"] = ("claim", "contract", *claimants)
        of_type = self.pick(subjects[before]) if not self.one_in(4) else self.pick(("application", "holder", "claim"))
        if self.one_in(2 if of_type == "contract" else 12):
            return _side_gate(before) | {"subject_type": of_type, "passes": 1 + self.one_in(6)}
        changes = {"attesters": [self.pick((*ATTESTERS, "nobody", AUDITOR))], "passes": 1 + self.one_in(6)}
        return _gate(before, of_type) | changes

    @staticmethod
    def vkeys(party: str, size: int = 3) -> list[str]:
        return [vkey_of(f"{party}/officer-{number}") for number in range(1, size + 1)]

    # -- moves: network, parties, keys --------------------------------------------------------------------------------

    def found_again(self) -> None:
        self.send(NETWORK, "network.found", **self.founding())

    def adopt_edition(self) -> None:
        self.send(NETWORK, "rules.adopt", edition=self.pick((1, 1, 2, 2**53 - 1)))

    def log_key(self, vkey: str) -> str:
        """The name of one of the keys that the log may have, by which tests find it."""
        names = [f"{ORIGIN}:log-{number}" for number in range(len(self.oracle.log_keys) + 2)]
        return next((name for name in names if vkey_of(name) == vkey), f"{ORIGIN}:{NETWORK}/root-1")

    def rekey_log(self) -> None:
        """From the newest key to the next, mostly; or from or to one that was used."""
        number = len(self.oracle.log_keys)
        old = number if not self.one_in(6) else max(0, number - 1)
        new = f"log-{number + 1 if not self.one_in(4) else self.pick((0, number, number + 1))}"
        vkeys = {"old_vkey": vkey_of(f"{ORIGIN}:log-{old}")}
        vkeys["new_vkey"] = vkey_of(f"{ORIGIN}:{new if not self.one_in(8) else f'{NETWORK}/root-1'}")
        self.send(NETWORK, "log.rekey", overlap_seconds=self.pick((0, 3_600, 40 * 86_400, 40 * 86_400)), **vkeys)

    def record_checkpoint(self) -> None:
        """Of one of two other logs, mostly larger than before; or of another size, root, key or log."""
        origin = self.pick(("tallystick.example/world", "other.example/log", ORIGIN if self.one_in(4) else "x.example"))
        size = self.oracle.other_logs.get(vkey_of(origin), (0, ""))[0] + self.pick((0, 0, 1, 256, -1))
        root = f"{origin} {size} {self.one_in(3)}"
        checkpoint = checkpoint_of(origin, max(0, size), root, signed_by=origin if not self.one_in(6) else "y.example")
        vkey = vkey_of(origin if not self.one_in(8) else "y.example")
        fields = {"checkpoint": checkpoint[: -self.one_in(12) or None], "log_vkey": vkey}
        self.send(OPERATOR, "checkpoint.record", **fields)

    def admit_party(self) -> None:
        party = self.pick((NETWORK, *TREASURIES, *TREASURIES))
        self.names += 1
        admitted = self.pick(PARTIES) if self.one_in(5) else f"late-{self.names}"
        fields: Json = {
            "admitted": admitted,
            "role": self.pick(("holder", "holder", "provider", "auditor", "operator", "attester", "treasury")),
        }
        size = self.pick((1, 1, 1, 1, 15, 16))
        fields["keys"] = self.vkeys(admitted if not self.one_in(10) else self.pick(PARTIES), size)
        for purpose in ("meter", "read"):
            if self.one_in(3):
                names = [f"{admitted}/{purpose}-{number}" for number in range(1, self.pick((2, 2, 9)))]
                fields[f"{purpose}_keys"] = [vkey_of(name) for name in names]
        code = uscc_of(admitted if not self.one_in(3) else self.pick(PARTIES))
        if self.one_in(5):
            code = code[:-1] + ("1" if code[-1] == "0" else "0")
        if not self.one_in(6):
            fields["uscc"] = code
        if self.one_in(8):
            fields["maker"] = True
        fields |= self.called(is_maker="maker" in fields)
        if self.one_in(8):
            fields["quorum"] = 2
        if self.one_in(3 if party == NETWORK else 16):
            fields["officers"] = OFFICERS | {"required": self.pick((2, 3))}
        self.send(party, "party.admit", **fields)

    def called(self, *, is_maker: bool) -> Json:
        """A name, or a maker's profile; sometimes both, the other or none."""
        fields: Json = {}
        if is_maker == self.one_in(10):
            fields["name"] = "x"
        if is_maker != self.one_in(10):
            fields["profile_hash"] = profile_of("x")
        return fields

    def amend_party(self) -> None:
        party = self.pick((NETWORK, *TREASURIES, *TREASURIES, *PROVIDERS, *HOLDERS))
        fields = self.called(is_maker=party == "lin-studio")
        if not self.one_in(4):
            fields["quorum"] = self.pick((2, 2, 2, 3, 16))
        if party in TREASURIES and not self.one_in(4):
            threshold = self.pick((0, 1_000, 6_000, 20_000))
            fields["officers"] = {
                "threshold_fen": threshold,
                "required": self.pick((2, 2, 3)),
                "window_days": self.pick((1, 3, 40)),
            }
        self.send(party, "party.amend", **fields)

    def subject(self) -> str:
        return str(self.recent([name for name in self.oracle.parties if name != PROBE], "nobody", size=12))

    def admitter_of(self, subject: str) -> str:
        if subject not in self.oracle.parties or self.one_in(6):
            return str(self.pick((NETWORK, *TREASURIES)))
        return str(self.oracle.parties[subject]["admitter"] or NETWORK)

    def suspend_party(self) -> None:
        suspended = self.suspended_parties()
        subject = self.pick(suspended) if suspended and self.one_in(2) else self.subject()
        self.send(self.admitter_of(subject), "party.suspend", subject=subject, reason="inquiry")

    def suspended_parties(self) -> list[str]:
        return [name for name, party in self.oracle.parties.items() if party["suspended"]]

    def reinstate_party(self) -> None:
        suspended = self.suspended_parties()
        subject = self.pick(suspended) if suspended and not self.one_in(6) else self.subject()
        self.send(self.admitter_of(subject), "party.reinstate", subject=subject, reason="cleared")

    def add_key(self) -> None:
        subject = MANY_KEYS if self.one_in(6) else self.subject()
        party = subject if self.one_in(2) else self.admitter_of(subject)
        owner = self.pick(PARTIES) if self.one_in(12) else subject
        self.names += 1
        known = self.keys(subject)
        again = bool(known) and self.one_in(8)
        name = self.pick(known) if again else f"{owner}/officer-{self.names + 10}"
        purpose = self.pick(("sign", "sign", "sign", "sign", "meter", "read"))
        self.send(party, "key.add", subject=subject, purpose=purpose, vkey=vkey_of(name))

    def rotate_key(self) -> None:
        party = self.subject()
        owner = self.pick(PARTIES) if self.one_in(12) else party
        keys = self.keys(owner, revoked=self.one_in(8)) or [f"{party}/nobody"]
        self.names += 1
        name = self.pick(keys) if self.one_in(8) else f"{owner}/officer-{self.names + 10}"
        self.send(party, "key.rotate", key=label_of(self.pick(keys)), vkey=vkey_of(name))

    def revoke_key(self) -> None:
        subject = self.subject()
        if self.one_in(3):
            subject = self.pick([key["party"] for key in self.oracle.keys.values() if key["revoked"]] or [subject])
        party = subject if self.one_in(2) else self.admitter_of(subject)
        owner = self.pick(PARTIES) if self.one_in(12) else subject
        names = self.keys(owner, revoked=self.one_in(2)) or self.keys(owner)
        key = self.recent([label_of(name) for name in names], label_of(f"{subject}/nobody"))
        fields: Json = {"cause": self.pick(("superseded", "ceased", "compromised"))}
        if (fields["cause"] == "compromised") != self.one_in(6):
            fields["since"] = instant_text(self.at + self.pick((-DAY, -1, 0, 1, DAY)))
        self.send(party, "key.revoke", subject=subject, key=key, reason="lost", **fields)

    def register_item(self) -> None:
        name = self.pick(("ascend-910b", f"chip_{self.refs}.0"))
        fields: Json = {"item": name, "name": "x", "unit": "count" if self.one_in(4) else "gpu_time"}
        if (fields["unit"] == "count") is not self.one_in(4):
            fields["counted"] = "a million tokens"
        origin = self.pick(({"origin": "domestic"}, {"origin": "foreign"}, {}))
        self.send(NETWORK, "item.register", **fields, **origin)

    # -- moves: programmes --------------------------------------------------------------------------------------------

    def programme_id(self) -> str:
        return str(self.recent([*self.oracle.programmes], f"{TREASURIES[0]}/none", size=6))

    def treasury_of(self, programme: str) -> str:
        known = programme in self.oracle.programmes and not self.one_in(16)
        return str(self.oracle.programmes[programme]["party"]) if known else str(self.pick(TREASURIES))

    def open_programme(self) -> None:
        party = self.pick(TREASURIES)
        name = self.new_id(party, "p", [*self.oracle.programmes])
        fields = self.programme(name, self.pick(SHAPES), self.moment())
        if self.one_in(8):
            fields["closes_at"] = instant_text(self.moment(instant(fields["opens_at"])))
        if self.one_in(8):
            fields["envelope_fen"] = SUM_MAX + 1 - self.oracle.appropriated(party)
        rules = fields["rules"]
        rules["cap"] |= {"group": self.pick(("compute", "pilot")), "holder_fen": self.pick((99, *[15_000] * 7))}
        rules["rank"] = self.pick((0, 5, 10, 20, 30))
        if self.one_in(4):
            rules["proration"] = self.pick(PRORATIONS)
        if self.one_in(8):
            rules["shares"] = [{"items": ["none"], "share_bp": 1}]
        if self.one_in(8):
            rules["shares"] = [{"holder_class": "university", "share_bp": 9_000}, {"share_bp": 8_000}]
        if self.one_in(5):
            rules["gates"] = [self.some_gate(rules["payee"])]
        if self.send(party, "programme.open", **fields)[0] == "accepted":
            for provider in PROVIDERS:
                start = instant_text(max(self.at, instant(fields["opens_at"])))
                items = self.limits(*GOODS, limit_fen=self.pick(LIMITS_FEN))
                place = {"programme": name, "provider": provider}
                accredited = self.send(party, "provider.accredit", **place, valid_from=start, items=items)
                if accredited[0] == "accepted" and instant(start) > self.at and self.one_in(2):
                    record = {"type": "accreditation", "valid_from": start} | place
                    self.send(self.pick((NETWORK, party)), "record.withdraw", record=record)

    def programmes_open(self) -> list[str]:
        """The programmes whose end isn't over."""
        return [name for name in self.oracle.programmes if not self.oracle.is_closed(name, self.at)]

    def amend_programme(self) -> None:
        still_open = self.programmes_open()
        name = self.recent(still_open, self.programme_id(), size=6) if still_open else self.programme_id()
        if self.one_in(8):
            name = self.programme_id()
        changes: list[Json] = [{"closes_at": instant_text(self.at + self.pick((-1, 0, DAY, 30 * DAY, 90 * DAY)))}]
        if name in self.oracle.programmes:
            programme = self.oracle.programmes[name]
            issued = programme["envelope_fen"] - self.oracle.balance("unissued", name)
            changes += [{"envelope_fen": max(1, issued + self.pick((-1, 0, 500, 5_000, 60_000)))}] * 3
            room = SUM_MAX - self.oracle.appropriated(programme["party"])
            changes += [{"envelope_fen": programme["envelope_fen"] + room + 1}] if self.one_in(8) else []
            changes += [self.other_rules(self.oracle.rules_at(name, self.at))] * 3
            if self.one_in(8):
                changes = [{"closes_at": instant_text(instant(programme["closes_at"]) + self.pick((-1, 0, 1)))}]
        fields = self.pick(changes) | (self.pick(changes) if self.one_in(3) else {})
        self.send(self.treasury_of(name), "programme.amend", programme=name, reason="second edition", **fields)

    def other_rules(self, old: Json) -> Json:
        """Rules that differ from these in what may be amended, or now and then in what may not."""
        change: Json = self.pick(
            (
                {"shares": [{"share_bp": self.pick((2_000, 10_000))}]},
                {"shares": [{"items": [self.recent([*self.oracle.items], "none")], "share_bp": 7_000}]},
                {"shares": [{"holder_class": "university", "share_bp": 9_000}, {"share_bp": 8_000}]},
                {"ceiling_bp": self.pick((6_000, 10_000))},
                {"validity_days": self.pick((1, 9, 60))},
                {"transfer": self.pick(("forbidden", "approved", "open"))},
                {"cap": old["cap"] | {"floor_fen": self.pick((0, 100, 500, 20_000))}},
                {"cap": old["cap"] | {"group": self.pick(("compute", "pilot"))}},
                {"cap": old["cap"] | {"holder_fen": self.pick((9_000, 15_000, 20_000))}},
                {"gates": [self.some_gate(old["payee"])]},
                {"claims": old["claims"] | {"cut_off_days": 30}},
                {"proration": self.pick(PRORATIONS)},
            )
        )
        if self.one_in(4):
            change |= self.pick(
                (
                    {"payee": self.pick(("provider", "holder", "contract"))},
                    {"basis": self.pick(("metered", "invoiced", "both"))},
                    {"rounding_fen": self.pick((1, 100))},
                    {"rank": self.pick((1, 10))},
                    {"claims": old["claims"] | {"cycle": self.pick(("month", "quarter"))}},
                )
            )
        ahead = self.pick((1, 1, 1, 1, 2, 2, 5, 30)) if not self.one_in(8) else self.pick((0, 366, 367))
        return {"rules": old | change, "rules_from": self.day_text(-ahead)}

    def accredit(self) -> None:
        programme, provider = self.programme_id(), self.pick((*PROVIDERS, *PROVIDERS, *PROVIDERS, HOLDERS[0]))
        ends = [one["until"] for one in self.oracle.accreditations if one["programme"] == programme and one["until"]]
        items = GOODS if self.one_in(2) else [self.recent([*self.oracle.items], "none"), "h800"]
        fields: Json = {"items": self.limits(*items, limit_fen=self.pick(LIMITS_FEN))}
        fields |= {"provider": provider, "valid_from": instant_text(self.moment(*ends[-2:]))}
        self.send(self.treasury_of(programme), "provider.accredit", programme=programme, **fields)

    def delist(self) -> None:
        programme, provider = self.programme_id(), self.pick((*PROVIDERS, *PROVIDERS, *PROVIDERS, HOLDERS[0]))
        fields = {"provider": provider, "valid_until": instant_text(self.moment()), "reason": "broke the rules"}
        self.send(self.treasury_of(programme), "provider.delist", programme=programme, **fields)

    def publish_tariff(self) -> None:
        provider, chips = self.pick(PROVIDERS), [*self.oracle.items]
        item = self.pick((self.recent(chips, "none"), *chips[:3]))
        coming = [one for one in self.oracle.tariffs if one["from"] >= self.at]
        if coming and self.one_in(2):
            provider, item = coming[-1]["provider"], coming[-1]["item"]
        before = [
            one["from"]
            for one in self.oracle.tariffs
            if (one["provider"], one["item"]) == (provider, item) and one["from"] >= self.at
        ]
        start = before[-1] + self.pick((-1, 0, 1)) if before else self.moment(self.at + DAY, self.at + 9 * DAY)
        counted = [name for name, one in self.oracle.items.items() if one["unit"] == "count"]
        item = self.pick(counted) if counted and self.one_in(20) else item
        if self.one_in(12):
            start = self.at + 366 * DAY + self.pick((0, 1))
        fields = {"item": item, "price_fen": self.pick((1_999, 3_600, 3_600, 7_201))}
        self.send(provider, "tariff.publish", valid_from=instant_text(start), **fields)

    def declare_capacity(self) -> None:
        provider, items = self.pick(PROVIDERS), [*self.oracle.items]
        items = sorted({self.recent(items, "none") for _ in range(self.chance.randrange(4))})
        capacity = [{"item": item, "installed": self.pick((1, 512, 1_000_000))} for item in items]
        ahead = self.pick((-1, 0, 0, 1, 2, 5, 30, 90)) if not self.one_in(12) else self.pick((366, 367))
        answer = self.send(provider, "capacity.declare", capacity=capacity, first_day=self.day_text(-ahead))
        if answer[0] == "accepted" and self.one_in(2):
            self.withdraw_capacity()

    def withdraw_capacity(self) -> None:
        """What is coming, mostly, of a provider that has declared something; or another day."""
        declared = [one for one in self.oracle.capacities if one["from"] > day(self.day_text(0))]
        if not declared or self.one_in(4):
            declared = self.oracle.capacities or [{"provider": PROVIDER, "from": 0}]
        one = self.pick(declared[-3:])
        start = instant_text((one["from"] + self.one_in(16)) * DAY)[:10]
        record = {"type": "capacity", "first_day": start}
        party = NETWORK if self.one_in(2) else one["provider"]
        record |= {"provider": one["provider"]} if self.one_in(2 if party == NETWORK else 16) else {}
        self.send(party, "record.withdraw", record=record)

    def withdraw_party(self) -> None:
        """One that was admitted lately, and so may not have been named yet; mostly by who admitted it."""
        late = [name for name in self.oracle.parties if name not in (*PARTIES, PROBE)]
        free = [name for name in late if not self.oracle.is_in_use(name)]
        known = [name for name in self.oracle.parties if name != PROBE]
        name = self.recent(free if free and not self.one_in(6) else known, "nobody")
        party = NETWORK if self.one_in(3) else self.admitter_of(name)
        self.send(party, "record.withdraw", record={"type": "party", "party": name})

    def withdraw(self) -> None:
        """What is coming, mostly; or what began, or is of another."""
        tariffs = [("tariff", one["provider"], one) for one in self.oracle.tariffs]
        accredited = [("accreditation", self.treasury_of(one["programme"]), one) for one in self.oracle.accreditations]
        records = self.pick((tariffs, accredited))
        coming = [one for one in records if one[2]["from"] > self.at]
        names = ("item",) if records is tariffs else ("programme", "provider")
        places = Counter(tuple(one[name] for name in ("provider", *names)) for _, _, one in coming)
        stacked = [row for row in coming if places[tuple(row[2][name] for name in ("provider", *names))] > 1]
        if stacked and self.one_in(2):
            coming = stacked[:1]
        what, party, one = self.pick(coming[-3:] if coming and not self.one_in(6) else records)
        record = {"type": what, "valid_from": instant_text(one["from"] + self.one_in(16))}
        record |= {name: one[name] for name in names}
        party = self.pick((*PROVIDERS, *TREASURIES)) if self.one_in(16) else party
        if self.one_in(2):
            party = NETWORK
        if what == "tariff" and self.one_in(2 if party == NETWORK else 16):
            record["provider"] = one["provider"]
        if what == "accreditation" and self.one_in(16):
            record["programme"] = f"{TREASURIES[0]}/none"
        self.send(party, "record.withdraw", record=record)

    # -- moves: mandates ----------------------------------------------------------------------------------------------

    def give_mandate(self) -> None:
        party = self.pick(TREASURIES)
        kinds = self.chance.sample(sorted(MANDATED), self.pick((2, 6, 6, 6)))
        operator = self.pick((OPERATOR, OPERATOR, OPERATOR, PROBE)) if not self.one_in(8) else self.pick(PARTIES)
        fields: Json = {"mandate": self.new_id(party, "m", [*self.oracle.mandates]), "operator": operator}
        fields |= {"kinds": sorted(kinds), "each_fen": self.pick((0, 2_500, 100_000, 100_000))}
        fields |= {"total_fen": self.pick((1_000, 5_000, 100_000, 100_000))}
        if self.one_in(4):
            fields["programme"] = self.programme_id()
        until = self.at + self.pick((HOUR, 90 * DAY, 300 * DAY)) if not self.one_in(8) else self.at + self.pick((0, 1))
        if self.one_in(12):
            until = self.at + 366 * DAY + self.pick((0, 1))
        if "programme" in fields and not self.one_in(8):
            party = self.treasury_of(fields["programme"])
            fields["mandate"] = self.new_id(party, "m", [*self.oracle.mandates])
        self.send(party, "mandate.give", until=instant_text(until), **fields)

    def end_mandate(self) -> None:
        live = [name for name, one in self.oracle.mandates.items() if not self.oracle.is_mandate_over(one, self.at)]
        name = self.recent(live if not self.one_in(8) else [*self.oracle.mandates], f"{TREASURIES[0]}/none")
        party = self.oracle.mandates[name]["treasury"] if name in self.oracle.mandates else TREASURIES[0]
        party = self.pick(TREASURIES) if self.one_in(8) else party
        self.send(party, "mandate.end", mandate=name, reason="moved")

    # -- moves: contracts ---------------------------------------------------------------------------------------------

    def live_contracts(self) -> list[str]:
        """The contracts whose last day isn't over."""
        return [name for name in self.oracle.contracts if self.oracle.end_of_contract(name) > self.at]

    def contract_id(self) -> str:
        """Mostly one that isn't over; the standing ones as often as the newest."""
        live = self.live_contracts()
        pool = live if live and not self.one_in(16) else [*self.oracle.contracts]
        return str(self.recent(pool if self.one_in(2) else pool[:9], f"{HOLDERS[0]}/none", size=9))

    @staticmethod
    def standing() -> list[str]:
        """The contracts that are there from the beginning, and aren't ended early."""
        return [f"{holder}/k-{number}" for holder in HOLDERS for number in range(len(PROVIDERS))]

    def days(self, *numbers: int) -> str:
        return self.day_text(self.pick(numbers))

    def sign_contract(self) -> None:
        holder = self.recent(HOLDERS * 4, PROVIDERS[0], size=20)
        provider = self.recent(PROVIDERS * 4, HOLDERS[0], size=20)
        party = self.pick((holder, provider))
        name = self.new_id(party, "k", [*self.oracle.contracts])
        fields = self.contract(name, holder, provider)
        if self.one_in(10):
            fields["document_hash"] = self.used_document()
        first = self.pick((*[0] * 8, 1, 9, -1, -9, 366, 367, -366, -367))
        fields |= {
            "amount_fen": self.pick((2_000, 20_000, 200_000)),
            "first_day": self.day_text(first),
            "last_day": self.day_text(min(first, 0) - self.pick((30, 30, 90, 90, 9, 9, 3, 0, -1, 3_659, 3_660))),
            "claimant": self.pick(("provider", "holder", "either", "either")),
            "basis": self.pick(("metered",) * 4 + ("invoiced",)),
            "other_support_fen": self.pick((0, 0, 100, 1_000, 5_000)),
        }
        if not self.one_in(3):
            items = {self.pick(GOODS), self.recent([*self.oracle.items], "none")}
            fields["items"] = [
                {"item": one, "price_fen": self.pick((1_000, 1_999, 3_600, 7_200))} for one in sorted(items)
            ]
        self.send(self.pick(HOLDERS) if self.one_in(30) else party, "contract.sign", **fields)

    def amend_contract(self) -> None:
        used = {line["contract"] for line in self.oracle.lines if line["fee_fen"]} & set(self.live_contracts())
        name = self.pick(sorted(used)) if used and self.one_in(2) else self.contract_id()
        contract = self.oracle.contracts.get(name)
        last_days = (
            (1, -3_000, -3_100)
            if name in self.standing() or name.endswith("/i-0")
            else (0, 1, -3, -30, -60, -300, -3_000)
        )
        changes: list[Json] = [
            {"last_day": self.days(*last_days)},
            {"items_from": self.days(-1, -1, -2, -30, 0, -366, -367), "items": self.amended_prices()},
        ]
        party = self.pick((*HOLDERS, *PROVIDERS))
        if contract is not None:
            charged, support = self.oracle.charged(name), contract["other_support_fen"]
            changes.append({"amount_fen": max(1, charged + self.pick((-1, -1, 0, 500, 100_000)))})
            changes.append({"other_support_fen": max(0, support + self.pick((-1, -1, 0, 500, 2_000)))})
            changes += changes[2:]
            party = contract[self.pick(("holder", "provider"))] if not self.one_in(12) else party
        fields = self.pick(changes) | (self.pick(changes) if self.one_in(4) else {})
        self.send(party, "contract.amend", contract=name, **fields)

    def amended_prices(self) -> list[Json]:
        items = sorted({self.pick(ITEMS), self.recent([*self.oracle.items], "none")})
        return [{"item": item, "price_fen": self.pick((999, 2_500, 7_200))} for item in items]

    # -- moves: applications -------------------------------------------------------------------------------------------

    def application_id(self) -> str:
        standing = [name for name, one in self.oracle.applications.items() if not one["withdrawn"]]
        pool = standing if standing and not self.one_in(8) else [*self.oracle.ever("application")]
        return str(self.recent(pool, f"{HOLDERS[0]}/none", size=8))

    def apply(self) -> None:
        programme, party = self.programme_id(), self.pick(HOLDERS)
        if self.one_in(16):
            closed = [name for name in self.oracle.programmes if self.oracle.is_closed(name, self.at)]
            programme = self.pick([*closed[-4:], programme])
        fields: Json = {"application": self.new_id(party, "a", [*self.oracle.applications]), "programme": programme}
        if self.one_in(4):
            fields["contract"] = self.contract_id_of(party)
        fields |= {"declarations": {"related_party": self.one_in(4), "other_support_fen": self.pick((0, 1_000))}}
        fields |= {"holder_class": self.pick(("under_one_year", "university"))} if self.one_in(2) else {}
        amount_fen = self.pick((600, 1_000, 4_000))
        self.send(party, "application.file", amount_fen=amount_fen, evidence_hash=EVIDENCE, **fields)

    def attest(self) -> None:
        of_type = self.pick(("application", "application", "claim", "provider", "holder", "contract", "contract"))
        subject = self.application_id() if of_type == "application" else self.contract_id()
        if of_type == "claim":
            unsettled = [name for name, claim in self.oracle.claims.items() if claim["status"] == "open"]
            subject = self.recent(unsettled or [*self.oracle.claims], f"{PROVIDER}/none", size=4)
        elif of_type in ("provider", "holder"):
            parties = PROVIDERS if of_type == "provider" else HOLDERS
            subject = self.recent(parties, self.pick(("nobody", AUDITOR)))
        end = self.at + self.pick((2 * HOUR, DAY, 9 * DAY, 9 * DAY, 90 * DAY))
        if self.one_in(12):
            end = self.at + self.pick((0, 1, 3_660 * DAY, 3_660 * DAY + 1))
        fields = {"subject_type": of_type, "subject_id": subject, "topic": "expert" if self.one_in(6) else "credit"}
        fields |= {"verdict": "fail" if self.one_in(4) else "pass", "valid_until": instant_text(end)}
        party = self.pick(ATTESTERS) if not self.one_in(16) else self.pick((*HOLDERS, *PROVIDERS, OPERATOR))
        if of_type == "contract" and subject in self.oracle.contracts and self.one_in(2):
            party = self.oracle.contracts[subject][self.pick(("holder", "provider"))]
        self.send(party, "attestation.give", reason="read", evidence_hash=EVIDENCE, **fields)

    def review(self, programme: str, before: str, subjects: dict[str, list[str]], whom: str) -> None:
        """What attesters or other sides say of the subjects of an act for a party, so that gates let it through."""
        for gate in self.oracle.rules_at(programme, self.at).get("gates", []):
            for subject in subjects.get(gate["subject_type"], []) if gate["before"] == before else []:
                sides = self.oracle.contracts.get(subject, {"holder": whom, "provider": whom})
                others = [sides[side] for side in ("holder", "provider") if sides[side] != whom]
                fields = {"subject_type": gate["subject_type"], "subject_id": subject, "topic": gate["topic"]}
                fields |= {"valid_until": instant_text(self.at + 9 * DAY), "verdict": "pass", "reason": "read"}
                for party in gate.get("attesters", others):
                    self.send(party, "attestation.give", evidence_hash=EVIDENCE, **fields)

    def withdraw_application(self) -> None:
        application = self.application_id()
        known = application in self.oracle.applications and not self.one_in(8)
        party = self.oracle.applications[application]["party"] if known else self.pick(HOLDERS)
        self.send(party, "application.withdraw", application=application)

    # -- moves: vouchers ----------------------------------------------------------------------------------------------

    def issue(self) -> None:
        still_open = self.programmes_open()
        programme = self.recent(still_open, self.programme_id(), size=6) if still_open else self.programme_id()
        party = self.treasury_of(programme)
        holder = self.recent([*HOLDERS, *HOLDERS, *HOLDERS, PROVIDERS[0]], "nobody", size=9)
        limits, start = [600], self.at
        if programme in self.oracle.programmes:
            cap = self.oracle.rules_at(programme, self.at)["cap"]
            left = cap["holder_fen"] - self.oracle.granted(programme, holder, self.at)
            limits += [left, cap["floor_fen"], self.oracle.balance("unissued", programme), 600]
            start = self.at if self.one_in(2) else self.moment()
            closes_at = instant(self.oracle.programmes[programme]["closes_at"])
            start = start if not self.one_in(8) else self.moment(closes_at)
        fields = {"voucher": self.new_id(party, "v", [*self.oracle.vouchers]), "programme": programme, "holder": holder}
        if self.one_in(2 if self.asks_for("contract", programme) else 5):
            fields["contract"] = self.contract_id_of(holder)
        face = self.amount(*limits) if self.one_in(2) else self.pick((100, 1_000, 2_500, 4_000))
        asked = [name for name, one in self.oracle.applications.items() if one["programme"] == programme]
        if (asked and self.one_in(2)) or self.one_in(30):
            name = self.recent(asked, self.application_id())
            fields["application"] = name
            if name in self.oracle.applications and not self.one_in(8):
                fields["holder"] = self.oracle.applications[name]["party"]
                if "contract" in self.oracle.applications[name] and not self.one_in(8):
                    fields["contract"] = self.oracle.applications[name]["contract"]
                left = self.oracle.applications[name]["amount_fen"] - self.oracle.issued()[name]
                face = self.amount(max(1, left), 600)
        self.send(party, "voucher.issue", face_fen=face, valid_from=instant_text(start), **fields)

    def asks_for(self, of_type: str, programme: str) -> bool:
        """Whether something of this type must be named where a programme's vouchers are issued."""
        known = programme in self.oracle.programmes
        gates = self.oracle.rules_at(programme, self.at).get("gates", []) if known else []
        return any((gate["before"], gate["subject_type"]) == ("issue", of_type) for gate in gates)

    def import_voucher(self) -> None:
        programme = self.recent([*self.oracle.programmes][: len(SHAPES)], self.programme_id(), size=9)
        party, holder = self.treasury_of(programme), self.recent(HOLDERS * 3, self.pick(("nobody", PROVIDERS[0])))
        limits = [600]
        if programme in self.oracle.programmes:
            cap_fen = self.oracle.rules_at(programme, self.at)["cap"]["holder_fen"]
            left = cap_fen - self.oracle.granted(programme, holder, self.at)
            limits += [left, self.oracle.balance("unissued", programme)]
        face = self.amount(*limits)
        used = self.pick((0, 0, 50, face // 2, face, face, face + self.one_in(3)))
        start = self.pick((BEFORE, BEFORE, BEFORE + 9 * DAY, START - 1)) if not self.one_in(6) else START
        start -= self.one_in(8)
        until = self.at + self.pick((DAY, 30 * DAY, 90 * DAY)) if not self.one_in(6) else self.at + self.pick((0, 1))
        fields = {"voucher": self.new_id(party, "i", [*self.oracle.vouchers]), "programme": programme, "holder": holder}
        fields |= {"face_fen": face, "used_fen": min(used, face) if not self.one_in(8) else face + 1}
        fields |= {
            "valid_from": instant_text(start),
            "valid_until": instant_text(until),
            "evidence_hash": EVIDENCE,
        }
        self.send(party, "voucher.import", **fields)

    def contract_id_of(self, holder: str) -> str:
        """Mostly one of a holder's contracts."""
        mine = [name for name in self.live_contracts() if self.oracle.contracts[name]["holder"] == holder]
        return self.contract_id() if self.one_in(16) or not mine else str(self.recent(mine, f"{holder}/none", size=3))

    def live_vouchers(self) -> list[str]:
        vouchers, balances = self.oracle.vouchers.items(), self.oracle.balances()
        return [name for name, one in vouchers if not self.oracle.is_over(one, self.at) and balances["available", name]]

    def voucher_id(self) -> str:
        live = self.live_vouchers()
        pool = live if live and not self.one_in(6) else [*self.oracle.vouchers]
        return str(self.recent(pool, f"{TREASURIES[0]}/none", size=10))

    def holder_of(self, voucher: str) -> str:
        known = voucher in self.oracle.vouchers and not self.one_in(16)
        return str(self.oracle.vouchers[voucher]["holder"]) if known else str(self.pick(HOLDERS))

    def transfer(self) -> None:
        voucher = self.voucher_id()
        party = self.holder_of(voucher)
        to = self.recent(HOLDERS * 3, PROVIDERS[0])
        limits = [self.oracle.balance("available", voucher)]
        if voucher in self.oracle.vouchers:
            programme = self.oracle.vouchers[voucher]["programme"]
            cap_fen = self.oracle.rules_at(programme, self.at)["cap"]["holder_fen"]
            limits.append(cap_fen - self.oracle.granted(programme, to, self.at))
        into = self.new_id(party, "t", [*self.oracle.vouchers])
        self.send(party, "voucher.transfer", voucher=voucher, into=into, to=to, amount_fen=self.amount(*limits))

    def change_voucher(self) -> None:
        voucher = self.voucher_id()
        programme = self.oracle.vouchers[voucher]["programme"] if voucher in self.oracle.vouchers else "none/none"
        kind = self.pick(("suspend", "suspend", "resume", "resume", "revoke"))
        suspended = [name for name, one in self.oracle.vouchers.items() if one["suspended"]]
        if suspended and self.one_in({"suspend": 4}.get(kind, 2)):
            voucher = self.pick(suspended)
            programme = self.oracle.vouchers[voucher]["programme"]
        if kind == "revoke" and self.oracle.lines and self.one_in(2):
            held = self.oracle.ever("reservation")
            paid = [held[name] for line in self.oracle.lines[-20:] for name, _ in line["paid"]]
            paid = [one for one in paid if one["closed"]] or paid or [{"voucher": voucher, "programme": programme}]
            one = self.pick(paid)
            voucher, programme = one["voucher"], one["programme"]
        self.send(self.treasury_of(programme), f"voucher.{kind}", voucher=voucher, reason="inquiry")

    def expire(self) -> None:
        due = [treasury for treasury in TREASURIES if self.oracle.due(treasury, self.at)]
        self.send(self.pick((OPERATOR, *(due if due and not self.one_in(6) else TREASURIES))), "book.expire")

    def reserve(self) -> None:
        """Mostly of a programme that doesn't pay for the contract yet."""
        contract = self.contract_id()
        shorter = [name for name in self.live_contracts() if name not in self.standing()]
        if shorter and self.one_in(4):
            contract = self.pick(shorter[-6:])
        party = self.holder_under(contract)
        live = [name for name in self.live_vouchers() if self.oracle.vouchers[name]["holder"] == party]
        if contract in self.oracle.contracts and not self.one_in(8):
            live = [name for name in live if self.may_pay(self.oracle.vouchers[name]["programme"], contract)]
        paying = {self.oracle.reservations[name]["programme"] for name in self.oracle.open_reservations(contract)}
        new = [name for name in live if self.oracle.vouchers[name]["programme"] not in paying]
        pool = new if new and not self.one_in(3) else live
        voucher = self.recent(pool, self.voucher_id()) if pool else self.voucher_id()
        if self.one_in(16):
            voucher = self.voucher_id()
        bound = self.oracle.vouchers.get(voucher, {}).get("contract")
        contract = bound if bound and not self.one_in(4) else contract
        self.reserve_under(party, voucher, contract, self.amount(self.oracle.balance("available", voucher)))

    def may_pay(self, programme: str, contract: str) -> bool:
        """Whether it is for metered or for invoiced contracts as this is."""
        return self.oracle.fixed(programme)["basis"] in ("both", self.oracle.contracts[contract]["basis"])

    def reserve_under(self, party: str, voucher: str, contract: str, amount_fen: int) -> None:
        ends = [self.oracle.vouchers[voucher]["until"]] if voucher in self.oracle.vouchers else []
        ends += [self.oracle.end_of_contract(contract)] if contract in self.oracle.contracts else []
        until = self.moment(*ends, *ends) if self.one_in(4) else min([self.at + self.pick((1, 9, 30, 60)) * DAY, *ends])
        if ends and self.one_in(2 if ends[-1] < ends[0] else 16):
            until = ends[-1] + self.pick((0, 1))
        fields = {"reservation": self.new_id(party, "r", [*self.oracle.reservations]), "voucher": voucher}
        fields |= {"contract": contract, "until": instant_text(until)}
        self.send(party, "voucher.reserve", amount_fen=amount_fen, **fields)

    def crowd(self) -> None:
        """One contract, and a voucher of each programme that is open, some of it reserved under that contract."""
        self.crowd_under(self.pick(self.standing()) if self.one_in(3) else self.standing()[0])

    def crowd_under(self, contract: str) -> None:
        """Under a contract, or, if it has left the books, one that can't."""
        contract = contract if contract in self.oracle.contracts else self.standing()[0]
        holder = self.oracle.contracts[contract]["holder"]
        still_open = [name for name in self.programmes_open() if self.may_pay(name, contract) or self.one_in(8)]
        paying = self.oracle.paying_programmes(contract)
        new = [name for name in still_open if name not in paying]
        programmes = new if new and self.one_in(2) else still_open
        for programme in self.chance.sample(programmes, min(len(programmes), 9)):
            party = self.treasury_of(programme)
            voucher = self.new_id(party, "v", [*self.oracle.vouchers])
            fields = {"programme": programme, "holder": holder, "face_fen": 300, "valid_from": instant_text(self.at)}
            fields |= self.reviewed(programme, holder, contract)
            if self.send(party, "voucher.issue", voucher=voucher, **fields)[0] == "accepted":
                self.reserve_under(holder, voucher, contract, self.pick((20, 100, 100, 300)))
                if self.one_in(2):
                    self.reserve_under(holder, voucher, contract, self.pick((20, 100, 200)))

    def reviewed(self, programme: str, holder: str, contract: str) -> Json:
        """What an issue names where a gate stands before it; the attesters say what lets it through."""
        named: Json = {"contract": contract} if self.asks_for("contract", programme) else {}
        if self.asks_for("application", programme):
            name = self.new_id(holder, "a", [*self.oracle.applications])
            asked: Json = {
                "application": name,
                "programme": programme,
                "amount_fen": 600,
                "evidence_hash": EVIDENCE,
            }
            asked |= {"declarations": {"related_party": False, "other_support_fen": 0}, "holder_class": "university"}
            self.send(holder, "application.file", **asked)
            named["application"] = name
        subjects = {of_type: [name] for of_type, name in named.items()} | {"holder": [holder]}
        self.review(programme, "issue", subjects, holder)
        return named

    def fill(self) -> None:
        """A fen at a time of one voucher is reserved under a contract, until that has as many as it may."""
        contract = self.standing()[1]
        holder = self.oracle.contracts[contract]["holder"]
        mine = [name for name in self.live_vouchers() if self.oracle.vouchers[name]["holder"] == holder]
        room = 17 - len(self.oracle.open_reservations(contract))
        for _ in range(max(1, room) if mine else 0):
            self.reserve_under(holder, mine[-1], contract, 1)

    def reservation_id(self) -> str:
        live = [name for name, one in self.oracle.reservations.items() if not one["closed"]]
        stranded = [name for name in live if self.oracle.is_stranded(name, self.at)]
        if stranded and self.one_in(2):
            return str(self.pick(stranded))
        pool = live if live and not self.one_in(5) else [*self.oracle.reservations]
        return str(self.recent(pool, f"{HOLDERS[0]}/none", size=10))

    def extend(self) -> None:
        coming = [
            name
            for name, one in self.oracle.reservations.items()
            if not one["closed"] and self.oracle.end_of(name) > self.at
        ]
        name = self.recent(coming, self.reservation_id()) if not self.one_in(6) else self.reservation_id()
        held = self.oracle.reservations.get(name)
        party, limits, until = self.pick(HOLDERS), [60], self.at + DAY
        if held is not None:
            party = held["holder"] if not self.one_in(12) else party
            limits.append(max(1, self.oracle.balance("available", held["voucher"])))
            ends = self.oracle.vouchers[held["voucher"]]["until"], self.oracle.end_of_contract(held["contract"])
            until = held["until"] + self.pick((-1, 0, 1, HOUR, 9 * DAY))
            until = until if not self.one_in(3) else self.pick(ends) + self.pick((0, 0, 1))
        changes: list[Json] = [{"amount_fen": self.amount(*limits)}, {"until": instant_text(until)}]
        fields = self.pick(changes) | (self.pick(changes) if self.one_in(4) else {})
        self.send(party, "reservation.extend", reservation=name, **fields)

    def release(self) -> None:
        name = self.reservation_id()
        held = self.oracle.reservations.get(name)
        party = self.pick((*PROVIDERS, *HOLDERS, *TREASURIES))
        if held is not None and not self.one_in(12):
            party = held[self.pick(("holder", "holder", "provider"))]
            if self.one_in(2 if self.oracle.is_stranded(name, self.at) else 6):
                party = self.treasury_of(held["programme"])
        self.send(party, "reservation.release", reservation=name)

    # -- moves: GPU-time ----------------------------------------------------------------------------------------------

    def current_reservations(self, contract: str) -> list[str]:
        """The open reservations under a contract that aren't long over."""
        long_ago = self.at - 3 * DAY
        return [name for name in self.oracle.open_reservations(contract) if self.oracle.end_of(name) > long_ago]

    def line(self, contract: str) -> tuple[str, list[Any]]:
        """An item and a row of it, under a contract."""
        current = self.current_reservations(contract) or self.oracle.open_reservations(contract)
        held = self.pick(current) if current and not self.one_in(10) else None
        left = self.oracle.balance("reserved", held) if held else 60
        seconds = max(1, self.pick((1, 60, 200, *[left // 2] * 3, left, left, left * 2, left - 1, left + 1, 3_600)))
        end = min(self.at, self.oracle.end_of(held)) if held else self.at
        if self.one_in(6):
            ends = [self.oracle.end_of(held)] if held else [self.at]
            ends += [self.oracle.end_of_contract(contract)] if contract in self.oracle.contracts else []
            end = self.moment(*ends, self.at - self.span("burn_window"), self.at - 5 * HOUR)
        if self.oracle.seals and self.one_in(8):
            sealed_until = self.oracle.start_of(max(self.oracle.seals.values()) + 1)
            end = max(START, sealed_until - self.pick((1, SECOND, HOUR, DAY)))
        start = end - seconds * SECOND - self.pick((0, 0, 1, HOUR))
        if held is not None and self.one_in(16):
            voucher = self.oracle.vouchers[self.oracle.reservations[held]["voucher"]]
            oldest = self.at - self.span("burn_window") + SECOND - 1
            start = self.pick((voucher["from"], voucher["from"] - SECOND, oldest, oldest - SECOND))
        priced = [
            one[0] for one in self.oracle.contracts.get(contract, {"prices": []})["prices"] if one[0] not in COUNTED
        ]
        item = self.pick(priced) if priced and not self.one_in(6) else self.recent([*self.oracle.items], "none")
        gpus = self.pick((1_000, 1_000, 1_000, 1_000, 1, 8_000))
        job = f"job-{self.chance.randrange(6) if self.one_in(5) else self.refs * 8 + self.chance.randrange(8)}"
        row = [job, gpus, second_text(start), second_text(end), seconds + self.one_in(30)]
        return item, row + ([says] if (says := self.says(end)) else [])

    def says(self, end: int) -> Json:
        """What a row says besides: mostly nothing."""
        says: Json = {"pay_available": True} if self.one_in(4) else {}
        if self.one_in(30):
            says["corrects"] = self.some_line(self.oracle.lines)
        elif self.one_in(2 if self.oracle.is_sealed(self.day_of(end)) else 30):
            says["prior_period"] = True
        return says

    def some_line(self, lines: Sequence[Json]) -> Json:
        """Statement and line, as a correction names them: mostly one of these."""
        line = self.recent(lines, {"statement": "none", "number": 0})
        return {"statement": line["statement"], "line": line["number"] + self.one_in(16)}

    def correct(self) -> None:
        """A statement for time that was taken back, which mostly says so."""
        reversed_lines = [line for line in self.oracle.lines if line["reversed"]]
        oldest = self.at - self.span("burn_window")
        recent = [line for line in reversed_lines if line["from"] >= oldest]
        old = self.recent(reversed_lines if self.one_in(6) else recent, None)
        if old is None:
            self.reverse()
            return
        if old["job"] is None:
            self.correct_service(old)
            return
        contract = old["contract"] if not self.one_in(6) else self.contract_id_of(self.holder_under(old["contract"]))
        start, end = (old[name] + SECOND * self.pick((0, 0, 0, 0, 1, -1)) for name in ("from", "to"))
        job = "job-0" if self.one_in(8) else old["job"]
        seconds = old["seconds"] if self.one_in(2) else 1
        gpus = self.pick((1_000, 20_000, min(10_000_000, old["gpu_time"] // seconds or 1)))
        row = [job, gpus, second_text(start), second_text(end), seconds]
        says: Json = {"corrects": self.some_line(self.oracle.lines if self.one_in(8) else [old])}
        says |= {"pay_available": True} if self.one_in(3) else {}
        if not self.one_in(5):
            row.append(says)
        item = self.pick(ITEMS) if self.one_in(6) else old["item"]
        party = old["provider"] if not self.one_in(12) else self.pick(PROVIDERS)
        self.send_lines(party, contract, [(item, row)] * self.pick((1, 1, 1, 2)))

    def correct_at_its_bounds(self) -> None:
        """Take the newest line back and burn a little more, or as much, in its place."""
        free = [line for line in self.oracle.lines if line["fee_fen"] and not line["reversed"]]
        free = [line for line in free if not self.oracle.is_claimed(line)]
        if not free:
            self.burn()
            return
        line = self.recent(free, free[-1])
        fields = {"statement": line["statement"], "line": line["number"], "reason": "wrong job"}
        self.send(line["provider"], "burn.reverse", **fields)
        if line["job"] is None:
            self.correct_service(line, at_its_bounds=True)
            return
        gpus, more = line["gpu_time"] // line["seconds"], self.pick((0, 0, 1))
        row = ["job-new", gpus + more, second_text(line["from"]), second_text(line["to"]), line["seconds"]]
        says = {"corrects": {"statement": line["statement"], "line": line["number"]}}
        self.send_lines(line["provider"], line["contract"], [(line["item"], [*row, says])])

    def holder_under(self, contract: str) -> str:
        known = contract in self.oracle.contracts
        return str(self.oracle.contracts[contract]["holder"]) if known else self.pick(HOLDERS)

    def send_lines(self, party: str, contract: str, lines: Sequence[tuple[str, list[Any]]]) -> None:
        """A statement of lines, in groups."""
        groups = [
            {"item": item, "lines": [row for other, row in lines if other == item]}
            for item in sorted({item for item, _ in lines})
        ]
        fields: Json = {"all_or_nothing": True} if self.one_in(10) else {}
        self.send(party, "time.burn", contract=contract, groups=groups, **fields)

    def burn(self) -> None:
        contract = self.contract_id()
        reserved = [name for name in self.oracle.contracts if self.current_reservations(name)]
        if reserved and not self.one_in(8):
            contract = self.pick(reserved)
        party = self.pick(PROVIDERS)
        if contract in self.oracle.contracts and not self.one_in(20):
            party = self.oracle.contracts[contract]["provider"]
        lines = [self.line(contract)]
        for _ in range(self.chance.randrange(5)):
            item, row = self.pick(lines)
            lines.append((item, [*row]) if self.one_in(8) else self.line(contract))
        self.send_lines(party, contract, lines)

    # -- moves: services ----------------------------------------------------------------------------------------------

    def used_document(self) -> str:
        """One that a contract or an invoice has."""
        commands = [entry["command"] for entry in self.oracle.entries if "document_hash" in entry["command"]]
        return str(self.pick(commands[-8:] if self.one_in(2) else commands)["document_hash"])

    def document(self) -> str:
        self.names += 1
        return self.used_document() if self.one_in(10) else SHA256.of(str(self.names).encode())

    def serve(self) -> None:
        """Days that were counted, or an invoice, under a contract with something reserved."""
        basis = self.pick(("metered", "invoiced"))
        reserved = [
            name
            for name, one in self.oracle.contracts.items()
            if self.current_reservations(name) and (one["basis"] == basis or self.one_in(30))
        ]
        if not reserved or self.one_in(8):
            self.crowd_under(self.pick(self.standing()) if basis == "metered" else f"{self.pick(HOLDERS)}/i-0")
            return
        contract = self.pick(reserved) if reserved and not self.one_in(12) else self.contract_id()
        sides = self.oracle.contracts.get(contract, {"provider": PROVIDER, "prices": []})
        party = sides["provider"] if not self.one_in(16) else self.pick(PROVIDERS)
        held = self.pick(self.current_reservations(contract) or [None])
        items = [one[0] for one in sides["prices"] if basis == "invoiced" or one[0] in COUNTED] or [*COUNTED]
        item = self.pick(items) if not self.one_in(8) else self.recent([*self.oracle.items], "none")
        days = self.service_days(contract, held, basis)
        fields: Json = {"contract": contract, "item": item}
        fields |= {
            name: instant_text(number * DAY)[:10] for name, number in zip(("first_day", "last_day"), days, strict=True)
        }
        left_fen = self.oracle.balance("reserved", held) if held else 60
        if held and self.one_in(2):
            balances, programme = self.oracle.balances(), self.oracle.reservations[held]["programme"]
            open_ones = self.oracle.open_reservations(contract)
            of_programme = [one for one in open_ones if self.oracle.reservations[one]["programme"] == programme]
            left_fen = sum(balances["reserved", one] for one in of_programme)
        if basis == "metered":
            price_fen = self.oracle.price(contract, item, self.oracle.start_of(days[0])) if held else None
            most = max(1, left_fen // (price_fen or 7))
            fields["quantity"] = max(1, self.pick((1, 3, 10, most, most, most + 1, most * 2, most * 3 // 2)))
        else:
            fields |= {"document_hash": self.document()}
            fields["fee_fen"] = max(1, self.pick((1, 99, 500, left_fen, left_fen, left_fen + 1, left_fen * 2, 1_200)))
        if self.one_in(5):
            fields["pay_available"] = True
        if self.one_in(30):
            fields["corrects"] = self.some_line(self.oracle.lines)
        elif basis == "metered" and self.one_in(2 if self.oracle.is_sealed(days[1]) else 30):
            fields["prior_period"] = True
        self.send(party, "service.burn", **fields)

    def service_days(self, contract: str, held: str | None, basis: str) -> tuple[int, int]:
        """Mostly days of which a reservation pays; or at a limit of them."""
        today = self.day_of(self.at)
        if held is None or contract not in self.oracle.contracts:
            return today - self.pick((1, 3)), today - 1
        voucher = self.oracle.vouchers[self.oracle.reservations[held]["voucher"]]
        first = max(self.day_of(voucher["from"] - 1) + 1, self.oracle.contracts[contract]["first_day"])
        if basis == "metered":
            first = max(first, self.day_of(self.at - self.span("burn_window") - 1) + 1)
            spans = [self.day_of(one["to"] - 1) + 1 for one in self.oracle.lines if one["contract"] == contract]
            spans = [one for one in spans if first <= one < today]
            first = max(spans) if spans and not self.one_in(4) else first
            last = max(first, min(today - 1, first + self.pick((0, 0, 0, 1, 2, 9))))
            before = [one["days"] for one in self.oracle.lines if one["contract"] == contract and one["job"] is None]
            if before and self.one_in(8):
                first, last = self.pick(before[-3:])
                return first, last
        else:
            last = first + self.pick((0, 1, 5, 30))
            if (proration := voucher["rules"].get("proration")) and self.one_in(2):
                bound = day(proration[self.pick(("first_day", "last_day"))])
                first, last = bound - self.pick((0, 1, 5)), bound + self.pick((0, 0, 1, 5))
        if self.one_in(8):
            first += self.pick((-1, 1, -30))
        if self.one_in(8):
            last += self.pick((-1, 1, 30))
        if self.oracle.seals and self.one_in(8):
            last = max(self.oracle.seals.values()) + self.pick((-1, 0, 1))
            first = min(first, last)
        return first, last

    def correct_service(self, old: Json, *, at_its_bounds: bool = False) -> None:
        """A service instead of one that was taken back, of no more, or of a little more."""
        first, last = (
            number if at_its_bounds or not self.one_in(8) else number + self.pick((-1, 1)) for number in old["days"]
        )
        fields: Json = {"contract": old["contract"], "item": old["item"] if not self.one_in(8) else self.pick(GOODS)}
        fields |= {"first_day": instant_text(first * DAY)[:10], "last_day": instant_text(last * DAY)[:10]}
        more = self.pick((0, 0, 1)) if at_its_bounds else self.pick((0, 0, -1, -1, 1, -100))
        if old["document"] is None:
            fields["quantity"] = max(1, old["gpu_time"] + more)
        else:
            fields["fee_fen"] = max(1, old["fee_fen"] + more)
            fields["document_hash"] = old["document"] if not self.one_in(4) else self.document()
        if not self.one_in(6):
            fields["corrects"] = self.some_line([old])
        if self.one_in(3):
            fields["pay_available"] = True
        self.send(old["provider"], "service.burn", **fields)

    def burn_too_much(self) -> None:
        """A statement about as large as a note may be: with its outcome it may outgrow an entry."""
        contract = self.contract_id()
        item, row = self.line(contract)
        row[0] = "j" * 120
        size = self.pick((55_000, 60_000, 64_500)) // (len(canonical(row)) + 1)
        party = self.oracle.contracts.get(contract, {"provider": PROVIDER})["provider"]
        self.send_lines(party, contract, [(item, row)] * size)

    def is_withheld(self, line: Json) -> bool:
        """Whether something of a lot that paid a line is withheld."""
        held = self.oracle.ever("reservation")
        lots = [(held[name]["voucher"], line["contract"]) for name, _ in line["paid"]]
        return any(self.oracle.balance("withheld", *lot) for lot in lots)

    def paid_by_ended(self, line: Json) -> bool:
        """Whether something that a line took would go back to a programme."""
        held = [self.oracle.ever("reservation")[name] for name, _ in line["paid"]]
        return any(one["closed"] and self.oracle.ever("voucher")[one["voucher"]]["ended"] for one in held)

    def reverse(self) -> None:
        oldest = self.at - self.span("burn_window")
        lines = [line for line in self.oracle.lines if line["to"] >= oldest or self.one_in(16)]
        if not lines and not self.one_in(8):
            self.burn()
            return
        standing = [line for line in lines if not line["reversed"]]
        kinds: list[list[Json]] = [
            [line for line in standing if not self.oracle.is_claimed(line)],
            [line for line in standing if self.oracle.is_claimed(line)],
            [line for line in standing if line["absorbed_fen"]],
            [line for line in standing if self.is_withheld(line)],
            [line for line in standing if self.paid_by_ended(line)],
        ]
        pool = self.pick([kinds[0], *kinds]) if not self.one_in(8) else lines
        nothing = {"provider": PROVIDER, "statement": "none", "number": 0}
        line = self.recent(pool or standing or lines, nothing, size=12)
        party = line["provider"] if not self.one_in(20) else self.pick(PROVIDERS)
        number = line["number"] + (self.pick((1, 9)) if self.one_in(8) else 0)
        self.send(party, "burn.reverse", statement=line["statement"], line=number, reason="wrong job")

    # -- moves: settlement --------------------------------------------------------------------------------------------

    def free_lots(self, *places: str) -> list[tuple[Any, ...]]:
        """The accounts with something that is unclaimed, or withheld."""
        return [account for account, fen in self.oracle.balances().items() if account[0] in places and fen]

    def claim(self) -> None:
        """Mostly of what can be claimed, if something can."""
        free = self.free_lots("burned", "withheld") if self.one_in(2) else self.free_lots("withheld")
        free = free or self.free_lots("burned")
        pairs = sorted({pair for lot in free for pair in self.claimants(lot)})
        self.chance.shuffle(pairs)
        asked = [self.some_claim(*pair) for pair in pairs]
        good = (one for one in asked if self.oracle.claim_fen(one, self.at))
        fields = None if self.one_in(8) else next(good, asked[0] if asked else None)
        if fields is None:
            fields = self.some_claim(self.pick((*PROVIDERS, *HOLDERS)), self.programme_id())
        self.send(claim=self.new_id(fields["party"], "c", [*self.oracle.claims]), kind="redemption.claim", **fields)

    def claimants(self, lot: tuple[Any, ...]) -> list[tuple[str, str]]:
        """Who may claim a lot, and of which programme."""
        programme, sides = self.oracle.vouchers[lot[1]]["programme"], self.oracle.contracts[lot[2]]
        payee = self.oracle.payee_of(programme, lot[2])
        return [(party, programme) for party in ([payee] if payee else [sides["holder"], sides["provider"]])]

    def some_claim(self, party: str, programme: str) -> Json:
        cycle = self.oracle.fixed(programme)["claims"]["cycle"] if programme in self.oracle.programmes else "any"
        last_day = self.last_day_of(cycle, self.pick((1, 1, 1, 1, 1, 2, 3, 0)))
        return {"party": party, "programme": programme, "last_day": last_day}

    def last_day_of(self, cycle: str, days_ago: int) -> str:
        """The last day of the newest period that was over then, mostly; or one at the cut-off."""
        if self.one_in(12):
            days_ago = self.pick((5, 6, 20, 21, 30, 31, 60, 61, 90, 91, 120, 121))
        while not is_last_of_period(self.day_text(days_ago), cycle) and not self.one_in(400):
            days_ago += 1
        return self.day_text(days_ago)

    def claim_to_settle(self) -> str:
        unsettled = [name for name, claim in self.oracle.claims.items() if claim["status"] == "open"]
        pool = unsettled if unsettled and not self.one_in(6) else [*self.oracle.claims]
        return str(self.recent(pool, f"{PROVIDER}/none"))

    def settle(self) -> None:
        if not any(claim["status"] == "open" for claim in self.oracle.claims.values()) and not self.one_in(4):
            self.claim()
        name = self.claim_to_settle()
        claim = self.oracle.claims.get(name, {"programme": "none/none", "claimant": PROVIDER, "rows": [["zz/k", 1]]})
        party, way = self.treasury_of(claim["programme"]), self.pick(("pay", "pay", "some", "withhold"))
        rows = [self.settled_row(contract, fen, way) for contract, fen in claim["rows"]]
        if self.one_in(16):
            rows = self.pick((rows[1:] or rows, [self.settled_row("aa/k", 1, way), *rows]))
        fields: Json = {"claim": name, "rows": rows}
        paid_fen = sum(row["paid_fen"] for row in rows)
        if paid_fen and name in self.oracle.claims and not self.one_in(4):
            subjects = {"claim": [name], "contract": [row["contract"] for row in rows]}
            subjects |= {of_type: [claim["claimant"]] for of_type in ("provider", "holder")}
            self.review(claim["programme"], "settle", subjects, claim["claimant"])
        offsets = self.offsets(party, claim["claimant"], paid_fen)
        fields |= {"offsets": offsets} if offsets else {}
        rest_fen = paid_fen - sum(one["amount_fen"] for one in offsets)
        if (rest_fen > 0) is not self.one_in(16):
            fields["payment"] = self.payment(max(1, rest_fen + self.pick((*[0] * 12, 1, -1))))
        self.send(party, "redemption.settle", **fields)

    def settled_row(self, contract: str, claimed_fen: int, way: str) -> Json:
        """What is paid and withheld under a contract, mostly as much as is claimed."""
        paid_fen = {"pay": claimed_fen, "withhold": 0}.get(way, self.chance.randrange(claimed_fen + 1))
        withheld_fen = claimed_fen - paid_fen + self.pick((*[0] * 24, 1))
        row: Json = {"contract": contract, "paid_fen": paid_fen}
        return row | ({"withheld_fen": withheld_fen, "reason": "no evidence"} if withheld_fen else {})

    def offsets(self, treasury: str, payee: str, paid_fen: int) -> list[Json]:
        """Demands of a treasury on a payee, as much of each as fits; or others."""
        mine = {name: self.oracle.balance("receivable", name) for name in self.oracle.demands}
        mine = {
            name: fen
            for name, fen in mine.items()
            if (self.oracle.demands[name]["party"], self.oracle.demands[name]["payee"]) == (treasury, payee)
            if fen or self.one_in(12)
        }
        if self.one_in(8):
            mine[self.recent([*self.oracle.demands], f"{CITY}/none")] = 5
        chosen, left_fen = list[Json](), paid_fen
        for name in sorted(mine, key=str.encode)[:3]:
            fen = min(mine[name], left_fen) if not self.one_in(4) else self.pick((1, mine[name], mine[name] + 1))
            if fen > 0 and not self.one_in(8):
                chosen.append({"demand": name, "amount_fen": fen})
                left_fen -= min(left_fen, fen)
        return chosen

    def payment(self, amount_fen: int) -> Json:
        """What a bank says, mostly of today and under a reference of its own."""
        self.names += 1
        said = [entry["command"]["payment"] for entry in self.oracle.entries if "payment" in entry["command"]]
        reference = f"transfer {self.names}" if not said or not self.one_in(6) else self.pick(said)["reference"]
        return {"amount_fen": amount_fen, "day": self.days(0, 0, 0, 0, 0, 3, 1, -1), "reference": reference}

    def disallow(self) -> None:
        withheld, unclaimed = self.free_lots("withheld"), self.free_lots("burned")
        stranded = [lot for lot in unclaimed if self.is_claimant_out(lot)]
        programme, contract, limits = self.programme_id(), self.contract_id(), [60]
        lot = self.recent(self.pick((withheld, stranded, stranded, unclaimed)) or withheld, None)
        if lot is not None and not self.one_in(12):
            programme, contract = self.oracle.vouchers[lot[1]]["programme"], lot[2]
            place = {"programme": programme, "contract": contract}
            limits = [max(1, sum(fen for _, fen in self.oracle._forfeitable(place, self.at)))] * 2
            limits += [self.oracle.balance(*lot)]
        fields: Json = {"programme": programme, "contract": contract, "amount_fen": self.amount(*limits)}
        self.send(self.treasury_of(programme), "redemption.disallow", reason="no evidence", **fields)

    def is_claimant_out(self, lot: tuple[Any, ...]) -> bool:
        """Whether the claimant of what is unclaimed, or each that may be, can't claim any more."""
        return all(self.oracle.is_out(programme, party, self.at) for party, programme in self.claimants(lot))

    # -- moves: recovery ----------------------------------------------------------------------------------------------

    def demand(self) -> None:
        paid = self.free_lots("paid")
        programme, payee, fen = self.recent(paid, ("paid", self.programme_id(), "nobody"))[1:], "", 60
        programme, payee = programme
        if payee == "-" or self.one_in(12):
            payee = self.pick((*PROVIDERS, *HOLDERS))
        fen = max(1, self.oracle.balance("paid", programme, payee))
        party = self.treasury_of(programme)
        fields = {"demand": self.new_id(party, "d", [*self.oracle.demands]), "programme": programme, "payee": payee}
        fields |= {
            "amount_fen": self.amount(fen, fen // 2 or 1),
            "reason": "paid twice",
            "evidence_hash": EVIDENCE,
        }
        self.send(party, "recovery.demand", **fields)

    def recover(self) -> None:
        """Some of a demand, or all of it, is received or cancelled."""
        live = [name for name in self.oracle.demands if self.oracle.balance("receivable", name)]
        name = self.recent(live if live and not self.one_in(8) else [*self.oracle.demands], f"{CITY}/none")
        party = self.oracle.demands[name]["party"] if name in self.oracle.demands else CITY
        party = self.pick(TREASURIES) if self.one_in(12) else party
        left_fen = max(1, self.oracle.balance("receivable", name))
        fen = self.amount(left_fen, left_fen // 3 or 1)
        fen = fen if fen <= left_fen or self.one_in(4) else left_fen
        if self.one_in(2):
            self.send(party, "recovery.receive", demand=name, payment=self.payment(fen))
        else:
            self.send(party, "recovery.cancel", demand=name, amount_fen=fen, reason="it was due")

    def play_scene(self) -> None:
        """One of what chance hardly ever puts together."""
        play(self.pick(SCENES), self, self.pick(TREASURIES), self.pick(HOLDERS), self.pick(PROVIDERS))

    # -- moves: sealed books ------------------------------------------------------------------------------------------

    def seal(self) -> None:
        newest = (self.at + self.span("utc_offset")) // DAY - max(self.oracle.seals.values(), default=0)
        days_ago = self.pick((0, 1, 1, 2, 5)) if not self.one_in(4) else newest + self.pick((-1, 0, 1))
        name = self.new_id(OPERATOR, "s", [*self.oracle.seals])
        self.send(OPERATOR, "book.seal", seal=name, last_day=self.day_text(days_ago))

    # -- moves: what was sent before, and what is no command ----------------------------------------------------------

    def send_again(self) -> None:
        command, keys = self.pick(self.sent[-200:])
        answer = self.pair.submit(command, keys, self.at)
        assert answer[0] == "refused", "nothing is recorded twice"

    def send_garbage(self) -> None:
        command, keys = self.pick([one for one in self.sent if one[0]["kind"] != "time.burn/1"][-20:])
        text, good = text_of(command), note_of(command, *keys)
        bad_texts = {
            "command_not_canonical": [text.replace(b":", b": ", 1), b"[1.0]\n", text[:-1] + b" \n", text * 2],
            "command_malformed": [
                text_of(command | {"more": 1}),
                text_of({name: value for name, value in command.items() if name != "ref"}),
                text_of(command | {"kind": "voucher.burn/1"}),
                text_of(command | {"ref": ""}),
                text_of(command | {"signed_at": "2026-01-05T08:00:00Z"}),
                b"{}\n",
                b"[]\n",
            ],
        }
        reason = self.pick([*bad_texts, "note_malformed", "note_too_large"])
        if reason == "note_malformed":
            assert self.pair.read_only(self.pick([b"", text, good[:-1], good + b"\n", b"\xff" + good])) == reason
        elif reason == "note_too_large":
            assert self.pair.read_only(good + b" " * 65_536) == reason
        else:
            data = sign_text(self.pick(bad_texts[reason]), key_of(keys[0]))
            assert self.pair.read_only(data) == reason


MOVES: dict[Callable[[Walk], None], int] = {
    Walk.found_again: 1,
    Walk.adopt_edition: 1,
    Walk.rekey_log: 2,
    Walk.record_checkpoint: 6,
    Walk.admit_party: 8,
    Walk.amend_party: 3,
    Walk.suspend_party: 3,
    Walk.reinstate_party: 8,
    Walk.add_key: 10,
    Walk.rotate_key: 4,
    Walk.revoke_key: 5,
    Walk.register_item: 3,
    Walk.open_programme: 4,
    Walk.amend_programme: 8,
    Walk.accredit: 6,
    Walk.delist: 5,
    Walk.publish_tariff: 7,
    Walk.declare_capacity: 5,
    Walk.withdraw: 6,
    Walk.withdraw_party: 4,
    Walk.give_mandate: 6,
    Walk.end_mandate: 1,
    Walk.sign_contract: 6,
    Walk.amend_contract: 8,
    Walk.withdraw_capacity: 2,
    Walk.apply: 6,
    Walk.withdraw_application: 2,
    Walk.attest: 10,
    Walk.issue: 20,
    Walk.import_voucher: 5,
    Walk.transfer: 12,
    Walk.change_voucher: 12,
    Walk.expire: 4,
    Walk.reserve: 30,
    Walk.extend: 8,
    Walk.crowd: 4,
    Walk.fill: 3,
    Walk.release: 14,
    Walk.burn: 50,
    Walk.serve: 30,
    Walk.burn_too_much: 2,
    Walk.reverse: 16,
    Walk.correct: 10,
    Walk.correct_at_its_bounds: 4,
    Walk.claim: 30,
    Walk.settle: 24,
    Walk.disallow: 6,
    Walk.demand: 6,
    Walk.recover: 5,
    Walk.play_scene: 5,
    Walk.seal: 6,
    Walk.send_again: 2,
    Walk.send_garbage: 3,
}


THEMES: tuple[tuple[Callable[[Walk], None], ...], ...] = (
    (
        Walk.serve, Walk.correct, Walk.correct_at_its_bounds, Walk.reverse, Walk.crowd, Walk.claim, Walk.seal,
    ),
    (
        Walk.issue, Walk.give_mandate, Walk.change_voucher, Walk.release, Walk.delist, Walk.claim, Walk.settle,
        Walk.disallow, Walk.demand, Walk.recover, Walk.apply, Walk.attest, Walk.withdraw_application,
    ),
    (
        Walk.add_key, Walk.rotate_key, Walk.revoke_key, Walk.amend_party, Walk.rekey_log, Walk.record_checkpoint,
        Walk.amend_programme, Walk.accredit, Walk.publish_tariff, Walk.declare_capacity, Walk.withdraw,
        Walk.withdraw_party, Walk.withdraw_capacity, Walk.sign_contract, Walk.amend_contract, Walk.admit_party,
        Walk.open_programme,
    ),
    (
        Walk.open_programme, Walk.reserve, Walk.crowd, Walk.fill, Walk.extend, Walk.expire, Walk.transfer,
        Walk.import_voucher, Walk.burn, Walk.reverse,
    ),
)  # fmt: skip
"""Moves that a walk makes more often than others, so that it gets further with them; each walk has one theme."""
MORE_OFTEN = 4


def weights(seed: int) -> list[int]:
    """How often each move is made in the walk of a seed."""
    theme = THEMES[seed % len(THEMES)]
    return [weight * (MORE_OFTEN if move in theme else 1) for move, weight in MOVES.items()]


def founded(pair: Pair, **limits: int) -> Walk:
    """A walk whose network stands."""
    walk = Walk(pair)
    walk.found(**limits)
    pair.check_balances()
    return walk


def walked(seed: int, steps: int, begin: Callable[[Walk], None] | None = None) -> Pair:
    """Both sides after a walk, by the same chance for the same seed."""
    pair = Pair()
    early = {"kind": "party.suspend/1", "log": ORIGIN, "party": NETWORK, "ref": "1", "signed_at": instant_text(START)}
    answer = pair.submit(early | {"subject": "x", "reason": "x"}, [f"{NETWORK}/root-1"], START)
    assert answer == ("refused", "network_not_founded")
    walk = founded(pair)
    if begin is not None:
        begin(walk)
    walk.chance = random.Random(seed)
    moves, often = list(MOVES), weights(seed)
    for step in range(steps):
        walk.wait()
        before = len(pair.entries)
        walk.chance.choices(moves, often)[0](walk)
        if len(pair.entries) > before or step % 10 == 0:
            pair.check_balances()
        if step % 50 == 0:
            pair.check_books()
        if step % 250 == 0:
            pair.resume_from_snapshot()
    pair.check_books()
    pair.check_replay()
    return pair


def test_the_naive_ledger_knows_every_command() -> None:
    """Each kind and its event, written down a second time; the walks then ask for each."""
    assert EVENT_KINDS == rulebook.EVENT_KINDS


def test_long_walks_reach_every_reason_and_event_and_both_sides_agree() -> None:
    kinds: set[str] = set()
    reached: set[str] = set()
    shapes: set[str] = set()
    reasons = {reason.value for reason in Reason} - {"decision_failed", "log_key_missing"}  # which no rule gives
    all_kinds = set(EVENT_KINDS.values()) - NEVER_RECORDED
    for seed in SEEDS:
        if seed >= ALWAYS and kinds == all_kinds and reasons <= reached and shapes == SHAPES_MET:
            break
        pair = walked(seed, 1_000)
        kinds |= {entry.event.kind for entry in pair.entries}
        reached |= {reason for _, reason in pair.answers} | set(pair.line_reasons)
        shapes |= set(pair.shapes)
    assert kinds == all_kinds
    assert reasons - reached == set()
    assert shapes == SHAPES_MET


@pytest.fixture
def corner() -> Walk:
    """A day after a voucher of 500 fen was issued, of which a provider may burn 400; a GPU-second costs one fen."""
    walk = founded(Pair(), freshness_seconds=60)
    programme, now = f"{CITY}/p0", instant_text(walk.at)
    issue: Json = {"voucher": f"{CITY}/v", "programme": programme, "holder": HOLDER, "face_fen": 500, "valid_from": now}
    walk.must(CITY, "voucher.issue", **issue)
    reserve = {"reservation": f"{HOLDER}/r", "voucher": f"{CITY}/v", "contract": CONTRACT, "amount_fen": 400}
    walk.must(HOLDER, "voucher.reserve", until=instant_text(walk.at + 20 * DAY), **reserve)
    walk.at += DAY
    return walk


def row(walk: Walk, job: str, seconds: int, **says: Any) -> list[Any]:
    """A line of one GPU that ends now, of `seconds` fen."""
    span = second_text(walk.at - seconds * SECOND), second_text(walk.at)
    return [job, 1_000, *span, seconds, *([says] if says else [])]


def burned(walk: Walk, job: str, seconds: int, ref: str) -> Json:
    """A statement of one line that ends now."""
    groups = [{"item": "ascend-910b", "lines": [row(walk, job, seconds)]}]
    return {"ref": ref, "contract": CONTRACT, "groups": groups, "signed_at": instant_text(walk.at)}


def test_a_statement_is_remembered_for_longer_than_other_commands(corner: Walk) -> None:
    statement = burned(corner, "job-1", 10, "s-1")
    corner.must(PROVIDER, "time.burn", **statement)
    corner.at += 600 * SECOND
    other: Json = {"item": "mlu-590", "price_fen": 1, "valid_from": instant_text(corner.at + DAY)}
    again = corner.exactly(PROVIDER, "time.burn", **statement)
    assert again == ("refused", "already_recorded")
    assert corner.exactly(PROVIDER, "tariff.publish", ref="s-1", **other) == ("refused", "ref_reused_for_other_content")
    corner.at += 30 * DAY
    assert corner.exactly(PROVIDER, "time.burn", **statement) == ("refused", "signed_too_long_ago")


def test_the_key_named_comes_before_the_keys_that_signed(corner: Walk) -> None:
    unknown = {"subject": HOLDER, "key": label_of(f"{HOLDER}/nobody"), "cause": "ceased", "reason": "lost"}
    answer = corner.exactly(HOLDER, "key.revoke", wrong=[f"{HOLDER}/officer-1"], **unknown)
    assert answer == ("refused", "key_unknown")


def test_accreditation_ends_at_its_end_and_the_end_may_be_brought_forward(corner: Walk) -> None:
    ends = [corner.at + 2 * HOUR, corner.at + HOUR]
    for end in ends:
        fields = {"programme": f"{CITY}/p0", "provider": PROVIDER, "reason": "broke the rules"}
        corner.must(CITY, "provider.delist", valid_until=instant_text(end), **fields)
    reserve: Json = {"voucher": f"{CITY}/v", "contract": CONTRACT, "amount_fen": 1}
    reserve["until"] = instant_text(corner.at + DAY)
    corner.at = ends[1] - 1
    corner.must(HOLDER, "voucher.reserve", reservation=f"{HOLDER}/r-2", **reserve)
    corner.at += 1
    answer = corner.exactly(HOLDER, "voucher.reserve", reservation=f"{HOLDER}/r-3", **reserve)
    assert answer == ("refused", "provider_not_accredited")


def claimed(**fens: int) -> tuple[str, Any]:
    """What the answer to a claim is, under contracts of the one holder."""
    rows = [[f"{HOLDER}/{name.replace('_', '-')}", fen] for name, fen in fens.items()]
    return "accepted", {"amount_fen": sum(fens.values()), "more": False, "rows": rows}


def settles(walk: Walk, claim: str, *paid_fen: int, **fields: Any) -> tuple[str, Any]:
    """So much is paid under each contract of a claim, and the rest withheld; a gate is opened before."""
    rows: list[Json] = []
    for (contract, claimed_fen), fen in zip(walk.oracle.claims[claim]["rows"], paid_fen, strict=True):
        left: Json = {"withheld_fen": claimed_fen - fen, "reason": "no evidence"} if claimed_fen > fen else {}
        rows.append({"contract": contract, "paid_fen": fen} | left)
    rest_fen = sum(paid_fen) - sum(offset["amount_fen"] for offset in fields.get("offsets", []))
    payment = {"amount_fen": rest_fen, "day": walk.day_text(0), "reference": f"transfer {walk.refs}"}
    named: Json = {"payment": payment} if rest_fen else {}
    programme, claimant = (walk.oracle.claims[claim][name] for name in ("programme", "claimant"))
    contracts = [row["contract"] for row in rows]
    verdict = {"topic": "credit", "verdict": "pass", "reason": "read", "evidence_hash": EVIDENCE}
    verdict |= {"valid_until": instant_text(walk.at + DAY), "subject_type": "contract"}
    for contract in contracts if walk.oracle.fixed(programme).get("gates") else ():
        walk.must(HOLDER if claimant == PROVIDER else PROVIDER, "attestation.give", subject_id=contract, **verdict)
    return walk.exactly(CITY, "redemption.settle", claim=claim, rows=rows, **(named | fields))


def test_what_is_withheld_of_a_lot_can_be_reversed_whatever_claim_it_was_in(corner: Walk) -> None:
    first, late = burned(corner, "job-1", 10, "s-0"), burned(corner, "job-2", 11, "s-1")
    period = {"programme": f"{CITY}/p0", "last_day": corner.day_text(0)}
    corner.must(PROVIDER, "time.burn", **first)
    corner.at += DAY
    assert corner.exactly(PROVIDER, "redemption.claim", claim=f"{PROVIDER}/c-0", **period) == claimed(k_0=10)
    corner.must(PROVIDER, "time.burn", **(late | {"signed_at": instant_text(corner.at)}))
    assert corner.exactly(PROVIDER, "redemption.claim", claim=f"{PROVIDER}/c-1", **period) == claimed(k_0=11)
    assert settles(corner, f"{PROVIDER}/c-0", 0) == ("accepted", {})
    kept = corner.exactly(PROVIDER, "burn.reverse", statement="s-1", line=0, reason="wrong job")
    assert kept == ("refused", "line_already_claimed")
    back = corner.exactly(PROVIDER, "burn.reverse", statement="s-0", line=0, reason="wrong job")
    assert back == ("accepted", {"returned": [[f"{HOLDER}/r", 10, "reservation"]]})
    assert settles(corner, f"{PROVIDER}/c-1", 1) == ("accepted", {})
    kept = corner.exactly(PROVIDER, "burn.reverse", statement="s-1", line=0, reason="wrong job")
    assert kept == ("refused", "line_already_claimed")
    corner.pair.check_balances()
    corner.pair.check_books()


def test_the_newest_accreditation_is_delisted_and_no_earlier_one(corner: Walk) -> None:
    place = {"programme": f"{CITY}/p0", "provider": PROVIDER}
    items = corner.limits(*ITEMS)
    first_end, second_start = corner.at + 10 * DAY, corner.at + 12 * DAY
    corner.must(CITY, "provider.delist", valid_until=instant_text(first_end), reason="moves", **place)
    early = corner.exactly(CITY, "provider.accredit", valid_from=instant_text(first_end - 1), items=items, **place)
    assert early == ("refused", "provider_already_accredited")
    corner.must(CITY, "provider.accredit", valid_from=instant_text(second_start), items=items, **place)
    for end in (first_end - DAY, second_start - 1):
        answer = corner.exactly(CITY, "provider.delist", valid_until=instant_text(end), reason="moves", **place)
        assert answer == ("refused", "provider_not_accredited")
    corner.must(CITY, "provider.delist", valid_until=instant_text(second_start), reason="moves", **place)


def sealed(walk: Walk, name: str, days_ago: int) -> tuple[str, Any]:
    return walk.exactly(OPERATOR, "book.seal", seal=f"{OPERATOR}/{name}", last_day=walk.day_text(days_ago))


def test_books_without_accounts_are_sealed_with_the_empty_root() -> None:
    walk = Walk(Pair())
    walk.must(NETWORK, "network.found", **walk.founding())
    walk.must(NETWORK, "party.admit", admitted=OPERATOR, role="operator", name="x", keys=walk.vkeys(OPERATOR))
    assert sealed(walk, "s", 1) == ("accepted", {"accounts": 0, "root": SHA256.of(b"")})


def test_a_day_is_sealed_once_and_when_it_is_over(corner: Walk) -> None:
    midnight = instant(f"{corner.day_text(0)}T00:00:00.000000Z") - corner.span("utc_offset") + DAY
    corner.at = midnight - 1
    assert sealed(corner, "s-1", 0) == ("refused", "seal_period_not_over")
    corner.at = midnight + corner.span("sealing_grace") - 1
    assert sealed(corner, "s-1", 1) == ("refused", "seal_grace_not_over")
    corner.at += 1
    assert sealed(corner, "s-1", 1)[0] == "accepted"
    assert sealed(corner, "s-1", 1) == ("refused", "id_already_used")
    assert sealed(corner, "s-2", 1) == ("refused", "seal_not_later")
    assert sealed(corner, "s-2", 2) == ("refused", "seal_not_later")
    assert sealed(corner, "s-2", 0) == ("refused", "seal_period_not_over")
    corner.pair.check_books()


def burns(walk: Walk, ref: str, *lines: list[Any]) -> list[str | None]:
    """The reason for each line of a statement; `None` where it is accepted."""
    groups = [{"item": "ascend-910b", "lines": list(lines)}]
    kind, outcome = walk.exactly(PROVIDER, "time.burn", ref=ref, contract=CONTRACT, groups=groups)
    assert kind == "accepted"
    reasons = dict(outcome["refused"])
    return [reasons.get(number) for number in range(len(lines))]


def test_what_is_sealed_changes_by_linked_corrections_alone(corner: Walk) -> None:
    job, gpus, start, end, seconds = line = row(corner, "job-1", 100)
    later, earlier = (second_text(second(one) + step * SECOND) for one, step in ((start, 10), (end, -10)))
    inner, other = [job, gpus, later, earlier, 80], row(corner, "job-2", 50)
    linked: Json = {"corrects": {"statement": "s-1", "line": 0}}
    assert burns(corner, "s-1", line, other) == [None, None]
    assert burns(corner, "s-2", ["job-3", *other[1:], linked]) == ["correction_unfounded"]
    corner.at += DAY
    assert sealed(corner, "s-1", 1)[0] == "accepted"
    assert burns(corner, "s-3", ["job-3", *other[1:]], [*inner, linked]) == ["period_sealed", "correction_unfounded"]
    reversal = corner.exactly(PROVIDER, "burn.reverse", statement="s-1", line=0, reason="wrong job")
    assert reversal == ("accepted", {"returned": [[f"{HOLDER}/r", 100, "reservation"]]})
    wrong = [
        inner,  # no link
        [*inner, {"corrects": {"statement": "s-1", "line": 1}}],  # not reversed
        [*inner, {"corrects": {"statement": "s-1", "line": 2}}],  # no such line
        [*inner, {"corrects": {"statement": "s-9", "line": 0}}],  # no such statement
        [job, gpus, second_text(second(start) - SECOND), end, seconds, linked],
        [job, gpus, start, second_text(second(end) + SECOND), seconds, linked],
    ]
    assert burns(corner, "s-4", *wrong) == ["period_sealed", *["correction_unfounded"] * 5]
    assert burns(corner, "s-5", [job, gpus + 1, *line[2:], linked]) == ["exceeds_corrected_line"]
    again: Json = {"corrects": {"statement": "s-6", "line": 0}}
    assert burns(corner, "s-6", ["job-9", *inner[1:], linked], [*line, linked]) == [None, "correction_unfounded"]
    corner.must(PROVIDER, "burn.reverse", statement="s-6", line=0, reason="wrong again")
    assert burns(corner, "s-7", [*line, again], [*inner, again]) == ["correction_unfounded", None]
    corner.pair.check_balances()
    corner.pair.check_books()
    corner.pair.check_replay()


def test_late_usage_is_booked_in_the_open_period(corner: Walk) -> None:
    late, never = row(corner, "job-1", 10, prior_period=True), row(corner, "job-2", 10)
    assert burns(corner, "s-1", late) == ["period_not_sealed"]
    corner.at += DAY
    assert sealed(corner, "s-1", 1)[0] == "accepted"
    assert burns(corner, "s-2", late, never) == [None, "period_sealed"]
    corner.at += DAY
    claim: Json = {"programme": f"{CITY}/p0", "claim": f"{PROVIDER}/c"}
    early = corner.exactly(PROVIDER, "redemption.claim", last_day=corner.day_text(2), **claim)
    assert early == ("refused", "nothing_to_claim")
    assert corner.exactly(PROVIDER, "redemption.claim", last_day=corner.day_text(1), **claim) == claimed(k_0=10)


@pytest.fixture
def yuan(corner: Walk) -> Walk:
    """A programme that pays all, whoever the contract names, in whole yuan; two contracts, and 500 fen under each."""
    rules = rules_of(shares=[{"share_bp": 10_000}], ceiling_bp=10_000, payee="contract", rounding_fen=100)
    rules["claims"] = _claims("any", 90)
    fields = corner.programme(YUAN, rules)
    start = fields["opens_at"]
    corner.must(CITY, "programme.open", **fields)
    accredited = {"programme": YUAN, "provider": PROVIDER, "items": corner.limits(*ITEMS)}
    corner.must(CITY, "provider.accredit", valid_from=start, **accredited)
    for name in ("a", "z"):
        terms = corner.contract(f"{HOLDER}/{name}", HOLDER, PROVIDER) | {"claimant": "either"}
        corner.must(HOLDER, "contract.sign", **terms)
        issue = {"programme": YUAN, "holder": HOLDER, "face_fen": 500, "valid_from": start}
        corner.must(CITY, "voucher.issue", voucher=f"{CITY}/{name}", **issue)
        held = {"reservation": f"{HOLDER}/{name}", "voucher": f"{CITY}/{name}", "contract": f"{HOLDER}/{name}"}
        corner.must(HOLDER, "voucher.reserve", amount_fen=500, until=instant_text(corner.at + 20 * DAY), **held)
    corner.at += HOUR
    return corner


YUAN = f"{CITY}/yuan"


def burn_under(walk: Walk, name: str, ref: str, seconds: int) -> None:
    groups = [{"item": "ascend-910b", "lines": [row(walk, ref, seconds)]}]
    outcome = walk.exactly(PROVIDER, "time.burn", ref=ref, contract=f"{HOLDER}/{name}", groups=groups)[1]
    assert outcome["paid"] == [[f"{HOLDER}/{name}", [seconds]]]


def claim_all(walk: Walk, party: str, claim: str) -> tuple[str, Any]:
    return walk.exactly(party, "redemption.claim", claim=f"{party}/{claim}", programme=YUAN, last_day=walk.day_text(1))


def take_back(walk: Walk, ref: str) -> tuple[str, Any]:
    return walk.exactly(PROVIDER, "burn.reverse", statement=ref, line=0, reason="wrong job")


def test_what_is_left_of_a_rounded_claim_is_reversed_with_what_is_withheld(yuan: Walk) -> None:
    """45 fen of the second lot are left over, and 100 are withheld of the first; then the second is claimed whole."""
    burn_under(yuan, "a", "s-a", 100)
    burn_under(yuan, "z", "s-z", 45)
    yuan.at += DAY
    assert claim_all(yuan, PROVIDER, "c-1") == claimed(a=100)
    assert take_back(yuan, "s-a") == ("refused", "line_already_claimed")
    burn_under(yuan, "z", "s-y", 55)
    yuan.at += DAY
    assert claim_all(yuan, PROVIDER, "c-2") == claimed(z=100)
    assert take_back(yuan, "s-z") == ("refused", "line_already_claimed")
    assert [settles(yuan, f"{PROVIDER}/c-{number}", 0) for number in (1, 2)] == [("accepted", {})] * 2
    assert [take_back(yuan, ref)[0] for ref in ("s-z", "s-a")] == ["accepted"] * 2
    assert take_back(yuan, "s-y") == ("accepted", {"returned": [[f"{HOLDER}/z", 55, "reservation"]]})
    yuan.pair.check_balances()
    yuan.pair.check_books()


def test_what_is_unclaimed_is_reversed_before_what_is_withheld(yuan: Walk) -> None:
    """Of a lot 30 fen are withheld, and 70 of a later day are unclaimed, of which 20 are of the line taken back."""
    burn_under(yuan, "a", "s-a", 100)
    yuan.at += DAY
    assert claim_all(yuan, PROVIDER, "c-1") == claimed(a=100)
    assert settles(yuan, f"{PROVIDER}/c-1", 70) == ("accepted", {})
    burn_under(yuan, "a", "s-b", 50)
    burn_under(yuan, "a", "s-c", 20)
    yuan.at += DAY
    assert claim_all(yuan, PROVIDER, "c-2") == claimed(a=100)
    assert settles(yuan, f"{PROVIDER}/c-2", 75) == ("accepted", {})
    assert take_back(yuan, "s-b") == ("refused", "line_already_claimed")
    burn_under(yuan, "a", "s-d", 60)
    assert take_back(yuan, "s-c") == ("accepted", {"returned": [[f"{HOLDER}/a", 20, "reservation"]]})
    lots = {account: fen for account, fen in yuan.oracle.balances().items() if account[0] in ("burned", "withheld")}
    assert {account[0]: fen for account, fen in lots.items() if fen} == {"burned": 60, "withheld": 5}
    yuan.pair.check_balances()
    yuan.pair.check_books()


def test_a_claim_that_leaves_all_of_a_contract_over_makes_nobody_its_claimant(yuan: Walk) -> None:
    burn_under(yuan, "a", "s-a", 100)
    burn_under(yuan, "z", "s-z", 45)
    yuan.at += DAY
    assert claim_all(yuan, PROVIDER, "c-1") == claimed(a=100)
    yuan.pair.check_balances()
    assert yuan.pair.state.contracts[f"{HOLDER}/z"].claimant == "either"
    burn_under(yuan, "z", "s-y", 155)
    yuan.at += DAY
    assert claim_all(yuan, HOLDER, "c-1") == claimed(z=200)
    assert claim_all(yuan, PROVIDER, "c-2") == ("refused", "nothing_to_claim")
    yuan.pair.check_books()


def test_a_claim_has_so_many_contracts_and_lots_and_leaves_whole_contracts(yuan: Walk) -> None:
    """Of 51 contracts a provider claims 50; the last, under which either may claim, is still the holder's to claim."""
    names = [f"m{number:02}" for number in range(CLAIM_CONTRACTS_MAX + 1)]
    yuan.must(CITY, "programme.amend", programme=YUAN, envelope_fen=10**6, reason="more")
    rules = yuan.oracle.fixed(YUAN) | {"cap": {"group": "compute", "holder_fen": 10**6, "floor_fen": 0}}
    days = {"rules_from": yuan.day_text(-1)}
    yuan.must(CITY, "programme.amend", programme=YUAN, rules=rules | {"transfer": "open"}, reason="more", **days)
    yuan.at += DAY
    now, until = instant_text(yuan.at), instant_text(yuan.at + 20 * DAY)
    for name in names:
        terms = yuan.contract(f"{HOLDER}/{name}", HOLDER, PROVIDER) | {"claimant": "either"}
        yuan.must(HOLDER, "contract.sign", **terms)
    yuan.at += HOUR
    number = 0

    def one_lot(name: str) -> None:
        nonlocal number
        number += 1
        issue = {"programme": YUAN, "holder": HOLDER, "face_fen": 100, "valid_from": now}
        yuan.must(CITY, "voucher.issue", voucher=f"{CITY}/n{number:04}", **issue)
        held = {"reservation": f"{HOLDER}/n{number:04}", "voucher": f"{CITY}/n{number:04}"}
        yuan.must(HOLDER, "voucher.reserve", contract=f"{HOLDER}/{name}", amount_fen=100, until=until, **held)
        groups = [{"item": "ascend-910b", "lines": [row(yuan, f"job-{number}", 100)]}]
        yuan.must(PROVIDER, "time.burn", contract=f"{HOLDER}/{name}", groups=groups)

    for name in names:
        one_lot(name)
    yuan.at += DAY
    kind, outcome = claim_all(yuan, PROVIDER, "c-1")
    assert (kind, outcome["more"]) == ("accepted", True)
    assert outcome["rows"] == [[f"{HOLDER}/{name}", 100] for name in names[:-1]]
    assert yuan.pair.state.contracts[f"{HOLDER}/{names[-1]}"].claimant == "either"
    assert claim_all(yuan, HOLDER, "c-2") == claimed(**{names[-1]: 100})
    yuan.pair.check_balances()


@pytest.mark.parametrize("treasury", TREASURIES)
def test_scenes_come_to_their_end(treasury: str) -> None:
    """Of a treasury with officers too."""
    walk = founded(Pair())
    for number, scene in enumerate((*SCENES, leave_some_of_everything)):
        scene(Scene(walk, treasury, HOLDERS[number % 3], PROVIDERS[number % 2]))
        walk.pair.check_balances()
    walk.pair.check_books()
    walk.pair.check_replay()


def units(walk: Walk, ref: str, first_day: str, last_day: str, **fields: Any) -> tuple[str, Any]:
    """A service of 3 units, at 7 fen each, of these days."""
    days = {"first_day": first_day, "last_day": last_day}
    named: Json = {"ref": ref, "contract": CONTRACT, "item": "tokens", "quantity": 3}
    return walk.exactly(PROVIDER, "service.burn", **(named | days | fields))


def test_a_service_ends_with_its_last_day(corner: Walk) -> None:
    """Not a microsecond earlier: an accreditation that ends then doesn't cover it."""
    midnight = corner.oracle.start_of(corner.day_of(corner.at) + 1)
    today, place = corner.day_text(0), {"programme": f"{CITY}/p0", "provider": PROVIDER}
    corner.at = midnight - HOUR
    corner.must(CITY, "provider.delist", valid_until=instant_text(midnight), reason="moves", **place)
    corner.at = midnight - 1
    assert units(corner, "s-0", today, today) == ("refused", "job_time_in_the_future")
    corner.at = midnight
    assert units(corner, "s-1", today, today)[1]["paid"] == [[f"{HOLDER}/r", [21]]]
    assert take_back(corner, "s-1")[0] == "accepted"
    corner.pair.check_balances()
    short = founded(Pair())
    short.at = corner.oracle.start_of(short.day_of(short.at) + 1)
    now = instant_text(short.at)
    issue: Json = {"voucher": f"{CITY}/v", "programme": f"{CITY}/p0", "holder": HOLDER, "face_fen": 500}
    short.must(CITY, "voucher.issue", valid_from=now, **issue)
    reserve = {"reservation": f"{HOLDER}/r", "voucher": f"{CITY}/v", "contract": CONTRACT, "amount_fen": 400}
    short.must(HOLDER, "voucher.reserve", until=instant_text(short.at + 20 * DAY), **reserve)
    short.must(CITY, "provider.delist", valid_until=instant_text(short.at + DAY - 1), reason="moves", **place)
    short.at += DAY
    assert units(short, "s-1", short.day_text(1), short.day_text(1)) == ("refused", "provider_not_accredited")


def test_gpu_time_corrects_a_service_up_to_the_end_of_its_last_day(corner: Walk) -> None:
    midnight = corner.oracle.start_of(corner.day_of(corner.at) + 1)
    today = corner.day_text(0)
    corner.at = midnight
    assert units(corner, "s-1", today, today)[0] == "accepted"
    assert take_back(corner, "s-1")[0] == "accepted"
    line = ["job-1", 1, second_text(midnight - SECOND), second_text(midnight), 1]
    corrects: Json = {"corrects": {"statement": "s-1", "line": 0}}
    assert burns(corner, "s-2", [*line[:3], second_text(midnight + SECOND), 1, corrects]) == ["job_time_in_the_future"]
    assert burns(corner, "s-3", [*line, corrects]) == [None]


def test_an_invoice_that_is_too_late_is_told_so_before_what_it_corrects(corner: Walk) -> None:
    contract = f"{HOLDER}/i-0"
    voucher = {"voucher": f"{CITY}/i", "programme": f"{CITY}/p0", "holder": HOLDER, "face_fen": 500}
    corner.must(CITY, "voucher.issue", valid_from=instant_text(START), **voucher)
    held = {"reservation": f"{HOLDER}/i", "voucher": f"{CITY}/i", "contract": contract, "amount_fen": 400}
    corner.must(HOLDER, "voucher.reserve", until=instant_text(corner.at + 25 * DAY), **held)
    days = {"first_day": corner.day_text(1), "last_day": corner.day_text(1)}
    fields: Json = {"contract": contract, "item": "tokens", "fee_fen": 5, "document_hash": f"sha256:{'d' * 64}"} | days
    provider = corner.oracle.contracts[contract]["provider"]
    end = corner.oracle.start_of(corner.day_of(corner.at))
    corner.at += 31 * DAY
    corner.must(HOLDER, "reservation.release", reservation=f"{HOLDER}/i")
    held |= {"reservation": f"{HOLDER}/j"}
    corner.must(HOLDER, "voucher.reserve", until=instant_text(corner.at + DAY), **held)
    assert corner.at > end + corner.span("burn_window")
    wrong: Json = {"corrects": {"statement": "none", "line": 0}}
    late = corner.exactly(provider, "service.burn", **(fields | wrong))
    assert late == ("refused", "job_time_too_long_ago")


def test_what_fits_is_expired_and_the_rest_is_left_for_another_command(corner: Walk) -> None:
    """In the order of due times, then of ids; a reservation before a voucher of the same id."""
    whole, now = f"{CITY}/whole", instant_text(corner.at)
    issue: Json = {"programme": f"{CITY}/p2", "holder": HOLDER, "face_fen": 1_000, "valid_from": now}
    corner.must(CITY, "voucher.issue", voucher=whole, **issue)
    for number in range(EXPIRED_MAX):
        part = {"voucher": whole, "into": f"{HOLDER}/{number}", "to": HOLDERS[0], "amount_fen": 1}
        corner.must(HOLDER, "voucher.transfer", **part)
    held = {"reservation": f"{HOLDER}/1", "voucher": whole, "contract": CONTRACT, "amount_fen": 5}
    end = corner.oracle.vouchers[whole]["until"]
    corner.at = end - corner.span("release_grace") - HOUR
    corner.must(HOLDER, "voucher.reserve", until=instant_text(corner.at + HOUR), **held)
    corner.at = end
    kind, outcome = corner.exactly(CITY, "book.expire")
    assert (kind, len(outcome["rows"]), outcome["more"]) == ("accepted", EXPIRED_MAX, True)
    assert outcome["rows"][:7] == [
        ["reservation", f"{HOLDER}/r", 400, "voucher"],
        ["voucher", f"{CITY}/v", 500, "programme"],
        ["voucher", whole, 1_000 - EXPIRED_MAX - 5, "programme"],
        ["voucher", f"{HOLDER}/0", 1, "programme"],
        ["reservation", f"{HOLDER}/1", 5, "programme"],
        ["voucher", f"{HOLDER}/1", 1, "programme"],
        ["voucher", f"{HOLDER}/10", 1, "programme"],
    ]
    assert corner.exactly(TREASURIES[1], "book.expire") == ("refused", "nothing_due")
    kind, outcome = corner.exactly(OPERATOR, "book.expire")
    assert (kind, len(outcome["rows"]), outcome["more"]) == ("accepted", 4, False)
    assert corner.exactly(OPERATOR, "book.expire") == ("refused", "nothing_due")
    corner.pair.check_balances()


class Ledgers(RuleBasedStateMachine):
    """Both sides under moves that Hypothesis chooses."""

    def __init__(self) -> None:
        super().__init__()
        self.pair = Pair()

    @initialize(
        clock_skew_seconds=st.sampled_from([0, 300]),
        freshness_seconds=st.sampled_from([60, 20 * 86_400]),
        burn_window_seconds=st.sampled_from([86_400, 30 * 86_400]),
        release_grace_seconds=st.sampled_from([0, 2 * 86_400]),
        tariff_notice_seconds=st.sampled_from([0, 86_400]),
        takeover_seconds=st.sampled_from([0, 86_400]),
        sealing_grace_seconds=st.sampled_from([0, 86_400]),
        utc_offset_seconds=st.sampled_from([0, 8 * 3_600, -12_345]),
    )
    def found(self, **limits: int) -> None:
        self.walk = founded(self.pair, **limits)

    def move(self, chance: random.Random, *moves: Callable[[Walk], None]) -> None:
        """One of the moves, a little later, and what came of it as a statistic."""
        before = self.pair.answers.copy()
        self.walk.chance = chance
        self.walk.wait()
        self.walk.pick(moves)(self.walk)
        for kind, said in self.pair.answers - before:
            event(f"{kind} {said}")

    @rule(chance=st.randoms(use_true_random=False))
    def parties(self, chance: random.Random) -> None:
        self.move(
            chance,
            Walk.admit_party,
            Walk.amend_party,
            Walk.suspend_party,
            Walk.reinstate_party,
            Walk.add_key,
            Walk.revoke_key,
            Walk.withdraw_party,
            Walk.found_again,
            Walk.adopt_edition,
            Walk.rekey_log,
            Walk.record_checkpoint,
        )

    @rule(chance=st.randoms(use_true_random=False))
    def programmes(self, chance: random.Random) -> None:
        self.move(
            chance, Walk.open_programme, Walk.amend_programme, Walk.give_mandate, Walk.end_mandate, Walk.accredit,
            Walk.delist, Walk.publish_tariff, Walk.withdraw, Walk.declare_capacity, Walk.withdraw_capacity,
            Walk.register_item,
        )  # fmt: skip

    @rule(chance=st.randoms(use_true_random=False))
    def contracts(self, chance: random.Random) -> None:
        self.move(chance, Walk.sign_contract, Walk.amend_contract, Walk.crowd)

    @rule(chance=st.randoms(use_true_random=False))
    def applications(self, chance: random.Random) -> None:
        self.move(chance, Walk.apply, Walk.apply, Walk.attest, Walk.attest, Walk.withdraw_application)

    @rule(chance=st.randoms(use_true_random=False))
    def issues(self, chance: random.Random) -> None:
        self.move(chance, Walk.issue, Walk.issue, Walk.import_voucher)

    @rule(chance=st.randoms(use_true_random=False))
    def vouchers(self, chance: random.Random) -> None:
        self.move(chance, Walk.transfer, Walk.change_voucher, Walk.expire)

    @rule(chance=st.randoms(use_true_random=False))
    def reservations(self, chance: random.Random) -> None:
        self.move(chance, Walk.reserve, Walk.reserve, Walk.extend, Walk.release)

    @rule(chance=st.randoms(use_true_random=False))
    def burns(self, chance: random.Random) -> None:
        self.move(chance, Walk.burn, Walk.burn, Walk.serve, Walk.serve, Walk.reverse)

    @rule(chance=st.randoms(use_true_random=False))
    def corrections(self, chance: random.Random) -> None:
        self.move(chance, Walk.correct, Walk.correct_at_its_bounds, Walk.reverse, Walk.seal)

    @rule(chance=st.randoms(use_true_random=False))
    def settlement(self, chance: random.Random) -> None:
        self.move(chance, Walk.claim, Walk.claim, Walk.settle, Walk.settle, Walk.disallow)

    @rule(chance=st.randoms(use_true_random=False))
    def recovery(self, chance: random.Random) -> None:
        self.move(chance, Walk.demand, Walk.recover, Walk.play_scene)

    @rule(chance=st.randoms(use_true_random=False))
    def repetitions(self, chance: random.Random) -> None:
        self.move(chance, Walk.send_again, Walk.send_garbage)

    @rule()
    def snapshot(self) -> None:
        self.pair.resume_from_snapshot()
        self.pair.check_books()

    @invariant()
    def balances_agree(self) -> None:
        self.pair.check_balances()

    def teardown(self) -> None:
        if self.pair.entries:
            self.pair.check_books()
        self.pair.check_replay()


# Explaining a failure takes longer than everything else and says nothing that the message doesn't.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
Ledgers.TestCase.settings = settings(
    max_examples=schedule(60, 100), stateful_step_count=50, deadline=None, phases=PHASES
)
TestLedgers = pytest.mark.long(Ledgers.TestCase)
