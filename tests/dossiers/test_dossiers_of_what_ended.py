"""Services, expiry, imports, mandates and amended programmes: their dossiers prove them, and what is changed is found.

One story has them all: `Story.services`, a correction of a service under another contract, and what time ends.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dossiers.forging import codes, examined, joined, parts_of, proved_again, written
from dossiers.test_contract_dossiers import log_of, seal, suspected
from support.actors import note_of
from support.tampering import edited
from support.terms import prices_of
from support.voucher_year import ACME, CITY, DC, NETWORK, OTHER_DC, REGISTRY, Story
from tallystick.dossiers import expiring
from tallystick.dossiers.writing import Bound
from tallystick.findings import FindingCode
from tallystick.signing import canonical_json
from tallystick.signing.note import Note
from tallystick.vouchers.entry import Entry, split_entry
from tallystick.vouchers.outcomes import Expired
from tallystick.vouchers.quantities import DAY_US
from tallystick.vouchers.rules import endings

FindingCodes = list[FindingCode]


@dataclass(frozen=True)
class Told:
    """A story that was told: its ledger's folder, its entries, and its seals' indices."""

    folder: Path
    log: list[bytes]
    first: int
    last: int

    def index_of(self, kind: str, number: int = 0) -> int:
        """The index of the so many-th entry of a kind of event."""
        return [index for index, data in enumerate(self.log) if Entry.from_bytes(data).event.kind == kind][number]


def tell(story: Story) -> tuple[int, int]:
    """All of it, with a seal before time ends anything and one after; return the seals' indices."""
    story.begin()
    story.issue("city/v1", "beta", 10_000)
    story.at += 4 * DAY_US
    story.services()
    story.sign("acme/k5", "dc", items=prices_of(tokens=400))
    story.reserve("acme/s3", "registry/s1", "acme/k5", 5_000, days=10)
    story.serve("acme/k5", "2026-01-11", "2026-01-11", quantity=4, corrects={"statement": "T2", "line": 0}, ref="T3")
    story.at += DAY_US
    first = seal(story)
    story.do(DC, "redemption.claim", claim="dc/c1", programme="city/s", last_day="2026-01-12")
    for contract in ("acme/k3", "acme/k4", "acme/k5"):
        story.confirm(contract)
    story.give_mandate("city/m3", "redemption.settle/1", total_fen=9_000)
    paid = [("acme/k3", 4_000), ("acme/k4", 4_000), ("acme/k5", 800)]
    rows = [{"contract": contract, "paid_fen": amount_fen} for contract, amount_fen in paid]
    settled = {"claim": "dc/c1", "rows": rows, "payment": story.payment(8_800, 1), "mandate": "city/m3"}
    story.do(REGISTRY, "redemption.settle", **settled)
    story.do(ACME, "reservation.extend", reservation="acme/s3", amount_fen=1_000)
    story.at += 31 * DAY_US
    story.do(REGISTRY, "book.expire")
    return first, seal(story)


def test_what_had_ended_and_is_touched_after_the_newest_seal_is_sound(tmp_path: Path) -> None:
    """The newest seal hasn't the voucher; what takes a line of it back comes later: the seal before shows enough."""
    story = Story(tmp_path / "ledger")
    story.begin()
    story.do(NETWORK, "party.admit", admitted="registry", role="operator", name="Register", keys=REGISTRY.vkeys)
    story.issue("city/v1", "acme", 100_000)
    story.reserve("acme/r1", "city/v1", "acme/k1", 50_000)
    story.at += 3 * DAY_US
    story.burn(DC, "acme/k1", story.line("job", 2), ref="T1")
    story.do(CITY, "voucher.revoke", voucher="city/v1", reason="x")
    story.do(DC, "reservation.release", reservation="acme/r1")
    seal(story)
    story.at += DAY_US
    seal(story)
    story.do(DC, "burn.reverse", statement="T1", line=0, reason="x")
    assert suspected(story) == {}
    story.ledger.close()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    story = Story(tmp_path_factory.mktemp("services") / "ledger")
    first, last = tell(story)
    yield Told(story.folder, log_of(story), first, last)
    story.ledger.close()


def test_every_account_has_a_sound_dossier(tmp_path: Path) -> None:
    """Whole, and since each seal."""
    story = Story(tmp_path / "ledger")
    tell(story)
    assert suspected(story) == {}
    story.ledger.close()


def test_what_time_ended_is_shown_of_the_account_alone(told: Told) -> None:
    """One entry ended things of several holders, at several providers, of several programmes."""
    outcome = Entry.from_bytes(told.log[told.index_of("book.expired/1")]).event.outcome
    assert isinstance(outcome, Expired)
    assert len(outcome.rows) == 6
    moved = {}
    for account in ("voucher registry/s1", "holder acme", "holder beta", "programme city/p", "provider dc"):
        (line,) = [one for one in examined(written(told.folder, account)).book if one.kind == "book.expired/1"]
        moved[account] = line.moved
    acme = (("reserved", "available", 32_200), ("available", "unissued", 41_200))
    assert moved == {
        "voucher registry/s1": acme,
        "holder acme": acme,
        "holder beta": (("available", "unissued", 20_000),),
        "programme city/p": (("available", "unissued", 10_000),),
        "provider dc": (("reserved", "available", 32_200),),
    }


# -- an entry that isn't there ----------------------------------------------------------------------------------------

LEFT_OUT = [
    ("voucher registry/s1", "mandate.given/1", "city/m1"),
    ("voucher registry/s1", "item.registered/1", "tokens"),
    ("voucher registry/s1", "tariff.published/1", "tokens"),
    ("voucher registry/s1", "contract.signed/1", "acme/k4"),
    ("voucher registry/s1", "programme.opened/1", "city/s"),
    ("voucher registry/s2", "mandate.given/1", "city/m1"),
    ("voucher registry/s2", "party.admitted/1", '"admitted":"registry"'),
    ("voucher city/old", "programme.opened/1", "city/s"),
    ("provider dc", "mandate.given/1", "city/m3"),
    ("provider dc", "voucher.issued/1", "registry/s1"),
    ("programme city/s", "attestation.given/1", "acme/k4"),
]


@pytest.mark.parametrize(("account", "kind", "what"), LEFT_OUT, ids=[" ".join(one[:2]) for one in LEFT_OUT])
def test_what_it_depends_on_is_missed(told: Told, account: str, kind: str, what: str) -> None:
    head, entries = parts_of(written(told.folder, account))
    (left_out,) = [
        one for one in entries if Entry.from_bytes(one.entry).event.kind == kind and what.encode() in one.entry
    ]
    assert left_out.role == "dependency"
    found = codes(examined(joined(head, [one for one in entries if one is not left_out])))
    assert found[0] is FindingCode.DEPENDENCY_MISSING


@pytest.mark.parametrize(
    ("account", "kind"),
    [
        ("voucher registry/s1", "service.burned/1"),
        ("voucher registry/s1", "reservation.extended/1"),
        ("voucher registry/s1", "book.expired/1"),
        ("voucher registry/s2", "voucher.revoked/1"),
        ("holder acme", "service.burned/1"),
        ("holder beta", "voucher.imported/1"),
        ("provider dc", "book.expired/1"),
        ("provider dc", "redemption.settled/1"),
        ("programme city/s", "programme.amended/1"),
        ("programme city/s", "voucher.imported/1"),
    ],
)
def test_an_entry_of_the_account_is_missed(told: Told, account: str, kind: str) -> None:
    head, entries = parts_of(written(told.folder, account))
    left_out = next(one for one in entries if Entry.from_bytes(one.entry).event.kind == kind)
    assert left_out.role == "subject"
    found = codes(examined(joined(head, [one for one in entries if one is not left_out])))
    assert found[0] is FindingCode.ENTRY_LEFT_OUT


# -- an entry that is another -----------------------------------------------------------------------------------------


def recorded(told: Told, account: str, index: int, entry: bytes, since: Bound | None = None) -> FindingCodes:
    """What is found in an account's dossier of a log whose writer recorded another entry, and proves everything."""
    data = written(told.folder, account, since)
    return codes(examined(proved_again(data, [*told.log[:index], entry, *told.log[index + 1 :]])))


ALTERED = [
    ("voucher registry/s1", "service.burned/1", r'"fee_fen":\[8000\]', '"fee_fen":[8001]', "outcome_differs"),
    ("provider dc", "service.burned/1", r'/s1",\[4000\]', '/s1",[3999]', "outcome_differs"),
    ("holder acme", "service.burned/1", '"quantity":20', '"quantity":21', "signature_invalid"),
    ("voucher registry/s1", "reservation.extended/1", '"amount_fen":5000', '"amount_fen":5001', "signature_invalid"),
    ("voucher city/old", "voucher.imported/1", '"used_fen":20000', '"used_fen":19999', "signature_invalid"),
    ("programme city/s", "programme.amended/1", "1200000", "1300000", "signature_invalid"),
    ("voucher registry/s2", "voucher.revoked/1", '"returned_fen":4000', '"returned_fen":3999', "outcome_differs"),
    # Of what time ended: a row of another amount, to another place, left out, and not due yet.
    ("voucher registry/s1", "book.expired/1", '/s2",6000', '/s2",5999', "outcome_differs"),
    ("provider dc", "book.expired/1", '/s2",6000,"voucher"', '/s2",6000,"programme"', "outcome_differs"),
    ("holder acme", "book.expired/1", r'\["reservation","acme/s2",6000,"voucher"\],', "", "outcome_differs"),
    ("programme city/s", "book.expired/1", r',\["voucher","registry/s1",\d+,"programme"\]', "", "outcome_differs"),
    ("holder beta", "book.expired/1", '"more":false', '"more":true', "outcome_differs"),
    ("voucher city/old", "book.expired/1", r'\["voucher","city/old"', '["voucher","city/v1"', "dependency_missing"),
]


@pytest.mark.parametrize(
    ("account", "kind", "pattern", "replacement", "code"), ALTERED, ids=[f"{one[0]}: {one[3]}" for one in ALTERED]
)
def test_an_altered_entry_is_found(
    told: Told, account: str, kind: str, pattern: str, replacement: str, code: str
) -> None:
    index = told.index_of(kind)
    entry = edited(told.log[index], pattern, replacement)
    assert recorded(told, account, index, entry)[0].value == code


def resigned(told: Told, index: int, *keys: str, **changes: object) -> bytes:
    """An entry whose party signed another command."""
    header, note = split_entry(told.log[index])
    command = canonical_json.decode(Note.from_bytes(note).text[:-1])
    assert isinstance(command, dict)
    return header + b"\n" + note_of(command | changes, *keys)


def test_an_operator_that_did_more_than_its_mandate_says_is_found(told: Told) -> None:
    """The treasury gave it less, and the log recorded the issue all the same; or it gave it to another, or for less."""
    index, officer = told.index_of("mandate.given/1"), "city/officer-1"
    for changes in (
        {"each_fen": 49_999},
        {"total_fen": 49_999},
        {"kinds": ["voucher.revoke/1"]},
        {"operator": "other"},
    ):
        entry = resigned(told, index, officer, **changes)
        assert recorded(told, "voucher registry/s1", index, entry)[0] is FindingCode.DECISION_REFUSED


def test_what_was_not_due_yet_is_found(told: Told) -> None:
    """A voucher's validity and a reservation's end are the account's own to know."""
    index, early = told.index_of("book.expired/1"), "2026-01-13T08:00:46.000000Z"
    entry = edited(resigned(told, index, "registry/officer-1", signed_at=early), '"at":"[^"]+"', f'"at":"{early}"')
    for account in ("voucher city/old", "provider dc"):
        assert recorded(told, account, index, entry)[0] is FindingCode.DECISION_REFUSED


def test_what_was_ended_since_a_seal_comes_with_its_history(told: Told) -> None:
    """What returns is exact; of what isn't there, it is said that it is missing."""
    since = Bound(index=told.first)
    for account in ("holder beta", "voucher registry/s1", "provider dc", "programme city/s"):
        assert codes(examined(written(told.folder, account, since))) == []
    index = told.index_of("book.expired/1")
    entry = edited(told.log[index], 'city/old",10000', 'city/old",9999')
    assert recorded(told, "holder beta", index, entry, since)[0] is FindingCode.OUTCOME_DIFFERS
    head, entries = parts_of(written(told.folder, "voucher city/old", since))
    kept = [one for one in entries if Entry.from_bytes(one.entry).event.kind != "voucher.imported/1"]
    assert len(kept) == len(entries) - 1
    assert codes(examined(joined(head, kept)))[0] is FindingCode.DEPENDENCY_MISSING


def test_what_of_others_was_ended_is_theirs(told: Told) -> None:
    """A row of another account decides nothing here: its own dossier names it, and so does an audit."""
    index = told.index_of("book.expired/1")
    entry = edited(told.log[index], 'city/old",10000', 'city/old",9999')
    assert recorded(told, "holder acme", index, entry) == []
    assert recorded(told, "voucher city/old", index, entry)[0] is FindingCode.OUTCOME_DIFFERS


def test_what_an_entry_has_no_room_for_is_ended_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With rows for two at a time: nobody is suspected, and a row that is skipped is found."""
    for module in (endings, expiring):
        monkeypatch.setattr(module, "ROWS_MAX", 2)
    story = Story(tmp_path / "ledger")
    tell(story)
    for _ in range(2):
        story.do(REGISTRY, "book.expire")
    story.at += DAY_US
    last = seal(story)
    assert suspected(story) == {}
    told = Told(story.folder, log_of(story), 0, last)
    index = told.index_of("book.expired/1")
    entry = edited(told.log[index], r'\["reservation","acme/s2",6000,"voucher"\],', "")
    entry = edited(entry, r"\]\]", r'],["voucher","city/old",10000,"programme"]]')
    for account in ("holder acme", "provider dc"):
        assert recorded(told, account, index, entry)[0] is FindingCode.OUTCOME_DIFFERS
    story.ledger.close()


LARGE_FEN = 9_000_000_000_000_000
"""A holder may have so much once, and not twice."""


def test_what_others_gave_back_of_a_very_large_sum_is_not_missed(tmp_path: Path) -> None:
    """It was reserved elsewhere and went back to the programme: a dossier that hasn't that still finds room."""
    story = Story(tmp_path / "ledger")
    story.begin()
    story.do(NETWORK, "party.admit", admitted="registry", role="operator", name="Register", keys=REGISTRY.vkeys)
    cap = {"group": "large", "holder_fen": 2**53 - 1, "floor_fen": 0}
    story.open_programme("city/large", "dc", "other-dc", envelope_fen=LARGE_FEN + 100, cap=cap)
    story.issue("city/w1", "acme", LARGE_FEN, "city/large")
    story.reserve("acme/r1", "city/w1", "acme/k1", 100)
    story.reserve("acme/r2", "city/w1", "acme/k2", LARGE_FEN - 100)
    story.do(CITY, "voucher.revoke", voucher="city/w1", reason="moved away")
    story.do(OTHER_DC, "reservation.release", reservation="acme/r2")
    story.issue("city/w2", "acme", LARGE_FEN, "city/large")
    story.reserve("acme/r3", "city/w2", "acme/k1", 100)
    story.at += DAY_US
    seal(story)
    assert suspected(story) == {}
    story.ledger.close()
