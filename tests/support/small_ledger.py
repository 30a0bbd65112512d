"""A small ledger with every kind of event, really written by the ledger, always the same bytes.

Two programmes for GPU-time: one pays providers and lets its holders transfer with the treasury's signature, one pays
holders and claims in whole yuan. Of three contracts both pay for one. A third programme is from before the log, and for
services; an operator issues its vouchers by mandate. `write_small_ledger` can lengthen the log by tariffs, so that
the tree gets a second level.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from support.actors import ORIGIN, Actor, Json, checkpoint_of, key_of, label_of, note_of, profile_of, uscc_of, vkey_of
from support.terms import contract_of, limits_of, prices_of, rules_of
from tallystick.ledger import Admitted, Ledger, create_ledger
from tallystick.publishing import read_ledger
from tallystick.publishing.export import export_tiles
from tallystick.transparency.policy import Policy
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_day, format_instant, format_second, parse_instant

LOG_KEY = key_of(ORIGIN)
POLICY = Policy.for_log(LOG_KEY.verifier)
START = parse_instant("2026-01-05T08:00:00.000000Z")
HOUR_US = 3_600 * SECOND_US

NETWORK = Actor("network", ("root-1", "root-2"))
TREASURY = Actor("shanghai", ("officer-1", "officer-2"))
TWO_OFFICERS: Json = {
    "quorum": 2,
    "officers": {"threshold_fen": 100_000_000, "required": 2, "window_days": 30},
}
PROVIDER = Actor("guian")
OTHER_PROVIDER = Actor("wuhu")
HOLDER = Actor("maker-a")
OTHER_HOLDER = Actor("maker-b")
OPERATOR = Actor("registry")
DISTRICT = Actor("district")
ACTORS = (NETWORK, TREASURY, PROVIDER, OTHER_PROVIDER, HOLDER, OTHER_HOLDER, OPERATOR, DISTRICT)

CHEAP = "shanghai/compute-2026"
HOLDERS_OWN = "shanghai/training-2026"
MODELS = "shanghai/models-2026"
CLAIMED_FEN = 55_960  # what the provider's lines of the first two days come to; the ledger refuses any other rows


class _Clock:
    """A clock that goes on by a second whenever it is asked, and by more when it is told."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        self.now += SECOND_US
        return self.now


SIZES = (113, 163, 213, 263, 289)
"""Where commits end that only add tariffs, whatever the story before them has: tests of long logs count on these."""


def write_small_ledger(source: Path | str, *, more: int = 0, up_to: Sequence[int] = ()) -> int:
    """Write the ledger, with `more` tariffs at its end or as many as make these sizes, and return its size."""
    for actor in ACTORS:
        actor.refs = 0
    clock = _Clock()
    with create_ledger(source, _genesis(), LOG_KEY, clock=clock) as ledger:
        for group in _groups(clock):
            _submit(ledger, group)
        story = ledger.state.size
        for end in up_to or (*range(story + 50, story + more, 50), story + more):
            done = ledger.state.size - story
            _submit(ledger, [_tariff(clock.now, number) for number in range(done, end - story)])
        return ledger.state.size


def _tariff(at: int, number: int) -> bytes:
    """Return one of many tariffs, each later than those before it."""
    later = _in(at, DAY_US + number * SECOND_US)
    return PROVIDER.note("tariff.publish", at, item="h100", price_fen=1_000 + number, valid_from=later)


def export_small_ledger(ledger: Path, folder: Path, *, states_every: int | None = None) -> None:
    """Write the ledger's tlog-tiles folder, with saved states if they are asked for."""
    with read_ledger(ledger) as reader:
        export_tiles(reader, folder, states_every=states_every)


def _submit(ledger: Ledger, notes: list[bytes]) -> None:
    for answer in ledger.submit(notes):
        assert isinstance(answer, Admitted), answer


def _genesis() -> bytes:
    return NETWORK.note(
        "network.found",
        START,
        edition=1,
        name="National compute vouchers",
        currency="CNY",
        root_keys=NETWORK.vkeys,
        root_quorum=2,
        clock_skew_seconds=300,
        freshness_seconds=7 * 86_400,
        burn_window_seconds=40 * 86_400,
        release_grace_seconds=3_600,
        tariff_notice_seconds=3_600,
        takeover_seconds=86_400,
        sealing_grace_seconds=3_600,
        member_of="tallystick.example/world",
        utc_offset_seconds=8 * 3_600,
    )


def _groups(clock: _Clock) -> Iterator[list[bytes]]:
    """Yield groups of notes, each made at the time that the clock then shows."""
    yield _parties(clock.now)
    yield _programmes(clock.now)
    yield _vouchers(clock.now)
    clock.now += DAY_US
    yield _burns(clock.now)
    clock.now += DAY_US
    yield _settlement(clock.now)
    yield _sealed_days(clock.now) + _reviews(clock.now)
    yield _service_terms(clock.now)
    clock.now += 2 * DAY_US
    yield _services(clock.now)
    clock.now += 400 * DAY_US
    yield _endings(clock.now)


def _parties(at: int) -> list[bytes]:
    def admit(actor: Actor, by: Actor, role: str, **more: object) -> bytes:
        fields = {"admitted": actor.party, "role": role, "keys": actor.vkeys, **more}
        fields |= {"profile_hash": profile_of(actor.party)} if "maker" in more else {"name": actor.party}
        return by.note("party.admit", at, **fields)

    return [
        admit(TREASURY, NETWORK, "treasury", read_keys=[vkey_of("shanghai/reader-1")], **TWO_OFFICERS),
        admit(PROVIDER, NETWORK, "provider", uscc=uscc_of("guian"), meter_keys=[vkey_of("guian/meter-3")]),
        admit(OTHER_PROVIDER, NETWORK, "provider", uscc=uscc_of("wuhu")),
        admit(Actor("court"), NETWORK, "auditor"),
        admit(HOLDER, TREASURY, "holder", uscc=uscc_of("maker-a")),
        admit(OTHER_HOLDER, TREASURY, "holder", maker=True),
        TREASURY.note("party.amend", at, name="Treasury of Shanghai", **TWO_OFFICERS),
        PROVIDER.note("key.add", at, "guian/meter-2", subject="guian", purpose="meter", vkey=vkey_of("guian/meter-2")),
        PROVIDER.note(
            "key.revoke", at, subject="guian", key=label_of("guian/meter-2"), cause="superseded", reason="replaced"
        ),
        NETWORK.note("party.suspend", at, subject="court", reason="on leave"),
        NETWORK.note("party.reinstate", at, subject="court", reason="back"),
    ]


def _programmes(at: int) -> list[bytes]:
    terms: Json = {
        "name": "Vouchers",
        "voucher_kind": "compute",
        "fiscal_year": 2026,
        "envelope_fen": 10_000_000_000,
        "opens_at": format_instant(START),
        "closes_at": format_instant(START + 600 * DAY_US),
    }
    claims = {"cycle": "any", "cut_off_days": 90}
    cheap = rules_of(
        transfer="approved", claims=claims, cap={"group": "compute", "holder_fen": 2_000_000_000, "floor_fen": 100}
    )
    holders_own = rules_of(transfer="open", payee="holder", rounding_fen=100, rank=2, ceiling_bp=4_000, claims=claims)

    def accredit(programme: str, provider: str) -> bytes:
        limits = limits_of("ascend-910b", "h100")
        fields = {"programme": programme, "provider": provider, "valid_from": _in(at, 0), "items": limits}
        return TREASURY.note("provider.accredit", at, **fields)

    return [
        NETWORK.note("item.register", at, item="ascend-910b", unit="gpu_time", name="Ascend 910B", origin="domestic"),
        NETWORK.note("item.register", at, item="h100", unit="gpu_time", name="H100", origin="foreign"),
        PROVIDER.note("tariff.publish", at, item="ascend-910b", price_fen=600, valid_from=_in(at, HOUR_US)),
        PROVIDER.note("tariff.publish", at, item="h100", price_fen=1_500, valid_from=_in(at, HOUR_US)),
        TREASURY.note("programme.open", at, programme=CHEAP, rules=cheap, **terms),
        TREASURY.note("programme.open", at, programme=HOLDERS_OWN, rules=holders_own, **terms),
        accredit(CHEAP, "guian"),
        accredit(HOLDERS_OWN, "guian"),
        accredit(CHEAP, "wuhu"),
        *[_contract(name, at) for name in ("k1", "k2", "k3")],
        PROVIDER.note(
            "contract.amend", at, "maker-a/officer-1", contract="maker-a/k3", last_day=format_day(at // DAY_US + 100)
        ),
        PROVIDER.note(
            "capacity.declare",
            at,
            capacity=[{"item": "ascend-910b", "installed": 512}, {"item": "h100", "installed": 64}],
            first_day=format_day(at // DAY_US + 1),
        ),
    ]


def _contract(name: str, at: int) -> bytes:
    first_day, last_day = format_day(at // DAY_US), format_day(at // DAY_US + 200)
    fields = contract_of(f"maker-a/{name}", "maker-a", "guian", first_day, last_day)
    prices = prices_of(ascend_910b=600, h100=1_500)
    return HOLDER.note("contract.sign", at, "guian/officer-1", **fields | {"items": prices})


def _vouchers(at: int) -> list[bytes]:
    def issue(name: str, programme: str, holder: str, face_fen: int, *cosigners: str) -> bytes:
        return TREASURY.note(
            "voucher.issue",
            at,
            *cosigners,
            voucher=f"shanghai/{name}",
            programme=programme,
            holder=holder,
            face_fen=face_fen,
            valid_from=_in(at, 0),
        )

    def reserve(name: str, voucher: str, contract: str, amount_fen: int, days: int = 30) -> bytes:
        return HOLDER.note(
            "voucher.reserve",
            at,
            reservation=f"maker-a/{name}",
            voucher=voucher,
            contract=f"maker-a/{contract}",
            amount_fen=amount_fen,
            until=_in(at, days * DAY_US),
        )

    return [
        issue("v1", CHEAP, "maker-a", 150_000_000),
        issue("v2", HOLDERS_OWN, "maker-a", 50_000_000),
        issue("v3", CHEAP, "maker-b", 10_000_000),
        issue("v4", CHEAP, "maker-b", 20_000_000),
        HOLDER.note(
            "voucher.transfer",
            at,
            "shanghai/officer-1",
            voucher="shanghai/v1",
            into="maker-a/part-1",
            to="maker-b",
            amount_fen=30_000_000,
        ),
        TREASURY.note("voucher.suspend", at, voucher="shanghai/v3", reason="contract under review"),
        TREASURY.note("voucher.resume", at, voucher="shanghai/v3", reason="contract is fine"),
        TREASURY.note("voucher.revoke", at, voucher="shanghai/v4", reason="contract ended"),
        reserve("r1", "shanghai/v1", "k1", 60_000_000),
        reserve("r2", "shanghai/v2", "k2", 20_000_000),
        reserve("r3", "shanghai/v1", "k3", 5_000),
        reserve("r4", "shanghai/v1", "k1", 1_000_000),
        reserve("r5", "shanghai/v1", "k2", 2_000),
    ]


def _burns(at: int) -> list[bytes]:
    noon = at - 4 * HOUR_US

    def line(job: str, gpus: int, hours: int, **options: object) -> list[object]:
        begin, end = format_second(noon), format_second(noon + hours * HOUR_US)
        return [job, gpus * 1_000, begin, end, hours * 3_600, *([options] if options else [])]

    def burn(contract: str, *lines: list[object], h100: list[object] | None = None, **ref: str) -> bytes:
        groups = [{"item": "ascend-910b", "lines": list(lines)}]
        if h100:
            groups.append({"item": "h100", "lines": [h100]})
        return PROVIDER.note("time.burn", at, contract=f"maker-a/{contract}", groups=groups, **ref)

    train = line("train-7", 64, 3), line("train-7", 8, 1)
    return [
        *[burn("k1", line(f"single-{number}", 8, 1)) for number in range(7)],
        burn("k1", *[line(f"single-{number}", 8, 1) for number in (7, 8, 9)]),
        burn("k1", *train, h100=line("train-8", 8, 2), ref="train"),
        burn("k2", line("tune-1", 16, 3, pay_available=True), h100=line("tune-2", 5, 1), ref="tune"),
        burn("k3", line("drain-1", 512, 3, pay_available=True), line("drain-2", 1, 1)),
        PROVIDER.note("burn.reverse", at, statement="train", line=2, reason="metered twice"),
        PROVIDER.note("burn.reverse", at, statement="tune", line=1, reason="metered twice"),
        PROVIDER.note("reservation.release", at, reservation="maker-a/r4"),
    ]


def _settlement(at: int) -> list[bytes]:
    """What the provider claims is paid but for a part, which it claims again; some of that is asked back, and comes."""
    last_day, today = format_day(at // DAY_US - 1), format_day(at // DAY_US)

    def claim(actor: Actor, name: str, programme: str) -> bytes:
        fields = {"claim": f"{actor.party}/{name}", "programme": programme, "last_day": last_day}
        return actor.note("redemption.claim", at, **fields)

    def settle(name: str, *rows: Json, paid_fen: int, **more: object) -> bytes:
        payment = {"amount_fen": paid_fen, "day": today, "reference": f"payment of {name}"}
        return TREASURY.note("redemption.settle", at, claim=f"guian/{name}", rows=[*rows], payment=payment, **more)

    def row(contract: str, paid_fen: int, **withheld: object) -> Json:
        return {"contract": f"maker-a/{contract}", "paid_fen": paid_fen, **withheld}

    demand: Json = {"demand": "shanghai/d1", "programme": CHEAP, "payee": "guian", "amount_fen": 3_000}
    disallowed: Json = {"programme": CHEAP, "contract": "maker-a/k1", "amount_fen": 1_500}
    no_invoice, illegible = (
        {"withheld_fen": 10_000, "reason": "no invoice"},
        {"withheld_fen": 2_000, "reason": "illegible"},
    )
    others_fen = CLAIMED_FEN - 48_960
    first = row("k1", 38_960, **no_invoice), row("k2", 2_000), row("k3", others_fen - 2_000)
    received = {"amount_fen": 1_200, "day": today, "reference": "return of d1"}
    return [
        claim(PROVIDER, "c1", CHEAP),
        claim(HOLDER, "c2", HOLDERS_OWN),
        settle("c1", *first, paid_fen=38_960 + others_fen),
        TREASURY.note("recovery.demand", at, reason="never ran", evidence_hash=f"sha256:{'bc' * 32}", **demand),
        claim(PROVIDER, "c3", CHEAP),
        settle(
            "c3",
            row("k1", 8_000, **illegible),
            paid_fen=7_000,
            offsets=[{"demand": "shanghai/d1", "amount_fen": 1_000}],
        ),
        TREASURY.note("redemption.disallow", at, reason="still illegible", **disallowed),
        TREASURY.note("recovery.receive", at, demand="shanghai/d1", payment=received),
        TREASURY.note("recovery.cancel", at, demand="shanghai/d1", amount_fen=300, reason="it ran after all"),
    ]


def _sealed_days(at: int) -> list[bytes]:
    """A seal, and after it a line that corrects the one of train-8, one that comes too late, and one that says so."""
    noon = at - DAY_US - 4 * HOUR_US
    times = [4_000, format_second(noon), format_second(noon + HOUR_US), 3_600]
    lines = [
        ["train-8", *times, {"corrects": {"statement": "train", "line": 2}}],
        ["late-1", *times],
        ["late-2", *times, {"prior_period": True}],
    ]
    return [
        NETWORK.note("party.admit", at, admitted="registry", role="operator", name="The register", keys=OPERATOR.vkeys),
        OPERATOR.note("book.seal", at, seal="registry/first", last_day=format_day(at // DAY_US - 1)),
        PROVIDER.note(
            "time.burn", at, contract="maker-a/k1", groups=[{"item": "h100", "lines": lines}], ref="corrected"
        ),
    ]


def _reviews(at: int) -> list[bytes]:
    application: Json = {"application": "maker-a/a1", "programme": CHEAP, "amount_fen": 150_000_000}
    attester: Json = {"admitted": "district", "role": "attester", "name": "The district", "keys": DISTRICT.vkeys}
    declared: Json = {"related_party": False, "other_support_fen": 0}
    return [
        HOLDER.note("application.file", at, declarations=declared, evidence_hash=f"sha256:{'ab' * 32}", **application),
        NETWORK.note("party.admit", at, **attester),
        DISTRICT.note(
            "attestation.give",
            at,
            subject_type="application",
            subject_id="maker-a/a1",
            topic="authenticity",
            verdict="fail",
            reason="two papers are missing",
            evidence_hash=f"sha256:{'cd' * 32}",
            valid_until=_in(at, 90 * DAY_US),
        ),
        HOLDER.note("application.withdraw", at, application="maker-a/a1"),
    ]


def _service_terms(at: int) -> list[bytes]:
    """A programme for services, and its vouchers: one is from before the log, one is issued by mandate."""
    terms: Json = {
        "name": "Models",
        "voucher_kind": "model",
        "fiscal_year": 2026,
        "envelope_fen": 2_000_000_000,
        "opens_at": _in(START, -60 * DAY_US),
        "closes_at": _in(START, 600 * DAY_US),
    }
    reviewed = {"before": "settle", "subject_type": "contract", "topic": "usage", "other_side": True, "passes": 1}
    days = format_day(at // DAY_US), format_day(at // DAY_US + 100)
    counted = contract_of("maker-a/k4", "maker-a", "guian", *days, items=prices_of(tokens=200))
    invoiced = contract_of("maker-a/k5", "maker-a", "guian", *days, items=prices_of(h100=1_500), basis="invoiced")
    mandate: Json = {
        "mandate": "shanghai/m1",
        "operator": "registry",
        "kinds": ["voucher.issue/1", "voucher.suspend/1"],
    }
    issued: Json = {"programme": MODELS, "holder": "maker-a", "face_fen": 500_000, "mandate": "shanghai/m1"}
    brought: Json = {"programme": MODELS, "holder": "maker-b", "face_fen": 80_000, "used_fen": 30_000}

    def reserve(name: str, contract: str, amount_fen: int) -> bytes:
        fields = {"voucher": "registry/v5", "contract": f"maker-a/{contract}", "amount_fen": amount_fen}
        return HOLDER.note("voucher.reserve", at, reservation=f"maker-a/{name}", until=_in(at, 30 * DAY_US), **fields)

    return [
        NETWORK.note("item.register", at, item="tokens", unit="count", counted="a million tokens", name="Tokens"),
        PROVIDER.note("tariff.publish", at, item="tokens", price_fen=250, valid_from=_in(at, HOUR_US)),
        TREASURY.note(
            "programme.open", at, programme=MODELS, rules=rules_of(rank=3, basis="both", gates=[reviewed]), **terms
        ),
        TREASURY.note(
            "provider.accredit",
            at,
            programme=MODELS,
            provider="guian",
            valid_from=_in(at, 0),
            items=limits_of("h100", "tokens"),
        ),
        HOLDER.note("contract.sign", at, "guian/officer-1", **counted),
        HOLDER.note("contract.sign", at, "guian/officer-1", **invoiced),
        TREASURY.note("mandate.give", at, each_fen=500_000, total_fen=800_000, until=_in(at, 90 * DAY_US), **mandate),
        OPERATOR.note("voucher.issue", at, voucher="registry/v5", valid_from=_in(at, 0), **issued),
        TREASURY.note(
            "voucher.import",
            at,
            voucher="shanghai/v6",
            valid_from=_in(START, -10 * DAY_US),
            valid_until=_in(START, 50 * DAY_US),
            evidence_hash=f"sha256:{'ef' * 32}",
            **brought,
        ),
        reserve("r6", "k4", 100_000),
        reserve("r7", "k5", 50_000),
        HOLDER.note("reservation.extend", at, reservation="maker-a/r6", amount_fen=20_000, until=_in(at, 40 * DAY_US)),
    ]


def _services(at: int) -> list[bytes]:
    """What was counted on one day, what was invoiced for a month, and one that was taken back."""
    day, month_later = format_day(at // DAY_US - 1), format_day(at // DAY_US + 29)
    counted: Json = {"contract": "maker-a/k4", "item": "tokens", "first_day": day, "last_day": day}
    invoiced: Json = {"contract": "maker-a/k5", "item": "h100", "first_day": day, "last_day": month_later}
    return [
        PROVIDER.note("service.burn", at, **counted, quantity=1_000, ref="tokens"),
        PROVIDER.note("burn.reverse", at, statement="tokens", line=0, reason="counted twice"),
        PROVIDER.note(
            "service.burn", at, **counted, quantity=500, corrects={"statement": "tokens", "line": 0}, ref="counted"
        ),
        PROVIDER.note(
            "service.burn", at, **invoiced, fee_fen=70_000, document_hash=f"sha256:{'ba' * 32}", ref="invoice"
        ),
        TREASURY.note("mandate.end", at, mandate="shanghai/m1", reason="the register is done"),
        TREASURY.note(
            "programme.amend", at, programme=MODELS, envelope_fen=1_000_000_000, reason="the council took half"
        ),
    ]


def _endings(at: int) -> list[bytes]:
    asked: Json = {"application": "maker-b/a2", "programme": CHEAP, "amount_fen": 50_000}
    return [
        NETWORK.note(
            "key.add", at, "guian/officer-2", subject="guian", purpose="sign", vkey=vkey_of("guian/officer-2")
        ),
        HOLDER.note("reservation.release", at, reservation="maker-a/r1"),
        TREASURY.note("book.expire", at),
        OTHER_HOLDER.note(
            "application.file",
            at,
            declarations={"related_party": False, "other_support_fen": 0},
            evidence_hash=f"sha256:{'ab' * 32}",
            **asked,
        ),
        *[
            TREASURY.note("voucher.issue", at, valid_from=_in(at, HOUR_US), programme=CHEAP, face_fen=20_000, **new)
            for new in (
                {"voucher": "shanghai/v7", "holder": "maker-a"},
                {"voucher": "shanghai/v8", "holder": "maker-b", "application": "maker-b/a2"},
            )
        ],
        TREASURY.note("programme.amend", at, programme=CHEAP, closes_at=_in(at, HOUR_US), reason="the year is over"),
        note_of(
            PROVIDER.command("key.rotate", at, key=label_of("guian/meter-3"), vkey=vkey_of("guian/meter-4")),
            "guian/meter-3",
            "guian/meter-4",
        ),
        PROVIDER.note("tariff.publish", at, item="h100", price_fen=999, valid_from=_in(at, HOUR_US)),
        TREASURY.note(
            "provider.delist", at, programme=CHEAP, provider="wuhu", valid_until=_in(at, DAY_US), reason="left"
        ),
        PROVIDER.note("record.withdraw", at, record={"type": "tariff", "item": "h100", "valid_from": _in(at, HOUR_US)}),
        OPERATOR.note(
            "checkpoint.record",
            at,
            checkpoint=checkpoint_of("tallystick.example/world", 1_000),
            log_vkey=vkey_of("tallystick.example/world"),
        ),
        OPERATOR.note("book.seal", at, seal="registry/2026", last_day=format_day(at // DAY_US - 2)),
    ]


def _in(at: int, later_us: int) -> str:
    return format_instant(at + later_us)


REPLACED = sum(len(notes) for notes in (_parties(START), _programmes(START), _vouchers(START)))
"""The last entry of its second: it may be a moment later without being later than the next."""
