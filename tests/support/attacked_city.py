"""A city whose keys are stolen, one or several: its log in memory, with one of everything in it.

The city has five officers, of whom two must sign above THRESHOLD_FEN within thirty days; the town has one key and no
quorum. The desk is an operator without a mandate, the platform one with the city's. Every party has a key that signs,
a meter key and a read key. Commands of every kind, for attacks on it: attacked_commands.py.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from support.actors import ORIGIN, Actor, Json, brought_by, note_of, uscc_of, vkey_of
from support.terms import contract_of, limits_of, prices_of, rules_of
from tallystick.vouchers.admit import admit, read_note
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_day, format_instant, format_second, parse_instant
from tallystick.vouchers.refusals import Refusal
from tallystick.vouchers.state import State

Pick = Callable[[Sequence[Any]], Any]

START: Final = parse_instant("2026-01-05T08:00:00.000000Z")
HOUR_US: Final = 3_600 * SECOND_US
LATER_US: Final = 300 * DAY_US
THRESHOLD_FEN: Final = 1_000_000
EVIDENCE: Final = {"evidence_hash": f"sha256:{'0' * 64}"}
LABELS: Final = {
    "network": ("sign-1", "sign-2", "sign-3"),
    "city": ("sign-1", "sign-2", "sign-3", "sign-4", "sign-5"),
}
OFFICERS: Final[Json] = {"quorum": 2, "officers": {"threshold_fen": THRESHOLD_FEN, "required": 2, "window_days": 30}}
ADMITTED: Final = {
    "city": "treasury",
    "town": "treasury",
    "hall": "provider",
    "idle-hall": "provider",
    "far-hall": "provider",
    "desk": "operator",
    "platform": "operator",
    "bureau": "attester",
    "court": "auditor",
    "fresh": "auditor",
}
"""Whom the network admits. The idle hall is suspended in the end, the far one accredited later; fresh is unused."""
GENESIS: Final[Json] = {
    "edition": 1,
    "name": "Network",
    "currency": "CNY",
    "root_keys": [vkey_of(f"network/{label}") for label in LABELS["network"]],
    "root_quorum": 2,
    "clock_skew_seconds": 60,
    "freshness_seconds": 86_400,
    "burn_window_seconds": 40 * 86_400,
    "release_grace_seconds": 86_400,
    "tariff_notice_seconds": 0,
    "takeover_seconds": 7 * 86_400,
    "sealing_grace_seconds": 0,
    "utc_offset_seconds": 28_800,
}
PRICES: Final = prices_of(gpu=600, tokens=500)
TERMS: Final[Json] = {
    "name": "Programme",
    "voucher_kind": "compute",
    "fiscal_year": 2026,
    "envelope_fen": 10**10,
    "opens_at": format_instant(START - 30 * DAY_US),
    "closes_at": format_instant(START + 3_000 * DAY_US),
}


def programme_rules(share_bp: int = 5_000, **changes: Any) -> Json:
    """Rules of which no bound is in a thief's way."""
    wide: Json = {
        "transfer": "approved",
        "ceiling_bp": 10_000,
        "shares": [{"share_bp": share_bp}],
        "validity_days": 200,
    }
    wide |= {"claims": {"cycle": "any", "cut_off_days": 90}}
    return rules_of(**wide, cap={"group": "g", "holder_fen": 10**12, "floor_fen": 1}, **changes)


def first(options: Sequence[Any]) -> Any:
    """Take the first, or nothing where there are none: an id that isn't there."""
    return options[0] if options else "nobody/nothing"


@dataclass
class World:
    """A log in memory.

    Attributes:
        at: the log's time (microseconds).
        serial: numbers what is made.
        pick: how one of several is chosen.
    """

    state: State = field(default_factory=lambda: State.empty(ORIGIN))
    at: int = START
    serial: int = 0
    pick: Pick = first
    officers: Json = field(default_factory=lambda: OFFICERS)

    def submit(self, note: bytes) -> Entry | Refusal:
        """Decide a note, and record it."""
        answer = self.decide(note)
        if isinstance(answer, Entry):
            evolve(self.state, answer.event)
        return answer

    def decide(self, note: bytes) -> Entry | Refusal:
        """Decide a note; nothing is recorded."""
        signed = read_note(note, ORIGIN)
        return signed if isinstance(signed, Refusal) else admit(self.state, signed, self.at)

    def do(self, party: str, kind: str, *cosigners: str, **fields: Any) -> None:
        """Record a command that all of a party's keys sign; it must be accepted."""
        command = self.envelope(party, kind) | fields
        keys = [f"{party}/{label}" for label in LABELS.get(party, ("sign-1",))]
        answer = self.submit(note_of(command, *dict.fromkeys((*keys, *cosigners, *brought_by(command)))))
        assert isinstance(answer, Entry), (command, answer)

    def envelope(self, party: str, kind: str) -> Json:
        """What every command has."""
        self.serial += 1
        return Actor(party).command(kind, self.at, ref=f"r-{self.serial}")

    def issue(self, voucher: str, programme: str, face_fen: int) -> None:
        """Issue a voucher to the maker, signed by as many as must."""
        fields = {"voucher": voucher, "programme": programme, "holder": "maker", "face_fen": face_fen}
        self.do(programme.partition("/")[0], "voucher.issue", valid_from=self.instant(), **fields)

    def reserve(self, reservation: str, voucher: str, contract: str, amount_fen: int, lasts_us: int) -> None:
        """Reserve a part of a voucher."""
        fields = {"reservation": reservation, "voucher": voucher, "contract": contract, "amount_fen": amount_fen}
        self.do("maker", "voucher.reserve", until=self.instant(lasts_us), **fields)

    def burn(self, ref: str, contract: str) -> None:
        """Burn an hour of 100 cards, a day ago: 600.00 yuan, of which a programme pays half."""
        begins_at = self.at - DAY_US - 3 * HOUR_US
        line = [ref, 100_000, format_second(begins_at), format_second(begins_at + HOUR_US), 3_600]
        self.do("hall", "time.burn", ref=ref, contract=contract, groups=[{"item": "gpu", "lines": [line]}])

    def new(self, party: str) -> str:
        """An id of a party's that is in nobody's use."""
        return f"{party}/n-{self.serial}"

    def instant(self, later_us: int = 0) -> str:
        """A time so much later, as commands say it."""
        return format_instant(self.at + later_us)

    def day(self, later: int = 0) -> str:
        """A day so many days later."""
        return format_day(self.state.day_of(self.at) + later)

    def own(self, party: str, things: dict[str, Any], rest: Sequence[str] = ()) -> list[str]:
        """The ids of things that a party has made, newest first, then others."""
        mine = [name for name in things if name.startswith(f"{party}/")]
        return [*reversed(mine), *rest]


def attacked_city(officers: Json = OFFICERS) -> World:
    """The log, with one of everything in it; all of it was signed by as many as must."""
    world = World(officers=officers)
    _admissions(world)
    for treasury in ("town", "city"):
        _programmes(world, treasury)
    _contracts(world)
    world.at += 2 * DAY_US
    _money(world)
    world.do("network", "party.suspend", subject="idle-hall", reason="x")
    world.do("city", "party.suspend", subject="idle", reason="x")
    world.do("town", "party.suspend", subject="town-idle", reason="x")
    return world


def _admissions(world: World) -> None:
    world.do("network", "network.found", **GENESIS)
    world.do("network", "item.register", item="gpu", unit="gpu_time", name="GPU", origin="domestic")
    world.do("network", "item.register", item="tokens", unit="count", counted="a million", name="Tokens")
    holders = {"maker": "city", "other": "city", "idle": "city", "townsman": "town", "town-idle": "town"}
    for name, role in [*ADMITTED.items(), *[(holder, "holder") for holder in holders]]:
        keys = [vkey_of(f"{name}/{label}") for label in LABELS.get(name, ("sign-1",))]
        more: Json = dict(world.officers) if name == "city" else {}
        if role in ("provider", "holder"):
            more["uscc"] = uscc_of(name)
        by = holders.get(name, "network")
        world.do(by, "party.admit", admitted=name, role=role, name=name, keys=keys, **more)
    for name in ("network", "city", "town", "hall", "maker", "desk", "platform", "bureau", "court"):
        for purpose in ("meter", "read"):
            world.do(name, "key.add", subject=name, purpose=purpose, vkey=vkey_of(f"{name}/{purpose}-1"))


def _programmes(world: World, treasury: str) -> None:
    for item in () if treasury == "city" else ("gpu", "tokens"):
        world.do("hall", "tariff.publish", item=item, price_fen=10_000, valid_from=world.instant())
        world.do("idle-hall", "tariff.publish", item=item, price_fen=10_000, valid_from=world.instant())
    open_ones = {"p": programme_rules(), "h": programme_rules(3_000, payee="holder", rank=2), "q": programme_rules()}
    for name, rules in open_ones.items():
        world.do(treasury, "programme.open", programme=f"{treasury}/{name}", rules=rules, **TERMS)
        for provider, later_us in {"hall": 0, "idle-hall": 0, "far-hall": LATER_US}.items() if name != "q" else ():
            place = {"programme": f"{treasury}/{name}", "provider": provider, "valid_from": world.instant(later_us)}
            world.do(treasury, "provider.accredit", items=limits_of("gpu", "tokens"), **place)
    limits = {"each_fen": 10**9, "total_fen": 10**10, "until": world.instant(366 * DAY_US)}
    world.do(treasury, "mandate.give", mandate=f"{treasury}/m", operator="platform", kinds=MANDATED, **limits)


def _contracts(world: World) -> None:
    world.do("hall", "tariff.publish", item="gpu", price_fen=9_000, valid_from=world.instant(LATER_US))
    for name, provider in {"k": "hall", "kt": "hall", "ki": "idle-hall", "kti": "idle-hall"}.items():
        terms = contract_of(f"maker/{name}", "maker", provider, world.day(), world.day(3_000), items=PRICES)
        world.do("maker", "contract.sign", f"{provider}/sign-1", **terms)
    declared = {"related_party": False, "other_support_fen": 0}
    asked = {"application": "maker/a", "programme": "city/p", "amount_fen": 10**6, "declarations": declared}
    world.do("maker", "application.file", **asked, **EVIDENCE)
    for treasury in ("town", "city"):
        for name, programme in {"v": "p", "vh": "h", "vs": "p"}.items():
            world.issue(f"{treasury}/{name}", f"{treasury}/{programme}", 10**8)
        world.do(treasury, "voucher.suspend", voucher=f"{treasury}/vs", reason="x")
    for name, voucher, contract in (
        ("rt", "town/v", "kt"),
        ("rti", "town/v", "kti"),
        ("r", "city/v", "k"),
        ("rh", "city/vh", "k"),
        ("ri", "city/v", "ki"),
    ):
        world.reserve(f"maker/{name}", voucher, f"maker/{contract}", 10**7, 60 * DAY_US)
    world.reserve("maker/short", "city/v", "maker/k", 1_000, HOUR_US)
    world.reserve("maker/short-t", "town/v", "maker/kt", 1_000, HOUR_US)


def _money(world: World) -> None:
    """Of each treasury a settled claim with a part withheld, a demand, an open claim, and something unclaimed."""
    for treasury, contract in {"town": "maker/kt", "city": "maker/k"}.items():
        for number in (1, 2):
            world.burn(f"{treasury}-{number}", contract)
            claim = {"claim": f"hall/{treasury}-{number}", "programme": f"{treasury}/p"}
            world.do("hall", "redemption.claim", last_day=world.day(-1), **claim)
        world.burn(f"{treasury}-3", contract)
        rows = [{"contract": contract, "paid_fen": 25_000, "withheld_fen": 5_000, "reason": "x"}]
        payment = {"amount_fen": 25_000, "day": world.day(), "reference": f"first of {treasury}"}
        world.do(treasury, "redemption.settle", claim=f"hall/{treasury}-1", rows=rows, payment=payment)
        demand = {"demand": f"{treasury}/d", "programme": f"{treasury}/p", "payee": "hall", "amount_fen": 2_000}
        world.do(treasury, "recovery.demand", reason="x", **demand, **EVIDENCE)


MANDATED: Final = [
    "redemption.settle/1",
    "reservation.release/1",
    "voucher.issue/1",
    "voucher.resume/1",
    "voucher.revoke/1",
    "voucher.suspend/1",
]
