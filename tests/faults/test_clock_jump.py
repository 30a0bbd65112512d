"""A clock that is years ahead records nothing, and an honest pause bothers nobody."""

import time
from pathlib import Path

import pytest

from support.command_line import Desk, failed, run
from support.serving import ServingProcess
from tallystick.errors import ClockJumpError
from tallystick.ledger.clock_guard import ClockGuard
from tallystick.vouchers.quantities import DAY_US, format_instant

HOUR_US = DAY_US // 24
LAST = 20_000 * DAY_US


def believed(guard: ClockGuard, ahead_us: int, signed_ago_us: int) -> bool:
    """Whether the guard believes a clock so far ahead of the last entry, with a command signed so long before it."""
    at = LAST + ahead_us
    signed_at = [at - 40 * DAY_US, at - signed_ago_us]
    try:
        guard.check(at, LAST, signed_at)
    except ClockJumpError:
        return False
    return True


def test_what_is_said() -> None:
    """Both times, and what to do."""
    at = LAST + 400 * DAY_US
    with pytest.raises(ClockJumpError, match="set it right, or if it is right, say so once with --accept-c") as caught:
        ClockGuard().check(at, LAST, [at])
    assert str(caught.value).startswith(f"the clock says {format_instant(at)}, 400 days after the log's last entry (")
    assert format_instant(LAST) in str(caught.value)


@pytest.mark.parametrize(
    ("ahead_us", "signed_ago_us", "is_believed"),
    [
        (0, 300 * DAY_US, True),
        (DAY_US, 300 * DAY_US, True),
        (DAY_US + 1, DAY_US, True),
        (DAY_US + 1, DAY_US + 1, False),
        (DAY_US + 1, -300_000_000, True),
        (14 * DAY_US, HOUR_US, True),
        (31 * DAY_US, 0, True),
        (31 * DAY_US + 1, 0, False),
        (3_650 * DAY_US, 0, False),
    ],
)
def test_what_is_believed(ahead_us: int, signed_ago_us: int, is_believed: bool) -> None:
    """A day whatever was signed when, a month if something was signed lately, and nothing beyond."""
    assert believed(ClockGuard(), ahead_us, signed_ago_us) is is_believed


def test_bounds_and_a_word_are_the_operators() -> None:
    """Their word is good for the time at which it was given, and not for a later jump."""
    assert believed(ClockGuard(jump_hours=1), HOUR_US, 2 * DAY_US)
    assert not believed(ClockGuard(jump_hours=1), HOUR_US + 1, 2 * DAY_US)
    assert not believed(ClockGuard(idle_days=7), 8 * DAY_US, 0)
    vouched = ClockGuard(vouched_at=LAST + 3_650 * DAY_US)
    assert believed(vouched, 3_650 * DAY_US, 300 * DAY_US)
    assert not believed(vouched, 7_300 * DAY_US, 0)


def days_before_now(days: float) -> str:
    """A time by this machine's clock, as --log-time takes it."""
    return format_instant(time.time_ns() // 1_000 - int(days * DAY_US))[:19] + "Z"


def desk_of(folder: Path, days_ago: float) -> Desk:
    """A desk whose ledger has its last entry so many days ago."""
    desk = Desk(folder)
    desk.at = days_before_now(days_ago)
    desk.found()
    return desk


def note_of(desk: Desk, days_ago: float) -> Path:
    """A note that would be accepted, signed so many days ago."""
    desk.at = days_before_now(days_ago)
    return desk.sign("item.register", "national", item="x-1", unit="gpu_time", name="X 1", origin="domestic")


def test_an_idle_log_goes_on(tmp_path: Path) -> None:
    """For two weeks nothing happened; what comes then was signed just now."""
    desk = desk_of(tmp_path, 14)
    assert run("submit", desk.ledger, note_of(desk, 0)).status == 0


@pytest.mark.parametrize(("last_days_ago", "signed_days_ago"), [(400, 0), (3, 0.9)], ids=["years", "nobody signed"])
def test_a_jump_needs_the_operators_word(tmp_path: Path, last_days_ago: float, signed_days_ago: float) -> None:
    """One line, status 2, nothing recorded; then it is recorded, once said."""
    desk = desk_of(tmp_path, last_days_ago)
    (desk.ledger / "ledger.toml").write_text((desk.ledger / "ledger.toml").read_text() + "clock_jump_hours = 12\n")
    size, note = desk.size, note_of(desk, signed_days_ago)
    for more in ((), ("--log-key", desk.key("tallystick.example/rehearsal"))):
        line = failed("submit", desk.ledger, note, *more)
        assert line.startswith("the clock says ")
        assert desk.size == size
    assert run("submit", desk.ledger, note, "--accept-clock-jump").status == 0
    assert desk.size == size + 1
    assert "(recorded before)" in run("submit", desk.ledger, note).out


def test_what_was_recorded_before_is_answered_under_any_clock(tmp_path: Path) -> None:
    """It records nothing, so it does no harm."""
    desk = desk_of(tmp_path, 400)
    ran = run("submit", desk.ledger, desk.folder / "002.note")
    assert (ran.status, ran.err) == (0, "")
    assert "(recorded before)" in ran.out


def test_a_time_that_was_given_is_the_operators_word(tmp_path: Path) -> None:
    """As rehearsals do."""
    desk = desk_of(tmp_path, 400)
    note = note_of(desk, 100)
    assert run("submit", desk.ledger, note, "--log-time", desk.at).status == 0


@pytest.mark.parametrize("setting", ["clock_jump_hours = 0", "idle_days = 3661", 'idle_days = "x"'])
def test_bounds_have_bounds(tmp_path: Path, setting: str) -> None:
    """Said with the field."""
    desk = desk_of(tmp_path, 1)
    (desk.ledger / "ledger.toml").write_text((desk.ledger / "ledger.toml").read_text() + setting + "\n")
    assert f"{setting.split(maxsplit=1)[0]}: must be " in failed("submit", desk.ledger, note_of(desk, 0))


def test_a_service_answers_and_goes_on(tmp_path: Path) -> None:
    """What would be recorded is 503 and may be sent again; what was recorded before is answered as ever."""
    desk = desk_of(tmp_path, 400)
    size, new, old = desk.size, note_of(desk, 0), desk.folder / "002.note"
    with ServingProcess(desk.ledger, "--processes", "0") as service:
        refused = service.post(new.read_bytes())
        assert (refused.status_code, refused.json()["reason"]) == (503, "clock_jump")
        assert refused.json()["detail"].startswith("the clock says ")
        assert service.post(old.read_bytes()).status_code == 200
        assert service.http.get("/readyz").status_code == 200  # others may have been signed just now
        assert service.end() == 0
    assert desk.size == size
    with ServingProcess(desk.ledger, "--processes", "0", "--accept-clock-jump") as service:
        assert service.post(new.read_bytes()).status_code == 201
