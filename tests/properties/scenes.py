"""Scenes of settlement and recovery: a treasury's programmes of their own, and a dozen commands that are all in order.

What chance hardly ever puts together: a line taken back that is withheld whole, a claimant that is out with something
withheld and something unclaimed, lots past their cut-off that were withheld, demands of two programmes set off at once.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from properties.naive_ledger import DAY, SECOND, instant_text, second_text
from support.terms import rules_of

if TYPE_CHECKING:
    from properties.test_against_naive_ledger import Walk

Json = dict[str, Any]
HOUR = 3_600 * SECOND
ITEM, COUNTED = "ascend-910b", "tokens"


class _CutError(Exception):
    """Something stands in the way, such as a party that is suspended: the scene ends here."""


class Scene:
    """A treasury with two programmes that pay all, under one contract; each command is signed as it must be."""

    def __init__(self, walk: "Walk", treasury: str, holder: str, provider: str) -> None:
        walk.names += 1
        self.walk, self.oracle = walk, walk.oracle
        self.treasury, self.holder, self.provider = treasury, holder, provider
        self.name = f"scene{walk.names}"
        self.contract = f"{holder}/{self.name}"
        self.programmes = [f"{treasury}/{self.name}-{letter}" for letter in "ab"]

    def does(self, party: str, kind: str, **fields: Any) -> Any:
        """A command that is accepted, and its outcome."""
        answer = self.says(party, kind, **fields)
        if answer[0] == "refused":
            raise _CutError(answer[1])
        return answer[1]

    def says(self, party: str, kind: str, **fields: Any) -> tuple[str, Any]:
        """What a command is answered that is signed by as many as must sign it."""
        self.walk.refs += 1
        head = {"kind": f"{kind}/1", "log": self.oracle.origin, "party": party, "ref": f"doc-{self.walk.refs}"}
        command = head | {"signed_at": instant_text(self.walk.at)} | fields
        signers: list[str] = []
        for signer, number in self.oracle.signatures_needed(command, self.walk.at).items():
            labels = [name.rpartition("+")[0] for name, key in self.oracle.keys.items() if self._signs(key, signer)]
            signers += labels[:number]
        if not signers:
            raise _CutError(f"{party} has no key that counts")
        return self.walk.pair.submit(command, signers, self.walk.at)

    def _signs(self, key: Json, party: str) -> bool:
        return (key["party"], key["purpose"], key["revoked"]) == (party, "sign", False) and (
            key["active_from"] <= self.walk.at
        )

    def begin(self, *, basis: str = "metered", share_bp: int = 10_000, support_fen: int = 0, **changes: Any) -> None:
        """What is burned of them can be claimed the day after, whatever day that is."""
        cap = {"group": self.name, "holder_fen": 10_000, "floor_fen": 0}
        terms: Json = {"cap": cap, "basis": basis, "claims": {"cycle": "any", "cut_off_days": 2}}
        if basis == "invoiced":
            gate = {"before": "settle", "subject_type": "contract", "topic": "usage", "other_side": True, "passes": 1}
            terms["gates"] = [gate]
        rules = rules_of(shares=[{"share_bp": share_bp}], ceiling_bp=10_000, **(terms | changes))
        now = instant_text(self.walk.at)
        for programme in self.programmes:
            fields: Json = {"programme": programme, "name": "x", "voucher_kind": "compute", "fiscal_year": 2026}
            fields |= {"envelope_fen": 10_000, "opens_at": now, "closes_at": instant_text(self.walk.at + 90 * DAY)}
            self.does(self.treasury, "programme.open", rules=rules, **fields)
            place: Json = {"programme": programme, "provider": self.provider, "valid_from": now}
            self.does(self.treasury, "provider.accredit", items=self.walk.limits(ITEM, COUNTED), **place)
        terms = self.walk.contract(self.contract, self.holder, self.provider)
        document = f"sha256:{hashlib.sha256(self.contract.encode()).hexdigest()}"
        self.does(
            self.holder,
            "contract.sign",
            **(terms | {"document_hash": document, "basis": basis, "other_support_fen": support_fen}),
        )

    def new_id(self, party: str) -> str:
        self.walk.names += 1
        return f"{party}/{self.name}-{self.walk.names}"

    def operator(self) -> str:
        return next(name for name, one in self.oracle.parties.items() if one["role"] == "operator")

    def issue(self, programme: str, fen: int, party: str = "", **fields: Any) -> str:
        """A new voucher of so much, by the treasury if by nobody else; its id."""
        party = party or self.treasury
        voucher, now = self.new_id(party), instant_text(self.walk.at)
        named = {"programme": programme, "holder": self.holder, "face_fen": fen, "valid_from": now} | fields
        self.does(party, "voucher.issue", voucher=voucher, **named)
        return voucher

    def reserve(self, programme: str, fen: int, face_fen: int | None = None) -> str:
        """So much of a new voucher is reserved under the contract; the reservation."""
        walk, reservation = self.walk, self.new_id(self.holder)
        held = {"voucher": self.issue(programme, face_fen or fen), "contract": self.contract, "amount_fen": fen}
        until = instant_text(walk.at + 3 * DAY)
        self.does(self.holder, "voucher.reserve", reservation=reservation, until=until, **held)
        return reservation

    def burn(self, programme: str, fen: int) -> str:
        """So much of a new voucher under the contract; the statement's reference."""
        walk, reservation = self.walk, self.reserve(programme, fen)
        walk.at += HOUR + SECOND
        span = second_text(walk.at - HOUR), second_text(walk.at)
        groups = [{"item": ITEM, "lines": [[self.name, 8_000, *span, 3_600, {"pay_available": True}]]}]
        outcome = self.does(self.provider, "time.burn", contract=self.contract, groups=groups)
        if outcome["paid"] != [[reservation, [fen]]]:
            raise _CutError(outcome)
        return f"doc-{walk.refs}"

    def claim(self, programme: str) -> str:
        """All that was burned up to yesterday."""
        claim = self.new_id(self.provider)
        self.does(self.provider, "redemption.claim", claim=claim, programme=programme, last_day=self.walk.day_text(1))
        return claim

    def settle(self, claim: str, withheld_fen: int = 0, offsets: Json | None = None) -> None:
        """The rest is paid, but for what is set off of demands."""
        (contract, claimed_fen), *others = self.oracle.claims[claim]["rows"]
        rows: list[Json] = [{"contract": contract, "paid_fen": claimed_fen - withheld_fen}]
        if others or claimed_fen < withheld_fen:
            raise _CutError(claim)
        rows[0] |= {"withheld_fen": withheld_fen, "reason": "no evidence"} if withheld_fen else {}
        fields: Json = {"claim": claim, "rows": rows}
        set_off = [{"demand": name, "amount_fen": fen} for name, fen in sorted((offsets or {}).items())]
        fields |= {"offsets": set_off} if set_off else {}
        rest_fen = claimed_fen - withheld_fen - sum((offsets or {}).values())
        payment = {"amount_fen": rest_fen, "day": self.walk.day_text(0), "reference": f"transfer of {claim}"}
        used = [entry["command"].get("payment") for entry in self.oracle.entries if self._is_own(entry["command"])]
        if rest_fen and any(used):
            again = payment | {"reference": next(one for one in used[::-1] if one)["reference"]}
            answer = self.says(self.treasury, "redemption.settle", payment=again, **fields)
            if answer != ("refused", "payment_reference_used"):
                raise _CutError(answer)
        self.does(self.treasury, "redemption.settle", **fields, **({"payment": payment} if rest_fen else {}))

    def _is_own(self, command: Json) -> bool:
        return bool(self.oracle.acting_for(command) == self.treasury)

    def demand(self, programme: str, fen: int) -> str:
        demand = self.new_id(self.treasury)
        fields: Json = {"programme": programme, "payee": self.provider, "amount_fen": fen, "reason": "paid twice"}
        self.does(self.treasury, "recovery.demand", demand=demand, evidence_hash=f"sha256:{'e' * 64}", **fields)
        return demand

    def disallow(self, programme: str, fen: int) -> None:
        fields: Json = {"programme": programme, "contract": self.contract, "amount_fen": fen, "reason": "no evidence"}
        self.does(self.treasury, "redemption.disallow", **fields)


def take_back_what_is_withheld(scene: Scene) -> None:
    """Whole; and of another line of the lot nothing, since nothing is left."""
    scene.begin()
    ref = scene.burn(scene.programmes[0], 50)
    scene.walk.at += DAY
    scene.settle(scene.claim(scene.programmes[0]), 50)
    scene.does(scene.provider, "burn.reverse", statement=ref, line=0, reason="wrong job")


def disallow_what_is_withheld_and_unclaimed(scene: Scene) -> None:
    """Of a provider that is delisted: first what is withheld, then so much of what it burned since."""
    scene.begin()
    programme = scene.programmes[0]
    scene.burn(programme, 50)
    scene.walk.at += DAY
    scene.settle(scene.claim(programme), 20)
    scene.burn(programme, 30)
    scene.walk.at += HOUR
    end = {"provider": scene.provider, "valid_until": instant_text(scene.walk.at), "reason": "broke the rules"}
    scene.does(scene.treasury, "provider.delist", programme=programme, **end)
    scene.disallow(programme, 35)
    scene.disallow(programme, 5)


def let_what_is_withheld_pass_its_cut_off(scene: Scene) -> None:
    """And what is unclaimed beside it; another claim is settled when it is past already, and what it withholds due."""
    scene.begin(validity_days=4)
    first, second = scene.programmes
    scene.burn(first, 50)
    scene.burn(second, 40)
    scene.walk.at += DAY
    scene.settle(scene.claim(first), 30)
    late = scene.claim(second)
    scene.burn(first, 10)
    scene.walk.at = scene.oracle.cut_off([*scene.oracle.vouchers][-1])
    scene.settle(late, 25)
    scene.does(scene.treasury, "book.expire")


def set_demands_of_two_programmes_off(scene: Scene) -> None:
    """Of a third payment, in part; what is left of them is received and cancelled."""
    scene.begin()
    for programme in scene.programmes:
        scene.burn(programme, 60)
    scene.walk.at += DAY
    for programme in scene.programmes:
        scene.settle(scene.claim(programme))
    demands = [scene.demand(programme, 40) for programme in scene.programmes]
    scene.burn(scene.programmes[0], 50)
    scene.walk.at += DAY
    scene.settle(scene.claim(scene.programmes[0]), offsets=dict(zip(demands, (15, 20), strict=True)))
    payment = {"amount_fen": 5, "day": scene.walk.day_text(0), "reference": f"back by {demands[0]}"}
    scene.does(scene.treasury, "recovery.receive", demand=demands[0], payment=payment)
    scene.does(scene.treasury, "recovery.cancel", demand=demands[1], amount_fen=5, reason="it was due")


def leave_some_of_everything(scene: Scene) -> None:
    """Unclaimed, in an open claim, withheld, forfeited, paid, asked back and received."""
    set_demands_of_two_programmes_off(scene)
    first, second = scene.programmes
    scene.burn(first, 70)
    scene.walk.at += DAY
    scene.settle(scene.claim(first), 30)
    scene.disallow(first, 10)
    scene.burn(second, 20)
    scene.walk.at += DAY
    scene.claim(second)
    scene.burn(first, 5)


def take_back_what_is_withheld_and_a_rest(scene: Scene) -> None:
    """Of a claim in whole yuan 45 fen are left unclaimed; the rest of the line is withheld."""
    scene.begin(rounding_fen=100)
    ref = scene.burn(scene.programmes[0], 145)
    scene.walk.at += DAY
    scene.settle(scene.claim(scene.programmes[0]), 100)
    scene.does(scene.provider, "burn.reverse", statement=ref, line=0, reason="wrong job")


def serve_from_several(scene: Scene, basis: str) -> None:
    """A half each of two programmes, of several reservations."""
    scene.begin(basis=basis, share_bp=5_000)
    for programme in scene.programmes * 2:
        scene.reserve(programme, 15)
    scene.walk.at += 2 * DAY
    days = {"first_day": scene.walk.day_text(1), "last_day": scene.walk.day_text(1)}
    document = f"sha256:{hashlib.sha256(scene.name.encode()).hexdigest()}"
    said: Json = {"quantity": 5} if basis == "metered" else {"fee_fen": 40, "document_hash": document}
    named = {"contract": scene.contract, "item": COUNTED, "pay_available": True}
    scene.does(scene.provider, "service.burn", **named, **days, **said)


def reserve_to_the_end_of_the_contract(scene: Scene) -> None:
    """Which was brought forward; not a microsecond longer."""
    scene.begin()
    walk = scene.walk
    scene.does(scene.holder, "contract.amend", contract=scene.contract, last_day=walk.day_text(-30))
    voucher, end = scene.issue(scene.programmes[0], 5), scene.oracle.end_of_contract(scene.contract)
    held: Json = {"reservation": scene.new_id(scene.holder), "voucher": voucher, "contract": scene.contract}
    held["amount_fen"] = 5
    answer = scene.says(scene.holder, "voucher.reserve", until=instant_text(end + 1), **held)
    if answer != ("refused", "reservation_outlives_contract"):
        raise _CutError(answer)
    scene.does(scene.holder, "voucher.reserve", until=instant_text(end), **held)


def count_from_several(scene: Scene) -> None:
    """Units of what is counted."""
    serve_from_several(scene, "metered")


def invoice_from_several(scene: Scene) -> None:
    """An invoice."""
    serve_from_several(scene, "invoiced")


def leave_what_is_old(scene: Scene) -> None:
    """A voucher passed on in part and one revoked with something reserved; and a line that the books have forgotten.

    It absorbed other support. An operator issued a voucher by a mandate.
    """
    scene.begin(support_fen=10, transfer="open")
    walk, programme = scene.walk, scene.programmes[0]
    scene.burn(programme, 40)
    part = {"into": scene.new_id(scene.holder), "amount_fen": 20}
    other = next(name for name, one in scene.oracle.parties.items() if one["role"] == "holder" and name != scene.holder)
    scene.does(scene.holder, "voucher.transfer", voucher=scene.issue(programme, 50), to=other, **part)
    held = scene.oracle.reservations[scene.reserve(programme, 10, face_fen=30)]
    scene.does(scene.treasury, "voucher.revoke", voucher=held["voucher"], reason="inquiry")
    given: Json = {"mandate": scene.new_id(scene.treasury), "operator": scene.operator(), "kinds": ["voucher.issue/1"]}
    limits = {"each_fen": 50, "total_fen": 90, "until": instant_text(walk.at + 300 * DAY)}
    scene.does(scene.treasury, "mandate.give", **given, **limits)
    scene.issue(programme, 30, scene.operator(), mandate=given["mandate"])
    walk.at += 31 * DAY


def let_all_of_it_leave(scene: Scene) -> None:
    """What was left is settled and received, a voucher is revoked, the rest expires; and then the books are sealed."""
    leave_some_of_everything(scene)
    walk, oracle = scene.walk, scene.oracle
    for claim in [name for name, one in oracle.claims.items() if one["status"] == "open"]:
        scene.settle(claim)
    for demand in [*oracle.demands]:
        payment = {"amount_fen": oracle.balance("receivable", demand), "day": walk.day_text(0)}
        scene.does(scene.treasury, "recovery.receive", demand=demand, payment=payment | {"reference": demand})
    scene.does(scene.treasury, "voucher.revoke", voucher=scene.issue(scene.programmes[0], 5), reason="inquiry")
    walk.at += 100 * DAY
    scene.does(scene.treasury, "book.expire")
    operator = scene.operator()
    scene.does(operator, "book.seal", seal=scene.new_id(operator), last_day=walk.day_text(2))


SCENES: tuple[Callable[[Scene], None], ...] = (
    take_back_what_is_withheld,
    take_back_what_is_withheld_and_a_rest,
    reserve_to_the_end_of_the_contract,
    count_from_several,
    invoice_from_several,
    disallow_what_is_withheld_and_unclaimed,
    let_what_is_withheld_pass_its_cut_off,
    set_demands_of_two_programmes_off,
)


def play(play_scene: Callable[[Scene], None], walk: "Walk", *parties: str) -> bool:
    """Play a scene of a treasury, a holder and a provider; whether it came to its end."""
    with suppress(_CutError):
        play_scene(Scene(walk, *parties))
        return True
    return False
