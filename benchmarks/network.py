"""A small network and as many signed burn statements as a measurement wants; everything is made before the clock runs."""

import hashlib
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, Final

from stdnum.cn import uscc

from tallystick.ledger import Ledger, create_ledger
from tallystick.signing.keys import SigningKey
from tallystick.signing.note import sign_text
from tallystick.vouchers.commands import command_text
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_instant, parse_instant

ORIGIN: Final = "tallystick.example/benchmark"
BEGIN: Final = parse_instant("2026-01-01T00:00:00.000000Z")
NOW: Final = BEGIN + 30 * DAY_US

_numbers = count()


def key(name: str) -> SigningKey:
    """Return the key of a name, always the same."""
    return SigningKey.from_seed(name, hashlib.sha256(name.encode()).digest())


LOG_KEY: Final = key(ORIGIN)


def note(kind: str, party: str, at: int = BEGIN, **fields: Any) -> bytes:
    """Return a signed command of a party, with a new reference."""
    command = {"kind": kind, "log": ORIGIN, "party": party, "ref": f"n-{next(_numbers)}", "signed_at": format_instant(at)}
    return sign_text(command_text(command | fields), key(f"{party}/key"))


def _vkeys(party: str) -> list[str]:
    return [key(f"{party}/key").verifier.to_text()]


def _uscc(number: int) -> str:
    body = f"91110000{number:09d}"
    return body + str(uscc.calc_check_digit(body))


def founding_notes() -> list[bytes]:
    """Return the notes that make a network with one of everything, and one reservation without bounds."""
    begin, until = format_instant(BEGIN), format_instant(BEGIN + 300 * DAY_US)
    plenty = 10**15
    return [
        note(
            "network.found/1", "network", name="Benchmark", currency="CNY", root_keys=_vkeys("network"), root_quorum=1,
            clock_skew_seconds=60, freshness_seconds=86_400, burn_window_seconds=92 * 86_400, release_grace_seconds=0,
            utc_offset_seconds=28_800,
        ),
        note("accelerator.register/1", "network", accelerator="ascend-910b", name="Ascend 910B", origin="domestic"),
        note("party.admit/1", "network", admitted="treasury", role="treasury", name="Treasury", keys=_vkeys("treasury")),
        note(
            "party.admit/1", "network", admitted="provider", role="provider", name="Provider", uscc=_uscc(1),
            keys=_vkeys("provider"),
        ),
        note("party.admit/1", "treasury", admitted="holder", role="holder", name="Holder", uscc=_uscc(2), keys=_vkeys("holder")),
        note("tariff.publish/1", "provider", accelerator="ascend-910b", price_fen_per_gpu_hour=600, valid_from=begin),
        note(
            "programme.open/1", "treasury", programme="treasury/2026", name="2026", voucher_kind="compute", fiscal_year=2026,
            envelope_fen=plenty, opens_at=begin, closes_at=until, share_bp_domestic=3_000, share_bp_foreign=2_000,
            holder_floor_fen=0, holder_cap_fen=plenty, validity_days=365, accelerators=[], transfer="forbidden",
            payee="provider", officers_threshold_fen=plenty, officers_required=1, rounding_fen=1,
        ),
        note("provider.accredit/1", "treasury", programme="treasury/2026", provider="provider", valid_from=begin),
        note("voucher.issue/1", "treasury", voucher="treasury/v1", programme="treasury/2026", holder="holder", face_fen=plenty, valid_from=begin),
        note("voucher.reserve/1", "holder", reservation="holder/r1", voucher="treasury/v1", provider="provider", amount_fen=plenty, until=until),
    ]


def statements(how_many: int, lines_each: int) -> list[bytes]:
    """Return signed statements of one-hour jobs on eight cards."""
    return [note("time.burn/1", "provider", NOW, holder="holder", lines=_lines(lines_each)) for _ in range(how_many)]


def _lines(how_many: int) -> list[dict[str, Any]]:
    lines = []
    for _ in range(how_many):
        number = next(_numbers)
        begins = BEGIN + number % 2_000_000 * SECOND_US
        lines.append(
            {
                "reservation": "holder/r1",
                "job": f"job-{number}",
                "accelerator": "ascend-910b",
                "gpu_milli": 8_000,
                "from": format_instant(begins),
                "to": format_instant(begins + 3_600 * SECOND_US),
                "seconds": 3_600,
                "evidence_sha256": f"{number:064x}",
            }
        )
    return lines


def founded_ledger(folder: Path, *, verify_processes: int = 0) -> Ledger:
    """Return a new ledger in a folder, founded and ready to burn."""
    now = [BEGIN]
    clock: Callable[[], int] = lambda: now[0]  # noqa: E731
    genesis, *rest = founding_notes()
    ledger = create_ledger(folder, genesis, LOG_KEY, clock=clock, verify_processes=verify_processes)
    ledger.submit(rest)
    now[0] = NOW
    return ledger
