"""A founded network in which one provider may burn one holder's reservation, and the notes that burn it."""

from itertools import count

from support.actors import ORIGIN, Actor, key_of, uscc_of
from support.terms import contract_of, founding_of, limits_of, rules_of
from tallystick.ledger import Ledger
from tallystick.vouchers.quantities import (
    DAY_US,
    SECOND_US,
    format_day,
    format_instant,
    format_second,
    parse_instant,
)
from tallystick.vouchers.refusals import Reason, Refusal

BEGIN = parse_instant("2026-01-01T00:00:00.000000Z")
NOW = BEGIN + 30 * DAY_US
LOG_KEY = key_of(ORIGIN)
RESERVED_FEN = 10**12
FEN_A_LINE = 1_440

_jobs = count()


def founding_notes() -> list[bytes]:
    """The commands that lead to a reservation of `RESERVED_FEN`: entries 0 to 10."""
    network, treasury, provider, holder = (Actor(name) for name in ("network", "treasury", "provider", "holder"))
    begin, until = format_instant(BEGIN), format_instant(BEGIN + 300 * DAY_US)
    money = 10**13
    return [
        network.note(
            "network.found",
            BEGIN,
            **founding_of(*network.vkeys, burn_window_seconds=92 * 86_400, takeover_seconds=86_400),
        ),
        network.note(
            "item.register", BEGIN, item="ascend-910b", unit="gpu_time", name="Ascend 910B", origin="domestic"
        ),
        network.note("party.admit", BEGIN, admitted="treasury", role="treasury", name="Treasury", keys=treasury.vkeys),
        network.note(
            "party.admit",
            BEGIN,
            admitted="provider",
            role="provider",
            name="Provider",
            uscc=uscc_of("provider"),
            keys=provider.vkeys,
        ),
        treasury.note(
            "party.admit",
            BEGIN,
            admitted="holder",
            role="holder",
            name="Holder",
            uscc=uscc_of("holder"),
            keys=holder.vkeys,
        ),
        provider.note("tariff.publish", BEGIN, item="ascend-910b", price_fen=600, valid_from=begin),
        treasury.note(
            "programme.open",
            BEGIN,
            programme="treasury/2026",
            name="2026",
            voucher_kind="compute",
            fiscal_year=2026,
            envelope_fen=money,
            opens_at=begin,
            closes_at=until,
            rules=rules_of(
                cap={"group": "compute", "holder_fen": money, "floor_fen": 0}, validity_days=365, basis="metered"
            ),
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
            **contract_of("holder/k1", "holder", "provider", "2026-01-01", format_day(BEGIN // DAY_US + 300)),
        ),
        treasury.note(
            "voucher.issue",
            BEGIN,
            voucher="treasury/v1",
            programme="treasury/2026",
            holder="holder",
            face_fen=money,
            valid_from=begin,
        ),
        holder.note(
            "voucher.reserve",
            BEGIN,
            reservation="holder/r1",
            voucher="treasury/v1",
            contract="holder/k1",
            amount_fen=RESERVED_FEN,
            until=until,
        ),
    ]


def burn_note(ref: str, lines: int = 1, log: str = ORIGIN, at: int | None = None) -> bytes:
    """A statement of new jobs of one hour on eight cards, `FEN_A_LINE` each: on the first day, or just before `at`."""
    provider = Actor("provider", log=log)
    begin = BEGIN if at is None else at - 7_200 * SECOND_US
    groups = [{"item": "ascend-910b", "lines": [_line(begin) for _ in range(lines)]}]
    return provider.note("time.burn", NOW if at is None else at, ref=ref, contract="holder/k1", groups=groups)


def skip_jobs(how_many: int) -> None:
    """Pass over the names of jobs that another process has burned."""
    for _ in range(how_many):
        next(_jobs)


def _line(begin: int) -> list[object]:
    return [f"job-{next(_jobs)}", 8_000, format_second(begin), format_second(begin + 3_600 * SECOND_US), 3_600]


def answer_to(ledger: Ledger, note: bytes) -> Reason | None:
    """Why a note is refused; None if it is admitted."""
    (answer,) = ledger.submit([note])
    return answer.reason if isinstance(answer, Refusal) else None


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self, at: int = BEGIN) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at
