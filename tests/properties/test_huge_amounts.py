"""Amounts and sums of parties up to 2^53 - 1: every command has its answer, and books are sealed and audited.

Both sides of `Pair` are given random commands; what was accepted is then really written, audited, and looked at.
"""

import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from properties.naive_ledger import DAY, SECOND, instant_text, second_text
from properties.test_against_naive_ledger import HOLDERS, HOUR, OPERATOR, PROVIDERS, TREASURIES, Pair, Walk
from support.command_line import done
from support.terms import rules_of
from tallystick.audit import audit
from tallystick.dossiers.balance_proof import BalanceProof, verify_balance_proof
from tallystick.dossiers.proving_balance import prove_sealed_balance
from tallystick.ledger import Admitted, create_ledger
from tallystick.publishing import read_ledger
from tallystick.signing.keys import SigningKey
from tallystick.transparency.policy import Policy
from tallystick.views import By, followed_views
from tallystick.vouchers.entry import Entry, split_entry
from tallystick.vouchers.state import State

MAX = 2**53 - 1
ENVELOPE = MAX // 3
"""Of each huge programme: a treasury has two of them."""
MANY = MAX // 4
LARGE = 10**15
PROGRAMMES = 4
ROUNDS = 6
PAYEES = ("provider", "holder", "contract")
BURNED = ("ascend-910b", "h800")
SEEDS = (0, 1)


class Huge(Walk):
    """A walk whose amounts are of the largest."""

    def __init__(self, pair: Pair, seed: int) -> None:
        super().__init__(pair)
        self.chance = random.Random(seed)
        self.pays: dict[str, str] = {}

    def huge(self, *limits: int) -> int:
        """The largest amount, about a limit, or any."""
        choice = self.pick((MAX, self.pick(limits) if limits else MAX, self.chance.randrange(1, MAX)))
        return int(max(1, min(MAX, choice + self.pick((-1, 0, 0, 0)))))

    def open_programmes(self) -> None:
        """Each pays 60 %, so that of a contract under which two treasuries' vouchers lie one pays 40 %."""
        for number in range(len(self.pays), len(self.pays) + PROGRAMMES):
            treasury = TREASURIES[number % 2]
            name, payee = f"{treasury}/huge{number}", PAYEES[number % len(PAYEES)]
            cap = {"group": f"g{number}", "holder_fen": MAX, "floor_fen": 0}
            terms = {"validity_days": 3_660, "claims": {"cycle": "any", "cut_off_days": 90}}
            rules = rules_of(shares=[{"share_bp": 6_000}], ceiling_bp=10_000, **terms)
            fields = self.programme(name, rules | {"transfer": "open", "payee": payee})
            fields |= {"envelope_fen": ENVELOPE, "rules": fields["rules"] | {"cap": cap, "rank": number}}
            self.must(treasury, "programme.open", **fields)
            self.pays[name] = payee
            for provider in PROVIDERS:
                place = {"programme": name, "provider": provider, "items": self.limits(*BURNED)}
                self.must(treasury, "provider.accredit", valid_from=self.now(), **place)

    def sign_contracts(self) -> None:
        """Between each two: the largest, with the largest prices; one of them has more support than it can spend."""
        for holder in HOLDERS:
            for number, provider in enumerate(PROVIDERS):
                fields = self.contract(f"{holder}/huge-{number}", holder, provider) | {
                    "amount_fen": MAX,
                    "first_day": self.day_text(300),
                    "items": [{"item": item, "price_fen": 10_000_000} for item in BURNED],
                    "claimant": "either",
                    "other_support_fen": MAX if (holder, number) == (HOLDERS[0], 0) else 0,
                }
                self.must(provider, "contract.sign", **(fields | {"contract": f"{provider}/huge-{holder}"}))

    def begin(self) -> None:
        """What the walks are for, whatever chance does: two treasuries pay, and support absorbs.

        What was ever issued under a programme outgrows its envelope, and every integer.
        """
        provider, rich, supported = PROVIDERS[0], HOLDERS[1], HOLDERS[0]
        first, second, third, fourth = self.pays
        for place, (programme, holder) in enumerate(((first, rich), (second, rich), (third, supported))):
            voucher, contract = self.give(programme, holder, f"b{place}"), f"{provider}/huge-{holder}"
            terms = {"voucher": voucher, "contract": contract, "until": instant_text(self.at + 200 * DAY)}
            self.must(holder, "voucher.reserve", reservation=f"{holder}/b{place}", amount_fen=MANY, **terms)
        for place in range(5):
            voucher = self.give(fourth, rich, f"again{place}")
            self.must(fourth.split("/")[0], "voucher.revoke", voucher=voucher, reason="x")
        self.at += 3 * DAY
        for holder in (rich, supported):
            self.burn_under(f"{provider}/huge-{holder}", 2)
        self.at += 2 * DAY
        self.must(provider, "redemption.claim", claim=f"{provider}/b", programme=first, last_day=self.day_text(1))
        self.must(first.split("/")[0], "redemption.settle", **self.settlement(f"{provider}/b"))

    def give(self, programme: str, holder: str, name: str) -> str:
        treasury = programme.split("/", maxsplit=1)[0]
        fields = {"programme": programme, "holder": holder, "face_fen": MANY, "valid_from": self.now()}
        self.must(treasury, "voucher.issue", voucher=f"{treasury}/{name}", **fields)
        return f"{treasury}/{name}"

    def now(self) -> str:
        return instant_text(self.at)

    def step(self) -> None:
        moves = (self.issue, self.issue, self.revoke, self.reserve, self.reserve, self.burn, self.burn, self.claim)
        self.pick((*moves, self.pay, self.pay, self.transfer, self.release))()
        self.at += self.pick((0, SECOND, HOUR))

    def issue(self) -> None:
        programme = self.pick([*self.pays])
        treasury = programme.split("/")[0]
        fields = {"programme": programme, "holder": self.pick(HOLDERS), "face_fen": self.huge()}
        name = self.new_id(treasury, "v", [])
        self.exactly(treasury, "voucher.issue", voucher=name, valid_from=self.now(), **fields)

    def revoke(self) -> None:
        """Back to the envelope, so that what was ever issued adds up to more than there is."""
        if self.oracle.vouchers:
            voucher = self.pick([*self.oracle.vouchers])
            treasury = self.oracle.vouchers[voucher]["programme"].split("/")[0]
            self.exactly(treasury, "voucher.revoke", voucher=voucher, reason="x")

    def transfer(self) -> None:
        if self.oracle.vouchers:
            voucher = self.pick([*self.oracle.vouchers])
            holder = self.oracle.vouchers[voucher]["holder"]
            fields = {
                "to": self.pick(HOLDERS),
                "amount_fen": self.huge(self.pair.state.book["available", voucher]),
            }
            self.exactly(holder, "voucher.transfer", voucher=voucher, into=self.new_id(holder, "t", []), **fields)

    def reserve(self) -> None:
        if self.oracle.vouchers:
            voucher = self.pick([*self.oracle.vouchers][-6:])
            holder = self.oracle.vouchers[voucher]["holder"]
            contracts = [one for one, terms in self.oracle.contracts.items() if terms["holder"] == holder]
            fields = {
                "contract": self.pick(contracts[-len(PROVIDERS) :]),
                "amount_fen": self.huge(self.pair.state.book["available", voucher]),
                "until": instant_text(self.at + 200 * DAY),
            }
            name = self.new_id(holder, "r", [])
            self.exactly(holder, "voucher.reserve", reservation=name, voucher=voucher, **fields)

    def burn(self) -> None:
        if self.oracle.reservations:
            name = self.pick([*self.oracle.reservations][-6:])
            reservation = self.oracle.reservations[name]
            self.burn_under(reservation["contract"], self.pick((1, 40)))

    def burn_under(self, contract: str, count: int) -> None:
        self.names += 1
        times = second_text(self.at - 2 * DAY), second_text(self.at - DAY)
        options: list[list[Any]] = [[{"pay_available": True}], []]
        rows = [[f"j{self.names}-{place}", 10_000_000, *times, 86_400, *options[place % 2]] for place in range(count)]
        groups = [{"item": self.pick(BURNED), "lines": rows}]
        self.exactly(self.oracle.contracts[contract]["provider"], "time.burn", contract=contract, groups=groups)

    def release(self) -> None:
        if self.oracle.reservations:
            name = self.pick([*self.oracle.reservations])
            contract = self.oracle.contracts[self.oracle.reservations[name]["contract"]]
            self.exactly(contract["provider"], "reservation.release", reservation=name)

    def claim(self) -> None:
        programme = self.pick([*self.pays])
        sides = {"provider": PROVIDERS, "holder": HOLDERS, "contract": (*PROVIDERS, *HOLDERS)}
        claimant = self.pick(sides[self.pays[programme]])
        claim = {"claim": self.new_id(claimant, "c", []), "programme": programme}
        self.exactly(claimant, "redemption.claim", last_day=self.day_text(1), **claim)

    def pay(self) -> None:
        """Or withhold; or ask back what was paid."""
        if not self.oracle.claims:
            return
        name = self.pick([*self.oracle.claims])
        claim = self.oracle.claims[name]
        treasury = claim["programme"].split("/")[0]
        if claim["status"] == "open":
            self.exactly(treasury, "redemption.settle", **self.settlement(name, self.pick((1, 1, 0))))
            return
        demand = {"demand": self.new_id(treasury, "d", []), "programme": claim["programme"]}
        paid_fen = self.oracle.balance("paid", claim["programme"], claim["claimant"])
        demand |= {"payee": claim["claimant"], "amount_fen": max(1, paid_fen), "reason": "x"}
        self.exactly(treasury, "recovery.demand", evidence_hash=f"sha256:{'e' * 64}", **demand)

    def settlement(self, claim: str, share: int = 1) -> dict[str, Any]:
        """All that is claimed is paid, or withheld."""
        rows: list[dict[str, Any]] = [
            {"contract": contract, "paid_fen": fen * share} | ({} if share else {"withheld_fen": fen, "reason": "x"})
            for contract, fen in self.oracle.claims[claim]["rows"]
        ]
        paid_fen = sum(row["paid_fen"] for row in rows)
        payment = {"amount_fen": paid_fen, "day": self.day_text(0), "reference": f"p {self.refs}"}
        return {"claim": claim, "rows": rows} | ({"payment": payment} if paid_fen else {})


@cache
def walk(seed: int) -> Pair:
    """A network in which a day of the largest job costs nearly what one line can, a walk, and seals on the way."""
    pair = Pair()
    huge = Huge(pair, seed)
    huge.found(tariff_notice_seconds=0, takeover_seconds=0, sealing_grace_seconds=0)
    huge.open_programmes()
    huge.sign_contracts()
    for provider in PROVIDERS:
        for item in BURNED:
            tariff = {"price_fen": 10_000_000, "valid_from": instant_text(huge.at + SECOND)}
            huge.must(provider, "tariff.publish", item=item, **tariff)
    huge.begin()
    for round_ in range(ROUNDS):
        for _ in range(60):
            huge.step()
        huge.at += 3 * DAY
        pair.check_balances()
        pair.check_books()
        pair.resume_from_snapshot()
        huge.must(OPERATOR, "book.seal", seal=f"{OPERATOR}/s{round_}", last_day=huge.day_text(3))
    return pair


@pytest.mark.parametrize("seed", SEEDS)
def test_huge_amounts_are_decided_sealed_audited_and_proved(seed: int, tmp_path: Path) -> None:
    pair = walk(seed)
    log_key = SigningKey.from_seed(pair.state.origin, bytes(32))
    first, *others = pair.entries
    clock = [first.event.at]
    with create_ledger(tmp_path, note_in(first), log_key, clock=lambda: clock[0]) as ledger:
        for entry in others:
            clock[0] = entry.event.at
            (answer,) = ledger.submit([note_in(entry)])
            assert isinstance(answer, Admitted)
            assert answer.entry == entry.data
        index = max(seal.index for seal in ledger.state.seals.values())
    policy = Policy.for_log(log_key.verifier)
    assert audit(tmp_path, policy, processes=0).is_clean
    look_at_views(tmp_path)
    assert LARGE < max(prove_every_account(tmp_path, index, policy)) <= MAX
    look_at_dossiers(tmp_path, pair.state)


def note_in(entry: Entry) -> bytes:
    return split_entry(entry.data)[1]


def look_at_views(folder: Path) -> None:
    """Every table can be read; what was ever issued may be more than an integer of JSON can say."""
    with followed_views(folder) as views:
        books: dict[By, Sequence[Any]] = {
            by: views.balances(by) for by in ("programme", "holder", "provider", "voucher")
        }
        assert all(books.values())
        for one in books["holder"]:
            assert views.holder(one.holder).balance == one
        for one in books["provider"]:
            assert views.provider(one.provider).balance == one
        assert LARGE < max(one.granted_fen for one in books["holder"]) <= MAX
        assert max(one.issued_fen for one in books["programme"]) > MAX


def look_at_dossiers(folder: Path, state: State) -> None:
    """Each proves that all its entries are allowed: also those for which others' vouchers made room."""
    subjects: list[tuple[str, str]]
    subjects = [(party.role, name) for name, party in state.parties.items() if party.role in ("holder", "provider")]
    subjects += [("voucher", name) for name in [*state.vouchers][:3]]
    subjects += [("programme", name) for name in state.programmes if "/huge" in name]
    for number, (kind, name) in enumerate(subjects):
        path = folder / f"{number}.dossier"
        done("dossier", folder, kind, name, "-o", path)
        assert f"proven: {kind} {name} in " in done("verify", path, "--trust", folder / "trust.policy")


def prove_every_account(folder: Path, index: int, policy: Policy) -> list[int]:
    """All balances at a seal, from the files of their proofs."""
    proven: list[int] = []
    with followed_views(folder) as views, read_ledger(folder) as reader:
        for account, _ in views.seal_leaves(index):
            data = prove_sealed_balance(reader, views, account, index).proof.to_bytes()
            proof = verify_balance_proof(BalanceProof.from_bytes(data), policy)
            assert proof.leaf.account == account
            proven += proof.leaf.balances.values()
    return proven


def test_the_walks_are_about_what_they_are_for() -> None:
    """Programmes of two treasuries pay for a line, other support absorbs, and claims are paid."""
    for seed in SEEDS:
        assert {"several programmes", "several treasuries", "absorbed alone", "pay_available"} <= set(walk(seed).shapes)
        assert walk(seed).answers["redemption.settle/1", "accepted"]


def test_what_was_ever_issued_may_outgrow_every_integer() -> None:
    """What came back may add up to more than 2^63 in the end: the state is saved all the same."""
    state = State.from_bytes(walk(0).state.to_bytes())
    state.book.note("returned", next(iter(state.vouchers)), 2**100)
    assert State.from_bytes(state.to_bytes()) == state


@pytest.fixture
def rich() -> Huge:
    """Two treasuries with a programme each that has all that a treasury may have, and contracts without a limit."""
    huge = Huge(Pair(), 0)
    huge.found()
    for number, treasury in enumerate(TREASURIES):
        fields = huge.programme(f"{treasury}/all", rules_of(transfer="open"))
        cap = {"group": f"all{number}", "holder_fen": MAX, "floor_fen": 0}
        fields |= {"rules": fields["rules"] | {"cap": cap}}
        room_fen = MAX - huge.oracle.appropriated(treasury)
        too_large = huge.exactly(treasury, "programme.open", **fields | {"envelope_fen": room_fen + 1})
        assert too_large == ("refused", "sum_too_large")
        huge.must(treasury, "programme.open", **fields | {"envelope_fen": room_fen})
        place = {"programme": f"{treasury}/all", "provider": PROVIDERS[0], "items": huge.limits(*BURNED)}
        huge.must(treasury, "provider.accredit", valid_from=huge.now(), **place)
    return huge


def given(huge: Huge, number: int, holder: str, face_fen: int) -> tuple[str, Any]:
    """What an issue under a treasury's programme is answered."""
    treasury = TREASURIES[number]
    fields: dict[str, Any] = {"programme": f"{treasury}/all", "holder": holder, "face_fen": face_fen}
    return huge.exactly(
        treasury, "voucher.issue", voucher=huge.new_id(treasury, "v", []), valid_from=huge.now(), **fields
    )


def test_a_treasury_appropriates_no_more(rich: Huge) -> None:
    treasury = TREASURIES[0]
    amend: dict[str, Any] = {"programme": f"{treasury}/p0", "reason": "more"}
    more_fen = rich.oracle.programmes[f"{treasury}/p0"]["envelope_fen"] + 1
    raised = rich.exactly(treasury, "programme.amend", envelope_fen=more_fen, **amend)
    assert raised == ("refused", "sum_too_large")
    rich.must(treasury, "programme.amend", programme=f"{treasury}/all", reason="less", envelope_fen=MAX // 2)
    rich.must(treasury, "programme.amend", envelope_fen=more_fen, **amend)
    rich.pair.check_balances()


def test_a_holder_holds_no_more(rich: Huge) -> None:
    most_fen = MAX - 10**6
    holder, other = HOLDERS[:2]
    assert given(rich, 0, holder, most_fen)[0] == "accepted"
    assert given(rich, 1, holder, MAX - most_fen + 1) == ("refused", "sum_too_large")
    assert given(rich, 1, other, 1)[0] == "accepted"
    mine, of_other = [*rich.oracle.vouchers]
    assert given(rich, 1, holder, MAX - most_fen)[0] == "accepted"
    passed_on: dict[str, Any] = {"voucher": of_other, "into": f"{other}/t", "to": holder, "amount_fen": 1}
    assert rich.exactly(other, "voucher.transfer", **passed_on) == ("refused", "sum_too_large")
    rich.must(TREASURIES[0], "voucher.revoke", voucher=mine, reason="moved")
    rich.must(other, "voucher.transfer", **passed_on)
    rich.pair.check_balances()


def test_a_provider_is_promised_no_more(rich: Huge) -> None:
    """Under contracts of two holders; what is burned counts, and what is released doesn't."""
    first, second = HOLDERS[:2]
    for number, holder in enumerate((first, second)):
        assert given(rich, number, holder, MAX - 10**6)[0] == "accepted"
    vouchers, until = [*rich.oracle.vouchers], instant_text(rich.at + 20 * DAY)

    def reserves(holder: str, voucher: str, name: str, amount_fen: int) -> tuple[str, Any]:
        fields: dict[str, Any] = {"voucher": voucher, "contract": f"{holder}/k-0", "amount_fen": amount_fen}
        return rich.exactly(holder, "voucher.reserve", reservation=f"{holder}/{name}", until=until, **fields)

    assert reserves(first, vouchers[0], "r", MAX - 10**6)[0] == "accepted"
    assert reserves(second, vouchers[1], "r", 10**6 + 1) == ("refused", "sum_too_large")
    assert reserves(second, vouchers[1], "r", 10**6 - 1)[0] == "accepted"
    extend: dict[str, Any] = {"reservation": f"{second}/r"}
    assert rich.exactly(second, "reservation.extend", amount_fen=2, **extend) == ("refused", "sum_too_large")
    rich.must(second, "reservation.extend", amount_fen=1, **extend)
    rich.must(PROVIDERS[0], "reservation.release", reservation=f"{first}/r")
    rich.must(second, "reservation.extend", amount_fen=2, **extend)
    rich.pair.check_balances()
