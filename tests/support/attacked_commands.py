"""Commands of every kind, for attacks on a city (attacked_city.py).

Where several would do `World.pick` is asked: the first of them is one that is accepted, if the party's role may command
it and enough have signed.
"""

from collections.abc import Callable
from typing import Any, Final

from support.actors import ORIGIN, Json, checkpoint_of, label_of, uscc_of, vkey_of
from support.attacked_city import (
    EVIDENCE,
    GENESIS,
    HOUR_US,
    LATER_US,
    MANDATED,
    PRICES,
    START,
    TERMS,
    THRESHOLD_FEN,
    World,
    programme_rules,
)
from support.terms import contract_of, limits_of
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_instant, format_second
from tallystick.vouchers.rulebook import EVENT_KINDS

KINDS: Final = tuple(sorted(kind.removesuffix("/1") for kind in EVENT_KINDS))
FACE_FEN: Final = 100_000


def command_of(world: World, party: str, kind: str, **changed: Any) -> Json:
    """A command of a kind for a party."""
    fields: Json = PLAIN[kind] if kind in PLAIN else CHOSEN[kind](world, party)
    return {**world.envelope(party, kind), **fields, **changed}


def _party_admit(world: World, party: str) -> Json:
    name = f"new-{world.serial}"
    role = "holder" if party in ("city", "town") else "provider"
    return {"admitted": name, "role": role, "name": name, "keys": [vkey_of(f"{name}/sign-1")], "uscc": uscc_of(name)}


def _party_amend(world: World, party: str) -> Json:
    if party != "city":
        return {"name": "Another name"}
    rule: Json = world.pick([world.officers, {}, {"quorum": 2}])
    return {"name": "City"} | rule


def _suspend(world: World, party: str) -> Json:
    parties = world.state.parties.items()
    under = [name for name, one in parties if one.admitter == party and not (one.suspended or name == "maker")]
    return {"subject": world.pick([*reversed(under), "nobody"]), "reason": "x"}


def _reinstate(world: World, party: str) -> Json:
    under = [name for name, one in world.state.parties.items() if one.admitter == party and one.suspended]
    return {"subject": world.pick([*under, "nobody"]), "reason": "x"}


def _key_add(world: World, party: str) -> Json:
    vkey = vkey_of(f"{party}/more-{world.serial}")
    return {"subject": party, "purpose": world.pick(["sign", "meter", "read"]), "vkey": vkey}


def _key_rotate(world: World, party: str) -> Json:
    return {"key": label_of(f"{party}/sign-1"), "vkey": vkey_of(f"{party}/next-{world.serial}")}


def _key_revoke(world: World, party: str) -> Json:
    key = f"{party}/{world.pick(['read-1', 'meter-1', 'sign-1', 'sign-2'])}"
    return {"subject": party, "key": label_of(key), "cause": "ceased", "reason": "x"}


def _withdraw(world: World, party: str) -> Json:
    later = {"valid_from": format_instant(START + LATER_US)}
    tariff = {"type": "tariff", "item": "gpu"} | later
    place = {"type": "accreditation", "programme": f"{party}/p", "provider": "far-hall"} | later
    options: list[Json] = [{"type": "party", "party": name} for name in ("fresh", "hall", "maker")]
    own = {"hall": [tariff], "city": [place], "town": [place]}.get(party, [])
    return {"record": world.pick([*own, *options])}


def _tariff(world: World, party: str) -> Json:
    return {"item": "tokens", "price_fen": world.pick([500, 10_000_000]), "valid_from": world.instant(DAY_US)}


def _open(world: World, party: str) -> Json:
    return {"programme": world.new(party), "rules": programme_rules(), **TERMS}


def _amend(world: World, party: str) -> Json:
    programme = world.pick(world.own(party, world.state.programmes, ["city/p"]))
    return {"programme": programme, "reason": "x", "envelope_fen": world.pick([2 * 10**10, 1])}


def _accredit(world: World, party: str) -> Json:
    place = {"programme": f"{party}/q", "provider": "hall", "valid_from": world.instant()}
    return place | {"items": limits_of("gpu", "tokens")}


def _delist(world: World, party: str) -> Json:
    return {"programme": f"{party}/p", "provider": "hall", "valid_until": world.instant(), "reason": "x"}


def _mandate(world: World, party: str) -> Json:
    limits = {"each_fen": 10**8, "total_fen": 10**9, "until": world.instant(366 * DAY_US)}
    return {"mandate": world.new(party), "operator": world.pick(["platform", "desk"]), "kinds": MANDATED} | limits


def _end_mandate(world: World, party: str) -> Json:
    return {"mandate": world.pick(world.own(party, world.state.mandates, ["city/m"])), "reason": "x"}


def _contract(world: World, party: str) -> Json:
    terms = contract_of(world.new(party), "maker", "hall", world.day(), world.day(3_000), items=PRICES)
    return terms | {"claimant": world.pick(["provider", "either", "holder"])}


def _apply(world: World, party: str) -> Json:
    declared = {"related_party": False, "other_support_fen": 0}
    fields = {"application": world.new(party), "programme": "city/p", "amount_fen": 10**6, "declarations": declared}
    return fields | EVIDENCE


def _verdict(world: World, party: str) -> Json:
    subject = world.pick([("contract", "maker/k"), ("claim", "hall/c-1"), ("holder", "maker"), ("provider", "hall")])
    verdict = {"subject_type": subject[0], "subject_id": subject[1], "topic": "usage", "reason": "x"}
    return verdict | EVIDENCE | {"verdict": world.pick(["pass", "fail"]), "valid_until": world.instant(90 * DAY_US)}


def _by_mandate(world: World, party: str) -> Json:
    mandates = [name for name, one in world.state.mandates.items() if one.operator == party]
    return {"mandate": world.pick([*reversed(mandates)])} if mandates else {}


def _programme_of(world: World, party: str) -> str:
    programme: str = world.pick(["town/p"] if party == "town" else ["city/p", "city/h", "city/q"])
    return programme


def _issue(world: World, party: str) -> Json:
    holder = world.pick(["maker", "other"])
    amount_fen = world.pick([FACE_FEN, THRESHOLD_FEN, THRESHOLD_FEN // 3, THRESHOLD_FEN + 1, 1])
    fields = {"voucher": world.new(party), "programme": _programme_of(world, party), "holder": holder}
    return fields | {"face_fen": amount_fen, "valid_from": world.instant()} | _by_mandate(world, party)


def _import(world: World, party: str) -> Json:
    fields = {"voucher": world.new(party), "programme": _programme_of(world, party), "holder": "maker"}
    dates = {"valid_from": format_instant(START - DAY_US), "valid_until": world.instant(90 * DAY_US)}
    return fields | dates | EVIDENCE | {"face_fen": FACE_FEN, "used_fen": world.pick([FACE_FEN, 0])}


def _voucher(world: World, party: str, *status: str) -> str:
    wanted = [name for name, one in world.state.vouchers.items() if one.status in status]
    mine = [name for name in wanted if _treasury_of(world, world.state.vouchers[name].programme) == _acts_for(party)]
    voucher: str = world.pick([*reversed(mine)])
    return voucher


def _acts_for(party: str) -> str:
    """Return the treasury whose things a party is after."""
    return "town" if party == "town" else "city"


def _treasury_of(world: World, programme: str) -> str:
    return world.state.programmes[programme].treasury


def _of_voucher(*status: str) -> Callable[[World, str], Json]:
    return lambda world, party: {"voucher": _voucher(world, party, *status), "reason": "x"} | _by_mandate(world, party)


def _good(world: World, party: str, programme: str) -> str:
    held = [
        name
        for name, one in world.state.vouchers.items()
        if one.holder == party and one.programme == programme and one.status == "active"
    ]
    voucher: str = world.pick([*reversed(held)])
    return voucher


def _transfer(world: World, party: str) -> Json:
    amount_fen = world.pick([1, FACE_FEN])
    return {"voucher": _good(world, party, "city/p"), "into": world.new(party), "to": "other", "amount_fen": amount_fen}


def _reserve(world: World, party: str) -> Json:
    voucher = _good(world, party, world.pick(["city/p", "city/h", "city/q"]))
    available_fen = min(world.state.book["available", voucher], 10**7)
    fields = {"reservation": world.new(party), "voucher": voucher, "contract": "maker/k"}
    return fields | {"amount_fen": max(1, world.pick([available_fen, 1])), "until": world.instant(60 * DAY_US)}


def _reservation(world: World, party: str) -> str:
    """An open one: of a treasury or by its mandate one whose provider is out, of a provider its own."""
    reservations = {name: one for name, one in world.state.reservations.items() if not one.closed}
    providers = {"hall": ["hall"], "maker": ["idle-hall", "hall"]}.get(party, ["idle-hall", "hall"])
    found = [
        name
        for provider in providers
        for name, one in reservations.items()
        if one.provider == provider
        and (party in ("hall", "maker") or _treasury_of(world, one.programme) == _acts_for(party))
    ]
    reservation: str = world.pick(found)
    return reservation


def _extend(world: World, party: str) -> Json:
    open_ones = [
        name
        for name, one in world.state.reservations.items()
        if not one.closed and one.provider == "hall" and world.state.ends_of(one) > world.at
    ]
    return {"reservation": world.pick(open_ones), "amount_fen": 1}


def _burn(world: World, party: str) -> Json:
    now = world.at - world.at % SECOND_US
    begin, end = format_second(now - HOUR_US), format_second(now)
    milli = world.pick([8_000, 800_000, 10_000_000])
    line = [f"job-{world.serial}", milli, begin, end, 3_600, {"pay_available": True}]
    return {"contract": "maker/k", "groups": [{"item": "gpu", "lines": [line]}]}


def _reverse(world: World, party: str) -> Json:
    return {"statement": world.pick([*reversed(world.state.statements.get("hall", {}))]), "line": 0, "reason": "x"}


def _count(world: World, party: str) -> Json:
    day = world.day(-1)
    fields = {"contract": "maker/k", "item": "tokens", "first_day": day, "last_day": day, "pay_available": True}
    return fields | {"quantity": world.pick([1, 100_000])}


def _claim(world: World, party: str) -> Json:
    programme = "city/h" if party == "maker" else world.pick(["city/p", "city/q"])
    return {"claim": world.new(party), "programme": programme, "last_day": world.day(-1)}


def _settle(world: World, party: str) -> Json:
    """In full, a part or nothing of an open claim, what is owed set off or not."""
    claims = [name for name, one in world.state.claims.items() if one.status == "open"]
    claim = world.pick(
        [one for one in claims if _treasury_of(world, world.state.claims[one].programme) == _acts_for(party)]
    )
    if claim not in world.state.claims:
        return {"claim": claim, "rows": [{"contract": "maker/k", "paid_fen": 0}]} | _by_mandate(world, party)
    by_contract: dict[str, int] = {}
    for lot, amount_fen in world.state.claimed(claim):
        by_contract[lot.contract] = by_contract.get(lot.contract, 0) + amount_fen
    rows: list[Json] = []
    for contract, amount_fen in by_contract.items():
        paid_fen = min(amount_fen, world.pick([amount_fen, 0, THRESHOLD_FEN // 3, THRESHOLD_FEN]))
        rows.append({"contract": contract, "paid_fen": paid_fen})
        if paid_fen < amount_fen:
            rows[-1] |= {"withheld_fen": amount_fen - paid_fen, "reason": "x"}
    due_fen = sum(row["paid_fen"] for row in rows)
    fields: Json = {"claim": claim, "rows": rows} | _by_mandate(world, party)
    owed = [name for name, one in world.state.demands.items() if one.payee == world.state.claims[claim].claimant]
    demand = world.pick([None, *owed])
    if demand is not None:
        offset_fen = min(due_fen, world.state.book["receivable", demand])
        if offset_fen:
            fields["offsets"] = [{"demand": demand, "amount_fen": offset_fen}]
            due_fen -= offset_fen
    if due_fen:
        fields["payment"] = _payment(world, due_fen)
    return fields


def _payment(world: World, amount_fen: int) -> Json:
    return {"amount_fen": amount_fen, "day": world.day(), "reference": f"payment {world.serial}"}


def _disallow(world: World, party: str) -> Json:
    contract = "maker/kt" if party == "town" else "maker/k"
    amount_fen = world.pick([1, 1_000])
    return {"programme": f"{_acts_for(party)}/p", "contract": contract, "amount_fen": amount_fen, "reason": "x"}


def _demand(world: World, party: str) -> Json:
    paid = [one for one in world.state.book.balances["paid"] if one.startswith(f"{_acts_for(party)}/")]
    programme, _, payee = world.pick([*paid, "city/p hall"]).partition(" ")
    paid_fen = world.state.book["paid", f"{programme} {payee}"]
    amount_fen = max(1, min(paid_fen, world.pick([1, paid_fen, THRESHOLD_FEN, THRESHOLD_FEN // 2])))
    fields = {"demand": world.new(party), "programme": programme, "payee": payee if payee != "-" else "hall"}
    return fields | EVIDENCE | {"amount_fen": amount_fen, "reason": "x"}


def _of_demand(world: World, party: str) -> str:
    of_treasury = world.own(_acts_for(party), world.state.demands)
    demand: str = world.pick([name for name in of_treasury if world.state.book["receivable", name]])
    return demand


def _receive(world: World, party: str) -> Json:
    return {"demand": _of_demand(world, party), "payment": _payment(world, world.pick([1, 1_000]))}


def _cancel(world: World, party: str) -> Json:
    return {"demand": _of_demand(world, party), "amount_fen": world.pick([1, 1_000]), "reason": "x"}


PLAIN: Final[dict[str, Json]] = {
    "network.found": GENESIS,
    "rules.adopt": {"edition": 1},
    "checkpoint.record": {
        "checkpoint": checkpoint_of("other.example/log", 5),
        "log_vkey": vkey_of("other.example/log"),
    },
    "log.rekey": {"old_vkey": vkey_of(ORIGIN), "overlap_seconds": 0} | {"new_vkey": vkey_of(f"{ORIGIN}:thief/log")},
    "contract.amend": {"contract": "maker/k", "amount_fen": 10**13},
    "book.expire": {},
    "application.withdraw": {"application": "maker/a"},
}
CHOSEN: Final[dict[str, Callable[[World, str], Json]]] = {
    "party.admit": _party_admit,
    "party.amend": _party_amend,
    "party.suspend": _suspend,
    "party.reinstate": _reinstate,
    "key.add": _key_add,
    "key.rotate": _key_rotate,
    "key.revoke": _key_revoke,
    "item.register": lambda world, _: {"item": f"item-{world.serial}", "name": "x", "unit": "gpu_time"},
    "tariff.publish": _tariff,
    "capacity.declare": lambda world, _: {"capacity": [], "first_day": world.day(world.pick([1, 2]))},
    "programme.open": _open,
    "programme.amend": _amend,
    "provider.accredit": _accredit,
    "provider.delist": _delist,
    "record.withdraw": _withdraw,
    "mandate.give": _mandate,
    "mandate.end": _end_mandate,
    "contract.sign": _contract,
    "application.file": _apply,
    "attestation.give": _verdict,
    "voucher.issue": _issue,
    "voucher.import": _import,
    "voucher.suspend": _of_voucher("active"),
    "voucher.resume": _of_voucher("suspended"),
    "voucher.revoke": _of_voucher("active"),
    "voucher.transfer": _transfer,
    "voucher.reserve": _reserve,
    "reservation.extend": _extend,
    "reservation.release": lambda world, party: {"reservation": _reservation(world, party)} | _by_mandate(world, party),
    "time.burn": _burn,
    "burn.reverse": _reverse,
    "service.burn": _count,
    "redemption.claim": _claim,
    "redemption.settle": _settle,
    "redemption.disallow": _disallow,
    "recovery.demand": _demand,
    "recovery.receive": _receive,
    "recovery.cancel": _cancel,
    "book.seal": lambda world, party: {"seal": world.new(party), "last_day": world.day(-1)},
}
