"""The demo plays its year to the end: it leaves a folder that audits clean, and shows that a changed copy doesn't."""

import csv
import io
import json
import os
import random
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from sqlite3 import connect
from typing import Any, NamedTuple

import pytest
from rich.console import Console

from support import command_line
from support.editions import NEVER_RECORDED
from support.schedules import schedule
from tallystick.audit import Report, audit
from tallystick.cli.reading import read_passphrase
from tallystick.demo import run, run_demo
from tallystick.demo.tampering import copy_with_one_byte_changed
from tallystick.errors import UsageError
from tallystick.keyfiles import load
from tallystick.ledger.settings import load_settings
from tallystick.publishing import read_ledger
from tallystick.signing import canonical_json
from tallystick.signing.note import Note
from tallystick.transparency.policy import Policy
from tallystick.vouchers.entry import Header, split_entry
from tallystick.vouchers.rulebook import EVENT_KINDS

LIMIT = 100
HEADER = "timestamp,duration,num_gpus,gpu_time,cluster\n"
KEY_FIELDS = ("keys", "root_keys", "vkey", "key", "old_vkey", "new_vkey")
REASONS = {
    *("signatures_missing", "transfer_forbidden", "voucher_suspended", "key_revoked", "exceeds_holder_cap"),
    *("payment_differs", "reservation_not_over", "job_time_already_burned", "job_time_too_long_ago"),
}


class Demo(NamedTuple):
    """A demo that was played: its folder, what it answered, what it showed."""

    folder: Path
    good: bool
    shown: str

    @property
    def report(self) -> Any:
        """The first audit's report."""
        return json.loads((self.folder / "audit.json").read_bytes())

    @property
    def policy(self) -> Policy:
        """The trust policy that it leaves."""
        return Policy.from_text((self.folder / "trust.policy").read_bytes())


def play(folder: Path, **options: Any) -> Demo:
    """Play the demo."""
    shown = io.StringIO()
    good = run_demo(folder, console=Console(file=shown, width=120), **options)
    return Demo(folder, good, shown.getvalue())


def story_of(folder: Path) -> Iterator[tuple[Header, Any]]:
    """Every entry's header and command, less the keys, which are drawn at random."""
    with read_ledger(folder) as reader:
        for data in reader.entries():
            header, note = split_entry(data)
            command: Any = canonical_json.decode(Note.from_bytes(note).text[:-1])
            yield Header.from_bytes(header), {name: value for name, value in command.items() if name not in KEY_FIELDS}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The default story with few jobs, played once."""
    return play(tmp_path_factory.mktemp("demo") / "year", limit=LIMIT)


def test_it_ends_well(demo: Demo) -> None:
    """The first audit is clean, the second isn't."""
    assert demo.good
    assert demo.report["verdict"] == "clean"
    assert demo.report["findings"] == []


def test_it_leaves_the_folder_that_is_promised(demo: Demo) -> None:
    """Every name of it, and nothing open to others among the keys."""
    names = {path.name for path in demo.folder.iterdir()}
    assert {"ledger.db", "ledger.toml", "trust.policy", "keys", "tiles", "audit.json", "balances.csv"} <= names
    keys = [path for path in (demo.folder / "keys").rglob("*") if path.is_file()]
    assert len(keys) > 18 * 2 + 10 + 30
    assert {path.stat().st_mode & 0o777 for path in keys} == {0o600}


def test_every_job_is_one_line(demo: Demo) -> None:
    """Accepted or refused, counted by the audit."""
    totals = demo.report["totals"]
    assert totals["burn_lines_accepted"] + totals["burn_lines_refused"] == LIMIT


def test_every_kind_of_event_happens(demo: Demo) -> None:
    """The year leaves none out."""
    assert {header.kind for header, _ in story_of(demo.folder)} == set(EVENT_KINDS.values()) - NEVER_RECORDED


class Line(NamedTuple):
    """A line of a statement that was accepted: what it says besides its five values, and what paid for it."""

    options: dict[str, Any]
    fee_fen: int
    absorbed_fen: int
    paid_fen: dict[str, int]


def accepted_lines(folder: Path) -> Iterator[Line]:
    """Every accepted line of the log."""
    for header, command in story_of(folder):
        if header.kind == "time.burned/1":
            outcome = header.outcome
            refused, absorbed = dict(outcome["refused"]), dict(outcome["absorbed"])
            rows = [row for group in command["groups"] for row in group["lines"]]
            for number, row in enumerate(rows):
                if number not in refused:
                    paid_fen = {name: by_line[number] for name, by_line in outcome["paid"] if by_line[number]}
                    options = row[5] if len(row) > 5 else {}
                    yield Line(options, outcome["fee_fen"][number], absorbed.get(number, 0), paid_fen)


def test_what_lines_can_say_happens(demo: Demo) -> None:
    """A correction, usage reported late, other support, and a city and its district that pay for one job."""
    lines = list(accepted_lines(demo.folder))
    assert any("corrects" in line.options for line in lines)
    assert any("prior_period" in line.options for line in lines)
    assert any("pay_available" in line.options for line in lines)
    assert any(line.absorbed_fen for line in lines)
    assert any(len(line.paid_fen) > 1 for line in lines)


def test_city_and_district_pay_under_one_ceiling(demo: Demo) -> None:
    """30 % of the city; of the district's 20 % what is left under its ceiling of 45 %, if nobody else gave support."""
    voucher_of = {
        command["reservation"]: command["voucher"]
        for _, command in story_of(demo.folder)
        if command["kind"] == "voucher.reserve/1"
    }
    paid_by_district = 0
    for line in accepted_lines(demo.folder):
        paid_fen = {voucher_of[name].split("/")[0]: fen for name, fen in line.paid_fen.items()}
        if "pudong-treasury" in paid_fen and not line.absorbed_fen:
            paid_by_district += 1
            of_city = line.fee_fen * 30 // 100
            assert paid_fen == {
                "shanghai-treasury": of_city,
                "pudong-treasury": line.fee_fen * 45 // 100 - of_city,
            }
    assert paid_by_district > 0


def test_a_contract_ends_early_and_both_must_agree(demo: Demo) -> None:
    """An amendment that one side signs alone is refused; nothing is reserved under the contract after its end."""
    story = list(story_of(demo.folder))
    (amended,) = [command for _, command in story if command["kind"] == "contract.amend/1" and "last_day" in command]
    reserved_at = [
        command["signed_at"]
        for _, command in story
        if command["kind"] == "voucher.reserve/1" and command["contract"] == amended["contract"]
    ]
    assert reserved_at
    assert max(reserved_at) < amended["signed_at"]


def test_holders_are_paid_where_a_programme_says_so(demo: Demo) -> None:
    """Claims come from start-ups as from clusters, and of a contract that says `either` from who came first."""
    claims = [command for _, command in story_of(demo.folder) if command["kind"] == "redemption.claim/1"]
    claimants = {command["party"]: command["programme"] for command in claims}
    assert {party for party in claimants if party.endswith("-cluster")}
    of_holders = {programme for party, programme in claimants.items() if not party.endswith("-cluster")}
    assert {"nanning-treasury/compute", "yangzhou-treasury/compute"} <= of_holders


def test_job_names_differ_by_more_than_their_case(demo: Demo) -> None:
    """A job is called in lower case, so that two can't be told apart by capitals alone."""
    rows = [
        row
        for _, command in story_of(demo.folder)
        if command["kind"] == "time.burn/1"
        for group in command["groups"]
        for row in group["lines"]
    ]
    assert all(name == name.lower() for name, *_ in rows)
    again = LIMIT // 50  # of a hundred, one is reported twice and one is corrected
    assert len({name for name, *_ in rows}) == LIMIT - again


def test_the_lines_are_those_of_real_parties(demo: Demo) -> None:
    """17 cities' treasuries and a district's, 10 providers with codes, 30 holders with codes, one auditor."""
    story = list(story_of(demo.folder))
    records = [command["record"] for _, command in story if command["kind"] == "record.withdraw/1"]
    withdrawn = {record["party"] for record in records if record["type"] == "party"}
    assert len(withdrawn) == 1
    admitted = [command for _, command in story if command["kind"] == "party.admit/1"]
    admitted = [command for command in admitted if command["admitted"] not in withdrawn]
    roles = [command["role"] for command in admitted]
    assert {role: roles.count(role) for role in set(roles)} == {
        "treasury": 18,
        "provider": 10,
        "holder": 30,
        "auditor": 1,
        "operator": 2,
        "attester": 3,
    }
    assert all("uscc" in command for command in admitted if command["role"] in ("provider", "holder"))


def test_it_shows_its_figures(demo: Demo) -> None:
    """In the promised order, and the entry that was changed by its index."""
    titles = [
        "What was played",
        "Balances by city",
        "Burned by provider",
        "Refused, by reason",
        "Conservation",
        "Audit: clean",
    ]
    places = [demo.shown.index(title) for title in [*titles, "A copy, in which byte", "Audit of the copy: findings"]]
    assert places == sorted(places)
    assert "NO" not in demo.shown.split()
    changed = demo.shown.split(" of entry ")[1].split()[0]
    first_finding = demo.shown.split("Audit of the copy: findings\n")[1].splitlines()[0]
    assert f" at entry {changed}: " in first_finding


def figures(shown: str, title: str) -> dict[str, list[int]]:
    """Return a table's rows: by what stands first, its numbers in hundredths or thousandths."""
    body = shown.split(title, 1)[1].split("\n\n", maxsplit=1)[0].split("\nAudit:", maxsplit=1)[0].splitlines()[3:]
    return {
        first: [int(re.sub(r"\D", "", number)) for number in re.findall(r"[\d,.]+", rest)]
        for first, rest in (line.split(maxsplit=1) for line in body)
    }


def test_tables_add_up_on_the_page(demo: Demo) -> None:
    """Each treasury's envelope is the rest of its row, and the last row the sum of the others."""
    cities = figures(demo.shown, "Balances by city")
    assert len(cities) == 19
    assert all(envelope == sum(rest) for envelope, *rest in cities.values())
    for title in ("Balances by city", "Burned by provider", "Refused, by reason"):
        rows = figures(demo.shown, title)
        together = rows.pop("all")
        sums = [sum(column) for column in zip(*rows.values(), strict=True)]
        if title == "Burned by provider":  # what is cut off may add up to more
            assert 0 <= together[1] - sums[1] < len(rows)
            together[1] = sums[1]
        assert together == sums


def test_refusals_are_shown_by_reason(demo: Demo) -> None:
    """Of lines as of commands."""
    assert {reason for reason in REASONS if reason not in demo.shown} == set()


def test_balances_add_up(demo: Demo) -> None:
    """Every programme's places add up to its envelope, in fen."""
    with (demo.folder / "balances.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["city"] for row in rows}) == 18
    for row in rows:
        places = sum(int(value) for name, value in row.items() if name.endswith("_fen") and name != "envelope_fen")
        assert places == int(row["envelope_fen"]), row["programme"]


def test_the_tiles_audit_clean_too(demo: Demo) -> None:
    """They are the same log."""
    report = audit(demo.folder / "tiles", demo.policy, processes=1)
    assert report.is_clean
    assert report.totals.model_dump() == demo.report["totals"]


def test_the_honest_year_has_no_pattern_above_a_note(demo: Demo) -> None:
    """And all else that the report says is as without patterns."""
    options = ("--trust", demo.folder / "trust.policy", "--fail-on", "warning", "--json")
    ran = command_line.run("audit", demo.folder, *options)
    report = json.loads(ran.out)
    patterns = report.pop("patterns")
    assert (ran.status, report) == (0, demo.report)
    assert [one for one in patterns["seen"] if one["severity"] != "note"] == []
    assert patterns["entries"] == report["entries"]


@pytest.fixture(scope="module")
def dishonest(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """A year of one job and one start-up, with frauds in it, played once."""
    folder = tmp_path_factory.mktemp("dishonest")
    (folder / "jobs.csv").write_text(HEADER + "2025-01-09 07:01:55,66.0,1,66.0,ab\n")
    return play(folder / "year", jobs=folder / "jobs.csv", dishonest=True)


def test_all_frauds_are_seen_and_the_audit_is_clean(dishonest: Demo) -> None:
    """Each command of them was accepted, so only patterns tell; the demo says where."""
    assert dishonest.good
    assert dishonest.report["verdict"] == "clean"
    assert "NOT SEEN" not in dishonest.shown
    hidden = {
        "capacity_exceeded",
        "job_at_two_providers",
        "just_under_threshold",
        "passed_on_in_circle",
        "evidence_repeated",
    }
    shown = dishonest.shown.partition("Frauds that no rule refuses")[2]
    assert {name for name in hidden if name in shown} == hidden
    grave = {one["pattern"] for one in dishonest.report["patterns"]["seen"] if one["severity"] != "note"}
    assert hidden <= grave


def test_patterns_change_the_status_only_where_asked(dishonest: Demo, tmp_path: Path) -> None:
    """Never the verdict, findings or totals; an export shows what the ledger shows."""
    trust = dishonest.folder / "trust.policy"
    plain = command_line.run("audit", dishonest.folder, "--trust", trust, "--json")
    report = dishonest.report
    patterns = report.pop("patterns")
    assert (plain.status, json.loads(plain.out)) == (0, report)
    file = tmp_path / "report.json"
    options = ("--fail-on", "alarm", "--parameter", "last_days=15", "--report", file)
    ran = command_line.run("audit", dishonest.folder / "tiles", "--trust", trust, *options)
    assert ran.status == 1
    assert "verdict: clean" in ran.out
    assert "alarm evidence_repeated at entries " in ran.out
    written = json.loads(file.read_bytes())["patterns"]
    assert written["seen"] == patterns["seen"]
    assert written["parameters"] == patterns["parameters"] | {"last_days": 15}
    since = command_line.run("audit", dishonest.folder, "--trust", trust, "--since", file, "--fail-on", "note")
    assert since.status == 0
    assert "patterns: none; none of them changes the verdict" in since.out


def test_the_log_key_can_be_used_afterwards(demo: Demo) -> None:
    """The settings name the newer one and its passphrase, and the policy trusts it."""
    settings = load_settings(demo.folder)
    assert settings.log_key_passphrase_file is not None
    assert isinstance(settings.log_key, Path)
    key = load(settings.log_key, read_passphrase(settings.log_key_passphrase_file))
    assert key.verifier == [log.vkey for log in demo.policy.logs][-1]


def test_the_copy_differs_in_one_byte_and_the_audit_names_its_entry(demo: Demo, tmp_path: Path) -> None:
    """The ledger itself stays as it is."""
    change = copy_with_one_byte_changed(demo.folder, tmp_path)
    states = []
    for folder in (demo.folder, tmp_path):
        with closing(connect(folder / "ledger.db")) as connection:
            states.append(connection.execute("SELECT state FROM stored_events ORDER BY originator_version").fetchall())
    differing = [index for index, (before, after) in enumerate(zip(*states, strict=True)) if before != after]
    assert differing == [change.index]
    (before,), (after,) = (state[change.index] for state in states)
    assert [place for place in range(len(before)) if before[place] != after[place]] == [change.place]
    assert change.index in [row.index for row in audit(tmp_path, demo.policy, processes=1).findings]
    assert audit(demo.folder, demo.policy, processes=1).is_clean


def test_the_story_is_its_seeds(demo: Demo, tmp_path: Path) -> None:
    """The same seed gives the same commands, times and outcomes; another seed doesn't."""
    again = play(tmp_path / "again", limit=LIMIT)
    assert list(story_of(again.folder)) == list(story_of(demo.folder))
    other = play(tmp_path / "other", limit=LIMIT, seed=2)
    assert list(story_of(other.folder)) != list(story_of(demo.folder))


@pytest.mark.parametrize(
    ("verdicts", "good"),
    [(("clean", "findings"), True), (("clean", "clean"), False), (("findings", "findings"), False)],
)
def test_it_is_good_only_if_the_first_audit_is_clean_and_the_second_not(
    verdicts: tuple[str, str], good: bool, demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else it shows."""
    report = Report.from_bytes((demo.folder / "audit.json").read_bytes())
    reports = iter([report.model_copy(update={"verdict": verdict}) for verdict in verdicts])
    monkeypatch.setattr(run, "audit", lambda *_, **__: next(reports))
    assert play(tmp_path / "year", limit=1).good is good


@pytest.fixture
def workload(tmp_path: Path) -> Path:
    """82,247 jobs in `make test-all`, recorded ones if TALLYSTICK_SHARED has them; in `make test` 2,000 like them."""
    recorded = Path(os.environ.get("TALLYSTICK_SHARED", "")) / "philly" / "philly.csv"
    if schedule(False, True) and recorded.is_file():
        return recorded
    chance = random.Random(1)
    path = tmp_path / "philly.csv"
    jobs = schedule(2_000, 82_247)
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER)
        for number in range(jobs):
            at = datetime(2017, 10, 9) + timedelta(seconds=number * 10_000_000 // jobs)
            seconds, gpus = round(chance.lognormvariate(7, 2.5)) + 1, chance.choice((1, 1, 1, 2, 4, 8, 16))
            file.write(f"{at},{seconds}.0,{gpus},{seconds * gpus}.0,{chance.choice(('11cb48', '6214e9', 'e13805'))}\n")
    return path


@pytest.mark.long
def test_a_workload_is_played_whole(workload: Path, tmp_path: Path) -> None:
    """Every job a line, every GPU-millisecond accounted for, more than half accepted, and clean."""
    path = workload
    demo = play(tmp_path / "year", jobs=path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    totals = demo.report["totals"]
    assert demo.good
    assert totals["burn_lines_accepted"] + totals["burn_lines_refused"] == len(rows) == schedule(2_000, 82_247)
    assert totals["gpu_milliseconds_burned"] + totals["gpu_milliseconds_refused"] == sum(
        int(float(row["duration"])) * int(row["num_gpus"]) * 1_000 for row in rows
    )
    assert totals["burn_lines_accepted"] * 2 > len(rows)
    assert totals["burn_lines_refused"] > schedule(10, 1_000)
    story = list(story_of(demo.folder))
    holder_of = {command["contract"]: command["holder"] for _, command in story if command["kind"] == "contract.sign/1"}
    burned_under = {command["contract"] for header, command in story if header.kind == "time.burned/1"}
    holders = {holder_of[contract] for contract in burned_under}
    assert holders == {f"startup-{row['cluster']}" for row in rows}


@pytest.mark.parametrize(
    "rows",
    [
        "2017-10-09 07:01:55,66.0,1,66.0,ab\n",
        "2017-10-09 07:01:55,66.0,1,66.0,ab\n2019-02-28 07:01:55,4628226.0,8,1,ab\n",
        "2020-02-29 23:59:59,31622400,10000,1,ab\n2020-03-01 00:00:00,1,0.001,1,cd\n",
    ],
    ids=["one job", "jobs years apart", "as long and as large as may be"],
)
def test_odd_workloads_are_played_to_the_end(rows: str, tmp_path: Path) -> None:
    """Every row is a line, if need be a refused one."""
    path = tmp_path / "jobs.csv"
    path.write_text(HEADER + rows)
    demo = play(tmp_path / "year", jobs=path)
    totals = demo.report["totals"]
    assert demo.good
    assert totals["burn_lines_accepted"] + totals["burn_lines_refused"] == rows.count("\n")


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    """One clear line, and nothing is written."""
    (tmp_path / "precious").write_text("mine")
    with pytest.raises(UsageError, match="is not empty; choose another folder"):
        play(tmp_path, limit=1)
    with pytest.raises(UsageError, match="is a file"):
        play(tmp_path / "precious", limit=1)
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


@pytest.mark.parametrize("is_there", [False, True])
@pytest.mark.parametrize("trouble", [KeyboardInterrupt(), OSError(28, "No space left on device", "ledger.db")])
def test_a_demo_that_ends_early_can_be_given_again(
    trouble: BaseException, is_there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it says: nothing of half a year is left over."""
    folder = tmp_path / "demo"
    if is_there:
        folder.mkdir()

    def fail(*_: object, **__: object) -> None:
        assert {"keys", "ledger.db"} <= {path.name for path in folder.iterdir()}
        raise trouble

    monkeypatch.setattr(run, "export_tiles", fail)
    for _ in range(2):
        ran = command_line.run("demo", folder, "--limit", 1)
        assert ran.status == (130 if isinstance(trouble, KeyboardInterrupt) else 2)
        assert "the same command" in ran.err
        assert folder.exists() is is_there
        assert [*tmp_path.rglob("*")] == [folder] * is_there


def test_a_bad_workload_leaves_nothing_behind(tmp_path: Path) -> None:
    """It is read before anything is made."""
    (tmp_path / "jobs.csv").write_text(HEADER)
    with pytest.raises(UsageError, match="no rows"):
        play(tmp_path / "year", jobs=tmp_path / "jobs.csv")
    assert not (tmp_path / "year").exists()


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(limit: int, tmp_path: Path) -> None:
    """A year without jobs is no story."""
    with pytest.raises(UsageError, match="--limit"):
        play(tmp_path / "year", limit=limit)
