"""A log whose texts are made to harm the pages that show them: every party, programme and item has such a name."""

from pathlib import Path
from typing import Final

from support.actors import ORIGIN, Actor, key_of, uscc_of
from support.burning import BEGIN, Clock
from support.terms import contract_of, founding_of, limits_of, rules_of
from tallystick.ledger import Admitted, create_ledger
from tallystick.vouchers.quantities import DAY_US, INTEGER_MAX, format_day, format_instant

HTML: Final = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'`--> </title></table> &lt;b&gt;"
TEMPLATE: Final = "{{ 7 * 7 }} {% include '/etc/passwd' %} ${7*7} %(name)s %s {0}"
RIGHT_TO_LEFT: Final = "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 \u202e12.00 nettiM\u202d \u2066x"
LONG: Final = "W" * 200
LONG_CHINESE: Final = "算" * 200
EMOJI: Final = "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466\U0001f1e8\U0001f1f3\U0001f9ee " * 20
LINK: Final = "javascript:alert(3) https://elsewhere.invalid/a //elsewhere.invalid/b"
NAMES: Final = (HTML, TEMPLATE, RIGHT_TO_LEFT, LONG, LONG_CHINESE, EMOJI, LINK)


def write_hostile(folder: Path) -> None:
    """Write the log: a programme and a voucher of all the money that there can be, and one that was reserved."""
    network, treasury, provider, holder, other = (
        Actor(name) for name in ("network", "treasury", "provider", "holder", "other")
    )
    begin, until = format_instant(BEGIN), format_instant(BEGIN + 300 * DAY_US)

    def admitted(by: Actor, who: Actor, role: str, name: str) -> bytes:
        more = {} if role == "treasury" else {"uscc": uscc_of(who.party)}
        return by.note("party.admit", BEGIN, admitted=who.party, role=role, name=name, keys=who.vkeys, **more)

    cap = {"group": "compute", "holder_fen": INTEGER_MAX, "floor_fen": 0}
    notes = [
        network.note("network.found", BEGIN, **founding_of(*network.vkeys, name=HTML)),
        network.note("item.register", BEGIN, item="ascend-910b", unit="gpu_time", name=TEMPLATE, origin="domestic"),
        admitted(network, treasury, "treasury", HTML),
        admitted(network, provider, "provider", RIGHT_TO_LEFT),
        admitted(treasury, holder, "holder", LONG),
        admitted(treasury, other, "holder", EMOJI[:200]),
        admitted(treasury, Actor("third"), "holder", LINK),
        provider.note("tariff.publish", BEGIN, item="ascend-910b", price_fen=600, valid_from=begin),
        treasury.note(
            "programme.open",
            BEGIN,
            programme="treasury/2026",
            name=LONG_CHINESE,
            voucher_kind="compute",
            fiscal_year=2026,
            envelope_fen=INTEGER_MAX,
            opens_at=begin,
            closes_at=until,
            rules=rules_of(cap=cap, validity_days=365),
        ),
        treasury.note(
            "provider.accredit",
            BEGIN,
            programme="treasury/2026",
            provider="provider",
            valid_from=begin,
            items=limits_of("ascend-910b"),
        ),
        holder.note(
            "contract.sign",
            BEGIN,
            "provider/officer-1",
            **contract_of(f"holder/{'k' * 64}", "holder", "provider", "2026-01-01", format_day(BEGIN // DAY_US + 300)),
        ),
        treasury.note(
            "voucher.issue",
            BEGIN,
            voucher="treasury/v1",
            programme="treasury/2026",
            holder="holder",
            face_fen=INTEGER_MAX,
            valid_from=begin,
        ),
        treasury.note("party.suspend", BEGIN, subject="other", reason=HTML),
    ]
    genesis, *rest = notes
    with create_ledger(folder, genesis, key_of(ORIGIN), clock=Clock()) as ledger:
        refused = [answer for answer in ledger.submit(rest) if not isinstance(answer, Admitted)]
    assert not refused, refused
