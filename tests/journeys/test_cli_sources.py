"""The same answers from a ledger folder, from its export, and from a web server that serves the export."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.command_line import ORIGIN, Desk, done, failed, run
from support.small_ledger import POLICY, export_small_ledger, write_small_ledger
from support.static_log import check_folder
from support.web_server import FolderServer, serving
from tallystick.audit import audit
from tallystick.errors import LedgerError
from tallystick.static import web


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk with a small ledger, and its export in `public/`."""
    desk = Desk(tmp_path_factory.mktemp("desk"))
    desk.found()
    desk.open_programme()
    job = ("job-1", 8, "2026-01-05T08:00:00Z", "2026-01-05T09:00:00Z", 3_600)
    desk.at = "2026-01-05T10:00:00Z"
    desk.submit(desk.statement(job, ref="stmt-1"))
    done("export", desk.ledger, desk.folder / "public")
    return desk


@pytest.fixture(scope="module")
def server(desk: Desk) -> Iterator[FolderServer]:
    """A web server of the export, which stumbles at first."""
    with serving(desk.folder) as server:
        yield server


@pytest.fixture(params=["folder", "url", "url/"])
def source(request: pytest.FixtureRequest, desk: Desk, server: FolderServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """The export in two encodings; the server stumbles before the first answer of each test."""
    monkeypatch.setattr(web, "PAUSES_SECONDS", (0.0, 0.0, 0.0))
    server.troubles = 2
    folder = str(desk.folder / "public")
    return folder if request.param == "folder" else f"{server.url}/public{request.param[3:]}"


QUESTIONS = [
    *[("balances", "{source}", "--by", by, "--json") for by in ("programme", "holder", "provider", "voucher")],
    ("balances", "{source}", "--as-of", "5", "--json"),
    ("balances", "{source}", "--as-of", "2026-01-05T09:00:00Z", "--csv"),
    ("show", "{source}", "voucher", "shanghai-treasury/v-1"),
    ("show", "{source}", "provider", "guian-cluster", "--json"),
    ("show", "{source}", "entry", "0"),
    ("show", "{source}", "entry", "11", "--json"),
    ("proof", "inclusion", "{source}", "3", "--json"),
    ("proof", "inclusion", "{source}", "3", "--size", "7", "--trust", "{policy}"),
    ("proof", "consistency", "{source}", "4"),
    ("proof", "consistency", "{source}", "4", "9", "--json", "--trust", "{policy}"),
    ("verify", "{source}", "11", "--trust", "{policy}", "--json"),
    ("verify", "{source}", "0", "--trust", "{policy}"),
    ("audit", "{source}", "--trust", "{policy}", "--json"),
    ("audit", "{source}", "--trust", "{policy}"),
]


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_every_source_gives_the_same_answer(question: tuple[str, ...], source: str, desk: Desk) -> None:
    """As the ledger itself, and nothing is written into an export by asking."""
    asked, of_ledger = [
        done(*[word.format(source=where, policy=desk.policy) for word in question]) for where in (source, desk.ledger)
    ]
    assert asked == of_ledger
    assert sorted(path.name for path in (desk.folder / "public").iterdir()) == ["checkpoint", "tile", "verify.html"]


def test_a_receipt_from_an_export_verifies_with_the_policy_alone(source: str, desk: Desk, tmp_path: Path) -> None:
    """And is the one that the ledger gives."""
    done("receipt", source, 11, "-o", tmp_path / "a")
    done("receipt", desk.ledger, 11, "-o", tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    said = done("verify", tmp_path / "a", "--trust", desk.policy)
    assert said.startswith(f"proven: entry 11 of {ORIGIN}, in its tree of 12 entries\n")
    assert said == done("verify", source, 11, "--trust", desk.policy)


def test_a_note_is_checked_against_an_export(source: str, desk: Desk) -> None:
    """By a provider that has no ledger."""
    job = ("job-2", 8, "2026-01-05T08:00:00Z", "2026-01-05T09:00:00Z", 3_600)
    note = desk.statement(job, ref="stmt-2")
    said = done("check", source, note, "--log-time", "2026-01-05T10:30:00Z")
    assert said == done("check", desk.ledger, note, "--log-time", "2026-01-05T10:30:00Z")
    assert "burned" in said


def test_an_export_of_an_export_is_a_mirror(source: str, desk: Desk, tmp_path: Path) -> None:
    """To the byte."""
    done("export", source, tmp_path / "mirror")
    assert check_folder(tmp_path / "mirror") == 12
    for path in (desk.folder / "public").rglob("*"):
        if path.is_file():
            assert (tmp_path / "mirror" / path.relative_to(desk.folder / "public")).read_bytes() == path.read_bytes()


def test_what_a_proof_says(desk: Desk) -> None:
    """For people it says whether the checkpoint was verified, and what is proved."""
    said = done("proof", "inclusion", desk.ledger, 3)
    assert said.startswith(f"entry 3 is in the tree of 12 entries of {ORIGIN}\n")
    assert "no --trust was given" in said
    assert "signed as the trust policy asks" in done("proof", "consistency", desk.ledger, 3, "--trust", desk.policy)
    proof = run("proof", "consistency", desk.ledger, 4, 9, "--json").json
    assert (proof["old_size"], proof["new_size"], proof["checkpoint_verified"]) == (4, 9, False)
    assert len(proof["proof"]) == 2


def test_proofs_of_what_is_not_there_are_refused(source: str, desk: Desk) -> None:
    """In one line each, of status 2."""
    assert "there is no entry 12" in failed("proof", "inclusion", source, 12)
    assert "there is no entry 7: this tree has 7" in failed("proof", "inclusion", source, 7, "--size", 7)
    assert "there is no tree of 13 entries" in failed("proof", "consistency", source, 4, 13)
    assert "can't be proved" in failed("proof", "consistency", source, 0)
    assert "can't be proved" in failed("proof", "consistency", source, 9, 4)
    assert "there is no entry 12" in failed("show", source, "entry", 12)
    assert "--as-of" in failed("show", source, "entry", 1, "--as-of", 1)
    for index in ("+1", "1_0", "0x1", "١", "1" * 40):
        assert "is not an entry's index" in failed("show", source, "entry", index)


def test_a_checkpoint_of_a_stranger_is_not_believed(desk: Desk, tmp_path: Path) -> None:
    """Status 1, and no proof."""
    policy = tmp_path / "other.policy"
    line, *rest = desk.policy.read_text().splitlines()
    key = desk.vkey("other.example/log")
    policy.write_text("\n".join([f"log {key}", *rest]) + "\n")
    assert line.startswith("log ")
    for command in (("proof", "inclusion", desk.ledger, 1), ("verify", desk.ledger, 1)):
        assert "signature" in failed(*command, "--trust", policy, status=1)


def test_what_is_changed_in_an_export_gives_no_proof(desk: Desk, server: FolderServer, tmp_path: Path) -> None:
    """Status 1: the mirror, and not the log, is caught."""
    shutil.copytree(desk.folder / "public", tmp_path / "copy")
    (bundle,) = (tmp_path / "copy" / "tile" / "entries").rglob("000.p/12")
    bundle.write_bytes(bundle.read_bytes().replace(b"150000000", b"950000000"))
    with serving(tmp_path) as other:
        for where in (tmp_path / "copy", f"{other.url}/copy"):
            for index in (9, 10):
                ran = run("show", where, "entry", index)
                assert ran.status == (1 if index == 9 else 0), ran
            said = run("audit", where, "--trust", desk.policy)
            assert (said.status, "leaf_differs at entry 9" in said.out) == (1, True)
            assert f"bundle 0 below {where}/tile/entries" in said.out


def test_another_history_is_not_exported_over_a_published_one(desk: Desk, tmp_path: Path) -> None:
    """By name, and with status 1."""
    done("export", desk.ledger, tmp_path / "public")
    folder = tmp_path / "other"
    shutil.copytree(desk.ledger, folder)
    checkpoint = tmp_path / "public" / "checkpoint"
    origin, size, root, *rest = checkpoint.read_text().split("\n")
    checkpoint.write_text("\n".join([origin, size, f"A{root[1:]}" if root[0] != "A" else f"B{root[1:]}", *rest]))
    assert failed("export", folder, tmp_path / "public", status=1).startswith("history_rewritten: ")


def test_writing_to_a_url_is_refused(server: FolderServer, desk: Desk) -> None:
    """A URL is read."""
    note = next(desk.folder.glob("*.note"))
    assert "can only be read" in failed("submit", f"{server.url}/public", note)


@pytest.fixture(scope="module")
def long_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export long enough for an audit to start processes."""
    folder = tmp_path_factory.mktemp("long")
    write_small_ledger(folder / "ledger", more=1_300)
    export_small_ledger(folder / "ledger", folder / "tiles")
    return folder


@pytest.mark.parametrize("processes", [0, 2])
def test_an_audit_over_the_web_is_the_audit_of_the_folder(long_log: Path, processes: int) -> None:
    """With processes and without, each file fetched once, with progress."""
    seen: list[tuple[int, int]] = []
    with serving(long_log / "tiles") as server:
        report = audit(server.url, POLICY, processes=processes, progress=lambda done, total: seen.append((done, total)))
        assert {path: count for path, count in server.asked.items() if count > 1} == {"/checkpoint": 2}
    assert report.to_bytes() == audit(long_log / "ledger", POLICY).to_bytes()
    assert report.is_clean
    assert seen[-1] == (report.entries, report.entries)
    assert len(seen) > 1


def test_a_server_that_goes_away_ends_the_audit_and_is_no_finding(
    long_log: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """While a file that isn't there is one."""
    monkeypatch.setattr(web, "PAUSES_SECONDS", (0.0,))
    with serving(long_log / "tiles") as server:

        def trouble(done: int, total: int) -> None:
            server.troubles = 1_000

        with pytest.raises(LedgerError, match="the server answers 503"):
            audit(server.url, POLICY, progress=trouble)
    shutil.copytree(long_log / "tiles", tmp_path / "tiles")
    (tmp_path / "tiles" / "tile" / "entries" / "003").unlink()
    with serving(tmp_path / "tiles") as server:
        found = json.loads(audit(server.url, POLICY).to_bytes())["findings"]
    assert ("tile_missing", 768) in {(finding["code"], finding["index"]) for finding in found}


PASSWORD = "correct-horse"
URLS = [f"postgresql://me:{PASSWORD}@127.0.0.1:1/d", f"http://me:{PASSWORD}@127.0.0.1:1/d"]
FOLDERS_WANTED = [
    ("export", "{ledger}", "{url}"),
    ("ledger", "backup", "{ledger}", "{url}"),
    ("ledger", "restore", "{url}", "new"),
    ("witness", "init", "{url}", "--name", "witness.example/w1", "--log", "{vkey}", "--no-passphrase"),
    ("demo", "{url}", "--limit", "1"),
    ("witness", "serve", "{url}"),
    ("witness", "cosign", "{url}", "{ledger}"),
    ("submit", "{ledger}", "{note}", "--receipts", "{url}"),
]


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("command", FOLDERS_WANTED, ids=lambda command: " ".join(command[:2]))
def test_a_url_where_a_folder_should_be_is_refused(
    command: tuple[str, ...], url: str, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line without the password, and nothing is made of it: as a path it would be a folder `postgresql:`."""
    monkeypatch.chdir(tmp_path)
    note = next(desk.folder.glob("*.note"))
    said = failed(*[word.format(ledger=desk.ledger, url=url, vkey=desk.vkey(ORIGIN), note=note) for word in command])
    assert "a folder" in said
    assert PASSWORD not in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", URLS)
def test_a_source_that_fails_is_named_without_its_password(url: str, desk: Desk) -> None:
    """Whatever is asked of it."""
    note = next(desk.folder.glob("*.note"))
    asked = [
        ("balances", url),
        ("show", url, "entry", 0),
        ("audit", url, "--trust", desk.policy),
        ("check", url, note),
        ("submit", url, note, "--log-key", desk.folder / "log.pem"),
        ("export", url, desk.folder / "other"),
        ("ledger", "backup", url, desk.folder / "other"),
        ("checkpoint", "collect", url, "--trust", desk.policy),
    ]
    for command in asked:
        assert PASSWORD not in failed(*command)


INDICES = [
    ("show", "{ledger}", "entry", "{index}"),
    ("balances", "{ledger}", "--as-of", "{index}"),
    ("dossier", "{ledger}", "voucher", "shanghai-treasury/v-1", "--until", "{index}", "-o", "-"),
    ("proof", "balance", "{ledger}", "voucher", "shanghai-treasury/v-1", "--seal", "{index}", "-o", "-"),
]


@pytest.mark.parametrize("command", INDICES, ids=lambda command: " ".join(command[:2]))
def test_an_index_has_the_same_digits_everywhere(command: tuple[str, ...], desk: Desk) -> None:
    """Nineteen digits are an index, of an entry that isn't there; twenty are none, nor are signs and other digits."""
    for index, is_index in (("9" * 19, True), ("9" * 20, False), ("+1", False), ("١", False)):
        said = failed(*[word.format(ledger=desk.ledger, index=index) for word in command])
        assert (f"no entry {index}" in said or "no seal reaches" in said) is is_index, said


def test_a_ledger_is_not_made_at_a_url(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor in a folder that is called like it."""
    monkeypatch.chdir(tmp_path)
    genesis = next(desk.folder.glob("*.note"))
    key = next(desk.folder.rglob("*.pem"))
    for url in ("https://log.example/public", "sqlite:///ledger"):
        said = failed("ledger", "create", url, "--genesis", genesis, "--log-key", key)
        assert "is not a place for a ledger: give a new folder, or a database's URL" in said
    assert list(tmp_path.iterdir()) == []
