"""A ledger with two of everything: city `a` and city `b` have the same things, and nothing to do with each other.

Whatever concerns the parties of one city alone has `secret-<city>` in its name: so what is read can be searched for it.
What every party may read (institutions, programmes, prices) hasn't. No amount of the one city is one of the other's.
"""

from collections.abc import Iterator
from pathlib import Path

from support.actors import (
    ORIGIN,
    Actor,
    Json,
    checkpoint_of,
    key_of,
    label_of,
    note_of,
    profile_of,
    uscc_of,
    vkey_of,
)
from support.terms import contract_of, founding_of, limits_of, prices_of, rules_of
from tallystick.ledger import Admitted, Ledger, create_ledger
from tallystick.vouchers.fields import Role
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_day, format_instant, format_second, parse_instant

LOG_KEY = key_of(ORIGIN)
START = parse_instant("2026-02-02T08:00:00.000000Z")
HOUR_US = 3_600 * SECOND_US
NETWORK = Actor("national", ("root-1",))
OPERATOR = Actor("registry")
AUDITOR = Actor("court")
TWO_KEYS: Json = {"quorum": 2, "officers": {"threshold_fen": 100_000_000, "required": 2, "window_days": 30}}
OTHER_LOG = "tallystick.example/world"
HASH = f"sha256:{'ab' * 32}"


class City:
    """One city's parties and the ids of its things."""

    def __init__(self, name: str, gpus: int, more_fen: int) -> None:
        self.name = name
        self.gpu_milli = gpus * 1_000
        self.paid_fen = gpus * 3 * 600 * 3 // 10
        """Of a line: so many cards for 3 hours at 6.00 yuan, and 30 % of that."""
        self.more_fen = more_fen
        self.secret = f"secret-{name}"
        self.treasury = Actor(f"{name}-treasury", ("officer-1", "officer-2"))
        self.centre = Actor(f"{name}-centre")
        self.panel = Actor(f"{name}-panel")
        self.firm = Actor(f"{self.secret}-firm")
        self.maker = Actor(f"{self.secret}-maker")
        self.programme = f"{self.treasury.party}/compute-2026"

    def id(self, owner: Actor, name: str) -> str:
        """The id of a thing of this city alone."""
        return f"{owner.party}/{self.secret}-{name}"

    def role_of(self) -> dict[str, Role]:
        """Its parties and their roles."""
        return {
            self.treasury.party: "treasury",
            self.centre.party: "provider",
            self.panel.party: "attester",
            self.firm.party: "holder",
            self.maker.party: "holder",
        }

    def things(self) -> dict[str, list[str]]:
        """The ids of what concerns this city alone, by kind."""
        owned = {
            "voucher": [
                *(self.id(self.treasury, name) for name in ("v1", "v2", "v3", "v4")),
                self.id(self.firm, "part"),
                self.id(OPERATOR, "v5"),
            ],
            "contract": [self.id(self.firm, name) for name in ("k1", "k2", "k3")],
            "reservation": [self.id(self.firm, name) for name in ("r1", "r2", "r3")],
            "application": [self.id(self.firm, "a1"), self.id(self.firm, "a2")],
            "claim": [self.id(self.centre, "c1"), self.id(self.centre, "c2")],
            "demand": [self.id(self.treasury, "d1")],
            "mandate": [self.id(self.treasury, "m1")],
        }
        return owned | {"holder": [self.firm.party, self.maker.party]}


A, B = City("a", 8, 11), City("b", 7, 130_017)
CITIES = (A, B)


class _Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        self.now += SECOND_US
        return self.now


def write_two_cities(source: Path | str, *, has_ended: bool = True) -> int:
    """Write the ledger, until nearly all of it has ended or a while before; return the log's time (microseconds)."""
    for actor in (NETWORK, OPERATOR, AUDITOR, *(one for city in CITIES for one in vars(city).values())):
        if isinstance(actor, Actor):
            actor.refs = 0
    clock = _Clock()
    genesis = NETWORK.note("network.found", START, party="national", **founding_of(*NETWORK.vkeys))
    with create_ledger(source, genesis, LOG_KEY, clock=clock) as ledger:
        for group in _groups(clock, has_ended=has_ended):
            _submit(ledger, group)
        return ledger.state.at


def _submit(ledger: Ledger, notes: list[bytes]) -> None:
    for note, answer in zip(notes, ledger.submit(notes), strict=True):
        assert isinstance(answer, Admitted), (answer, note)


def _groups(clock: _Clock, *, has_ended: bool) -> Iterator[list[bytes]]:
    yield _public(clock.now)
    for city in CITIES:
        yield _parties(city, clock.now)
        yield _terms(city, clock.now)
    clock.now += HOUR_US
    for city in CITIES:
        yield _vouchers(city, clock.now)
    clock.now += DAY_US
    for city in CITIES:
        yield _burns(city, clock.now)
    clock.now += DAY_US
    for city in CITIES:
        yield _settlement(city, clock.now)
    if not has_ended:
        return
    clock.now += DAY_US
    last_day = format_day(clock.now // DAY_US - 2)
    yield [OPERATOR.note("book.seal", clock.now, seal="registry/first", last_day=last_day)]
    clock.now += 100 * DAY_US
    for city in CITIES:
        yield [city.treasury.note("book.expire", clock.now)]
    last_day = format_day(clock.now // DAY_US - 2)
    yield [OPERATOR.note("book.seal", clock.now, seal="registry/second", last_day=last_day)]
    for city in CITIES:
        yield _of_today(city, clock.now)


def _public(at: int) -> list[bytes]:
    def admit(actor: Actor, role: str) -> bytes:
        fields = {"admitted": actor.party, "role": role, "name": actor.party, "keys": actor.vkeys}
        return NETWORK.note("party.admit", at, **fields)

    return [
        admit(OPERATOR, "operator"),
        admit(AUDITOR, "auditor"),
        NETWORK.note("item.register", at, item="ascend-910b", unit="gpu_time", name="Ascend 910B", origin="domestic"),
        NETWORK.note("item.register", at, item="tokens", unit="count", counted="a million tokens", name="Tokens"),
        OPERATOR.note("checkpoint.record", at, checkpoint=checkpoint_of(OTHER_LOG, 1_000), log_vkey=vkey_of(OTHER_LOG)),
    ]


def _parties(city: City, at: int) -> list[bytes]:
    def admit(actor: Actor, by: Actor, role: str, **more: object) -> bytes:
        said = {"profile_hash": profile_of(actor.party)} if "maker" in more else {"name": actor.party}
        fields = {"admitted": actor.party, "role": role, "keys": actor.vkeys, **said, **more}
        return by.note("party.admit", at, **fields)

    centre, firm = city.centre.party, city.firm.party
    mistake = Actor(f"{city.secret}-mistake")
    keys = [f"{firm}/officer-{number}" for number in (2, 3)]
    rotated = city.firm.command("key.rotate", at, key=label_of(keys[0]), vkey=vkey_of(keys[1]), ref="rotate")
    revoked = {"subject": firm, "key": label_of(keys[1]), "cause": "ceased", "reason": f"{city.secret} left"}
    return [
        admit(city.treasury, NETWORK, "treasury", read_keys=[vkey_of(f"{city.treasury.party}/reader-1")], **TWO_KEYS),
        admit(city.centre, NETWORK, "provider", uscc=uscc_of(centre), meter_keys=[vkey_of(f"{centre}/meter-1")]),
        admit(city.panel, NETWORK, "attester"),
        admit(city.firm, city.treasury, "holder", uscc=uscc_of(firm)),
        admit(city.maker, city.treasury, "holder", maker=True),
        city.treasury.note("party.suspend", at, subject=city.maker.party, reason=f"{city.secret} papers"),
        city.treasury.note("party.reinstate", at, subject=city.maker.party, reason=f"{city.secret} papers"),
        admit(mistake, city.treasury, "holder", uscc=uscc_of(mistake.party)),
        city.treasury.note("record.withdraw", at, record={"type": "party", "party": mistake.party}),
        city.firm.note("party.amend", at, name=f"{firm} of {city.name}"),
        city.firm.note("key.add", at, subject=firm, purpose="sign", vkey=vkey_of(keys[0])),
        note_of(rotated, *keys),
        city.firm.note("key.revoke", at, **revoked),
    ]


def _terms(city: City, at: int) -> list[bytes]:
    by_panel: Json = {"passes": 1, "attesters": [city.panel.party]}
    reviewed = [
        {"before": "issue", "subject_type": "application", "topic": "expert", **by_panel},
        {"before": "settle", "subject_type": "claim", "topic": "usage", **by_panel},
    ]
    claims = {"cycle": "any", "cut_off_days": 30}
    rules = rules_of(transfer="approved", claims=claims, gates=reviewed, basis="both")
    days = format_day(at // DAY_US), format_day(at // DAY_US + 80)

    def contract(name: str, **more: object) -> bytes:
        contract_id = city.id(city.firm, name)
        fields = contract_of(contract_id, city.firm.party, city.centre.party, *days, items=prices_of(ascend_910b=600))
        return city.firm.note("contract.sign", at, *city.centre.key_names, **fields | more)

    return [
        city.centre.note("tariff.publish", at, item="ascend-910b", price_fen=600, valid_from=_in(at, HOUR_US // 2)),
        city.centre.note("tariff.publish", at, item="tokens", price_fen=200, valid_from=_in(at, HOUR_US // 2)),
        city.centre.note("tariff.publish", at, item="tokens", price_fen=100, valid_from=_in(at, DAY_US)),
        city.centre.note(
            "record.withdraw", at, record={"type": "tariff", "item": "tokens", "valid_from": _in(at, DAY_US)}
        ),
        city.centre.note(
            "capacity.declare",
            at,
            capacity=[{"item": "ascend-910b", "installed": 64}],
            first_day=format_day(at // DAY_US + 1),
        ),
        city.treasury.note(
            "programme.open",
            at,
            programme=city.programme,
            name="Vouchers",
            voucher_kind="compute",
            fiscal_year=2026,
            envelope_fen=10_000_000_000,
            opens_at=_in(at, -20 * DAY_US),
            closes_at=_in(at, 300 * DAY_US),
            rules=rules,
        ),
        city.treasury.note(
            "provider.accredit",
            at,
            programme=city.programme,
            provider=city.centre.party,
            valid_from=_in(at, 0),
            items=limits_of("ascend-910b", "tokens"),
        ),
        contract("k1"),
        contract("k2"),
        contract("k3", items=prices_of(tokens=200)),
        city.firm.note(
            "contract.amend", at, *city.centre.key_names, contract=city.id(city.firm, "k2"), amount_fen=10**13
        ),
    ]


def _vouchers(city: City, at: int) -> list[bytes]:
    firm, treasury = city.firm, city.treasury
    application = city.id(firm, "a1")

    def verdict(subject_type: str, subject: str, topic: str) -> bytes:
        return _verdict(city, at, subject_type, subject, topic)

    def apply_for(name: str) -> bytes:
        fields = {"application": city.id(firm, name), "programme": city.programme, "amount_fen": 200_000_000}
        declared = {"related_party": False, "other_support_fen": 0}
        return firm.note("application.file", at, declarations=declared, evidence_hash=HASH, **fields)

    def issue(by: Actor, name: str, face_fen: int, **more: object) -> bytes:
        voucher = {"voucher": city.id(by, name), "programme": city.programme, "holder": firm.party}
        fields = (
            voucher
            | {"face_fen": face_fen + city.more_fen, "valid_from": _in(at, 0), "application": application}
            | more
        )
        return by.note("voucher.issue", at, **fields)

    def reserve(name: str, voucher: str, contract: str, amount_fen: int) -> bytes:
        what = {"voucher": city.id(treasury, voucher), "contract": city.id(firm, contract)}
        fields = what | {"reservation": city.id(firm, name), "amount_fen": amount_fen + city.more_fen}
        return firm.note("voucher.reserve", at, until=_in(at, 30 * DAY_US), **fields)

    mandate = city.id(treasury, "m1")
    kinds = ["voucher.issue/1", "voucher.suspend/1"]
    return [
        apply_for("a1"),
        apply_for("a2"),
        verdict("application", application, "expert"),
        verdict("holder", firm.party, "credit"),
        verdict("contract", city.id(firm, "k1"), "usage"),
        firm.note("application.withdraw", at, application=city.id(firm, "a2")),
        issue(treasury, "v1", 50_000_000),
        issue(treasury, "v2", 20_000_000),
        issue(treasury, "v3", 1_000_000),
        treasury.note(
            "mandate.give",
            at,
            mandate=mandate,
            operator=OPERATOR.party,
            kinds=kinds,
            each_fen=600_000 + city.more_fen,
            total_fen=800_000 + city.more_fen,
            until=_in(at, 90 * DAY_US),
        ),
        issue(OPERATOR, "v5", 400_000, mandate=mandate),
        treasury.note(
            "voucher.import",
            at,
            voucher=city.id(treasury, "v4"),
            programme=city.programme,
            holder=city.maker.party,
            face_fen=80_000 + city.more_fen,
            used_fen=30_000 + city.more_fen,
            valid_from=_in(at, -10 * DAY_US),
            valid_until=_in(at, 50 * DAY_US),
            evidence_hash=HASH,
        ),
        firm.note(
            "voucher.transfer",
            at,
            *treasury.key_names[:1],
            voucher=city.id(treasury, "v2"),
            into=city.id(firm, "part"),
            to=city.maker.party,
            amount_fen=5_000_000 + city.more_fen,
        ),
        treasury.note("voucher.suspend", at, voucher=city.id(treasury, "v3"), reason=f"{city.secret} doubts"),
        treasury.note("voucher.resume", at, voucher=city.id(treasury, "v3"), reason=f"{city.secret} doubts are over"),
        treasury.note("voucher.revoke", at, voucher=city.id(treasury, "v3"), reason=f"{city.secret} end"),
        reserve("r1", "v1", "k1", 30_000_000),
        reserve("r2", "v2", "k2", 2_000_000),
        reserve("r3", "v2", "k3", 1_000_000),
        firm.note("reservation.extend", at, reservation=city.id(firm, "r2"), amount_fen=1_000_000 + city.more_fen),
    ]


def _burns(city: City, at: int) -> list[bytes]:
    begin, end = format_second(at - 4 * HOUR_US), format_second(at - HOUR_US)

    def burn(name: str, contract: str, *jobs: str) -> bytes:
        lines = [[f"{city.secret}-{job}", city.gpu_milli, begin, end, 3 * 3_600] for job in jobs]
        groups = [{"item": "ascend-910b", "lines": lines}]
        return city.centre.note(
            "time.burn", at, contract=city.id(city.firm, contract), groups=groups, ref=f"{city.secret}-{name}"
        )

    return [
        burn("s1", "k1", "job-1", "job-2", "job-3"),
        burn("s2", "k2", "job-4"),
        city.centre.note("burn.reverse", at, statement=f"{city.secret}-s1", line=2, reason=f"{city.secret} twice"),
    ]


def _settlement(city: City, at: int) -> list[bytes]:
    firm, treasury, centre = city.firm, city.treasury, city.centre
    last_day, today = format_day(at // DAY_US - 1), format_day(at // DAY_US)
    k1, k2 = city.id(firm, "k1"), city.id(firm, "k2")
    claim, demand = city.id(centre, "c1"), city.id(treasury, "d1")
    rows = [
        {
            "contract": k1,
            "paid_fen": 2 * city.paid_fen - 640,
            "withheld_fen": 640,
            "reason": f"{city.secret} no invoice",
        },
        {"contract": k2, "paid_fen": city.paid_fen},
    ]

    def claim_of(name: str) -> bytes:
        return centre.note(
            "redemption.claim", at, claim=city.id(centre, name), programme=city.programme, last_day=last_day
        )

    def counted(name: str) -> bytes:
        days = {"first_day": last_day, "last_day": last_day}
        quantity, ref = 100 * city.gpu_milli // 1_000, f"{city.secret}-{name}"
        fields = {"contract": city.id(firm, "k3"), "item": "tokens", "quantity": quantity + len(name), "ref": ref}
        return centre.note("service.burn", at, **fields, **days)

    def payment(amount_fen: int, name: str) -> Json:
        return {"amount_fen": amount_fen, "day": today, "reference": f"{city.secret} {name}"}

    return [
        claim_of("c1"),
        _verdict(city, at, "claim", claim, "usage"),
        treasury.note(
            "redemption.settle", at, claim=claim, rows=rows, payment=payment(3 * city.paid_fen - 640, "payment")
        ),
        treasury.note(
            "recovery.demand",
            at,
            demand=demand,
            programme=city.programme,
            payee=centre.party,
            amount_fen=3_000 + city.gpu_milli,
            reason=f"{city.secret} never ran",
            evidence_hash=HASH,
        ),
        treasury.note(
            "recovery.receive", at, demand=demand, payment=payment(1_000 + city.gpu_milli // 1_000, "return")
        ),
        treasury.note("recovery.cancel", at, demand=demand, amount_fen=500, reason=f"{city.secret} it ran"),
        treasury.note(
            "redemption.disallow",
            at,
            programme=city.programme,
            contract=k1,
            amount_fen=140,
            reason=f"{city.secret} illegible",
        ),
        counted("tokens"),
        centre.note("burn.reverse", at, statement=f"{city.secret}-tokens", line=0, reason=f"{city.secret} twice"),
        counted("again"),
        claim_of("c2"),
        centre.note("reservation.release", at, reservation=city.id(firm, "r2")),
        treasury.note("mandate.end", at, mandate=city.id(treasury, "m1"), reason=f"{city.secret} is done"),
    ]


def _of_today(city: City, at: int) -> list[bytes]:
    """What comes when the rest has ended."""
    centre = city.centre.party
    key = f"{centre}/officer-2"
    delisted = {"programme": city.programme, "provider": centre, "valid_until": _in(at, DAY_US), "reason": "moved"}
    return [
        NETWORK.note("key.add", at, key, subject=centre, purpose="sign", vkey=vkey_of(key)),
        city.treasury.note(
            "programme.amend", at, programme=city.programme, closes_at=_in(at, 100 * DAY_US), reason="over"
        ),
        city.treasury.note("provider.delist", at, **delisted),
    ]


def _verdict(city: City, at: int, subject_type: str, subject: str, topic: str) -> bytes:
    return city.panel.note(
        "attestation.give",
        at,
        subject_type=subject_type,
        subject_id=subject,
        topic=topic,
        verdict="pass",
        reason=f"{city.secret} is in order",
        evidence_hash=HASH,
        valid_until=_in(at, 90 * DAY_US),
    )


def _in(at: int, later_us: int) -> str:
    return format_instant(at + later_us)
