"""What happens in seventeen cities, month after month: everything is commanded, decided and comes to rest.

A year of a city: a programme of 12 months' vouchers; holders apply, sign contracts of about a year and reserve; their
providers hand in statements or invoices for each month; each quarter what was burned is claimed and settled. Now and
then something is withheld, disallowed, asked back, revoked, reversed or left to expire. Books are sealed each month.

All chance is of one seed, so the same arguments give the same log.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from simulation.city_programmes import UTC_OFFSET_SECONDS, City
from simulation.taking_logs import Log
from support.actors import ORIGIN, Json, brought_by, uscc_of, vkey_of
from support.terms import limits_of, prices_of
from tallystick.vouchers.quantities import (
    DAY_US,
    SECOND_US,
    format_day,
    format_instant,
    format_second,
    parse_day,
    start_of_day,
)
from tallystick.vouchers.refusals import Reason, Refusal

ITEM: Final = "ascend-910b"
PRICE_FEN: Final = 1_600
OFFICERS: Final = ("officer-1", "officer-2")
NETWORK, PLATFORM = "network", "platform"
HOUR_US: Final = 3_600 * SECOND_US
HOLDERS_REPLACED: Final = 0.1
"""How many holders of a city are new each year, in the place of others."""
INTAKE_MONTHS: Final = 9
PARAMETERS: Final = {
    "clock_skew_seconds": 300,
    "freshness_seconds": 7 * 86_400,
    "burn_window_seconds": 60 * 86_400,
    "release_grace_seconds": 7 * 86_400,
    "tariff_notice_seconds": 30 * 86_400,
    "takeover_seconds": 7 * 86_400,
    "sealing_grace_seconds": 10 * 86_400,
    "utc_offset_seconds": UTC_OFFSET_SECONDS,
}


def _hash_of(document: str) -> str:
    return f"sha256:{hashlib.sha256(document.encode()).hexdigest()}"


EVIDENCE: Final = _hash_of("a document and a nonce")


class RefusedError(AssertionError):
    """A command was refused that was meant to be admitted."""


@dataclass
class Deal:
    """A voucher and the contract that it is spent under."""

    city: City
    programme: str
    holder: str
    provider: str
    contract: str
    voucher: str
    face_fen: int
    first_day: int
    last_day: int
    valid_from: int
    valid_until: int
    reserved_fen: int = 0
    is_over: bool = False


@dataclass
class Owed:
    """What a treasury asked back."""

    demand: str
    treasury: str
    payee: str
    left_fen: int
    comes_back: str
    month: int


@dataclass
class Withheld:
    """What was withheld under a contract, and may be disallowed."""

    treasury: str
    programme: str
    contract: str
    amount_fen: int
    month: int


@dataclass
class Crowd:
    """Who is there in a city."""

    city: City
    holders: list[str] = field(default_factory=list)
    providers: list[str] = field(default_factory=list)
    admitted: int = 0


@dataclass
class Cities:
    """All of them on one log."""

    log: Log
    cities: Sequence[City]
    first_year: int
    lines: int = 4
    seed: int = 1

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.now = self.start_of(f"{self.first_year}-01-01")
        self.counts: dict[str, int] = {}
        self.crowds = [Crowd(city) for city in self.cities]
        self.deals: list[Deal] = []
        self.open_claims: list[tuple[str, str, str, tuple[tuple[str, int], ...]]] = []
        self.paid_fen: dict[tuple[str, str], int] = {}
        self.owed: list[Owed] = []
        self.withheld: list[Withheld] = []
        self.passes: dict[tuple[str, str, str, str], int] = {}

    # -- commands -----------------------------------------------------------------------------------------------------

    def number(self, of: str) -> int:
        """Count on."""
        self.counts[of] = self.counts.get(of, 0) + 1
        return self.counts[of]

    def give(self, party: str, kind: str, *cosigners: str, **fields: Any) -> Any:
        """Give a command, which is admitted, and return its outcome."""
        outcome = self.ask(party, kind, *cosigners, **fields)
        if isinstance(outcome, Refusal):
            raise RefusedError(f"{party} {kind} at {format_instant(self.now)}: {outcome}: {fields}")
        return outcome

    def ask(self, party: str, kind: str, *cosigners: str, **fields: Any) -> Any:
        """Give a command, and return its outcome or refusal."""
        self.now += SECOND_US
        command = {"kind": f"{kind}/1", "log": ORIGIN, "party": party, "signed_at": format_instant(self.now)}
        command |= {"ref": fields.pop("ref", None) or str(self.number(f"ref {party}"))} | fields
        keys = dict.fromkeys((*self.keys_of(party, kind), *cosigners, *brought_by(command)))
        return self.log.take(command, list(keys), self.now)

    def keys_of(self, party: str, kind: str) -> Iterable[str]:
        """The keys that sign for a party: two of a treasury, unless one officer may."""
        is_dual = party.endswith("-treasury") and kind != "voucher.issue"
        return [f"{party}/{label}" for label in (OFFICERS if is_dual else OFFICERS[:1])]

    def start_of(self, day: str) -> int:
        """The instant at which a day begins."""
        return start_of_day(parse_day(day), UTC_OFFSET_SECONDS)

    def day_of(self, instant: int) -> int:
        """The day in which an instant lies."""
        return (instant + UTC_OFFSET_SECONDS * SECOND_US) // DAY_US

    def wait_until(self, year: int, month: int, day: int) -> None:
        """Let time pass until the morning of a day, if that is still to come."""
        self.now = max(self.now, self.start_of(f"{year}-{month:02}-{day:02}") + 8 * HOUR_US)

    # -- who takes part -----------------------------------------------------------------------------------------------

    def found(self) -> None:
        """The network, its reviewers, its treasuries and their providers."""
        roots = [vkey_of(f"{NETWORK}/{OFFICERS[0]}")]
        terms = {"edition": 1, "name": "Network", "currency": "CNY", "root_keys": roots, "root_quorum": 1}
        self.give(NETWORK, "network.found", **terms, **PARAMETERS)
        self.give(NETWORK, "item.register", item=ITEM, unit="gpu_time", name="Ascend 910B", origin="domestic")
        self.give(NETWORK, "item.register", item="h100", unit="gpu_time", name="H100", origin="foreign")
        self.admit(NETWORK, PLATFORM, "operator")
        gates = [gate for city in self.cities for gate in city.rules.get("gates", [])]
        for attester in sorted({name for gate in gates for name in gate.get("attesters", [])}):
            self.admit(NETWORK, attester, "attester")
        national = [f"national-dc-{number}" for number in (1, 2)]
        for provider in national:
            self.admit_provider(provider)
        for crowd in self.crowds:
            name = crowd.city.treasury.removesuffix("-treasury")
            officers = {"threshold_fen": 10**14, "required": 2, "window_days": 30}
            self.admit(NETWORK, crowd.city.treasury, "treasury", labels=OFFICERS, quorum=2, officers=officers)
            crowd.providers = [f"{name}-dc-{number}" for number in range(1, 3 + crowd.city.vouchers // 100)]
            for provider in crowd.providers:
                self.admit_provider(provider)
            crowd.providers += national

    def admit_provider(self, provider: str) -> None:
        self.admit(NETWORK, provider, "provider", uscc=uscc_of(provider))
        self.give(
            provider, "tariff.publish", item=ITEM, price_fen=PRICE_FEN, valid_from=format_instant(self.now + HOUR_US)
        )

    def admit(self, admitter: str, party: str, role: str, labels: Sequence[str] = OFFICERS[:1], **more: Any) -> None:
        keys = [vkey_of(f"{party}/{label}") for label in labels]
        self.give(admitter, "party.admit", admitted=party, role=role, name=f"The {role} {party}", keys=keys, **more)

    def renew_holders(self, crowd: Crowd) -> None:
        """Some go, others come, as many as there are vouchers."""
        stay = round(len(crowd.holders) * (1 - HOLDERS_REPLACED))
        crowd.holders = self.chance.sample(crowd.holders, stay)
        while len(crowd.holders) < crowd.city.vouchers:
            crowd.admitted += 1
            holder = f"{crowd.city.treasury.removesuffix('-treasury')}-startup-{crowd.admitted}"
            self.admit(crowd.city.treasury, holder, "holder", uscc=uscc_of(holder))
            crowd.holders.append(holder)
        self.chance.shuffle(crowd.holders)

    # -- the years ----------------------------------------------------------------------------------------------------

    def years(self, how_many: int) -> Iterator[int]:
        """Play years, and yield each when it is over."""
        self.found()
        for year in range(self.first_year, self.first_year + how_many):
            for month in range(1, 13):
                self.play(year, month)
            yield year

    def play(self, year: int, month: int) -> None:
        """A month, in the order of its days."""
        if month == 1:
            self.open_programmes(year)
        if month <= INTAKE_MONTHS:
            self.take_in(year, month)
        self.wait_until(year, month, 3)
        before = (year, month - 1) if month > 1 else (year - 1, 12)
        self.burn(*before)
        self.wait_until(year, month, 8)
        self.change_minds(year, month)
        if month % 3 == 1:
            self.wait_until(year, month, 10)
            self.claim(format_day(parse_day(f"{year}-{month:02}-01") - 1))
        if before >= (self.first_year, 1):
            self.wait_until(year, month, 15)
            self.give(PLATFORM, "book.seal", seal=f"{PLATFORM}/{before[0]}-{before[1]:02}", last_day=_last_day(*before))
        self.wait_until(year, month, 20)
        self.settle(year, month)
        self.wait_until(year, month, 22)
        self.recover(year * 12 + month)
        self.wait_until(year, month, 25)
        self.expire()

    def open_programmes(self, year: int) -> None:
        """Each city opens its programme of the year, and accredits."""
        self.wait_until(year, 1, 1)
        for crowd in self.crowds:
            city, fields = crowd.city, crowd.city.opening_of(year)
            self.give(city.treasury, "programme.open", **fields)
            for provider in crowd.providers:
                accredited = {"provider": provider, "items": limits_of(ITEM), "valid_from": fields["opens_at"]}
                self.give(city.treasury, "provider.accredit", programme=fields["programme"], **accredited)
            self.renew_holders(crowd)

    def take_in(self, year: int, month: int) -> None:
        """A ninth of the year's holders applies, signs and reserves."""
        self.wait_until(year, month, 1)
        for crowd in self.crowds:
            for holder in crowd.holders[month - 1 :: INTAKE_MONTHS]:
                self.deals.append(self.strike(crowd, holder, year))

    def strike(self, crowd: Crowd, holder: str, year: int) -> Deal:
        """Return a holder's deal: contract, application, reviews, voucher, and the first reservation."""
        city, provider, name = crowd.city, self.chance.choice(crowd.providers), f"{holder}/{year}"
        programme = city.programme_of(year)
        face_fen = round(city.face_fen * self.chance.uniform(0.5, 1))
        face_fen = min(face_fen, self.log.state.book["unissued", programme])
        first_day = self.day_of(self.now)
        last_day = first_day + self.chance.randint(340, 370)
        self.give(
            holder,
            "contract.sign",
            f"{provider}/{OFFICERS[0]}",
            contract=name,
            holder=holder,
            provider=provider,
            document_hash=_hash_of(name),
            amount_fen=face_fen * 10_000 // city.share_bp * 2,
            first_day=format_day(first_day),
            last_day=format_day(last_day),
            items=prices_of(**{ITEM: PRICE_FEN}),
            basis=city.rules["basis"],
            claimant="provider",
            related_party=False,
            other_support_fen=0,
        )
        declared = {"declarations": {"related_party": False, "other_support_fen": 0}, "evidence_hash": EVIDENCE}
        asked = {"application": name, "programme": programme, "amount_fen": face_fen, "contract": name}
        self.give(holder, "application.file", **asked, **declared)
        for gate in city.gates("issue"):
            self.review(gate, holder if gate["subject_type"] == "holder" else name)
        voucher = f"{city.treasury}/v-{year}-{self.number(f'voucher {city.treasury} {year}')}"
        issue = {"voucher": voucher, "programme": programme, "face_fen": face_fen}
        issue["valid_from"] = format_instant(self.now + SECOND_US)
        others = [one for one in crowd.holders if one != holder and self.has_room(programme, one, 2 * city.face_fen)]
        if city.rules["transfer"] == "open" and others and self.chance.random() < 0.2:
            voucher = self.issue_and_pass_on(city, self.chance.choice(others), holder, issue)
        else:
            self.give(city.treasury, "voucher.issue", **issue, holder=holder, contract=name, application=name)
        valid_until = self.now + city.rules["validity_days"] * DAY_US
        parties = (city, programme, holder, provider, name, voucher)
        deal = Deal(*parties, face_fen, first_day, last_day, self.now, self.log.state.vouchers[voucher].valid_until)
        assert valid_until >= deal.valid_until
        self.reserve(deal, round(face_fen * 0.6))
        return deal

    def has_room(self, programme: str, holder: str, face_fen: int) -> bool:
        """Whether a holder's cap allows it another voucher."""
        terms = self.log.state.programmes[programme]
        granted_fen = self.log.state.book["granted", terms.granted_id(holder, self.now)]
        return granted_fen + face_fen <= terms.rules.cap.holder_fen

    def issue_and_pass_on(self, city: City, other: str, holder: str, issue: Json) -> str:
        """Issue a voucher to another holder, which passes it on; return the part that it becomes."""
        into = f"{other}/t-{self.number('transfer')}"
        self.give(city.treasury, "voucher.issue", **issue, holder=other)
        passed = {"voucher": issue["voucher"], "into": into, "to": holder, "amount_fen": issue["face_fen"]}
        self.give(other, "voucher.transfer", **passed)
        return into

    def reserve(self, deal: Deal, amount_fen: int) -> None:
        """Reserve so much for as long as voucher and contract last."""
        until = min(deal.valid_until, start_of_day(deal.last_day + 1, UTC_OFFSET_SECONDS))
        names = {"reservation": f"{deal.holder}/r-{self.number(f'reservation {deal.holder}')}", "voucher": deal.voucher}
        terms = {"contract": deal.contract, "amount_fen": amount_fen, "until": format_instant(until)}
        self.give(deal.holder, "voucher.reserve", **names, **terms)
        deal.reserved_fen += amount_fen

    def review(self, gate: Json, subject: str) -> None:
        """Have a subject pass a gate, unless it does."""
        for attester in gate["attesters"][: gate["passes"]]:
            known = gate["subject_type"], subject, gate["topic"], attester
            if self.passes.get(known, 0) > self.now:
                continue
            until = self.now + 366 * DAY_US
            verdict = {"topic": gate["topic"], "verdict": "pass", "reason": "in order", "evidence_hash": EVIDENCE}
            about = {"subject_type": gate["subject_type"], "subject_id": subject, "valid_until": format_instant(until)}
            self.give(attester, "attestation.give", **about, **verdict)
            if gate["subject_type"] in ("holder", "provider"):
                self.passes[known] = until - DAY_US

    # -- use ----------------------------------------------------------------------------------------------------------

    def burn(self, year: int, month: int) -> None:
        """Each provider says what was used under its contracts in a month."""
        begin = self.start_of(f"{year}-{month:02}-01")
        end = self.start_of(_next_month(year, month))
        for deal in self.deals:
            deal.is_over = deal.is_over or deal.valid_until <= begin or self.is_spent(deal)
            if not deal.is_over and deal.valid_from < end:
                self.use(deal, begin, end)
        self.deals = [deal for deal in self.deals if not deal.is_over]

    def is_spent(self, deal: Deal) -> bool:
        """Whether nothing is reserved any more."""
        contract = self.log.state.contracts.get(deal.contract)
        return contract is None or not contract.reservations

    def use(self, deal: Deal, begin: int, end: int) -> None:
        """A month's statement or invoice under a contract."""
        last = min(end, deal.valid_until, start_of_day(deal.last_day + 1, UTC_OFFSET_SECONDS))
        first = max(begin, deal.valid_from + HOUR_US)
        first, last = first // HOUR_US * HOUR_US, last // HOUR_US * HOUR_US
        if last - first < 24 * HOUR_US:
            return
        fee_fen = round(deal.face_fen * 10_000 / deal.city.share_bp / 11 * self.chance.uniform(0.6, 1.4))
        if deal.city.rules["basis"] == "metered":
            self.state_lines(deal, first, last, fee_fen)
            return
        self.invoice(deal, max(self.day_of(begin), self.day_of(deal.valid_from) + 1), self.day_of(last) - 1, fee_fen)

    def invoice(self, deal: Deal, first_day: int, last_day: int, fee_fen: int) -> None:
        """An invoice of whole days, if the programme counts them."""
        window = deal.city.opening_of(int(deal.programme[-4:]))["rules"].get("proration")
        if window and not window["first_day"] <= format_day(first_day) <= format_day(last_day) <= window["last_day"]:
            return
        self.give(
            deal.provider,
            "service.burn",
            contract=deal.contract,
            item=ITEM,
            first_day=format_day(first_day),
            last_day=format_day(last_day),
            document_hash=_hash_of(f"{deal.contract} {first_day}"),
            fee_fen=fee_fen,
            pay_available=True,
            evidence_hash=EVIDENCE,
        )

    def state_lines(self, deal: Deal, first: int, last: int, fee_fen: int) -> None:
        """A statement of lines; one in a hundred has its first line taken back, and burned again."""
        step = (last - first) // SECOND_US // self.lines
        seconds = step - 60
        gpu_milli = max(1, fee_fen // self.lines * 3_600_000 // (seconds * PRICE_FEN))
        ref = f"s-{self.number(f'statement {deal.provider}')}"
        rows = [self._row(f"{ref}.{n}", gpu_milli, first + n * step * SECOND_US, seconds) for n in range(self.lines)]
        about = {"contract": deal.contract}
        burned = self.give(deal.provider, "time.burn", ref=ref, groups=[{"item": ITEM, "lines": rows}], **about)
        if self.chance.random() < 0.01 and 0 not in [line for line, _ in burned.refused]:
            self.give(deal.provider, "burn.reverse", statement=ref, line=0, reason="another job's")
            again = [{"item": ITEM, "lines": [self._row(f"{ref}.again", gpu_milli, first, seconds)]}]
            self.ask(deal.provider, "time.burn", groups=again, **about)

    def _row(self, job: str, gpu_milli: int, begins_at: int, seconds: int) -> list[Any]:
        times = format_second(begins_at), format_second(begins_at + seconds * SECOND_US)
        return [job, gpu_milli, *times, seconds, {"pay_available": True}]

    def change_minds(self, year: int, month: int) -> None:
        """After some months the rest is reserved, or isn't; some vouchers are revoked, some contracts end early."""
        for deal in self.deals:
            months = (self.now - deal.valid_from) // (30 * DAY_US)
            voucher = self.log.state.vouchers.get(deal.voucher)
            if months == 4 and voucher is not None and not voucher.is_spent_time(self.now):
                whim = self.chance.random()
                if whim < 0.03:
                    self.give(deal.city.treasury, "voucher.revoke", voucher=deal.voucher, reason="given up")
                elif whim < 0.06:
                    deal.last_day = self.day_of(self.now) + 20
                    provider = f"{deal.provider}/{OFFICERS[0]}"
                    early = {"contract": deal.contract, "last_day": format_day(deal.last_day)}
                    self.give(deal.holder, "contract.amend", provider, **early)
                elif whim < 0.95 and deal.last_day > self.day_of(self.now) + 30:
                    self.reserve(deal, deal.face_fen - deal.reserved_fen)

    # -- money --------------------------------------------------------------------------------------------------------

    def claim(self, last_day: str) -> None:
        """Every payee claims of every programme what was burned until the quarter's last day."""
        for programme, contracts in list(self.log.state.unclaimed.places.items()):
            city = next(city for city in self.cities if programme.startswith(f"{city.treasury}/"))
            payees = {self.log.state.claimant(programme, contract) for contract in contracts}
            for payee in sorted(one for one in payees if one is not None):
                self.claim_all(city, programme, payee, last_day)

    def claim_all(self, city: City, programme: str, payee: str, last_day: str) -> None:
        """Claim until nothing is left to be claimed."""
        for gate in city.gates("claim"):
            self.review(gate, payee)
        more = True
        while more:
            claim = f"{payee}/c-{self.number(f'claim {payee}')}"
            outcome = self.ask(payee, "redemption.claim", claim=claim, programme=programme, last_day=last_day)
            if isinstance(outcome, Refusal):
                if outcome.reason is not Reason.NOTHING_TO_CLAIM:
                    raise RefusedError(f"{claim}: {outcome}")
                return
            self.open_claims.append((city.treasury, claim, programme, outcome.rows))
            more = outcome.more

    def settle(self, year: int, month: int) -> None:
        """Each open claim is paid; of one row in twenty some is withheld; what is owed is set off."""
        claims, self.open_claims = self.open_claims, []
        for treasury, claim, programme, rows in claims:
            city = next(city for city in self.cities if city.treasury == treasury)
            for gate in city.gates("settle"):
                self.review(gate, claim)
            payee = claim.partition("/")[0]
            settled, paid_fen = [], 0
            for contract, amount_fen in rows:
                row = self.row_of(treasury, programme, contract, amount_fen, year * 12 + month)
                settled.append(row)
                paid_fen += row["paid_fen"]
            fields: Json = {"claim": claim, "rows": settled}
            left_fen = paid_fen
            due = [one for one in self.owed if (one.treasury, one.payee) == (treasury, payee)]
            due = [one for one in due if one.comes_back == "offset" and one.left_fen]
            for one in sorted(due, key=lambda one: one.demand)[:16]:
                amount_fen = min(one.left_fen, left_fen)
                if amount_fen:
                    fields.setdefault("offsets", []).append({"demand": one.demand, "amount_fen": amount_fen})
                    one.left_fen -= amount_fen
                    left_fen -= amount_fen
            if left_fen:
                fields["payment"] = self.payment(left_fen)
            self.give(treasury, "redemption.settle", **fields)
            self.paid_fen[programme, payee] = self.paid_fen.get((programme, payee), 0) + paid_fen

    def row_of(self, treasury: str, programme: str, contract: str, amount_fen: int, month: int) -> Json:
        """What becomes of what is claimed under a contract."""
        withheld_fen = amount_fen // 5 if self.chance.random() < 0.05 else 0
        if withheld_fen == 0:
            return {"contract": contract, "paid_fen": amount_fen}
        if self.chance.random() < 0.5:
            self.withheld.append(Withheld(treasury, programme, contract, withheld_fen, month))
        paid_fen = amount_fen - withheld_fen
        return {"contract": contract, "paid_fen": paid_fen, "withheld_fen": withheld_fen, "reason": "no invoice"}

    def payment(self, amount_fen: int) -> Json:
        """What the bank says of a payment."""
        reference = f"CNAPS {self.number('payment'):012}"
        return {"amount_fen": amount_fen, "day": format_day(self.day_of(self.now)), "reference": reference}

    def recover(self, month: int) -> None:
        """What was withheld is disallowed a month later; some is asked back; what is asked back comes, or is let go."""
        for row in [row for row in self.withheld if row.month < month]:
            about = {"programme": row.programme, "contract": row.contract, "reason": "not shown"}
            self.give(row.treasury, "redemption.disallow", amount_fen=row.amount_fen, **about)
        self.withheld = [one for one in self.withheld if one.month >= month]
        for one in self.owed:
            if one.month < month and one.comes_back == "payment":
                self.give(one.treasury, "recovery.receive", demand=one.demand, payment=self.payment(one.left_fen))
                one.left_fen = 0
            elif one.month < month and one.comes_back == "never":
                let_go = {"amount_fen": one.left_fen, "reason": "a mistake"}
                self.give(one.treasury, "recovery.cancel", demand=one.demand, **let_go)
                one.left_fen = 0
            elif one.month < month - 8:
                one.comes_back = "payment"
        self.owed = [one for one in self.owed if one.left_fen]
        if month % 3 == 0:
            self.demand(month)

    def demand(self, month: int) -> None:
        """Of one in ten of those that were paid lately, something is asked back."""
        for (programme, payee), paid_fen in sorted(self.paid_fen.items()):
            if self.chance.random() < 0.1:
                treasury, amount_fen = programme.partition("/")[0], paid_fen // 50 or 1
                demand = f"{treasury}/d-{self.number(f'demand {treasury}')}"
                asked = {"programme": programme, "payee": payee, "amount_fen": amount_fen, "reason": "never ran"}
                self.give(treasury, "recovery.demand", demand=demand, evidence_hash=EVIDENCE, **asked)
                comes_back = self.chance.choices(("offset", "payment", "never"), (6, 3, 1))[0]
                self.owed.append(Owed(demand, treasury, payee, amount_fen, comes_back, month))
        self.paid_fen = {}

    def expire(self) -> None:
        """Book all that time has ended."""
        more = True
        while more:
            outcome = self.ask(PLATFORM, "book.expire")
            more = not isinstance(outcome, Refusal) and outcome.more


def _next_month(year: int, month: int) -> str:
    return f"{year + month // 12}-{month % 12 + 1:02}-01"


def _last_day(year: int, month: int) -> str:
    return format_day(parse_day(_next_month(year, month)) - 1)
