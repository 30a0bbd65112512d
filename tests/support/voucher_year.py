"""A ledger in a folder to which tests add what parties do, and a year in which all happens that a view shows."""

from pathlib import Path
from typing import Any

from support.actors import ORIGIN, Actor, key_of, uscc_of
from support.terms import contract_of, limits_of, prices_of, rules_of
from tallystick.ledger import create_ledger
from tallystick.ledger.pending import Admitted
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_instant, format_second, parse_instant

LOG_KEY = key_of(ORIGIN)
START = parse_instant("2026-01-05T08:00:00.000000Z")
HOUR = 3_600 * SECOND_US
NETWORK, CITY, DC, OTHER_DC = Actor("network"), Actor("city"), Actor("dc"), Actor("other-dc")
ACME, BETA = Actor("acme"), Actor("beta")
REGISTRY = Actor("registry")
HOLDERS = {"acme": ACME, "beta": BETA}
Json = dict[str, Any]
REVIEWED: Json = {
    "basis": "both",
    "gates": [{"before": "settle", "subject_type": "contract", "topic": "usage", "other_side": True, "passes": 1}],
}
"""Invoices are paid too, once the contract's other side has confirmed them."""


class Story:
    """A ledger in a folder, its clock, and shorthand for what parties do."""

    def __init__(self, folder: Path) -> None:
        self.at = START
        self.folder = folder
        founding = {
            "edition": 1,
            "name": "Network",
            "currency": "CNY",
            "root_keys": NETWORK.vkeys,
            "root_quorum": 1,
            "clock_skew_seconds": 0,
            "freshness_seconds": 86_400,
            "burn_window_seconds": 30 * 86_400,
            "release_grace_seconds": 0,
            "tariff_notice_seconds": 0,
            "takeover_seconds": 0,
            "sealing_grace_seconds": 0,
            "utc_offset_seconds": 28_800,
        }
        genesis = NETWORK.note("network.found", self.at, **founding)
        self.ledger = create_ledger(folder, genesis, LOG_KEY, clock=lambda: self.at)

    def do(self, actor: Actor, kind: str, *cosigners: str, **fields: Any) -> int:
        """Submit a command that is admitted, and return its index."""
        answer = self.ledger.submit([actor.note(kind, self.at, *cosigners, **fields)])[0]
        assert isinstance(answer, Admitted), answer
        self.at += SECOND_US
        return answer.index

    def begin(self) -> None:
        """Parties, an item at 36.00 yuan an hour, a contract with each provider, and a programme that pays half."""
        for actor, role in ((CITY, "treasury"), (DC, "provider"), (OTHER_DC, "provider")):
            fields: Json = {"uscc": uscc_of(actor.party)} if role == "provider" else {}
            self.do(NETWORK, "party.admit", admitted=actor.party, role=role, name=role, keys=actor.vkeys, **fields)
        for actor in (ACME, BETA):
            fields = {"uscc": uscc_of(actor.party), "keys": actor.vkeys}
            self.do(CITY, "party.admit", admitted=actor.party, role="holder", name="A start-up", **fields)
        self.do(NETWORK, "item.register", item="910b", unit="gpu_time", name="x", origin="domestic")
        tariff = {"item": "910b", "price_fen": 3_600}
        self.do(DC, "tariff.publish", **tariff, valid_from=format_instant(self.at))
        self.do(OTHER_DC, "tariff.publish", **tariff, valid_from=format_instant(self.at))
        self.open_programme("city/p", "dc", "other-dc")
        self.sign("acme/k1", "dc", claimant="either", other_support_fen=0)
        self.sign("acme/k2", "other-dc")

    def open_programme(
        self,
        name: str,
        *providers: str,
        items: tuple[str, ...] = ("910b",),
        days_ago: int = 0,
        envelope_fen: int = 1_000_000,
        **changes: Any,
    ) -> None:
        """One that pays half of a fee, up to seven tenths, unless it is said otherwise."""
        rules: Json = {
            "shares": [{"share_bp": 5_000}],
            "ceiling_bp": 7_000,
            "cap": {"group": "all", "holder_fen": 500_000, "floor_fen": 0},
            "validity_days": 30,
            "transfer": "open",
            "claims": {"cycle": "any", "cut_off_days": 90},
        }
        terms = {
            "programme": name,
            "name": "Vouchers",
            "voucher_kind": "compute",
            "fiscal_year": 2026,
            "envelope_fen": envelope_fen,
            "opens_at": format_instant(self.at - days_ago * DAY_US),
            "closes_at": format_instant(self.at + 300 * DAY_US),
        }
        self.do(CITY, "programme.open", **terms, rules=rules_of(**rules | changes))
        for provider in providers:
            fields = {"valid_from": format_instant(self.at - days_ago * DAY_US), "items": limits_of(*items)}
            self.do(CITY, "provider.accredit", programme=name, provider=provider, **fields)

    def sign(self, contract: str, provider: str, holder: Actor = ACME, **changes: Any) -> None:
        """A contract for half a year."""
        terms: Json = {"items": prices_of(**{"910b": 3_600})} | changes
        fields = contract_of(contract, holder.party, provider, "2026-01-05", "2026-06-30", **terms)
        self.do(holder, "contract.sign", f"{provider}/officer-1", **fields)

    def issue(self, voucher: str, holder: str, face_fen: int, programme: str = "city/p", **more: str) -> None:
        fields = {"programme": programme, "holder": holder, "face_fen": face_fen, **more}
        self.do(CITY, "voucher.issue", voucher=voucher, **fields, valid_from=format_instant(self.at))

    def reserve(self, reservation: str, voucher: str, contract: str, amount_fen: int, days: int = 5) -> None:
        """By the holder that the reservation's id names."""
        until = format_instant(self.at + days * DAY_US)
        fields = {"voucher": voucher, "contract": contract, "amount_fen": amount_fen, "until": until}
        self.do(HOLDERS[reservation.partition("/")[0]], "voucher.reserve", reservation=reservation, **fields)

    def line(self, job: str, hours: int, gpus: int = 1, hours_ago: int = 40) -> list[Any]:
        starts_at = self.at - hours_ago * HOUR
        times = format_second(starts_at), format_second(starts_at + hours * HOUR)
        return [job, gpus * 1_000, *times, hours * 3_600]

    def burn(self, actor: Actor, contract: str, *lines: list[Any], **more: Any) -> None:
        groups = [{"item": "910b", "lines": [*lines]}]
        self.do(actor, "time.burn", contract=contract, groups=groups, **more)

    def year(self) -> None:
        """Everything that a view shows. 1 GPU-hour is 36.00 yuan, of which city/p pays 18.00 and city/q 3.60.

        City/q would pay a fifth, but only up to six tenths with what city/p paid before it.
        """
        self.begin()
        changes: Json = {"rank": 2, "shares": [{"share_bp": 2_000}], "ceiling_bp": 6_000, "payee": "contract"}
        self.open_programme("city/q", "dc", **changes)
        self.issue("city/v1", "acme", 200_000)
        self.issue("city/v2", "beta", 100_000)
        self.issue("city/w1", "acme", 40_000, "city/q", contract="acme/k1")
        self.do(ACME, "voucher.transfer", voucher="city/v1", into="acme/part", to="beta", amount_fen=50_000)
        self.reserve("acme/r1", "city/v1", "acme/k1", 100_000)
        self.reserve("acme/r2", "city/v1", "acme/k2", 20_000)
        self.reserve("acme/r3", "city/w1", "acme/k1", 30_000)
        self.at += 2 * DAY_US
        self.burn(DC, "acme/k1", self.line("job-1", 10), self.line("job-2", 20), self.line("job-1", 1), ref="S1")
        self.burn(DC, "acme/k1", self.line("job-3", 1, gpus=1_000), ref="S2")
        self.burn(OTHER_DC, "acme/k2", self.line("job-1", 1, gpus=2), ref="S1")
        self.do(DC, "burn.reverse", statement="S1", line=0, reason="never ran")
        self.at += 2 * DAY_US
        self.settlements()
        period = {"programme": "city/p", "last_day": "2026-01-08"}
        self.do(OTHER_DC, "redemption.claim", claim="other-dc/c1", **period)
        self.do(CITY, "voucher.suspend", voucher="city/v2", reason="question")
        self.do(CITY, "voucher.resume", voucher="city/v2", reason="answer")
        self.do(CITY, "voucher.revoke", voucher="city/v2", reason="moved away")
        self.do(DC, "reservation.release", reservation="acme/r1")
        self.do(ACME, "redemption.claim", claim="acme/c1", **period | {"programme": "city/q"})
        self.do(ACME, "contract.amend", "dc/officer-1", contract="acme/k1", last_day="2026-03-31", amount_fen=200_000)
        self.services()
        self.at += 31 * DAY_US
        self.do(REGISTRY, "book.expire")
        self.issue("city/w2", "acme", 5_000, "city/q")
        self.at += 31 * DAY_US
        self.do(CITY, "party.suspend", subject="beta", reason="gone")
        self.do(CITY, "programme.amend", programme="city/p", closes_at=format_instant(self.at), reason="over")

    def settlements(self) -> None:
        """Of the 360.00 yuan that city/p owes to dc, 350.00 are settled, 4.00 disallowed, and 6.00 stay withheld.

        50.00 of that which was paid are asked back: 20.00 are set off, 15.00 come by bank, 5.00 are given up.
        """
        period = {"programme": "city/p", "last_day": "2026-01-08"}
        self.do(DC, "redemption.claim", claim="dc/c1", **period)
        row: Json = {"contract": "acme/k1", "paid_fen": 24_000, "withheld_fen": 12_000, "reason": "no invoice"}
        self.do(CITY, "redemption.settle", claim="dc/c1", rows=[row], payment=self.payment(24_000, 7))
        fields: Json = {"programme": "city/p", "payee": "dc", "amount_fen": 5_000, "reason": "never ran"}
        self.do(CITY, "recovery.demand", demand="city/d1", evidence_hash=f"sha256:{'ba' * 32}", **fields)
        self.do(DC, "redemption.claim", claim="dc/c2", **period)
        row = {"contract": "acme/k1", "paid_fen": 11_000, "withheld_fen": 1_000, "reason": "illegible"}
        offsets = [{"demand": "city/d1", "amount_fen": 2_000}]
        self.do(CITY, "redemption.settle", claim="dc/c2", rows=[row], offsets=offsets, payment=self.payment(9_000, 8))
        fields = {"programme": "city/p", "contract": "acme/k1", "amount_fen": 400, "reason": "still illegible"}
        self.do(CITY, "redemption.disallow", **fields)
        self.do(CITY, "recovery.receive", demand="city/d1", payment=self.payment(1_500, 9))
        self.do(CITY, "recovery.cancel", demand="city/d1", amount_fen=500, reason="it ran after all")

    def payment(self, amount_fen: int, number: int) -> Json:
        """What the bank says, today."""
        day = format_instant(self.at + 8 * HOUR)[:10]
        return {"amount_fen": amount_fen, "day": day, "reference": f"bank {number}"}

    def services(self) -> None:
        """A programme for services from before the log, and an operator that issues its vouchers by mandate."""
        self.do(NETWORK, "party.admit", admitted="registry", role="operator", name="Register", keys=REGISTRY.vkeys)
        self.do(NETWORK, "item.register", item="tokens", unit="count", counted="a million tokens", name="Tokens")
        self.do(DC, "tariff.publish", item="tokens", price_fen=500, valid_from=format_instant(self.at))
        self.open_programme("city/s", "dc", items=("910b", "tokens"), days_ago=90, **REVIEWED)
        self.give_mandate("city/m1", "voucher.issue/1", "voucher.revoke/1", "voucher.suspend/1", total_fen=60_000)
        self.give_mandate("city/m2", "redemption.settle/1", total_fen=0, programme="city/s")
        self.issue_by_mandate("registry/s1", "acme", 50_000)
        self.issue_by_mandate("registry/s2", "beta", 4_000)
        self.do(REGISTRY, "voucher.revoke", voucher="registry/s2", mandate="city/m1", reason="moved away")
        self.bring_along("city/old", "beta", 30_000, used_fen=20_000)
        self.sign("acme/k3", "dc", items=prices_of(**{"910b": 3_600, "tokens": 400}))
        self.sign("acme/k4", "dc", basis="invoiced")
        self.reserve("acme/s1", "registry/s1", "acme/k3", 20_000)
        self.do(ACME, "reservation.extend", reservation="acme/s1", amount_fen=5_000)
        self.do(ACME, "reservation.extend", reservation="acme/s1", until=format_instant(self.at + 20 * DAY_US))
        self.reserve("acme/s2", "registry/s1", "acme/k4", 10_000)
        self.at += 3 * DAY_US
        self.serve("acme/k3", "2026-01-10", "2026-01-10", quantity=20, ref="T1")
        self.serve("acme/k3", "2026-01-11", "2026-01-11", quantity=5, ref="T2")
        self.do(DC, "burn.reverse", statement="T2", line=0, reason="another customer's")
        self.serve(
            "acme/k4", "2026-01-10", "2026-01-31", item="910b", fee_fen=8_000, document_hash=f"sha256:{'ab' * 32}"
        )
        self.amend("city/s", envelope_fen=1_200_000)
        self.amend("city/s", envelope_fen=900_000, closes_at=format_instant(self.at + 40 * DAY_US))
        self.do(CITY, "mandate.end", mandate="city/m2", reason="the register pays nothing")

    def give_mandate(self, mandate: str, *kinds: str, total_fen: int, **more: str) -> None:
        """To the register, for a month."""
        until = format_instant(self.at + 30 * DAY_US)
        fields: Json = {"operator": "registry", "kinds": [*kinds], "each_fen": 50_000, "total_fen": total_fen}
        self.do(CITY, "mandate.give", mandate=mandate, until=until, **fields, **more)

    def issue_by_mandate(self, voucher: str, holder: str, face_fen: int) -> None:
        """By the register, out of the programme for services."""
        fields: Json = {"programme": "city/s", "holder": holder, "face_fen": face_fen, "mandate": "city/m1"}
        self.do(REGISTRY, "voucher.issue", voucher=voucher, **fields, valid_from=format_instant(self.at))

    def bring_along(self, voucher: str, holder: str, face_fen: int, used_fen: int) -> None:
        """A voucher of the programme for services from ten days before the log."""
        times = {"valid_from": format_instant(START - 10 * DAY_US), "valid_until": format_instant(START + 20 * DAY_US)}
        fields: Json = {"programme": "city/s", "holder": holder, "face_fen": face_fen, "used_fen": used_fen}
        self.do(CITY, "voucher.import", voucher=voucher, evidence_hash=f"sha256:{'cd' * 32}", **fields, **times)

    def serve(self, contract: str, first_day: str, last_day: str, item: str = "tokens", **more: Any) -> None:
        """A service of the data centre."""
        self.do(DC, "service.burn", contract=contract, item=item, first_day=first_day, last_day=last_day, **more)

    def confirm(self, contract: str) -> None:
        """By the holder, for a month."""
        self.do(
            ACME,
            "attestation.give",
            subject_type="contract",
            subject_id=contract,
            topic="usage",
            verdict="pass",
            reason="as agreed",
            evidence_hash=f"sha256:{'ef' * 32}",
            valid_until=format_instant(self.at + 30 * DAY_US),
        )

    def amend(self, programme: str, **changes: Any) -> None:
        self.do(CITY, "programme.amend", programme=programme, reason="a council decided it", **changes)
