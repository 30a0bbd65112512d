"""Every movement of money names both its accounts: views and statements are made of these postings and nothing else.

The first column is a row as in the tables, with its answer; the second what moves, in order.
"""

from collections import Counter

import pytest

from support import scenario
from support.row_values import yuan
from support.scenario import Ledger, ledger_for, read_table
from tallystick.vouchers.book import Posting
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.rules.rule import Event
from tallystick.vouchers.state import State

Step = tuple[str, list[str]]

RESERVATIONS_AND_CLAIMS: list[Step] = [
    (
        "shanghai open S9 1,000.00 -> opened",
        ["shanghai/S9: envelope of shanghai/S9 to unissued of shanghai/S9 1,000.00"],
    ),
    (
        "shanghai issue V9 to acme 100.00 under S9 -> issued",
        ["shanghai/S9: unissued of shanghai/S9 to available of shanghai/V9 100.00"],
    ),
    (
        "acme transfer T9 of V2 1.00 to bolt -> transferred",
        ["shanghai/S2: available of shanghai/V2 to available of acme/T9 1.00"],
    ),
    (
        "acme reserve R9 of V2 1.50 under K2 until +1d -> reserved",
        ["shanghai/S2: available of shanghai/V2 to reserved of acme/R9 1.50"],
    ),
    (
        "guian release R9 -> released 1.50 to voucher",
        ["shanghai/S2: reserved of acme/R9 to available of shanghai/V2 1.50"],
    ),
    (
        "guian burn K3 a 8x910b -36h..-35h ref=st-3 -> 24.00",
        ["shanghai/S3: reserved of acme/R3 to burned of shanghai/V3 acme/K3 20483 24.00"],
    ),
    (
        "guian burn K1 b 8x910b -36h..-35h | c 4x910b -36h..-35h ref=st-1 -> 24.00 | 12.00",
        ["shanghai/S1: reserved of acme/R1 to burned of shanghai/V1 acme/K1 20483 36.00"],
    ),
    (
        "guian reverse st-1 line 1 -> reversed 12.00 to reservation",
        ["shanghai/S1: burned of shanghai/V1 acme/K1 20483 to reserved of acme/R1 12.00"],
    ),
    ("guian burn K1 d 0.001x910b -36h..-35h seconds=1 ref=st-2 -> 0.00", []),
    ("guian reverse st-2 line 0 -> reversed 0.00", []),
    (
        "guian claim C1 of S1 up to 2026-01-30 -> claimed 24.00 under K1",
        ["shanghai/S1: burned of shanghai/V1 acme/K1 20483 to claimed of guian/C1 shanghai/V1 acme/K1 24.00"],
    ),
    (
        "shanghai settle C1 0.00~yuan~under~K1~and~24.00~yuan~withheld -> settled",
        ["shanghai/S1: claimed of guian/C1 shanghai/V1 acme/K1 to withheld of shanghai/V1 acme/K1 24.00"],
    ),
    (
        "guian claim C2 of S1 up to 2026-01-30 -> claimed 24.00 under K1",
        ["shanghai/S1: withheld of shanghai/V1 acme/K1 to claimed of guian/C2 shanghai/V1 acme/K1 24.00"],
    ),
    (
        "shanghai settle C2 20.00~yuan~under~K1~and~4.00~yuan~withheld -> settled",
        [
            "shanghai/S1: claimed of guian/C2 shanghai/V1 acme/K1 to paid of shanghai/S1 guian 20.00",
            "shanghai/S1: claimed of guian/C2 shanghai/V1 acme/K1 to withheld of shanghai/V1 acme/K1 4.00",
        ],
    ),
    (
        "shanghai disallow 1.00 under K1 of S1 -> disallowed",
        ["shanghai/S1: withheld of shanghai/V1 acme/K1 to unissued of shanghai/S1 1.00"],
    ),
    (
        "guian burn K1 e 8x910b -36h..-35h ref=st-4 -> 24.00",
        ["shanghai/S1: reserved of acme/R1 to burned of shanghai/V1 acme/K1 20483 24.00"],
    ),
    (
        "guian claim C4 of S1 up to 2026-01-30 -> claimed 27.00 under K1",
        [
            "shanghai/S1: withheld of shanghai/V1 acme/K1 to claimed of guian/C4 shanghai/V1 acme/K1 3.00",
            "shanghai/S1: burned of shanghai/V1 acme/K1 20483 to claimed of guian/C4 shanghai/V1 acme/K1 24.00",
        ],
    ),
    (
        "shanghai demand D1 of guian 12.00 under S1 -> demanded",
        ["shanghai/S1: paid of shanghai/S1 guian to receivable of shanghai/D1 12.00"],
    ),
    (
        "shanghai demand D2 of guian 1.00 under S1 -> demanded",
        ["shanghai/S1: paid of shanghai/S1 guian to receivable of shanghai/D2 1.00"],
    ),
    (
        "shanghai settle C4 27.00~yuan~under~K1 offsets=5.00~yuan~of~D1,~1.00~yuan~of~D2 -> settled",
        [
            "shanghai/S1: claimed of guian/C4 shanghai/V1 acme/K1 to paid of shanghai/S1 guian 27.00",
            "shanghai/S1: receivable of shanghai/D1 to unissued of shanghai/S1 5.00",
            "shanghai/S1: receivable of shanghai/D2 to unissued of shanghai/S1 1.00",
        ],
    ),
    (
        "shanghai receive 4.00 of D1 -> received",
        ["shanghai/S1: receivable of shanghai/D1 to unissued of shanghai/S1 4.00"],
    ),
    (
        "shanghai cancel 3.00 of D1 -> cancelled",
        ["shanghai/S1: receivable of shanghai/D1 to paid of shanghai/S1 guian 3.00"],
    ),
    (
        "acme claim C3 of S3 up to 2026-01-30 -> claimed 24.00 under K3",
        ["shanghai/S3: burned of shanghai/V3 acme/K3 20483 to claimed of acme/C3 shanghai/V3 acme/K3 24.00"],
    ),
    ("registry seal B1 to 2026-01-31 -> sealed 24 accounts", []),
]

ENDS: list[Step] = [
    (
        "guian burn K1 a 8x910b -10h..-9h ref=st-1 -> 24.00",
        ["shanghai/S1: reserved of acme/R1 to burned of shanghai/V1 acme/K1 20484 24.00"],
    ),
    (
        "guian burn K3 b 8x910b -10h..-9h ref=st-3 -> 24.00",
        ["shanghai/S3: reserved of acme/R3 to burned of shanghai/V3 acme/K3 20484 24.00"],
    ),
    (
        "guian release R3 -> released 3,976.00 to voucher",
        ["shanghai/S3: reserved of acme/R3 to available of shanghai/V3 3,976.00"],
    ),
    (
        "guian reverse st-3 line 0 -> reversed 24.00 to voucher",
        ["shanghai/S3: burned of shanghai/V3 acme/K3 20484 to available of shanghai/V3 24.00"],
    ),
    (
        "shanghai revoke V1 -> revoked 6,000.00",
        ["shanghai/S1: available of shanghai/V1 to unissued of shanghai/S1 6,000.00"],
    ),
    (
        "guian release R1 -> released 3,976.00 to programme",
        ["shanghai/S1: reserved of acme/R1 to unissued of shanghai/S1 3,976.00"],
    ),
    (
        "guian reverse st-1 line 0 -> reversed 24.00 to programme",
        ["shanghai/S1: burned of shanghai/V1 acme/K1 20484 to unissued of shanghai/S1 24.00"],
    ),
    (
        "acme transfer T1 of V2 10,000.00 to bolt -> transferred",
        ["shanghai/S2: available of shanghai/V2 to available of acme/T1 10,000.00"],
    ),
    ("shanghai revoke V2 -> revoked 0.00", []),
    ("clock 2026-04-05T08:00", []),
    (
        "shanghai expire -> expired 4,000.00 of reservation RB to voucher + 10,000.00 of voucher T1 to programme"
        " + 10,000.00 of voucher B1 to programme + 10,000.00 of voucher V3 to programme",
        [
            "shanghai/S1: reserved of bolt/RB to available of shanghai/B1 4,000.00",
            "shanghai/S2: available of acme/T1 to unissued of shanghai/S2 10,000.00",
            "shanghai/S1: available of shanghai/B1 to unissued of shanghai/S1 10,000.00",
            "shanghai/S3: available of shanghai/V3 to unissued of shanghai/S3 10,000.00",
        ],
    ),
    ("shanghai suspend-voucher V1 -> voucher_ended", []),
]


SEVERAL_PAY: list[Step] = [
    (
        "shanghai open S9 1,000.00 opens_at=2026-01-05T08:00 rank=0 shares=30~%~of~all rounding_fen=1.00 -> opened",
        ["shanghai/S9: envelope of shanghai/S9 to unissued of shanghai/S9 1,000.00"],
    ),
    ("shanghai accredit guian under S9 valid_from=2026-01-05T08:00 -> accredited", []),
    (
        "shanghai issue V9 to acme 100.00 under S9 valid_from=2026-01-05T08:00 -> issued",
        ["shanghai/S9: unissued of shanghai/S9 to available of shanghai/V9 100.00"],
    ),
    ("acme sign K9 with guian 1,000.00 from 2026-01-05 to 2026-12-31 -> signed", []),
    ("acme amend-contract K9 amount_fen=900.00 -> amended", []),
    (
        "acme reserve R8 of V1 20.00 under K9 until +1d -> reserved",
        ["shanghai/S1: available of shanghai/V1 to reserved of acme/R8 20.00"],
    ),
    (
        "acme reserve R9 of V9 50.00 under K9 until +1d -> reserved",
        ["shanghai/S9: available of shanghai/V9 to reserved of acme/R9 50.00"],
    ),
    (
        "guian burn K9 a 4x910b -36h..-35h | b 4x910b -12h..-11h ref=st-1"
        " -> 7.20 of R9 + 12.00 of R8 | exceeds_reservation",
        [
            "shanghai/S9: reserved of acme/R9 to burned of shanghai/V9 acme/K9 20483 7.20",
            "shanghai/S1: reserved of acme/R8 to burned of shanghai/V1 acme/K9 20483 12.00",
        ],
    ),
    (
        "guian burn K9 b 4x910b -12h..-11h available | c 4x910b -36h..-35h ref=st-2 -> 7.20 of R9 + 8.00 of R8"
        " | 7.20 of R9",
        [
            "shanghai/S9: reserved of acme/R9 to burned of shanghai/V9 acme/K9 20484 7.20",
            "shanghai/S9: reserved of acme/R9 to burned of shanghai/V9 acme/K9 20483 7.20",
            "shanghai/S1: reserved of acme/R8 to burned of shanghai/V1 acme/K9 20484 8.00",
        ],
    ),
    (
        "guian reverse st-2 line 0 -> reversed 7.20 of R9 to reservation + 8.00 of R8 to voucher",
        [
            "shanghai/S9: burned of shanghai/V9 acme/K9 20484 to reserved of acme/R9 7.20",
            "shanghai/S1: burned of shanghai/V1 acme/K9 20484 to available of shanghai/V1 8.00",
        ],
    ),
    (
        "guian claim C1 of S9 up to 2026-01-30 -> claimed 14.00 under K9",
        ["shanghai/S9: burned of shanghai/V9 acme/K9 20483 to claimed of guian/C1 shanghai/V9 acme/K9 14.00"],
    ),
]

AMENDED_EXTENDED_IMPORTED: list[Step] = [
    (
        "shanghai amend-programme S1 envelope_fen=100,000.50 -> amended",
        ["shanghai/S1: envelope of shanghai/S1 to unissued of shanghai/S1 0.50"],
    ),
    (
        "shanghai amend-programme S1 envelope_fen=99,999.99 -> amended",
        ["shanghai/S1: unissued of shanghai/S1 to envelope of shanghai/S1 0.51"],
    ),
    ("shanghai amend-programme S1 envelope_fen=99,999.99 closes_at=2026-12-31 -> amended", []),
    (
        "acme extend-by R1 1.00 until=2026-02-21 -> extended",
        ["shanghai/S1: available of shanghai/V1 to reserved of acme/R1 1.00"],
    ),
    ("acme extend R3 until 2026-02-21 -> extended", []),
    ("network register tokens as domestic unit=count counted=a~million~tokens -> registered", []),
    ("guian price-unit tokens 2.00 -> published", []),
    (
        "shanghai open S9 1,000.00 opens_at=2025-06-01 cap.group=s9 basis=both"
        " gates=1~of~district~on~usage~of~the~claim~before~settle -> opened",
        ["shanghai/S9: envelope of shanghai/S9 to unissued of shanghai/S9 1,000.00"],
    ),
    ("shanghai accredit guian under S9 -> accredited", []),
    (
        "shanghai import V9 of acme 500.00 under S9 used 200.00 -> imported",
        [
            "shanghai/S9: unissued of shanghai/S9 to paid of shanghai/S9 - 200.00",
            "shanghai/S9: unissued of shanghai/S9 to available of shanghai/V9 300.00",
        ],
    ),
    (
        "shanghai import V8 of acme 1.00 under S9 used 0.00 -> imported",
        ["shanghai/S9: unissued of shanghai/S9 to available of shanghai/V8 1.00"],
    ),
    (
        "shanghai import V7 of acme 1.00 under S9 used 1.00 -> imported",
        ["shanghai/S9: unissued of shanghai/S9 to paid of shanghai/S9 - 1.00"],
    ),
    ("shanghai give-mandate M1 to registry 50.00 each 50.00 in all -> given", []),
    (
        "registry revoke V8 mandate=M1 -> revoked 1.00",
        ["shanghai/S9: available of shanghai/V8 to unissued of shanghai/S9 1.00"],
    ),
    ("shanghai end-mandate M1 -> ended", []),
    ("acme sign K9 with guian 1,000.00 from 2026-02-01 to 2026-12-31 -> signed", []),
    ("acme sign K8 with guian 1,000.00 from 2026-02-01 to 2026-12-31 basis=invoiced -> signed", []),
    (
        "acme reserve R9 of V9 100.00 under K9 until 2026-02-21 -> reserved",
        ["shanghai/S9: available of shanghai/V9 to reserved of acme/R9 100.00"],
    ),
    (
        "acme reserve R8 of V9 100.00 under K8 until 2026-02-21 -> reserved",
        ["shanghai/S9: available of shanghai/V9 to reserved of acme/R8 100.00"],
    ),
    ("clock 2026-02-04", []),
    (
        "guian burn-units 10 of tokens under K9 2026-02-02 to 2026-02-02 -> 10.00",
        ["shanghai/S9: reserved of acme/R9 to burned of shanghai/V9 acme/K9 20486 10.00"],
    ),
    (
        "guian invoice 10.00 of 910b under K8 2026-02-02 to 2026-02-28 ref=st-2 -> 5.00",
        ["shanghai/S9: reserved of acme/R8 to burned of shanghai/V9 acme/K8 20488 5.00"],
    ),
    (
        "guian reverse st-2 line 0 -> reversed 5.00 to reservation",
        ["shanghai/S9: burned of shanghai/V9 acme/K8 20488 to reserved of acme/R8 5.00"],
    ),
    ("acme amend-contract K9 last_day=2026-02-04 -> amended", []),
    ("clock 2026-03-03", []),
    (
        "registry expire -> expired 90.00 of reservation R9 to voucher + 4,000.00 of reservation RB to voucher"
        " + 4,001.00 of reservation R1 to voucher + 4,000.00 of reservation R3 to voucher"
        " + 100.00 of reservation R8 to voucher",
        [
            "shanghai/S9: reserved of acme/R9 to available of shanghai/V9 90.00",
            "shanghai/S1: reserved of bolt/RB to available of shanghai/B1 4,000.00",
            "shanghai/S1: reserved of acme/R1 to available of shanghai/V1 4,001.00",
            "shanghai/S3: reserved of acme/R3 to available of shanghai/V3 4,000.00",
            "shanghai/S9: reserved of acme/R8 to available of shanghai/V9 100.00",
        ],
    ),
]


def told(posting: Posting) -> str:
    """A posting in words."""
    source, target = f"{posting.source} of {posting.source_id}", f"{posting.target} of {posting.target_id}"
    return f"{posting.programme}: {source} to {target} {yuan(posting.amount_fen)}"


def play(ledger: Ledger, row: str) -> None:
    """Play one row and insist on its answer."""
    (story,) = read_table(row)
    ledger.play(story)


@pytest.mark.parametrize(
    "steps",
    [RESERVATIONS_AND_CLAIMS, SEVERAL_PAY, ENDS, AMENDED_EXTENDED_IMPORTED],
    ids=["reservations and claims", "several pay", "ends", "amended, extended, imported, invoiced"],
)
def test_what_moves_is_posted_and_nothing_else(steps: list[Step], monkeypatch: pytest.MonkeyPatch) -> None:
    """Row by row: from whom, to whom, how much; nothing at all where nothing moves."""
    posted: list[str] = []

    def listening(state: State, event: Event, *, is_part: bool = False) -> tuple[Posting, ...]:
        postings = evolve(state, event, is_part=is_part)
        if not is_part:
            posted.extend(map(told, postings))
        return postings

    (start,) = read_table("== start\nclock 2026-02-01")
    ledger = ledger_for(start)
    monkeypatch.setattr(scenario, "evolve", listening)
    for row, expected in steps:
        posted.clear()
        play(ledger, row)
        assert posted == expected, row


def test_totals_of_a_programme_count_every_voucher() -> None:
    """What was ever issued, revoked and expired, whether it came from vouchers, reservations or reversals."""
    (start,) = read_table("== start\nclock 2026-02-01")
    ledger = ledger_for(start)

    def totals(programme: str) -> tuple[str, str, str]:
        state, name = ledger.state, f"shanghai/{programme}"
        held = {key: one for key, one in state.vouchers.items() if one.programme == name}
        issued_fen = sum(one.face_fen for one in held.values() if one.parent is None)
        returned: Counter[str] = Counter()
        for key, one in held.items():
            returned[one.status] += state.book["returned", key]
        assert state.book["unissued", name] == state.programmes[name].envelope_fen - issued_fen + returned.total()
        return yuan(issued_fen), yuan(returned["revoked"]), yuan(returned["expired"])

    def granted(group: str) -> dict[str, int]:
        """By holder."""
        balances = ledger.state.book.balances["granted"]
        ids = {tuple(key.split(" ")): amount for key, amount in balances.items()}
        return {
            holder: amount
            for (treasury, year, one, holder), amount in ids.items()
            if (treasury, year, one) == ("shanghai", "2026", group)
        }

    assert totals("S1") == ("20,000.00", "0.00", "0.00")
    play(ledger, "guian burn K1 a 8x910b -10h..-9h ref=st-1 -> 24.00")
    play(ledger, "shanghai revoke V1 -> revoked 6,000.00")
    play(ledger, "shanghai revoke B1 -> revoked 6,000.00")
    assert totals("S1") == ("20,000.00", "12,000.00", "0.00")
    play(ledger, "guian release R1 -> released 3,976.00 to programme")
    assert totals("S1") == ("20,000.00", "15,976.00", "0.00")
    play(ledger, "guian reverse st-1 line 0 -> reversed 24.00 to programme")
    assert totals("S1") == ("20,000.00", "16,000.00", "0.00")
    assert granted("s1") == {"bolt": 400_000}
    play(ledger, "guian burn K3 a 8x910b -10h..-9h ref=st-2 -> 24.00")
    play(ledger, "shanghai issue W3 to bolt 100.00 under S3 valid_from=2026-01-05T08:00 -> issued")
    play(ledger, "acme reserve R9 of V3 1,000.00 under K3 until 2026-04-05T08:00 -> reserved")
    play(ledger, "clock 2026-04-05T08:00")
    play(
        ledger,
        "registry expire -> expired 3,976.00 of reservation R3 to voucher + 4,000.00 of reservation RB to programme"
        " + 10,000.00 of voucher V2 to programme + 8,976.00 of voucher V3 to programme"
        " + 100.00 of voucher W3 to programme",
    )
    assert totals("S1") == ("20,000.00", "20,000.00", "0.00")
    assert totals("S3") == ("10,100.00", "0.00", "9,076.00")
    play(ledger, "guian release R9 -> released 1,000.00 to programme")
    assert totals("S3") == ("10,100.00", "0.00", "10,076.00")
    assert granted("s3") == {"acme": 2_400}
