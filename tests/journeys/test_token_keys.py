"""Keys in a PKCS#11 token: made there, signing there, for parties and for a log; SoftHSM stands for the device."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.command_line import ORIGIN, Desk, done, failed, finish, run, start, the_line
from support.serving import ServingProcess, service_in_thread
from tallystick import keyfiles, token_keys
from tallystick.cli.reading import now
from tallystick.errors import KeyMalformedError, KeyTokenError
from tallystick.signing.keys import VerifierKey
from tallystick.signing.note import open_note
from tallystick.token_uris import TokenUri

pytestmark = pytest.mark.system

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
NAME = "shanghai-treasury/officer-1"
PIN, WRONG = "8472", "1111"
ITEM: dict[str, Any] = {"item": "ascend-910b", "unit": "gpu_time", "name": "Ascend 910B", "origin": "domestic"}


class Tokens:
    """A drawer of tokens: a folder that SoftHSM finds them in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "tokens"
        self.folder.mkdir()
        self.settings = folder / "softhsm2.conf"
        self.settings.write_text(f"directories.tokendir = {self.folder}\nlog.level = ERROR\n")
        self.pin = self._secret(folder / "pin", PIN)
        self.wrong_pin = self._secret(folder / "wrong-pin", WRONG)

    @staticmethod
    def _secret(path: Path, text: str) -> Path:
        path.write_text(f"{text}\n")
        path.chmod(0o600)
        return path

    def make(self, label: str) -> None:
        """Make an empty token."""
        words = ["--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", PIN]
        subprocess.run(["softhsm2-util", *words], check=True, capture_output=True)

    def uri(self, label: str, name: str | None = None) -> str:
        """Return the URI of a token, or of a key in it."""
        return str(TokenUri(token=label, object=name, module_path=MODULE))

    def key(self, label: str, name: str) -> str:
        """Make a key in a token, and return its URI."""
        done("key", "new", name, "--token", self.uri(label), "--passphrase-file", self.pin)
        return self.uri(label, name)

    def pull(self) -> Callable[[], object]:
        """Take all tokens away, and return what puts them back."""
        aside = self.folder.with_name("aside")
        self.folder.rename(aside)
        self.folder.mkdir()

        def put_back() -> None:
            self.folder.rmdir()
            aside.rename(self.folder)

        return put_back


@pytest.fixture
def tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tokens:
    """An own drawer, which the module sees from its next call on, in this process too."""
    drawer = Tokens(tmp_path)
    monkeypatch.setenv("SOFTHSM2_CONF", str(drawer.settings))
    drawer.make("officers")
    _forget_sessions()
    return drawer


def _forget_sessions() -> None:
    """Let the module read its settings again: it is loaded once for all tests of this process."""
    import pkcs11

    pkcs11.lib(str(MODULE)).reinitialize()


def test_a_key_is_made_in_a_token_and_never_leaves_it(tokens: Tokens, tmp_path: Path) -> None:
    """Its name is its label; the URI that is printed names it."""
    made = run("key", "new", NAME, "--token", tokens.uri("officers"), "--passphrase-file", tokens.pin, "--json").json
    assert VerifierKey.from_text(made["vkey"]).name == made["name"] == NAME
    assert done("key", "show", made["key_uri"]) == made["vkey"] + "\n"
    assert done("key", "show", tokens.uri("officers")) == made["vkey"] + "\n", "the only key of a token needs no label"
    assert PIN.encode() not in b"".join(path.read_bytes() for path in tmp_path.rglob("*.object"))

    from pkcs11 import Attribute, AttributeSensitive, ObjectClass, lib

    with lib(str(MODULE)).get_token(token_label="officers").open(user_pin=PIN) as session:
        (private,) = session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})
        assert (private[Attribute.EXTRACTABLE], private[Attribute.SENSITIVE]) == (False, True)
        with pytest.raises(AttributeSensitive):
            private[Attribute.VALUE]


def test_no_key_is_overwritten(tokens: Tokens) -> None:
    uri = tokens.key("officers", NAME)
    vkey = done("key", "show", uri)
    line = failed("key", "new", NAME, "--token", tokens.uri("officers"), "--passphrase-file", tokens.pin)
    assert "never overwritten" in line
    assert "names an object" in failed("key", "new", NAME, "--token", uri, "--passphrase-file", tokens.pin)
    assert done("key", "show", uri) == vkey


def test_officers_sign_with_tokens_and_files(tokens: Tokens, tmp_path: Path) -> None:
    """Two keys of one token and a file: one PIN for the first two, and a passphrase for the third."""
    desk = Desk(tmp_path)
    keys = [tokens.key("officers", f"shanghai-treasury/officer-{number}") for number in (1, 2)]
    locked = tmp_path / "third.pem"
    done("key", "new", "shanghai-treasury/officer-3", "-o", locked, "--passphrase-command", "echo third")
    fields: dict[str, Any] = {"voucher": "shanghai-treasury/v-1", "reason": "?"}
    keys.append(str(locked))
    command = desk.sign("voucher.suspend", "shanghai-treasury", **fields).with_suffix(".json")
    both = done("sign", command, *_each("--key", keys[:2]), "--passphrase-file", tokens.pin)
    pins = _each("--passphrase-command", [f"cat {tokens.pin}", f"cat {tokens.pin}", "echo third"])
    three = done("sign", command, *_each("--key", keys), *pins)
    assert three.startswith(both), "Ed25519 gives the same signature again"
    verifiers = [VerifierKey.from_text(done("key", "show", key).strip()) for key in keys]
    _, signers = open_note(three.encode(), verifiers)
    assert [*signers] == verifiers


def _each(option: str, values: list[str]) -> list[str]:
    return [word for value in values for word in (option, value)]


def test_what_a_person_gets_wrong(tokens: Tokens) -> None:
    """No such token or key, several keys, a wrong PIN, none, one that is no text: a line each."""
    uri = tokens.key("officers", NAME)

    def complaint(key: str, *more: object) -> str:
        line = failed("sign", "-", "--key", key, *more, stdin=b"{}")
        assert PIN not in line
        assert WRONG not in line
        return line

    pin, wrong = ("--passphrase-file", tokens.pin), ("--passphrase-file", tokens.wrong_pin)
    assert "no token" in complaint(tokens.uri("nobodys", NAME), *pin)
    assert "it has: officers" in complaint(tokens.uri("nobodys", NAME), *pin)
    assert "no token" in complaint(f"pkcs11:token=officers;serial=0?module-path={MODULE}", *pin)
    assert "no public Ed25519 key" in complaint(tokens.uri("officers", "a/b"), *pin)
    assert "no public Ed25519 key" in failed("key", "show", tokens.uri("officers", "a/b"))
    assert "the PIN is wrong" in complaint(uri, *wrong)
    assert "the PIN is wrong" in failed("key", "new", "a/b", "--token", tokens.uri("officers"), *wrong)
    assert "not UTF-8" in complaint(uri, "--passphrase-command", r"printf '\377'")
    assert "no terminal to ask for the PIN of the token officers" in complaint(uri)
    tokens.key("officers", "shanghai-treasury/officer-2")
    assert "2 public keys fit" in complaint(tokens.uri("officers"), *pin)
    tokens.make("officers")
    _forget_sessions()
    assert "2 tokens of" in complaint(uri, *pin)
    ran = finish(start("key", "show", uri, env_more={"SOFTHSM2_CONF": "/nonexistent"}))
    assert (ran.status, ran.out) == (2, "")
    assert "can't be used as a PKCS#11 module" in ran.err.splitlines()[-1]


def test_a_label_that_is_no_name(tokens: Tokens) -> None:
    """A key that an office had before, under a label of its own."""
    token_keys.create(TokenUri.from_text(tokens.uri("officers")), "a", lambda token: PIN.encode())
    with pytest.raises(KeyMalformedError):
        token_keys.create(TokenUri.from_text(tokens.uri("officers")), "my key", lambda token: PIN.encode())
    with pytest.raises(KeyMalformedError, match="named by its label"):
        token_keys.show(TokenUri.from_text(tokens.uri("officers", "my key")))


def test_a_token_that_was_away_signs_again(tokens: Tokens) -> None:
    """A session that broke off is opened once more; while the token is away it is said in one line."""
    keys = [
        token_keys.load(TokenUri.from_text(tokens.key("officers", f"a/k-{number}")), lambda token: PIN.encode())
        for number in (1, 2)
    ]
    assert PIN not in f"{keys}"
    put_back = tokens.pull()
    for key in keys:
        for _ in range(2):
            with pytest.raises(KeyTokenError, match="no token"):
                key.sign(b"a")
    put_back()
    for key in keys:
        key.verifier.verify(key.sign(b"a"), b"a")


def test_a_pin_that_was_changed_meanwhile_is_tried_once(tokens: Tokens) -> None:
    """Tokens lock themselves after a few wrong ones."""
    key = token_keys.load(TokenUri.from_text(tokens.key("officers", NAME)), lambda token: PIN.encode())
    from pkcs11 import lib

    put_back = tokens.pull()
    with pytest.raises(KeyTokenError):
        key.sign(b"a")
    put_back()
    _forget_sessions()
    with lib(str(MODULE)).get_token(token_label="officers").open(rw=True, user_pin=PIN) as session:
        session.set_pin(PIN, "2222")
    _forget_sessions()
    with pytest.raises(KeyTokenError, match="PIN is wrong"):
        key.sign(b"a")
    with pytest.raises(KeyTokenError) as caught:
        key.sign(b"a")
    assert "PIN is wrong" not in str(caught.value)


def test_a_log_whose_key_is_in_a_token(tokens: Tokens, tmp_path: Path) -> None:
    """Founded, written and audited; its settings hold the URI and no PIN."""
    desk = Desk(tmp_path)
    key = tokens.key("officers", ORIGIN)
    desk.found("--passphrase-file", tokens.pin, log_key=key)
    assert PIN not in (desk.ledger / "ledger.toml").read_text()
    assert done("audit", desk.ledger, "--trust", desk.policy)
    note, size = desk.sign("item.register", "national", **ITEM), desk.size
    put_back = tokens.pull()
    ran = finish(start("submit", desk.ledger, note, "--log-time", desk.at))
    assert (ran.status, ran.out) == (2, "")
    assert "no token" in the_line(ran.err)
    put_back()
    assert desk.size == size
    desk.submit(note)
    assert desk.size == size + 1


def test_a_writer_whose_token_is_pulled_keeps_nothing_and_goes_on(tokens: Tokens, tmp_path: Path) -> None:
    """The note is answered with an error that says so, and is recorded when it comes again."""
    from tallystick.errors import StoreFailedError
    from tallystick.ledger.opening import open_ledger
    from tallystick.sources import parse_writable

    desk = Desk(tmp_path)
    uri = tokens.key("officers", ORIGIN)
    desk.found("--passphrase-file", tokens.pin, log_key=uri)
    note = desk.sign("item.register", "national", **ITEM)
    key = token_keys.load(TokenUri.from_text(uri), lambda token: PIN.encode())
    at = 1_767_600_000_000_000  # the desk's time
    with open_ledger(parse_writable(str(desk.ledger)), key, clock=lambda: at) as ledger:
        put_back, size = tokens.pull(), desk.size
        with pytest.raises(StoreFailedError, match="the log's key didn't sign, and nothing was kept: no token"):
            ledger.submit([note.read_bytes()])
        put_back()
        assert desk.size == size
        (answer,) = ledger.submit([note.read_bytes()])
        assert answer.index == size
    assert done("audit", desk.ledger, "--trust", desk.policy)


def test_what_a_service_answers_while_its_token_is_away(tokens: Tokens, tmp_path: Path) -> None:
    """The note may be sent again, and is recorded once the token is back; all the while the log can be read."""
    desk = Desk(tmp_path)
    uri = tokens.key("officers", ORIGIN)
    desk.found("--passphrase-file", tokens.pin, log_key=uri)
    note = desk.sign("item.register", "national", **ITEM).read_bytes()
    with ServingProcess(desk.ledger, "--log-time", desk.at, "--reading", "open") as serving:
        serving.wait_for("writing")
        put_back = tokens.pull()
        answer = serving.post(note)
        assert (answer.status_code, answer.json()["reason"]) == (503, "store_failed"), answer.text
        assert "no token" in answer.json()["detail"]
        assert serving.http.get("/checkpoint").status_code == 200
        put_back()
        assert serving.post(note).status_code == 201
        assert serving.end() == 0
    assert done("audit", desk.ledger, "--trust", desk.policy)


def test_a_party_whose_key_is_in_a_token_logs_in(tokens: Tokens, tmp_path: Path) -> None:
    """Admitted with the token's vkey; then it is shown over HTTP what is its own."""
    desk = Desk(tmp_path)
    desk.found()
    uri = tokens.key("officers", "beijing-treasury/officer-1")
    made = run("key", "show", uri, "--json").json
    command = tmp_path / "admit.json"
    fields = {"admitted": "beijing-treasury", "role": "treasury", "name": "Beijing", "keys": [made["vkey"]]}
    head = {"kind": "party.admit/1", "log": ORIGIN, "party": "national", "ref": "admit-beijing"}
    command.write_text(json.dumps(head | fields))
    note = tmp_path / "admit.note"
    roots = _each("--key", [str(desk.key(name)) for name in ("national/root-1", "national/root-2")])
    done("sign", command, *roots, "--signed-at", desk.at, "-o", note)
    done("sign", note, "--key", uri, "--passphrase-file", tokens.pin, "-o", note)
    desk.submit(note)
    with service_in_thread(desk.ledger, keyfiles.load(desk.key(ORIGIN), None), clock=now, reading="own") as serving:
        asked = ["show", serving.url, "party", "beijing-treasury"]
        assert "log in" in failed(*asked)
        shown = done(*asked, "--key", uri, "--passphrase-command", f"cat {tokens.pin}")
    assert VerifierKey.from_text(made["vkey"]).label in shown


def test_a_token_that_signs_wrongly_is_not_believed(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bad signature under a checkpoint would be kept for ever."""
    key = token_keys.load(TokenUri.from_text(tokens.key("officers", NAME)), lambda token: PIN.encode())
    other = token_keys.load(TokenUri.from_text(tokens.key("officers", "a/b")), lambda token: PIN.encode())
    monkeypatch.setattr(key._signer, "_key", vars(other._signer)["_key"])
    with pytest.raises(KeyTokenError, match="not its key's"):
        key.sign(b"a")


def test_a_network_and_its_first_party_have_their_keys_in_tokens(tokens: Tokens, tmp_path: Path) -> None:
    """Made there by `network found` and `join`, named by profile and settings; the next commands ask for no PIN."""
    tokens.make("log")
    tokens.make("treasury")
    _forget_sessions()
    pin = ("--passphrase-file", tokens.pin)
    joined = ("--party", "shanghai-treasury", "--role", "treasury", "--name", "Shanghai", "--by", "national-network")
    treasury, network = tmp_path / "treasury", tmp_path / "network"
    where = ("--source", network / "ledger", "--origin", ORIGIN, "--token", tokens.uri("treasury"), *pin)
    network.mkdir()
    (network / "ledger").mkdir()
    done("join", treasury, *where, *joined)
    (network / "ledger").rmdir()
    sheet = tmp_path / "network.csv"
    sheet.write_text(f"do,note\ncosign,{treasury / 'admission.note'}\n")
    roots = ("--token", tokens.uri("officers"), "--log-token", tokens.uri("log"), *pin)
    named = ("--origin", ORIGIN, "--name", "National network")
    log_pin = ("--log-passphrase-command", f"cat {tokens.pin}")
    done("network", "found", network, *named, *roots, *log_pin, "--from", sheet, "--yes")
    assert not [*network.rglob("*.pem"), *treasury.rglob("*.pem")]
    assert "pkcs11:token=treasury" in (treasury / "tallystick.toml").read_text()
    assert "pkcs11:token=log" in (network / "ledger" / "ledger.toml").read_text()
    done("do", "party.amend", "--name", "Shanghai", "--profile", treasury / "tallystick.toml", "--yes")
    assert "clean" in done("audit", network / "ledger", "--trust", network / "office" / "trust.policy")
    no_pin = ("--no-passphrase", "--token", tokens.uri("treasury"))
    wanted = ("--source", network / "ledger", "--origin", ORIGIN, *no_pin, *joined)
    assert "names an object" not in failed("join", tmp_path / "b", *wanted)
