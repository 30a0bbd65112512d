"""Logging in by a signed note: who may, for how long, and what ends it."""

from pathlib import Path
from typing import Any

import pytest

from support.actors import ORIGIN, Actor, key_of, label_of, text_of
from support.reading_app import SERVICE_URL, Clock, Running, reading
from support.serving import service_in_thread
from support.two_cities import AUDITOR, LOG_KEY, NETWORK, A
from tallystick.errors import MalformedError
from tallystick.ledger import Admitted, open_ledger
from tallystick.signing.note import sign_text
from tallystick.vouchers.quantities import SECOND_US, format_instant
from tallystick.vouchers.rulebook import RULEBOOK
from tallystick.vouchers.sessions import FRESHNESS_US, LIFETIME_MAX_US, NOTE_SIZE_MAX, session_text
from tallystick.web import sessions

HOUR_US = 3_600 * SECOND_US
FIRM = A.firm.party


@pytest.fixture(autouse=True)
def looked_at_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys and parties are looked at each time."""
    monkeypatch.setattr(sessions, "CHECKED_EVERY_SECONDS", 0.0)


def login(clock: Clock, key: str = f"{FIRM}/officer-1", *, lifetime_us: int = HOUR_US, **changes: Any) -> bytes:
    """A login of the firm, or of another key's party, with fields changed."""
    fields = {
        "kind": "session.open/1",
        "log": ORIGIN,
        "party": key.partition("/")[0],
        "audience": SERVICE_URL,
        "scope": "read",
        "signed_at": format_instant(clock.now),
        "expires_at": format_instant(clock.now + lifetime_us),
    }
    return sign_text(text_of(fields | changes), key_of(key))


def open_session(service: Running, data: bytes) -> tuple[int, dict[str, Any]]:
    answer = service.client.post("/v1/sessions", content=data)
    assert answer.status_code != 201 or answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()


def is_open(service: Running, token: dict[str, Any]) -> bool:
    """Whether a token lets its party read what every party may: entry 0."""
    answer = service.get("/v1/entries/0", **token)
    assert answer.status_code in (200, 401), answer.text
    if answer.status_code == 401:
        assert answer.json()["reason"] == "login_required"
        assert answer.headers["www-authenticate"] == "Bearer"
    return answer.status_code == 200


def record(city_folder: Path, clock: Clock, actor: Actor, kind: str, *cosigners: str, **fields: Any) -> None:
    """Have a command recorded by another process."""
    clock.now += SECOND_US
    with open_ledger(city_folder, LOG_KEY, clock=lambda: clock.now) as ledger:
        (answer,) = ledger.submit([actor.note(kind, clock.now, *cosigners, ref=f"at-{clock.now}", **fields)])
    assert isinstance(answer, Admitted), answer


def test_a_signed_note_opens_a_session(service: Running, clock: Clock) -> None:
    """The token lets the party read until the note says; the answer says whose it is."""
    status, said = open_session(service, login(clock))
    assert status == 201
    assert said | {"token": ""} == {
        "token": "",
        "expires_at": format_instant(clock.now + HOUR_US),
        "party": FIRM,
        "role": "holder",
    }
    token = {"authorization": f"Bearer {said['token']}"}
    assert is_open(service, token)
    clock.now += HOUR_US - 1
    assert is_open(service, token)
    clock.now += 1
    assert not is_open(service, token)


def test_nothing_is_shown_without_a_login(service: Running) -> None:
    """Nor with another scheme, an unknown token, or none after the word."""
    for headers in (
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": b"Bearer \xff\xfe"},
        {"authorization": f"Bearer {'x' * 43}"},
        {"authorization": "Basic YTpi"},
        {"cookie": "token=x"},
    ):
        assert not is_open(service, headers)


@pytest.mark.parametrize(
    ("key", "role"),
    [
        (f"{A.treasury.party}/officer-1", "treasury"),
        (f"{A.treasury.party}/reader-1", "treasury"),
        (f"{A.centre.party}/officer-1", "provider"),
        (f"{A.panel.party}/officer-1", "attester"),
        (f"{A.maker.party}/officer-1", "holder"),
        (f"{AUDITOR.party}/officer-1", "auditor"),
        (f"{NETWORK.party}/root-1", "network"),
    ],
)
def test_every_party_logs_in_with_a_key_of_its_own(service: Running, clock: Clock, key: str, role: str) -> None:
    """One that signs, or one that only reads; whatever its quorum."""
    status, said = open_session(service, login(clock, key))
    assert (status, said.get("role")) == (201, role)


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("another log", {"log": "tallystick.example/other"}, "command_for_another_log"),
    ("another service", {"audience": "https://vouchers.example.evil"}, "command_for_another_log"),
    ("with a slash", {"audience": f"{SERVICE_URL}/"}, "command_for_another_log"),
    ("no audience", {"audience": ""}, "command_malformed"),
    ("to write", {"scope": "write"}, "command_malformed"),
    ("another version", {"kind": "session.open/2"}, "command_malformed"),
    ("a command", {"kind": "party.suspend/1"}, "command_malformed"),
    ("one field more", {"more": 1}, "command_malformed"),
    ("no such date", {"expires_at": "2026-13-01T00:00:00.000000Z"}, "command_malformed"),
    ("another's key", {"party": A.maker.party}, "key_unknown"),
    ("of nobody", {"party": "nobody"}, "key_unknown"),
]


@pytest.mark.parametrize(("name", "changes", "reason"), REFUSED, ids=[name for name, _, _ in REFUSED])
def test_what_opens_no_session(service: Running, clock: Clock, name: str, changes: dict[str, Any], reason: str) -> None:
    """A note that is for something else."""
    status, said = open_session(service, login(clock, **changes))
    assert said["reason"] == reason, (name, said)
    assert status == said["status"] >= 400
    assert "token" not in said


def test_times_that_open_no_session(service: Running, clock: Clock) -> None:
    """Signed too long ago or in the future, over already, or for longer than half a day."""
    now = clock.now
    early, late = (
        login(clock, signed_at=format_instant(at)) for at in (now - FRESHNESS_US - 1, now + 300 * SECOND_US + 1)
    )
    assert open_session(service, early)[1]["reason"] == "signed_too_long_ago"
    assert open_session(service, late)[1]["reason"] == "signed_in_the_future"
    assert open_session(service, login(clock, lifetime_us=0))[1]["reason"] == "window_invalid"
    assert open_session(service, login(clock, lifetime_us=LIFETIME_MAX_US + 1))[1]["reason"] == "date_too_far_ahead"
    assert open_session(service, login(clock, lifetime_us=LIFETIME_MAX_US))[0] == 201


def test_bytes_that_open_no_session(service: Running, clock: Clock) -> None:
    """Too many, not a note, another encoding of it, two signatures, and one that isn't the key's."""
    good = login(clock)
    two = sign_text(good.partition(b"\n\n")[0] + b"\n", key_of(f"{FIRM}/officer-1"), key_of("nobody/key-1"))
    for data, reason in (
        (b"", "note_malformed"),
        (b"\xff" * 100, "note_malformed"),
        (b"x" * (NOTE_SIZE_MAX + 1), "note_too_large"),
        (good.replace(b'{"audience"', b'{ "audience"'), "command_not_canonical"),
        (two, "signer_not_involved"),
        (sign_text(good.partition(b"\n\n")[0] + b"\n", key_of(f"{FIRM}/officer-1:x/y")), "key_unknown"),
        (good.replace(SERVICE_URL.encode(), ORIGIN.encode()), "signature_invalid"),
    ):
        assert open_session(service, data)[1]["reason"] == reason, data[:80]


def test_the_logs_origin_is_an_audience_too(service: Running, clock: Clock) -> None:
    """For a service whose URL its parties don't know yet."""
    assert open_session(service, login(clock, audience=ORIGIN))[0] == 201


def test_a_meter_key_does_not_log_in(service: Running, clock: Clock) -> None:
    """It burns and reverses, and stands in a machine's memory."""
    _, said = open_session(service, login(clock, f"{A.centre.party}/meter-1"))
    assert said["reason"] == "key_not_for_this_command"


def followed(service: Running) -> None:
    """Have the service see what another process recorded."""
    service.reads.log.refresh()
    service.reads.views.follow()


def test_a_revoked_key_ends_its_sessions(service: Running, clock: Clock, city_folder: Path) -> None:
    """Those of the party's other keys go on; the revoked one opens no other."""
    centre = A.centre.party
    revoked, other = (service.login(login(clock, f"{centre}/officer-{number}")) for number in (2, 1))
    assert is_open(service, revoked)
    key = label_of(f"{centre}/officer-2")
    record(city_folder, clock, A.centre, "key.revoke", subject=centre, key=key, cause="ceased", reason="left")
    followed(service)
    assert not is_open(service, revoked)
    assert is_open(service, other)
    assert open_session(service, login(clock, f"{centre}/officer-2"))[1]["reason"] == "key_revoked"


def test_a_suspended_party_reads_nothing(service: Running, clock: Clock, city_folder: Path) -> None:
    """Its sessions end, and it opens none before it is reinstated."""
    token = service.login(login(clock))
    record(city_folder, clock, A.treasury, "party.suspend", subject=FIRM, reason="under review")
    followed(service)
    assert not is_open(service, token)
    assert open_session(service, login(clock))[1]["reason"] == "party_suspended"
    record(city_folder, clock, A.treasury, "party.reinstate", subject=FIRM, reason="in order")
    followed(service)
    assert not is_open(service, token)
    assert open_session(service, login(clock))[0] == 201


def test_a_session_that_was_ended_stays_ended(service: Running, clock: Clock) -> None:
    """Its note opens no other; another note does."""
    data = login(clock)
    first, again = service.login(data), service.login(data)  # an answer was lost
    assert service.client.delete("/v1/sessions", headers=first).status_code == 204
    assert not is_open(service, first)
    assert is_open(service, again)
    assert open_session(service, data)[1]["reason"] == "login_required"
    assert service.client.delete("/v1/sessions", headers=first).status_code == 204
    assert service.client.delete("/v1/sessions").status_code == 401
    clock.now += 1
    assert is_open(service, service.login(login(clock)))


def test_a_replayed_login_lives_no_longer(service: Running, clock: Clock) -> None:
    """Who took the note from the wire has no more time than the party, and after ten minutes nothing."""
    data = login(clock, lifetime_us=2 * FRESHNESS_US)
    clock.now += FRESHNESS_US
    token = service.login(data)
    clock.now += FRESHNESS_US - 1
    assert is_open(service, token)
    assert open_session(service, data)[1]["reason"] == "signed_too_long_ago"
    clock.now += 1
    assert not is_open(service, token)


def test_a_party_has_so_many_sessions_and_no_more(
    service: Running, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one more its oldest ends; another party's do not. Beyond all that there may be, none is opened."""
    monkeypatch.setattr(sessions, "SESSIONS_OF_PARTY_MAX", 2)
    monkeypatch.setattr(sessions, "SESSIONS_MAX", 3)
    others = service.login(login(clock, f"{A.maker.party}/officer-1"))
    first, second, third = (service.login(login(clock)) for _ in range(3))
    assert [is_open(service, one) for one in (others, first, second, third)] == [True, False, True, True]
    status, said = open_session(service, login(clock, f"{A.panel.party}/officer-1"))
    assert (status, said["reason"]) == (503, "service_busy")
    clock.now += HOUR_US
    assert open_session(service, login(clock, f"{A.panel.party}/officer-1"))[0] == 201


def test_no_login_is_a_command() -> None:
    """Its kind is none of the rulebook's, and its text is the same for a person and a program."""
    assert not [kind for kind in RULEBOOK.rules if kind.startswith("session.")]
    text = session_text(ORIGIN, FIRM, SERVICE_URL, 0, HOUR_US)
    assert text == (
        b'{"audience":"https://vouchers.example","expires_at":"1970-01-01T01:00:00.000000Z",'
        b'"kind":"session.open/1","log":"tallystick.example/national","party":"secret-a-firm","scope":"read",'
        b'"signed_at":"1970-01-01T00:00:00.000000Z"}\n'
    )
    with pytest.raises(MalformedError, match="audience"):
        session_text(ORIGIN, FIRM, "https://vouchers.example/ x", 0, HOUR_US)


def test_without_rights_to_be_asked_for_no_login_is_needed(two_cities: Path) -> None:
    """A service that is open to all shows all, whatever token is shown."""
    with reading(two_cities) as running:
        assert running.get("/v1/entries/20").status_code == 200
        assert running.get("/v1/entries/20", authorization="Bearer nothing").status_code == 200


def test_what_is_recorded_here_ends_sessions_before_it_is_answered(
    city_folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However seldom the views are asked; and a party that is back has to log in again."""
    monkeypatch.setattr(sessions, "CHECKED_EVERY_SECONDS", 1_000_000.0)
    centre, firm = A.centre.party, A.firm.party
    with service_in_thread(city_folder, LOG_KEY, clock=clock, reading="own") as serving:

        def logged_in(key: str) -> dict[str, str]:
            answer = serving.http.post("/v1/sessions", content=login(clock, key, audience=serving.url))
            assert answer.status_code == 201, answer.text
            return {"authorization": f"Bearer {answer.json()['token']}"}

        def reads(token: dict[str, str]) -> bool:
            return serving.http.get("/v1/entries/0", headers=token).status_code == 200

        def post(actor: Actor, kind: str, **fields: Any) -> None:
            clock.now += SECOND_US
            answer = serving.post(actor.note(kind, clock.now, ref=f"at-{clock.now}", **fields))
            assert answer.status_code == 201, answer.text

        one, two, other = (
            logged_in(key) for key in (f"{centre}/officer-1", f"{centre}/officer-2", f"{firm}/officer-1")
        )
        key = label_of(f"{centre}/officer-2")
        post(A.centre, "key.revoke", subject=centre, key=key, cause="ceased", reason="left")
        assert [reads(token) for token in (one, two, other)] == [True, False, True]
        post(A.treasury, "party.suspend", subject=firm, reason="under review")
        post(A.treasury, "party.reinstate", subject=firm, reason="in order")
        assert [reads(token) for token in (one, other)] == [True, False]
        assert reads(logged_in(f"{firm}/officer-1"))
