"""Half-signed notes: brought, added to, seen by those who may sign, and gone when nothing comes of them any more."""

import hashlib
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support.actors import ORIGIN, Json, key_of, label_of, note_of, text_of, vkey_of
from support.reading_app import SERVICE_URL, Clock, Running, reading
from support.two_cities import HASH, LOG_KEY, A, B
from tallystick.ledger import Admitted, open_ledger
from tallystick.signing.note import Note, sign_text
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_day, format_instant
from tallystick.vouchers.sessions import session_text
from tallystick.web import pending

HOUR_US = 3_600 * SECOND_US
TREASURY, CENTRE, FIRM = A.treasury.party, A.centre.party, A.firm.party
ONE, TWO = f"{TREASURY}/officer-1", f"{TREASURY}/officer-2"


def command(clock: Clock, party: str = TREASURY, kind: str = "programme.amend/1", **fields: Any) -> Json:
    """A command that takes two officers: the envelope is raised."""
    head = {"kind": kind, "log": ORIGIN, "party": party, "ref": f"at-{clock.now}-{len(fields)}"}
    head |= {"signed_at": format_instant(clock.now)}
    if kind == "programme.amend/1":
        fields = {"programme": A.programme, "envelope_fen": 20_000_000_000, "reason": f"{A.secret} more"} | fields
    return head | fields


def contract(clock: Clock) -> Json:
    """A contract, which takes its holder's and its provider's signature."""
    day = clock.now // DAY_US
    return command(
        clock,
        FIRM,
        "contract.sign/1",
        contract=f"{FIRM}/k9",
        holder=FIRM,
        provider=CENTRE,
        document_hash=f"sha256:{'c9' * 32}",
        amount_fen=1_000_000,
        first_day=format_day(day),
        last_day=format_day(day + 30),
        items=[{"item": "ascend-910b", "price_fen": 600}],
        basis="metered",
        claimant="provider",
        related_party=False,
        other_support_fen=0,
    )


def bring(service: Running, note: bytes) -> httpx2.Response:
    return service.client.post("/v1/pending", content=note)


def as_party(service: Running, clock: Clock, key: str) -> dict[str, str]:
    """The header of a session of a key's party."""
    text = session_text(ORIGIN, key.partition("/")[0], SERVICE_URL, clock.now, clock.now + 8 * HOUR_US)
    return service.login(sign_text(text, key_of(key)))


def waiting(service: Running, token: dict[str, str]) -> list[str]:
    """The ids of the notes that a party is shown."""
    answer = service.get("/v1/pending", **token)
    assert answer.status_code == 200
    return [one["id"] for one in answer.json()["pending"]]


def test_a_note_waits_until_all_have_signed(service: Running, clock: Clock, city_folder: Path) -> None:
    """It says who is missing; the second officer adds a line; then it can be submitted, and is gone."""
    said = command(clock)
    answer = bring(service, note_of(said, ONE))
    id_ = hashlib.sha256(text_of(said)).hexdigest()
    assert (answer.status_code, answer.headers["location"]) == (201, f"/v1/pending/{id_}")
    assert answer.json() == {
        "id": id_,
        "text": text_of(said).decode(),
        "signed_by": [label_of(ONE)],
        "missing": [{"party": TREASURY, "count": 1}],
        "complete": False,
        "stale_at": format_instant(clock.now + 86_400 * SECOND_US + 1),
    }
    officer = as_party(service, clock, TWO)
    assert waiting(service, officer) == [id_]
    answer = bring(service, note_of(said, TWO))  # which has the second line alone
    assert (answer.status_code, answer.json()["missing"], answer.json()["complete"]) == (200, [], True)
    note = service.get(f"/v1/pending/{id_}", **officer).content
    assert [line.label for line in Note.from_bytes(note).signatures] == [label_of(ONE), label_of(TWO)]
    with open_ledger(city_folder, LOG_KEY, clock=lambda: clock.now) as ledger:
        assert isinstance(ledger.submit([note])[0], Admitted)
    service.reads.log.refresh()
    service.reads.views.follow()
    assert waiting(service, officer) == []
    assert service.get(f"/v1/pending/{id_}", **officer).status_code == 404
    assert bring(service, note).json()["reason"] == "already_recorded"


def test_the_same_again_changes_nothing(service: Running, clock: Clock) -> None:
    """Nor does the same line by the same key in other bytes."""
    note = note_of(contract(clock), f"{FIRM}/officer-1")
    first, second = bring(service, note), bring(service, note)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert first.json()["missing"] == [{"party": CENTRE, "count": 1}]


def test_who_may_sign_it_may_see_it_and_nobody_else(service: Running, clock: Clock) -> None:
    """Not even those who read all of the log; and nobody without a login, however open it is."""
    id_ = bring(service, note_of(contract(clock), f"{FIRM}/officer-1")).json()["id"]
    places = ("/v1/pending", f"/v1/pending/{id_}")
    for key in (f"{FIRM}/officer-1", f"{CENTRE}/officer-1"):
        token = as_party(service, clock, key)
        assert waiting(service, token) == [id_]
        assert service.get(places[1], **token).status_code == 200
        assert service.get(places[1], accept="application/json", **token).json()["id"] == id_
    for key in (ONE, f"{B.firm.party}/officer-1", f"{A.panel.party}/officer-1", "court/officer-1", "national/root-1"):
        token = as_party(service, clock, key)
        assert waiting(service, token) == []
        there, not_there = (service.get(place, **token) for place in (places[1], f"/v1/pending/{'0' * 64}"))
        assert there.status_code == not_there.status_code == 404
        assert there.json()["detail"].replace(id_, "") == not_there.json()["detail"].replace("0" * 64, "")
    for place in places:
        assert service.get(place).json()["reason"] == "login_required"


def test_an_open_log_shows_no_half_signed_notes(city_folder: Path, clock: Clock) -> None:
    """They aren't in it."""
    with reading(city_folder, clock=clock) as service:
        id_ = bring(service, note_of(contract(clock), f"{FIRM}/officer-1")).json()["id"]
        assert service.get(f"/v1/pending/{id_}").json()["reason"] == "login_required"
        assert waiting(service, as_party(service, clock, f"{CENTRE}/officer-1")) == [id_]


def test_a_line_that_counts_nothing_is_left_out(service: Running, clock: Clock) -> None:
    """Of a party that isn't asked, of an unknown key, of one for something else, or no signature at all."""
    said = command(clock)
    for strange in (f"{B.treasury.party}/officer-1", f"{TREASURY}/reader-1", "nobody/key-1"):
        answer = bring(service, note_of(said, ONE, strange))
        assert answer.json()["signed_by"] == [label_of(ONE)], strange
    answer = bring(service, note_of(said, ONE, spoiled=(TWO,)))
    assert (answer.json()["signed_by"], answer.json()["complete"]) == ([label_of(ONE)], False)


@pytest.mark.parametrize(
    ("keys", "spoiled", "reason"),
    [
        (("nobody/key-1",), (), "key_unknown"),
        ((f"{B.treasury.party}/officer-1",), (), "signer_not_involved"),
        ((f"{TREASURY}/reader-1",), (), "key_not_for_this_command"),
        ((), (ONE,), "signature_invalid"),
    ],
)
def test_a_note_that_no_party_has_signed_is_not_kept(
    service: Running, clock: Clock, keys: tuple[str, ...], spoiled: tuple[str, ...], reason: str
) -> None:
    """Or everybody could fill the file."""
    answer = bring(service, note_of(command(clock), *keys, spoiled=spoiled))
    assert answer.json()["reason"] == reason
    assert waiting(service, as_party(service, clock, TWO)) == []


def test_a_key_that_is_brought_is_nobodys_yet(service: Running, clock: Clock) -> None:
    """It signs, and says who is missing; alone it has nothing kept."""
    new = f"{TREASURY}/officer-3"
    said = command(clock, kind="key.add/1", subject=TREASURY, purpose="sign", vkey=vkey_of(new))
    assert bring(service, note_of(said, new)).json()["reason"] == "signatures_missing"
    answer = bring(service, note_of(said, ONE))
    assert answer.json()["missing"] == [
        {"party": TREASURY, "count": 1},
        {"party": TREASURY, "count": 1, "key": label_of(new)},
    ]
    assert bring(service, note_of(said, new)).json()["missing"] == [{"party": TREASURY, "count": 1}]
    assert bring(service, note_of(said, TWO)).json()["complete"]


def test_what_can_not_be_recorded_is_not_kept(service: Running, clock: Clock) -> None:
    """Whoever else would sign it: nonsense, another log's, too old, under a reference that is used."""
    good = note_of(command(clock), ONE)
    for note, reason in (
        (b"nonsense", "note_malformed"),
        (b"x" * 100_000, "note_too_large"),
        (note_of(command(clock) | {"log": "tallystick.example/other"}, ONE), "command_for_another_log"),
        (note_of(command(clock) | {"signed_at": "2026-02-02T08:00:00.000000Z"}, ONE), "signed_too_long_ago"),
        (note_of(command(clock) | {"party": "nobody"}, ONE), "party_unknown"),
        (note_of(command(clock, FIRM), f"{FIRM}/officer-1"), "role_may_not"),
    ):
        assert bring(service, note).json()["reason"] == reason
    assert bring(service, good).status_code == 201


def test_a_note_goes_stale(service: Running, clock: Clock) -> None:
    """With the network's freshness, to the microsecond."""
    bring(service, note_of(contract(clock), f"{FIRM}/officer-1"))
    clock.now += 86_400 * SECOND_US
    token = as_party(service, clock, f"{CENTRE}/officer-1")
    assert len(waiting(service, token)) == 1
    clock.now += 1
    assert waiting(service, token) == []


def test_a_complete_note_that_is_refused_for_good_is_gone(service: Running, clock: Clock) -> None:
    """An envelope below what is committed may be right another time; a contract with nobody is not."""
    said = contract(clock) | {"last_day": format_day(clock.now // DAY_US - 1)}
    assert bring(service, note_of(said, f"{FIRM}/officer-1")).status_code == 201
    token = as_party(service, clock, f"{FIRM}/officer-1")
    assert len(waiting(service, token)) == 1
    answer = bring(service, note_of(said, f"{CENTRE}/officer-1"))
    assert answer.json()["reason"] == "window_invalid"
    assert waiting(service, token) == []


def test_a_revoked_key_has_signed_nothing(service: Running, clock: Clock, city_folder: Path) -> None:
    """A line that counted counts no more; the note waits for another."""
    said = contract(clock) | {"ref": "k9"}
    bring(service, note_of(said, f"{FIRM}/officer-1"))
    answer = bring(service, note_of(said, f"{CENTRE}/officer-2"))
    assert answer.json()["complete"]
    clock.now += SECOND_US
    revoke = {"subject": CENTRE, "key": label_of(f"{CENTRE}/officer-2"), "cause": "ceased", "reason": "left"}
    with open_ledger(city_folder, LOG_KEY, clock=lambda: clock.now) as ledger:
        (done,) = ledger.submit([A.centre.note("key.revoke", clock.now, ref="revoke", **revoke)])
        assert isinstance(done, Admitted)
    service.reads.log.refresh()
    service.reads.views.follow()
    (shown,) = service.get("/v1/pending", **as_party(service, clock, f"{FIRM}/officer-1")).json()["pending"]
    assert shown["signed_by"] == [label_of(f"{FIRM}/officer-1")]
    assert shown["missing"] == [{"party": CENTRE, "count": 1}]


def test_notes_wait_through_a_restart(city_folder: Path, clock: Clock) -> None:
    """In a file of their own, which others can't read; one that is damaged is replaced."""
    with reading(city_folder, who="own", clock=clock) as service:
        id_ = bring(service, note_of(contract(clock), f"{FIRM}/officer-1")).json()["id"]
    with reading(city_folder, who="own", clock=clock) as service:
        assert waiting(service, as_party(service, clock, f"{CENTRE}/officer-1")) == [id_]
    file = city_folder / "pending.db"
    assert file.stat().st_mode & 0o007 == 0
    file.write_bytes(b"not a database, but long enough to be read as one" * 100)
    with reading(city_folder, who="own", clock=clock) as service:
        assert waiting(service, as_party(service, clock, f"{CENTRE}/officer-1")) == []
        assert bring(service, note_of(contract(clock), f"{FIRM}/officer-1")).status_code == 201


def test_a_party_leaves_so_many_notes_and_no_more(
    service: Running, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By number and by bytes; another party's aren't touched, and room that is given back can be used."""
    monkeypatch.setattr(pending, "PENDING_OF_PARTY_MAX", 2)
    firm, maker = (f"{one}/officer-1" for one in (FIRM, A.maker.party))
    notes = [note_of(contract(clock) | {"ref": f"k{number}"}, firm) for number in range(3)]
    assert [bring(service, note).status_code for note in notes] == [201, 201, 429]
    assert bring(service, notes[0]).status_code == 200
    assert (
        bring(service, note_of(contract(clock) | {"party": A.maker.party, "holder": A.maker.party}, maker)).status_code
        == 201
    )
    clock.now += 86_400 * SECOND_US + 1
    assert bring(service, note_of(contract(clock), firm)).status_code == 201
    monkeypatch.setattr(pending, "PENDING_BYTES_OF_PARTY_MAX", 1_000)
    assert bring(service, note_of(contract(clock) | {"ref": "more"}, firm)).json()["reason"] == "too_many_requests"
    monkeypatch.setattr(pending, "PENDING_BYTES_OF_PARTY_MAX", 100_000)
    monkeypatch.setattr(pending, "PENDING_MAX", 1)
    assert bring(service, note_of(contract(clock) | {"ref": "more"}, firm)).json()["reason"] == "service_busy"


def test_a_long_list_comes_in_pages(service: Running, clock: Clock) -> None:
    """Each says where the next goes on."""
    ids = set()
    for number in range(5):
        clock.now += 1
        ids.add(bring(service, note_of(contract(clock) | {"ref": f"k{number}"}, f"{FIRM}/officer-1")).json()["id"])
    token = as_party(service, clock, f"{CENTRE}/officer-1")
    found, after = [], ""
    for _ in range(3):
        page = service.get(f"/v1/pending?limit=2{after}", **token).json()
        found += [one["id"] for one in page["pending"]]
        after = f"&after={page['next']}"
    assert len(found) == 5
    assert set(found) == ids
    assert page["next"] is None


def test_officers_are_asked_as_the_sums_stand(service: Running, clock: Clock) -> None:
    """An issue below the threshold takes one; above it two, and so another officer sees it."""
    fields = {"programme": A.programme, "holder": FIRM, "valid_from": format_instant(clock.now), "evidence_hash": HASH}
    fields["application"] = A.id(A.firm, "a1")
    for number, face_fen, missing in ((1, 1_000, []), (2, 150_000_000, [{"party": TREASURY, "count": 1}])):
        voucher = f"{TREASURY}/new-{number}"
        said = command(clock, kind="voucher.issue/1", voucher=voucher, face_fen=face_fen, ref=f"new-{number}", **fields)
        answer = bring(service, note_of(said, ONE))
        assert answer.status_code == 201, answer.text
        assert answer.json()["missing"] == missing
