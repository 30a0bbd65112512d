"""What is owed is claimed, settled and, where it was paid without right, asked back: days after a quarter's end.

day   quarter
  3   2      what was withheld of the second claim is disallowed
  4   each   payees claim what they are owed, also what was withheld before
  7   each   the bureau looks at claims of which a programme asks it to
  9   each   treasuries settle all open claims: in the first quarter, of two of them a part is withheld, and a payment
             of another amount is refused; whatever the claimant owes is set off
 10   1      two payments are found to be wrong, and asked back
 20   1      one comes back by bank, but for what its treasury gives up; the other is set off later
"""

from collections.abc import Iterable
from typing import Any, Final

from tallystick.demo import cast
from tallystick.demo.attestations import Verdict, attestation, evidence_hash
from tallystick.demo.founding import Network
from tallystick.demo.stage import Stage
from tallystick.demo.year import Year
from tallystick.ledger import Admitted
from tallystick.vouchers.entry import Header, split_entry
from tallystick.vouchers.quantities import format_day

WITHHELD: Final = ("an invoice is missing", "the cluster's meter and the start-up's differ")
"""Of the first claims of the first quarter, one each."""
WITHHELD_PART: Final = 3
DEMANDED_PART: Final = 10
CANCELLED_PART: Final = 4


class Settling:
    """Claims, settlements and demands of a founded network's year."""

    def __init__(self, stage: Stage, year: Year, network: Network, seed: int) -> None:
        """Nothing is claimed yet."""
        self.stage = stage
        self.year = year
        self.network = network
        self.seed = seed
        self.quarter = 0
        self._withheld: list[tuple[str, str]] = []
        self._demands: list[str] = []

    def play(self, days_over: int, last_day: int) -> None:
        """Play what is done so many days after a quarter of which this is the last day."""
        match days_over:
            case 3 if self.quarter == 1:
                self._disallow()
            case 4:
                self.quarter += 1
                self._claim(last_day)
            case 7:
                self._review()
            case 9:
                self._settle()
            case 10 if self.quarter == 1:
                self._demand()
            case 20 if self.quarter == 1:
                self._receive()

    # -- claims -------------------------------------------------------------------------------------------------------

    def _claim(self, last_day: int) -> None:
        """Let everybody claim what was burned until a day and isn't claimed, in as many claims as it takes."""
        wanted = [
            (claimant, programme)
            for programme in self.stage.state.programmes
            for claimant in self._owed(programme, last_day)
        ]
        part = 1
        while wanted:
            notes = [self._claim_of(*one, last_day, part) for one in wanted]
            answers = zip(wanted, self.stage.submit(*notes), strict=True)
            wanted = [one for one, answer in answers if isinstance(answer, Admitted) and _says_more(answer)]
            part += 1

    def _claim_of(self, claimant: str, programme: str, last_day: int, part: int) -> bytes:
        claim = f"{claimant}/q{self.quarter}-{programme.replace('/', '-')}" + (f"-{part}" if part > 1 else "")
        fields = {
            "claim": claim,
            "programme": programme,
            "last_day": format_day(last_day),
            "evidence_hash": evidence_hash(self.seed, claim),
        }
        return self.stage.note(claimant, "redemption.claim", fields)

    def _owed(self, programme: str, last_day: int) -> Iterable[str]:
        """Return whom a programme owes something burned until a day; of two who may claim it, the provider."""
        state = self.stage.state
        return dict.fromkeys(
            state.claimant(programme, contract) or state.contracts[contract].provider
            for contract, places in state.unclaimed.places.get(programme, {}).items()
            if any(days[0] <= last_day for days in places.values())
        )

    def _review(self) -> None:
        """Let the bureau pass the open claims that a programme asks it about before it pays."""
        state = self.stage.state
        notes: list[bytes] = []
        for claim in self._open_claims():
            gates = state.programmes[state.claims[claim].programme].rules.gates
            if any(gate.subject_type == "claim" for gate in gates):
                passed = Verdict("claim", claim, cast.REVIEWED, "each invoice is signed as received")
                notes.append(attestation(self.stage, cast.BUREAU, passed, self.seed))
        self.stage.submit(*notes)

    def _open_claims(self) -> list[str]:
        return [name for name, claim in self.stage.state.claims.items() if claim.status == "open"]

    # -- settlements --------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Let treasuries settle all open claims; of the first ones of the year they withhold a part."""
        reasons = iter(WITHHELD if self.quarter == 1 else ())
        notes: list[bytes] = []
        for number, claim in enumerate(self._open_claims(), start=1):
            treasury = self._treasury_of(claim)
            fields = self._settlement(claim, treasury, f"transfer {self.quarter}-{number:03d}", next(reasons, None))
            if self.quarter == 1 and number == 1:
                self._misread(treasury, fields)
            notes.append(self.stage.note(treasury, "redemption.settle", fields))
        self.stage.submit(*notes)

    def _settlement(self, claim: str, treasury: str, reference: str, reason: str | None) -> dict[str, Any]:
        """Return what becomes of a claim: all is paid, but for a part of the first contract if there is a reason."""
        claimed_fen: dict[str, int] = {}
        for lot, amount_fen in self.stage.state.claimed(claim):
            claimed_fen[lot.contract] = claimed_fen.get(lot.contract, 0) + amount_fen
        rows: list[dict[str, Any]] = [{"contract": name, "paid_fen": fen} for name, fen in claimed_fen.items()]
        withheld_fen = rows[0]["paid_fen"] // WITHHELD_PART
        if reason is not None and withheld_fen:
            rows[0]["paid_fen"] -= withheld_fen
            rows[0] |= {"withheld_fen": withheld_fen, "reason": reason}
            self._withheld.append((self.stage.state.claims[claim].programme, rows[0]["contract"]))
        due_fen = sum(row["paid_fen"] for row in rows)
        offsets = self._offsets(treasury, self.stage.state.claims[claim].claimant, due_fen)
        due_fen -= sum(one["amount_fen"] for one in offsets)
        fields: dict[str, Any] = {"claim": claim, "rows": rows}
        if offsets:
            fields["offsets"] = offsets
        if due_fen:
            today = format_day(self.stage.state.day_of(self.stage.now))
            fields["payment"] = {"amount_fen": due_fen, "day": today, "reference": reference}
        return fields

    def _offsets(self, treasury: str, claimant: str, due_fen: int) -> list[dict[str, Any]]:
        """Return what of a payment is set off, as far as it goes: each demand once in a batch of settlements."""
        state = self.stage.state
        offsets = []
        for name in sorted(self._demands):
            demand = state.demands[name]
            is_on_both = (self._treasury(demand.programme), demand.payee) == (treasury, claimant)
            amount_fen = min(state.book["receivable", name], due_fen)
            if is_on_both and amount_fen:
                self._demands.remove(name)
                offsets.append({"demand": name, "amount_fen": amount_fen})
                due_fen -= amount_fen
        return offsets

    def _misread(self, treasury: str, fields: dict[str, Any]) -> None:
        """Let a treasury report another amount than it has to pay."""
        payment = fields.get("payment")
        if payment is not None:
            misread = payment | {"amount_fen": payment["amount_fen"] + 1, "reference": "misread"}
            self.stage.act(treasury, "redemption.settle", **(fields | {"payment": misread}))

    def _disallow(self) -> None:
        """Let the second treasury keep what it withheld; what the first withheld is claimed again."""
        for programme, contract in self._withheld[1:]:
            places = self.stage.state.unclaimed.places.get(programme, {}).get(contract, {})
            amount_fen = sum(self.stage.state.book["withheld", f"{voucher} {contract}"] for voucher in places)
            if amount_fen:
                self.stage.act(
                    self._treasury(programme),
                    "redemption.disallow",
                    programme=programme,
                    contract=contract,
                    amount_fen=amount_fen,
                    reason="the start-up's meter was right",
                )

    # -- recovery -----------------------------------------------------------------------------------------------------

    def _demand(self) -> None:
        """Let treasuries ask back a part of what was paid to two payees, the first and the last that claimed."""
        claims = list(self.stage.state.claims.values())
        payees = dict.fromkeys((one.programme, one.claimant) for one in claims[:1] + claims[-1:])
        for number, (programme, payee) in enumerate(payees, start=1):
            demand = f"{self._treasury(programme)}/wrong-{number}"
            answer = self.stage.act(
                self._treasury(programme),
                "recovery.demand",
                demand=demand,
                programme=programme,
                payee=payee,
                amount_fen=max(1, self.stage.state.book["paid", f"{programme} {payee}"] // DEMANDED_PART),
                reason="an audit found jobs that were never run",
                evidence_hash=evidence_hash(self.seed, demand),
            )
            if isinstance(answer, Admitted):
                self._demands.append(demand)

    def _receive(self) -> None:
        """Let the second payee pay back most of what was asked, and its treasury give up the rest."""
        for demand in self._demands[1:]:
            treasury = demand.partition("/")[0]
            left_fen = self.stage.state.book["receivable", demand]
            cancelled_fen = left_fen // CANCELLED_PART
            today = format_day(self.stage.state.day_of(self.stage.now))
            payment = {"amount_fen": left_fen - cancelled_fen, "day": today, "reference": f"return of {demand}"}
            self.stage.act(treasury, "recovery.receive", demand=demand, payment=payment)
            if cancelled_fen:
                reason = "one of the jobs was run after all"
                self.stage.act(treasury, "recovery.cancel", demand=demand, amount_fen=cancelled_fen, reason=reason)
        del self._demands[1:]

    def _treasury(self, programme: str) -> str:
        return self.stage.state.programmes[programme].treasury

    def _treasury_of(self, claim: str) -> str:
        return self._treasury(self.stage.state.claims[claim].programme)


def _says_more(answer: Admitted) -> bool:
    """Return whether a claim left something for another."""
    return bool(Header.from_bytes(split_entry(answer.entry)[0]).outcome["more"])
