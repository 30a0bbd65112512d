"""The same commands and the same answers where SOURCE is the URL of a PostgreSQL database."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from support.command_line import ORIGIN, Desk, done, failed, finish, run, start
from support.postgres import execute, fresh_database, server
from tallystick.sources import without_password

DAY = "2026-01-05T08:00:00Z"


class PostgresDesk(Desk):
    """A desk whose ledger is in a database; the log's key is named by the environment."""

    database = ""

    @property
    def source(self) -> str:
        return self.database

    @property
    def policy(self) -> Path:
        return self.folder / "trust.policy"


def found(desk: Desk) -> None:
    """A network, a voucher, and one statement."""
    desk.found()
    desk.open_programme()
    desk.at = "2026-01-05T10:00:00Z"
    desk.submit(desk.statement(("job-1", 8, DAY, "2026-01-05T09:00:00Z", 3_600), ref="stmt-1"))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresDesk]:
    desk = PostgresDesk(tmp_path_factory.mktemp("desk"))
    desk.database = fresh_database()
    environment = {"TALLYSTICK_LOG_KEY": str(desk.key(ORIGIN)), "XDG_CACHE_HOME": str(desk.folder / "cache")}
    with mock.patch.dict(os.environ, environment):
        found(desk)
        yield desk


@pytest.fixture(scope="module")
def in_folder(tmp_path_factory: pytest.TempPathFactory, desk: PostgresDesk) -> Desk:
    """The same notes in a ledger folder."""
    other = Desk(tmp_path_factory.mktemp("folder"))
    notes = sorted(desk.folder.glob("*.note"))
    arguments = ("--genesis", notes[0], "--log-key", desk.key(ORIGIN), "--log-time", DAY)
    done("ledger", "create", other.ledger, *arguments)
    done("submit", other.ledger, *notes[1:-1], "--log-time", DAY)
    done("submit", other.ledger, notes[-1], "--log-time", "2026-01-05T10:00:00Z")
    return other


QUESTIONS = [
    *[("balances", "{source}", "--by", by, "--json") for by in ("programme", "holder", "provider", "voucher")],
    ("balances", "{source}", "--as-of", "5", "--json"),
    ("show", "{source}", "voucher", "shanghai-treasury/v-1"),
    ("show", "{source}", "provider", "guian-cluster", "--json"),
    ("show", "{source}", "entry", "10", "--json"),
    ("proof", "inclusion", "{source}", "3", "--json"),
    ("proof", "consistency", "{source}", "4"),
    ("audit", "{source}", "--trust", "{policy}", "--json"),
]


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_the_answers_are_those_of_a_folder(desk: PostgresDesk, in_folder: Desk, question: tuple[str, ...]) -> None:
    def ask(source: object) -> str:
        return done(*[word.format(source=source, policy=in_folder.policy) for word in question])

    assert ask(desk.source) == ask(in_folder.ledger)


def test_a_receipt_is_the_same_bytes_and_verifies(desk: PostgresDesk, in_folder: Desk, tmp_path: Path) -> None:
    for name, source in (("a", desk.source), ("b", in_folder.ledger)):
        done("receipt", source, 7, "-o", tmp_path / name)
        done("verify", tmp_path / name, "--trust", in_folder.policy)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_an_export_is_the_same_files(desk: PostgresDesk, in_folder: Desk, tmp_path: Path) -> None:
    for name, source in (("a", desk.source), ("b", in_folder.ledger)):
        done("export", source, tmp_path / name)
    assert files_of(tmp_path / "a") == files_of(tmp_path / "b")


def files_of(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_submitting_again_is_harmless(desk: PostgresDesk) -> None:
    note = sorted(desk.folder.glob("*.note"))[-1]
    assert "recorded before" in desk.submit(note).out
    assert "recorded before" in done("check", desk.source, note, "--log-time", desk.at)


def test_creating_says_where_the_policy_is(tmp_path: Path, desk: PostgresDesk) -> None:
    genesis = sorted(desk.folder.glob("*.note"))[0]
    arguments = ("--genesis", genesis, "--log-key", desk.key(ORIGIN), "--log-time", DAY)
    printed = done("ledger", "create", fresh_database(), *arguments)
    assert f"\nlog {desk.vkey(ORIGIN)}\n" in printed
    done("ledger", "create", fresh_database(), *arguments, "--policy", tmp_path / "p")
    assert (tmp_path / "p").read_text() in printed
    said = json.loads(done("ledger", "create", fresh_database(), *arguments, "--json"))
    assert said["policy_text"] == (tmp_path / "p").read_text()


def test_a_ledger_is_not_made_over_another(desk: PostgresDesk) -> None:
    genesis = sorted(desk.folder.glob("*.note"))[0]
    complaint = failed(
        "ledger", "create", desk.source, "--genesis", genesis, "--log-key", desk.key(ORIGIN), "--log-time", DAY
    )
    assert complaint == f"{desk.source} holds a ledger already; choose another database"


def test_a_refused_genesis_leaves_nothing_behind(desk: PostgresDesk) -> None:
    database = fresh_database()
    second = sorted(desk.folder.glob("*.note"))[1]
    ran = run("ledger", "create", database, "--genesis", second, "--log-key", desk.key(ORIGIN), "--log-time", DAY)
    assert ran.status == 1
    assert "network_not_founded" in ran.out
    assert execute(database, "SELECT to_regnamespace('tallystick')") == [(None,)]


def test_an_empty_database_holds_no_ledger(desk: PostgresDesk) -> None:
    database = fresh_database()
    for command in (("balances", database), ("submit", database, sorted(desk.folder.glob("*.note"))[1])):
        assert failed(*command) == f"{database} holds no ledger; `tallystick ledger create` makes one"


def test_no_password_is_shown_whatever_goes_wrong(desk: PostgresDesk) -> None:
    note = sorted(desk.folder.glob("*.note"))[1]
    for url in (
        "postgresql://ann:s3cret@127.0.0.1:1/ledger",
        "postgresql://ann:s3cret@127.0.0.1:1/ledger?password=s3cret&nonsense=1",
        "postgresql://ann:s3cret@[/ledger",
        "postgresql://ann:x@y@s3cret@nowhere.invalid/ledger",
        "postgresql://ann:s3cret/ledger",
        server().url("no-such-database", "ann:s3cret"),
    ):
        for command in (("balances", url), ("submit", url, note), ("audit", url, "--trust", desk.policy)):
            complaint = run(*command)
            assert complaint.status == 2
            assert complaint.err.count("\n") == 1
            assert "s3cret" not in complaint.err + complaint.out
            assert "Traceback" not in complaint.err


def test_a_url_is_shown_without_its_password() -> None:
    shown = {
        "postgresql://ann:s3@cret@h:1/db": "postgresql://ann@h:1/db",
        "postgresql://ann@h:1,h:2/db?password=s3cret&a=b": "postgresql://ann@h:1,h:2/db?password=...&a=b",
        "postgresql:///db?sslpassword=s3cret": "postgresql:///db?sslpassword=...",
        "postgresql://ann:s3cret/db": "postgresql://ann:.../db",
        "postgresql://ann:s3cret": "postgresql://ann:...",
        "postgresql://[::1]:5432/db": "postgresql://[::1]:5432/db",
        "postgresql://h:5432,g:5433/db": "postgresql://h:5432,g:5433/db",
        "https://log.example/public": "https://log.example/public",
        "some/folder": "some/folder",
    }
    assert {url: without_password(url) for url in shown} == shown


def test_which_key_signs_must_be_said(desk: PostgresDesk) -> None:
    note = sorted(desk.folder.glob("*.note"))[-1]
    with mock.patch.dict(os.environ):
        del os.environ["TALLYSTICK_LOG_KEY"]
        assert "give --log-key FILE" in failed("submit", desk.source, note)
        assert "recorded before" in done(
            "submit", desk.source, note, "--log-key", desk.key(ORIGIN), "--log-time", desk.at
        )
    wrong = desk.key("tallystick.example/other")
    assert "is not one of" in failed("submit", desk.source, note, "--log-key", wrong)


def test_each_role_may_do_what_it_is_for_and_no_more(desk: PostgresDesk, tmp_path: Path) -> None:
    """Users that are granted a role and own nothing."""
    database = desk.source.rpartition("/")[2]
    users = {purpose: f"{purpose}_of_{database}" for purpose in ("writer", "views", "auditor")}
    for purpose, user in users.items():
        execute(desk.source, f'CREATE USER "{user}" IN ROLE "{database}_{purpose}"')
    sources = {purpose: server().url(database, user) for purpose, user in users.items()}
    (tmp_path / "trust.policy").write_text(f"log {desk.vkey(ORIGIN)}\nquorum none\n")
    for source in sources.values():
        assert json.loads(done("audit", source, "--trust", tmp_path / "trust.policy", "--json"))["verdict"] == "clean"
    note = sorted(desk.folder.glob("*.note"))[-1]
    assert "recorded before" in done("submit", sources["writer"], note, "--log-time", desk.at)
    for purpose in ("views", "auditor"):
        assert "permission denied" in failed("submit", sources[purpose], note, "--log-time", desk.at)
        # That it stays is a commit too, which needs no right to write.
        assert done("export", sources[purpose], tmp_path / purpose)
    assert done("balances", sources["views"], "--json") == done("balances", desk.source, "--json")


def test_real_programs_at_once_record_a_note_once(desk: PostgresDesk) -> None:
    note = desk.sign("party.suspend", "shanghai-treasury", subject="acme-ai", reason="under review")
    processes = [start("submit", desk.source, note, "--log-time", desk.at) for _ in range(3)]
    ran = [finish(process) for process in processes]
    assert all(one.status == 0 or "another writer has this ledger" in one.err for one in ran), ran
    assert sum("recorded before" not in one.out for one in ran if one.status == 0) == 1
