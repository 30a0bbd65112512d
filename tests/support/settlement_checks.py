"""What claims, settlements and demands come to, added up anew from the entries."""

from collections import Counter
from dataclasses import dataclass, field

from tallystick.vouchers.book import Memorandum
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.outcomes import Claimed, Expired
from tallystick.vouchers.rules.claiming import RedemptionClaim
from tallystick.vouchers.rules.importing import VoucherImport
from tallystick.vouchers.rules.recovery import RecoveryCancel, RecoveryDemand, RecoveryReceive
from tallystick.vouchers.rules.settlement import RedemptionDisallow, RedemptionSettle
from tallystick.vouchers.state import State


@dataclass
class Settlements:
    """Of claims and demands, all that the entries say.

    Attributes:
        claims: by claim that is open, what is claimed under each contract.
        payees: by claim, its programme and who claims.
        settled_fen: by programme and contract; of what was used before the log began, by programme and `-`.
        forfeited_fen: by programme and contract: disallowed, or past its cut-off.
        paid_fen: by programme and payee, joined by a blank.
        receivable_fen, received_fen, programme_of: by demand.
    """

    claims: dict[str, dict[str, int]] = field(default_factory=dict)
    payees: dict[str, tuple[str, str]] = field(default_factory=dict)
    settled_fen: Counter[tuple[str, str]] = field(default_factory=Counter)
    forfeited_fen: Counter[tuple[str, str]] = field(default_factory=Counter)
    paid_fen: Counter[str] = field(default_factory=Counter)
    receivable_fen: Counter[str] = field(default_factory=Counter)
    received_fen: Counter[str] = field(default_factory=Counter)
    programme_of: dict[str, str] = field(default_factory=dict)

    def take(self, entry: Entry, state: State) -> None:
        """Count one entry; the state has the vouchers."""
        command, outcome = entry.event.command, entry.event.outcome
        if isinstance(command, VoucherImport):
            self.settled_fen[command.programme, "-"] += command.used_fen
            self.paid_fen[f"{command.programme} -"] += command.used_fen
        elif isinstance(command, RedemptionClaim):
            assert isinstance(outcome, Claimed)
            self.claims[command.claim] = dict(outcome.rows)
            self.payees[command.claim] = command.programme, command.party
        elif isinstance(command, RedemptionSettle):
            self._settle(command)
        elif isinstance(command, RedemptionDisallow):
            self.forfeited_fen[command.programme, command.contract] += command.amount_fen
        elif isinstance(outcome, Expired):
            for kind, name, amount_fen, _ in outcome.rows:
                if kind == "lot":
                    voucher, contract = name.split(" ")
                    self.forfeited_fen[state.vouchers[voucher].programme, contract] += amount_fen
        elif isinstance(command, RecoveryDemand):
            self.programme_of[command.demand] = command.programme
            self.receivable_fen[command.demand] += command.amount_fen
            self.paid_fen[f"{command.programme} {command.payee}"] -= command.amount_fen
        elif isinstance(command, RecoveryReceive):
            self._receive(command.demand, command.payment.amount_fen)
        elif isinstance(command, RecoveryCancel):
            demand = state.demands[command.demand]
            self.receivable_fen[command.demand] -= command.amount_fen
            self.paid_fen[f"{demand.programme} {demand.payee}"] += command.amount_fen

    def _settle(self, command: RedemptionSettle) -> None:
        claimed_fen = self.claims.pop(command.claim)
        programme, payee = self.payees[command.claim]
        assert {row.contract: row.paid_fen + (row.withheld_fen or 0) for row in command.rows} == claimed_fen
        for row in command.rows:
            self.settled_fen[programme, row.contract] += row.paid_fen
            self.paid_fen[f"{programme} {payee}"] += row.paid_fen
        for offset in command.offsets or ():
            self._receive(offset.demand, offset.amount_fen)
        paid_fen = sum(row.paid_fen for row in command.rows)
        offset_fen = sum(offset.amount_fen for offset in command.offsets or ())
        assert paid_fen == offset_fen + (command.payment.amount_fen if command.payment else 0)

    def _receive(self, demand: str, amount_fen: int) -> None:
        self.receivable_fen[demand] -= amount_fen
        self.received_fen[demand] += amount_fen

    def check(self, state: State) -> None:
        """Insist that the book has the same."""
        balances = state.book.balances
        claimed_fen, settled_fen, forfeited_fen = (Counter[tuple[str, str]]() for _ in range(3))
        for one, amount_fen in balances["claimed"].items():
            claim, _, contract = one.split(" ")
            claimed_fen[claim, contract] += amount_fen
        of_lots: tuple[tuple[Memorandum, Counter[tuple[str, str]]], ...] = (
            ("settled", settled_fen),
            ("forfeited", forfeited_fen),
        )
        for account, counted in of_lots:
            for one, amount_fen in balances[account].items():
                voucher, contract = one.split(" ")
                counted[state.vouchers[voucher].programme, contract] += amount_fen
        open_fen = {(claim, contract): fen for claim, rows in self.claims.items() for contract, fen in rows.items()}
        assert claimed_fen == Counter(open_fen)
        assert settled_fen == +self.settled_fen
        assert forfeited_fen == +self.forfeited_fen
        assert balances["paid"] == dict(+self.paid_fen)
        assert balances["receivable"] == dict(+self.receivable_fen)
        assert balances["received"] == dict(+self.received_fen)
