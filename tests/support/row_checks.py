"""What is checked after every row: the books, added up anew from the entries."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from support.settlement_checks import Settlements
from tallystick.vouchers.book import AnyAccount, Posting
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.outcomes import Burned, Reversed
from tallystick.vouchers.rules.burning import BurnReverse, TimeBurn
from tallystick.vouchers.rules.importing import VoucherImport
from tallystick.vouchers.rules.service_burning import ServiceBurn
from tallystick.vouchers.rules.vouchers import VoucherIssue, VoucherTransfer
from tallystick.vouchers.state import State

_ACCOUNTS = ("unissued", "available", "reserved", "burned", "claimed", "withheld", "paid", "receivable")


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
        lots_fen: by voucher and contract; what was used before the log began, by voucher and `-`.
        made_at: by voucher, when it was issued, transferred or imported: whose cap it counts against.
        settlements: what was claimed, settled, demanded and given up.
    """

    size: int = 0
    statements: dict[tuple[str, str], dict[int, Line]] = field(default_factory=dict)
    charged_fen: Counter[str] = field(default_factory=Counter)
    absorbed_fen: Counter[str] = field(default_factory=Counter)
    taken_fen: Counter[str] = field(default_factory=Counter)
    lots_fen: Counter[tuple[str, str]] = field(default_factory=Counter)
    made_at: dict[str, int] = field(default_factory=dict)
    settlements: Settlements = field(default_factory=Settlements)

    def take(self, entries: list[Entry], state: State) -> None:
        """Count the entries that aren't counted; the state has the reservations."""
        voucher_of = {name: held.voucher for name, held in state.reservations.items()}
        for entry in entries[self.size :]:
            command, outcome = entry.event.command, entry.event.outcome
            self.settlements.take(entry, state)
            if isinstance(command, VoucherIssue | VoucherImport | VoucherTransfer):
                name = command.into if isinstance(command, VoucherTransfer) else command.voucher
                self.made_at[name] = entry.event.at
            if isinstance(command, VoucherImport):
                self.lots_fen[command.voucher, "-"] += command.used_fen
            elif isinstance(command, TimeBurn | ServiceBurn):
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

    def _count(self, line: Line, sign: int, voucher_of: dict[str, str]) -> None:
        self.charged_fen[line.contract] += sign * line.fee_fen
        self.absorbed_fen[line.contract] += sign * line.absorbed_fen
        for name, amount_fen in line.paid_fen.items():
            self.lots_fen[voucher_of[name], line.contract] += sign * amount_fen
            self.taken_fen[name] += sign * amount_fen


def _lines(command: TimeBurn | ServiceBurn, outcome: Burned) -> dict[int, Line]:
    refused = {number for number, _ in outcome.refused}
    absorbed = dict(outcome.absorbed)
    count = sum(len(group.lines) for group in command.groups) if isinstance(command, TimeBurn) else 1
    assert len(outcome.fee_fen) == count
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
        if posting.target != "envelope":
            book[posting.target] += posting.amount_fen


def check_books(state: State, recount: Recount) -> None:
    """Insist on the law of conservation, and that each account is what its parts add up to."""
    for account, balances in state.book.balances.items():
        assert all((amount_fen < 0) if account == "envelope" else (amount_fen > 0) for amount_fen in balances.values())
    lots = _check_vouchers(state)
    _check_programmes(state, recount.settlements)
    recount.settlements.check(state)
    _check_reservations(state, recount)
    _check_grants(state, recount)
    assert +recount.lots_fen == +lots
    _check_forgotten(state, recount)
    for name, contract in state.contracts.items():
        assert state.book["charged", name] == recount.charged_fen[name] <= contract.amount_fen, name
        assert state.book["absorbed", name] == recount.absorbed_fen[name] <= contract.other_support_fen, name
        held = [one.id for one in state.reservations.values() if one.contract == name and not one.closed]
        assert contract.reservations == held, name
        ranks = [state.programmes[one].rules.rank for one in contract.programmes]
        assert ranks == sorted(ranks), name


def _check_programmes(state: State, settlements: Settlements) -> None:
    balances = state.book.balances
    for name, programme in state.programmes.items():
        vouchers = {one for one, voucher in state.vouchers.items() if voucher.programme == name}
        reservations = [one for one, held in state.reservations.items() if held.programme == name]
        parts = {
            "available": sum(state.book["available", one] for one in vouchers),
            "reserved": sum(state.book["reserved", one] for one in reservations),
            "burned": sum(amount for one, amount in balances["burned"].items() if one.split()[0] in vouchers),
            "withheld": sum(amount for one, amount in balances["withheld"].items() if one.split()[0] in vouchers),
            "claimed": sum(state.claimed_fen(one) for one in state.claims if state.claims[one].programme == name),
            "paid": sum(amount for one, amount in balances["paid"].items() if one.split()[0] == name),
            "receivable": sum(
                amount for one, amount in balances["receivable"].items() if settlements.programme_of[one] == name
            ),
        }
        parts["unissued"] = programme.envelope_fen - sum(parts.values())
        assert state.book.totals[name] == parts, name
        assert (state.book["unissued", name], -state.book["envelope", name]) == (
            parts["unissued"],
            programme.envelope_fen,
        )


def _check_vouchers(state: State) -> Counter[tuple[str, str]]:
    """Insist that each voucher adds up to its face; return what was burned of its lots, whatever became of it."""
    lots = Counter[tuple[str, str]]()
    places: dict[AnyAccount, int] = {"burned": 0, "claimed": 1, "withheld": 0, "settled": 0, "forfeited": 0}
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


def _check_grants(state: State, recount: Recount) -> None:
    """Insist that what was granted is what vouchers of a treasury, year, group and holder hold, and within a cap.

    Group and cap are those in force when a voucher was made.
    """
    granted, caps = Counter[str](), defaultdict[str, int](int)
    for name, voucher in state.vouchers.items():
        programme = state.programmes[voucher.programme]
        cap = programme.rules_at(recount.made_at[name]).cap
        granted_id = f"{programme.treasury} {programme.fiscal_year} {cap.group} {voucher.holder}"
        granted[granted_id] += voucher.face_fen - state.book["returned", name]
        caps[granted_id] = max(caps[granted_id], cap.holder_fen)
    assert +granted == Counter(state.book.balances["granted"])
    assert all(amount_fen <= caps[one] for one, amount_fen in granted.items())
