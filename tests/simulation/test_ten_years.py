"""Ten years of five cities: what has ended leaves the state, and a ledger of all that time is audited clean."""

from contextlib import closing
from pathlib import Path

import pytest

from simulation.city_programmes import City, read_cities
from simulation.kept_log import LOG_KEY, KeptLog
from simulation.taking_logs import DecidedLog, WrittenLog
from simulation.ten_years import Cities
from support.actors import ORIGIN
from support.schedules import schedule
from tallystick.audit import audit
from tallystick.transparency.policy import Policy
from tallystick.vouchers.state import State

FIRST_YEAR = 2026
YEARS_WRITTEN = schedule(1, 10)
BYTES_AN_ID = 100
"""The most that is kept of what has ended: it is remembered so that its id is never used again."""


def five_cities() -> list[City]:
    """Gates before issue, claim and settlement, invoices with proration, transfers: those whose rules differ most."""
    names = ("beijing", "henan", "nanning", "qingyang", "seventeenth")
    return [city for city in read_cities(0.01) if city.treasury.removesuffix("-treasury") in names]


def remembered(state: State) -> int:
    """How many ids the state has of what is never used again."""
    return sum(map(len, state.left.values())) + len(state.documents) + len(state.payments)


def test_a_state_follows_what_is_alive(tmp_path: Path) -> None:
    log, kept = DecidedLog(ORIGIN), KeptLog(tmp_path)
    sizes: dict[int, int] = {}
    ids: dict[int, int] = {}
    there: dict[int, int] = {}
    for year, _ in enumerate(Cities(log, five_cities(), FIRST_YEAR).years(10), 1):
        state = log.state
        sizes[year], ids[year] = len(state.to_bytes()), remembered(state)
        there[year] = len(state.vouchers) + len(state.contracts) + len(state.reservations) + len(state.applications)
    assert ids[10] - ids[3] > 1_000, "too little has ended to say anything"
    assert sizes[10] <= 1.5 * sizes[3] + BYTES_AN_ID * (ids[10] - ids[3])
    assert there[10] <= 1.25 * there[3]
    kept.keep(log)
    assert kept.open() == log.state.size
    assert State.from_bytes(log.state.to_bytes()) == log.state


@pytest.mark.long
def test_a_ledger_of_years_is_audited_clean(tmp_path: Path) -> None:
    """The package's own writer, with real signatures; it and a log that only decides come to the same state."""
    decided, folder = DecidedLog(ORIGIN), tmp_path / "ledger"
    assert [*Cities(decided, five_cities(), FIRST_YEAR).years(YEARS_WRITTEN)]
    with closing(WrittenLog(folder)) as written:
        assert [*Cities(written, five_cities(), FIRST_YEAR).years(YEARS_WRITTEN)]
        assert written.state.to_bytes() == decided.state.to_bytes()
    report = audit(folder, Policy.for_log(LOG_KEY.verifier), processes=0)
    assert report.verdict == "clean", report.findings
    assert report.entries == decided.state.size > 200 * YEARS_WRITTEN
