"""What is checked after every row: the books, added up anew from the entries; and the sums that stand with the row."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from support import sums
from support.row_values import yuan
from tallystick.vouchers.book import AnyAccount, Posting
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.outcomes import Burned, Claimed, Reversed
from tallystick.vouchers.refusals import Refusal
from tallystick.vouchers.rules.burning import BurnReverse, TimeBurn
from tallystick.vouchers.rules.settlement import RedemptionClaim
from tallystick.vouchers.state import State

_ACCOUNTS = ("unissued", "available", "reserved", "burned", "claimed", "paid")


@dataclass
class Line:
    """What an accepted line came to."""

    contract: str
    fee_fen: int
    absorbed_fen: int
    paid_fen: dict[str, int]


@dataclass
class Recount:
    """What statements and reversals come to, added up from the entries alone.

    Attributes:
        size: how many entries are counted.
        statements: by provider and reference, the lines of the newest that weren't taken back.
        charged_fen, absorbed_fen: by contract.
        taken_fen: by reservation.
        lots_fen: by voucher and contract.
    """

    size: int = 0
    statements: dict[tuple[str, str], dict[int, Line]] = field(default_factory=dict)
    charged_fen: Counter[str] = field(default_factory=Counter)
    absorbed_fen: Counter[str] = field(default_factory=Counter)
    taken_fen: Counter[str] = field(default_factory=Counter)
    lots_fen: Counter[tuple[str, str]] = field(default_factory=Counter)

    def take(self, entries: list[Entry], voucher_of: Mapping[str, Any]) -> None:
        """Count the entries that aren't counted; `voucher_of` has the reservations."""
        for entry in entries[self.size :]:
            command, outcome = entry.event.command, entry.event.outcome
            if isinstance(command, TimeBurn):
                assert isinstance(outcome, Burned)
                lines = _lines(command, outcome)
                self.statements[command.party, command.ref] = lines
                for line in lines.values():
                    self._count(line, 1, voucher_of)
            elif isinstance(command, BurnReverse):
                assert isinstance(outcome, Reversed)
                line = self.statements[command.party, command.statement].pop(command.line)
                assert {name: amount_fen for name, amount_fen, _ in outcome.returned} == line.paid_fen
                self._count(line, -1, voucher_of)
        self.size = len(entries)

    def remembered(self, state: State) -> Counter[str]:
        """What the statements took that the state remembers: by reservation, and charged and absorbed by contract."""
        counted = Counter[str]()
        for (provider, ref), lines in self.statements.items():
            for line in lines.values() if ref in state.statements.get(provider, {}) else ():
                counted.update(line.paid_fen)
                counted[f"charged {line.contract}"] += line.fee_fen
                counted[f"absorbed {line.contract}"] += line.absorbed_fen
        return +counted

    def _count(self, line: Line, sign: int, voucher_of: Mapping[str, Any]) -> None:
        self.charged_fen[line.contract] += sign * line.fee_fen
        self.absorbed_fen[line.contract] += sign * line.absorbed_fen
        for name, amount_fen in line.paid_fen.items():
            self.lots_fen[voucher_of[name].voucher, line.contract] += sign * amount_fen
            self.taken_fen[name] += sign * amount_fen


def _lines(command: TimeBurn, outcome: Burned) -> dict[int, Line]:
    refused = {number for number, _ in outcome.refused}
    absorbed = dict(outcome.absorbed)
    assert len(outcome.fee_fen) == sum(len(group.lines) for group in command.groups)
    return {
        number: Line(
            command.contract,
            fee_fen,
            absorbed.get(number, 0),
            {name: amounts[number] for name, amounts in outcome.paid if amounts[number]},
        )
        for number, fee_fen in enumerate(outcome.fee_fen)
        if number not in refused
    }


def post(books: dict[str, dict[Any, int]], postings: Iterable[Posting]) -> None:
    """Carry postings into books, account by account."""
    for posting in postings:
        book = books.setdefault(posting.programme, dict.fromkeys(_ACCOUNTS, 0))
        if posting.source != "envelope":
            book[posting.source] -= posting.amount_fen
        book[posting.target] += posting.amount_fen


def check_books(state: State, recount: Recount) -> None:
    """Insist on the law of conservation, and that each account is what its parts add up to."""
    for account, balances in state.book.balances.items():
        assert all((amount_fen < 0) if account == "envelope" else (amount_fen > 0) for amount_fen in balances.values())
    lots = _check_vouchers(state)
    _check_programmes(state)
    _check_reservations(state, recount)
    _check_grants(state)
    assert +recount.lots_fen == +lots
    _check_forgotten(state, recount)
    for name, contract in state.contracts.items():
        assert state.book["charged", name] == recount.charged_fen[name] <= contract.amount_fen, name
        assert state.book["absorbed", name] == recount.absorbed_fen[name] <= contract.other_support_fen, name
        held = [one.id for one in state.reservations.values() if one.contract == name and not one.closed]
        assert contract.reservations == held, name
        ranks = [state.programmes[one].rules.rank for one in contract.programmes]
        assert ranks == sorted(ranks), name


def _check_programmes(state: State) -> None:
    balances = state.book.balances
    for name, programme in state.programmes.items():
        vouchers = {one for one, voucher in state.vouchers.items() if voucher.programme == name}
        reservations = [one for one, held in state.reservations.items() if held.programme == name]
        parts = {
            "available": sum(state.book["available", one] for one in vouchers),
            "reserved": sum(state.book["reserved", one] for one in reservations),
            "burned": sum(amount for one, amount in balances["burned"].items() if one.split()[0] in vouchers),
            "claimed": sum(state.claimed_fen(one) for one in state.claims if state.claims[one].programme == name),
            "paid": sum(amount for one, amount in balances["paid"].items() if one.split()[0] in vouchers),
        }
        parts["unissued"] = programme.envelope_fen - sum(parts.values())
        assert state.book.totals[name] == parts, name
        assert (state.book["unissued", name], -state.book["envelope", name]) == (
            parts["unissued"],
            programme.envelope_fen,
        )


def _check_vouchers(state: State) -> Counter[tuple[str, str]]:
    """Insist that each voucher adds up to its face; return what its lots hold."""
    lots = Counter[tuple[str, str]]()
    places: dict[AnyAccount, int] = {"burned": 0, "claimed": 1, "paid": 0}
    for account, place in places.items():
        for one, amount_fen in state.book.balances[account].items():
            voucher, contract = one.split(" ")[place : place + 2]
            lots[voucher, contract] += amount_fen
    used, reserved = Counter[str](), Counter[str]()
    for (voucher, _), amount_fen in lots.items():
        used[voucher] += amount_fen
    for one, amount_fen in state.book.balances["reserved"].items():
        reserved[state.reservations[one].voucher] += amount_fen
    for name, voucher_held in state.vouchers.items():
        elsewhere_fen = state.book["transferred", name] + state.book["returned", name]
        held_fen = state.book["available", name] + reserved[name] + used[name]
        assert held_fen + elsewhere_fen == voucher_held.face_fen, name
    return lots


def _check_reservations(state: State, recount: Recount) -> None:
    for name, held in state.reservations.items():
        assert state.book["taken", name] == recount.taken_fen[name], name
        left_fen = held.amount_fen - state.book["taken", name] - state.book["released", name]
        assert state.book["reserved", name] == left_fen, name
        assert (left_fen == 0) == held.closed, name


def _check_forgotten(state: State, recount: Recount) -> None:
    """Insist that what statements took is remembered with them, or noted as forgotten."""
    remembered = recount.remembered(state)
    noted: tuple[tuple[AnyAccount, AnyAccount, str], ...] = (
        ("taken", "forgotten", ""),
        ("charged", "forgotten_charged", "charged "),
        ("absorbed", "forgotten_absorbed", "absorbed "),
    )
    for account, forgotten, prefix in noted:
        for one, amount_fen in state.book.balances[account].items():
            forgotten_fen = state.book[forgotten, one]
            assert amount_fen == remembered[f"{prefix}{one}"] + forgotten_fen, one


def _check_grants(state: State) -> None:
    """Insist that what was granted is what vouchers of a treasury, year, group and holder hold, and within the cap."""
    granted, caps = Counter[str](), defaultdict[str, int](int)
    for name, voucher in state.vouchers.items():
        programme = state.programmes[voucher.programme]
        cap = programme.rules.cap
        granted_id = f"{programme.treasury} {programme.fiscal_year} {cap.group} {voucher.holder}"
        granted[granted_id] += voucher.face_fen - state.book["returned", name]
        caps[granted_id] = max(caps[granted_id], cap.holder_fen)
    assert +granted == Counter(state.book.balances["granted"])
    assert all(amount_fen <= caps[one] for one, amount_fen in granted.items())


def check_sums(
    verb: str, arguments: str, due: str, texts: tuple[str, ...], answered: Entry | Refusal, state: State
) -> None:
    """Insist that a row's sums come to the answer that is due, and are about what is in entry, state and detail."""
    for number, (text, answer) in enumerate(zip(texts, due.split(" | "), strict=bool(texts))):
        if not text:
            continue
        if verb == "burn":
            assert isinstance(answered, Entry)
            _check_line(text, answer, answered, number, state)
        elif isinstance(answered, Entry):
            amount = re.search(r"[\d,]+(\.\d\d)?", answer)
            assert amount, text
            assert sums.total(text) == sums.number(amount[0]), text
            if isinstance(answered.event.outcome, Claimed):
                _check_contracts_of_claim(text, answered, state)
        else:
            left, right = sums.compared(text)
            assert re.search(rf"[ =]{re.escape(yuan(int(left * 100)))}( |$)", arguments), text
            assert f" {int(right * 100)} fen" in f" {answered.detail}", f"{text}: {answered.detail}"


def _check_contracts_of_claim(text: str, entry: Entry, state: State) -> None:
    """Insist that what a sum says of a contract, `17.55 under K2`, is what is claimed of it."""
    claimed_fen = Counter[str]()
    command = entry.event.command
    assert isinstance(command, RedemptionClaim)
    for lot, amount_fen in state.claimed(command.claim):
        claimed_fen[lot.contract.partition("/")[2]] += amount_fen
    for amount, label in sums.terms(text):
        if label.startswith("under "):
            assert amount * 100 == claimed_fen[label.removeprefix("under ")], f"{text}: {claimed_fen}"


@dataclass
class _Statement:
    """A statement that was just recorded, and the state after it."""

    command: TimeBurn
    outcome: Burned
    state: State

    def since(self, amounts_fen: Iterable[int], number: int) -> int:
        """What the lines from one on came to."""
        return sum([*amounts_fen][number:])

    def reservations(self, names: tuple[str, ...]) -> list[str]:
        """Those of the contract that are called so, or all from which the statement could take."""
        paid = {name for name, _ in self.outcome.paid}
        return [
            one
            for one, held in self.state.reservations.items()
            if held.contract == self.command.contract
            and (one.partition("/")[2] in names if names else (one in paid or not held.closed))
        ]

    def held_fen(self, names: tuple[str, ...], number: int) -> int:
        """What reservations held before a line."""
        paid = dict(self.outcome.paid)
        return sum(
            self.state.book["reserved", one] + self.since(paid.get(one, ()), number) for one in self.reservations(names)
        )

    def paid_fen(self, names: tuple[str, ...], number: int) -> int:
        """What reservations paid of a line."""
        paid = dict(self.outcome.paid)
        return sum(paid[one][number] for one in self.reservations(names) if one in paid)

    def chargeable_fen(self, number: int) -> int:
        """What could be charged under the contract before a line."""
        contract = self.state.contracts[self.command.contract]
        charged_fen = self.state.book["charged", self.command.contract]
        return contract.amount_fen - charged_fen + self.since(self.outcome.fee_fen, number)

    def support_left_fen(self, number: int) -> int:
        """What was left of other support before a line."""
        absorbed_fen = sum(fen for line, fen in self.outcome.absorbed if line >= number)
        left_fen = self.state.contracts[self.command.contract].other_support_fen + absorbed_fen
        return left_fen - self.state.book["absorbed", self.command.contract]


def _check_line(text: str, answer: str, entry: Entry, number: int, state: State) -> None:
    """Insist that the sum of a statement's line has its factors, and comes to its fee, its payments and its answer."""
    command, outcome = entry.event.command, entry.event.outcome
    assert isinstance(command, TimeBurn)
    assert isinstance(outcome, Burned)
    statement = _Statement(command, outcome, state)
    _, line = [*command.lines()][number]
    said = sums.line(text)
    assert said.cards * 1_000 == line.gpu_milli, text
    assert said.seconds == line.seconds, text
    _check_held(said, statement, number, text)
    if said.exceeded:
        _check_exceeded(said, answer, statement, number, text)
        return
    assert said.fee is not None
    assert said.fee * 100 == outcome.fee_fen[number], text
    assert said.absorbed.paid * 100 == dict(outcome.absorbed).get(number, 0), text
    for part in said.parts:
        if part.names or len(said.parts) == 1:
            assert part.paid * 100 == statement.paid_fen(part.names, number), text
        else:
            assert part.paid == 0, f"{text} doesn't say who pays"
    paid_fen = sum(amounts_fen[number] for _, amounts_fen in outcome.paid)
    assert sum((part.paid for part in said.parts), Fraction(0)) * 100 == paid_fen, text


def _check_held(said: sums.LineSum, statement: _Statement, number: int, text: str) -> None:
    """Insist that what a sum says is left, was left before the line."""
    if said.absorbed.held is not None:
        assert said.absorbed.held * 100 == statement.support_left_fen(number), text
    for part in said.parts:
        if part.held is not None:
            assert part.held * 100 == statement.held_fen(part.names, number), text


def _check_exceeded(said: sums.LineSum, answer: str, statement: _Statement, number: int, text: str) -> None:
    """Insist that what a sum says is too much, is more than there was."""
    if answer == "exceeds_contract":
        assert said.exceeded == "fee", text
        assert said.most * 100 == statement.chargeable_fen(number), text
        return
    if answer == "exceeds_reservation":
        assert said.exceeded == "payment", text
        assert said.most * 100 == statement.held_fen(said.parts[-1].names, number), text
        return
    assert answer == "exceeds_corrected_line", text
    _, line = [*statement.command.lines()][number]
    assert line.options is not None
    assert line.options.corrects is not None
    corrects = line.options.corrects
    corrected = statement.state.statements[statement.command.party][corrects.statement].line(corrects.line)
    assert corrected is not None
    bounds = {
        "GPU-time": Fraction(corrected.gpu_milli_seconds, 1_000),
        "fee": Fraction(corrected.fee_fen, 100),
        "payment": Fraction(corrected.paid_fen, 100),
    }
    assert said.exceeded is not None
    assert said.most == bounds[said.exceeded], text
