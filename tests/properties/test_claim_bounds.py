"""No claim can be made that can't be settled: one of as many contracts and lots as there may be, with the longest ids.

A real writer decides, an audit replays, and both come to the same state. That the settlement of such a claim fits into
an entry with the largest amounts too, tests/vectors/test_limits_of_formats.py says.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from support.actors import ORIGIN, Actor, uscc_of
from support.terms import contract_of, limits_of, prices_of, rules_of
from tallystick.audit import audit
from tallystick.audit.replay import Replay, read_entry
from tallystick.findings import Findings
from tallystick.ledger import Admitted, create_ledger
from tallystick.publishing import read_ledger
from tallystick.signing.keys import SigningKey
from tallystick.transparency.policy import Policy
from tallystick.vouchers.entry import ENTRY_SIZE_MAX, Entry
from tallystick.vouchers.fields import CONTRACT_RESERVATIONS_MAX
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_day, format_instant, parse_instant
from tallystick.vouchers.rules.claiming import CONTRACTS_MAX, LOTS_MAX

START = parse_instant("2026-01-05T08:00:00.000000Z")
HOUR_US = 3_600 * SECOND_US
KEYS = tuple(f"k{number:02}".ljust(31, "k") for number in range(16))
"""As many keys as a party may have, of the longest names."""
NETWORK, TREASURY, OPERATOR = (Actor(letter * 63, KEYS) for letter in "nto")
PROVIDER, HOLDER = (Actor(letter * 63, KEYS) for letter in "ph")
LONGEST = "\U00020000" * 200
"""As many characters as a reason has, of as many bytes as there are."""
PROGRAMME, MANDATE = (f"{TREASURY.party}/{letter * 64}" for letter in "pm")
LOT_FEN = 10
ONE = CONTRACTS_MAX + 1
"""The number of a contract that has more lots than a claim."""


class Book:
    """A ledger with a clock of its own, to which commands are given in heaps."""

    def __init__(self, folder: Path) -> None:
        self.at = START
        self.folder = folder
        self.names = 0
        self.key = SigningKey.from_seed(ORIGIN, bytes(32))
        founding = NETWORK.note("network.found", self.at, **founding_of(NETWORK))
        self.ledger = create_ledger(folder, founding, self.key, clock=lambda: self.at)

    def new_name(self) -> str:
        """The last part of an id, as long as it may be."""
        self.names += 1
        return f"{self.names:064}"

    @property
    def now(self) -> str:
        return format_instant(self.at)

    def day(self, days_ago: int = 0) -> str:
        return format_day(self.at // DAY_US - days_ago)

    def does(self, actor: Actor, kind: str, *rows: dict[str, Any], cosigners: Sequence[str] = ()) -> list[bytes]:
        """Commands of a kind that are all accepted; their entries."""
        refs = [{"ref": self.new_name()} for _ in rows]
        notes = [actor.note(kind, self.at, *cosigners, **row, **ref) for row, ref in zip(rows, refs, strict=True)]
        answers = self.ledger.submit(notes)
        assert [answer for answer in answers if not isinstance(answer, Admitted)] == []
        return [answer.entry for answer in answers if isinstance(answer, Admitted)]


def founding_of(network: Actor) -> dict[str, Any]:
    """No wait for anything; a line may be a month late."""
    spans = ("release_grace", "tariff_notice", "takeover", "sealing_grace", "utc_offset")
    limits = {"clock_skew": 300, "freshness": 86_400, "burn_window": 30 * 86_400} | dict.fromkeys(spans, 0)
    named = {"edition": 1, "name": "National", "currency": "CNY", "root_keys": network.vkeys, "root_quorum": 1}
    return named | {f"{name}_seconds": value for name, value in limits.items()}


def contract_id(number: int) -> str:
    return f"{HOLDER.party}/{number:064}"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    """A programme that pays all, an operator with a mandate to settle, and 51 contracts."""
    book = Book(tmp_path_factory.mktemp("bounds") / "ledger")
    for actor, role in ((TREASURY, "treasury"), (OPERATOR, "operator"), (PROVIDER, "provider")):
        fields = {"admitted": actor.party, "role": role, "name": "x", "keys": actor.vkeys}
        book.does(NETWORK, "party.admit", fields | {"uscc": uscc_of(actor.party)}, cosigners=actor.key_names)
    holder = {"admitted": HOLDER.party, "role": "holder", "name": "x", "keys": HOLDER.vkeys}
    book.does(TREASURY, "party.admit", holder | {"uscc": uscc_of(HOLDER.party)}, cosigners=HOLDER.key_names)
    book.does(NETWORK, "item.register", {"item": "h800", "unit": "gpu_time", "name": "x"})
    book.does(PROVIDER, "tariff.publish", {"item": "h800", "price_fen": LOT_FEN, "valid_from": book.now})
    shares = {"shares": [{"share_bp": 10_000}], "ceiling_bp": 10_000, "claims": {"cycle": "any", "cut_off_days": 9}}
    window = {"opens_at": book.now, "closes_at": format_instant(book.at + 300 * DAY_US)}
    kind = {"name": "x", "voucher_kind": "compute", "fiscal_year": 2026, "envelope_fen": 10**12}
    book.does(TREASURY, "programme.open", {"programme": PROGRAMME, "rules": rules_of(**shares)} | kind | window)
    place = {"programme": PROGRAMME, "provider": PROVIDER.party, "items": limits_of("h800")}
    book.does(TREASURY, "provider.accredit", place | {"valid_from": book.now})
    given = {"mandate": MANDATE, "operator": OPERATOR.party, "kinds": ["redemption.settle/1"], "each_fen": 10**9}
    until = {"total_fen": 10**9, "until": format_instant(book.at + 90 * DAY_US)}
    book.does(TREASURY, "mandate.give", given | until)
    days = (book.day(), book.day(-99))
    sides = (HOLDER.party, PROVIDER.party)
    contracts = [
        contract_of(contract_id(number), *sides, *days, items=prices_of(h800=LOT_FEN)) for number in range(ONE)
    ]
    book.does(HOLDER, "contract.sign", *contracts, cosigners=PROVIDER.key_names)
    yield book
    book.ledger.close()


def reserve(book: Book, vouchers: int, contracts: Sequence[int]) -> None:
    """So many vouchers, and a lot of each is reserved under each contract."""
    names = [f"{TREASURY.party}/{book.new_name()}" for _ in range(vouchers)]
    issue = {"programme": PROGRAMME, "holder": HOLDER.party, "face_fen": LOT_FEN * len(contracts)}
    one_of_it = Actor(TREASURY.party, KEYS[:1])
    book.does(one_of_it, "voucher.issue", *[issue | {"voucher": name, "valid_from": book.now} for name in names])
    until = {"amount_fen": LOT_FEN, "until": format_instant(book.at + 40 * DAY_US)}
    rows = [{"voucher": name, "contract": contract_id(number)} for name in names for number in contracts]
    named = [row | until | {"reservation": f"{HOLDER.party}/{book.new_name()}"} for row in rows]
    book.does(Actor(HOLDER.party, KEYS[:1]), "voucher.reserve", *named)


def burn(book: Book, contracts: Sequence[int], lots: int) -> None:
    """All that is reserved under each contract: so many lots of ten fen, an hour of a GPU each."""
    end = book.at // SECOND_US * SECOND_US
    span = [f"{format_instant(one)[:19]}Z" for one in (end - HOUR_US, end)]
    rows = [[f"j{book.new_name()}", 1_000 * lots, *span, 3_600] for number in contracts]
    named = [{"contract": contract_id(number)} for number in contracts]
    groups = [{"groups": [{"item": "h800", "lines": [row]}]} for row in rows]
    book.does(PROVIDER, "time.burn", *[one | group for one, group in zip(named, groups, strict=True)])


def claim(book: Book) -> dict[str, Any]:
    """A claim of all up to yesterday: its id, how many lots it has, and what it was answered."""
    claim_id = f"{PROVIDER.party}/{book.new_name()}"
    fields = {"claim": claim_id, "programme": PROGRAMME, "last_day": book.day(1)}
    (entry,) = book.does(PROVIDER, "redemption.claim", fields | {"evidence_hash": f"sha256:{'e' * 64}"})
    lots = book.ledger.state.claims[claim_id].lots
    return {"claim": claim_id, "lots": len(lots), "outcome": Entry.from_bytes(entry).event.outcome}


def settle(book: Book, claimed: dict[str, Any], paid_of: int) -> int:
    """By the operator and all of the treasury's officers, with the longest reasons; the size of the entry."""
    rows: list[dict[str, Any]] = []
    for contract, fen in claimed["outcome"].rows:
        withheld_fen = fen - fen // paid_of
        left = {"withheld_fen": withheld_fen, "reason": LONGEST} if withheld_fen else {}
        rows.append({"contract": contract, "paid_fen": fen - withheld_fen} | left)
    payment = {
        "amount_fen": sum([row["paid_fen"] for row in rows]),
        "day": book.day(),
        "reference": f"{book.new_name()}{LONGEST}"[:200],
    }
    fields = {"claim": claimed["claim"], "mandate": MANDATE, "rows": rows, "payment": payment}
    (entry,) = book.does(OPERATOR, "redemption.settle", fields, cosigners=TREASURY.key_names)
    return len(entry)


def test_the_largest_claims_are_settled(book: Book) -> None:
    """50 contracts of 500 lots, of which a half is withheld and claimed again; then one of more lots than a claim."""
    reserve(book, LOTS_MAX // CONTRACTS_MAX, range(CONTRACTS_MAX))
    book.at += 2 * HOUR_US
    burn(book, range(CONTRACTS_MAX), LOTS_MAX // CONTRACTS_MAX)
    whole, rest = divmod(LOTS_MAX + 1, CONTRACT_RESERVATIONS_MAX)
    for lots in [CONTRACT_RESERVATIONS_MAX] * whole + [rest]:
        reserve(book, lots, [CONTRACTS_MAX])
        book.at += 2 * HOUR_US
        burn(book, [CONTRACTS_MAX], lots)
    book.at += DAY_US
    officers = {"threshold_fen": 0, "required": len(KEYS), "window_days": 1}
    book.does(TREASURY, "party.amend", {"name": "x", "quorum": len(KEYS), "officers": officers})
    first = claim(book)
    assert (first["lots"], len(first["outcome"].rows), first["outcome"].more) == (LOTS_MAX, CONTRACTS_MAX, True)
    assert ENTRY_SIZE_MAX * 3 // 4 < settle(book, first, 2) < ENTRY_SIZE_MAX
    again = claim(book)
    assert (len(again["outcome"].rows), again["outcome"].amount_fen) == (CONTRACTS_MAX, LOTS_MAX * LOT_FEN // 2)
    settle(book, again, 1)
    most = claim(book)
    one_contract = ((contract_id(CONTRACTS_MAX), LOTS_MAX * LOT_FEN),)
    assert (most["lots"], most["outcome"].rows, most["outcome"].more) == (LOTS_MAX, one_contract, True)
    settle(book, most, 1)
    rest_of_it = claim(book)
    assert (rest_of_it["lots"], rest_of_it["outcome"].more) == (1, False)
    settle(book, rest_of_it, 1)
    assert_audited(book)


def assert_audited(book: Book) -> None:
    """The audit finds nothing, and comes to the state that the writer has, byte by byte."""
    assert audit(book.folder, Policy.for_log(book.key.verifier), processes=0).is_clean
    findings = Findings()
    replay = Replay(ORIGIN, findings)
    with read_ledger(book.folder) as reader:
        for index, data in enumerate(reader.entries()):
            replay.replay(index, data, read_entry(data, ORIGIN))
    replay.finish()
    assert [*findings.by_entry()] == []
    assert replay.state == book.ledger.state
    assert replay.state.to_bytes() == book.ledger.state.to_bytes()
