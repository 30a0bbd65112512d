"""Which parties a thing concerns: looked up in the views, and compared with what the log's commands say."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import pytest

from support.actors import Actor
from support.terms import rules_of
from support.two_cities import CITIES, HASH, LOG_KEY, OPERATOR, A, B, City
from tallystick.ledger import Admitted, open_ledger
from tallystick.publishing import read_ledger
from tallystick.views import Views
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_day, format_instant
from tallystick.vouchers.reading_rights import READS_ALL, Concerned, Reader, Reading, Sight, ThingKind, may_read_entry
from tallystick.vouchers.rulebook import RULEBOOK
from tallystick.vouchers.rules.rule import Event
from tallystick.web import rights
from tallystick.web.rights import FollowedEntries

READ_BY = """\
application.file: firm panel treasury
application.withdraw: firm panel treasury
attestation.give: centre firm panel treasury
book.expire: treasury
burn.reverse: centre firm treasury
contract.amend: centre firm treasury
contract.sign: centre firm treasury
key.add: centre firm maker panel treasury
key.revoke: centre firm maker panel treasury
key.rotate: centre firm maker panel treasury
mandate.end: treasury
mandate.give: treasury
party.admit: centre firm maker panel treasury
party.amend: centre firm maker panel treasury
party.reinstate: firm maker treasury
party.suspend: firm maker treasury
record.withdraw: treasury
recovery.cancel: centre treasury
recovery.demand: centre treasury
recovery.receive: centre treasury
redemption.claim: centre panel treasury
redemption.disallow: centre firm treasury
redemption.settle: centre panel treasury
reservation.extend: centre firm treasury
reservation.release: centre firm treasury
service.burn: centre firm treasury
time.burn: centre firm treasury
voucher.import: maker treasury
voucher.issue: firm treasury
voucher.reserve: centre firm treasury
voucher.resume: firm treasury
voucher.revoke: firm treasury
voucher.suspend: firm treasury
voucher.transfer: firm maker treasury
"""


@pytest.fixture(scope="module")
def views(two_cities: Path) -> Iterator[Views]:
    views = Views.open(two_cities)
    views.follow()
    yield views
    views.close()


@pytest.fixture(scope="module")
def events(two_cities: Path) -> list[Event]:
    with read_ledger(two_cities) as reader:
        return [Entry.from_bytes(data).event for data in reader.entries(0, reader.size)]


def expected(city: City) -> dict[ThingKind, dict[str, set[str]]]:
    """Of each private thing of a city who sees all of it, by kind, as docs/privacy.md says."""
    treasury, centre, panel, firm, maker = city.role_of()
    things = city.things()
    vouchers = {name: {treasury, firm} for name in things["voucher"]}
    vouchers |= {name: {treasury, maker} for name in (city.id(city.treasury, "v4"), city.id(city.firm, "part"))}
    return {
        "voucher": vouchers,
        "contract": {name: {treasury, centre, firm} for name in things["contract"]},
        "reservation": {name: {treasury, centre, firm} for name in things["reservation"]},
        "application": {name: {treasury, panel, firm} for name in things["application"]},
        "claim": {name: {treasury, panel, centre} for name in things["claim"]},
        "demand": {name: {treasury, centre} for name in things["demand"]},
        "mandate": {name: {treasury, OPERATOR.party} for name in things["mandate"]},
        "holder": {firm: {firm}, maker: {maker}},
        "programme": {city.programme: {treasury}},
        "payee": {f"{city.programme} {centre}": {treasury, centre}},
        "statement": {f"{centre} {city.secret}-s1 1000": {treasury, centre, firm}},
        "review": {f"{subject} {panel}": {treasury} for subject in ("application", "claim")},
    }


@pytest.mark.parametrize("city", CITIES, ids=["a", "b"])
def test_whom_each_thing_concerns(views: Views, city: City) -> None:
    """Those who are named here, though most of it has ended and left the state."""
    for kind, things in expected(city).items():
        for thing, parties in things.items():
            found = views.parties_concerned(kind, thing)
            assert found is not None, thing
            assert found.parties == parties, thing


@pytest.mark.parametrize("city", CITIES, ids=["a", "b"])
def test_the_other_direction_says_the_same(views: Views, city: City) -> None:
    """What a party sees of a kind is what concerns it; an attester's rows too."""
    for kind, things in expected(city).items():
        if kind == "statement":
            continue
        for party in city.role_of():
            ids = views.things_of(kind, party)
            assert ids >= {thing for thing, parties in things.items() if party in parties}
            for thing in ids:
                concerned = views.parties_concerned(kind, thing)
                assert concerned is not None
                assert party in concerned.parties


def test_whose_terms_are_seen(views: Views) -> None:
    """A holder's by those that deal with it, a voucher's by those under whose contracts it is spent."""
    treasury, centre, panel, firm, maker = A.role_of()
    of_firm, of_maker = (views.parties_concerned("party", one) for one in (firm, maker))
    assert of_firm is not None
    assert of_maker is not None
    assert of_firm.terms == {treasury, centre, panel, maker}  # the maker was given a part of a voucher
    assert of_maker.terms == {treasury, firm}
    of_voucher = views.parties_concerned("voucher", A.id(A.treasury, "v1"))
    assert of_voucher is not None
    assert of_voucher.terms == {centre}
    of_centre = views.parties_concerned("provider", centre)
    assert of_centre is not None
    assert of_centre.every_party is Sight.TERMS


def test_what_is_not_there_concerns_nobody(views: Views) -> None:
    """Of whatever kind, an unknown id is looked up without an error."""
    for kind in get_args(ThingKind):
        unknown = "a-centre nothing 9" if kind == "statement" else "nobody/nothing"
        assert views.parties_concerned(kind, unknown) is None, kind
        assert views.things_of(kind, "nobody") == frozenset(), kind


def test_the_ledger_has_every_command(events: list[Event]) -> None:
    """But those that change what all of it is read by: so no kind of entry is left out here."""
    assert set(RULEBOOK.rules) - {event.command.kind for event in events} == {"log.rekey/1", "rules.adopt/1"}


def test_no_party_of_a_city_may_read_an_entry_of_the_other(views: Views, events: list[Event]) -> None:
    """An entry with a secret of a city in it is for none of the other's parties, and for each of its own signers."""
    secret = {
        city.secret: [event for event in events if city.secret in str(event.command) + str(event.outcome)]
        for city in CITIES
    }
    for city, other in ((A, B), (B, A)):
        assert len(secret[other.secret]) > 30
        for event in secret[other.secret]:
            for party, role in city.role_of().items():
                assert not may_read(views, Reader(party, role), event), (party, event.index, event.kind)


def test_the_parties_of_an_entry_may_read_it(views: Views, events: list[Event]) -> None:
    """Those that signed it or are named in it; the network, the operator and the auditor read all."""
    for event in events:
        for name in event.key_names:
            party = name.partition("/")[0]
            role = next((city.role_of()[party] for city in CITIES if party in city.role_of()), None)
            if role is not None:
                assert may_read(views, Reader(party, role), event)
        for role in READS_ALL:
            assert may_read(views, Reader("anyone", role), event)


def test_what_a_city_reads_of_its_own(views: Views, events: list[Event]) -> None:
    """By kind of entry, which of a city's parties read one of its own; all else is told by the accounts."""
    names = dict(zip(A.role_of(), ("treasury", "centre", "panel", "firm", "maker"), strict=True))
    read: dict[str, set[str]] = {}
    for event in events:
        if A.secret in str(event.command) + str(event.outcome):
            kind = event.command.kind.removesuffix("/1")
            who = [name for party, name in names.items() if may_read(views, Reader(party, A.role_of()[party]), event)]
            read.setdefault(kind, set()).update(who)
    assert [f"{kind}: {' '.join(sorted(parties))}" for kind, parties in sorted(read.items())] == READ_BY.splitlines()


def test_an_entry_that_many_follow_is_looked_up_once(
    views: Views, events: list[Event], two_cities: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a few seconds; so many are remembered and no more."""
    asked: list[tuple[str, str]] = []

    def look_up(kind: ThingKind, thing: str) -> Concerned | None:
        asked.append((kind, thing))
        return views.parties_concerned(kind, thing)

    issue = next(event for event in events if event.command.kind == "voucher.issue/1")
    with read_ledger(two_cities) as reader:
        data = reader.entry(issue.index)
    followed = FollowedEntries()
    for _ in range(3):
        assert followed.readers(issue.index, data, look_up) == frozenset({A.treasury.party, A.firm.party})
        assert followed.readers(0, data, look_up) is not None
    assert asked == [("voucher", A.id(A.treasury, "v1"))] * 2
    monkeypatch.setattr(rights, "FOLLOWED_MAX", 2)
    followed.readers(1, data, look_up)
    assert len(asked) == 3
    followed.readers(issue.index, data, look_up)
    assert len(asked) == 4
    monkeypatch.setattr(rights, "FOLLOWED_SECONDS", 0.0)
    followed.readers(issue.index, data, look_up)
    assert len(asked) == 5


def test_no_command_of_ones_own_gives_a_right(two_cities: Path, tmp_path: Path) -> None:
    """Not a verdict that no gate asked for, nor a voucher for another's contract; that entry itself is read."""
    folder = Path(shutil.copytree(two_cities, tmp_path / "ledger"))
    subjects: list[tuple[ThingKind, str]] = [
        ("contract", A.id(A.firm, "k1")),
        ("application", A.id(A.firm, "a3")),
        ("claim", A.id(A.centre, "c2")),
        ("holder", A.firm.party),
    ]

    def curious(at: int) -> list[bytes]:
        programme = f"{B.treasury.party}/no-gates"
        dates = {"opens_at": format_instant(at - DAY_US), "closes_at": format_instant(at + 100 * DAY_US)}
        opened = {
            "name": "x",
            "voucher_kind": "compute",
            "fiscal_year": 2026,
            "envelope_fen": 1_000,
            "rules": rules_of(),
        }
        issued = {"holder": A.firm.party, "contract": A.id(A.firm, "k1"), "face_fen": 1_000}
        issued |= {"voucher": f"{B.treasury.party}/v9", "valid_from": format_instant(at)}
        return [
            application(A, at, "a3"),
            *(verdict(B.panel, at, kind, subject) for kind, subject in subjects),
            B.treasury.note("programme.open", at, ref="p9", programme=programme, **opened, **dates),
            B.treasury.note("voucher.issue", at, ref="v9", programme=programme, **issued),
        ]

    views, events = grown(folder, curious)
    for kind, subject in subjects:
        found = views.parties_concerned(kind, subject)
        assert found is not None
        assert not found.parties & set(B.role_of()), kind
    assert [may_read(views, Reader(B.panel.party, "attester"), event) for event in events[:5]] == [False] + [True] * 4


def test_an_attester_that_is_no_longer_named_keeps_what_it_has_judged(two_cities: Path, tmp_path: Path) -> None:
    """And sees nothing new, from the day that the new rules are in force."""
    folder = Path(shutil.copytree(two_cities, tmp_path / "ledger"))
    panel = A.panel.party

    def seen(views: Views, name: str) -> bool:
        found = views.parties_concerned("application", A.id(A.firm, name))
        assert found is not None
        return panel in found.parties

    def amended(at: int) -> list[bytes]:
        gate = {"before": "settle", "subject_type": "contract", "topic": "usage", "other_side": True, "passes": 1}
        claims = {"cycle": "any", "cut_off_days": 30}
        rules = rules_of(transfer="approved", claims=claims, basis="both", gates=[gate])
        fields = {"rules": rules, "rules_from": format_day((at + 8 * 3_600 * SECOND_US) // DAY_US + 1)}
        amend = A.treasury.note(
            "programme.amend", at, ref="no-panel", programme=A.programme, reason="no panel", **fields
        )
        return [amend, application(A, at, "a3")]

    views, _ = grown(folder, amended)
    assert seen(views, "a3")
    views, _ = grown(folder, lambda at: [application(A, at, "a4")], later_us=2 * DAY_US)
    assert [seen(views, name) for name in ("a1", "a2", "a3", "a4")] == [True, False, False, False]


def grown(folder: Path, notes: Callable[[int], list[bytes]], later_us: int = SECOND_US) -> tuple[Views, list[Event]]:
    """Record notes at a later time, and return the views after them, and their events."""
    with read_ledger(folder) as reader:
        at = reader.state().at + later_us
    with open_ledger(folder, LOG_KEY, clock=lambda: at) as ledger:
        answers = ledger.submit(notes(at))
    admitted = [answer for answer in answers if isinstance(answer, Admitted)]
    assert len(admitted) == len(answers), answers
    return Views.as_of(folder, index=admitted[-1].index), [answer.event for answer in admitted]


def application(city: City, at: int, name: str) -> bytes:
    fields = {"application": city.id(city.firm, name), "programme": city.programme, "amount_fen": 1_000}
    declared = {"related_party": False, "other_support_fen": 0}
    return city.firm.note("application.file", at, ref=name, declarations=declared, evidence_hash=HASH, **fields)


def verdict(attester: Actor, at: int, subject_type: str, subject: str) -> bytes:
    fields = {"subject_type": subject_type, "subject_id": subject, "topic": "expert", "verdict": "fail"}
    fields |= {"reason": "curious", "evidence_hash": HASH, "valid_until": format_instant(at + DAY_US)}
    return attester.note("attestation.give", at, ref=f"on-{subject_type}", **fields)


def may_read(views: Views, reader: Reader, event: Event) -> bool:
    return may_read_entry(Reading.OWN, reader, event, views.parties_concerned)
