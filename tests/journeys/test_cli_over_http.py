"""The commands over a service's URL: what they say is what they say of a folder, and what proves it was verified."""

import hashlib
import json
import shutil
import time as machine
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.actors import key_of
from support.command_line import done, failed, run
from support.log_server import Time
from support.serving import service_in_thread
from support.small_ledger import CHEAP, HOLDER, LOG_KEY, NETWORK, POLICY, export_small_ledger, write_small_ledger
from support.web_server import serving
from tallystick.cli import over_http
from tallystick.keyfiles import create
from tallystick.publishing import read_ledger
from tallystick.serving.server import running
from tallystick.sources import StaticUrl
from tallystick.transparency.policy import Policy
from tallystick.vouchers.quantities import SECOND_US, format_instant
from tallystick.web.receipts_box import ReceiptsBox, body_limit, receipts_app


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written") / "ledger"
    write_small_ledger(folder)
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(written, tmp_path / "ledger"))


@pytest.fixture
def time(folder: Path) -> Time:
    with read_ledger(folder) as reader:
        return Time(reader.state().at + SECOND_US)


@pytest.fixture
def url(folder: Path, time: Time) -> Iterator[str]:
    with service_in_thread(folder, LOG_KEY, clock=time) as server:
        yield server.url


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "trust.policy"
    path.write_bytes(POLICY.to_text())
    return path


def key_file(name: str, folder: Path) -> Path:
    """The file of an actor's key, unlocked."""
    path = folder / f"{name.replace('/', '-')}.pem"
    create(path, name, None, unencrypted=True, seed=hashlib.sha256(name.encode()).digest())
    return path


def test_notes_are_submitted_and_their_receipts_kept(url: str, policy: Path, time: Time, tmp_path: Path) -> None:
    (tmp_path / "a.note").write_bytes(time.note())
    (tmp_path / "b.note").write_bytes(time.note())
    (tmp_path / "c.note").write_bytes(b"nonsense")
    told = ("submit", url, "--trust", policy, "--receipts", "receipts")
    first = run(*told, "a.note", "b.note")
    assert (first.status, first.err) == (0, "")
    assert "tariff.published/1" in first.out
    again = run(*told, "b.note", "c.note", "--json")
    assert again.status == 1
    recorded, refused = json.loads(again.out)["notes"]
    assert (recorded["is_new"], refused["reason"]) == (False, "note_malformed")
    receipts = sorted((tmp_path / "receipts").glob("*.tlog-proof"))
    assert recorded["receipt"] == f"receipts/{receipts[-1].name}"
    assert "proven" in done("verify", receipts[0], "--trust", policy)
    kept = POLICY.open_checkpoint((tmp_path / "receipts" / "newest.checkpoint").read_bytes())
    assert kept.size > recorded["index"]


def test_names_are_said_below_the_answers_wherever_they_can_be_asked(
    url: str, folder: Path, policy: Path, time: Time, tmp_path: Path
) -> None:
    """By `check` and `submit`, of a service and of a ledger on this machine."""
    (tmp_path / "a.note").write_bytes(time.note())
    log_key = key_file(LOG_KEY.name, tmp_path)
    at = ("--log-time", format_instant(time()))
    ours = Path(shutil.copytree(folder, tmp_path / "ours"))
    for asked in (
        ("check", url, "a.note"),
        ("check", ours, "a.note", *at),
        ("submit", url, "--trust", policy, "a.note"),
        ("submit", ours, "a.note", "--log-key", log_key, *at),
    ):
        answer, sentence = done(*asked).splitlines()
        assert "tariff.published/1" in answer
        assert sentence.startswith("  guian (guian) publishes a price of "), asked
        assert " for H100 (h100) from " in sentence, asked


def test_an_auditor_gets_the_receipts_and_one_that_is_gone_is_told(
    url: str, policy: Path, time: Time, tmp_path: Path
) -> None:
    (tmp_path / "a.note").write_bytes(time.note())
    (tmp_path / "b.note").write_bytes(time.note())
    told = ("submit", url, "--trust", policy, "--receipts", "receipts", "--auditor")
    box = ReceiptsBox(tmp_path / "box", POLICY)
    with running(receipts_app(box), body_limit=body_limit) as auditor:
        gone = auditor.url
        done(*told, gone, "a.note")
        assert len([*(tmp_path / "box").iterdir()]) == 1
    late = run(*told, gone, "b.note")
    assert late.status == 0
    assert "an auditor was not given every receipt" in late.err
    assert len([*(tmp_path / "receipts" / over_http.UNSENT).glob("*/*.tlog-proof")]) == 1


def test_answers_are_those_of_the_folder(url: str, folder: Path, policy: Path, time: Time, tmp_path: Path) -> None:
    (tmp_path / "a.note").write_bytes(time.note())
    log_time = ("--log-time", "2027-03-01T00:00:00Z")
    for asked in (
        ("balances", "{}", "--by", "voucher", "--json"),
        ("balances", "{}", "--by", "programme", "--as-of", "20", "--json"),
        ("balances", "{}", "--by", "holder", "--csv"),
        ("show", "{}", "programme", CHEAP, "--json"),
        ("show", "{}", "programme", CHEAP, "--day", "2026-01-06", "--json"),
        ("show", "{}", "entry", "5"),
        ("verify", "{}", "5", "--trust", policy),
    ):
        here, there = (done(*[str(word).format(where) for word in asked]) for where in (folder, url))
        assert here == there, asked
    assert "programme" in done("show", url, "programme", CHEAP)
    assert "Balances by voucher after" in done("balances", url, "--by", "voucher")
    assert json.loads(done("check", url, "a.note", "--json"))["notes"][0]["accepted"]
    assert "its own time" in failed("check", url, "a.note", *log_time)
    done("receipt", url, "5", "-o", "5.tlog-proof")
    assert "proven: entry 5" in done("verify", "5.tlog-proof", "--trust", policy)
    assert "verdict: clean" in done("audit", url, "--trust", policy)


def test_what_only_one_of_them_does_is_said(url: str, folder: Path, policy: Path, time: Time, tmp_path: Path) -> None:
    (tmp_path / "a.note").write_bytes(time.note())
    assert "give --trust POLICY" in failed("submit", url, "a.note")
    assert "leave the options" in failed("submit", url, "a.note", "--trust", policy, "--accept-clock-jump")
    assert "go with a service's URL" in failed("submit", folder, "a.note", "--trust", policy)
    assert "leave --fresh out" in failed("balances", url, "--fresh")
    key = key_file(HOLDER.key_names[0], tmp_path)
    assert "no service" in failed("balances", folder, "--key", key)
    export_small_ledger(folder, tmp_path / "public")
    with serving(tmp_path) as server:
        export = f"{server.url}/public"
        assert "can only be read" in failed("submit", export, "a.note", "--trust", policy)
        assert "leave --key out" in failed("audit", export, "--trust", policy, "--key", key)
        assert done("balances", export, "--json") == done("balances", folder, "--json")


def test_a_service_that_is_gone_is_one_line(
    policy: Path, time: Time, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(over_http, "PATIENCE_SECONDS", 0.2)
    (tmp_path / "a.note").write_bytes(time.note())
    with service_in_thread(folder, LOG_KEY, clock=time) as server:
        url = server.url
    for asked in (("submit", url, "a.note", "--trust", policy), ("balances", url), ("check", url, "a.note")):
        assert "Connection refused" in failed(*asked)


def test_a_service_of_another_log_is_one_line(url: str, time: Time, tmp_path: Path) -> None:
    (tmp_path / "a.note").write_bytes(time.note())
    (tmp_path / "other.policy").write_bytes(Policy.for_log(key_of("other.example/log").verifier).to_text())
    said = failed("submit", url, "a.note", "--trust", "other.policy")
    assert "the URL and the policy belong together" in said


@contextmanager
def closed_to_strangers(folder: Path, time: Time) -> Iterator[str]:
    """A service at which each party reads its own, at this machine's time, which logins are signed at."""
    time.now = machine.time_ns() // 1_000
    with service_in_thread(folder, LOG_KEY, clock=time, reading="own") as server:
        yield server.url


def test_each_party_reads_its_own_by_its_key(folder: Path, policy: Path, time: Time, tmp_path: Path) -> None:
    note = time.note()  # at the log's own time, which is ahead of this machine's
    key, root = key_file(HOLDER.key_names[0], tmp_path), key_file(NETWORK.key_names[0], tmp_path)
    with closed_to_strangers(folder, time) as url:
        assert "give --key" in failed("show", url, "holder", HOLDER.party)
        assert HOLDER.party in done("show", url, "holder", HOLDER.party, "--key", key)
        assert "by --key (401)" in failed("audit", url, "--trust", policy)
        assert "403" in failed("audit", url, "--trust", policy, "--key", key)
        assert "verdict: clean" in done("audit", url, "--trust", policy, "--key", root)
        profile = {"source": url, "party": HOLDER.party, "key": str(key), "policy": str(policy)}
        lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in profile.items())
        (tmp_path / "tallystick.toml").write_text(lines)
        (tmp_path / "tallystick.toml").chmod(0o600)
        assert HOLDER.party in done("show", url, "holder", HOLDER.party)
        (tmp_path / "a.note").write_bytes(note)
        assert "tariff.published/1" in done("submit", url, "a.note")
        assert (tmp_path / "newest.checkpoint").exists()


def test_all_that_reads_logs_in_with_a_key(folder: Path, policy: Path, time: Time, tmp_path: Path) -> None:
    """Lists, a search, dossiers and proofs are what is the party's own; what is of everybody is for the network."""
    key, root = key_file(HOLDER.key_names[0], tmp_path), key_file(NETWORK.key_names[0], tmp_path)
    with closed_to_strangers(folder, time) as url:
        assert "give --key" in failed("list", url, "vouchers")
        mine = run("list", url, "vouchers", "--json", "--key", key).json["rows"]
        every = run("list", url, "vouchers", "--json", "--key", root).json
        assert {row["holder"] for row in mine} == {HOLDER.party}
        assert every["rows"] == run("list", folder, "vouchers", "--json").json["rows"]
        assert len(every["rows"]) > len(mine)
        for what in ("accreditations", "keys", "entries"):
            asked = ("list", what, "--limit", "3")
            here, there = (
                run(asked[0], where, *asked[1:], *more) for where, more in ((folder, ()), (url, ("--key", root)))
            )
            assert (here.status, here.err) == (there.status, there.err), what
            assert [*there.out.splitlines()[1:]] == [*here.out.splitlines()[1:]], what
        entries = ("list", url, "entries", "--where", f"account=holder {HOLDER.party}", "--limit", "2")
        assert "go on with --before" in run(*entries, "--key", key).err
        assert f"show … voucher {mine[0]['voucher']}" in done("search", url, mine[0]["voucher"], "--key", key)
        done("dossier", url, "application", "maker-a/a1", "-o", "own.dossier", "--key", key)
        assert "proven: application maker-a/a1" in done("verify", "own.dossier", "--trust", policy)
        programmes = done("list", url, "programmes", "--key", key).splitlines()
        assert [word for word in ("envelope", "unissued", "paid") if word in programmes[1]] == ["envelope"]
        assert len(programmes) == len(done("list", folder, "programmes").splitlines())
        seal = run("list", folder, "entries", "--where", "kind=book.sealed/1", "--json").json["recorded"][0]["index"]
        proof = ("proof", "balance", url, "holder", HOLDER.party, "--seal", seal, "-o", "own.proof")
        assert "give --key" in failed(*proof)
        done(*proof, "--key", key)
        assert "proven: holder maker-a" in done("verify", "own.proof", "--trust", policy)
        assert done("proof", "inclusion", url, "5", "--trust", policy, "--key", key)
        assert "403" in failed("export", url, tmp_path / "export", "--key", key)
        done("export", url, tmp_path / "export", "--key", root)
        assert "verdict: clean" in done("audit", tmp_path / "export", "--trust", policy)
        done("ledger", "backup", url, tmp_path / "backup", "--trust", policy, "--key", root)
        assert "no service" in failed("list", folder, "vouchers", "--key", key)
        assert "leave --fresh out" in failed("list", url, "vouchers", "--fresh", "--key", key)


def test_several_urls_are_one_source(folder: Path, policy: Path, time: Time, tmp_path: Path) -> None:
    """Of a pair: the one that answers does, for a command, an audit, and by the profile."""
    note = time.note()
    key, root = key_file(HOLDER.key_names[0], tmp_path), key_file(NETWORK.key_names[0], tmp_path)
    with closed_to_strangers(folder, time) as url:
        gone = "http://127.0.0.1:9"  # the discard port: nothing listens there
        for both in (f"{gone},{url}", f"{url},{gone}"):
            assert HOLDER.party in done("show", both, "holder", HOLDER.party, "--key", key)
            assert "verdict: clean" in done("audit", both, "--trust", policy, "--key", root)
        profile = {"source": f"{gone},{url}", "party": HOLDER.party, "key": str(key), "policy": str(policy)}
        lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in profile.items())
        (tmp_path / "tallystick.toml").write_text(lines)
        (tmp_path / "tallystick.toml").chmod(0o600)
        assert HOLDER.party in done("show", url, "holder", HOLDER.party), "the profile's key, as the URL is one of its"
        assert "give --key" in failed("show", f"{url},http://127.0.0.1:19", "holder", HOLDER.party)
        (tmp_path / "a.note").write_bytes(note)
        assert "tariff.published/1" in done("submit", f"{gone},{url}", "a.note")
        out = done("do", "application.withdraw", "--list", "application", "--json")
        assert json.loads(out)
    export_small_ledger(folder, tmp_path / "public")
    with serving(tmp_path) as server:
        export = f"{server.url}/public"
        assert "several URLs are of one" in failed("balances", f"{export},{export}", "--json")


def test_a_sessions_token_is_never_shown() -> None:
    source = StaticUrl("https://log.example", "a-token")
    assert "a-token" not in f"{source} {source!r}"
