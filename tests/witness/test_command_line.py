"""A log gets its checkpoints cosigned, offline or over HTTP; a rewritten history is refused, and called by its name."""

import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from support.actors import key_of
from support.command_line import ORIGIN, Desk, done, failed, finish, run, start
from support.web_server import ScriptedServer
from support.witnesses import ORIGIN as WITNESSED
from support.witnesses import History, checkpoint_path, reopened, serving
from tallystick import keyfiles
from tallystick.audit import audit
from tallystick.durable_files import exclusive_lock
from tallystick.errors import LedgerBusyError
from tallystick.publishing import read_ledger
from tallystick.publishing.cosigning import keep_cosignatures
from tallystick.signing.keys import COSIGNATURE_ED25519, SigningKey, VerifierKey
from tallystick.signing.note import Note, Signature
from tallystick.static import web
from tallystick.transparency.cosignature import cosign
from tallystick.transparency.policy import Policy
from tallystick.witness.cosigner import KEY
from tallystick.witness.state import WitnessState


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that fails is asked again at once."""
    monkeypatch.setattr(web, "PAUSES_SECONDS", (0.0, 0.0, 0.0))


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk(tmp_path_factory.mktemp("founded"))
    desk.found()
    return desk


class Town:
    """A desk whose log is to be cosigned by two witnesses, `w1` and `w2`."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.folders = {name: desk.folder / name for name in ("w1", "w2")}
        log = desk.vkey(ORIGIN)
        self.lines = [
            done("witness", "init", folder, "--name", f"witness.example/{name}", "--log", log, "--no-passphrase")
            for name, folder in self.folders.items()
        ]
        self.write_policy("both")

    @property
    def ledger(self) -> Path:
        """The ledger folder."""
        return self.desk.ledger

    @property
    def cosigned(self) -> Path:
        """Where a ledger keeps cosignatures."""
        return self.ledger / "checkpoint.cosigned"

    def write_policy(self, quorum: str, urls: tuple[str, str] = ("", "")) -> None:
        """Trust both witnesses, under their keys' names, for a quorum."""
        witnesses = [f"{line[:-1]} {url}\n" for line, url in zip(self.lines, urls, strict=True)]
        names = " ".join(line.split()[1] for line in self.lines)
        groups = f"group both all {names}\ngroup one any {names}\n"
        groups = groups if quorum == "both" else groups.replace("group both all", "#")
        groups = groups if quorum == "one" else groups.replace("group one any", "#")
        text = f"log {self.desk.vkey(ORIGIN)}\n{''.join(witnesses)}{groups}quorum {quorum}\n"
        self.desk.policy.write_text(text)

    @contextmanager
    def at_work(self, *names: str) -> Iterator[list[str]]:
        """Serve some witnesses, both if none is named, and give their URLs."""
        with ExitStack() as stack:
            opened = [stack.enter_context(reopened(self.folders[name])) for name in names or self.folders]
            yield [stack.enter_context(serving(witness)) for witness in opened]

    def grow(self) -> None:
        """Submit one more entry."""
        new = f"acme-ai/k{self.desk.written}"
        signers = ("acme-ai/desk", new)
        self.desk.do("key.add", "acme-ai", signers=signers, subject="acme-ai", purpose="sign", vkey=self.desk.vkey(new))

    def collect(self, source: Path, urls: list[str]) -> str:
        """Collect cosignatures, which must do."""
        return done("checkpoint", "collect", source, *_witnesses(urls), "--trust", self.desk.policy)

    def codes(self, source: Path) -> list[str]:
        """Audit, and return what was found."""
        report = audit(source, Policy.from_text(self.desk.policy.read_bytes()), processes=0)
        return [finding.code for finding in report.findings]


def _witnesses(urls: list[str]) -> list[str]:
    return [word for url in urls for word in ("--witness", url)]


@pytest.fixture
def town(founded: Desk, tmp_path: Path) -> Town:
    shutil.copytree(founded.folder, tmp_path / "desk")
    desk = Desk(tmp_path / "desk")
    desk.written = founded.written
    settings = desk.ledger / "ledger.toml"
    settings.write_text(settings.read_text().replace(str(founded.folder), str(desk.folder)))
    return Town(desk)


@pytest.mark.parametrize("trouble", [KeyboardInterrupt(), OSError(28, "No space left on device", "state.db")])
def test_a_witness_that_is_half_made_is_none(
    trouble: BaseException, town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the same command can be given again, as it says."""
    words = ("witness", "init", tmp_path / "w", "--name", "w.example", "--log", town.desk.vkey(ORIGIN))

    def fail(*_: object) -> None:
        assert {path.name for path in (tmp_path / "w").iterdir()} == {"witness.pem", "logs.policy"}
        raise trouble

    with monkeypatch.context() as patched:
        patched.setattr(WitnessState, "create", fail)
        ran = run(*words, "--no-passphrase")
    assert ran.status == (130 if isinstance(trouble, KeyboardInterrupt) else 2)
    assert [*(tmp_path / "w").iterdir()] == []
    done(*words, "--no-passphrase")


def test_a_quorum_of_witnesses_from_ledger_to_receipt(town: Town, tmp_path: Path) -> None:
    """What an audit missed before, it finds after; receipts carry the cosignatures; exports too."""
    assert town.codes(town.ledger) == ["checkpoint_quorum_missing"]
    with town.at_work() as urls:
        said = town.collect(town.ledger, urls)
    assert said.count("cosigned by witness.example/w") == 2
    assert "checkpoint.cosigned: 4 entries, as the trust policy asks" in said
    assert town.codes(town.ledger) == []
    done("receipt", town.ledger, 2, "-o", tmp_path / "2.tlog-proof")
    assert done("verify", tmp_path / "2.tlog-proof", "--trust", town.desk.policy).startswith("proven: entry 2")
    done("export", town.ledger, tmp_path / "public")
    assert town.codes(tmp_path / "public") == []
    assert done("verify", tmp_path / "public", 2, "--trust", town.desk.policy).startswith("proven: entry 2")


def test_receipts_stay_good_while_the_log_grows(town: Town, tmp_path: Path) -> None:
    """What the cosigned checkpoint covers is proved by it; the rest waits for the witnesses."""
    with town.at_work() as urls:
        town.collect(town.ledger, urls)
        town.grow()
        assert "its tree of 4 entries" in done("verify", town.ledger, 3, "--trust", town.desk.policy)
        failed("verify", town.ledger, 4, "--trust", town.desk.policy, status=1)
        assert town.codes(town.ledger) == ["checkpoint_quorum_missing"]
        town.collect(town.ledger, urls)
    assert "its tree of 5 entries" in done("verify", town.ledger, 4, "--trust", town.desk.policy)
    assert town.codes(town.ledger) == []


def test_lines_for_one_checkpoint_come_together(town: Town) -> None:
    """One witness now, the other one later; asked again, the newer line takes the older one's place."""
    with town.at_work("w1") as urls:
        ran = run("checkpoint", "collect", town.ledger, *_witnesses(urls))
    assert ran.status == 1
    assert "the quorum 'both' is missed: 1 of 2 witnesses cosigned" in ran.err
    assert len(Note.from_bytes(town.cosigned.read_bytes()).signatures) == 2
    with town.at_work("w2") as urls:
        town.collect(town.ledger, urls)
        town.collect(town.ledger, urls)
    assert len(Note.from_bytes(town.cosigned.read_bytes()).signatures) == 3


def test_a_quorum_that_was_reached_is_not_given_up(town: Town) -> None:
    """One line for a larger tree doesn't take away the receipts that two lines for a smaller one give."""
    with town.at_work() as urls:
        town.collect(town.ledger, urls)
        town.grow()
        before = town.cosigned.read_bytes()
        assert run("checkpoint", "collect", town.ledger, "--witness", urls[0]).status == 1
        assert town.cosigned.read_bytes() == before
        town.collect(town.ledger, urls)
    assert b"\n5\n" in town.cosigned.read_bytes()


def test_a_bad_line_that_lies_there_is_dropped(town: Town) -> None:
    """Somebody's file system may have changed it; asking again mends it."""
    with town.at_work() as urls:
        town.collect(town.ledger, urls)
        good = town.cosigned.read_bytes()
        note = Note.from_bytes(good)
        bad = note.signatures[2]._replace(blob=bytes(72))
        town.cosigned.write_bytes(Note(note.text, (*note.signatures[:2], bad)).to_bytes())
        assert town.codes(town.ledger) == ["checkpoint_signature_invalid"]
        ran = run("checkpoint", "collect", town.ledger, "--witness", urls[0])
        assert ran.status == 1
        assert len(Note.from_bytes(town.cosigned.read_bytes()).signatures) == 2
        town.collect(town.ledger, urls)
        assert town.cosigned.read_bytes() == good


@pytest.mark.parametrize("data", [b"", b"rubbish\n", b"a\n\n\xe2\x80\x94 b AAAAAAAA\n", b"\xff" * 70_000])
def test_a_damaged_file_of_cosignatures_is_said_and_replaced(data: bytes, town: Town, tmp_path: Path) -> None:
    """No receipt is made past it; an audit goes on without it."""
    town.write_policy("none")
    town.cosigned.write_bytes(data)
    assert "delete it, and ask the witnesses again" in failed("receipt", town.ledger, 1, "-o", tmp_path / "r")
    assert town.codes(town.ledger) == ["checkpoint_malformed"]
    town.cosigned.unlink()
    done("receipt", town.ledger, 1, "-o", tmp_path / "r")


def test_cosignatures_of_another_log_are_refused(town: Town, tmp_path: Path) -> None:
    """However good they are."""
    town.cosigned.write_bytes(History(3).note(2))
    assert f"is of another log, {WITNESSED}): delete it" in failed("receipt", town.ledger, 1, "-o", tmp_path / "r")


def test_an_export_that_moved_on_takes_no_old_lines(town: Town, tmp_path: Path) -> None:
    """They would be of a checkpoint that isn't there any more; nor while somebody exports."""
    public = tmp_path / "public"
    done("export", town.ledger, public)
    policy = Policy.from_text(town.desk.policy.read_bytes())
    old = (public / "checkpoint").read_bytes()
    with exclusive_lock(public), pytest.raises(LedgerBusyError, match="by another process"):
        keep_cosignatures(public, old, (), policy)
    town.grow()
    done("export", town.ledger, public)
    published = (public / "checkpoint").read_bytes()
    with pytest.raises(LedgerBusyError, match="exported to meanwhile"):
        keep_cosignatures(public, old, (), policy)
    assert (public / "checkpoint").read_bytes() == published


def test_an_export_is_cosigned_in_place(town: Town, tmp_path: Path) -> None:
    """Its checkpoint gets the lines, and a later export of the same tree keeps them."""
    public = tmp_path / "public"
    done("export", town.ledger, public)
    assert town.codes(public) == ["checkpoint_quorum_missing"]
    with town.at_work() as urls:
        town.collect(public, urls)
    assert town.codes(public) == []
    cosigned = (public / "checkpoint").read_bytes()
    done("export", town.ledger, public)
    assert (public / "checkpoint").read_bytes() == cosigned
    assert not town.cosigned.exists()


def test_the_policy_says_whom_to_ask(town: Town) -> None:
    """With URLs in its witness lines, no other is needed; the answer is there for programs too."""
    assert "give a witness's URL" in failed("checkpoint", "collect", town.ledger)
    with town.at_work() as urls:
        town.write_policy("both", (urls[0], urls[1]))
        said = run("checkpoint", "collect", town.ledger, "--json").json
    assert [row["witness"] for row in said["witnesses"]] == urls
    assert said["witnesses"][0]["cosigned_by"][0].startswith("witness.example/w1+")
    assert (said["origin"], said["size"], said["kept"], said["accepted"]) == (ORIGIN, 4, str(town.cosigned), True)


def test_a_witness_that_fails_costs_nothing_if_the_quorum_is_reached(town: Town) -> None:
    """It is named; where no quorum is asked for, it fails the command."""
    town.write_policy("one")
    with town.at_work("w1") as urls, ScriptedServer(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n") as broken:
        said = town.collect(town.ledger, [broken.url, *urls])
        assert f"{broken.url}: {broken.url}/add-checkpoint can't be fetched: the server answers 500" in said
        assert broken.targets == ["/add-checkpoint"] * 4
        town.write_policy("none")
        ran = run("checkpoint", "collect", town.ledger, *_witnesses([broken.url, *urls]))
    assert (ran.status, ran.err.count("\n")) == (2, 1)


def _fork(town: Town) -> Path:
    """Return a ledger with another entry 4 than the town's, signed by the same key."""
    aside = town.desk.folder / "aside"
    shutil.copytree(town.ledger, aside)
    town.grow()
    mine = town.ledger.rename(town.desk.folder / "mine")
    aside.rename(town.ledger)
    town.grow()
    other = town.ledger.rename(town.desk.folder / "other")
    mine.rename(town.ledger)
    return other


def test_a_rewritten_history_is_named_by_the_witness(town: Town, tmp_path: Path) -> None:
    """One entry replaced, the tree rebuilt, the checkpoint signed with the real key; size for size, and grown."""
    rewritten = _fork(town)
    with town.at_work() as urls:
        town.collect(town.ledger, urls)
        trust = ["--trust", town.desk.policy]
        ran = run("checkpoint", "collect", rewritten, *_witnesses(urls), *trust)
        assert ran.status == 1
        assert ran.err.startswith("tallystick: history_rewritten: the log signed a tree of 5 entries with the root ")
        assert f"keep {urls[0]}{checkpoint_path(ORIGIN)}, which is evidence" in ran.err
        assert not (rewritten / "checkpoint.cosigned").exists()
        for name in ("w1", "w2"):
            assert failed("witness", "cosign", town.folders[name], rewritten, status=1).startswith(
                "history_rewritten: "
            )
        town.ledger.rename(tmp_path / "honest")
        rewritten.rename(town.ledger)
        town.grow()
        shutil.copy(tmp_path / "honest" / "trust.policy", town.ledger)
        ran = run("checkpoint", "collect", town.ledger, *_witnesses(urls))
        assert ran.status == 1
        assert ran.err.startswith("tallystick: history_rewritten: the log signed a tree of 5 entries with the root ")


def test_what_witnesses_cosigned_exposes_the_ledger_that_forgot_it(town: Town, tmp_path: Path) -> None:
    """The cosigned checkpoint beside the store is evidence against the store."""
    rewritten = _fork(town)
    with town.at_work() as urls:
        town.collect(town.ledger, urls)
    shutil.copy(town.cosigned, rewritten)
    for command in (("receipt", rewritten, 1, "-o", tmp_path / "r"), ("export", rewritten, tmp_path / "public")):
        assert failed(*command, status=1).startswith("history_rewritten: the first 5 entries of this log are not those")
    older = tmp_path / "older"
    shutil.copytree(town.desk.folder / "ledger", older, ignore=shutil.ignore_patterns("checkpoint.cosigned"))
    town.grow()
    with town.at_work() as urls:
        town.collect(town.ledger, urls)
        shutil.copy(town.cosigned, older)
        assert "witnesses cosigned 6 entries of this log, and it has 5" in failed(
            "receipt", older, 1, "-o", "r", status=1
        )
        (older / "checkpoint.cosigned").unlink()
        ran = run("checkpoint", "collect", older, *_witnesses(urls), "--trust", town.desk.policy)
    assert ran.status == 1
    assert "has cosigned a tree of 6 entries, and this one has 5: it is an older copy" in ran.err


def test_a_witness_that_only_says_so_proves_nothing(town: Town) -> None:
    """422 without a checkpoint of the log's own to show for it."""
    answers = (_http(409, b"3\n"), _http(422, b"history_rewritten: so I say\n"), _http(404, b""))
    with ScriptedServer(*answers) as liar:
        ran = run("checkpoint", "collect", town.ledger, "--witness", liar.url)
    assert ran.status == 1
    assert f"{liar.url} says history_rewritten: it refuses this tree of 4 entries, and shows no checkpoint" in ran.err


def _http(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


def _endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"a" * 65_536)


STRANGER = SigningKey.from_seed("witness.example/stranger", b"\x03" * 32, COSIGNATURE_ED25519)
ANSWERS: dict[str, tuple[int, str, Callable[[bytes, VerifierKey], bytes | Callable[[socket.socket], None]]]] = {
    "nothing": (2, "gives no signature lines", lambda note, key: _http(200, b"")),
    "rubbish": (2, "gives no signature lines", lambda note, key: _http(200, b"\xff\x00" * 99)),
    "no newline": (2, "gives no signature lines", lambda note, key: _http(200, cosign(note, STRANGER, 5)[:-1])),
    "one line twice": (2, "gives no signature lines", lambda note, key: _http(200, cosign(note, STRANGER, 5) * 2)),
    "a text of its own": (2, "gives no signature lines", lambda note, key: _http(200, b"x\n\n" + note)),
    "endless": (2, "gives no signature lines", lambda note, key: _endless),
    "a stranger's line": (
        1,
        "signs as witness.example/stranger+",
        lambda note, key: _http(200, cosign(note, STRANGER, 5)),
    ),
    "a forged line": (
        1,
        "does not fit what it signs",
        lambda note, key: _http(200, Signature(key.name, key.key_id, bytes(72)).to_line()),
    ),
    "another size each time": (2, "names another size each time", lambda note, key: _http(409, b"2\n")),
    "a size misspelt": (2, "answers 409 and no size", lambda note, key: _http(409, b"+2\n")),
    "a size without newline": (2, "answers 409 and no size", lambda note, key: _http(409, b"2")),
    "a larger size": (1, "which is history_rewritten", lambda note, key: _http(409, b"9\n")),
    "404": (2, "answers 404: 'who?'", lambda note, key: _http(404, b"who?\n")),
    "a redirect": (2, "answers 302", lambda note, key: b"HTTP/1.1 302 X\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"),
    "hanging up": (2, "can't be fetched", lambda note, key: b""),
}


@pytest.mark.parametrize(("status", "what", "answer"), ANSWERS.values(), ids=ANSWERS.keys())
def test_a_witness_is_believed_in_nothing(
    status: int, what: str, answer: Callable[[bytes, VerifierKey], bytes], town: Town
) -> None:
    """One line says what is wrong with it, and nothing is kept."""
    with read_ledger(town.ledger) as reader:
        note = reader.checkpoint_note()
    key = keyfiles.load(town.folders["w1"] / KEY, None).verifier
    with ScriptedServer(answer(note, key)) as odd:
        ran = run("checkpoint", "collect", town.ledger, "--witness", odd.url)
    assert ran.status == status, ran
    assert what in ran.err
    assert ran.err.count("\n") == 1
    assert not town.cosigned.exists()


def test_cosigning_by_hand(town: Town, tmp_path: Path) -> None:
    """From a folder's tiles, or from a checkpoint and a proof in files; the lines are brought back the same way."""
    done("export", town.ledger, tmp_path / "public")
    first = done("witness", "cosign", town.folders["w1"], tmp_path / "public")
    done("witness", "cosign", town.folders["w2"], tmp_path / "public" / "checkpoint", "-o", tmp_path / "cosigned")
    line = done("witness", "cosign", town.folders["w2"], town.ledger)
    assert (tmp_path / "cosigned").read_bytes().startswith((tmp_path / "public" / "checkpoint").read_bytes())
    (tmp_path / "lines").write_text(first + line)
    said = done("checkpoint", "collect", town.ledger, "--line", tmp_path / "lines")
    assert "as the trust policy asks" in said
    assert town.codes(town.ledger) == []

    town.grow()
    done("export", town.ledger, tmp_path / "public")
    checkpoint = tmp_path / "public" / "checkpoint"
    assert "give --old 4" in failed("witness", "cosign", town.folders["w1"], checkpoint)
    proof = run("proof", "consistency", town.ledger, 4, "--json").json["proof"]
    (tmp_path / "proof").write_text("".join(f"{value}\n" for value in proof))
    words = ("--old", 4, "--proof", tmp_path / "proof")
    assert done("witness", "cosign", town.folders["w1"], checkpoint, *words).startswith("— witness.example/w1 ")
    failing = failed("witness", "cosign", town.folders["w2"], checkpoint, "--old", 4, status=1)
    assert "history_rewritten" in failing
    assert done(
        "witness",
        "cosign",
        town.folders["w2"],
        "-",
        *("--old", 4, "--proof", tmp_path / "proof"),
        stdin=checkpoint.read_bytes(),
    )


def test_a_line_of_another_checkpoint_is_refused(town: Town, tmp_path: Path) -> None:
    """Brought by hand, it is verified as from anybody."""
    line = done("witness", "cosign", town.folders["w1"], town.ledger)
    town.grow()
    (tmp_path / "line").write_text(line)
    ran = run("checkpoint", "collect", town.ledger, "--line", tmp_path / "line")
    assert (ran.status, "does not fit what it signs" in ran.err) == (1, True)
    assert not town.cosigned.exists()


def test_what_a_witness_refuses_by_hand_is_one_line(town: Town, tmp_path: Path) -> None:
    """Whatever is given to it."""
    stranger = key_of("log.example/other")
    other = tmp_path / "other"
    done("witness", "init", other, "--name", "w", "--log", stranger.verifier.to_text(), "--no-passphrase")
    assert "knows no log" in failed("witness", "cosign", other, town.ledger)
    for text in (b"", b"rubbish", b"\xff" * 99, b"a\n\n\xe2\x80\x94 b AAAAAAAA\n"):
        assert failed("witness", "cosign", town.folders["w1"], "-", stdin=text)
    assert "they are worked out" in failed("witness", "cosign", town.folders["w1"], town.ledger, "--old", 1)
    (tmp_path / "proof").write_text("+\n")
    words = ("--old", 1, "--proof", tmp_path / "proof")
    assert "not padded base64" in failed("witness", "cosign", town.folders["w1"], "-", *words, stdin=b"x")
    assert "is no witness" in failed("witness", "cosign", tmp_path, town.ledger)
    assert "is no witness" in failed("witness", "serve", tmp_path)
    assert "only be read" in failed("checkpoint", "collect", "http://127.0.0.1:1", "--witness", "http://127.0.0.1:1")
    assert "is not a URL" in failed("checkpoint", "collect", town.ledger, "--witness", "ftp://x")


def test_init_makes_a_witness_or_nothing(tmp_path: Path) -> None:
    """And what it prints is a line for a trust policy."""
    log = key_of("log.example/a").verifier.to_text()
    (tmp_path / "passphrase").write_text("open sesame\n")
    (tmp_path / "passphrase").chmod(0o600)
    words = ("--name", "witness.example/w", "--log", log)
    locked = ("--passphrase-file", tmp_path / "passphrase")
    line = done("witness", "init", tmp_path / "w", *words, *locked)
    Policy.from_text(f"log {log}\n{line}quorum witness.example/w\n".encode())
    assert "is not empty" in failed("witness", "init", tmp_path / "w", *words, "--no-passphrase")
    assert "give its passphrase" in failed("witness", "serve", tmp_path / "w")
    assert "exclude each other" in failed("witness", "init", tmp_path / "x", *words, *locked, "--no-passphrase")
    assert failed("witness", "init", tmp_path / "x", "--name", "a b", "--log", log, "--no-passphrase")
    assert failed("witness", "init", tmp_path / "y", "--name", "w", "--log", "rubbish", "--no-passphrase")
    assert "no terminal" in failed("witness", "init", tmp_path / "y", *words)
    said = run("witness", "init", tmp_path / "z", *words, "--no-passphrase", "--json").json
    assert VerifierKey.from_text(said["vkey"]).algorithm == COSIGNATURE_ED25519
    assert not (tmp_path / "y").exists()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_serving_ends_when_it_is_told_to(how: signal.Signals, town: Town) -> None:
    """With status 0 and one line; the URL is all that it prints."""
    process = start("witness", "serve", town.folders["w1"])
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    said = run("checkpoint", "collect", town.ledger, "--witness", url)
    assert "cosigned by witness.example/w1" in said.out
    port = url.rpartition(":")[2]
    assert "in use" in failed("witness", "serve", town.folders["w1"], "--port", port)
    os.kill(process.pid, how)
    ran = finish(process)
    assert (ran.status, ran.out) == (0, "")
    asked, stopped = ran.err.splitlines()
    assert asked.endswith("127.0.0.1 'POST /add-checkpoint' 200")
    assert stopped == "stopped"
