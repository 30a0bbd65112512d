"""Times are read in every form that is printed; pages are in the network's zone, programs get UTC."""

from pathlib import Path
from typing import Any

import pytest

from support.command_line import Desk, Ran, done, failed, run, the_line
from tallystick.errors import UsageError
from tallystick.forms.times import TIMES, Moment, local, zone_name
from tallystick.vouchers.quantities import parse_instant
from tallystick.vouchers.rulebook import RULES

ZONE = 28_800
EIGHT_UTC = parse_instant("2026-01-05T08:00:00.000000Z")
TOO_LONG = "9" * 5_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A voucher of a year, issued at 16:00 of the network's 5 January; a holder is suspended on the 7th, at 0:30."""
    desk = Desk(tmp_path_factory.mktemp("desk"))
    desk.found()
    desk.open_programme()
    desk.at = "2026-01-06T16:30:00Z"
    desk.do("party.suspend", "shanghai-treasury", subject="acme-ai", reason="r")
    return desk


def is_suspended(ran: Ran) -> bool:
    assert ran.status == 0, ran
    (row,) = ran.json["balances"]
    return bool(row["suspended"])


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-05T08:00:00Z", 0),
        ("2026-01-05T08:00Z", 0),
        ("2026-01-05T08:00:00.000000Z", 0),
        ("2026-01-05T08:00:00.5Z", 500_000),
        ("2026-01-05T16:00:00+08:00", 0),
        ("2026-01-05T16:00+0800", 0),
        ("2026-01-05T03:00:00.000001-05:00", 1),
        ("2026-01-05T16:00:00", 0),
        ("2026-01-05 16:00", 0),
        ("2026-01-05T16:00:00.123", 123_000),
        ("2026-01-05", -16 * 3_600_000_000),
    ],
)
def test_every_form_is_read(text: str, instant: int) -> None:
    """With an offset, or in the network's zone; a day is its beginning, or its end where the past is asked for."""
    moment = Moment.read(text)
    assert moment.instant(lambda: ZONE) == EIGHT_UTC + instant
    more = 24 * 3_600_000_000 - 1 if text == "2026-01-05" else 0
    assert moment.last_instant(lambda: ZONE) == EIGHT_UTC + instant + more


@pytest.mark.parametrize("at", ["0", "1767600000000000", "1767600000000001", "253402300799999999"])
@pytest.mark.parametrize("zone", [0, ZONE, -16_200, 50_400, 3_661])
def test_what_is_printed_is_read_back(at: str, zone: int) -> None:
    """Of every instant, in every zone."""
    assert Moment.read(local(int(at), zone)).instant(lambda: zone) == int(at)


def test_zones_are_named() -> None:
    """As in RFC 3339, with seconds where there are any."""
    assert [zone_name(zone) for zone in (0, ZONE, -16_200, 3_661)] == ["UTC", "UTC+08:00", "UTC-04:30", "UTC+01:01:01"]


def test_every_time_of_a_command_is_known_as_one() -> None:
    """So that pages print it in the network's zone."""
    named = {
        name
        for model in RULES
        for name, form in model.model_json_schema()["properties"].items()
        if str(form.get("pattern", "")).endswith("Z$")  # RFC 3339 in UTC, and no id
    }
    assert {"signed_at", "until", "closes_at"} <= named <= TIMES
    assert {"from", "to", "valid_until", "at"} <= TIMES  # of a burn line, an outcome, an entry


BAD = [
    *["yesterday", "", "2026-01", "2026/01/05", "2026-02-30", "2026-01-05T24:00:00Z", "2026-01-05T08:00:60Z"],
    *["2026-01-05T08Z", "2026-01-05Z", "2026-01-05T08:00:00.1234567Z", "2026-01-05T08:00:00+25:00", "1969-12-30"],
    *["-1", "+5", "1_000", "１２", "２０２６-01-05", "2026-01-05\n", "2026-01-05T08:00:00z ", "99999999999999999999"],
    *["\udcff", "\u202e5", TOO_LONG, f"2026-01-05T08:00:00.{TOO_LONG}Z", "2026-W02-1"],
]


@pytest.mark.parametrize("at", BAD, ids=lambda at: ascii(at)[:30])
def test_anything_else_is_refused_with_the_forms(at: str, made: Desk) -> None:
    """In one line, however long it was."""
    said = failed("balances", made.ledger, f"--as-of={at}")
    assert "2026-01-05T08:00:00Z" in said
    assert "+08:00" in said
    assert "an entry's index" in said
    assert len(said) < 300
    assert said.isprintable()
    said = failed("check", made.ledger, made.folder / "002.note", f"--log-time={at}")
    assert "2026-01-05T08:00:00Z" in said


def test_a_nul_is_no_part_of_a_time() -> None:
    """No process is given one; who calls the program as a function may."""
    with pytest.raises(UsageError, match="is not a time like"):
        Moment.read("2026-01-05\x00")


@pytest.mark.parametrize(
    ("at", "suspended"),
    [
        ("2026-01-06", False),
        ("2026-01-07", True),
        ("2026-01-06T16:29:59.999999Z", False),
        ("2026-01-06T16:30Z", True),
        ("2026-01-07T00:30:00+08:00", True),
        ("2026-01-07T00:29:59", False),
        ("2026-01-07T00:30:00", True),
        ("13", True),
        ("9", False),
    ],
)
def test_the_past_is_asked_for_in_every_form(at: str, suspended: bool, made: Desk) -> None:
    """A day is the network's, and the whole of it."""
    at = str(made.size - 1) if at == "13" else at
    assert is_suspended(run("balances", made.ledger, "--by", "holder", "--as-of", at, "--json")) is suspended


def test_pages_are_in_the_network_s_zone_and_say_so_once(made: Desk) -> None:
    """What is printed can be given back; programs get UTC."""
    for command in (
        ("show", made.ledger, "voucher", "shanghai-treasury/v-1"),
        ("balances", made.ledger, "--by=voucher"),
    ):
        shown = done(*command)
        assert "2026-01-05T16:00:00" in shown
        assert "Z" not in shown
        assert shown.count("UTC+08:00") == 1
        assert "2027-01-05T08:00:00.000000Z" in done(*command, "--json")
    assert "2027-01-05T08:00:00.000000Z" in done("balances", made.ledger, "--by=voucher", "--csv")
    shown = done("show", made.ledger, "entry", made.size - 2)
    assert "2026-04-01T00:00:00" in shown
    assert (shown.count("UTC+08:00"), "Z" in shown) == (1, False)


def test_answers_to_notes_are_in_the_network_s_zone(made: Desk) -> None:
    """In words; in JSON they are as in the log."""
    fields: dict[str, Any] = {"programme": "shanghai-treasury/compute-2026", "holder": "acme-ai", "face_fen": 1}
    made.sign("party.reinstate", "shanghai-treasury", subject="acme-ai", reason="r")
    notes = [made.folder / f"{made.written:03d}.note"]
    start: dict[str, Any] = {"voucher": "shanghai-treasury/v-9", "valid_from": "2026-01-05T08:00:00.000000Z"}
    notes.append(made.sign("voucher.issue", "shanghai-treasury", **fields, **start))
    check = ("check", made.ledger, *notes, "--log-time", made.at)
    answer, words = done(*check).splitlines()[-2:]
    assert answer.endswith("voucher.issued/1: valid until 2027-01-05T16:00:00 (UTC+08:00)")
    assert words == (
        "  shanghai-treasury (shanghai-treasury) issues voucher shanghai-treasury/v-9 of 0.01 yuan to acme-ai "
        "(acme-ai) under programme Compute vouchers 2026 (shanghai-treasury/compute-2026), valid from 2026-01-05 16:00"
    )
    assert run(*check, "--json").json["notes"][1]["outcome"] == {"valid_until": "2027-01-05T08:00:00.000000Z"}


def test_a_receipt_knows_no_zone(made: Desk, tmp_path: Path) -> None:
    """It has one entry, and not the founding's: its times are in UTC, and say so."""
    done("receipt", made.ledger, made.size - 1, "-o", tmp_path / "r")
    assert "2026-01-06T16:30:00Z" in done("verify", tmp_path / "r", "--trust", made.policy)


@pytest.mark.parametrize("at", ["2099-01-01", "2026-01-06T16:30:00.000001Z", "2026-01-08"])
def test_a_time_after_the_last_entry_is_said(at: str, made: Desk) -> None:
    """On standard error: the answer is what was known then."""
    for form in ((), ("--json",), ("--csv",)):
        ran = run("balances", made.ledger, "--as-of", at, *form)
        assert (ran.status, ran.out) == (0, done("balances", made.ledger, *form))
        assert "last entry is of 2026-01-07T00:30:00 (UTC+08:00)" in the_line(ran.err)
    ran = run("show", made.ledger, "holder", "acme-ai", "--as-of", at)
    assert "last entry" in the_line(ran.err)


def test_a_time_before_the_first_entry_gives_headings_and_a_word(made: Desk) -> None:
    """In each form."""
    for form, said in (((), "programme"), (("--csv",), "programme,treasury"), (("--json",), '"balances": []')):
        ran = run("balances", made.ledger, "--as-of", "2000-01-01", *form)
        assert (ran.status, said in ran.out) == (0, True)
        assert "nothing yet" in the_line(ran.err)
    shown = run("balances", made.ledger, "--as-of", "2000-01-01").out.splitlines()
    assert shown[1].split()[:2] == ["programme", "treasury"]
    assert "there is no programme yet" in shown


def test_a_clock_is_set_in_every_form(made: Desk, tmp_path: Path) -> None:
    """By `check` in the network's zone, of a day its beginning; by `sign`, which knows none, with an offset."""
    late = made.sign("party.reinstate", "shanghai-treasury", subject="acme-ai", reason="r")
    for at in ("2026-01-07T00:30:00", "2026-01-07T00:30:00+08:00", "2026-01-06T16:30Z"):
        assert run("check", made.ledger, late, "--log-time", at).status == 0
    assert "signed_too_long_ago" in run("check", made.ledger, late, "--log-time", "2026-01-09").out
    command = tmp_path / "command.json"
    command.write_text(
        '{"kind": "party.suspend/1", "log": "l.example/x", "party": "a", "ref": "1", "subject": "b", "reason": "r"}'
    )
    key = made.key("acme-ai/desk")
    signed = [
        done("sign", command, "--key", key, "--signed-at", at) for at in ("2026-01-05T16:00+08:00", "2026-01-05T08:00Z")
    ]
    assert signed[0] == signed[1]
    for at in ("2026-01-05", "2026-01-05T16:00:00"):
        assert "offset" in failed("sign", command, "--key", key, "--signed-at", at)


def test_a_network_is_founded_at_its_own_time(tmp_path: Path) -> None:
    """`ledger create` takes the zone from the note."""
    desk = Desk(tmp_path)
    desk.found()
    genesis = tmp_path / "001.note"
    create = (
        "ledger",
        "create",
        tmp_path / "new",
        "--genesis",
        genesis,
        "--log-key",
        desk.key("tallystick.example/rehearsal"),
    )
    done(*create, "--log-time", "2026-01-05T16:00:00")
    assert '"at": "2026-01-05T08:00:00.000000Z"' in done("show", tmp_path / "new", "entry", 0, "--json")
